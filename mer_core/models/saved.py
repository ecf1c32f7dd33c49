"""Fitted models as files: numbers and settings in a safetensors file; no code, no pickle."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from mer_core import models
from mer_core.files import DataError, DataWarning, written_atomically

if TYPE_CHECKING:
    from torch import nn

FORMAT = "mer_core model 2"
HEAD = "mer_core"
PARTS = {
    "AE": "mer_core.models.autoencoder",
    "VAE": "mer_core.models.autoencoder",
    "Scale": "mer_core.models.autoencoder",
    "FrameRegressor": "mer_core.models.baselines",
    "RandomLayer": "mer_core.models.elm",
    "_KernelPCA": "mer_core.models.irit",
    "_DenoisingAutoencoder": "mer_core.models.irit",
    "TransformedTargetRegressor": "sklearn.compose",
    "PCA": "sklearn.decomposition",
    "KernelPCA": "sklearn.decomposition",
    "DummyRegressor": "sklearn.dummy",
    "VarianceThreshold": "sklearn.feature_selection",
    "LinearRegression": "sklearn.linear_model",
    "Ridge": "sklearn.linear_model",
    "MultiOutputRegressor": "sklearn.multioutput",
    "MLPRegressor": "sklearn.neural_network",
    "Pipeline": "sklearn.pipeline",
    "KernelCenterer": "sklearn.preprocessing",
    "QuantileTransformer": "sklearn.preprocessing",
    "StandardScaler": "sklearn.preprocessing",
    "sklearn SVR": "sklearn.svm",
}
"""Classes that models consist of, and their modules. Models are those of `mer_core.models`."""
KEPT = {"MLPRegressor": {"coefs_", "intercepts_", "activation", "out_activation_"}}
"""Attributes of parts that hold more than predicting needs (an optimiser, a generator)."""
NUMBERS = "biuf"


class Regressor(Protocol):
    """What :func:`save` takes and :func:`load` gives: see :mod:`mer_core.models`."""

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""


def save(model: Regressor, path: str | os.PathLike) -> None:
    """Write a fitted model; the file appears whole or not at all.

    Parameters
    ----------
    model : regressor
        One that :mod:`mer_core.models` exports, fitted.
    path : path
        Customarily with the suffix `.safetensors`; its folder is made if it is not there.

    Raises
    ------
    ValueError
        If the model is of another class, is not fitted, or holds what is neither number, text,
        table nor one of `PARTS`.

    Examples
    --------
    >>> import tempfile
    >>> from mer_core import load_corpus, models
    >>> corpus = load_corpus("mini").split("test")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(models.Constant().fit(corpus.features, corpus.labels), f"{folder}/m.safetensors")
    ...     load(f"{folder}/m.safetensors").predict(corpus.features).shape[1]
    2
    """
    from safetensors.numpy import save as packed

    name = _name(model)
    if name not in _exported():
        found = type(model).__qualname__
        raise ValueError(f"model: expected one of {', '.join(_exported())}, found {found}")
    if not any(key.endswith("_") for key in vars(model)):
        raise ValueError(f"{name}: expected a fitted model, found none: call fit")
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_plain(model, arrays))
    about = {"format": FORMAT, "model": text, "sha256": _digest(text, arrays)}
    about["scikit-learn"] = version("scikit-learn")
    content = packed(arrays, {HEAD: json.dumps(about)})  # one entry: several come in any order
    with written_atomically(path) as part:
        part.write_bytes(content)


def load(path: str | os.PathLike) -> Regressor:
    """Read a model that :func:`save` wrote, in this or another process, on this or another machine.

    Nothing in a file is run: it names models of :mod:`mer_core.models` and
    classes of a fixed list, and holds numbers and text.

    Parameters
    ----------
    path : path

    Returns
    -------
    regressor
        It predicts what the saved one did.

    Raises
    ------
    DataError
        If there is no such file, it is damaged, or is no saved model.

    Warns
    -----
    DataWarning
        If it was saved under another version of scikit-learn.
    """
    about, arrays = _content(path)
    _check_head(path, about)
    if about["sha256"] != _digest(about["model"], arrays):
        raise DataError(path, "a sound model file", "other content than was saved: damaged")
    _warn_of_version(path, about["scikit-learn"])
    try:
        model = _built(json.loads(about["model"]), arrays)
        if _name(model) not in _exported():
            raise ValueError(f"{type(model).__qualname__}, which is no regressor")
    except Exception as error:  # made by hand, it may be wrong in any way
        found = f"what can't be built: {type(error).__name__}: {error}"
        raise DataError(path, "a model that mer_core.models.save wrote", found) from None
    return model


def _content(path: str | os.PathLike) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            arrays = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            return json.loads((file.metadata() or {}).get(HEAD, "{}")), arrays
    except FileNotFoundError:
        raise DataError(path, "a saved model", "no file") from None
    except (SafetensorError, OSError, TypeError, ValueError, RecursionError) as error:
        raise DataError(path, "a saved model (safetensors)", str(error)) from None


def _check_head(path: str | os.PathLike, about: object) -> None:
    of = about.get("format", "another program") if isinstance(about, dict) else "another program"
    if of != FORMAT:
        raise DataError(path, f"a model file of {FORMAT!r}", f"one of {of!r}")
    wanted = {"format", "model", "sha256", "scikit-learn"}
    if set(about) != wanted or not all(isinstance(part, str) for part in about.values()):
        raise DataError(path, f"the entries {sorted(wanted)}", f"others: {sorted(about)}")


def _digest(text: str, arrays: dict[str, np.ndarray]) -> str:
    whole = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        whole.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return whole.hexdigest()


def _warn_of_version(path: str | os.PathLike, saved: str) -> None:
    here = version("scikit-learn")
    if saved.split(".")[:2] != here.split(".")[:2]:
        text = f"{path}: saved under scikit-learn {saved}, read under {here}: predictions may "
        warnings.warn(f"{text}differ, or fail", DataWarning, stacklevel=3)


def _name(value: object) -> str | None:
    """How a class is called in files; None for those that have no place there."""
    for name in (type(value).__name__, f"sklearn {type(value).__name__}"):
        if type(value) is _class(name):
            return name
    return None


def _class(name: str) -> type | None:
    """A model or a part by its name in files; None if it is neither."""
    if name in PARTS:
        return getattr(importlib.import_module(PARTS[name]), name.split()[-1])
    return getattr(models, name) if name in _exported() else None


def _exported() -> list[str]:
    """Names of the models of `mer_core.models`; load and save are functions."""
    return [name for name in models.__all__ if name not in ("load", "save")]


# To what JSON knows, arrays apart. Everything but numbers, text and lists is {kind: content}.


def _plain(value: object, arrays: dict[str, np.ndarray]) -> object:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [_plain(part, arrays) for part in value]
    for kind, fits, write in _KINDS:
        if fits(value):
            return {kind: write(value, arrays)}
    name = _name(value)
    if name is None:
        known = "numbers, text, tables and models of the workbook"
        raise ValueError(f"model: expected {known}, found {type(value).__qualname__}")
    kept = KEPT.get(name, vars(value))
    return {name: {k: _plain(v, arrays) for k, v in vars(value).items() if k in kept}}


def _array(value: np.ndarray, arrays: dict[str, np.ndarray]) -> list[str]:
    """Put an array aside; libraries compute in the order in which its numbers lie."""
    fortran = value.flags.f_contiguous and not value.flags.c_contiguous
    name = str(len(arrays))
    arrays[name] = np.ascontiguousarray(value).reshape(value.shape)
    return [name, "F" if fortran else "C"]


def _frame(value: pd.DataFrame, arrays: dict[str, np.ndarray]) -> list:
    columns = [value.iloc[:, k] for k in range(value.shape[1])]
    numeric = [column.dtype.kind in NUMBERS for column in columns]
    cells = [c.to_numpy() if known else c.tolist() for c, known in zip(columns, numeric)]
    return [_plain(part, arrays) for part in (value.index, value.columns, cells)]


def _index(value: pd.Index, arrays: dict[str, np.ndarray]) -> list:
    return [isinstance(value, pd.MultiIndex), list(value.names), _plain(value.tolist(), arrays)]


def _layers(value: nn.Sequential, arrays: dict[str, np.ndarray]) -> list:
    parts = []
    for layer in value:
        kind = type(layer).__name__
        rate = {"p": layer.p} if kind == "Dropout" else {}
        parts.append([kind, _plain(rate | dict(layer.state_dict()), arrays)])
    return parts


def _is_torch(value: object, kind: str) -> bool:
    return type(value).__module__.partition(".")[0] == "torch" and type(value).__name__ == kind


_KINDS: list[tuple[str, Callable[[object], bool], Callable]] = [
    ("tuple", lambda v: type(v) is tuple, lambda v, a: [_plain(part, a) for part in v]),
    (
        "dict",
        lambda v: type(v).__name__ in ("dict", "OrderedDict"),
        lambda v, a: [[_plain(k, a), _plain(part, a)] for k, part in v.items()],
    ),
    ("text", lambda v: isinstance(v, np.str_), lambda v, a: str(v)),
    (
        "scalar",
        lambda v: isinstance(v, np.generic) and v.dtype.kind in NUMBERS,
        lambda v, a: [v.dtype.name, v.item()],
    ),
    ("array", lambda v: type(v) is np.ndarray and v.dtype.kind in NUMBERS, _array),
    (
        "tensor",
        lambda v: _is_torch(v, "Tensor"),
        lambda v, a: _array(v.detach().cpu().contiguous().numpy(), a),
    ),
    ("index", lambda v: isinstance(v, pd.Index), _index),
    ("frame", lambda v: type(v) is pd.DataFrame, _frame),
    ("layers", lambda v: _is_torch(v, "Sequential"), _layers),
]


# And back.


def _built(plain: object, arrays: dict[str, np.ndarray]) -> object:
    if isinstance(plain, list):
        return [_built(part, arrays) for part in plain]
    if not isinstance(plain, dict):
        return plain
    ((kind, content),) = plain.items()
    if kind in _BUILDERS:
        return _BUILDERS[kind](content, arrays)
    if _class(kind) is None:
        raise ValueError(f"{kind!r}, which is none of the classes that are saved")
    value = object.__new__(_class(kind))
    vars(value).update({name: _built(part, arrays) for name, part in content.items()})
    if kind == "sklearn SVR" and hasattr(value, "support_vectors_"):
        _check_machine(value)
    if hasattr(value, "cell") and hasattr(value, "weights_"):
        _check_network(value)
    if kind in ("AE", "VAE") and hasattr(value, "weights_"):
        _check_autoencoder(value)
    return value


def _check_machine(machine: object) -> None:
    """Raise unless the arrays that libsvm's C code reads are as long as it takes them to be."""
    count = machine.support_vectors_.shape[0]
    shapes = [machine._dual_coef_.shape, machine.support_.shape, machine.shape_fit_[1:]]
    if shapes != [(1, count), (count,), machine.support_vectors_.shape[1:]]:
        raise ValueError(f"a support vector machine of shapes that disagree: {shapes}")
    names = ("_n_support", "_intercept_", "_probA", "_probB")
    lengths = [getattr(machine, name).shape for name in names]
    if lengths != [(2,), (1,), (0,), (0,)]:
        raise ValueError(f"a support vector machine of shapes that disagree: {lengths}")
    settings = [machine._impl, int(machine._n_support[0]), machine._sparse]
    if settings != ["epsilon_svr", count, False]:
        raise ValueError(f"a support vector machine of another kind: {settings}")
    kinds = [machine._dual_coef_.dtype, machine.support_vectors_.dtype, machine.support_.dtype]
    kinds += [machine._n_support.dtype, machine._intercept_.dtype]
    if kinds != [np.float64, np.float64, np.int32, np.int32, np.float64] or machine.kernel != "rbf":
        raise ValueError(f"a support vector machine of other numbers or another kernel: {kinds}")


def _check_network(model: object) -> None:
    """Raise unless weights are as large as the settings say: these ask for memory."""
    recurrent = [w.shape for name, w in model.weights_.items() if name.endswith(".U")]
    ways = len(recurrent) // len(model.hidden)
    units = [count // ways for count in model.hidden for _ in range(ways)]
    first = next(w for k, w in model.weights_.items() if k.startswith("layers.0"))
    counts = {len(weight) for weight in model.weights_.values()}
    empty = min(math.prod(shape) for shape in recurrent) == 0
    if [shape[1] for shape in recurrent] != units or len(counts) != 1 or empty:
        raise ValueError(f"weights of shapes {recurrent} for layers of {model.hidden}")
    inputs = getattr(model, "latent", len(model.columns_))
    if first.shape[1] != inputs:
        raise ValueError(f"weights for {first.shape[1]} inputs where there are {inputs}")


def _check_autoencoder(model: object) -> None:
    """Raise unless weights are as large as the settings say: these ask for memory."""
    shapes = [tuple(model.weights_[f"{side}.0.weight"].shape) for side in ("encoder", "decoder")]
    wanted = [(model.hidden, len(model.columns_)), (model.hidden, model.latent)]
    if shapes != wanted or min(map(math.prod, shapes)) == 0:
        raise ValueError(f"weights of shapes {shapes} where there are {wanted}")


def _as_array(content: list[str], arrays: dict[str, np.ndarray]) -> np.ndarray:
    name, order = content
    return np.array(arrays[name], order={"C": "C", "F": "F"}[order])


def _as_scalar(content: list, arrays: dict[str, np.ndarray]) -> np.generic:
    kind = np.dtype(content[0])
    if kind.kind not in NUMBERS:
        raise ValueError(f"{content[0]!r}, which is no kind of number")
    return kind.type(content[1])


def _as_tensor(content: list[str], arrays: dict[str, np.ndarray]) -> object:
    import torch

    weights = _as_array(content, arrays)
    if weights.dtype.kind == "f" and not np.isfinite(weights).all():
        raise ValueError("weights that are not finite")
    return torch.from_numpy(weights)


def _as_index(content: list, arrays: dict[str, np.ndarray]) -> pd.Index:
    several, names, rows = content
    rows = _built(rows, arrays)
    if several:
        return pd.MultiIndex.from_tuples(rows, names=names)
    return pd.Index(rows, name=names[0])


def _as_frame(content: list, arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    index, columns, cells = (_built(part, arrays) for part in content)
    return pd.DataFrame(dict(enumerate(cells)), index).set_axis(columns, axis=1)


def _as_layers(content: list, arrays: dict[str, np.ndarray]) -> nn.Sequential:
    from torch import nn

    layers = []
    for kind, state in content:
        state = _built(state, arrays)
        if kind == "Linear":
            layer = nn.Linear(*reversed(state["weight"].shape), device="meta")
            layer.load_state_dict(state, assign=True)
        else:
            layer = {"Dropout": nn.Dropout, "ReLU": nn.ReLU}[kind](**state)
        layers.append(layer)
    return nn.Sequential(*layers)


_BUILDERS: dict[str, Callable] = {
    "tuple": lambda content, arrays: tuple(_built(content, arrays)),
    "dict": lambda content, arrays: {_built(k, arrays): _built(v, arrays) for k, v in content},
    "text": lambda content, arrays: str(content),
    "scalar": _as_scalar,
    "array": _as_array,
    "tensor": _as_tensor,
    "index": _as_index,
    "frame": _as_frame,
    "layers": _as_layers,
}

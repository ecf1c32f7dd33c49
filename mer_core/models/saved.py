"""Fitted models as files: numbers and settings in a safetensors file; no code, no pickle."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import warnings
from collections.abc import Callable
from dataclasses import is_dataclass
from importlib import import_module
from importlib.metadata import version

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from mer_core import models
from mer_core.files import DataError, DataWarning, written_atomically

FORMAT = "mer_core model 3"
HEAD = "mer_core"
NUMBERS = "biuf"
PARTS = """
sklearn.compose.TransformedTargetRegressor sklearn.decomposition.KernelPCA sklearn.decomposition.PCA
sklearn.dummy.DummyRegressor sklearn.feature_selection.VarianceThreshold sklearn.pipeline.Pipeline
sklearn.linear_model.LinearRegression sklearn.linear_model.Ridge sklearn.svm.SVR
sklearn.multioutput.MultiOutputRegressor sklearn.neural_network.MLPRegressor
sklearn.preprocessing.KernelCenterer sklearn.preprocessing.QuantileTransformer
sklearn.preprocessing.StandardScaler
"""
"""Estimators that a file may contain, besides the classes of `mer_core.models`."""
TRAINING_ONLY = {"_optimizer", "_random_state"}


def save(model: object, path: str | os.PathLike) -> None:
    """Write a fitted model; the file appears complete or not at all.

    Parameters
    ----------
    model : regressor
        A fitted instance of a class that :mod:`mer_core.models` exports. Its state is its settings
        and the attributes whose names end in `_`.
    path : path
        Usually with the suffix `.safetensors`; a missing folder is created.

    Raises
    ------
    ValueError
        If the model is of another class or not fitted, or its state is not of numbers, text,
        lists, dicts, arrays, tables, models and the estimators of `PARTS`.

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
    from safetensors.numpy import save as to_bytes

    name = _name(type(model))
    if name not in models.__all__:
        raise ValueError(f"model: expected a model of mer_core.models, found {name}")
    if not any(key.endswith("_") for key in vars(model)):
        raise ValueError(f"{name}: expected a fitted model, found none: call fit")
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_encode(model, arrays))
    _decode(json.loads(text), arrays)  # a file that `load` would refuse is not written
    head = {"format": FORMAT, "scikit-learn": version("scikit-learn"), "model": text}
    head["sha256"] = _digest(text, arrays)
    content = to_bytes(arrays, {HEAD: json.dumps(head)})  # several entries have no fixed order
    with written_atomically(path) as part:
        part.write_bytes(content)


def load(path: str | os.PathLike) -> object:
    """Read a model that :func:`save` wrote; its predictions are the same bit for bit.

    Nothing in a file is executed: it holds numbers, text and names of known classes.

    Raises
    ------
    DataError
        If the file is missing, damaged, not a saved model, or of another format.

    Warns
    -----
    DataWarning
        If it was saved with another version of scikit-learn.
    """
    try:
        head, arrays = _content(path)
        model, saved = _decode(json.loads(head["model"]), arrays), str(head["scikit-learn"])
        if _name(type(model)) not in models.__all__:
            raise ValueError(f"{_name(type(model))}, which is no regressor")
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(path, "a saved model", "no file") from None
    except Exception as error:  # a file made by hand may be wrong in any way
        found = f"another file ({type(error).__name__}: {error})"
        raise DataError(path, "a model that mer_core.models.save wrote", found) from None
    here = version("scikit-learn")
    if saved.split(".")[:2] != here.split(".")[:2]:
        versions = f"saved with scikit-learn {saved}, read with {here}"
        warnings.warn(f"{path}: {versions}: predictions may differ", DataWarning, stacklevel=2)
    return model


def _content(path: str | os.PathLike) -> tuple[dict, dict[str, np.ndarray]]:
    """Head and arrays of an undamaged file of this format."""
    from safetensors import safe_open

    with safe_open(os.fspath(path), framework="numpy") as file:
        arrays = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
        head = json.loads((file.metadata() or {}).get(HEAD, '{"format": "another program"}'))
    if head["format"] != FORMAT:
        expected = f"the format {FORMAT!r} (save older models again with this version)"
        raise DataError(path, expected, repr(head["format"]))
    if head["sha256"] != _digest(head["model"], arrays):
        raise DataError(path, "an undamaged model file", "other content than was saved")
    return head, arrays


def _digest(text: str, arrays: dict[str, np.ndarray]) -> str:
    whole = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        whole.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return whole.hexdigest()


def _name(kind: type) -> str:
    """How a class is called in files: an exported model by its name, others by module and name."""
    if kind.__name__ in models.__all__ and getattr(models, kind.__name__) is kind:
        return kind.__name__
    public = [part for part in kind.__module__.split(".") if not part.startswith("_")]
    return ".".join([*public, kind.__qualname__])


def _class(name: str) -> type:
    """The class of a name in a file: one of `PARTS`, or a dataclass or estimator of the models."""
    module, _, attribute = name.rpartition(".")
    if name in (*models.__all__, *PARTS.split()) or name.startswith("mer_core.models."):
        kind = getattr(import_module(module or "mer_core.models"), attribute, None)
        data = isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, BaseEstimator))
        if data and _name(kind) == name:
            return kind
    raise ValueError(f"model: expected numbers, text, tables and known classes, found {name}")


def _encode(value: object, arrays: dict[str, np.ndarray]) -> object:
    """A value as JSON: numbers, text, lists as they are, others {kind: content}, arrays apart."""
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return str(value)
    if type(value) in (list, tuple):
        parts = [_encode(part, arrays) for part in value]
        return parts if type(value) is list else {"tuple": parts}
    if isinstance(value, dict):
        return {"dict": _encode([list(item) for item in value.items()], arrays)}
    if isinstance(value, pd.Index):
        kind = "multiindex" if isinstance(value, pd.MultiIndex) else "index"
        return {kind: _encode([value.tolist(), *value.names], arrays)}
    if isinstance(value, pd.DataFrame):
        numbers = value.dtypes.nunique() == 1 and value.dtypes.iloc[0].kind in NUMBERS
        cells = value.to_numpy() if numbers else value.to_numpy(object).tolist()
        return {"frame": _encode([cells, value.index, value.columns], arrays)}
    if hasattr(value, "detach") or isinstance(value, (np.ndarray, np.generic)):
        return {"array": _set_aside(value, arrays)}
    _class(_name(type(value)))
    state = {k: v for k, v in sorted(vars(value).items()) if k not in TRAINING_ONLY}
    return {_name(type(value)): {k: _encode(v, arrays) for k, v in state.items()}}


def _set_aside(value: object, arrays: dict[str, np.ndarray]) -> list[str]:
    """Add an array, tensor or scalar to the arrays of the file; gives its number and layout."""
    array, layout = value, "C"
    if hasattr(value, "detach"):
        array, layout = value.detach().cpu().numpy(), "tensor"
    elif isinstance(value, np.generic):
        array, layout = np.asarray(value), "scalar"
    elif value.flags.f_contiguous and not value.flags.c_contiguous:
        layout = "F"  # libraries add in the order in which the numbers lie in memory
    if array.dtype.kind not in NUMBERS:
        raise ValueError(f"model: expected numbers in arrays, found {array.dtype}")
    name = str(len(arrays))
    arrays[name] = np.ascontiguousarray(array).reshape(array.shape)
    return [name, layout]


def _decode(plain: object, arrays: dict[str, np.ndarray]) -> object:
    if isinstance(plain, list):
        return [_decode(part, arrays) for part in plain]
    if not isinstance(plain, dict):
        return plain
    ((kind, content),) = plain.items()
    if kind == "array":
        return _take(*content, arrays)
    if kind in CONTAINERS:
        return CONTAINERS[kind](_decode(content, arrays))
    return _object(_class(kind), {name: _decode(part, arrays) for name, part in content.items()})


CONTAINERS: dict[str, Callable[[list], object]] = {
    "tuple": tuple,
    "dict": dict,
    "index": lambda parts: pd.Index(parts[0], name=parts[1]),
    "multiindex": lambda parts: pd.MultiIndex.from_tuples(parts[0], names=parts[1:]),
    "frame": lambda parts: pd.DataFrame(*parts, copy=False),
}


def _take(name: str, layout: str, arrays: dict[str, np.ndarray]) -> object:
    if layout == "scalar":
        return arrays[name][()]
    array = np.array(arrays[name], order="F" if layout == "F" else "C")
    if layout != "tensor":
        return array
    import torch

    if not np.isfinite(array).all():
        raise ValueError("weights that are not finite")
    return torch.from_numpy(array)


def _object(kind: type, state: dict[str, object]) -> object:
    """An object of a known class: settings by its constructor, then what it has learned."""
    settings = inspect.signature(kind).parameters
    learned = {key: value for key, value in state.items() if key not in settings}
    unknown = [key for key in learned if is_dataclass(kind) and not key.endswith("_")]
    if unknown:
        expected = "expected settings and attributes ending in _"
        raise ValueError(f"{kind.__name__}: {expected}, found {unknown}")
    value = kind(**{key: state[key] for key in state if key in settings})
    vars(value).update(learned)
    if hasattr(value, "support_vectors_"):
        _check_support_vectors(value)
    if isinstance(learned.get("weights_"), dict):
        _check_sizes(value)
    return value


def _check_support_vectors(machine: object) -> None:
    """Raise unless the arrays are as libsvm's C code expects them; it does not check."""
    count, inputs = machine.support_vectors_.shape
    shapes = {"support_vectors_": (count, inputs), "_dual_coef_": (1, count), "support_": (count,)}
    shapes |= {"_n_support": (2,), "_intercept_": (1,), "_probA": (0,), "_probB": (0,)}
    kinds = dict.fromkeys(shapes, "float64") | {"support_": "int32", "_n_support": "int32"}
    arrays = {name: getattr(machine, name) for name in shapes}
    found = [(array.shape, str(array.dtype)) for array in arrays.values()]
    settings = [machine._impl, machine.kernel, machine._sparse, *machine.shape_fit_[1:]]
    settings.append(int(machine._n_support[:1].sum()))
    expected = ["epsilon_svr", "rbf", False, inputs, count]
    if found != list(zip(shapes.values(), kinds.values())) or settings != expected:
        raise ValueError(f"a support vector machine of {settings}, {found}")


def _check_sizes(model: object) -> None:
    """Raise unless weights are as large as the settings say; these ask for memory."""
    weights = model.weights_
    if hasattr(model, "cell"):
        units = [weight.shape[1] for name, weight in weights.items() if name.endswith(".U")]
        first = next(weight for name, weight in weights.items() if name.startswith("layers.0"))
        found = [len({len(weight) for weight in weights.values()}), first.shape[1], *units]
        ways = len(units) // len(model.hidden)  # a bidirectional layer has two of half the units
        expected = [1, getattr(model, "latent", len(model.columns_))]
        expected += [count // ways for count in model.hidden for _ in range(ways)]
    else:
        found = [*weights["encoder.0.weight"].shape, *weights["decoder.0.weight"].shape]
        expected = [model.hidden, len(model.columns_), model.hidden, model.latent]
    if found != expected or 0 in found:
        raise ValueError(f"weights of sizes {found} for settings of sizes {expected}")

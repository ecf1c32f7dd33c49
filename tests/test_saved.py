"""Saved models: the same predictions after a round trip, and nothing run or believed on the way."""

from __future__ import annotations

import copy
import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save as packed
from sklearn.base import BaseEstimator

import test_autoencoder
import test_triplet
from conftest import ROOT
from mer_core import models
from mer_core.files import DataError, DataWarning
from mer_core.models import saved
from test_recurrent import songs

SHORT = {"epochs": 2}
ELMAN = {"hidden": (4,), **SHORT}
BLSTM = {"hidden": (4, 2), "pretrain_epochs": 1, **SHORT}
MODELS: dict[str, Callable[[], object]] = {
    "Constant": models.Constant,
    "Linear": models.Linear,
    "Linear, least squares": models.Linear.paper,
    "SVR": models.SVR,
    "ELM": lambda: models.ELM(units=5),
    "ElmanRNN": lambda: models.ElmanRNN(**ELMAN),
    "ElmanRNN, softmax": lambda: models.ElmanRNN(**ELMAN, output="softmax", clip=float("inf")),
    "LSTM": lambda: models.LSTM(hidden=(4, 3), pretrain="keep", pretrain_epochs=1, **SHORT),
    "BLSTM": lambda: models.BLSTM(**BLSTM, scale=7),
    "SecondNetwork": lambda: models.SecondNetwork(
        first=models.ElmanRNN(**ELMAN), second=models.ElmanRNN(**ELMAN), window=3
    ),
    "FoldEnsemble": lambda: models.FoldEnsemble(
        network=models.LSTM(hidden=(3,), **SHORT), trials=1, keep=2
    ),
    "MultiScaleBLSTM": lambda: models.MultiScaleBLSTM(
        network=models.BLSTM(**BLSTM), scales=(5, 10), partitions=2, held_out=3, trials=1
    ),
    **{
        f"Preprocessed, {by}": lambda by=by: models.Preprocessed(
            network=models.ElmanRNN(**ELMAN), by=by, components=3
        )
        for by in ("pca", "kernel pca", "denoising autoencoder")
    },
}
LATENT: dict[str, Callable[[], object]] = {
    "AELSTM": lambda: models.AELSTM(latent=3, steps=2, network=models.LSTM(hidden=(4,), **SHORT)),
    "VAELSTM": lambda: models.VAELSTM(latent=3, steps=2, network=models.LSTM(hidden=(4,), **SHORT)),
    "CNNLSTM": lambda: models.CNNLSTM(latent=3, **SHORT),
}


@pytest.fixture(scope="module")
def tracks() -> list[pd.DataFrame]:
    return list(songs((20,) * 12, columns=6))


@pytest.fixture
def linear(tracks) -> models.Linear:
    return models.Linear().fit(*tracks)


def assert_same_after_a_round_trip(model, features, path, monkeypatch):
    saved.save(model, path)
    with monkeypatch.context() as without:
        for name in ("load", "loads", "Unpickler"):
            without.delattr(pickle, name)
        again = saved.load(path)
    assert type(again) is type(model)
    pd.testing.assert_frame_equal(again.predict(features), model.predict(features), rtol=0, atol=0)
    saved.save(again, path.with_name("again"))
    assert path.with_name("again").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", MODELS)
def test_predictions_are_the_same_after_a_round_trip(tracks, tmp_path, name, monkeypatch):
    model = MODELS[name]().fit(*tracks)
    assert_same_after_a_round_trip(model, tracks[0], tmp_path / "m.safetensors", monkeypatch)


@pytest.mark.parametrize("joint", [False, True])
def test_triplet_networks_too(tmp_path, joint, monkeypatch):
    features, labels = test_triplet.songs()
    model = models.TripletNetwork(steps=3, joint=joint).fit(features, labels)
    assert_same_after_a_round_trip(model, features, tmp_path / "m.safetensors", monkeypatch)


@pytest.mark.parametrize("name", LATENT)
def test_latents_too(tmp_path, name, monkeypatch):
    features, labels = test_autoencoder.corpus()
    model = LATENT[name]().fit(features, labels)
    assert_same_after_a_round_trip(model, features, tmp_path / "m.safetensors", monkeypatch)


def test_every_regressor_can_be_saved():
    classes = {name for name in models.__all__ if isinstance(getattr(models, name), type)}
    assert {name.split(",")[0] for name in MODELS} | {"TripletNetwork", *LATENT} == classes


def test_a_model_needs_no_registration_but_the_packages(tracks, tmp_path, monkeypatch):
    own = type("Nearest", (models.Linear,), {})
    model = own().fit(*tracks)
    with pytest.raises(ValueError, match=r"expected one of .*, found Nearest"):
        saved.save(model, tmp_path / "m")
    monkeypatch.setattr(models, "__all__", [*models.__all__, "Nearest"])
    monkeypatch.setattr(models, "Nearest", own, raising=False)
    assert_same_after_a_round_trip(model, tracks[0], tmp_path / "m", monkeypatch)


@pytest.mark.parametrize("name", ["save", "load"])
def test_functions_of_the_package_are_no_models(linear, tmp_path, name):
    written(tmp_path / "m", {name: {}})
    with pytest.raises(DataError, match="none of the classes that are saved"):
        saved.load(tmp_path / "m")


def test_another_process_predicts_the_same_and_needs_no_torch_for_it(linear, tracks, tmp_path):
    saved.save(linear, tmp_path / "m.safetensors")
    tracks[0].to_parquet(tmp_path / "f.parquet")
    code = (
        "import sys, pandas as pd; from mer_core import models;"
        "model = models.load('m.safetensors'); assert 'torch' not in sys.modules;"
        "model.predict(pd.read_parquet('f.parquet')).to_parquet('p.parquet')"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    expected = linear.predict(tracks[0])
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "p.parquet"), expected)


def test_a_failed_save_leaves_the_old_file(linear, tmp_path, monkeypatch):
    saved.save(linear, tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    other = copy.copy(linear)
    other.odd_ = object()
    with pytest.raises(ValueError, match=r"numbers, text, tables and models .*, found object"):
        saved.save(other, tmp_path / "m")
    monkeypatch.setattr(Path, "write_bytes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saved.save(linear, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_what_cant_be_saved_is_told(tracks, tmp_path):
    with pytest.raises(ValueError, match=r"Linear: expected .*fitted.*, found none"):
        saved.save(models.Linear(), tmp_path / "m")
    with pytest.raises(
        ValueError, match=r"expected one of AELSTM, .*, Linear, .*, VAELSTM, found BaseEstimator"
    ):
        saved.save(BaseEstimator(), tmp_path / "m")
    own = type("Linear", (models.Linear,), {})().fit(*tracks)
    with pytest.raises(ValueError, match="expected one of"):
        saved.save(own, tmp_path / "m")
    assert not list(tmp_path.iterdir())


# What a stranger can give to load


def written(path: Path, plain: object, arrays: dict | None = None, **about: str) -> None:
    """A file of the right form, with any content."""
    text, arrays = json.dumps(plain), arrays or {"0": np.zeros(3)}
    head = {"format": saved.FORMAT, "model": text, "sha256": saved._digest(text, arrays)}
    head |= {"scikit-learn": saved.version("scikit-learn")} | about
    path.write_bytes(packed(arrays, {saved.HEAD: json.dumps(head)}))


def flipped(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def edited(path: Path, change: Callable[[dict, dict], None]) -> None:
    """Let a model file say something else, with the right hash for it."""
    about, arrays = saved._content(path)
    plain = json.loads(about["model"])
    change(plain, arrays)
    written(path, plain, arrays)


def many_units(plain: dict, arrays: dict) -> None:
    plain["ElmanRNN"]["hidden"] = {"tuple": [10**9]}


def many_hidden(plain: dict, arrays: dict) -> None:
    plain["AELSTM"]["encoder_"]["AE"]["hidden"] = 10**9


def not_a_number(plain: dict, arrays: dict) -> None:
    place = next(iter(plain["ElmanRNN"]["weights_"]["dict"]))[1]["tensor"][0]
    arrays[place][...] = np.nan


def short_coefficients(plain: dict, arrays: dict) -> None:
    for name, array in arrays.items():
        if array.ndim == 2 and array.shape[0] == 1:
            arrays[name] = array[:, :1]


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "a saved model, found no file"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "a saved model"),
    "empty": (lambda path: path.write_bytes(b""), "a saved model .safetensors."),
    "text": (lambda path: path.write_text("weights " * 99), "a saved model .safetensors."),
    "a pickle": (
        lambda path: path.write_bytes(pickle.dumps(np.zeros(99))),
        "a saved model .safetensors.",
    ),
    "cut": (
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        "a saved model .safetensors.",
    ),
    "a header that announces too much": (
        lambda path: path.write_bytes(struct.pack("<Q", 2**60) + path.read_bytes()[8:]),
        "a saved model .safetensors.",
    ),
    "another program's": (
        lambda path: path.write_bytes(packed({"w": np.zeros(3)})),
        "a model file of .*, found one of 'another program'",
    ),
    "another program's, of the same name": (
        lambda path: path.write_bytes(packed({"w": np.zeros(3)}, {saved.HEAD: "[7"})),
        "a saved model .safetensors.",
    ),
    "a list for a head": (
        lambda path: path.write_bytes(packed({"w": np.zeros(3)}, {saved.HEAD: "[7]"})),
        "found one of 'another program'",
    ),
    "an entry too many": (lambda path: written(path, 1, more="x"), "the entries"),
    "of a later format": (
        lambda path: written(path, 1, format="mer_core model 9"),
        "found one of 'mer_core model 9'",
    ),
    "a bit of a number turned": (lambda path: flipped(path, -1), "damaged"),
    "settings changed": (lambda path: written(path, 1, model="2"), "damaged"),
    "a class that isn't on the list": (
        lambda path: written(path, {"subprocess.Popen": {"args": "true"}}),
        "none of the classes that are saved",
    ),
    "a part alone": (lambda path: written(path, {"Ridge": {}}), "no regressor"),
    "a number alone": (lambda path: written(path, 7), "no regressor"),
    "a list that refers to itself too deep": (
        lambda path: written(
            path, 1, model="[" * 99_999, sha256=saved._digest("[" * 99_999, {"0": np.zeros(3)})
        ),
        "can't be built: RecursionError",
    ),
    "no such array": (
        lambda path: written(path, {"Linear": {"columns_": {"array": ["9", "C"]}}}),
        "can't be built: KeyError",
    ),
    "objects for numbers": (
        lambda path: written(path, {"Linear": {"x_": {"scalar": ["object", 1]}}}),
        "no kind of number",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_model_files_are_named(linear, tmp_path, name):
    path = tmp_path / "m.safetensors"
    saved.save(linear, path)
    spoil, message = BAD[name]
    spoil(path)
    with pytest.raises(DataError, match=f"m.safetensors: expected .*{message}"):
        saved.load(path)


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        ("SVR", short_coefficients, "a support vector machine of shapes that disagree"),
        ("ElmanRNN", many_units, "weights of shapes .* for layers of"),
        ("ElmanRNN", not_a_number, "weights that are not finite"),
        ("AELSTM", many_hidden, "weights of shapes .* where there are"),
        (
            "ElmanRNN",
            lambda plain, _: plain["ElmanRNN"]["columns_"].append("f9"),
            "weights for 6 inputs where there are 7",
        ),
        (
            "SVR",
            lambda _, arrays: arrays.update(
                {k: v.astype("int64") for k, v in arrays.items() if v.dtype == "int32"}
            ),
            "a support vector machine of other numbers",
        ),
    ],
)
def test_settings_that_disagree_with_the_numbers_are_refused(
    tracks, tmp_path, model, change, message
):
    known = test_autoencoder.corpus() if model in LATENT else tracks
    saved.save((MODELS | LATENT)[model]().fit(*known), tmp_path / "m")
    edited(tmp_path / "m", change)
    with pytest.raises(DataError, match=message):
        saved.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_impl", "c_svc"),
        ("_n_support", [2**30, -(2**30)]),
        ("_n_support", [3, *[0] * 999]),
        ("_n_support", []),
        ("_intercept_", []),
        ("_probA", [0.5]),
        ("_probB", [0.5]),
    ],
)
def test_what_libsvm_reads_in_c_is_checked_first(tracks, tmp_path, name, value):
    saved.save(models.SVR().fit(*tracks), tmp_path / "m")

    def change(plain: dict, arrays: dict) -> None:
        for machine in machines(plain):
            if isinstance(value, str):
                machine[name] = value
            else:
                place = machine[name]["array"][0]
                arrays[place] = np.array(value, arrays[place].dtype)

    edited(tmp_path / "m", change)
    with pytest.raises(DataError, match="a support vector machine of"):
        saved.load(tmp_path / "m")


def machines(plain: object) -> list[dict]:
    """The fitted support vector machines in what a model file says."""
    inside = plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else []
    own = [plain["sklearn SVR"]] if isinstance(plain, dict) and "sklearn SVR" in plain else []
    found = [one for one in own if "_n_support" in one]
    return found + [one for part in inside for one in machines(part)]


def test_another_version_of_the_library_is_told(linear, tmp_path, monkeypatch):
    saved.save(linear, tmp_path / "m")
    monkeypatch.setattr(saved, "version", lambda _: "0.1.7")
    with pytest.warns(DataWarning, match="m: saved under scikit-learn .*, read under 0.1.7"):
        saved.load(tmp_path / "m")

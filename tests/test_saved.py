"""Saved models predict the same after a round trip; damaged and hostile files are refused."""

from __future__ import annotations

import copy
import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save as packed
from scipy.spatial.distance import cdist
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
    "DelayedLinear": lambda: models.DelayedLinear(delays=(0, 2), windows=(1, 3)),
    "DelayedLinear, ranks": lambda: models.DelayedLinear(delays=(2,), windows=(1,), ranks=True),
    "Delayed": lambda: models.Delayed(network=models.ElmanRNN(**ELMAN)),
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
LATENT = {k: lambda model=model: replace(model) for k, model in test_autoencoder.LATENT.items()}
TRIPLETS: dict[str, Callable[[], object]] = {
    "TripletNetwork": lambda: models.TripletNetwork(steps=3),
    "TripletNetwork, joint": lambda: models.TripletNetwork(steps=3, joint=True),
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


@pytest.mark.parametrize("name", [*MODELS, *LATENT, *TRIPLETS])
def test_predictions_are_the_same_after_a_round_trip(tracks, tmp_path, name, monkeypatch):
    known = test_autoencoder.corpus() if name in LATENT else tracks
    known = test_triplet.songs() if name in TRIPLETS else known
    model = (MODELS | LATENT | TRIPLETS)[name]().fit(*known)
    assert_same_after_a_round_trip(model, known[0], tmp_path / "m.safetensors", monkeypatch)


def test_every_regressor_can_be_saved():
    classes = {name for name in models.__all__ if isinstance(getattr(models, name), type)}
    tested = {name.split(",")[0] for name in MODELS | LATENT | TRIPLETS}
    assert tested | {"WindowedRidge"} == classes  # that one is in test_pretrained.py


@dataclass(kw_only=True)
class Near:
    """A model with tables, an index and a part of its own as its state."""

    k: int = 2

    def fit(self, features: pd.DataFrame, labels: pd.DataFrame) -> Near:
        self.features_ = features.loc[labels.index].astype("float32")
        self.labels_, self.songs_ = labels.assign(title="x"), labels.index.unique("song_id")
        self.linear_ = {("a", 1): models.Linear().fit(features, labels)}
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        apart = cdist(features.to_numpy(), self.features_.to_numpy()).argsort()[:, : self.k]
        values = self.labels_[["valence", "arousal"]].to_numpy()[apart].mean(1)
        linear = self.linear_["a", 1].predict(features).loc[self.songs_]
        return linear + values


def test_a_model_needs_no_registration_but_the_packages(tracks, tmp_path, monkeypatch):
    model = Near().fit(*tracks)
    with pytest.raises(ValueError, match=r"expected a model of mer_core.models, found .*Near"):
        saved.save(model, tmp_path / "m")
    monkeypatch.setattr(models, "__all__", [*models.__all__, "Near"])
    monkeypatch.setattr(models, "Near", Near, raising=False)
    assert_same_after_a_round_trip(model, tracks[0], tmp_path / "m", monkeypatch)
    again = saved.load(tmp_path / "m")
    for name in ("features_", "labels_"):
        pd.testing.assert_frame_equal(vars(again)[name], vars(model)[name])
    pd.testing.assert_index_equal(again.songs_, model.songs_)
    model.lost = 1
    with pytest.raises(ValueError, match=r"Near: expected settings and attributes ending in _"):
        saved.save(model, tmp_path / "m")


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
    found, expected = pd.read_parquet(tmp_path / "p.parquet"), linear.predict(tracks[0])
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_a_failed_save_leaves_the_old_file(linear, tmp_path, monkeypatch):
    saved.save(linear, tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    other = copy.copy(linear)
    other.odd_ = object()
    with pytest.raises(ValueError, match=r"numbers, text, .* found builtins.object"):
        saved.save(other, tmp_path / "m")
    monkeypatch.setattr(Path, "write_bytes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saved.save(linear, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_unfitted_and_foreign_models_are_refused(tracks, tmp_path):
    with pytest.raises(ValueError, match=r"Linear: expected .*fitted.*, found none"):
        saved.save(models.Linear(), tmp_path / "m")
    own = type("Linear", (models.Linear,), {})().fit(*tracks)
    for foreign in (BaseEstimator(), own):
        with pytest.raises(ValueError, match=r"expected a model of mer_core.models, found"):
            saved.save(foreign, tmp_path / "m")
    assert not list(tmp_path.iterdir())


# Damaged and hostile files


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


def content(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def head(text: str) -> Callable[[Path], object]:
    """A safetensors file with an entry of our name."""
    return content(packed({"w": np.zeros(3)}, {saved.HEAD: text}))


def holding_model(path: Path, model: object) -> None:
    """A file that `save` would not write."""
    arrays: dict[str, np.ndarray] = {}
    written(path, saved._encode(model, arrays), arrays)


def holding(plain: object, **about: str) -> Callable[[Path], object]:
    return lambda path: written(path, plain, **about)


DEEP = "[" * 99_999
OTHER = "a model that mer_core.models.save wrote, found another file "
FOREIGN, UNKNOWN = OTHER + ".SafetensorError", OTHER + ".*known classes, found "
AGAIN = "'mer_core model 3' .save older models again with this version., found "
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "a saved model, found no file"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), OTHER),
    "empty": (content(b""), FOREIGN),
    "text": (content(b"weights " * 99), FOREIGN),
    "a pickle": (content(pickle.dumps(np.zeros(99))), FOREIGN),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-20]), FOREIGN),
    "a header that announces too much": (
        lambda path: path.write_bytes(struct.pack("<Q", 2**60) + path.read_bytes()[8:]),
        FOREIGN,
    ),
    "another program's": (content(packed({"w": np.zeros(3)})), "found 'another program'"),
    "another program's, of the same name": (head("[7"), OTHER + ".JSONDecodeError"),
    "a list for a head": (head("[7]"), OTHER + ".TypeError"),
    "a head without a digest": (head(json.dumps({"format": saved.FORMAT})), OTHER + ".*'sha256'"),
    "of an older format": (holding(1, format="mer_core model 2"), AGAIN + "'mer_core model 2'"),
    "of a later format": (holding(1, format="mer_core model 9"), AGAIN + "'mer_core model 9'"),
    "a flipped bit of a number": (lambda path: flipped(path, -1), "undamaged"),
    "changed settings": (holding(1, model="2"), "undamaged"),
    "a class that isn't on the list": (holding({"subprocess.Popen": {}}), UNKNOWN),
    "a class under another name": (holding({"mer_core.models.saved.BaseEstimator": {}}), UNKNOWN),
    "a function for a class": (holding({"load": {}}), UNKNOWN + "load"),
    "unknown settings": (holding({"Linear": {"rigde": 1.0}}), "ending in _, found .'rigde'"),
    "settings out of range": (holding({"ElmanRNN": {"output": "tanh"}}), "found 'tanh'"),
    "a part alone": (holding({"sklearn.linear_model.Ridge": {}}), "Ridge, which is no regressor"),
    "a number alone": (holding(7), "no regressor"),
    "a list that refers to itself too deep": (
        holding(1, model=DEEP, sha256=saved._digest(DEEP, {"0": np.zeros(3)})),
        OTHER + ".RecursionError",
    ),
    "no such array": (holding({"Linear": {"columns_": {"array": ["9", "C"]}}}), OTHER + ".Key"),
    "two kinds in one": (holding({"Linear": {}, "Constant": {}}), OTHER + ".ValueError"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_model_files_are_named(linear, tmp_path, name):
    path = tmp_path / "m.safetensors"
    saved.save(linear, path)
    spoil, message = BAD[name]
    spoil(path)
    with pytest.raises(DataError, match=f"m.safetensors: expected .*{message}"):
        saved.load(path)


SIZES = "weights of sizes .* for settings of sizes"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("ElmanRNN", lambda model: setattr(model, "hidden", (10**9,)), SIZES),
        ("ElmanRNN", lambda model: model.columns_.append("f9"), SIZES),
        ("BLSTM", lambda model: setattr(model, "hidden", (4, 2, 2)), SIZES),
        ("CNNLSTM", lambda model: setattr(model, "latent", 10**9), SIZES),
        ("AELSTM", lambda model: setattr(model.encoder_, "hidden", 10**9), SIZES),
        ("ElmanRNN", lambda model: model.weights_["V"].fill_(np.nan), "that are not finite"),
    ],
)
def test_settings_that_disagree_with_numbers_are_refused(tracks, tmp_path, name, change, message):
    known = test_autoencoder.corpus() if name in LATENT else tracks
    model = (MODELS | LATENT)[name]().fit(*known)
    change(model)
    with pytest.raises(ValueError, match=message):
        saved.save(model, tmp_path / "m")
    holding_model(tmp_path / "m", model)
    with pytest.raises(DataError, match=message):
        saved.load(tmp_path / "m")


def test_a_triplet_network_of_other_sizes_allocates_nothing(tmp_path):
    features, labels = test_triplet.songs()
    model = models.TripletNetwork(steps=1).fit(features, labels)
    model.dimensions = 10**12
    holding_model(tmp_path / "m", model)
    with pytest.raises(RuntimeError, match="size mismatch"):
        saved.load(tmp_path / "m").predict(features)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_impl", "c_svc"),
        ("kernel", "linear"),
        ("_n_support", np.array([2**30, -(2**30)], "i4")),
        ("_n_support", np.array([3, *[0] * 999], "i4")),
        ("_n_support", np.empty(0, "i4")),
        ("_n_support", lambda old: old.astype("i8")),
        ("support_", lambda old: old.astype("i8")),
        ("_dual_coef_", lambda old: old[:, :1]),
        ("_intercept_", np.empty(0)),
        ("_probA", np.array([0.5])),
        ("_probB", np.array([0.5])),
    ],
)
def test_what_libsvm_reads_in_c_is_checked_first(tracks, tmp_path, name, value):
    model = models.SVR().fit(*tracks)
    machine = model.fitted_[-1].estimators_[1].regressor_
    setattr(machine, name, value(getattr(machine, name)) if callable(value) else value)
    holding_model(tmp_path / "m", model)
    with pytest.raises(DataError, match="a support vector machine of"):
        saved.load(tmp_path / "m")


def test_another_version_of_the_library_is_a_warning(linear, tmp_path, monkeypatch):
    saved.save(linear, tmp_path / "m")
    monkeypatch.setattr(saved, "version", lambda _: "0.1.7")
    with pytest.warns(DataWarning, match="m: saved with scikit-learn .*, read with 0.1.7"):
        saved.load(tmp_path / "m")

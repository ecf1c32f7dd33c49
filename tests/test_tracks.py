"""Every public function, given every kind of frame or array: the plain result or a clear error."""

import copy
import tempfile
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from mer_core import Corpus, agreement, evaluation, features, metrics, models, retrieval
from mer_core.corpus import SONG_COLUMNS
from mer_core.features import audio
from mer_core.features.batch import save
from mer_core.files import DataError
from mer_core.models import FoldEnsemble, Preprocessed, SecondNetwork
from mer_core.models.autoencoder import AE
from mer_core.models.triplet import mine, triplet_loss
from mer_core.models.tsinghua import supervector
from mer_core.smoothing import moving_average
from mer_core.tracks import as_array, as_table, as_track, floats, stretches
from workbook import valence
from workbook.lesson import check_answer
from workbook.widgets import Player

SONGS = [*range(1, 12), 21, 22]
FRAMES = 8
ELMAN = models.ElmanRNN(epochs=1, hidden=(2,))
LSTM = models.LSTM(epochs=1, hidden=(2,))
PRETRAINED = models.LSTM(epochs=1, hidden=(2,), pretrain="keep", pretrain_epochs=1)
BLSTM = models.BLSTM(epochs=1, hidden=(2,), scale=4, pretrain_epochs=1)
SMALL = models.BLSTM(epochs=1, hidden=(2,), pretrain_epochs=0)
SIZES = {"scales": (2, 4), "partitions": 2, "held_out": 2, "trials": 1, "window": 3}
MULTISCALE = models.MultiScaleBLSTM(network=SMALL, **SIZES)


def plain_track(*, songs: list[int] = SONGS, seed: int = 0) -> pd.DataFrame:
    """Two columns of hundredths in [-1, 1], exact in every decimal type."""
    times = 0.5 * np.arange(FRAMES)
    index = pd.MultiIndex.from_product([songs, times], names=["song_id", "time"])
    values = np.random.default_rng(seed).integers(-99, 100, (len(index), 2)) / 100
    return pd.DataFrame(values, index, ["valence", "arousal"])


def plain_features() -> pd.DataFrame:
    return plain_track(seed=1).set_axis(["tempo", "roughness"], axis=1)


def songs_of(track: pd.DataFrame) -> pd.DataFrame:
    """The first moment of each song, as a table."""
    return track.xs(0.0, level="time")


def mel_of(track: pd.DataFrame) -> pd.DataFrame:
    """As many mel columns as a patch has, from the columns of a track in turn."""
    names = [f"mel_{k // 16}_{k % 16}" for k in range(1024)]
    return track.iloc[:, [k % track.shape[1] for k in range(1024)]].set_axis(names, axis=1)


# How the same numbers can be given: the result must be that of float64, or a clear error.


def level(frame: pd.DataFrame, name: str, change: Callable) -> pd.DataFrame:
    """With the values of one index level changed."""
    values = {k: frame.index.get_level_values(k) for k in frame.index.names}
    values[name] = change(values[name])
    return frame.set_axis(pd.MultiIndex.from_arrays([*values.values()], names=[*values]))


SAME: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "Float64": lambda f: f.astype("Float64"),
    "one column of Float64": lambda f: f.assign(**{f.columns[0]: f.iloc[:, 0].astype("Float64")}),
    "Arrow doubles": lambda f: f.astype("double[pyarrow]"),
    "Arrow decimals": lambda f: f.astype(pd.ArrowDtype(pa.decimal128(9, 2))),
    "objects": lambda f: f.astype(object),
    "Decimal": lambda f: f.map(lambda v: Decimal(f"{v:.2f}")).astype(object),
    "Fraction": lambda f: f.map(lambda v: Fraction(round(100 * v), 100)).astype(object),
    "long double": lambda f: f.astype(np.longdouble),
    "sparse": lambda f: f.astype(pd.SparseDtype(float, 0.0)),
    "categories": lambda f: f.astype("category"),
    "columns in Fortran order": lambda f: pd.DataFrame(
        np.asfortranarray(f.to_numpy()), f.index, f.columns
    ),
    "blocks for every column": lambda f: pd.concat([f[[name]] for name in f], axis=1),
    "columns as categories": lambda f: f.set_axis(pd.CategoricalIndex(f.columns), axis=1),
    "unsorted rows": lambda f: f.sample(frac=1, random_state=0),
    "songs backwards": lambda f: f.sort_index(ascending=[False, True]),
    "side by side": lambda f: f.sort_index(level="time", sort_remaining=False),
    "song_id as Int64": lambda f: level(f, "song_id", lambda v: v.astype("Int64")),
    "song_id as categories": lambda f: level(f, "song_id", pd.CategoricalIndex),
    "time as Float64": lambda f: level(f, "time", lambda v: v.astype("Float64")),
    "time as Arrow": lambda f: level(f, "time", lambda v: v.astype("double[pyarrow]")),
    "unused songs in the index": lambda f: pd.concat([f, plain_track(songs=[99])])[f.columns].iloc[
        : len(f)
    ],
}

ALWAYS = ["Float64", "Arrow doubles", "Arrow decimals", "objects", "Decimal", "songs backwards"]
"""What every function has to accept; a corpus has to be sorted."""
QUICK = ["Float64", "Decimal", "songs backwards", "side by side", "song_id as categories"]
"""For networks, which take long to train."""

# What is none of it: always a clear error.


def with_value(value: object, kind: object = object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype(kind)
        frame.iloc[3, 0] = value
        return frame

    return change


WRONG: dict[str, Callable[[pd.DataFrame], object]] = {
    "NaN": with_value(np.nan, float),
    "infinity": with_value(np.inf, float),
    "None": with_value(None),
    "pd.NA": with_value(pd.NA),
    "pd.NaT": with_value(pd.NaT),
    "Float64 with NA": with_value(pd.NA, "Float64"),
    "Int64 with NA": lambda f: with_value(pd.NA, "Int64")((100 * f).round()),
    "Arrow with null": with_value(pd.NA, "double[pyarrow]"),
    "Decimal NaN": with_value(Decimal("NaN")),
    "a masked value": with_value(np.ma.masked),
    "a list in a cell": lambda f: with_value(None)(f).map(lambda v: [v]),
    "a whole number of 400 digits": with_value(10**400),
    "complex": lambda f: f.astype(complex) + 1j,
    "bool": lambda f: f > 0,
    "boolean with NA": lambda f: with_value(pd.NA, "boolean")(f > 0),
    "text": lambda f: f.astype(str),
    "text of objects": lambda f: f.astype(str).astype(object),
    "Arrow text": lambda f: f.astype(str).astype("string[pyarrow]"),
    "dates": lambda f: f.apply(lambda c: pd.to_datetime(c, unit="s")),
    "time differences": lambda f: f.apply(lambda c: pd.to_timedelta(c, unit="s")),
    "a column twice": lambda f: pd.concat([f, f.iloc[:, [0]]], axis=1),
    "no rows": lambda f: f.iloc[:0],
    "no columns": lambda f: f.iloc[:, :0],
    "an empty frame": lambda f: pd.DataFrame(),
    "a Series": lambda f: f.iloc[:, 0],
    "an array": lambda f: f.to_numpy(),
    "a list": lambda f: f.to_numpy().tolist(),
    "nothing": lambda f: None,
    "text alone": lambda f: "valence",
    "rows twice": lambda f: pd.concat([f, f]),
    "one row twice": lambda f: pd.concat([f, f.iloc[[5]]]),
    "one song's curve": lambda f: f.loc[1],
    "no index": lambda f: f.reset_index(drop=True),
    "index as columns": lambda f: f.reset_index(),
    "levels turned": lambda f: f.swaplevel(),
    "levels without names": lambda f: f.rename_axis([None, None]),
    "another level": lambda f: pd.concat({"a": f}, names=["rater"]),
    "time as Timedelta": lambda f: level(f, "time", lambda v: pd.to_timedelta(v, unit="s")),
    "time as text": lambda f: level(f, "time", lambda v: v.astype(str)),
    "time as True": lambda f: level(f, "time", lambda v: v > 0).iloc[::FRAMES],
    "time missing": lambda f: level(f, "time", lambda v: v.where(v != 1.0)),
    "time infinite": lambda f: level(f, "time", lambda v: v.where(v != 1.0, np.inf)),
    "song_id missing": lambda f: level(f, "song_id", lambda v: v.where(v != 2)),
}


FITTED: dict[str, object] = {}
"""Models of :func:`known`, by their settings."""


def known(model: object) -> object:
    """A model that is fitted once: models that can be compared have no hash."""
    if repr(model) not in FITTED:
        FITTED[repr(model)] = model.fit(plain_features(), plain_track())
    return FITTED[repr(model)]


def learned(model: object, shape: Callable = lambda frame: frame, **given: object) -> pd.DataFrame:
    """Predictions of a copy that was fitted to, or predicts from, a frame of another kind."""
    x = shape(plain_features())
    given = {"features": x, "labels": shape(plain_track()), "at": x} | given
    at = given.pop("at")
    return copy.deepcopy(model).fit(**given).predict(at)


def corpus(**changed: object) -> Corpus:
    songs = pd.DataFrame(index=pd.Index(SONGS, name="song_id"), columns=SONG_COLUMNS)
    parts = {"songs": songs, "labels": plain_track(), "features": plain_features()} | changed
    return Corpus(**parts)


def cross_validated(**changed: object) -> pd.DataFrame:
    return evaluation.cross_validate(LINEAR, corpus(**changed), evaluation.k_folds(SONGS, k=2))


def validated(**changed: object) -> str:
    return corpus(**changed).validate() or "valid"


def saved(track: pd.DataFrame) -> str:
    with tempfile.TemporaryDirectory() as folder:
        save(track, folder)
        return "\n".join(path.name + path.read_text() for path in sorted(Path(folder).iterdir()))


LINEAR = models.Linear(ridge=1)
BASELINES = {
    "Constant": models.Constant(),
    "Linear": LINEAR,
    "SVR": models.SVR(every=2),
    "ELM": models.ELM(units=3),
}
NETWORKS = {
    "ElmanRNN": ELMAN,
    "LSTM": LSTM,
    "BLSTM": BLSTM,
    "MultiScaleBLSTM": MULTISCALE,
    "SecondNetwork": SecondNetwork(first=ELMAN, second=ELMAN, window=3),
    "FoldEnsemble": FoldEnsemble(network=LSTM, trials=1, keep=2),
    "Preprocessed": Preprocessed(network=ELMAN, components=2),
}
MODELS = BASELINES | NETWORKS
TRIPLET = models.TripletNetwork(steps=2, hidden=3, dimensions=2, positive=0.2, negative=0.4)

TRACKS: dict[str, Callable[[object], object]] = {
    **{f"{k}.fit, features": lambda f, m=m: learned(m, features=_x(f)) for k, m in MODELS.items()},
    **{f"{k}.fit, labels": lambda f, m=m: learned(m, labels=f) for k, m in MODELS.items()},
    **{f"{k}.predict": lambda f, m=m: known(m).predict(_x(f)) for k, m in MODELS.items()},
    "LSTM.fit, unlabelled": lambda f: learned(PRETRAINED, unlabelled=_x(f)),
    "BLSTM.states": lambda f: known(BLSTM).states(_x(f)),
    "score, labels": lambda f: metrics.score(f, plain_track(seed=2)),
    "score, predictions": lambda f: metrics.score(plain_track(seed=2), f),
    "score_songs": lambda f: metrics.score_songs(f, plain_track(seed=2)),
    "moving_average": lambda f: moving_average(f, 3),
    "supervector": lambda f: supervector(f, window=3),
    "search_profile": lambda f: retrieval.search_profile(f, [[0.1, 0.2], [0.3, 0.1]]),
    "cross_validate, features": lambda f: cross_validated(features=_x(f)),
    "cross_validate, labels": lambda f: cross_validated(labels=f),
    "Corpus.validate, labels": lambda f: validated(labels=f),
    "Corpus.validate, features": lambda f: validated(features=_x(f)),
    "song_level": lambda f: features.song_level(f),
    "save": saved,
    "label_correlations": lambda f: valence.label_correlations(f, draws=20),
    "between_song_variance": valence.between_song_variance,
}


def _x(frame: object) -> object:
    """The same frame with the names of features."""
    names = {"valence": "tempo", "arousal": "roughness"}
    if isinstance(frame, pd.DataFrame) and set(frame) & set(names):
        return frame.set_axis([names.get(name, name) for name in frame], axis=1)
    return frame


def outcome(call: Callable[[], object]) -> object:
    """A result, or the words of a clear error; any other error is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except ValueError as error:
            message = str(error)
            assert "expected" in message, message
            assert "found" in message, message
            return f"refused: {message}"


def refused(result: object) -> bool:
    return isinstance(result, str) and result.startswith("refused: ")


def assert_same(found: object, wanted: object, kind: str = "") -> None:
    if isinstance(wanted, (pd.DataFrame, pd.Series)):
        if not found.index.equals(wanted.index):
            rows = dict(zip(found.index, range(len(found)), strict=True))
            assert set(rows) == set(wanted.index)
            found = found.iloc[[rows[key] for key in wanted.index]]
        found, wanted = (side.to_numpy(dtype=float) for side in (found, wanted))
    if isinstance(wanted, str):
        assert found == wanted
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5, err_msg=kind)


ALLOWED = {
    ("LSTM.fit, unlabelled", "nothing"),
    ("Corpus.validate, features", "no rows"),
    ("Corpus.validate, labels", "no rows"),
    ("Corpus.validate, features", "no columns"),
    ("song_level, functionals", "nothing"),
    *(("mine", "empty"), ("as_array", "empty"), ("mine", "a number")),
}
"""What has a meaning: no further songs, a data set without features or curves, no triplets."""
IN_ORDER = {("domain_auc", "unsorted rows")}
"""A result that depends on the order of rows."""


# Tables: a row for each song


TABLES: dict[str, Callable[[object], object]] = {
    "Linear.fit, features": lambda f: learned(LINEAR, songs_of, features=_x(f)),
    "Linear.predict": lambda f: learned(LINEAR, songs_of, at=_x(f)),
    "TripletNetwork.fit, labels": lambda f: learned(TRIPLET, songs_of, labels=f),
    "TripletNetwork.fit, features": lambda f: learned(TRIPLET, songs_of, features=_x(f)),
    "TripletNetwork.predict": lambda f: learned(TRIPLET, songs_of, at=_x(f)),
    "nearest": lambda f: retrieval.nearest(f, (0.1, 0.2), 20)["distance"].sort_index(),
    "song_level, functionals": lambda f: features.song_level(plain_track(), f),
    "feature_shift, before": lambda f: valence.feature_shift(f, songs_of(plain_track(seed=3))),
    "feature_shift, after": lambda f: valence.feature_shift(songs_of(plain_track(seed=3)), f),
    "domain_auc": lambda f: np.round(valence.domain_auc(f, songs_of(plain_track(seed=3))), 1),
    "tilt": lambda f: valence.tilt(f, 0.1).sort_index(),
}
OF_TRACKS = (
    *("song", "side", "unused", "one song's", "no index", "index", "level", "another"),
    *("time as", "time missing", "time infinite"),
)
"""How the kinds begin that only tracks have."""


def table(change: Callable) -> object:
    """A table of a kind, by way of a track with one row for each song."""
    changed = change(plain_track().xs(0.0, level="time", drop_level=False))
    has_rows = isinstance(changed, pd.DataFrame) and len(changed)
    return changed.droplevel("time") if has_rows else changed


# Arrays


VALUES = [0.25, -0.5, 0.75, 0.1, 0.3, -0.2]
OTHER = [0.2, -0.4, 0.5, 0.3, 0.1, 0.0]
SAME_ARRAYS: dict[str, Callable[[list], object]] = {
    "a list": list,
    "a tuple": tuple,
    "a Series": pd.Series,
    "a track's column": lambda v: pd.Series(v, pd.MultiIndex.from_product([[1], range(len(v))])),
    "Float64": lambda v: pd.Series(v, dtype="Float64"),
    "an extension array": lambda v: pd.array(v, dtype="Float64"),
    "Arrow": lambda v: pd.Series(v, dtype="double[pyarrow]"),
    "an Index": pd.Index,
    "objects": lambda v: np.array(v, object),
    "Decimal": lambda v: [Decimal(str(value)) for value in v],
    "Fraction": lambda v: [Fraction(str(value)) for value in v],
    "a masked array without mask": np.ma.array,
    "a masked array that hides nothing": lambda v: np.ma.masked_invalid(v),
    "a tensor": lambda v: torch.tensor(v, dtype=torch.float64),
    "a tensor with gradient": lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True),
    "every second": lambda v: np.repeat(v, 2)[::2],
    "a matrix's column": lambda v: np.array([v, v]).T[:, 0],
}
WRONG_ARRAYS: dict[str, Callable[[list], object]] = {
    "NaN": lambda v: [*v[:-1], np.nan],
    "infinity": lambda v: [*v[:-1], np.inf],
    "None": lambda v: [*v[:-1], None],
    "pd.NA": lambda v: [*v[:-1], pd.NA],
    "pd.NaT": lambda v: [*v[:-1], pd.NaT],
    "Float64 with NA": lambda v: pd.Series([*v[:-1], pd.NA], dtype="Float64"),
    "boolean with NA": lambda v: pd.Series([*[True] * (len(v) - 1), pd.NA], dtype="boolean"),
    "Arrow with null": lambda v: pd.Series([*v[:-1], None], dtype="double[pyarrow]"),
    "masked": lambda v: np.ma.masked_less(v, -0.1),
    "masked in a list": lambda v: [*v[:-1], np.ma.masked],
    "masked whole": lambda v: np.ma.masked_all(len(v)),
    "complex": lambda v: np.array(v) + 1j,
    "one complex": lambda v: [*v[:-1], 1j],
    "bool": lambda v: np.array(v) > 0,
    "text": lambda v: [str(value) for value in v],
    "one text": lambda v: [*v[:-1], "0.1"],
    "dates": lambda v: pd.date_range("2020", periods=len(v)),
    "time differences": lambda v: pd.to_timedelta(v, unit="s"),
    "NumPy's time differences": lambda v: np.array(v).astype("m8[s]"),
    "empty": lambda v: [],
    "a number": lambda v: 0.5,
    "nothing": lambda v: None,
    "ragged": lambda v: [v, v[:-1]],
    "a cube": lambda v: np.zeros((2, 2, 2, 2)),
    "a dict": lambda v: dict(enumerate(v)),
    "a set": set,
    "text alone": lambda v: "0.5",
    "a generator": lambda v: (value for value in v),
    "too large": lambda v: [*v[:-1], 10**400],
}
ARRAYS: dict[str, Callable[[object], object]] = {
    **{f"{name}, labels": lambda v, m=m: m(v, OTHER) for name, m in metrics.METRICS.items()},
    **{f"{name}, predictions": lambda v, m=m: m(OTHER, v) for name, m in metrics.METRICS.items()},
    "cronbach_alpha": lambda v: agreement.cronbach_alpha(pair_of(v)),
    "mine": lambda v: mine(v, positive=0.2, negative=0.4),
    "nearest, query": lambda v: retrieval.nearest(plain_track(), some(v))["distance"],
    "search_profile": lambda v: retrieval.search_profile(plain_track(), pair_of(v))["distance"],
    "alignment": lambda v: retrieval.alignment(pair_of(v), pair_of(OTHER)),
    "weighted_scores": lambda v: list(valence.weighted_scores(v, OTHER, np.ones(6)).values()),
    "weighted_scores, weights": lambda v: list(
        valence.weighted_scores(OTHER, VALUES, squared(v)).values()
    ),
    "arousal_split": lambda v: list(valence.arousal_split(v, VALUES, OTHER).values()),
    "error_parts": lambda v: list(valence.error_parts(v, OTHER).values()),
    "as_array": lambda v: as_array(v, "values"),
}


def some(values: object) -> object:
    """The last two, of which the last is a wrong one."""
    return values[-2:] if isinstance(values, (list, tuple, np.ndarray, torch.Tensor)) else values


def pair_of(values: object) -> object:
    """Two columns, of the values and of zeros and ones, in the values' own type where it can be."""
    if isinstance(values, np.ndarray) and values.dtype == bool:
        return np.column_stack([values, ~values])
    if isinstance(values, np.ma.MaskedArray) and values.ndim == 1:
        return np.ma.column_stack([values, np.arange(len(values)) % 2])
    if (
        isinstance(values, (list, tuple, np.ndarray))
        and np.ndim(values[0] if len(values) else 0) == 0
    ):
        return [[value, k % 2] for k, value in enumerate(values)]
    return values


def squared(values: object) -> object:
    """Weights that are not negative, where the values can be squared."""
    return values**2 if isinstance(values, np.ndarray) and values.dtype.kind == "f" else values


class Group(NamedTuple):
    """Functions that take the same kind of argument."""

    calls: dict[str, Callable[[object], object]]
    of: Callable[[Callable], object]
    """The argument, changed."""
    same: dict[str, Callable]
    wrong: dict[str, Callable]


def of_tables(kinds: dict[str, Callable]) -> dict[str, Callable]:
    return {kind: change for kind, change in kinds.items() if not kind.startswith(OF_TRACKS)}


GROUPS = {
    "track": Group(TRACKS, lambda change: change(plain_track()), SAME, WRONG),
    "table": Group(TABLES, table, of_tables(SAME), of_tables(WRONG)),
    "array": Group(ARRAYS, lambda change: change(np.array(VALUES)), SAME_ARRAYS, WRONG_ARRAYS),
}
CALLS = [(group, name) for group in GROUPS for name in GROUPS[group].calls]


def has_to_accept(group: str, name: str, kind: str) -> bool:
    if group == "array":
        return name.split(",")[0] in metrics.METRICS
    return kind in ALWAYS and not name.startswith("Corpus.validate")


@pytest.mark.parametrize(("group", "name"), CALLS)
def test_the_same_numbers_in_another_form_give_the_same_result_or_a_clear_error(group, name):
    calls, of, same, _ = GROUPS[group]
    plain = outcome(lambda: calls[name](of(lambda values: values)))
    assert not refused(plain), plain
    kinds = QUICK if ".fit" in name and name.split(".")[0] in NETWORKS else same
    for kind in kinds:
        found = outcome(lambda k=kind: calls[name](of(same[k])))
        wanted = has_to_accept(group, name, kind) or not refused(found)
        if wanted and (name, kind) not in IN_ORDER:
            assert_same(found, plain, kind)


@pytest.mark.parametrize(("group", "name"), CALLS)
def test_what_is_not_finite_numbers_of_the_right_shape_is_refused(group, name):
    calls, of, _, wrong = GROUPS[group]
    kinds = [kind for kind in wrong if (name, kind) not in ALLOWED]
    found = {kind: outcome(lambda k=kind: calls[name](of(wrong[k]))) for kind in kinds}
    assert [kind for kind in kinds if not refused(found[kind])] == []


# Gaps in a song


def with_gap(frame: pd.DataFrame) -> pd.DataFrame:
    """The second half of every song 90 s later."""
    return level(frame, "time", lambda v: v.where(v < 2, v + 90))


def halves(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows, each half a song of its own."""
    late = frame.index.get_level_values("time") >= 2
    return level(frame, "song_id", lambda v: v * 10 + late)


def test_the_moving_average_smooths_each_side_of_a_gap_by_itself():
    track = plain_track()
    found, wanted = moving_average(with_gap(track), 3), moving_average(halves(track), 3)
    np.testing.assert_array_equal(found, wanted)
    assert found.index.equals(with_gap(track).index)


def test_one_missing_row_is_a_gap_too():
    track = plain_track(songs=[1]).drop((1, 1.5))
    found = moving_average(track, 3)
    for time in (1.0, 2.0):
        pd.testing.assert_series_equal(found.loc[(1, time)], track.loc[(1, time)])
    assert found.loc[(1, 0.5), "valence"] == pytest.approx(track["valence"].iloc[:3].mean())


def test_a_coarser_grid_is_refused_by_the_moving_average():
    track = level(plain_track(), "time", lambda v: 2 * v)
    with pytest.raises(ValueError, match=r"track: expected rows every 0.5 s, found"):
        moving_average(track, 3)
    pd.testing.assert_frame_equal(moving_average(track, 1), track)
    alone = track.xs(0.0, level="time", drop_level=False)
    pd.testing.assert_frame_equal(moving_average(alone, 3), alone)


def test_no_delta_spans_a_gap():
    found = supervector(with_gap(plain_track()), window=3)
    np.testing.assert_array_equal(found, supervector(halves(plain_track()), window=3))


GAPLESS = [name for name in TRACKS if name.split(".")[0] in NETWORKS and "labels" not in name]
GAPLESS += ["search_profile"]


@pytest.mark.parametrize("name", [*GAPLESS, "LSTM.fit, unlabelled", "BLSTM.states"])
def test_networks_and_searches_refuse_a_gap(name):
    with pytest.raises(ValueError, match=r"every 0.5 s .* none from 1.5 s to 92.0 s in song_id 1"):
        TRACKS[name](with_gap(plain_track()))


@pytest.mark.parametrize("name", BASELINES)
def test_models_of_single_frames_accept_gaps(name):
    gapped = learned(MODELS[name], with_gap)
    np.testing.assert_array_equal(gapped, learned(MODELS[name]))


def test_labels_of_networks_may_have_gaps():
    apart = plain_track()[plain_track().index.get_level_values("time").isin([1.0, 3.0])]
    assert np.isfinite(learned(ELMAN, labels=apart)).all(axis=None)
    with pytest.raises(ValueError, match=r"labels: expected a row every 0.5 s within a song"):
        learned(MULTISCALE, labels=apart)


# Short songs, one song, and names of songs


@pytest.mark.parametrize("name", [name for name in TRACKS if "fit" not in name])
def test_songs_of_one_row_give_a_number_or_a_clear_error(name):
    one = plain_track().xs(0.0, level="time", drop_level=False)
    found = outcome(lambda: TRACKS[name](one))
    if isinstance(found, pd.DataFrame) and name not in ("score_songs", "label_correlations"):
        undefined = [column for column in found if column.endswith(("pearson", "r2", "ccc"))]
        assert np.isfinite(found.drop(columns=undefined)).all(axis=None)


NAMES = {"text": "song {}".format, "mixed": lambda k: k if k % 2 else f"song {k}"}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("model", [*BASELINES, "ElmanRNN", "BLSTM", "Preprocessed"])
def test_songs_may_have_any_names_where_a_model_predicts(model, kind):
    x = plain_features()
    renamed = x.rename(index=NAMES[kind], level="song_id")
    found = known(MODELS[model]).predict(renamed)
    assert found.index.equals(renamed.index)
    np.testing.assert_array_equal(found, known(MODELS[model]).predict(x))
    smooth = moving_average(known(MODELS[model]).predict(x), 3)
    np.testing.assert_array_equal(moving_average(found, 3), smooth)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("model", MODELS)
def test_songs_may_have_any_names_where_a_model_learns(model, kind):
    x, y = (f.rename(index=NAMES[kind], level="song_id") for f in (plain_features(), plain_track()))
    found = outcome(lambda: learned(MODELS[model], features=x, labels=y))
    if not refused(found):
        assert np.isfinite(found).all(axis=None)
    if kind == "text":
        assert refused(found) == (model == "FoldEnsemble")  # which divides by song_id modulo 11


def test_metrics_refuse_series_of_the_same_rows_in_another_order():
    y = plain_track()["valence"]
    p = y.sample(frac=1, random_state=0)
    with pytest.raises(ValueError, match=r"predictions: expected the rows of the labels"):
        metrics.rmse(y, p)
    with pytest.raises(ValueError, match=r"predictions: expected the rows of the labels"):
        metrics.rmse(y.reset_index(drop=True), y.reset_index(drop=True)[::-1])
    assert metrics.rmse(y, y.reset_index(drop=True)) == 0


def test_ratings_may_be_missing_but_must_be_numbers():
    index = pd.MultiIndex.from_product([[1], ["a", "b"], 0.5 * np.arange(6)])
    index = index.set_names(["song_id", "rater", "time"])
    ratings = pd.DataFrame({"valence": [*VALUES, *OTHER], "arousal": [*OTHER, *VALUES]}, index)
    ratings.iloc[3] = np.nan
    wanted = agreement.rater_statistics(ratings)
    for kind in ("Float64", "double[pyarrow]", object):
        found = agreement.rater_statistics(ratings.astype(kind))
        pd.testing.assert_frame_equal(found, wanted)
    no_raters = ratings.droplevel("rater")
    for wrong in (ratings.astype(str), ratings > 0, no_raters, ratings.swaplevel()):
        with pytest.raises(ValueError, match=r"ratings.*: expected .* found"):
            agreement.rater_statistics(wrong)


def test_an_answer_may_have_any_form_and_is_wrong_if_it_is_no_numbers(capsys):
    for kind, change in SAME_ARRAYS.items():
        check_answer("1", change(VALUES), VALUES)
        assert "right" in capsys.readouterr().out, kind
    for kind in ("NaN", "None", "pd.NA", "masked", "complex", "text", "ragged"):
        check_answer("1", WRONG_ARRAYS[kind](VALUES), VALUES)
        assert "is not it" in capsys.readouterr().out, kind
    for missing in (np.nan, None, pd.NA, pd.NaT, 1j):
        check_answer("1", missing, 4)
        assert "is not it" in capsys.readouterr().out, missing


# Triplets


def test_points_without_a_loss_are_refused():
    places = torch.zeros(5, 2)
    with pytest.raises(ValueError, match=r"loss: expected a finite number, found nan"):
        triplet_loss(places[:1] * np.nan, places[:1], places[:1])
    with pytest.raises(ValueError, match=r"triplets: expected .* found"):
        triplet_loss(places, places[:1], places)
    with pytest.raises(ValueError, match=r"embedded: expected 3 songs"):
        mine([0.0, 0.1, 0.9], positive=0.2, negative=0.3, strategy="semi-hard", embedded=[[1.0]])


# Folds


NO_SONG_IDS = [
    *([1, np.nan, 3], [1, None, 3], [1, pd.NA, 3], [1, pd.NaT, 3], ["a", None], [1, "a", 2]),
    *([1, 1, 2], 5, None, [[1], [2]], pd.MultiIndex.from_product([[1, 2], [0.0, 0.5]])),
    *(pd.array([1, None], "Int64"), [(1, 2), (3, 4)], []),
]


@pytest.mark.parametrize("song_ids", NO_SONG_IDS)
def test_folds_refuse_what_are_no_song_ids(song_ids):
    assert refused(outcome(lambda: evaluation.k_folds(song_ids, k=2)))
    assert refused(outcome(lambda: evaluation.modulus_folds(song_ids, modulus=2)))


@pytest.mark.parametrize("kind", ["Int64", "int64[pyarrow]", object, "category", "uint8"])
def test_folds_of_song_ids_of_any_type(kind):
    found = evaluation.k_folds(pd.Series(SONGS).astype(kind), k=3)
    for one, other in zip(found, evaluation.k_folds(SONGS, k=3), strict=True):
        assert [list(side) for side in one] == [list(side) for side in other]


# Conversion


def test_a_valid_frame_is_passed_on_as_it_is():
    for kind in (np.float32, np.float64):
        track = plain_track().astype(kind)
        assert as_track(track, "track") is track
        assert as_table(track, "track") is track
    values = np.array(VALUES)
    assert floats(values, "values") is values


def test_stretches_are_numbered_in_any_order_of_songs():
    track = with_gap(plain_track(songs=[1, 2]))
    mixed = track.sort_index(level="time", sort_remaining=False)
    numbers = pd.Series(stretches(mixed), mixed.index)
    np.testing.assert_array_equal(numbers.sort_index(), stretches(track))
    assert numbers.nunique() == 4


# Features that are learned from mel patches


MEL = {
    "AELSTM": models.AELSTM(latent=2, steps=2, network=LSTM),
    "VAELSTM": models.VAELSTM(latent=2, steps=2, network=LSTM),
    "CNNLSTM": models.CNNLSTM(latent=2, epochs=1, hidden=(2,)),
}


@pytest.fixture(scope="module")
def mel() -> pd.DataFrame:
    return mel_of(plain_features())


@pytest.mark.parametrize("name", MEL)
def test_models_of_mel_patches_refuse_what_is_no_track(name, mel):
    fitted = MEL[name].fit(mel, plain_track())
    plain = fitted.predict(mel)
    assert_same(fitted.predict(mel.astype("Float64")), plain)
    for kind in ("pd.NA", "a column twice", "bool", "one song's curve", "no rows", "rows twice"):
        wrong = WRONG[kind](mel)
        assert refused(outcome(lambda w=wrong: fitted.predict(w))), kind
        assert refused(outcome(lambda w=wrong: MEL[name].fit(w, plain_track()))), kind
        assert refused(outcome(lambda k=kind: MEL[name].fit(mel, WRONG[k](plain_track())))), kind
    for call in (fitted.predict, lambda x: MEL[name].fit(x, with_gap(plain_track()))):
        with pytest.raises(ValueError, match=r"expected a row every 0.5 s within a song"):
            call(with_gap(mel))


def test_an_autoencoder_refuses_what_is_no_track(mel):
    encoder = AE(latent=2, hidden=4, steps=2).fit(mel)
    latents = encoder.transform(mel)
    for kind in ("pd.NA", "a column twice", "text", "no rows", "rows twice", "a Series"):
        for call in (encoder.transform, encoder.costs, encoder.fit):
            assert refused(outcome(lambda c=call, k=kind: c(WRONG[k](mel)))), kind
        assert refused(outcome(lambda k=kind: encoder.decode(WRONG[k](latents)))), kind
    assert_same(encoder.decode(latents.astype("Float32")), encoder.decode(latents))


# Songs without audio


MISSING = [np.nan, None, pd.NA, pd.NaT, float("nan"), np.float64("nan"), 5, b"x.wav", ["x.wav"]]


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("call", [features.read_audio, features.extract, Player, audio.duration])
def test_missing_audio_is_named(call, missing):
    expected = r"^audio: expected a path or \(samples, sample_rate\), found"
    with pytest.raises(DataError, match=expected):
        call(missing)


@pytest.mark.parametrize(
    "wrong",
    [
        *(np.nan, None, 5, [np.nan], ["a.wav", None], pd.DataFrame({"audio": ["a.wav"]})),
        pd.Series(["a.wav", "b.wav"], [1, 1]),
    ],
)
def test_what_names_no_audio_files_is_refused(wrong):
    with pytest.raises(DataError, match=r"^audio: expected"):
        features.extract_all(wrong)


@pytest.mark.parametrize("kind", ["pd.NA", "None", "text", "a column twice", "complex", "bool"])
def test_a_player_refuses_tracks_that_are_no_numbers(kind):
    track = WRONG[kind](plain_track()).loc[1]
    with pytest.raises(DataError, match=r"^track 'rated'.*: expected .*, found"):
        Player((np.ones(44_100), 44_100), {"rated": track})

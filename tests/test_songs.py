"""Whole songs: their features, the systems that predict them, and how these are scored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from mer_core.__main__ import main
from mer_core.corpus import SONG_COLUMNS, Corpus
from mer_core.features import song_level
from mer_core.files import DataError
from mer_core.metrics import DIMENSIONS
from mer_core.models import Linear
from workbook import studies
from workbook.studies import songs as study
from workbook.studies.song_systems import SYSTEMS, Committee, GaussianProcess, UnitSpread


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Ninety songs, thirty of each year, whose labels go with two of six features."""
    rng = np.random.default_rng(0)
    index = pd.Index(range(1, 91), name="song_id")
    features = pd.DataFrame(rng.normal(2, 3, (90, 6)), index, list("abcdef"))
    songs = pd.DataFrame(index=index, columns=SONG_COLUMNS)
    songs["year"] = np.repeat([2013, 2014, 2015], 30)
    songs["valence"] = (features["a"] - 2) / 12 + rng.normal(0, 0.05, 90)
    songs["arousal"] = (features["b"] - 2) / 12 + rng.normal(0, 0.05, 90)
    none = pd.DataFrame(
        columns=DIMENSIONS, index=pd.MultiIndex.from_arrays([[], []], names=["song_id", "time"])
    )
    return study.whole_songs(Corpus(songs, none, none), features)


# Features


def test_functionals_come_first_then_means_and_population_deviations_of_every_row():
    index = pd.MultiIndex.from_product([[3, 1], [0.0, 0.5, 1.0]], names=["song_id", "time"])
    track = pd.DataFrame(np.random.default_rng(0).normal(size=(6, 2)), index, ["x", "y"])
    functionals = pd.DataFrame({"f": [1.0, 2, 3]}, pd.Index([3, 1, 9], name="song_id"))
    table = song_level(track, functionals)
    assert list(table) == ["f", "x_mean", "y_mean", "x_sd", "y_sd"]
    assert table["f"].to_dict() == {1: 2.0, 3: 1.0}
    assert table.loc[3, "y_sd"] == pytest.approx(np.std(track.loc[3, "y"].to_numpy()))
    assert table.loc[1, "x_mean"] == pytest.approx(np.mean(track.loc[1, "x"].to_numpy()))
    assert list(song_level(track)) == list(table)[1:]
    with pytest.raises(ValueError, match=r"functionals: expected a row.*none for \[1\]"):
        song_level(track, functionals.drop(index=1))


# Systems


@pytest.mark.filterwarnings("ignore:n_quantiles")
@pytest.mark.parametrize("system", [name for name in SYSTEMS if "600" not in name])
def test_every_system_beats_the_constant_where_there_is_something_to_learn(corpus, system):
    unit = {"system": system, "songs": "all", "protocol": "test", "seed": 0, "dimensions": 3}
    predictions = study.predict_songs(corpus, **unit)
    assert list(predictions.index) == list(range(61, 91))
    known = corpus.labels.droplevel("time").loc[predictions.index]
    scores = [r2_score(known[name], predictions[name]) for name in DIMENSIONS]
    assert (np.array(scores) > 0.1).all() if system != "constant" else max(scores) <= 0
    pd.testing.assert_frame_equal(predictions, study.predict_songs(corpus, **unit))


def test_each_song_is_predicted_once_by_models_that_were_not_trained_on_it(corpus, monkeypatch):
    trained = []

    class Spy(Linear):
        def fit(self, features, labels):
            trained.append(set(labels.index.unique("song_id")))
            return super().fit(features, labels)

        def predict(self, features):
            assert not trained[-1] & set(features.index.unique("song_id"))
            return super().predict(features)

    monkeypatch.setitem(SYSTEMS, "spy", lambda dimensions, seed: Spy())
    cv = study.predict_songs(corpus, system="spy", songs="2013", protocol="CV", seed=1)
    assert list(cv.index) == list(range(1, 31))
    assert len(trained) == 10
    study.predict_songs(corpus, system="spy", songs="all", protocol="test", seed=1)
    assert trained[-1] == set(range(1, 61))


@pytest.mark.filterwarnings("ignore:n_quantiles")
def test_the_swap_exchanges_training_labels_of_2013_only(corpus):
    labels, year = corpus.labels.droplevel("time"), corpus.songs["year"]
    swapped = study.as_in_file(labels, year)
    assert (swapped.loc[:30, "valence"] == labels.loc[:30, "arousal"]).all()
    assert swapped.loc[31:].equals(labels.loc[31:])
    assert study.as_in_file(swapped, year).equals(labels)
    unit = {"system": "ridge", "songs": "2013", "protocol": "CV", "seed": 0}
    straight, crossed = (study.predict_songs(corpus, **unit, swapped=s) for s in (False, True))
    np.testing.assert_allclose(straight["valence"], crossed["arousal"], atol=1e-9)


def test_parts_of_the_systems():
    rng = np.random.default_rng(0)
    x = rng.normal(0, [1, 5, 9], (500, 3))
    assert UnitSpread().fit_transform(x).var(axis=0).sum() == pytest.approx(1)
    y = np.sin(x[:, 0]) + rng.normal(0, 0.05, 500)
    process = GaussianProcess(most=100).fit(x[:400, :1], y[:400])
    assert r2_score(y[400:], process.predict(x[400:, :1])) > 0.97
    index = pd.Index(range(50), name="song_id")
    features = pd.DataFrame(x[:50], index, list("abc"))
    labels = pd.DataFrame({"valence": y[:50], "arousal": -y[:50]}, index)
    pair = [Linear(ridge=1.0), Linear(ridge=1000.0)]
    mean = Committee(pair).fit(features, labels).predict(features)
    each = [model.fit(features, labels).predict(features) for model in pair]
    pd.testing.assert_frame_equal(mean, (each[0] + each[1]) / 2)


# Scores


def test_scores_are_those_of_sklearn_and_intervals_those_of_a_loop(corpus):
    labels, rng = corpus.labels.droplevel("time"), np.random.default_rng(1)
    noise = [rng.normal(0, 0.1, labels.shape) for _ in range(4)]
    frames = {("x", 0): labels + noise[0], ("x", 1): labels + noise[1]}
    frames |= {(study.BASE, k): labels + noise[2 + k] for k in (0, 1)}
    tables = study.song_scores(corpus, frames, ("system", "seed"))
    row = tables[0].loc["x", 1, "arousal", "pooled"]
    assert row["r2"] == pytest.approx(r2_score(labels["arousal"], frames["x", 1]["arousal"]))
    summary = tables[1].loc["x", "valence"]
    both = [r2_score(labels["valence"], frames["x", k]["valence"]) for k in (0, 1)]
    assert summary["r2"] == pytest.approx(np.mean(both))
    assert summary["sd_over_seeds"] == pytest.approx(np.std(both, ddof=1))
    drawn, names = [], [(name, k) for name in ("x", study.BASE) for k in (0, 1)]
    for _ in range(1000):
        some = labels["valence"].iloc[rng.integers(0, 90, 90)]
        scores = [r2_score(some, frames[k]["valence"].loc[some.index]) for k in names]
        drawn.append([np.mean(scores[:2]), np.mean(scores[:2]) - np.mean(scores[2:])])
    for k, name in enumerate(("", "difference_")):
        low, high = np.percentile(np.array(drawn)[:, k], [2.5, 97.5])
        assert summary[f"{name}low"] == pytest.approx(low, abs=0.025)
        assert summary[f"{name}high"] == pytest.approx(high, abs=0.025)


def test_the_average_is_of_all_members_and_of_nothing_less(corpus):
    labels = corpus.labels.droplevel("time")
    frames = {(name, "CV", 0): labels + k for k, name in enumerate(study.MEMBERS)}
    [average] = study.averages(frames).values()
    pd.testing.assert_frame_equal(average, labels + 2)
    del frames[study.MEMBERS[2], "CV", 0]
    assert study.averages(frames) == {}


def test_swapped_predictions_are_scored_on_both_kinds_of_label(corpus):
    labels = corpus.labels.droplevel("time")
    table = study.swap_scores(corpus, {("x", 0): labels.loc[:30]}, ("system", "seed"))[0]
    assert table.loc[("x", "repaired", "valence"), "r2"] == 1
    assert table.loc[("x", "as in the file", "valence"), "r2"] < 0


# Data and stored tables


def test_mini_and_deam_as_whole_songs(real_deam, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(real_deam))
    with pytest.warns(match="swapped back"):
        deam = study.deam_songs()
    mini = study.mini_songs()
    for corpus in (deam, mini):
        corpus.validate()
    assert mini.features.shape == (112, 6373 + 2 * 272)
    assert deam.features.shape == (1802, 167)
    assert (deam.songs["year"] == 2013).sum() == 744


def test_without_a_folder_deam_is_refused_and_the_command_skips_it(monkeypatch, capsys):
    monkeypatch.delenv("MER_DATA", raising=False)
    with pytest.raises(DataError, match="MER_DATA: expected the name of a folder"):
        study.deam_songs()
    monkeypatch.setattr(studies, "STUDIES", {"songs_2013": study.STUDIES["songs_2013"]})
    assert main(["results"]) == 0
    assert "songs_2013: skipped, since MER_DATA: expected" in capsys.readouterr().out
    assert main(["results", "songs_2013"]) == 1
    assert "error: MER_DATA: expected" in capsys.readouterr().err

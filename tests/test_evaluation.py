"""Folds without leaks, statistics from training songs only, and the scoreboard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

from mer_core import Corpus, models
from mer_core.corpus import NO_FEATURES, SONG_COLUMNS
from mer_core.evaluation import (
    Fold,
    ablate,
    as_paper,
    cross_validate,
    genre_folds,
    k_folds,
    labelled,
    modulus_folds,
    scoreboard,
)
from mer_core.files import DataError, DataWarning
from mer_core.metrics import DIMENSIONS, score
from mer_core.models.baselines import FrameRegressor
from mer_core.smoothing import moving_average

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.PerformanceWarning")
SYSTEMS = [models.Constant, models.Linear, models.SVR]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Twelve songs whose labels are linear in the features, plus noise."""
    rng = np.random.default_rng(0)
    song_ids = range(1, 13)
    index = pd.MultiIndex.from_product([song_ids, 0.5 * np.arange(40)], names=["song_id", "time"])
    features = pd.DataFrame(rng.normal(3, 2, (len(index), 5)), index, list("abcde"))
    weights = rng.normal(0, 0.05, (5, 2))
    labels = pd.DataFrame(features @ weights).set_axis(DIMENSIONS, axis=1) - 0.1
    labels = labels[index.get_level_values("time") >= 5] + rng.normal(0, 0.02, (360, 2))
    songs = pd.DataFrame(index=pd.Index(song_ids, name="song_id"), columns=SONG_COLUMNS)
    songs["genre"] = ["Rock", "Pop-Rock", "Jazz", "rock"] * 3
    songs["split"] = ["dev"] * 8 + ["test"] * 4
    songs[DIMENSIONS] = 0.0
    return Corpus(songs, labels, features)


# Folds


@pytest.mark.parametrize(("songs", "k"), [(431, 10), (12, 10), (10, 10), (5, 2)])
def test_k_folds_score_each_song_once_and_never_share_one(songs, k):
    folds = k_folds(range(songs), k=k, seed=1)
    assert len(folds) == k
    scored = np.concatenate([fold.test for fold in folds])
    assert sorted(scored) == list(range(songs))
    assert max(map(len, (f.test for f in folds))) - min(map(len, (f.test for f in folds))) <= 1
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert set(fold.train) | set(fold.test) == set(range(songs))


def test_k_folds_follow_the_seed():
    first, again, other = (k_folds(range(30), seed=seed) for seed in (0, 0, 1))
    assert all(a.test.equals(b.test) for a, b in zip(first, again))
    assert not all(a.test.equals(b.test) for a, b in zip(first, other))


@pytest.mark.parametrize("k", [1, 3])
def test_k_folds_refuse_other_numbers(k):
    with pytest.raises(ValueError, match="expected 2 to 2 folds"):
        k_folds([1, 2], k=k)


def test_modulus_folds_are_munichs():
    folds, held_out = modulus_folds(range(1, 100))
    assert set(held_out % 11) == {10}
    for remainder, fold in enumerate(folds):
        assert set(fold.test % 11) == {remainder}
        assert not set(fold.train) & (set(fold.test) | set(held_out))
    with pytest.raises(ValueError, match=r"none of \[10\]"):
        modulus_folds(range(10))


def test_genres_match_by_their_first_word():
    songs = many_songs().replace({"genre": {"Pop-Rock": "Jazz-Rock"}})
    songs = songs.iloc[np.r_[100:300, 431 + 29 : 431 + 44]]  # 100 Rock, 100 Jazz-Rock; test: jazz
    for fold in genre_folds(songs, partitions=2, held_out=10):
        assert set(songs.loc[fold.test, "genre"]) == {"Jazz-Rock"}


def many_songs() -> pd.DataFrame:
    genres = ["Rock"] * 200 + ["Pop-Rock"] * 100 + ["Jazz"] * 100 + ["Rap"] * 31
    genres += ["Rock"] * 29 + ["jazz"] * 15 + ["World/Folk"] * 14
    split = ["dev"] * 431 + ["test"] * 58
    return pd.DataFrame({"genre": genres, "split": split}, pd.RangeIndex(489, name="song_id"))


def test_genre_folds_match_the_test_sets_genres_without_overlap():
    songs = many_songs()
    folds = genre_folds(songs)
    assert [len(fold.test) for fold in folds] == [20] * 5
    assert len(set(np.concatenate([fold.test for fold in folds]))) == 100
    for fold in folds:
        assert set(fold.train) | set(fold.test) == set(songs.index[:431])
        counts = songs.loc[fold.test, "genre"].value_counts()
        # test: 29, 15 and 14 of 58 songs; 20 places: 10, 5.17 and 4.83, the last not in dev
        assert counts["Rock"] >= 10
        assert counts["Jazz"] >= 5
        assert counts.sum() == 20


def test_genre_folds_refuse_too_few_songs():
    with pytest.raises(ValueError, match="over 100 dev songs, found 40"):
        genre_folds(many_songs().iloc[391:])


# Cross-validation


class Spy:
    """Remembers what it is given."""

    seen: list[set[int]]

    def __init__(self) -> None:
        self.seen = []

    def __deepcopy__(self, memo: dict) -> Spy:
        return self

    def fit(self, features: pd.DataFrame, labels: pd.DataFrame, **_: object) -> Spy:
        songs = [set(part.index.get_level_values("song_id")) for part in (features, labels)]
        assert songs[0] == songs[1]
        self.seen.append(songs[0])
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        assert not set(features.index.get_level_values("song_id")) & self.seen[-1]
        return pd.DataFrame(0.0, features.index, DIMENSIONS)


def test_no_model_ever_sees_a_song_that_it_is_scored_on(corpus):
    spy = Spy()
    folds = k_folds(corpus.songs.index, k=4)
    predictions = cross_validate(spy, corpus, folds)
    assert spy.seen == [set(fold.train) for fold in folds]
    assert predictions.index.equals(corpus.features.index)


@pytest.mark.parametrize("system", SYSTEMS)
def test_scored_songs_have_no_influence_on_the_model_that_scores_them(corpus, system):
    """Whatever is learned, standardisation included, comes from training songs."""
    folds = k_folds(corpus.songs.index, k=3)
    before = cross_validate(system(), corpus, folds)
    song_id = folds[0].test[0]
    features, labels = corpus.features.copy(), corpus.labels.copy()
    others = [k for k in folds[0].test if k != song_id]
    features.loc[others] = features.loc[others] * 100 + 7
    labels.loc[others] = 0.9
    after = cross_validate(system(), Corpus(corpus.songs, labels, features), folds)
    pd.testing.assert_frame_equal(before.loc[[song_id]], after.loc[[song_id]])


def test_unlabelled_rows_have_no_influence_on_the_baselines(corpus):
    features = corpus.features.copy()
    unlabelled = features.index.difference(corpus.labels.index)
    features.loc[unlabelled] = 1e6
    for system in SYSTEMS:
        a = system().fit(corpus.features, corpus.labels).predict(corpus.features)
        b = system().fit(features, corpus.labels).predict(corpus.features)
        pd.testing.assert_frame_equal(a, b)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([Fold(pd.Index([1, 2]), pd.Index([2, 3]))], r"both sides, found \[2\]"),
        ([Fold(pd.Index([1]), pd.Index([2])), Fold(pd.Index([3]), pd.Index([2]))], "scored once"),
        ([], "scored once"),
        ([Fold(pd.Index([1]), pd.Index([99]))], r"none for \[99\]"),
    ],
)
def test_cross_validate_refuses_leaks(corpus, folds, message):
    with pytest.raises(ValueError, match=message):
        cross_validate(models.Constant(), corpus, folds)


def test_ablation_scores_each_choice_as_if_the_others_were_not_there(corpus):
    folds = k_folds(corpus.songs.index, k=3)
    table = ablate(models.Linear(), corpus, folds, {"two": ["a", "b"], "all": list("abcde")})
    two = Corpus(corpus.songs, corpus.labels, corpus.features[["a", "b"]])
    expected = score(corpus.labels, cross_validate(models.Linear(), two, folds))
    assert table.loc["two", ("arousal", "RMSE")] == expected.loc[("arousal", "pooled"), "rmse"]
    assert table.loc["two", ("valence", "r")] == expected.loc[("valence", "pooled"), "pearson"]
    assert table.loc["all", ("valence", "RMSE")] < table.loc["two", ("valence", "RMSE")]


# Baselines


def test_constant_is_the_mean_of_the_training_labels(corpus):
    predictions = models.Constant().fit(corpus.features, corpus.labels).predict(corpus.features)
    assert len(predictions) == len(corpus.features)
    assert predictions.drop_duplicates().iloc[0].tolist() == pytest.approx(corpus.labels.mean())


def test_linear_equals_ridge_by_hand(corpus):
    predictions = models.Linear(ridge=10).fit(corpus.features, corpus.labels)
    predictions = predictions.predict(corpus.features)
    x = corpus.features.loc[corpus.labels.index]
    scaled = (corpus.features - x.mean()) / x.std(ddof=0)
    z, y = scaled.loc[x.index].to_numpy(), corpus.labels.to_numpy()
    weights = np.linalg.solve(z.T @ z + 10 * np.eye(5), z.T @ (y - y.mean(axis=0)))
    expected = scaled.to_numpy() @ weights + y.mean(axis=0)
    assert predictions.to_numpy() == pytest.approx(expected)
    least_squares = models.Linear.paper().fit(corpus.features, corpus.labels)
    solution = np.linalg.lstsq(np.c_[z, np.ones(len(z))], y, rcond=None)[0]
    expected = np.c_[scaled.to_numpy(), np.ones(len(scaled))] @ solution
    assert least_squares.predict(corpus.features).to_numpy() == pytest.approx(expected)


def test_svr_learns_and_does_not_depend_on_the_order_of_columns(corpus):
    model = models.SVR(gamma=0.05, every=1).fit(corpus.features, corpus.labels)
    predictions = model.predict(corpus.features)
    assert score(corpus.labels, predictions).loc[("valence", "pooled"), "pearson"] > 0.9
    reordered = model.predict(corpus.features[list("ecabd")])
    pd.testing.assert_frame_equal(predictions, reordered)


def test_every_third_frame_of_each_song_is_trained_on(corpus):
    seen = []

    class Counting(DummyRegressor):
        def fit(self, x: np.ndarray, y: np.ndarray) -> Counting:
            seen.append(len(x))
            return super().fit(x, y)

    for every in (1, 3):
        FrameRegressor(Counting(), every=every).fit(corpus.features, corpus.labels)
    assert seen == [12 * 30, 12 * 10]


# Scoreboard


def test_scoreboard_agrees_with_its_parts(corpus):
    dev, test = corpus.split("dev"), corpus.split("test")
    folds = k_folds(dev.songs.index, k=4)
    table = scoreboard({"linear": models.Linear()}, corpus, folds=folds, window=5)
    smoothed = score(dev.labels, moving_average(cross_validate(models.Linear(), dev, folds), 5))
    pd.testing.assert_frame_equal(table.xs(("linear", "smoothed", "CV")), smoothed)
    raw = models.Linear().fit(dev.features, dev.labels).predict(test.features)
    pd.testing.assert_frame_equal(table.xs(("linear", "raw", "test")), score(test.labels, raw))
    row = as_paper(table).loc[("test", "pooled", "linear", "raw")]
    for dimension in DIMENSIONS:
        expected = score(test.labels, raw).loc[(dimension, "pooled"), ["rmse", "pearson", "ccc"]]
        assert row[dimension][["RMSE", "r", "CCC"]].tolist() == expected.tolist()


def test_scoreboard_takes_schemes_that_do_not_score_every_song(corpus):
    dev = corpus.split("dev")
    folds, held_out = modulus_folds(dev.songs.index, modulus=4)
    table = scoreboard({"constant": models.Constant()}, corpus, folds=folds)
    songs = table.xs(("raw", "CV"), level=("output", "protocol"))["songs"]
    assert set(songs) == {len(dev.songs) - len(held_out)}


def side(corpus: Corpus, **split: str) -> Corpus:
    """The corpus with another division, such as dev="test"."""
    return replace(corpus, songs=corpus.songs.replace({"split": split}))


class Untrained:
    """Fails the test if it is trained."""

    def fit(self, *_: object, **__: object) -> None:
        pytest.fail("trained")


def test_without_test_songs_the_scoreboard_is_the_cross_validation_alone(corpus):
    folds = k_folds(corpus.split("dev").songs.index, k=2)
    whole = scoreboard({"linear": models.Linear()}, corpus, folds=folds)
    none = side(corpus, test=None)
    with pytest.warns(DataWarning, match="no scores on test songs: this task has no test songs"):
        table = scoreboard({"linear": models.Linear()}, none, folds=folds)
    pd.testing.assert_frame_equal(table, whole.xs("CV", level="protocol", drop_level=False))
    assert list(as_paper(table).index.unique("protocol")) == ["CV"]
    unlabelled = replace(corpus, labels=corpus.labels.loc[1:8])
    with pytest.warns(DataWarning, match="the 4 test songs have no labels"):
        again = scoreboard({"linear": models.Linear()}, unlabelled, folds=folds)
    pd.testing.assert_frame_equal(again, table)


def test_songs_without_labels_take_no_part_in_the_scoreboard(corpus):
    some = replace(corpus, labels=corpus.labels.drop([1, 12], level="song_id"))
    assert list(labelled(some, "dev").songs.index) == list(range(2, 9))
    folds = k_folds(labelled(some, "dev").songs.index, k=2)
    table = scoreboard({"constant": models.Constant()}, some, folds=folds)
    songs = table.xs(("constant", "raw"), level=("system", "output"))["songs"]
    assert set(songs.xs("CV", level="protocol")) == {7}
    assert set(songs.xs("test", level="protocol")) == {3}


def test_the_scoreboard_refuses_before_training(corpus):
    folds, untrained = k_folds(range(1, 9), k=2), {"none": Untrained()}
    with pytest.raises(ValueError, match=r"development songs with labels, found none \(0 .* 12 te"):
        scoreboard(untrained, side(corpus, dev="test"), folds=folds)
    for song_id in (3, 10):  # of a fold; of the test
        lacking = replace(corpus, features=corpus.features.drop(song_id, level="song_id"))
        with pytest.raises(ValueError, match=rf"features of all songs, .* for \[{song_id}\]"):
            scoreboard(untrained, lacking, folds=folds)
    alone = [Fold(pd.Index([], dtype=int), pd.Index([1]))]
    with pytest.raises(ValueError, match="songs to train on, found none in 0"):
        scoreboard(untrained, corpus, folds=alone)


def test_a_corpus_without_features_is_refused_with_what_would_give_some(corpus):
    empty = replace(corpus, features=NO_FEATURES)
    with pytest.raises(DataError, match="expected feature files, or audio of at least half"):
        cross_validate(models.Linear(), empty, [])

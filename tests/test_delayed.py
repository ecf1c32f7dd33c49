"""Delayed features, the linear model tuned on them, and networks that are given them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from mer_core import models
from mer_core.files import DataError
from mer_core.metrics import DIMENSIONS, pearson
from mer_core.models.delayed import DelayedLinear, delay_features
from mer_core.training import Dataset, Job

LATE = 4


@pytest.fixture(scope="module")
def late():
    """Twenty songs of white features; labels follow two of them 2 s later, with noise."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(20), 0.5 * np.arange(60)], names=["song_id", "time"])
    features = pd.DataFrame(rng.normal(size=(1200, 6)), index).add_prefix("f")
    heard = features[["f0", "f1"]].groupby(level="song_id").shift(LATE).fillna(0.0)
    labels = np.tanh(0.3 * heard + 0.1 * rng.normal(size=heard.shape)).set_axis(DIMENSIONS, axis=1)
    return features, labels[labels.index.get_level_values("time") >= 5]


@pytest.mark.parametrize(("delay", "window"), [(0, 1), (3, 1), (0, 5), (2, 4), (90, 1), (0, 90)])
def test_a_row_is_the_mean_of_earlier_rows_of_its_song(late, delay, window):
    features = late[0].iloc[:150]
    found = delay_features(features, delay=delay, window=window)
    for song in features.index.unique("song_id"):
        x = features.loc[song].to_numpy()
        for row in range(len(x)):
            last = max(row - delay, 0)
            expected = x[max(last - window + 1, 0) : last + 1].mean(axis=0)
            np.testing.assert_allclose(found.loc[song].to_numpy()[row], expected, atol=1e-12)


@pytest.mark.parametrize("options", [{"delay": -1}, {"window": 0}])
def test_a_delay_into_the_future_is_refused(late, options):
    with pytest.raises(ValueError, match="expected 0 and 1 or more"):
        delay_features(late[0], **options)


def test_a_gap_in_a_song_is_refused(late):
    with pytest.raises(DataError, match=r"a row every 0\.5 s"):
        delay_features(late[0].drop(late[0].index[7]))


def test_with_one_setting_it_is_ridge_regression(late):
    features, labels = late
    settings = {"delays": (0,), "windows": (1,), "penalties": (30.0,)}
    model = DelayedLinear(**settings).fit(features, labels)
    scaler = StandardScaler().fit(features.loc[labels.index])
    ridge = Ridge(alpha=30.0).fit(scaler.transform(features.loc[labels.index]), labels)
    expected = ridge.predict(scaler.transform(features))
    np.testing.assert_allclose(model.predict(features), expected, atol=1e-9)


def test_inner_errors_are_those_of_ridge_regressions_on_the_other_songs(late):
    features, labels = late
    model = DelayedLinear(delays=(LATE,), windows=(1,), penalties=(3.0,), folds=20)
    model.fit(features, labels)
    x = delay_features(features, delay=LATE).loc[labels.index]
    scaler = StandardScaler().fit(features.loc[labels.index])
    x, song = scaler.transform(x), labels.index.get_level_values("song_id")
    errors = [
        Ridge(alpha=3.0).fit(x[song != k], labels[song != k]).predict(x[song == k])
        - labels[song == k]
        for k in range(20)
    ]
    expected = np.square(pd.concat(errors)).mean()
    np.testing.assert_allclose(model.search_.iloc[0], expected, rtol=1e-6)


def test_the_true_delay_is_found_and_pays(late):
    features, labels = late
    model = DelayedLinear(penalties=(1.0, 1e3)).fit(features, labels)
    assert [tuple(map(int, model.chosen_[name][:2])) for name in DIMENSIONS] == [(LATE, 1)] * 2
    assert model.chosen_["valence"][2] == 1.0
    assert DelayedLinear().tune(features, labels) == (LATE, 1)
    plain = DelayedLinear(delays=(0,), windows=(1,)).fit(features, labels)
    r = [
        pearson(labels["arousal"], one.predict(features).loc[labels.index, "arousal"])
        for one in (model, plain)
    ]
    assert r[0] > 0.9 > 0.3 > r[1]


def test_each_dimension_has_its_own_delay(late):
    features, labels = late
    sooner = labels.assign(valence=features.loc[labels.index, "f0"].clip(-1, 1))
    chosen = DelayedLinear().fit(features, sooner).chosen_
    assert [int(chosen[name][0]) for name in DIMENSIONS] == [0, LATE]


def test_ranks_ignore_the_scale_of_a_feature(late):
    features, labels = late
    model, bent = (
        DelayedLinear(ranks=True).fit(x, labels).predict(x) for x in (features, np.exp(features))
    )
    np.testing.assert_allclose(model, bent, atol=0.05)


def test_a_network_is_given_delayed_features(late):
    features, labels = late
    network = models.ElmanRNN(epochs=15, seed=3)
    delayed = models.Delayed(network=network)
    data = Dataset(features, labels)
    jobs = [Job(data, train) for train in (range(15), range(5, 20))]
    for fitted in delayed.fit_many(jobs):
        assert fitted.pair_ == (LATE, 1)
    shifted = delay_features(features, delay=LATE)
    plain = network.fit_many([job.with_features(shifted) for job in jobs])[1]
    pd.testing.assert_frame_equal(fitted.predict(features), plain.predict(shifted))

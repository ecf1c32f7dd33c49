"""Intervals over songs: draws, paired differences, power."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mer_core.metrics import DIMENSIONS, score
from workbook.intervals import holm, intervals, metric_draws, paired
from workbook.valence import song_counts


@pytest.fixture(scope="module")
def tracks():
    """Labels of 40 songs of 10 to 30 frames, and two predictions of which one is better."""
    rng = np.random.default_rng(1)
    index = [(song, 0.5 * k) for song in range(40) for k in range(rng.integers(10, 30))]
    index = pd.MultiIndex.from_tuples(index, names=["song_id", "time"])
    labels = pd.DataFrame(rng.uniform(-0.5, 0.5, (len(index), 2)), index, DIMENSIONS)
    return labels, *(labels + rng.normal(0, sd, labels.shape) for sd in (0.2, 0.3))


def test_the_first_row_holds_the_scores_and_a_draw_those_of_its_songs(tracks):
    labels, track, _ = tracks
    counts = song_counts(40)
    drawn = metric_draws(labels, track, counts)
    assert len(drawn) == len(counts) == 2001
    copies = [song for song in range(40) for _ in range(int(counts[5, song]))]
    repeated = [
        pd.concat({number: part.loc[song] for number, song in enumerate(copies)}, names=["song_id"])
        for part in (labels, track)
    ]
    for row, pair in ((0, (labels, track)), (5, repeated)):
        expected = score(*pair)
        for dimension, aggregation, metric in drawn:
            value = expected.loc[(dimension, aggregation), metric]
            assert drawn.loc[row, (dimension, aggregation, metric)] == pytest.approx(value)


def test_intervals_and_power_are_those_of_a_t_test(tracks):
    labels, better, worse = tracks
    counts = song_counts(40)
    own, base = (metric_draws(labels, track, counts) for track in (better, worse))
    row = paired(own, base, songs=40).loc["valence", "mean", "rmse"]
    each = [
        np.sqrt(np.square(track - labels)["valence"].groupby(level="song_id").mean())
        for track in (better, worse)
    ]
    difference = each[0] - each[1]
    assert row["difference"] == pytest.approx(difference.mean())
    assert row["sd"] == pytest.approx(difference.std(), rel=0.1)
    assert np.log10(row["p"]) == pytest.approx(np.log10(stats.ttest_1samp(difference, 0)[1]), abs=3)
    assert row["difference_low"] < row["difference"] < row["difference_high"] < 0
    assert row["needed_low"] <= row["needed"] <= row["needed_high"]


def test_as_many_songs_as_are_needed_show_the_difference_in_80_of_100_samples():
    rng, songs = np.random.default_rng(0), 40
    differences = pd.DataFrame({"rmse": np.append(0.02, rng.normal(0.02, 0.01, 2000))})
    row = paired(differences, 0 * differences, songs=songs).loc["rmse"]
    assert row["sd"] == pytest.approx(0.01 * np.sqrt(songs), rel=0.05)
    sample = rng.normal(0.02, row["sd"], (4000, int(row["needed"])))
    found = stats.ttest_1samp(sample, 0, axis=1)[1] < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_a_difference_that_may_be_0_may_need_any_number_of_songs(tracks):
    labels, track, _ = tracks
    other = labels + np.random.default_rng(2).normal(0, 0.2, labels.shape)
    counts = song_counts(40)
    table = paired(*(metric_draws(labels, one, counts) for one in (track, other)), songs=40)
    spans = table["difference_low"] * table["difference_high"] < 0
    assert spans.any()
    assert np.isinf(table.loc[spans, "needed_high"]).all()
    assert np.isfinite(table.loc[spans, "needed_low"]).all()


def test_a_constant_has_no_r(tracks):
    drawn = metric_draws(tracks[0], tracks[0] * 0, song_counts(40))
    assert intervals(drawn).xs("pearson", level="metric")["value"].isna().all()


def test_holms_correction():
    p = pd.Series([0.04, 0.01, np.nan, 0.03])
    np.testing.assert_allclose(holm(p), [0.06, 0.03, np.nan, 0.06])

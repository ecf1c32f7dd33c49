"""Verdicts on the papers' claims: tests against scipy, planted differences, what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mer_core.files import DataError
from mer_core.metrics import METRICS
from workbook.papers import claims, comparisons, judge, verdicts
from workbook.papers.verdicts import CELL
from workbook.results import stored_scores, stored_songs

FUSION = "tsinghua-elm-better-valence"
LEVELS = [*CELL, "seed"]


def results(sides: dict[tuple, np.ndarray], metric: str = "rmse", seeds: int = 1) -> tuple:
    """Score tables in which each cell has these values over songs; its mean and sd beside."""
    songs, scores = {}, {}
    for cell, values in sides.items():
        for seed in range(seeds):
            for song, value in enumerate(values):
                songs[*cell, seed, song] = {metric: value + 0.001 * seed}
            scores[*cell, seed, "mean"] = {metric: np.mean(values) + 0.001 * seed}
            scores[*cell, seed, "sd"] = {metric: np.std(values, ddof=1)}
    table = pd.DataFrame.from_dict(scores, orient="index").reindex(columns=list(METRICS))
    by_song = pd.DataFrame.from_dict(songs, orient="index")
    return (
        table.rename_axis([*LEVELS, "aggregation"]),
        by_song.rename_axis([*LEVELS, "song_id"]),
    )


def fusions(elm: np.ndarray, average: np.ndarray, **options: int) -> tuple:
    cells = [(name, "FS1", "raw", "valence", "test") for name in ("BLSTM-ELM", "BLSTM average")]
    return results(dict(zip(cells, (elm, average))), **options)


def of(judged: pd.DataFrame, claim: str) -> pd.DataFrame:
    return judged[judged["claim"] == claim]


@pytest.fixture
def errors():
    return np.random.default_rng(0).normal(0.3, 0.05, size=(2, 30))


def test_p_is_that_of_scipys_paired_tests(errors):
    elm, average = errors
    pair = of(judge(*fusions(elm, average)), FUSION).iloc[0]
    assert pair["p"] == pytest.approx(stats.ttest_rel(elm, average).pvalue)
    assert pair["wilcoxon"] == pytest.approx(stats.wilcoxon(elm, average).pvalue)
    assert pair["per_song"] == pytest.approx((average - elm).mean())
    assert pair["ours"] == pytest.approx(average.mean() - elm.mean())
    assert pair["printed"] == pytest.approx(0.308 - 0.303, abs=0.02)


@pytest.mark.parametrize(
    ("gain", "finding", "verdict"),
    [(0.1, "as said", "comes out"), (-0.1, "against", "does not come out"), (0, "open", "open")],
)
def test_a_planted_difference_is_found_with_its_sign(errors, gain, finding, verdict):
    elm, average = errors[0], errors[0][::-1] + gain
    judged = judge(*fusions(elm, average, seeds=3))
    assert of(judged, FUSION)["finding"].tolist() == [finding]
    assert verdicts(judged).loc[FUSION, "verdict"] == verdict


def test_where_a_higher_score_is_better_the_sign_turns(errors):
    claim = "munich14-run-4-highest-arousal-r"
    cells = {
        (f"LSTM 2014 run {run}", "FS2", "raw", "arousal", "test"): errors[0] + (run == 4) * 0.2
        for run in (1, 2, 4, 5)
    }
    judged = judge(*results(cells, metric="pearson"))
    # Constant differences: p is 0, whatever the test.
    assert set(of(judged, claim)["finding"]) == {"as said"}
    assert verdicts(judged).loc[claim, "evidence"] == "3 of 3 as said; r +0.200 to +0.200"


@pytest.mark.parametrize(
    ("shift", "noise", "verdict"),
    [(0.1, 0.01, "does not come out"), (0, 0.01, "nothing against it"), (0.1, 2.0, "open")],
)
def test_alike_is_contradicted_by_a_difference_and_left_open_by_a_noisy_one(shift, noise, verdict):
    rng = np.random.default_rng(1)
    first, noisy = rng.normal(0.3, 0.05, 20), rng.normal(size=20)
    values = {20: first, 30: first + shift + noise * (noisy - noisy.mean())}
    cells = {
        (f"BLSTM {length}", "FS1", "raw", dimension, "test"): values[length]
        for length in values
        for dimension in ("valence", "arousal")
    }
    judged = judge(*results(cells))
    assert verdicts(judged).loc["tsinghua-20-and-30-alike", "verdict"] == verdict


def test_different_songs_are_compared_by_welchs_test(errors):
    cell, test_errors = ("Elman", "FS1", "smoothed", "valence"), errors[1] + 0.2
    scores, songs = results({(*cell, "CV"): errors[0], (*cell, "test"): test_errors})
    songs = songs.reset_index()
    songs["song_id"] += 1000 * (songs["protocol"] == "test")
    songs = songs.set_index([*LEVELS, "song_id"])
    pair = of(judge(scores, songs), "irit-valence-fails-on-test").query("metric == 'rmse'").iloc[0]
    welch = stats.ttest_ind(errors[0], test_errors, equal_var=False)
    assert pair["p"] == pytest.approx(welch.pvalue)
    assert np.isnan(pair["wilcoxon"])
    assert pair["finding"] == "as said"


def test_a_claim_about_spread_is_tested_on_variances():
    claim, rng = "herremans-ae-least-variance-arousal", np.random.default_rng(0)
    values = {"AE-LSTM": rng.normal(0.3, 0.01, 200), "BLSTM-ELM": rng.normal(0.3, 0.2, 200)}
    features = {"AE-LSTM": "mel", "BLSTM-ELM": "FS1"}
    cells = {(name, features[name], "raw", "arousal", "test"): v for name, v in values.items()}
    pair = of(judge(*results(cells)), claim).iloc[0]
    assert pair["finding"] == "as said"
    assert pair["ours"] == pytest.approx(np.std(values["BLSTM-ELM"], ddof=1) - 0.01, abs=0.01)
    assert pair["p"] < 1e-10
    assert pair["p"] != pytest.approx(stats.ttest_rel(*values.values()).pvalue)


def test_nothing_to_compare_is_said_and_not_filled():
    judged = judge(*fusions(np.array([0.2, 0.3]), np.array([0.3, 0.2])))
    others = judged[judged["claim"] != FUSION]
    assert set(others["finding"]) == {"not run"}
    rows = verdicts(judged)
    assert list(rows.index) == list(claims().index)
    without = set(rows.index) - set(comparisons()["claim"])
    assert set(rows.loc[sorted(without), "verdict"]) == {""}
    assert rows.loc["irit-268-helps", "verdict"] == "not run"


def test_two_aggregations_that_point_in_two_directions_leave_a_pair_open(errors):
    scores, songs = fusions(errors[0], errors[0] + 0.1 + 0.001 * errors[1])
    assert of(judge(scores, songs), FUSION)["finding"].tolist() == ["as said"]
    scores["rmse"] = -scores["rmse"]
    assert of(judge(scores, songs), FUSION)["finding"].tolist() == ["open"]


def test_p_is_adjusted_within_a_paper():
    judged = judge(stored_scores(), stored_songs())
    for _, pairs in judged.dropna(subset="p").groupby("paper"):
        expected = stats.false_discovery_control(pairs["p"])
        np.testing.assert_allclose(pairs["adjusted"], expected)


def test_a_missing_level_is_named():
    scores, songs = fusions(np.array([0.2, 0.3]), np.array([0.3, 0.2]))
    with pytest.raises(DataError, match=r"songs.*song_id"):
        judge(scores, songs.droplevel("song_id"))

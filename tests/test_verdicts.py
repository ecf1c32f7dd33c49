"""Verdicts on the papers' claims: error rates by simulation, pairing, what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mer_core.files import DataError
from workbook.intervals import contributions, difference, holm, metric_draws
from workbook.papers import claims, comparisons, judge, verdict_list, verdicts
from workbook.papers.verdicts import CELL
from workbook.results import stored_songs
from workbook.valence import song_counts

FUSION = "tsinghua-elm-better-valence"
LEVELS = [*CELL, "seed", "song_id"]


def table(sides: dict[tuple, np.ndarray], metric: str = "rmse", seeds: int = 1) -> pd.DataFrame:
    """Scores of songs: these values over songs for each cell, plus .001 a seed."""
    rows = {
        (*cell, seed, song): {metric: value + 0.001 * seed}
        for cell, values in sides.items()
        for seed in range(seeds)
        for song, value in enumerate(values)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(LEVELS)


def fusions(elm: np.ndarray, average: np.ndarray, **options: int) -> pd.DataFrame:
    cells = [(name, "FS1", "raw", "valence", "test") for name in ("BLSTM-ELM", "BLSTM average")]
    return table(dict(zip(cells, (elm, average))), **options)


def of(judged: pd.DataFrame, claim: str) -> pd.DataFrame:
    return judged[judged["claim"] == claim]


@pytest.fixture
def errors():
    return np.random.default_rng(0).normal(0.3, 0.05, size=(2, 30))


# Error rates, by simulation


@pytest.mark.parametrize("songs", [8, 16, 58])
def test_without_a_difference_5_in_100_are_significant_and_the_detectable_one_is_found_in_80(songs):
    rng = np.random.default_rng(songs)
    noise = pd.DataFrame(rng.normal(0, 0.05, (800, songs)))
    rows = pd.DataFrame([difference(x, 0 * x) for _, x in noise.iterrows()])
    assert (rows["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.025)
    assert ((rows["low"] < 0) & (rows["high"] > 0)).mean() == pytest.approx(0.95, abs=0.025)
    t = stats.t(songs - 1)
    planted = (t.ppf(0.975) + t.ppf(0.8)) * 0.05 / np.sqrt(songs)
    assert rows["detectable"].mean() == pytest.approx(planted, rel=0.05)
    rows = pd.DataFrame([difference(x + planted, 0 * x) for _, x in noise.iterrows()])
    assert (rows["p"] < 0.05).mean() == pytest.approx(0.8, abs=0.05)
    assert (rows["difference"] > 0)[rows["p"] < 0.05].mean() > 0.99


def worlds(gain: float, count: int, songs: int = 40) -> pd.Series:
    """Verdicts on all comparisons of Tsinghua in worlds whose fusions are better by a gain."""
    rng, pairs = np.random.default_rng(1), comparisons()
    pairs = pairs[pairs["claim"].str.startswith("tsinghua-f") & (pairs["relation"] == "better")]
    cells = {tuple(p[f"{side}_{k}"] for k in CELL) for side in ("better", "worse")
             for _, p in pairs.iterrows()}  # fmt: skip
    found = {}
    for world in range(count):
        hard = rng.normal(0.3, 0.1, songs)  # songs are hard for all systems
        better = {cell: cell[0].startswith(("BLSTM-", "BLSTM av")) for cell in sorted(cells)}
        sides = {k: hard + rng.normal(0, 0.03, songs) - gain * v for k, v in better.items()}
        found[world] = judge(table(sides), pairs=pairs)["verdict"]
    return pd.concat(found, names=["world"])


def test_where_nothing_differs_few_worlds_have_a_false_verdict():
    found = worlds(gain=0.0, count=40)
    wrong = (found != "too few songs").groupby(level="world").any()
    assert wrong.mean() <= 0.125, "5 % expected, less since comparisons share systems"


def test_a_planted_difference_is_found_in_its_direction():
    found = worlds(gain=0.04, count=8)
    shares = found.value_counts(normalize=True)
    assert shares["reproduced"] > 0.8
    # By construction, the fusions are better than the length of 10, which the claim denies.
    assert 0.03 < shares["contradicted"] < 0.1


# Differences


def test_p_is_that_of_scipys_paired_t_test(errors):
    elm, average = errors
    pair = of(judge(fusions(elm, average)), FUSION).iloc[0]
    test = stats.ttest_rel(average, elm)
    assert pair["p"] == pytest.approx(test.pvalue)
    interval = test.confidence_interval(0.95)
    assert (pair["low"], pair["high"]) == pytest.approx((interval.low, interval.high))
    assert pair["difference"] == pytest.approx((average - elm).mean())
    assert pair["printed"] == pytest.approx(0.013)


def test_songs_are_paired_by_their_number():
    own, base = (pd.Series(k, range(20)) for k in np.random.default_rng(0).normal(size=(2, 20)))
    same = difference(own, base)
    assert difference(own, base.sample(frac=1, random_state=1)) == pytest.approx(same)


def test_songs_stay_paired_in_any_order(errors):
    hard = np.linspace(0, 5, 30)  # much larger than the difference
    songs = fusions(hard + 0.001 * errors[0], hard + 0.02, seeds=2)
    shuffled = songs.sample(frac=1, random_state=0)
    for one in (songs, shuffled):
        pair = of(judge(one), FUSION).iloc[0]
        assert pair["verdict"] == "reproduced"
        assert pair["difference"] == pytest.approx(0.0197, abs=1e-4)
        assert pair["songs"] == 30
    half = shuffled[shuffled.index.get_level_values("song_id") < 20]
    mixed = pd.concat(
        [half.xs("BLSTM-ELM", drop_level=False), songs.xs("BLSTM average", drop_level=False)]
    )
    assert of(judge(mixed), FUSION).iloc[0]["songs"] == 20


def test_different_songs_are_compared_by_welchs_test(errors):
    cell, test_errors = ("Elman", "FS1", "smoothed", "valence"), errors[1] + 0.2
    songs = table({(*cell, "CV"): errors[0], (*cell, "test"): test_errors}).reset_index()
    songs["song_id"] += 1000 * (songs["protocol"] == "test")
    judged = judge(songs.set_index(LEVELS))
    pair = of(judged, "irit-valence-fails-on-test").query("metric == 'rmse'").iloc[0]
    welch = stats.ttest_ind(test_errors, errors[0], equal_var=False)
    assert pair["p"] == pytest.approx(welch.pvalue)
    interval = welch.confidence_interval(0.95)
    assert (pair["low"], pair["high"]) == pytest.approx((interval.low, interval.high))
    assert pair["verdict"] == "reproduced"


def test_the_linearised_pooled_rmse_has_the_error_of_the_bootstrap():
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([range(60), np.arange(20) / 2], names=["song_id", "time"])
    labels = pd.DataFrame(rng.uniform(-0.5, 0.5, (1200, 2)), index, ["valence", "arousal"])
    hard = rng.uniform(0.05, 0.4, 60).repeat(20)[:, None]
    track = labels + hard * rng.normal(size=labels.shape)
    drawn = metric_draws(labels, track, song_counts(60))["valence", "pooled", "rmse"]
    squares = ((track - labels)["valence"] ** 2).groupby(level="song_id").mean()
    values = contributions(pd.concat({0: squares**0.5}, names=["seed"]), "pooled rmse")
    assert values.mean() == pytest.approx(drawn[0])
    assert values.std() / np.sqrt(60) == pytest.approx(drawn[1:].std(), rel=0.05)


def test_the_linearised_spread_over_songs_has_the_error_of_many_samples():
    rng = np.random.default_rng(0)
    samples = rng.normal(0.3, 0.1, (1000, 50))
    values = contributions(
        pd.DataFrame(samples[:1].T).stack().swaplevel().rename_axis(["seed", "song_id"]), "sd"
    )
    assert values.mean() == pytest.approx(samples[0].std())
    assert values.std() / np.sqrt(50) == pytest.approx(samples.std(axis=1).std(), rel=0.25)


# Verdicts


@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.1, "reproduced"), (-0.1, "contradicted"), (0, "too few songs")]
)
def test_a_difference_counts_with_its_sign(errors, gain, verdict):
    judged = judge(fusions(errors[0], errors[0][::-1] + gain, seeds=3))
    assert of(judged, FUSION)["verdict"].tolist() == [verdict]
    row = verdicts({"synthetic": judged}).loc[FUSION]
    assert row["synthetic"] == verdict
    assert row["synthetic, evidence"].endswith("30 songs")
    assert "detectable 0.0" in row["synthetic, evidence"]


def test_where_a_higher_score_is_better_the_sign_turns(errors):
    claim = "munich14-run-4-highest-arousal-r"
    cells = {
        (f"LSTM 2014 run {run}", "FS2", "raw", "arousal", "test"): errors[0] + (run == 4) * 0.2
        for run in (1, 2, 4, 5)
    }
    judged = judge(table(cells, metric="pearson"))
    assert set(of(judged, claim)["verdict"]) == {"reproduced"}


@pytest.mark.parametrize(
    ("shift", "noise", "verdict"),
    [(0.1, 0.01, "contradicted"), (0, 0.01, "reproduced"), (0.1, 2.0, "too few songs")],
)
def test_alike_is_reproduced_by_a_narrow_interval_around_0_alone(shift, noise, verdict):
    rng = np.random.default_rng(1)
    first, noisy = rng.normal(0.3, 0.05, 20), rng.normal(size=20)
    values = {20: first, 30: first + shift + noise * (noisy - noisy.mean())}
    cells = {
        (f"BLSTM {length}", "FS1", "raw", dimension, "test"): values[length]
        for length in values
        for dimension in ("valence", "arousal")
    }
    found = verdicts({"synthetic": judge(table(cells))})
    assert found.loc["tsinghua-20-and-30-alike", "synthetic"] == verdict


def test_one_contradiction_contradicts_a_claim_and_one_gap_leaves_it_open(errors):
    claim = "munich14-run-4-lowest-error"
    shifts = {1: 0.1, 2: 0.1, 3: 0.1, 4: 0.0, 5: -0.1}
    for last, verdict in ((-0.1, "contradicted"), (0.0, "too few songs"), (0.1, "reproduced")):
        cells = {
            (f"LSTM 2014 run {run}", "FS2", "raw", dimension, "test"): errors[int(run == 5)] + shift
            for run, shift in (shifts | {5: last}).items()
            for dimension in ("valence", "arousal")
        }
        assert verdicts({"x": judge(table(cells))}).loc[claim, "x"] == verdict


def test_where_there_is_one_protocol_claims_within_a_protocol_are_judged_by_it(errors):
    songs = fusions(errors[0], errors[0] + 0.1 + 0.01 * errors[1]).rename({"test": "CV"})
    judged = judge(songs)
    assert of(judged, FUSION)["verdict"].tolist() == ["reproduced"]
    assert set(of(judged, "tsinghua-test-error-higher")["verdict"]) == {"not comparable"}


def test_nothing_to_compare_is_said_and_not_filled_and_a_missing_level_is_named():
    songs = fusions(np.array([0.2, 0.3]), np.array([0.3, 0.2]))
    with pytest.raises(DataError, match=r"songs.*song_id"):
        judge(songs.droplevel("song_id"))
    judged = judge(songs)
    assert set(judged[judged["claim"] != FUSION]["verdict"]) == {"not comparable"}
    rows = verdicts({"synthetic": judged})
    assert list(rows.index) == list(claims().index)
    without = set(rows.index) - set(comparisons()["claim"])
    assert set(rows.loc[sorted(without), "synthetic"]) == {""}
    assert rows.loc["irit-268-helps", "synthetic"] == "not comparable"


@pytest.mark.parametrize("data", ["mini", "deam", "vgmidi"])
def test_p_is_adjusted_within_a_paper_and_every_comparison_has_one_verdict(data):
    judged = judge(stored_songs(data))
    for _, pairs in judged.groupby("paper"):
        pd.testing.assert_series_equal(pairs["p_holm"], holm(pairs["p"]), check_names=False)
    assert judged["verdict"].notna().all()
    known = judged[judged["verdict"] != "not comparable"]
    assert (known[["low", "high", "detectable", "songs"]].notna()).all(axis=None)
    assert known["songs"].max() == {"mini": 96, "deam": 744, "vgmidi": 160}[data]


def test_a_list_of_claims_has_each_decided_claim_once_and_no_undecided_one_of_real_music():
    rows = pd.DataFrame(
        {
            "claim": ["A.", "B.", "C."],
            "synthetic": ["reproduced", "too few songs", ""],
            "DEAM, real": ["too few songs", "contradicted", ""],
            "VGMIDI, real": ["not comparable", "not comparable", ""],
        }
    )
    assert verdict_list(rows).splitlines() == [
        "- synthetic: **reproduced** (1)",
        "    - A.",
        "- synthetic: **too few songs** (1)",
        "    - B.",
        "- DEAM, real: **contradicted** (1)",
        "    - B.",
    ]

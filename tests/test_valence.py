"""The analyses of lesson 09 against explicit computations, scipy and the real annotations."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mer_core import load_corpus
from mer_core.agreement import cronbach_alpha
from mer_core.files import DataWarning
from mer_core.metrics import DIMENSIONS, METRICS, ccc, pearson, r2
from workbook import results, valence
from workbook.studies import valence as deam_studies
from workbook.studies import valence_mini as mini_studies
from workbook.studies.valence_systems import PENALTIES, SYSTEMS, Problem, answer, ridge


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator for each test, so that results do not depend on the order of tests."""
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def labels() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product(
        [range(30), np.arange(15, 25, 0.5)], names=["song_id", "time"]
    )
    means = np.repeat(rng.normal(size=(30, 2)) @ [[1, 0.6], [0, 0.8]], 20, axis=0)
    return pd.DataFrame(means + 0.3 * rng.normal(size=(600, 2)), index, DIMENSIONS)


def problem(songs: int = 60, frames: int = 1, penalty: float | None = 1.0) -> Problem:
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product(
        [range(songs), np.arange(frames) / 2], names=["song_id", "time"]
    )
    x = pd.DataFrame(rng.normal(3, 2, (len(index), 4)), index).add_prefix("x")
    arousal = x["x0"] - 3 + 0.2 * rng.normal(size=len(x))
    own = x["x1"] - 3 + 0.2 * rng.normal(size=len(x))
    y = pd.DataFrame({"valence": 0.1 * (arousal + own) + 0.2, "arousal": 0.1 * arousal})
    heard = pd.DataFrame(rng.normal(3, 2, (40, 4)), columns=list(x))
    heard.index = pd.MultiIndex.from_product([range(100, 140), [0.0]], names=index.names)
    return Problem(x, y, heard, penalty, seed=0)


def test_counts_weigh_as_repeating_does(rng):
    y, p, counts = rng.normal(size=20), rng.normal(size=20), rng.integers(0, 4, 20)
    found = valence.weighted_scores(y, p, counts)
    for name, metric in METRICS.items():
        assert found[name] == pytest.approx(metric(np.repeat(y, counts), np.repeat(p, counts)))
    many = valence.weighted_scores(y, p, np.stack([counts, np.ones(20)]))
    assert many["r2"].tolist() == pytest.approx([found["r2"], r2(y, p)])
    assert np.isnan(valence.weighted_scores(y, y * 0 + 1, counts)["pearson"])


def test_three_correlations_against_explicit_ones(labels):
    table = valence.label_correlations(labels, draws=20)
    means = labels.groupby("song_id").mean()
    own = [pearson(song["valence"], song["arousal"]) for _, song in labels.groupby("song_id")]
    assert table.loc["pooled", "value"] == pytest.approx(labels.corr().iloc[0, 1])
    assert table.loc["over song means", "value"] == pytest.approx(means.corr().iloc[0, 1])
    assert table.loc["within songs", "value"] == pytest.approx(np.mean(own))
    assert table.loc["within songs", "sd_over_songs"] == pytest.approx(np.std(own, ddof=1))


def test_intervals_are_those_of_drawing_whole_songs_anew(labels):
    table = valence.label_correlations(labels, draws=60, seed=3)
    counts = valence.song_counts(30, draws=60, seed=3)[1:].astype(int)
    songs = [song for _, song in labels.groupby("song_id")]
    drawn = [
        pd.concat([song for song, times in zip(songs, row) for _ in range(times)]).corr().iloc[0, 1]
        for row in counts
    ]
    expected = np.percentile(drawn, [2.5, 97.5])
    assert table.loc["pooled", ["low", "high"]].tolist() == pytest.approx(expected.tolist())


def test_what_has_no_r_is_left_out(labels):
    found = valence.interval([0.5, np.nan, np.nan])
    assert (found["value"], np.isnan(found["low"]), np.isnan(found["high"])) == (0.5, True, True)
    assert valence.interval([np.nan, 1.0, np.nan])["low"] == 1
    flat = labels.copy()
    flat.loc[[0], "valence"] = 0.1
    assert valence.label_correlations(flat, draws=5).loc["within songs", "songs"] == 29


def test_knowing_song_means_gives_the_root_of_the_share_between_songs(labels):
    means = labels.groupby("song_id").transform("mean")
    share = valence.between_song_variance(labels)
    for name in DIMENSIONS:
        assert np.sqrt(share[name]) == pytest.approx(pearson(labels[name], means[name]))


def test_the_ceiling_is_reached_by_the_truth_and_by_nothing_better(rng):
    truth, error = rng.normal(size=200_000), rng.normal(size=(200_000, 6))
    ratings = truth[:, None] + 2 * error
    alpha = cronbach_alpha(ratings)
    assert pearson(truth, ratings.mean(axis=1)) == pytest.approx(
        float(valence.ceiling(alpha)), abs=0.01
    )
    assert float(valence.spearman_brown(cronbach_alpha(ratings[:, :3]), 2)) == pytest.approx(
        alpha, abs=0.01
    )
    assert float(valence.ceiling(-3.0)) == 0


def test_reliability_of_means_is_icc_1k_and_that_of_years_their_mean(rng):
    columns, expected = [], []
    for year, raters in {2013: 10, 2015: 5}.items():
        ratings = rng.normal(size=(4000, 1)) + 1.5 * rng.normal(size=(4000, raters))
        between = raters * ratings.mean(axis=1).var(ddof=1)
        expected.append((between - ratings.var(axis=1, ddof=1).mean()) / between)
        assert expected[-1] == pytest.approx(1 / (1 + 1.5**2 / raters), abs=0.03)
        spread = {"valence_mean": ratings.mean(axis=1), "valence_std": ratings.std(axis=1, ddof=1)}
        columns.append(pd.DataFrame(spread).assign(year=year, raters=raters))
    counts = valence.song_counts(8000, draws=20)
    draws = deam_studies.reliability_draws(pd.concat(columns), "valence", counts)
    assert draws[0] == pytest.approx(np.mean(expected))
    assert np.ptp(draws[1:]) > 0


def test_shift_is_cohens_d_and_a_classifier_tells_the_shifted_from_the_same(rng):
    a, b = rng.normal(size=(80, 5)), rng.normal(size=(60, 5)) * 2 + 1
    table = valence.feature_shift(pd.DataFrame(a), pd.DataFrame(b))
    pooled = np.sqrt((a[:, 0].var(ddof=1) + b[:, 0].var(ddof=1)) / 2)
    assert table.loc[0, "difference"] == pytest.approx((b[:, 0].mean() - a[:, 0].mean()) / pooled)
    assert table.loc[0, "spread_ratio"] == pytest.approx(b[:, 0].std(ddof=1) / a[:, 0].std(ddof=1))
    assert valence.domain_auc(pd.DataFrame(a), pd.DataFrame(b)) > 0.8
    same = pd.DataFrame(rng.normal(size=(160, 5)))
    assert 0.3 < valence.domain_auc(same[:100], same[100:]) < 0.7


def test_the_two_parts_of_r_add_up_and_are_what_regression_gives(rng):
    a, v = rng.normal(size=(2, 300))
    v = 0.6 * a + v
    p = 0.5 * a + 0.4 * v + rng.normal(size=300)
    split = valence.arousal_split(p, v, a)
    line = stats.linregress(a, p)
    fitted, rest = line.intercept + line.slope * a, p - line.intercept - line.slope * a
    covariance = {k: np.cov(x, v)[0, 1] / p.std(ddof=1) / v.std(ddof=1) for k, x in
                  {"through_arousal": fitted, "beyond_arousal": rest}.items()}  # fmt: skip
    for name, expected in covariance.items():
        assert split[name] == pytest.approx(expected)
    assert sum(covariance.values()) == pytest.approx(pearson(p, v))
    assert split["arousal_in_prediction"] == pytest.approx(fitted.var() / p.var())
    free = v - np.polyval(np.polyfit(a, v, 1), a)
    assert split["partial"] == pytest.approx(pearson(rest, free))


def test_shape_scale_and_offset_make_r2(rng):
    y, p = rng.normal(size=(2, 50))
    parts = valence.error_parts(y, p + y + 1)
    assert parts["r2"] == pytest.approx(r2(y, p + y + 1))
    assert parts["shape"] - parts["scale"] - parts["offset"] == pytest.approx(parts["r2"])


@pytest.mark.parametrize("correlation", [-0.2, 0.0, 0.6, 0.9])
def test_weights_give_the_correlation_and_keep_all_else(labels, correlation, rng):
    songs = pd.DataFrame(rng.normal(size=(800, 2)) @ [[1, 0.6], [0, 0.8]], columns=DIMENSIONS)
    weights = valence.tilt(songs, correlation)
    means, covariance = np.average(songs, 0, weights), np.cov(songs.T, aweights=weights, ddof=0)
    found = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found == pytest.approx(correlation, abs=0.01)
    assert np.diag(covariance) == pytest.approx(songs.var(ddof=0).to_numpy(), rel=0.01)
    assert means == pytest.approx(songs.mean().to_numpy(), abs=0.01)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_correlation_out_of_reach_is_refused():
    songs = pd.DataFrame({"valence": np.arange(20.0), "arousal": np.arange(20.0)})
    with pytest.raises(ValueError, match="expected one that weights of these 20 songs can give"):
        valence.tilt(songs, 0.0)


def test_ranks_among_draws_count_tails():
    row = valence.rank_among_draws(2.0, [0, 1, 2, 3, 4, np.nan])
    assert (row["lower"], row["higher"], row["median"]) == (4 / 6, 4 / 6, 2)


# Systems and remedies


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_predicts_every_row_and_learns(system):
    given = problem(frames=6)
    predicted = answer(system, given)
    assert predicted.index.equals(given.test_features.index)
    truth = given.test_features["x0"] - 3
    if system != "constant":
        assert pearson(truth, predicted["arousal"]) > 0.8


def test_ridge_is_the_textbooks():
    given = problem(penalty=7.0)
    mean, sd = given.features.mean(), given.features.std(ddof=0)
    x, y = ((given.features - mean) / sd).to_numpy(), given.labels[DIMENSIONS].to_numpy()
    w = np.linalg.solve(x.T @ x + 7 * np.eye(4), x.T @ (y - y.mean(axis=0)))
    expected = ((given.test_features - mean) / sd).to_numpy() @ w + y.mean(axis=0)
    np.testing.assert_allclose(ridge(given), expected)
    assert ridge(given._replace(penalty=None)).shape == expected.shape
    assert min(PENALTIES) < 100 < max(PENALTIES)


def test_the_residual_has_nothing_of_arousal_and_weights_less_than_plain_ridge():
    given = problem(songs=300)
    own = given.test_features["x0"]
    in_it = {
        name: abs(pearson(own, answer(name, given)["valence"]))
        for name in ("ridge", "decorrelating weights", "valence freed from arousal", "arousal only")
    }
    assert in_it["valence freed from arousal"] < 0.25 < in_it["ridge"]
    assert in_it["decorrelating weights"] < in_it["ridge"] < in_it["arousal only"]


def test_the_stretch_for_ccc_leaves_r_and_raises_ccc_where_ridge_is_too_cautious():
    given = problem(songs=200, penalty=500.0)
    plain, stretched = (answer(name, given)["valence"] for name in ("ridge", "CCC"))
    truth = 0.1 * (given.test_features["x0"] - 3 + given.test_features["x1"] - 3) + 0.2
    assert pearson(plain, stretched) == pytest.approx(1)
    assert ccc(truth, stretched) > ccc(truth, plain) + 0.1


def test_alignment_undoes_another_mix_that_ruins_plain_ridge():
    given = problem(songs=300)
    truth = given.test_features["x0"] - 3
    given = given._replace(test_features=given.test_features * [5, 0.2, 1, 1] + [40, 0, 0, 0])
    errors = {
        name: (answer(name, given)["arousal"] / 0.1 - truth).abs().mean()
        for name in ("standardised per collection", "CORAL", "ridge")
    }
    assert max(errors["standardised per collection"], errors["CORAL"]) < 1 < errors["ridge"]


# Real annotations, the embedded corpus


def test_the_stored_labels_have_the_papers_correlation_and_its_two_neighbours():
    table, kinds = results.table("valence_labels"), ("pooled", "over song means", "within songs")
    for side, values in {"431": (0.614, 0.617, 0.485), "58": (-0.197, 0.035, 0.00)}.items():
        part = table.loc[side]
        three = part.loc[[f"r(valence, arousal) {kind}" for kind in kinds]]
        assert three["value"].tolist() == pytest.approx(values, abs=0.006)
        spread = part.loc["sd over songs of r(valence, arousal)", "value"]
        assert spread == pytest.approx(0.59, abs=0.01)
        assert ((three["low"] < three["value"]) & (three["value"] < three["high"])).all()
    for name in DIMENSIONS:
        constant = table.loc[("58", f"{name}: RMSE of the constant"), "value"]
        assert constant == pytest.approx(0.271, abs=0.001)


def test_tasks_share_no_song_between_training_and_test(real_deam, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(real_deam))
    with warnings.catch_warnings(action="ignore", category=DataWarning):  # test_deam.py has them
        real = deam_studies.deam_valence()
    for task in deam_studies.TASKS:
        for fold in deam_studies.tasks(real, task, 0):
            assert fold.train.intersection(fold.test).empty
    assert len(deam_studies.tasks(real, "1744 to 58", 0)[0].test) == 58
    assert len(deam_studies.tasks(real, "431 to 58", 0)[0].train) == 431


def test_a_world_of_mini_is_as_the_data_card_has_it():
    _, test, _ = mini_studies.mini_sides(load_corpus("mini"), "test")
    paths, crews = mini_studies.composed(test), mini_studies.CREWS
    means = [song[0].mean(axis=0) for song in mini_studies.rated(paths, None, 0.4, 0)]
    assert np.corrcoef(np.transpose(means))[0, 1] == pytest.approx(0.4, abs=0.02)
    few, most = (
        mini_studies.mean_alpha(mini_studies.rated(paths, crews[name], 0.4, 0))
        for name in ("nine in ten ignore valence", "as in development")
    )
    assert few < 0.3 < 0.6 < most

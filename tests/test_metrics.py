import numpy as np
import pandas as pd
import pytest
import torch
import torchmetrics.functional.regression as independent
from scipy import stats

from mer_core.metrics import ccc, pearson, r2, rmse, score, score_songs


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    y = rng.normal(0.2, 0.3, 500)
    return y, 0.6 * y + rng.normal(-0.1, 0.2, 500)


@pytest.fixture
def tracks() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(2)
    labels = track({song_id: rng.uniform(-1, 1, (9, 2)).tolist() for song_id in (3, 4, 8)})
    return labels, labels / 2 + rng.normal(0, 0.2, labels.shape)


def track(values: dict[int, list[list[float]]]) -> pd.DataFrame:
    parts = {
        song_id: pd.DataFrame(rows, columns=["valence", "arousal"])
        for song_id, rows in values.items()
    }
    frame = pd.concat(parts, names=["song_id", "time"])
    return frame.set_index(frame.index.set_levels(frame.index.levels[1] / 2, level=1))


def test_pearson_equals_scipy(pair):
    assert pearson(*pair) == pytest.approx(stats.pearsonr(*pair).statistic, abs=1e-12)


def test_rmse_and_r2_equal_torchmetrics(pair):
    y, p = map(torch.tensor, pair)
    mse = independent.mean_squared_error(p, y)
    assert rmse(*pair) == pytest.approx(float(mse) ** 0.5, rel=1e-9)
    assert r2(*pair) == pytest.approx(float(independent.r2_score(p, y)), rel=1e-9)


def test_ccc_equals_torchmetrics_and_an_explicit_loop(pair):
    y, p = pair
    my, mp = sum(y) / len(y), sum(p) / len(p)
    covariance = sum((a - my) * (b - mp) for a, b in zip(y, p)) / len(y)
    variances = sum((a - my) ** 2 + (b - mp) ** 2 for a, b in zip(y, p)) / len(y)
    assert ccc(y, p) == pytest.approx(2 * covariance / (variances + (my - mp) ** 2), rel=1e-12)
    theirs = independent.concordance_corrcoef(torch.tensor(p), torch.tensor(y))
    # torchmetrics divides by n - 1 where Lin's population form divides by n
    assert ccc(y, p) == pytest.approx(float(theirs), rel=5e-3)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_a_constant_has_no_r(constant):
    assert np.isnan(pearson([0.1, 0.2, 0.3], [constant] * 3))
    assert np.isnan(pearson(np.full(7, constant) / 3, np.arange(7.0)))
    assert ccc([0.1, 0.2, 0.3], [constant] * 3) == pytest.approx(0)
    assert np.isnan(ccc([constant] * 3, [constant] * 3))
    assert np.isnan(r2([constant] * 3, [0.1, 0.2, 0.3]))


@pytest.mark.parametrize("metric", [rmse, pearson, ccc, r2])
@pytest.mark.parametrize(("y", "p"), [([0.0, 1.0], [0.0]), ([[0.0, 1.0]], [[0.0, 1.0]])])
def test_metrics_refuse_other_shapes(metric, y, p):
    with pytest.raises(ValueError, match="two 1-D arrays of equal length"):
        metric(y, p)


def test_score_gives_both_aggregations():
    labels = track(
        {1: [[0.0, 0.1], [0.2, 0.3], [0.4, 0.2]], 2: [[0.5, 0.5], [0.7, 0.1], [0.1, 0.9]]}
    )
    predictions = labels * 0.5 + 0.1
    table = score(labels, predictions)
    y, p = labels["valence"], predictions["valence"]
    assert table.loc[("valence", "pooled"), "rmse"] == pytest.approx(rmse(y, p))
    each = [rmse(y.loc[song], p.loc[song]) for song in (1, 2)]
    assert table.loc[("valence", "mean"), "rmse"] == pytest.approx(np.mean(each))
    assert table.loc[("valence", "sd"), "rmse"] == pytest.approx(np.std(each, ddof=1))
    assert score_songs(labels, predictions).loc[(2, "valence"), "rmse"] == pytest.approx(each[1])


def test_score_counts_songs_without_r_and_leaves_them_out_of_the_mean():
    labels = track({1: [[0.3, 0.1], [0.3, 0.3]], 2: [[0.5, 0.5], [0.7, 0.1]]})
    table = score(labels, labels + 0.01)
    assert table.loc[("valence", "mean"), ["songs", "songs_without_r"]].tolist() == [2, 1]
    assert table.loc[("valence", "mean"), "pearson"] == pytest.approx(1)


def test_score_uses_every_label_and_ignores_predictions_elsewhere():
    labels = track({1: [[0.0, 0.1], [0.2, 0.3]]})
    more = track({1: [[0.0, 0.1], [0.2, 0.3], [9.0, 9.0]], 5: [[9.0, 9.0]]})
    assert score(labels, more).loc[("valence", "pooled"), "rmse"] == 0
    with pytest.raises(ValueError, match=r"none for 1, the first at song_id 1, time 0.5 s"):
        score(labels, more.drop((1, 0.5)))


def test_rows_are_matched_by_song_and_time_whatever_their_order(tracks):
    labels, predictions = tracks
    more = predictions.rename(index=lambda song_id: song_id - 1000, level="song_id")
    shuffled = pd.concat([more, predictions]).sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(score(labels, shuffled), score(labels, predictions))
    pd.testing.assert_frame_equal(score_songs(labels, shuffled), score_songs(labels, predictions))


def test_each_song_and_dimension_is_scored_by_itself(tracks):
    labels, predictions = tracks
    table = score_songs(labels, predictions)
    for (song_id, dimension), row in table.iterrows():
        pair = labels.loc[song_id, dimension], predictions.loc[song_id, dimension]
        assert row["rmse"] == pytest.approx(rmse(*pair))
        assert row["pearson"] == pytest.approx(np.corrcoef(*pair)[0, 1])

"""How good a prediction is: RMSE, r, CCC and R2, pooled over frames and song by song.

The MediaEval "Emotion in Music" tasks rank by RMSE, then by r. Coutinho et al. (2015) select models
by CCC (Lin, 1989). Herremans et al. (2019) report R2 of whole songs. Pellegrini and Barriere
(2015), table 1: pooled scores in cross-validation, songs' scores in the test. Notebook 02.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mer_core.files import DataError
from mer_core.tracks import DIMENSIONS, as_array, as_track


def rmse(y: ArrayLike, p: ArrayLike) -> float:
    """Root-mean-square error, in the unit of the labels.

    Parameters
    ----------
    y, p : array_like, shape (n,)
        Labels and predictions.

    Raises
    ------
    ValueError
        If the two are not 1-D, of equal length, not empty and of finite numbers, or are Series of
        the same rows in another order.

    Examples
    --------
    >>> print(rmse([0.0, 1.0], [0.0, 0.0]).round(4))
    0.7071
    """
    y, p = _pair(y, p)
    return np.sqrt(np.mean((y - p) ** 2))


def pearson(y: ArrayLike, p: ArrayLike) -> float:
    """Pearson's correlation r, in [-1, 1]; NaN if one side is constant.

    It ignores scale and offset. Arguments and errors are those of :func:`rmse`.

    Examples
    --------
    >>> print(pearson([0, 1, 2], [10, 20, 30]).round(4), pearson([0, 1, 2], [5, 5, 5]))
    1.0 nan
    """
    y, p = _pair(y, p)
    if _constant(y) or _constant(p):
        return np.nan
    dy, dp = y - y.mean(), p - p.mean()
    return np.clip(dy @ dp / np.sqrt((dy @ dy) * (dp @ dp)), -1, 1)


def ccc(y: ArrayLike, p: ArrayLike) -> float:
    """Concordance correlation coefficient of Lin (1989), in [-1, 1].

    2 s_yp / (s_y^2 + s_p^2 + (mean_y - mean_p)^2), with population variances: r, reduced by a
    wrong scale or offset. A constant prediction of varying labels gets 0, two equal constants NaN.
    Arguments and errors are those of :func:`rmse`.

    Examples
    --------
    >>> print(ccc([0, 1, 2], [0, 1, 2]).round(4), ccc([0, 1, 2], [2, 3, 4]).round(4))
    1.0 0.25
    """
    y, p = _pair(y, p)
    if _constant(y) or _constant(p):
        return np.nan if _constant(y - p) and np.isclose(y[0], p[0], rtol=1e-12) else 0.0
    denominator = y.var() + p.var() + (y.mean() - p.mean()) ** 2
    return 2 * np.mean((y - y.mean()) * (p - p.mean())) / denominator


def r2(y: ArrayLike, p: ArrayLike) -> float:
    """Share of the labels' variance that is explained, 1 - MSE / var(y); at most 1.

    The mean of these labels gets 0; constant labels get NaN. Arguments and errors are those of
    :func:`rmse`.

    Examples
    --------
    >>> print(r2([0, 1, 2], [1, 1, 1]), r2([0, 1, 2], [0, 1, 2]))
    0.0 1.0
    """
    y, p = _pair(y, p)
    return np.nan if _constant(y) else 1 - np.mean((y - p) ** 2) / y.var()


METRICS = {"rmse": rmse, "pearson": pearson, "ccc": ccc, "r2": r2}


def score(labels: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Score predictions with both of the papers' aggregations.

    "pooled" scores all frames of all songs together; "mean" and "sd" are mean and sample standard
    deviation of the songs' scores.

    Parameters
    ----------
    labels, predictions : DataFrame
        Tracks (MultiIndex song_id, time) of finite numbers with the columns valence, arousal in
        [-1, 1]. A ValueError is raised if a labelled row has no prediction; predictions may have
        more rows.

    Returns
    -------
    DataFrame
        Index (dimension, aggregation: pooled, mean, sd); columns rmse, pearson, ccc, r2, `songs`
        and `songs_without_r` (songs of constant label or prediction, which mean and sd of r leave
        out).
    """
    labels, predictions = _matched(labels, predictions)
    songs = score_songs(labels, predictions)
    rows = {}
    for dimension in DIMENSIONS:
        each = songs.xs(dimension, level="dimension")
        counts = {"songs": len(each), "songs_without_r": each["pearson"].isna().sum()}
        pair = labels[dimension].to_numpy(), predictions[dimension].to_numpy()
        pooled = {name: metric(*pair) for name, metric in METRICS.items()}
        rows[dimension, "pooled"] = pooled | counts
        rows[dimension, "mean"] = each.mean().to_dict() | counts
        rows[dimension, "sd"] = each.std(ddof=1).to_dict() | counts
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["dimension", "aggregation"])


def score_songs(labels: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Scores of every song: index (song_id, dimension), columns rmse, pearson, ccc, r2.

    Arguments and errors are those of :func:`score`.
    """
    labels, predictions = _matched(labels, predictions)
    y, p = labels.to_numpy(), predictions.to_numpy()
    rows = {
        (song_id, dimension): {
            name: metric(y[frames, k], p[frames, k]) for name, metric in METRICS.items()
        }
        for song_id, frames in labels.groupby(level="song_id").indices.items()
        for k, dimension in enumerate(DIMENSIONS)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["song_id", "dimension"])


def _matched(labels: pd.DataFrame, predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    labels = as_track(labels, "labels", columns=DIMENSIONS)
    predictions = as_track(predictions, "predictions", columns=DIMENSIONS)
    missing = labels.index[~labels.index.isin(predictions.index)]
    if len(missing):
        first = "the first at song_id {}, time {} s".format(*missing[0])
        expected = f"one for each of the {len(labels)} labelled rows"
        raise DataError("predictions", expected, f"none for {len(missing)}, {first}")
    return labels, predictions.loc[labels.index]


def _pair(y: ArrayLike, p: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(y, pd.Series) and isinstance(p, pd.Series):
        _check_same_order(y.index, p.index)
    y, p = as_array(y, "labels", ndim=(0, 1, 2)), as_array(p, "predictions", ndim=(0, 1, 2))
    if y.ndim != 1 or y.shape != p.shape or not y.size:
        raise ValueError(f"expected two 1-D arrays of equal length, found {y.shape} and {p.shape}")
    return y, p


def _check_same_order(labels: pd.Index, predictions: pd.Index) -> None:
    """Raise unless positions mean the same rows, where the index can tell."""
    if labels.nlevels != predictions.nlevels or labels.equals(predictions):
        return
    tracks = labels.nlevels > 1 and len(labels) == len(predictions)
    if tracks or labels.isin(predictions).all():
        expected = "the rows of the labels in the same order"
        raise DataError("predictions", expected, "other rows or another order")


def _constant(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= 1e-12 * max(1.0, np.abs(values).max()))

"""How good a prediction is: RMSE, r, CCC and R2, pooled over frames and song by song."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

DIMENSIONS = ["valence", "arousal"]
"""The two columns of labels and predictions, always in this order."""


def rmse(y: ArrayLike, p: ArrayLike) -> float:
    """Root-mean-square error, in the unit of the labels.

    Parameters
    ----------
    y, p : array_like, shape (n,)
        Labels and predictions.

    Returns
    -------
    float
        0 or more; 0 is perfect.

    Raises
    ------
    ValueError
        If the two are not 1-D, of equal length, not empty and finite (as for all metrics here).

    Examples
    --------
    >>> rmse([0.0, 1.0], [0.0, 0.0]).round(4)
    np.float64(0.7071)

    References
    ----------
    The MediaEval "Emotion in Music" tasks rank by it. Notebook 02.
    """
    y, p = _pair(y, p)
    return np.sqrt(np.mean((y - p) ** 2))


def pearson(y: ArrayLike, p: ArrayLike) -> float:
    """Pearson's correlation r, in [-1, 1]; NaN where one side is constant, since it has none.

    Parameters
    ----------
    y, p : array_like, shape (n,)
        Labels and predictions; see :func:`rmse` for errors.

    Returns
    -------
    float
        Blind to scale and offset: a prediction of the right shape in a wrong place gets 1.

    Examples
    --------
    >>> pearson([0, 1, 2], [10, 20, 30]).round(4), pearson([0, 1, 2], [5, 5, 5])
    (np.float64(1.0), nan)

    References
    ----------
    The MediaEval tasks' second measure. Notebook 02.
    """
    y, p = _pair(y, p)
    if _constant(y) or _constant(p):
        return np.nan
    dy, dp = y - y.mean(), p - p.mean()
    return np.clip(dy @ dp / np.sqrt((dy @ dy) * (dp @ dp)), -1, 1)


def ccc(y: ArrayLike, p: ArrayLike) -> float:
    """Concordance correlation coefficient of Lin (1989), in [-1, 1].

    2 s_yp / (s_y^2 + s_p^2 + (mean_y - mean_p)^2), with population variances: r, made smaller by
    a wrong scale or offset. A constant prediction of varying labels gets 0; two equal constants
    leave it undefined (NaN).

    Parameters
    ----------
    y, p : array_like, shape (n,)
        Labels and predictions; see :func:`rmse` for errors.

    Returns
    -------
    float

    Examples
    --------
    >>> ccc([0, 1, 2], [0, 1, 2]).round(4), ccc([0, 1, 2], [2, 3, 4]).round(4)
    (np.float64(1.0), np.float64(0.25))

    References
    ----------
    Coutinho et al. (2015), section 2, select models by it. Notebook 02.
    """
    y, p = _pair(y, p)
    if _constant(y) or _constant(p):
        return np.nan if _constant(y - p) and np.isclose(y[0], p[0], rtol=1e-12) else 0.0
    denominator = y.var() + p.var() + (y.mean() - p.mean()) ** 2
    return 2 * np.mean((y - y.mean()) * (p - p.mean())) / denominator


def r2(y: ArrayLike, p: ArrayLike) -> float:
    """Share of the labels' variance that is explained, 1 - MSE / var(y); at most 1.

    Parameters
    ----------
    y, p : array_like, shape (n,)
        Labels and predictions; see :func:`rmse` for errors.

    Returns
    -------
    float
        0 is what the mean of these very labels would get; below 0 is worse than that. NaN if y is
        constant.

    Examples
    --------
    >>> r2([0, 1, 2], [1, 1, 1]), r2([0, 1, 2], [0, 1, 2])
    (np.float64(0.0), np.float64(1.0))

    References
    ----------
    Herremans et al. (2019) report it for whole songs. Notebook 02.
    """
    y, p = _pair(y, p)
    return np.nan if _constant(y) else 1 - np.mean((y - p) ** 2) / y.var()


METRICS = {"rmse": rmse, "pearson": pearson, "ccc": ccc, "r2": r2}


def score(labels: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Score predictions in both of the papers' ways of aggregating.

    "pooled" throws all frames of all songs into one pot (IRIT's cross-validation figures);
    "mean" and "sd" first score each song, then take mean and sample standard deviation over the
    songs (the task's official test figures).

    Parameters
    ----------
    labels : DataFrame
        A track (MultiIndex song_id, time) with the columns valence, arousal in [-1, 1].
    predictions : DataFrame
        The same; may hold more rows than the labels.

    Returns
    -------
    DataFrame
        Index (dimension, aggregation: pooled, mean, sd); columns rmse, pearson, ccc, r2, `songs`
        (how many were scored) and `songs_without_r` (songs of constant label or prediction, which
        mean and sd of r leave out).

    Raises
    ------
    ValueError
        If a labelled row has no prediction, or a column is missing.

    References
    ----------
    Pellegrini and Barriere (2015), table 1: CV pooled, Eval per song. Notebook 02.
    """
    predictions = _predictions_for(labels, predictions)
    songs = score_songs(labels, predictions)
    rows = {}
    for dimension in DIMENSIONS:
        each = songs.xs(dimension, level="dimension")
        counts = {"songs": len(each), "songs_without_r": each["pearson"].isna().sum()}
        pooled = _all_metrics(labels[dimension], predictions[dimension])
        rows[dimension, "pooled"] = pooled | counts
        rows[dimension, "mean"] = each.mean().to_dict() | counts
        rows[dimension, "sd"] = each.std(ddof=1).to_dict() | counts
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["dimension", "aggregation"])


def score_songs(labels: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every song by itself.

    Parameters
    ----------
    labels, predictions : DataFrame
        As for :func:`score`.

    Returns
    -------
    DataFrame
        Index (song_id, dimension), columns rmse, pearson, ccc, r2.

    Raises
    ------
    ValueError
        As for :func:`score`.

    References
    ----------
    Coutinho et al. (2015), table 1. Notebook 02.
    """
    predictions = _predictions_for(labels, predictions)
    y, p = labels[DIMENSIONS].to_numpy(), predictions.to_numpy()
    rows = {
        (song_id, dimension): _all_metrics(y[frames, column], p[frames, column])
        for song_id, frames in labels.groupby(level="song_id").indices.items()
        for column, dimension in enumerate(DIMENSIONS)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["song_id", "dimension"])


def _all_metrics(y: ArrayLike, p: ArrayLike) -> dict[str, float]:
    return {name: metric(y, p) for name, metric in METRICS.items()}


def _predictions_for(labels: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    for name, frame in (("labels", labels), ("predictions", predictions)):
        absent = [dimension for dimension in DIMENSIONS if dimension not in frame]
        if absent or frame.empty:
            found = f"no {absent}" if absent else "no rows"
            raise ValueError(f"{name}: expected rows of {DIMENSIONS}, found {found}")
        if not frame.index.is_unique:
            raise ValueError(f"{name}: expected every (song_id, time) once, found repeated ones")
    missing = labels.index.difference(predictions.index)
    if len(missing):
        raise ValueError(
            f"predictions: expected one for each of the {len(labels)} labelled rows, found none "
            f"for {len(missing)}, the first at song_id {missing[0][0]}, time {missing[0][1]} s"
        )
    return predictions.loc[labels.index, DIMENSIONS]


def _pair(y: ArrayLike, p: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape or not y.size:
        raise ValueError(f"expected two 1-D arrays of equal length, found {y.shape} and {p.shape}")
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise ValueError("expected finite labels and predictions, found NaN or infinity")
    return y, p


def _constant(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= 1e-12 * max(1.0, np.abs(values).max()))

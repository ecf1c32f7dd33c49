"""Why a prediction of valence fails: labels, raters, features and errors, measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mer_core.files import DataError
from mer_core.tracks import DIMENSIONS, as_array, as_table, as_track


def song_counts(songs: int, *, draws: int = 2000, seed: int = 0) -> np.ndarray:
    """How often each song is in each bootstrap sample, shape (1 + draws, songs) (Efron, 1979).

    The first row is all ones: a statistic along it is the estimate itself.

    Examples
    --------
    >>> song_counts(3, draws=2).sum(axis=1)
    array([3., 3., 3.])
    """
    drawn = np.random.default_rng(seed).multinomial(songs, np.full(songs, 1 / songs), draws)
    return np.vstack([np.ones(songs), drawn])


def interval(values: ArrayLike) -> dict[str, float]:
    """The estimate, the first value, and the 2.5 and 97.5 % points of the draws without NaN."""
    values = np.asarray(values, dtype=float)
    drawn = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (np.nan, np.nan)
    return {"value": values[0], "low": low, "high": high}


def weighted_scores(y: ArrayLike, p: ArrayLike, weights: ArrayLike) -> dict[str, np.ndarray]:
    """RMSE, r, CCC and R2 of labels and predictions (n,), one a song, with weights (..., n).

    Rows of counts give bootstrap samples. r is NaN where either side is constant.
    """
    y, p = _songs(labels=y, predictions=p)
    weights = _weights(weights, len(y))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    mean_y, mean_p = weights @ y, weights @ p
    var_y = weights @ y**2 - mean_y**2
    var_p = np.maximum(weights @ p**2 - mean_p**2, 0)
    covariance = weights @ (y * p) - mean_y * mean_p
    error = weights @ (y - p) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(var_p > 1e-14, covariance / np.sqrt(var_y * var_p), np.nan)[()]
    ccc = 2 * covariance / (var_y + var_p + (mean_y - mean_p) ** 2)
    return {"rmse": np.sqrt(error), "pearson": r, "ccc": ccc, "r2": 1 - error / var_y}


def _songs(**columns: ArrayLike) -> list[np.ndarray]:
    arrays = [as_array(values, name) for name, values in columns.items()]
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1 or not min(lengths):
        found = f"lengths of {sorted(lengths)}"
        raise DataError(", ".join(columns), "arrays of one length, not empty", found)
    return arrays


def _weights(weights: ArrayLike, songs: int) -> np.ndarray:
    weights = as_array(weights, "weights", ndim=(0, 1, 2, 3))
    if not weights.ndim or weights.shape[-1] != songs:
        raise DataError("weights", f"one for each of {songs} songs", f"the shape {weights.shape}")
    if (weights < 0).any() or not weights.any(axis=-1).all():
        raise DataError("weights", "numbers of at least 0, some above 0", "others")
    return weights


def label_correlations(labels: pd.DataFrame, *, draws: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Pearson's r of valence and arousal of a track, with 95 % intervals over songs.

    Index aggregation: "pooled" (all frames of all songs), "over song means", "within songs" (the
    mean of the songs' own r, without songs in which a dimension is constant); columns value, low,
    high, sd_over_songs (of the songs' own r) and songs.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[1, 2, 3], [15.0, 15.5]], names=["song_id", "time"])
    >>> labels = pd.DataFrame({"valence": [0, 2, 1, 3, 2, 4], "arousal": [2, 0, 3, 1, 4, 2]}, index)
    >>> label_correlations(labels, draws=50)["value"].round(2).tolist()
    [-0.2, 1.0, -1.0]
    """
    labels = as_track(labels, "labels", columns=DIMENSIONS)
    drawn, own = correlation_draws(labels, draws=draws, seed=seed)
    rows = {name: interval(values) | {"songs": len(own)} for name, values in drawn.items()}
    rows["within songs"] |= {"sd_over_songs": own.std(), "songs": np.isfinite(own).sum()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("aggregation")
    return table[["value", "low", "high", "sd_over_songs", "songs"]]


def correlation_draws(
    labels: pd.DataFrame, *, draws: int = 2000, seed: int = 0
) -> tuple[dict[str, np.ndarray], pd.Series]:
    """r(valence, arousal) in bootstrap samples, see :func:`label_correlations`; r of each song."""
    pair = [labels[name] for name in DIMENSIONS]
    sums = moments(*pair).groupby(level="song_id").sum()
    own = song_correlations(*pair)
    counts = song_counts(len(own), draws=draws, seed=seed)
    means = (values.groupby(level="song_id").mean() for values in pair)
    return {
        "pooled": correlation(counts @ sums),
        "over song means": correlation(counts @ moments(*means)),
        "within songs": mean_over_songs(counts, own),
    }, own


def song_correlations(x: pd.Series, y: pd.Series) -> pd.Series:
    """Pearson's r of two columns of tracks within each song."""
    sums = moments(x, y).groupby(level="song_id").sum()
    return pd.Series(correlation(sums), sums.index)


def moments(x: pd.Series, y: pd.Series) -> pd.DataFrame:
    """What :func:`correlation` needs of each row; may be summed over rows."""
    columns = {"x": x, "y": y, "xx": x**2, "yy": y**2, "xy": x * y}
    return pd.DataFrame(columns).assign(n=1.0)


def correlation(sums: ArrayLike) -> np.ndarray:
    """Pearson's r from sums of the columns of `moments`; NaN where x or y is constant."""
    x, y, xx, yy, xy, n = np.asarray(sums).T
    var_x, var_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (xy / n - x * y / n**2) / np.sqrt(var_x * var_y)
    return np.where((var_x > 1e-12) & (var_y > 1e-12), np.clip(r, -1, 1), np.nan)


def mean_over_songs(counts: np.ndarray, values: ArrayLike) -> np.ndarray:
    """Mean of one value a song in each bootstrap sample; songs whose value is NaN are left out."""
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):  # no song has a value
        return counts[:, known] @ values[known] / counts[:, known].sum(axis=1)


def between_song_variance(labels: pd.DataFrame) -> pd.Series:
    """Share of the frames' variance that is between songs, for each dimension, in [0, 1].

    Its square root is the pooled r of a prediction that is each song's mean.
    """
    labels = as_track(labels, "labels", columns=DIMENSIONS)
    means = labels.groupby(level="song_id").transform("mean")
    return means[DIMENSIONS].var(ddof=0) / labels[DIMENSIONS].var(ddof=0)


def spearman_brown(reliability: ArrayLike, times: float) -> ArrayLike:
    """Reliability of a mean of `times` as many raters: times * rho / (1 + (times - 1) * rho).

    `reliability` is rho of the raters at hand (as Cronbach's alpha), at most 1; `times` may be
    below 1. Spearman (1910); Brown (1910). Notebook 09.

    Examples
    --------
    >>> round(float(spearman_brown(0.5, 2)), 3)
    0.667
    """
    reliability = as_array(reliability, "reliability", ndim=(0, 1, 2), missing=True)
    return times * reliability / (1 + (times - 1) * reliability)


def ceiling(reliability: ArrayLike) -> ArrayLike:
    """The r that the truth itself has with labels of this reliability: its root (Spearman, 1904).

    Labels are truth plus independent error, and the reliability is that of all songs together (as
    "reliability within songs" in the stored table "raters"). It is no limit: in single songs r may
    be higher by chance. A reliability below 0, where raters contradict each other, counts as 0.

    Examples
    --------
    >>> float(ceiling(0.25))
    0.5
    """
    reliability = as_array(reliability, "reliability", ndim=(0, 1, 2), missing=True)
    return np.sqrt(np.clip(reliability, 0, 1))


def feature_shift(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """How far the mean of each column (a row per song) has moved, and its spread changed.

    Columns: `difference` of the means, after - before, in pooled standard deviations (Cohen's d);
    `spread_ratio`, after / before.
    """
    before, after = _two_tables(before, after)
    difference = (after.mean() - before.mean()) / np.sqrt((before.var() + after.var()) / 2)
    return pd.DataFrame({"difference": difference, "spread_ratio": after.std() / before.std()})


def _two_tables(before: pd.DataFrame, after: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    before = as_table(before, "before")
    return before, as_table(after, "after", columns=list(before))


def domain_auc(
    before: pd.DataFrame, after: pd.DataFrame, *, folds: int = 5, seed: int = 0
) -> float:
    """Area under the ROC curve of a linear classifier of two sets of songs, on left-out songs.

    Features have a row per song. 0.5 if the sets cannot be distinguished, 1 if they always can
    (Ben-David et al., 2007). Scaling is learned in the folds.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    before, after = _two_tables(before, after)
    if min(len(before), len(after)) < folds:
        found = f"{len(before)} and {len(after)}"
        raise DataError("before, after", f"at least {folds} songs each", found)
    x = pd.concat([before, after]).to_numpy()
    side = np.repeat([0, 1], [len(before), len(after)])
    classifier = make_pipeline(StandardScaler(), RidgeClassifier(100.0, class_weight="balanced"))
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    score = cross_val_predict(classifier, x, side, cv=parts, method="decision_function")
    return float(roc_auc_score(side, score))


def arousal_split(
    predicted: ArrayLike, valence: ArrayLike, arousal: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, np.ndarray]:
    """Split the r of a valence prediction into what true arousal explains of it and the rest.

    The predicted valence is regressed on the *true arousal* of the scored rows; the fitted part
    contributes r(predicted, arousal) * r(arousal, valence) to r, the residual the rest (semipartial
    correlation: Cohen and Cohen, 1983, chapter 3). For `weights` see :func:`weighted_scores`.

    Returns `r`; `through_arousal` and `beyond_arousal`, which sum to it; `arousal_in_prediction`,
    r(predicted, arousal)^2; `labels`, r(arousal, valence); `partial`, r of predicted and true
    valence, both without what arousal explains.
    """
    songs = _songs(predicted=predicted, valence=valence, arousal=arousal)
    predicted, valence, arousal = songs
    weights = np.ones(len(valence)) if weights is None else weights
    pairs = ((predicted, valence), (predicted, arousal), (arousal, valence))
    r, in_it, in_labels = (weighted_scores(*pair, weights)["pearson"] for pair in pairs)
    through = in_it * in_labels
    with np.errstate(invalid="ignore", divide="ignore"):
        free = np.sqrt((1 - in_it**2) * (1 - in_labels**2))
        partial = np.where(free > 1e-9, (r - through) / free, np.nan)[()]
    return {
        "r": r,
        "through_arousal": through,
        "beyond_arousal": r - through,
        "arousal_in_prediction": in_it**2,
        "labels": in_labels,
        "partial": partial,
    }


def error_parts(y: ArrayLike, p: ArrayLike) -> dict[str, float]:
    """Decompose R2 = r^2 - (r - s_p / s_y)^2 - ((mean_p - mean_y) / s_y)^2 (Murphy, 1988).

    `r2`; `shape`, r^2: what a perfect stretch and shift would reach; `scale` and `offset`, the
    losses, 0 or more.
    """
    y, p = _songs(labels=y, predictions=p)
    if not np.ptp(y):
        raise DataError("labels", "numbers that differ", f"{y[0]} alone")
    r = np.nan_to_num(weighted_scores(y, p, np.ones(len(y)))["pearson"])
    scale, offset = (r - p.std() / y.std()) ** 2, ((p.mean() - y.mean()) / y.std()) ** 2
    return {"r2": r**2 - scale - offset, "shape": r**2, "scale": scale, "offset": offset}


def tilt(means: pd.DataFrame, correlation: float) -> pd.Series:
    """Weights under which valence and arousal of songs have a given correlation.

    Among all weights that keep the means and the variances of both and give the correlation, these
    are nearest to equal ones (least Kullback-Leibler divergence): w ~ exp(quadratic form in v, a).
    Hainmueller (2012), "Entropy balancing for causal effects". Notebook 09.

    Parameters
    ----------
    means : DataFrame
        One row a song, columns valence, arousal.
    correlation : float
        In (-1, 1). ValueError if no weights of these songs give it.

    Returns
    -------
    Series
        Positive, of mean 1, with the index of `means`. `w.sum()**2 / (w**2).sum()` is the
        effective number of songs.

    Examples
    --------
    >>> songs = pd.DataFrame({"valence": [0, 1, 0, 1, 1], "arousal": [0, 1, 1, 0, 1]})
    >>> w = tilt(songs, 0.0)
    >>> bool(w.min() > 0), abs(round(float(np.cov(songs.T, aweights=w)[0, 1]), 3))
    (True, 0.0)
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp, softmax

    means = as_table(means, "means", columns=DIMENSIONS)
    z = (means[DIMENSIONS] - means[DIMENSIONS].mean()) / means[DIMENSIONS].std(ddof=0)
    v, a = z.to_numpy().T
    away = np.column_stack([v, a, v**2 - 1, a**2 - 1, v * a - correlation])
    found = minimize(
        lambda at: logsumexp(away @ at), np.zeros(5), jac=lambda at: softmax(away @ at) @ away
    )
    weights = softmax(away @ found.x)
    if np.abs(weights @ away).max() > 1e-3:
        reached = weights @ (v * a)
        raise ValueError(
            f"correlation: expected one that weights of these {len(z)} songs can give, found "
            f"{correlation:g} (they come to {reached:.2f})"
        )
    return pd.Series(weights * len(z), means.index, name="weight")


def rank_among_draws(value: float, drawn: ArrayLike) -> dict[str, float]:
    """The rank of a value among values drawn at random.

    The value; `median`, `low` and `high` (2.5 and 97.5 % points) of the draws; `lower` and
    `higher`: the chance of a draw as low, or as high, the value itself counted as one (Phipson and
    Smyth, 2010).
    """
    drawn = as_array(drawn, "drawn", missing=True)
    drawn = drawn[np.isfinite(drawn)]
    value = as_array(value, "value", ndim=(0,))
    if not len(drawn):
        raise DataError("drawn", "at least one number", "none")
    low, median, high = np.percentile(drawn, [2.5, 50, 97.5])
    return {
        "value": float(value),
        "median": float(median),
        "low": float(low),
        "high": float(high),
        "lower": (1 + np.count_nonzero(drawn <= value)) / (1 + len(drawn)),
        "higher": (1 + np.count_nonzero(drawn >= value)) / (1 + len(drawn)),
    }

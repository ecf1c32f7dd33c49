"""Why a prediction of valence fails: labels, raters, features and errors, measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mer_core.files import DataError
from mer_core.tracks import DIMENSIONS, as_array, as_table, as_track


def song_counts(songs: int, *, draws: int = 2000, seed: int = 0) -> np.ndarray:
    """How often each song is in each bootstrap sample, shape (1 + draws, songs).

    The first row is all ones: a statistic along it is the estimate itself (Efron, 1979).

    Examples
    --------
    >>> song_counts(3, draws=2).sum(axis=1)
    array([3., 3., 3.])
    """
    drawn = np.random.default_rng(seed).multinomial(songs, np.full(songs, 1 / songs), draws)
    return np.vstack([np.ones(songs), drawn])


def interval(values: ArrayLike) -> dict[str, float]:
    """The estimate, which is the first value, and the 2.5 and 97.5 % points of the draws.

    Draws that are NaN, as the r of a constant prediction is, are left out; the points are NaN if
    all of them are.
    """
    values = np.asarray(values, dtype=float)
    drawn = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (np.nan, np.nan)
    return {"value": values[0], "low": low, "high": high}


def weighted_scores(y: ArrayLike, p: ArrayLike, weights: ArrayLike) -> dict[str, np.ndarray]:
    """RMSE, r, CCC and R2 of labels and predictions (n,), one a song, with weights (..., n).

    Rows of counts give bootstrap samples. r is NaN where either side is constant.

    Examples
    --------
    >>> weighted_scores([0, 1, 2, 9], [0, 1, 2, 0], [1, 1, 1, 0])["r2"]
    np.float64(1.0)
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
    high, sd_over_songs (of the songs' own r) and songs. Pellegrini and Barriere (2015, section 3)
    give 0.626 for the development songs: the task's own labels, pooled over frames.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[1, 2, 3], [15.0, 15.5]], names=["song_id", "time"])
    >>> labels = pd.DataFrame({"valence": [0, 2, 1, 3, 2, 4], "arousal": [2, 0, 3, 1, 4, 2]}, index)
    >>> label_correlations(labels, draws=50)["value"].round(2).tolist()
    [-0.2, 1.0, -1.0]
    """
    labels = as_track(labels, "labels", columns=DIMENSIONS)
    songs = labels.groupby(level="song_id")
    sums = moments(*(labels[k] for k in DIMENSIONS)).groupby(level="song_id").sum()
    own = correlation(sums)
    counts = song_counts(len(sums), draws=draws, seed=seed)
    means = (songs[name].mean() for name in DIMENSIONS)
    drawn = {
        "pooled": correlation(counts @ sums),
        "over song means": correlation(counts @ moments(*means)),
        "within songs": mean_over_songs(counts, own),
    }
    rows = {name: interval(values) | {"songs": len(sums)} for name, values in drawn.items()}
    rows["within songs"] |= {"sd_over_songs": pd.Series(own).std(), "songs": np.isfinite(own).sum()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("aggregation")
    return table[["value", "low", "high", "sd_over_songs", "songs"]]


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

    Its square root is the pooled r of a prediction that knows each song's mean and nothing else;
    within a song the r of that prediction is undefined.
    """
    labels = as_track(labels, "labels", columns=DIMENSIONS)
    means = labels.groupby(level="song_id").transform("mean")
    return means[DIMENSIONS].var(ddof=0) / labels[DIMENSIONS].var(ddof=0)


def spearman_brown(reliability: ArrayLike, times: float) -> ArrayLike:
    """Reliability of a mean of `times` as many raters: times * rho / (1 + (times - 1) * rho).

    Parameters
    ----------
    reliability : array_like
        rho of the raters at hand (as Cronbach's alpha), at most 1.
    times : float
        10 is from one rater to ten, 0.1 from ten to one.

    Examples
    --------
    >>> round(float(spearman_brown(0.5, 2)), 3)
    0.667

    References
    ----------
    Spearman (1910); Brown (1910). Notebook 09.
    """
    reliability = as_array(reliability, "reliability", ndim=(0, 1, 2), missing=True)
    return times * reliability / (1 + (times - 1) * reliability)


def ceiling(reliability: ArrayLike) -> ArrayLike:
    """The r that the truth itself has with labels of this reliability: its root.

    Labels are truth plus independent error, and the reliability is that of all songs together (as
    "reliability within songs" in the stored table "raters"), not a mean of the songs' alphas. It is
    no limit: in single songs r may be higher by chance. A reliability below 0, where raters
    contradict each other, counts as 0.

    Examples
    --------
    >>> float(ceiling(0.25))
    0.5

    References
    ----------
    Spearman (1904), correction for attenuation. Notebook 09.
    """
    reliability = as_array(reliability, "reliability", ndim=(0, 1, 2), missing=True)
    return np.sqrt(np.clip(reliability, 0, 1))


def mean_reliability(means: ArrayLike, spreads: ArrayLike, raters: ArrayLike) -> float:
    """Reliability of song means: 1 - mean(spread^2 / raters) / variance of the means.

    Of each song the mean and the sample standard deviation (n - 1) over its raters, who are
    others for each song, and their number (one, or one a song): ICC(1,k) of Shrout and Fleiss
    (1979).

    Examples
    --------
    >>> round(mean_reliability([0, 1, 2], [1, 1, 1], 4), 3)
    0.75
    """
    means, spreads = _songs(means=means, spreads=spreads)
    raters = as_array(raters, "raters", ndim=(0, 1))
    if raters.shape not in ((), means.shape) or not (raters > 0).all():
        raise DataError("raters", "one number above 0, or one for each song", f"{raters}")
    if len(means) < 2 or not np.ptp(means):
        raise DataError("means", "two or more that differ", f"{means}")
    error = np.mean(np.square(spreads) / raters)
    return float(1 - error / np.var(means, ddof=1))


def feature_shift(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """How far the mean of each column (a row per song) has moved, and its spread changed.

    Columns: `difference` of the means, after - before, in pooled standard deviations (Cohen's d);
    `spread_ratio`, after / before.

    Examples
    --------
    >>> a, b = pd.DataFrame({"x": [0.0, 1, 2]}), pd.DataFrame({"x": [2.0, 4, 6]})
    >>> feature_shift(a, b).round(3).values.tolist()
    [[1.897, 2.0]]
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
    """Area under the ROC curve of a linear classifier that tells two sets of songs apart.

    On left-out songs, of features with a row per song: 0.5 if the sets can't be told apart, 1 if
    they always can (Ben-David et al., 2007). Scaling is learned in the folds.
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

    The predicted valence is regressed on the *true arousal* of the scored rows. The fitted part
    contributes r(predicted, arousal) * r(arousal, valence) to r, the residual the rest.

    Parameters
    ----------
    predicted, valence, arousal : array_like, shape (n,)
        The prediction of valence, and the labels.
    weights : array_like, shape (..., n), optional
        See :func:`weighted_scores`; equal by default.

    Returns
    -------
    dict
        `r`; `through_arousal` and `beyond_arousal`, which sum to it; `arousal_in_prediction`,
        r(predicted, arousal)^2; `labels`, r(arousal, valence); `partial`, r of predicted and true
        valence, both without what arousal explains.

    Examples
    --------
    >>> a, v = np.array([0.0, 1, 2, 3]), np.array([0.0, 2, 1, 3])
    >>> split = arousal_split(a, v, a)  # a prediction that is arousal itself
    >>> round(float(split["through_arousal"]), 3), abs(round(float(split["beyond_arousal"]), 3))
    (0.8, 0.0)

    References
    ----------
    Semipartial correlation: Cohen and Cohen (1983), chapter 3. Notebook 09.
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

    `r2`; `shape`, r^2: what a perfect stretch and shift would reach; `scale` and `offset`, what is
    lost, 0 or more.

    Examples
    --------
    >>> {k: round(float(v), 2) for k, v in error_parts([0, 1, 2], [1, 2, 3]).items()}
    {'r2': -0.5, 'shape': 1.0, 'scale': 0.0, 'offset': 1.5}
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
    Songs, labels and features stay as they are; some songs count more.

    Parameters
    ----------
    means : DataFrame
        One row a song, columns valence, arousal.
    correlation : float
        In (-1, 1).

    Returns
    -------
    Series
        Positive, of mean 1, with the index of `means`. `w.sum()**2 / (w**2).sum()` is the
        effective number of songs.

    Raises
    ------
    ValueError
        If no weights of these songs give that correlation.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> songs = pd.DataFrame(rng.normal(size=(200, 2)), columns=["valence", "arousal"])
    >>> w = tilt(songs, 0.6)
    >>> bool(w.min() > 0), round(float(np.cov(songs.T, aweights=w)[0, 1]), 1)
    (True, 0.6)

    References
    ----------
    Hainmueller (2012), "Entropy balancing for causal effects". Notebook 09.
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

    Examples
    --------
    >>> float(round(rank_among_draws(90.0, range(99))["higher"], 3))
    0.1
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

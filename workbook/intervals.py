"""Scores with intervals over songs, paired differences of two systems, and their power."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from mer_core.metrics import DIMENSIONS, score_songs
from workbook.valence import correlation, interval, mean_over_songs, moments

POWER, LEVEL = 0.8, 0.05
LEVELS = ["dimension", "aggregation", "metric"]


def metric_draws(labels: pd.DataFrame, track: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """RMSE and r of a track in bootstrap samples, a row for each; the first is of all songs.

    `counts` are from :func:`workbook.valence.song_counts`, in the order of sorted song_ids. Columns
    (dimension, aggregation: pooled or mean, metric: rmse or pearson).
    """
    songs, columns = score_songs(labels, track), {}
    for name in DIMENSIONS:
        sums = moments(labels[name], track.loc[labels.index, name])
        drawn = counts @ sums.groupby(level="song_id").sum()
        squares = drawn["xx"] - 2 * drawn["xy"] + drawn["yy"]
        columns[name, "pooled", "rmse"] = np.sqrt(squares.clip(lower=0) / drawn["n"])
        columns[name, "pooled", "pearson"] = correlation(drawn)
        for metric in ("rmse", "pearson"):
            each = songs.xs(name, level="dimension")[metric].sort_index()
            columns[name, "mean", metric] = mean_over_songs(counts, each)
    return pd.DataFrame(columns).rename_axis(columns=LEVELS)


def intervals(drawn: pd.DataFrame) -> pd.DataFrame:
    """Value of all songs and a 95 % interval over the draws, a row for each column."""
    return pd.DataFrame([interval(drawn[name]) for name in drawn], drawn.columns)


def paired(own: pd.DataFrame, base: pd.DataFrame, *, songs: int) -> pd.DataFrame:
    """A system's scores, its differences to another, and what so many songs can show.

    `own` and `base` are of :func:`metric_draws` with the same draws. A row for each column:
    `value`, `low`, `high`; `difference` (own - base), `difference_low`, `difference_high`, 95 %
    over songs; `sd`, the standard deviation of the difference over songs (bootstrap standard error
    x root of the number of songs); `p`, of a t test with that error; `detectable`, the difference
    that so many songs show with a power of 80 % at 5 %; `needed`, how many songs the difference
    needs for that, and `needed_low`, `needed_high` for the ends of its interval (infinite if it
    contains 0).
    """
    difference = own - base
    about = intervals(difference).add_prefix("difference_")
    about = about.rename(columns={"difference_value": "difference"})
    error, t = difference.iloc[1:].std(), stats.t(songs - 1)
    detectable = (t.ppf(1 - LEVEL / 2) + t.ppf(POWER)) * error
    ends = about[["difference_low", "difference_high"]]
    nearest = ends.abs().min(axis=1).where(np.sign(ends).nunique(axis=1) == 1, 0.0)
    sizes = {"": about["difference"].abs(), "_low": ends.abs().max(axis=1), "_high": nearest}
    with np.errstate(divide="ignore"):
        needed = {f"needed{k}": np.ceil(songs * (detectable / v) ** 2) for k, v in sizes.items()}
    p = 2 * t.sf((about["difference"] / error).abs())
    power = {"sd": error * np.sqrt(songs), "p": p, "detectable": detectable}
    return intervals(own).join(about).assign(**power, **needed)


def contributions(scores: pd.DataFrame | pd.Series, aggregation: str = "mean") -> pd.Series:
    """What each song adds to a score of all songs: values whose mean over songs is the score.

    The mean, "pooled rmse" (the root of the mean square) or "sd" (the standard deviation over
    songs). The last two are linearised, so that the values have the score's standard error (delta
    method).

    Parameters
    ----------
    scores : Series
        One value a song, index (seed, song_id); over seeds the values are averaged. A song is
        left out if no seed has a value.
    aggregation : {"mean", "pooled rmse", "sd"}

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[0], [1, 2]], names=["seed", "song_id"])
    >>> contributions(pd.Series([0.1, 0.7], index), "pooled rmse").round(2).tolist()
    [0.26, 0.74]
    """
    songs = scores.groupby(level="seed")
    if aggregation == "mean":
        values = scores
    else:
        centre = songs.transform("mean") if aggregation == "sd" else 0.0
        squares = (scores - centre) ** 2
        total = squares.groupby(level="seed").transform("mean") ** 0.5
        values = total + (squares - total**2) / (2 * total).where(total > 0, 1.0)
    return values.groupby(level="song_id").mean().dropna()


def difference(own: pd.Series, base: pd.Series) -> dict[str, float]:
    """Difference of two means over songs, with a 95 % interval and a two-sided p.

    Values of common songs are paired (Student, 1908); without a common song the test is Welch's
    (1947). `detectable` is the difference that so many songs show with a power of 80 % at 5 %;
    `songs` counts them (of different songs, the fewer).

    Examples
    --------
    >>> own, base = pd.Series([0.1, 0.2, 0.3]), pd.Series([0.2, 0.2, 0.5])
    >>> row = difference(own, base)
    >>> [round(float(row[k]), 2) for k in ("difference", "low", "high", "p", "detectable")]
    [-0.1, -0.35, 0.15, 0.23, 0.31]
    """
    shared = own.index.intersection(base.index)
    sides = [own[shared] - base[shared]] if len(shared) else [own, -base]
    parts = np.array([part.var() / len(part) for part in sides])
    counts = np.array([len(part) for part in sides])
    value, error = sum(part.mean() for part in sides), np.sqrt(parts.sum())
    if counts.min() < 2:
        return {"difference": value} | dict.fromkeys(["low", "high", "p", "detectable"], np.nan)
    if error > 0:
        t = stats.t(parts.sum() ** 2 / (parts**2 / (counts - 1)).sum())
        half, p = t.ppf(1 - LEVEL / 2) * error, 2 * t.sf(abs(value) / error)
        detectable = half + t.ppf(POWER) * error
    else:
        half, p, detectable = 0.0, float(value == 0), 0.0
    row = {"difference": value, "low": value - half, "high": value + half}
    return row | {"p": p, "detectable": detectable, "songs": counts.min()}


def holm(p: pd.Series) -> pd.Series:
    """Holm's correction of the p values of one family."""
    order = p.sort_values()
    steps = len(order.dropna()) - np.arange(len(order))
    return (order * steps).cummax().clip(upper=1).reindex(p.index)

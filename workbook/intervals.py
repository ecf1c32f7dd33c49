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
    """RMSE and r in each bootstrap sample of the songs.

    Parameters
    ----------
    labels, track : DataFrame
        As for :func:`mer_core.metrics.score`.
    counts : ndarray
        From :func:`workbook.valence.song_counts`, in the order of the labels' sorted song_ids.

    Returns
    -------
    DataFrame
        A row for each sample, the first of all songs; columns (dimension, aggregation: pooled or
        mean, metric: rmse or pearson).
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

    Parameters
    ----------
    own, base : DataFrame
        From :func:`metric_draws` with the same draws.
    songs : int

    Returns
    -------
    DataFrame
        A row for each column of these. `value`, `low`, `high`; `difference` (own - base),
        `difference_low`, `difference_high`, 95 % over songs; `sd`, the standard deviation of the
        difference over songs (bootstrap standard error x root of the number of songs); `p`, of a t
        test with that error; `detectable`, the difference that so many songs show with a power of
        80 % at 5 %; `needed`, how many songs the difference needs for that, and `needed_low`,
        `needed_high` for the ends of its interval (infinite if the interval holds 0).
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


def holm(p: pd.Series) -> pd.Series:
    """Holm's correction of the p values of one family."""
    order = p.sort_values()
    steps = len(order.dropna()) - np.arange(len(order))
    return (order * steps).cummax().clip(upper=1).reindex(p.index)

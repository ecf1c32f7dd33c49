"""Intervals over songs: bootstrap of pooled and of per-song scores, paired differences, power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from mer_core.metrics import DIMENSIONS, score_songs

DRAWS = 2000
POWER, LEVEL = 0.8, 0.05
COLUMNS = ("value", "low", "high", "songs")
LEVELS = ["dimension", "aggregation", "metric"]


def draws(songs: int, *, seed: int = 0) -> np.ndarray:
    """Counts of each song in bootstrap samples, (1 + DRAWS, songs); the first row is all ones."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(songs, np.full(songs, 1 / songs), DRAWS)
    return np.vstack([np.ones((1, songs), dtype=int), counts])


def metric_draws(labels: pd.DataFrame, track: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """RMSE and r in each bootstrap sample of the songs.

    Parameters
    ----------
    labels, track : DataFrame
        As for :func:`mer_core.metrics.score`.
    counts : ndarray
        From :func:`draws`, in the order of the labels' sorted song_ids.

    Returns
    -------
    DataFrame
        A row for each sample, the first of all songs; columns (dimension, aggregation: pooled or
        mean, metric: rmse or pearson).
    """
    songs, columns = score_songs(labels, track), {}
    for name in DIMENSIONS:
        y, p = labels[name], track.loc[labels.index, name]
        sums = pd.DataFrame({"n": 1.0, "y": y, "p": p, "yy": y * y, "pp": p * p, "yp": y * p})
        columns |= {
            (name, "pooled", metric): values
            for metric, values in _pooled(counts @ sums.groupby(level="song_id").sum()).items()
        }
        for metric in ("rmse", "pearson"):
            each = songs.xs(name, level="dimension")[metric].sort_index().to_numpy()
            known = np.isfinite(each)
            with np.errstate(invalid="ignore"):  # no song has an r, as for a constant
                mean = counts[:, known] @ each[known] / counts[:, known].sum(axis=1)
            columns[name, "mean", metric] = mean
    return pd.DataFrame(columns).rename_axis(columns=LEVELS)


def _pooled(sums: pd.DataFrame) -> dict[str, np.ndarray]:
    n, y, p, yy, pp, yp = (sums.to_numpy()[:, k] for k in range(6))
    variances = [
        np.clip(square / n - (sum_ / n) ** 2, 0, None) for square, sum_ in ((yy, y), (pp, p))
    ]
    spread = np.sqrt(variances[0] * variances[1])
    r = np.clip((yp / n - y * p / n**2) / np.where(spread > 1e-12, spread, np.nan), -1, 1)
    return {"rmse": np.sqrt(np.clip(yy - 2 * yp + pp, 0, None) / n), "pearson": r}


def as_rows(
    rows: Mapping[tuple, Sequence], names: Sequence[str], columns: Sequence = COLUMNS
) -> pd.DataFrame:
    """Rows by the parts of their labels as a table; its index has these names."""
    index = pd.MultiIndex.from_tuples(list(rows), names=names)
    return pd.DataFrame(list(rows.values()), index, columns)


def interval(values: pd.DataFrame) -> pd.DataFrame:
    """Value of all songs and a 95 % interval over bootstrap samples, a row for each column."""
    low, high = (values.iloc[1:].quantile(q) for q in (0.025, 0.975))
    return pd.DataFrame({"value": values.iloc[0], "low": low, "high": high})


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
    found, about = interval(own), interval(difference).add_prefix("difference_")
    about = about.rename(columns={"difference_value": "difference"})
    error = difference.iloc[1:].std()
    t = stats.t(songs - 1)
    detectable = (t.ppf(1 - LEVEL / 2) + t.ppf(POWER)) * error
    ends = about[["difference_low", "difference_high"]]
    largest, smallest = ends.abs().max(axis=1), ends.abs().min(axis=1)
    smallest = smallest.where(np.sign(ends).nunique(axis=1) == 1, 0.0)
    with np.errstate(divide="ignore"):
        needed = {
            name: np.ceil(songs * (detectable / size) ** 2)
            for name, size in {
                "needed": about["difference"].abs(),
                "needed_low": largest,
                "needed_high": smallest,
            }.items()
        }
    p = pd.Series(2 * t.sf((about["difference"] / error).abs()), error.index)
    power = {"sd": error * np.sqrt(songs), "p": p, "detectable": detectable}
    return found.join(about).assign(**power, **needed)

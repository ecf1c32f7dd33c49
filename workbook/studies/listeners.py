"""Real raters beside simulated ones: agreement, reliability, and how a single rater moves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mer_core.agreement import cronbach_alpha
from mer_core.corpus import Corpus
from mer_core.metrics import DIMENSIONS
from mer_core.tracks import HOP
from workbook.intervals import as_rows, draws
from workbook.studies.lag import lag_table
from workbook.studies.real import all_music, of_data
from workbook.studies.study import Study, labelled

SPLITS = 50
"""Random halves of a song's raters."""
PANEL = 10
"""Raters for which reliabilities are given: mini has as many."""
EXCERPT, ENDS = ", 30 s", (15.0, 45.0)
STILL = 0.02
"""A rater whose curve has a smaller standard deviation does not move."""


def song_statistics(ratings: np.ndarray, *, seed: int) -> dict[str, float]:
    """How the raters of one song agree and move, in one dimension.

    Parameters
    ----------
    ratings : ndarray, shape (frames, raters)
    seed : int
        Of the halves.

    Returns
    -------
    dict
        alpha; alpha of `PANEL` raters; sd of the mean curve over time; bias, the sd of raters'
        own means; movement, the mean sd over time of a rater's curve; unevenness, the sd of the
        logarithm of that; still, the share of raters who do not move; rest, the sd of what the mean
        curve leaves of a rater's (own mean and slope taken out), and its autocorrelation at 1 and
        4 s; slope, the mean slope of a rater on the other raters' mean.
    """
    raters = ratings.shape[1]
    moves = ratings.std(axis=0)
    others = (ratings.sum(axis=1, keepdims=True) - ratings) / (raters - 1)
    x, y = (part - part.mean(axis=0) for part in (others, ratings))
    slope = (x * y).sum(axis=0) / np.maximum((x**2).sum(axis=0), 1e-9)
    rest = y - slope * x
    found = {
        "raters": raters,
        "alpha": cronbach_alpha(ratings),
        "sd of the mean curve": ratings.mean(axis=1).std(),
        "rater's bias, sd": ratings.mean(axis=0).std(ddof=1),
        "rater's movement, sd": moves.mean(),
        "rater's movement, sd of log": np.log(moves[moves > STILL]).std(ddof=1),
        "raters who do not move": (moves <= STILL).mean(),
        "rest, sd": rest.std(axis=0).mean(),
        "slope on the others' mean": np.median(slope[moves > STILL]),
    }
    for seconds in (1, 4):
        found[f"rest, autocorrelation at {seconds} s"] = _autocorrelation(
            rest[:, moves > STILL], int(seconds / HOP)
        )
    alpha = found["alpha"]
    single = alpha / (raters - (raters - 1) * alpha)
    found[f"alpha of {PANEL} raters"] = PANEL * single / (1 + (PANEL - 1) * single)
    return found | {"split-half r within the song": _split_half(ratings, seed)}


def _autocorrelation(curves: np.ndarray, shift: int) -> float:
    if len(curves) <= 2 * shift or not curves.shape[1]:
        return np.nan
    each = [np.corrcoef(c[:-shift], c[shift:])[0, 1] for c in curves.T if c.std() > 1e-6]
    return float(np.nanmean(each)) if each else np.nan


def _split_half(ratings: np.ndarray, seed: int) -> float:
    """Mean correlation over time of two halves' means, for halves of `PANEL` / 2 raters."""
    rng, half = np.random.default_rng(seed), PANEL // 2
    if len(ratings) < 3:
        return np.nan
    found = []
    for _ in range(SPLITS):
        drawn = rng.permutation(ratings.shape[1])[: 2 * half]
        a, b = (ratings[:, part].mean(axis=1) for part in (drawn[:half], drawn[half:]))
        if a.std() > 1e-9 and b.std() > 1e-9:
            found.append(np.corrcoef(a, b)[0, 1])
    return float(np.mean(found)) if found else np.nan


def rater_agreement(corpus: Corpus, *, data: str, seed: int) -> pd.DataFrame:
    """Agreement, reliability and movement of a data set's raters, with intervals over songs.

    Parameters
    ----------
    corpus : Corpus
        From :func:`workbook.studies.real.all_music`.
    data : str
        A name of `DATA` that has ratings, or "mini, test". With ", 30 s" behind it: from 15 s to
        45 s of the songs that last so long, as mini's development songs and DEAM's are rated.
    seed : int
        Of the halves.

    Returns
    -------
    DataFrame
        Index (dimension, statistic); columns value, low, high (95 % over songs), songs. Statistics
        of songs are medians over songs. Reliabilities (between songs, pooled, and within songs) are
        of `PANEL` raters, by Spearman and Brown from halves of them: r of two halves' song means;
        of two halves' curves, all frames; the mean r of two halves' curves within songs.
    """
    ratings = of_data(corpus, data.removesuffix(EXCERPT)).ratings.dropna()
    songs = {k: song for k, song in ratings.groupby(level="song_id")}
    if data.endswith(EXCERPT):
        songs = {k: _excerpt(song) for k, song in songs.items() if _last(song) >= ENDS[1] - HOP}
    rows = {}
    for dimension in DIMENSIONS:
        curves = {k: song[dimension].droplevel("song_id").unstack("rater").dropna(axis=1, how="all")
                  .dropna().to_numpy() for k, song in songs.items()}  # fmt: skip
        curves = {k: values for k, values in curves.items() if values.shape[1] >= PANEL}
        counts = draws(len(curves))
        table = pd.DataFrame([song_statistics(one, seed=seed) for one in curves.values()])
        within = table.pop("split-half r within the song")
        for name, values in table.items():
            rows[dimension, name] = _median(values.to_numpy(), counts)
        means = np.array([one.mean() for one in curves.values()])
        rows[dimension, "sd of song means"] = _drawn(_spread(counts, means))
        rows[dimension, "reliability within songs"] = _drawn(
            _brown(_mean(counts, within.to_numpy()))
        )
        for name, values in _halves(list(curves.values()), counts, seed).items():
            rows[dimension, name] = _drawn(_brown(values))
    both = [song.groupby(level="time").mean() for song in songs.values()]
    for name, values in _coupling(both).items():
        rows["both", name] = _drawn(values)
    rows = {key: (*row, len(songs)) for key, row in rows.items()}
    return as_rows(rows, ["dimension", "statistic"])


def _last(song: pd.DataFrame) -> float:
    return song.index.get_level_values("time").max()


def _excerpt(song: pd.DataFrame) -> pd.DataFrame:
    time = song.index.get_level_values("time")
    return song[(time >= ENDS[0]) & (time < ENDS[1])]


def _drawn(values: np.ndarray) -> tuple[float, float, float]:
    return values[0], *np.nanpercentile(values[1:], [2.5, 97.5])


def _median(values: np.ndarray, counts: np.ndarray) -> tuple[float, float, float]:
    drawn = np.array([np.nanmedian(np.repeat(values, row)) for row in counts])
    return _drawn(drawn)


def _mean(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    return counts[:, known] @ values[known] / counts[:, known].sum(axis=1)


def _spread(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    songs = counts.sum(axis=1)
    return np.sqrt(counts @ values**2 / songs - (counts @ values / songs) ** 2)


def _brown(r: np.ndarray) -> np.ndarray:
    """Reliability of twice as many raters, Spearman (1910) and Brown (1910)."""
    return 2 * r / (1 + r)


def _r(counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Correlation in each sample, of songs' sums (songs, 6): n, a, b, aa, bb, ab."""
    n, a, b, aa, bb, ab = (counts @ sums).T
    return (ab - a * b / n) / np.sqrt((aa - a * a / n) * (bb - b * b / n))


def _sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.array([len(a), a.sum(), b.sum(), a @ a, b @ b, a @ b])


def _halves(curves: list[np.ndarray], counts: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Mean over random halves of r between halves: over songs and pooled over frames."""
    rng, half = np.random.default_rng(seed), PANEL // 2
    found: dict[str, list] = {"reliability between songs": [], "reliability, pooled": []}
    for _ in range(SPLITS):
        pairs = []
        for one in curves:
            drawn = rng.permutation(one.shape[1])[: 2 * half]
            pairs.append([one[:, part].mean(axis=1) for part in (drawn[:half], drawn[half:])])
        means = np.array([[a.mean(), b.mean()] for a, b in pairs])
        single = np.array([_sums(*means[k : k + 1].T) for k in range(len(means))])
        found["reliability between songs"].append(_r(counts, single))
        found["reliability, pooled"].append(_r(counts, np.array([_sums(*pair) for pair in pairs])))
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def _coupling(curves: list[pd.DataFrame]) -> dict[str, np.ndarray]:
    """How valence goes with arousal: over song means, and within songs."""
    counts = draws(len(curves))
    means = np.array([curve[DIMENSIONS].mean().to_numpy() for curve in curves])
    single = np.array([_sums(*means[k : k + 1].T) for k in range(len(means))])
    with np.errstate(invalid="ignore"):
        within = np.array([np.corrcoef(curve[DIMENSIONS].T)[0, 1] for curve in curves])
    names = "r of valence and arousal, over songs", "r of valence and arousal, within songs"
    return dict(zip(names, (_r(counts, single), _mean(counts, within))))


STUDIES = {
    "raters": Study(
        rater_agreement,
        labelled(("data",), data=["mini", "mini, test", "vgmidi", "vgmidi, 30 s"], seed=[0]),
        ("data",),
        lag_table,
        ("raters.csv",),
        all_music,
        cheapest=("mini, test",),
    )
}
"""VGMIDI's raters, real, beside the simulated ones of the embedded corpus (`mini`), SYNTHETIC."""

"""Real raters beside simulated ones: agreement, reliability, and how a single rater moves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mer_core.agreement import cronbach_alpha
from mer_core.corpus import Corpus
from mer_core.metrics import DIMENSIONS
from mer_core.tracks import HOP
from workbook.studies.real import joint_study, of_data
from workbook.studies.study import framed
from workbook.valence import (
    correlation,
    interval,
    label_correlations,
    mean_over_songs,
    song_counts,
    spearman_brown,
)

SPLITS = 50
"""Random halves of a song's raters."""
PANEL = 10
"""Raters for which reliabilities are given: mini has as many."""
EXCERPT, ENDS = ", 30 s", (15.0, 45.0)
STILL = 0.02
"""A rater whose curve has a smaller standard deviation does not move."""


def song_statistics(ratings: np.ndarray) -> dict[str, float]:
    """How the raters of one song agree and move, in one dimension; `ratings` (frames, raters).

    Bias is the sd of raters' means; movement the sd over time of a rater's curve; the rest is a
    rater's curve without its regression on the mean of the other raters.
    """
    raters, moves = ratings.shape[1], ratings.std(axis=0)
    others = (ratings.sum(axis=1, keepdims=True) - ratings) / (raters - 1)
    x, y = (part - part.mean(axis=0) for part in (others, ratings))
    slope = (x * y).sum(axis=0) / np.maximum((x**2).sum(axis=0), 1e-9)
    rest, moving, alpha = y - slope * x, moves > STILL, cronbach_alpha(ratings)
    return {
        "raters": raters,
        "alpha": alpha,
        "sd of the mean curve": ratings.mean(axis=1).std(),
        "rater's bias, sd": ratings.mean(axis=0).std(ddof=1),
        "rater's movement, sd": moves.mean(),
        "rater's movement, sd of log": np.log(moves[moving]).std(ddof=1),
        "raters who do not move": (~moving).mean(),
        "rest, sd": rest.std(axis=0).mean(),
        "slope on the others' mean": np.median(slope[moving]),
        "rest, autocorrelation at 1 s": _autocorrelation(rest[:, moving], int(1 / HOP)),
        "rest, autocorrelation at 4 s": _autocorrelation(rest[:, moving], int(4 / HOP)),
        f"alpha of {PANEL} raters": spearman_brown(alpha, PANEL / raters),
    }


def _autocorrelation(curves: np.ndarray, shift: int) -> float:
    if len(curves) <= 2 * shift or not curves.shape[1]:
        return np.nan
    each = [np.corrcoef(c[:-shift], c[shift:])[0, 1] for c in curves.T if c.std() > 1e-6]
    return float(np.nanmean(each)) if each else np.nan


def rater_agreement(corpus: Corpus, *, data: str, seed: int) -> pd.DataFrame:
    """Agreement, reliability and movement of a data set's raters, with 95 % intervals over songs.

    `data` is a name of `DATA` or "mini, test"; with ", 30 s" behind it, from 15 s to 45 s of the
    songs that last so long. Index (dimension, statistic). Statistics of songs are medians over
    songs. Reliabilities are of `PANEL` raters, by Spearman and Brown from r of random halves of
    them: of song means (between songs), of all frames (pooled), and the mean r within songs.
    """
    ratings = of_data(corpus, data.removesuffix(EXCERPT)).ratings.dropna()
    if data.endswith(EXCERPT):
        ratings = _excerpts(ratings)
    songs = ratings.index.unique("song_id").size
    rows = {}
    for dimension in DIMENSIONS:
        curves = [
            song.droplevel("song_id").unstack("rater").dropna(axis=1, how="all").dropna().to_numpy()
            for _, song in ratings[dimension].groupby(level="song_id")
        ]
        curves = [values for values in curves if values.shape[1] >= PANEL]
        for name, values in _of_songs(curves, seed).items():
            rows[dimension, name] = interval(values) | {"songs": songs}
    table = label_correlations(ratings.groupby(level=["song_id", "time"]).mean())
    for name in ("over song means", "within songs"):
        row = table.loc[name, ["value", "low", "high"]].to_dict() | {"songs": songs}
        rows["both", f"r of valence and arousal, {name.replace('song means', 'songs')}"] = row
    return framed(rows, ["dimension", "statistic"])


def _excerpts(ratings: pd.DataFrame) -> pd.DataFrame:
    """From 15 s to 45 s of the songs that last so long."""
    time = ratings.index.get_level_values("time").to_series(index=ratings.index)
    last = time.groupby(level="song_id").transform("max")
    return ratings[(last >= ENDS[1] - HOP) & (time >= ENDS[0]) & (time < ENDS[1])]


def _of_songs(curves: list[np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """All statistics of one dimension in each bootstrap sample."""
    counts = song_counts(len(curves))
    table = pd.DataFrame([song_statistics(one) for one in curves])
    found = {name: _medians(counts, values.to_numpy()) for name, values in table.items()}
    means = np.array([one.mean() for one in curves])
    squares = mean_over_songs(counts, means**2)
    found["sd of song means"] = np.sqrt(squares - mean_over_songs(counts, means) ** 2)
    within = [_within(one, np.random.default_rng(seed)) for one in curves]
    found["reliability within songs"] = spearman_brown(mean_over_songs(counts, within), 2)
    return found | _between(curves, counts, seed)


def _medians(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.array([np.nanmedian(np.repeat(values, row)) for row in counts.astype(int)])


def _halves(ratings: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Mean curves of two groups of `PANEL` / 2 raters."""
    drawn = rng.permutation(ratings.shape[1])[:PANEL]
    return [ratings[:, part].mean(axis=1) for part in np.split(drawn, 2)]


def _within(ratings: np.ndarray, rng: np.random.Generator) -> float:
    """Mean correlation over time of two halves' means; NaN of a song that does not move."""
    pairs = [_halves(ratings, rng) for _ in range(SPLITS)]
    found = [np.corrcoef(a, b)[0, 1] for a, b in pairs if a.std() > 1e-9 and b.std() > 1e-9]
    return float(np.mean(found)) if found and len(ratings) > 2 else np.nan


def _between(curves: list[np.ndarray], counts: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Reliabilities over songs and pooled over frames: from mean r of random halves."""
    rng, found = np.random.default_rng(seed), {"between songs": [], ", pooled": []}
    for _ in range(SPLITS):
        pairs = [_halves(one, rng) for one in curves]
        means = np.array([[a.mean(), b.mean()] for a, b in pairs])
        found["between songs"].append(correlation(counts @ [_sums(*m[:, None]) for m in means]))
        found[", pooled"].append(correlation(counts @ [_sums(*pair) for pair in pairs]))
    r = {name: np.mean(values, axis=0) for name, values in found.items()}
    return {
        "reliability between songs": spearman_brown(r["between songs"], 2),
        "reliability, pooled": spearman_brown(r[", pooled"], 2),
    }


def _sums(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Sums of :func:`workbook.valence.moments`."""
    return [x.sum(), y.sum(), x @ x, y @ y, x @ y, len(x)]


_data = ["mini", "mini, test", "vgmidi", "vgmidi, 30 s"]
STUDIES = {"raters": joint_study(rater_agreement, "mini, test", data=_data, seed=[0])}
"""VGMIDI's raters, real, beside the simulated ones of the embedded corpus (`mini`), SYNTHETIC."""

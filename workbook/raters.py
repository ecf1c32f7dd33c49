"""Simulated raters, who rate a known path of valence and arousal.

A *path* is what a song is composed to express: valence and arousal in [-1, 1] every half second
from 0 s on. *Ratings* follow a path, and *labels* are the mean over raters from 15 s on. This needs
no audio, so other labels come from the stored paths in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

STEP = 0.5  # s between two values of a path
LABEL_START = 15.0  # s, as in DEAM: raters need the first seconds to settle
VALENCE, AROUSAL = 0, 1  # position on the last axis of every path and rating


@dataclass(frozen=True)
class Raters:
    """Properties of simulated raters; pairs are (valence, arousal).

    Lag and inertia follow the 2-4 s delays found by Schubert (2004); personal scale, bias and slow
    wandering follow the rater effects described for DEAM by Aljanaki, Yang & Soleymani (2017).
    """

    count: int = 10
    lag: tuple[float, float] = (1.0, 4.0)  # s, lowest and highest
    inertia: float = 1.5  # s, time constant of the moving hand
    scale_spread: float = 0.3  # sd of the logarithm of the personal scale
    bias: tuple[float, float] = (0.2, 0.2)  # sd of the personal offset
    noise: tuple[float, float] = (0.13, 0.13)  # sd of the slow Ornstein-Uhlenbeck error
    noise_spread: float = 0.4  # sd of the logarithm of the personal amount of error
    noise_time: float = 6.0  # s, time constant of that error
    ignoring: tuple[float, float] = (0.03, 0.03)  # share of raters who don't follow the music


def ornstein_uhlenbeck(
    shape: tuple[int, ...], time_constant: float, rng: np.random.Generator
) -> np.ndarray:
    """Slow noise of unit variance along the second axis (raters, steps, 2); time constant in s."""
    keep = np.exp(-STEP / time_constant)
    white = rng.standard_normal(shape)
    white[:, 1:] *= np.sqrt(1 - keep**2)
    return lfilter([1.0], [1.0, -keep], white, axis=1)


def follow(path: np.ndarray, lag: np.ndarray, inertia: float) -> np.ndarray:
    """A path as each rater's hand follows it, late by `lag` s [shape=(raters, steps, 2)]."""
    time = np.arange(len(path)) * STEP
    late = np.stack(
        [np.stack([np.interp(time - own, time, column) for column in path.T], -1) for own in lag]
    )
    keep = np.exp(-STEP / inertia)
    start = keep * late[:, :1]
    return lfilter([1 - keep], [1.0, -keep], late, axis=1, zi=start)[0]


def rate(path: np.ndarray, raters: Raters, rng: np.random.Generator) -> np.ndarray:
    """Ratings in [-1, 1] of a path by simulated raters [shape=(raters, steps, 2)]."""
    count, steps = raters.count, len(path)
    followed = follow(path, rng.uniform(*raters.lag, size=count), raters.inertia)
    centre = followed.mean(axis=1, keepdims=True)
    attentive = rng.random((count, 1, 2)) >= np.asarray(raters.ignoring)
    scale = np.exp(raters.scale_spread * rng.standard_normal((count, 1, 2))) * attentive
    bias = np.asarray(raters.bias) * rng.standard_normal((count, 1, 2))
    own_noise = np.exp(raters.noise_spread * rng.standard_normal((count, 1, 2)))
    noise = ornstein_uhlenbeck((count, steps, 2), raters.noise_time, rng)
    noise *= own_noise * np.asarray(raters.noise)
    return np.clip(centre + scale * (followed - centre) + bias + noise, -1.0, 1.0)


def labelled(ratings: np.ndarray) -> np.ndarray:
    """The part of ratings (raters, steps, 2) that is kept: from 15 s on, four decimals."""
    return ratings[:, int(LABEL_START / STEP) :].round(4)


def recolour(paths: list[np.ndarray], correlation: float) -> list[np.ndarray]:
    """Paths whose valence keeps its spread and gets this correlation with arousal over song means.

    Arousal stays as it is, so the music that was composed from the paths still fits it.
    """
    means = np.array([path[int(LABEL_START / STEP) :].mean(axis=0) for path in paths])
    centre, spread = means.mean(axis=0), means.std(axis=0)
    found = np.corrcoef(means.T)[VALENCE, AROUSAL]
    own, shared = np.sqrt((1 - correlation**2) / (1 - found**2)), correlation
    changed = []
    for path in paths:
        valence, arousal = ((path - centre) / spread).T
        mixed = own * (valence - found * arousal) + shared * arousal
        new = np.column_stack([mixed, arousal]) * spread + centre
        changed.append(np.clip(new, -1.0, 1.0))
    return changed


def relabel(
    paths: list[np.ndarray],
    raters: Raters,
    seed: int | tuple[int, ...],
    *,
    correlation: float | None = None,
) -> list[np.ndarray]:
    """Ratings of the same songs by other raters, who may relate valence to arousal otherwise.

    For the correlation see `recolour`.
    """
    if correlation is not None:
        paths = recolour(paths, correlation)
    generators = np.random.default_rng(seed).spawn(len(paths))
    return [labelled(rate(path, raters, rng)) for path, rng in zip(paths, generators)]

"""Drawn emotion paths, simulated raters and the selection of songs by their agreement.

A *path* is what a song is composed to express: valence and arousal in [-1, 1] every half second
from the first moment of the audio. *Ratings* are what raters make of a path, and *labels* are the
mean over raters from 15 s on. None of this needs audio, so the labels of another `World` (other
raters, another correlation of valence and arousal) come from the stored paths in seconds.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from mer_core import agreement

STEP = 0.5  # s between two values of a path
LABEL_START = 15.0  # s, as in DEAM: raters need the first seconds to settle
VALENCE, AROUSAL = 0, 1  # position on the last axis of every path and rating


@dataclass(frozen=True)
class Raters:
    """How simulated raters hear and report; pairs are (valence, arousal).

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


@dataclass(frozen=True)
class World:
    """A population of songs and the raters who label it; pairs are (valence, arousal)."""

    mean: tuple[float, float]
    between: tuple[float, float]  # sd of the song means
    correlation: float  # of valence and arousal over song means
    within: tuple[float, float]  # typical sd of a path inside a song
    within_correlation: float  # of valence and arousal inside a typical song
    within_correlation_spread: float = 0.6  # sd of it between songs, on Fisher's z scale
    within_spread: float = 0.4  # sd of the logarithm of a song's own amount of change
    pace: float = 6.0  # s, how long the emotion stays about the same
    raters: Raters = field(default_factory=Raters)
    least_alpha: float | None = None  # both alphas of a song must reach it; None: no selection


DEVELOPMENT = World(
    mean=(0.12, 0.17),
    between=(0.24, 0.29),
    correlation=0.65,
    within=(0.05, 0.055),
    within_correlation=0.65,
    raters=Raters(noise=(0.065, 0.065)),
    least_alpha=0.5,
)
TEST = World(
    mean=(0.02, 0.08),
    between=(0.28, 0.22),
    correlation=-0.15,
    within=(0.068, 0.14),
    within_correlation=-0.3,
    within_correlation_spread=1.2,
    within_spread=0.8,
    pace=7.0,
    raters=Raters(noise=(0.15, 0.14), noise_spread=0.8, noise_time=20.0, ignoring=(0.1, 0.03)),
)


def draw_means(world: World, count: int, rng: np.random.Generator) -> np.ndarray:
    """Song means [shape=(count, 2)] whose sample spread and correlation are exactly the world's."""
    normal = rng.standard_normal((count, 2))
    normal -= normal.mean(axis=0)
    white = np.linalg.qr(normal)[0] * np.sqrt(count - 1)
    valence, arousal = world.between
    covariance = world.correlation * valence * arousal
    colour = np.linalg.cholesky([[valence**2, covariance], [covariance, arousal**2]])
    return np.asarray(world.mean) + white @ colour.T


def draw_path(
    mean: np.ndarray, duration: float, world: World, rng: np.random.Generator
) -> np.ndarray:
    """A path [shape=(steps, 2)] around a song mean: smooth change that stays for `pace` seconds.

    The labelled part (from 15 s on) has exactly the song mean as its mean.
    """
    steps, width = int(np.ceil(duration / STEP)), world.pace / STEP
    margin = int(4 * width)
    smooth = gaussian_filter1d(rng.standard_normal((steps + 2 * margin, 2)), width, axis=0)
    smooth = smooth[margin:-margin] * np.sqrt(2 * width * np.sqrt(np.pi))
    shared = np.tanh(
        np.arctanh(world.within_correlation) + world.within_correlation_spread * rng.normal()
    )
    smooth[:, VALENCE] = shared * smooth[:, AROUSAL] + np.sqrt(1 - shared**2) * smooth[:, VALENCE]
    change = smooth * np.asarray(world.within) * np.exp(world.within_spread * rng.normal(size=2))
    change -= change[int(LABEL_START / STEP) :].mean(axis=0)
    return np.clip(mean + change, -0.95, 0.95)


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
    """Ratings in [-1, 1] that simulated raters give along a path [shape=(raters, steps, 2)]."""
    count, steps = raters.count, len(path)
    heard = follow(path, rng.uniform(*raters.lag, size=count), raters.inertia)
    centre = heard.mean(axis=1, keepdims=True)
    attentive = rng.random((count, 1, 2)) >= np.asarray(raters.ignoring)
    scale = np.exp(raters.scale_spread * rng.standard_normal((count, 1, 2))) * attentive
    bias = np.asarray(raters.bias) * rng.standard_normal((count, 1, 2))
    own_noise = np.exp(raters.noise_spread * rng.standard_normal((count, 1, 2)))
    noise = ornstein_uhlenbeck((count, steps, 2), raters.noise_time, rng)
    noise *= own_noise * np.asarray(raters.noise)
    return np.clip(centre + scale * (heard - centre) + bias + noise, -1.0, 1.0)


def labelled(ratings: np.ndarray) -> np.ndarray:
    """The part of ratings (raters, steps, 2) that is kept: from 15 s on, four decimals."""
    return ratings[:, int(LABEL_START / STEP) :].round(4)


def cronbach_alpha(ratings: np.ndarray) -> np.ndarray:
    """Agreement of raters (raters, steps, 2) over time, one for valence, one for arousal.

    See `mer_core.agreement.cronbach_alpha`.
    """
    both = (ratings[:, :, column].T for column in (VALENCE, AROUSAL))
    return np.array([agreement.cronbach_alpha(curves) for curves in both])


def draw_song(
    mean: np.ndarray, duration: float, world: World, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A path (steps, 2) and its ratings, drawn again until the raters agree as the world asks."""
    while True:
        path = draw_path(mean, duration, world, rng)
        ratings = labelled(rate(path, world.raters, rng))
        if world.least_alpha is None or cronbach_alpha(ratings).min() >= world.least_alpha:
            return path, ratings


def draw_songs(
    world: World, durations: np.ndarray, seed: int | tuple[int, ...]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Paths and ratings of a whole set of songs, one of each per duration in s."""
    rng = np.random.default_rng(seed)
    means = draw_means(world, len(durations), rng)
    songs = [
        draw_song(*song, world, own) for *song, own in zip(means, durations, rng.spawn(len(means)))
    ]
    return [path for path, _ in songs], [ratings for _, ratings in songs]


def recolour(paths: list[np.ndarray], correlation: float) -> list[np.ndarray]:
    """Paths heard otherwise: valence keeps its spread and gets another correlation with arousal.

    Over song means the correlation is exactly the one asked for. Arousal stays as it is, so the
    music that was composed from the paths still fits it.
    """
    means = np.array([path[int(LABEL_START / STEP) :].mean(axis=0) for path in paths])
    centre, spread = means.mean(axis=0), means.std(axis=0)
    found = np.corrcoef(means.T)[VALENCE, AROUSAL]
    own, shared = np.sqrt((1 - correlation**2) / (1 - found**2)), correlation
    heard = []
    for path in paths:
        valence, arousal = ((path - centre) / spread).T
        mixed = own * (valence - found * arousal) + shared * arousal
        new = np.column_stack([mixed, arousal]) * spread + centre
        heard.append(np.clip(new, -1.0, 1.0))
    return heard


def relabel(
    paths: list[np.ndarray],
    raters: Raters,
    seed: int | tuple[int, ...],
    *,
    correlation: float | None = None,
) -> list[np.ndarray]:
    """Ratings that other raters would give to the same songs, without rendering anything anew.

    With a correlation, these raters understand valence otherwise (see `recolour`).
    """
    if correlation is not None:
        paths = recolour(paths, correlation)
    generators = np.random.default_rng(seed).spawn(len(paths))
    return [labelled(rate(path, raters, rng)) for path, rng in zip(paths, generators)]

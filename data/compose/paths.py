"""Drawn emotion paths and the selection of songs by the agreement of simulated raters.

A *path* is what a song is composed to express: valence and arousal in [-1, 1] every half second
from the first moment of the audio. What raters make of it is in `workbook.raters`.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d

from mer_core import agreement
from workbook.raters import AROUSAL, LABEL_START, STEP, VALENCE, Raters, labelled, rate


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

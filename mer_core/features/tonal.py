"""Six tonal features: mode, key clarity, harmonic change and the entropy of the chroma."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from mer_core.features.audio import SAMPLE_RATE
from mer_core.features.grid import grid
from mer_core.features.librosa_loader import load_librosa

RATE = 22_050
"""Hz. Audio is resampled to it: the highest pitch of the chroma is a B7, 3,951 Hz."""
HOP = 2048
"""Samples at :data:`RATE` between two frames of the chroma, 93 ms."""
LONG = 16.0
"""s. The long window, over which a key can be heard: it ends where the short one ends."""
MAJOR = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
"""How often each degree, from the tonic up, occurs in a major and in a minor key."""
NAMES = ("mode", "key_clarity", "mode_long", "key_clarity_long", "harmonic_change", "tonal_entropy")

FLAT = 0.2
"""Spread of a chroma around its mean, as a share of the mean, below which its correlations shrink:
noise has 0.1 over 1 s, piano music 0.6, and songs with drums lie between them."""

_SHORTEST = 4.0  # s; shorter audio is padded with zeros, as the lowest filters need 1.6 s


def tonal(samples: np.ndarray, *, window: float = 1.0) -> pd.DataFrame:
    """Mode, key clarity, harmonic change and tonal entropy on the grid.

    The chroma (constant-Q transform, 36 bins an octave, seven octaves from C1, each frame divided
    by its maximum, tuning estimated once for the song) is summed over a window and correlated with
    the 24 key profiles. A row uses the audio up to the end of its window, never what follows.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        One channel at 44.1 kHz, at least 60 ms.
    window : float
        Length of the short window in s. The long one is the 16 s that end with it, or what there
        is of them.

    Returns
    -------
    DataFrame, shape (rows, 6)
        Index `time` in s. `mode`, `mode_long`: correlation with the best major key minus
        correlation with the best minor key, -2 to 2; above 0 is major. `key_clarity`,
        `key_clarity_long`: correlation with the best key of all, 0 to 1. `harmonic_change`: mean
        distance between the tonal centroids of consecutive frames, 0 (one chord held) to 2.
        `tonal_entropy`: of the summed chroma, 0 (one pitch class) to 1 (all twelve alike). Digital
        silence gives 0, 0, 0, 0, 0, 1.

    References
    ----------
    Temperley (1999), "What's key for key?": the profiles. Krumhansl (1990), "Cognitive foundations
    of musical pitch": the method. Lartillot and Toiviainen (2007), "MIR Toolbox": mode and clarity.
    Harte, Sandler and Gasser (2006), "Detecting harmonic change in musical audio". None of the five
    papers has features of harmony. Notebook 01.

    Examples
    --------
    >>> t = np.arange(88_200) / 44_100
    >>> def chord(*pitches):
    ...     return sum(np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * t) for p in pitches)
    >>> [round(float(tonal(chord(*p))["mode"].iloc[0]), 1) for p in ((60, 64, 67), (60, 63, 67))]
    [0.3, -0.2]
    """
    times = grid(len(samples) / SAMPLE_RATE)
    frames = chroma(samples)
    centroids = load_librosa().feature.tonnetz(chroma=frames.T).T
    moved = np.linalg.norm(np.diff(centroids, axis=0, prepend=centroids[:1]), axis=1)
    ends = _frame(times + window, frames)
    short, far = _frame(times, frames), _frame(times + window - LONG, frames)
    near, long = _sums(frames, short, ends), _sums(frames, far, ends)
    columns = [*mode_and_clarity(near), *mode_and_clarity(long)]
    columns += [_sums(moved[:, None], short, ends)[:, 0] / np.maximum(ends - short, 1)]
    columns += [entropy(near)]
    return pd.DataFrame(dict(zip(NAMES, columns)), index=pd.Index(times, name="time"))


def chroma(samples: np.ndarray) -> np.ndarray:
    """Chroma of each frame: shape (frames, 12), C first, each frame's maximum 1 (0 in silence).

    Frame k is centred at k * 93 ms.
    """
    librosa = load_librosa()
    audio = samples.astype(np.float32, copy=False)
    audio = librosa.resample(audio, orig_sr=SAMPLE_RATE, target_sr=RATE)
    count = 1 + len(audio) // HOP
    audio = np.pad(audio, (0, max(0, round(_SHORTEST * RATE) - len(audio))))
    with warnings.catch_warnings():  # silence has no pitch to tune by
        warnings.filterwarnings("ignore", "Trying to estimate tuning")
        found = librosa.feature.chroma_cqt(y=audio, sr=RATE, hop_length=HOP, bins_per_octave=36)
    return found.T[:count].astype(float)


def mode_and_clarity(chroma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mode and key clarity of chroma vectors, shape (rows, 12); 0 where all twelve are equal."""
    r = _standard(chroma, floor=FLAT) @ _standard(key_profiles(), floor=0).T
    return r[:, :12].max(1) - r[:, 12:].max(1), r.max(1)


def key_profiles() -> np.ndarray:
    """Profiles of the 24 keys: shape (24, 12), C major to B major, then C minor to B minor."""
    return np.array([np.roll(mode, tonic) for mode in (MAJOR, MINOR) for tonic in range(12)])


def entropy(chroma: np.ndarray) -> np.ndarray:
    """Entropy of chroma vectors of shape (rows, 12) as shares of ln 12; 1 where all are 0."""
    from scipy.special import entr

    total = chroma.sum(1, keepdims=True)
    shares = np.divide(chroma, total, out=np.full(chroma.shape, 1 / 12), where=total > 0)
    return entr(shares).sum(1) / np.log(12)


def _standard(rows: np.ndarray, *, floor: float) -> np.ndarray:
    """Rows with mean 0, divided by their length or, if it is larger, that of the floor."""
    mean = rows.mean(1, keepdims=True)
    length = np.linalg.norm(rows - mean, axis=1, keepdims=True)
    length = np.maximum(length, floor * np.sqrt(12) * mean)
    return np.divide(rows - mean, length, out=np.zeros(rows.shape), where=length > 0)


def _frame(times: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The first frame that is centred at or after each time."""
    return np.clip(np.ceil(times * RATE / HOP - 1e-9), 0, len(frames)).astype(int)


def _sums(values: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Sums over the rows from start to stop, at least one row."""
    start = np.minimum(start, len(values) - 1)
    summed = np.vstack([np.zeros(values.shape[1]), values.cumsum(0)])
    return summed[np.maximum(stop, start + 1)] - summed[start]

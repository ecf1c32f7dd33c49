"""The one grid on which every feature stands: a row each half second, from time 0."""

from __future__ import annotations

import numpy as np

from mer_core.features.audio import SHORTEST
from mer_core.tracks import HOP


def grid(duration: float) -> np.ndarray:
    """Start times of the feature windows of a song.

    A window starts every 0.5 s and is cut at the song's end; the last one that starts has at
    least 60 ms, one descriptor frame, of audio left.

    Parameters
    ----------
    duration : float
        Length of the audio in s, at least 0.06.

    Returns
    -------
    ndarray, shape (rows,)
        Times in s: 0, 0.5, 1, ...

    Examples
    --------
    >>> grid(1.7)
    array([0. , 0.5, 1. , 1.5])
    >>> grid(45.04)[-1]
    np.float64(44.5)
    """
    rows = int((duration - SHORTEST + 1e-6) // HOP) + 1
    return HOP * np.arange(rows)

"""The grid of all features: a row each half second, from time 0."""

import numpy as np

from mer_core.features.audio import SHORTEST
from mer_core.tracks import HOP


def grid(duration: float) -> np.ndarray:
    """Start times (0, 0.5, 1, ... s) of the feature windows of a song of `duration` s.

    Windows are cut at the song's end; the last has at least 60 ms of audio, a descriptor frame.

    >>> grid(1.7)
    array([0. , 0.5, 1. , 1.5])
    """
    rows = int((duration - SHORTEST + 1e-6) // HOP) + 1
    return HOP * np.arange(rows)

"""The feature sets by name, and one song's features on the one grid."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mer_core.features import compare
from mer_core.features.audio import Audio, read_audio, song_id_of

SETS = {"compare": compare.compare}


def extract(
    audio: Audio, sets: Sequence[str] = ("compare",), *, window: float = 1.0
) -> pd.DataFrame:
    """Extract features from audio on the 0.5 s grid.

    Parameters
    ----------
    audio : path or (samples, sample_rate)
        As in :func:`read_audio`.
    sets : sequence of str
        Feature sets, side by side in this order. Known: "compare" (the 260 of MediaEval).
    window : float
        Length of the window that starts at each time, in s; the papers' is 1, IRIT's 0.5.

    Returns
    -------
    DataFrame
        A track (MultiIndex song_id, time) of one song, one column per feature. The row at `time`
        (0, 0.5, ... s) describes [time, time + window), cut at the end of the audio. The song_id is
        the file's name without its suffix, a number where it is one; 0 for an array.

    Raises
    ------
    ValueError
        If a set is unknown or the window is below 10 ms.
    DataError
        If the audio can't be used; see :func:`read_audio`.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(66_150) / 44_100)
    >>> extract((tone, 44_100))["pcm_RMSenergy_sma_amean"].round(2)
    song_id  time
    0        0.0     0.71
             0.5     0.71
             1.0     0.71
    Name: pcm_RMSenergy_sma_amean, dtype: float64
    """
    unknown = [name for name in sets if name not in SETS]
    if unknown or not sets or isinstance(sets, str):
        raise ValueError(f"sets: expected some of {list(SETS)}, found {sets!r}")
    if not window >= 0.01:
        raise ValueError(f"window: expected at least a descriptor's 0.01 s, found {window!r}")
    samples = read_audio(audio)
    features = pd.concat([SETS[name](samples, window=window) for name in sets], axis=1)
    return pd.concat({song_id_of(audio): features}, names=["song_id"])

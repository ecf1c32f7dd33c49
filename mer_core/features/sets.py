"""The feature sets by name, and one song's features on the one grid."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from mer_core.features import compare, mel, psychoacoustic, spectral
from mer_core.features.audio import Audio, read_audio, song_id_of, stream
from mer_core.tracks import check_columns

SETS = {
    "compare": compare.compare,
    "psychoacoustic": psychoacoustic.psychoacoustic,
    "spectral": spectral.spectral,
    "mel": lambda samples, *, window: mel.mel(samples),  # a patch is the half second, always
}
COLUMNS = {
    "compare": re.compile(r".+_(stddev|amean)"),
    "psychoacoustic": re.compile(r"sensory_dissonance|roughness|tempo|event_density"),
    "spectral": re.compile(r"flatness_db_(bark|erb)|spectral_valley_\d"),
    "mel": re.compile(r"mel_\d+_\d+"),
}
"""How each set's columns are named."""
LONGEST_WINDOW = 3600
"""s. A longer one is a unit mistaken."""


def extract(
    audio: Audio, sets: Sequence[str] = ("compare",), *, window: float = 1.0
) -> pd.DataFrame:
    """Extract features from audio on the 0.5 s grid.

    Parameters
    ----------
    audio : path or (samples, sample_rate)
        As in :func:`read_audio`.
    sets : sequence of str
        Feature sets, side by side in this order: "compare" (the 260 of MediaEval, FS1 of Munich),
        "psychoacoustic" (the four that make FS2 of it), "spectral" (IRIT's eight, 268 with FS1),
        "mel" (half-second log-mel patches, 1,024 columns).
    window : float
        Length of the window that starts at each time, in s; the papers' is 1, IRIT's 0.5. A mel
        patch is half a second long whatever the window.

    Returns
    -------
    DataFrame
        A track (MultiIndex song_id, time) of one song, one column per feature. The row at `time`
        (0, 0.5, ... s) describes [time, time + window), cut at the end of the audio. The song_id is
        the file's name without its suffix, a number where it is one; 0 for an array.

    Raises
    ------
    ValueError
        If a set is unknown or named twice, or the window is not 10 ms to an hour.
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
    check_settings(sets, window)
    if list(sets) == ["compare"]:  # hours of it need not be in memory at once
        features = compare.of_blocks(stream(audio), window=window)
        return pd.concat({song_id_of(audio): features}, names=["song_id"])
    samples = read_audio(audio)
    features = pd.concat([SETS[name](samples, window=window) for name in sets], axis=1)
    return pd.concat({song_id_of(audio): features}, names=["song_id"])


def check_settings(sets: Sequence[str], window: float) -> None:
    """Raise a ValueError unless :func:`extract` can work with these.

    Parameters
    ----------
    sets : sequence of str
        Names of feature sets, each once.
    window : float
        Length of the window in s, from 0.01 to 3600.

    Raises
    ------
    ValueError
        That says which of the two is wrong.

    Examples
    --------
    >>> check_settings(["compare"], 0.0)
    Traceback (most recent call last):
    ValueError: window: expected 0.01 s, a descriptor's length, to 3600 s, found 0.0
    """
    known = not isinstance(sets, str) and set(sets) <= set(SETS)
    if not known or not sets or len(set(sets)) < len(sets):
        raise ValueError(f"sets: expected some of {list(SETS)}, each once, found {sets!r}")
    if not 0.01 <= window <= LONGEST_WINDOW:
        expected = f"0.01 s, a descriptor's length, to {LONGEST_WINDOW} s"
        raise ValueError(f"window: expected {expected}, found {window!r}")


def columns_of(features: pd.DataFrame, name: str) -> list[str]:
    """Columns of one feature set, in the order in which the features have them.

    Parameters
    ----------
    features : DataFrame
        A track.
    name : str
        A set of :func:`extract`.

    Returns
    -------
    list of str
        Empty if the features hold none of the set, or there is no such set.

    References
    ----------
    Notebook 01.
    """
    rule = COLUMNS.get(name)
    names = [column for column in features if isinstance(column, str)]
    return [column for column in names if rule and rule.fullmatch(column)]


def choose(features: pd.DataFrame, sets: Sequence[str]) -> pd.DataFrame:
    """The columns of some feature sets, out of features that hold more.

    Parameters
    ----------
    features : DataFrame
        A track.
    sets : sequence of str
        As for :func:`extract`: ("compare",) is FS1, ("compare", "psychoacoustic") FS2, ("compare",
        "spectral") IRIT's 268.

    Returns
    -------
    DataFrame
        The same rows.

    Raises
    ------
    ValueError
        If a set is unknown, the features have none of its columns, or have a column twice.

    Examples
    --------
    >>> both = pd.DataFrame({"F0final_sma_amean": [100.0], "tempo": [120.0]})
    >>> list(choose(both, ("psychoacoustic",)))
    ['tempo']
    """
    check_columns(features, "features")
    names = {name: columns_of(features, name) for name in sets}
    absent = [name for name in sets if not names[name]]
    if absent:
        raise ValueError(f"sets: expected sets that the features hold, found none of {absent}")
    return features[[name for chosen in sets for name in names[chosen]]]

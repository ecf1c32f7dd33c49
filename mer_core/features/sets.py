"""The feature sets by name; features of a song in windows and as a whole."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from mer_core.features.audio import Audio, read_audio, song_id_of, stream
from mer_core.features.compare import compare
from mer_core.features.mel import mel
from mer_core.features.psychoacoustic import psychoacoustic
from mer_core.features.spectral import spectral
from mer_core.features.tonal import tonal
from mer_core.files import DataError
from mer_core.tracks import as_table, as_track, check_columns


class FeatureSet(NamedTuple):
    """A feature set: a function, and a regular expression of its columns' names.

    The function has the arguments `samples`, shape (n,), one channel at 44.1 kHz of at least 60 ms
    with full scale 1, and `window=`, the length of the windows in s. It returns a frame with the
    index `time` in s, the grid of the song.
    """

    compute: Callable[..., pd.DataFrame]
    columns: str


SETS = {
    "compare": FeatureSet(compare, r".+_(stddev|amean)"),
    "psychoacoustic": FeatureSet(
        psychoacoustic, "sensory_dissonance|roughness|tempo|event_density"
    ),
    "spectral": FeatureSet(spectral, r"flatness_db_(bark|erb)|spectral_valley_\d"),
    "tonal": FeatureSet(tonal, "(mode|key_clarity)(_long)?|harmonic_change|tonal_entropy"),
    "mel": FeatureSet(lambda samples, *, window: mel(samples), r"mel_\d+_\d+"),
}
"""All feature sets by name."""
LONGEST_WINDOW = 3600  # s. A longer one is a wrong unit


def extract(
    audio: Audio, sets: Sequence[str] = ("compare",), *, window: float = 1.0
) -> pd.DataFrame:
    """Extract features from audio on the 0.5 s grid.

    Parameters
    ----------
    audio : path or (samples, sample_rate)
        As in :func:`read_audio`.
    sets : sequence of str
        Feature sets in this order: "compare" (the 260 of MediaEval, FS1 of Munich),
        "psychoacoustic" (the four that make FS2 of it), "spectral" (IRIT's eight, 268 with FS1),
        "tonal" (six features of harmony, in none of the papers), "mel" (half-second log-mel
        patches, 1,024 columns).
    window : float
        Length of the window that starts at each time, in s; 1 in the papers, 0.5 for IRIT. A mel
        patch is always half a second long.

    Returns
    -------
    DataFrame
        A track (MultiIndex song_id, time) of one song, one column per feature. The row at `time`
        (0, 0.5, ... s) describes [time, time + window), cut at the end of the audio. The song_id is
        the file's name without its suffix, as an int if it is a number; 0 for an array.

    Raises
    ------
    ValueError
        If a set is unknown or named twice, or the window is not 10 ms to an hour.
    DataError
        As :func:`read_audio`.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(66_150) / 44_100)
    >>> extract((tone, 44_100))["pcm_RMSenergy_sma_amean"].round(2).tolist()
    [0.71, 0.71, 0.71]
    """
    check_settings(sets, window)
    # Hours of audio need little memory if they are read block by block.
    samples = stream(audio) if list(sets) == ["compare"] else read_audio(audio)
    features = pd.concat([SETS[name].compute(samples, window=window) for name in sets], axis=1)
    return pd.concat({song_id_of(audio): features}, names=["song_id"])


def check_settings(sets: Sequence[str], window: float) -> None:
    """Raise a ValueError unless the sets and the window are valid for :func:`extract`."""
    known = not isinstance(sets, str) and set(sets) <= set(SETS)
    if not known or not sets or len(set(sets)) < len(sets):
        raise ValueError(f"sets: expected some of {list(SETS)}, each once, found {sets!r}")
    if not 0.01 <= window <= LONGEST_WINDOW:
        expected = f"0.01 s, a descriptor's length, to {LONGEST_WINDOW} s"
        raise ValueError(f"window: expected {expected}, found {window!r}")


def columns_of(features: pd.DataFrame, name: str) -> list[str]:
    """Columns of a feature set in a track, in the track's order; empty if there are none."""
    if name not in SETS:
        return []
    rule = re.compile(SETS[name].columns)
    return [column for column in features if isinstance(column, str) and rule.fullmatch(column)]


def choose(features: pd.DataFrame, sets: Sequence[str]) -> pd.DataFrame:
    """Select the columns of some feature sets in a track.

    `sets` as for :func:`extract`: ("compare",) is FS1, ("compare", "psychoacoustic") FS2,
    ("compare", "spectral") IRIT's 268. A ValueError is raised if a set is unknown, the features
    have none of its columns, or have a column twice.

    Examples
    --------
    >>> both = pd.DataFrame({"F0final_sma_amean": [100.0], "tempo": [120.0]})
    >>> list(choose(both, ("psychoacoustic",)))
    ['tempo']
    """
    check_columns(features, "features")
    names = {name: columns_of(features, name) for name in sets}
    if absent := [name for name in sets if not names[name]]:
        raise ValueError(f"sets: expected sets that the features hold, found none of {absent}")
    return features[[name for chosen in sets for name in names[chosen]]]


def song_level(features: pd.DataFrame, functionals: pd.DataFrame | None = None) -> pd.DataFrame:
    """Mean and standard deviation of every feature over each song, after the song's functionals.

    Source: Herremans et al. (2019), who count 6,669 features a song. Beside the functionals, 296
    remain (148 means and standard deviations), which is the size of no set that the paper names.
    Notebook 06.

    Parameters
    ----------
    features : DataFrame
        A track; all rows count, labelled or not.
    functionals : DataFrame, optional
        Index song_id; rows as from :func:`mer_core.features.functionals`. A DataError is raised if
        a song has none, or a column is in both tables.

    Returns
    -------
    DataFrame
        Index song_id. The functionals first, then `<name>_mean` and `<name>_sd` (population
        standard deviation) of each feature: 6,373 + 2 x 260 = 6,893 columns with MediaEval's 260.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5]], names=["song_id", "time"])
    >>> song_level(pd.DataFrame({"tempo": [100.0, 120.0]}, index)).loc[7].to_dict()
    {'tempo_mean': 110.0, 'tempo_sd': 10.0}
    """
    features = as_track(features, "features")
    by_song = features.groupby(level="song_id")
    moments = by_song.mean().add_suffix("_mean").join(by_song.std(ddof=0).add_suffix("_sd"))
    if functionals is None:
        return moments
    functionals = as_table(functionals, "functionals")
    missing = moments.index[~moments.index.isin(functionals.index)]
    if len(missing):
        raise DataError("functionals", "a row for every song", f"none for {list(missing[:5])}")
    if both := list(functionals.columns.intersection(moments.columns)):
        raise DataError("functionals", "other columns than the features' moments", f"{both[:3]}")
    return functionals.loc[moments.index].join(moments)

"""One reader for DEAM, whole or partial, and for the embedded corpus, which is laid out alike."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import SONG_COLUMNS, Corpus
from mer_core.deam.annotations import read_labels, read_ratings, read_song_level
from mer_core.deam.defects import unswap
from mer_core.deam.feature_files import cut_labels, read_features
from mer_core.deam.layout import files_by_song, find_folder
from mer_core.deam.metadata import read_metadata
from mer_core.features.audio import SUFFIXES, duration
from mer_core.features.containers import DamagedAudio
from mer_core.files import DataError, DataWarning, read_table

MINI = Path(__file__).parents[2] / "data" / "mini"
DEVELOPMENT_2015 = "mediaeval2015_development_ids.csv"
TASKS = ("2013", "2014", "2015")


def load_corpus(where: str | os.PathLike = "mini", *, task: str = "2015") -> Corpus:
    """Load a corpus in DEAM's layout, whole or partial, and repair DEAM's known defects aloud.

    Needed is the folder `annotations`; `metadata`, `features` and `MEMD_audio` are taken where they
    are. Each may also lie one folder deeper, as unpacked archives do.

    Parameters
    ----------
    where : "mini" or path
        The embedded, synthetic corpus, or a folder with DEAM.
    task : {"2015", "2014", "2013"}
        Whose development and test songs `split` names; nothing else differs.
        2013: the 744 songs of 2013 are "dev", none is "test" (its own division of them is not part
        of DEAM). 2014: those 744 are "dev", the 1000 of 2014 "test". 2015: the 431 that the
        organisers chose by agreement are "dev", the 58 of 2015 "test".

    Returns
    -------
    Corpus

    Raises
    ------
    DataError
        Naming the file, what was expected and what was found.
    ValueError
        If the task is unknown.

    Warns
    -----
    DataWarning
        For each repair: swapped song-level columns, unequal curves, ragged metadata, labels behind
        the last feature window, features that outlast the audio.

    Examples
    --------
    >>> corpus = load_corpus("mini")
    >>> list(corpus.labels)
    ['valence', 'arousal']

    References
    ----------
    Aljanaki, Yang, Soleymani (2017). The list of the 431, which is not part of DEAM either, was
    recovered by aligning label curves: 388 are certain. Notebook 00.
    """
    if task not in TASKS:
        raise ValueError(f"task: expected one of {TASKS}, found {task!r}")
    folder = MINI if where == "mini" else Path(os.path.expanduser(where))
    annotations = find_folder(folder, "annotations")
    if annotations is None:
        raise DataError(folder, "a folder with DEAM's `annotations` in it", _contents(folder))
    labels = read_labels(annotations)
    songs = _read_songs(folder, annotations, labels)
    songs["split"] = _split(songs, task, folder)
    features_folder = find_folder(folder, "features") or folder / "features"
    features = read_features(features_folder, songs.index)
    _warn_if_longer_than_audio(features, songs, features_folder)
    labels = cut_labels(labels, features, features_folder)
    corpus = Corpus(songs[SONG_COLUMNS], labels, features, read_ratings(annotations))
    corpus.validate()
    return corpus


def development_2015(folder: Path | None = None) -> pd.DataFrame:
    """The 431 development songs of MediaEval 2015, or the list that a folder brings itself.

    Parameters
    ----------
    folder : Path, optional
        A corpus; its own `mediaeval2015_development_ids.csv` goes before DEAM's.

    Returns
    -------
    DataFrame
        Index song_id, column `certain`: False for the 43 that may be off by a neighbouring id.

    Raises
    ------
    DataError
        If the list is no table with song_id and certain.
    """
    paths = [place / DEVELOPMENT_2015 for place in (folder, Path(__file__).parent) if place]
    path = next(path for path in paths if path.exists())
    table = read_table(path, index="song_id")
    if "certain" not in table:
        raise DataError(path, "a column 'certain'", f"{['song_id', *table]}")
    return table


def _contents(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name for path in folder.iterdir())
    return f"{len(names)} entries: {', '.join(names[:8])}"


def _duration(path: str) -> float:
    try:
        return duration(path)
    except DamagedAudio as error:  # one clip of a corpus; reading it says the same as an error
        warnings.warn(f"{error}; its duration is left out", DataWarning, stacklevel=6)
        return np.nan


def _read_songs(folder: Path, annotations: Path, labels: pd.DataFrame) -> pd.DataFrame:
    song_level = read_song_level(annotations)
    song_ids = labels.index.get_level_values("song_id").unique().union(song_level.index)
    metadata = read_metadata(find_folder(folder, "metadata") or folder / "metadata")
    songs = metadata.reindex(song_ids).rename_axis("song_id")
    by_id = pd.Series(np.select([song_ids <= 1000, song_ids <= 2000], [2013, 2014], 2015), song_ids)
    songs["year"] = songs["year"].fillna(by_id).astype(int)
    audio = files_by_song(find_folder(folder, "MEMD_audio") or folder / "MEMD_audio", SUFFIXES)
    songs["audio"] = pd.Series({k: str(path) for k, path in audio.items()}, dtype=object)
    songs["duration"] = songs["audio"].dropna().map(_duration).astype(float)
    return songs.join(unswap(song_level, labels, songs["year"]))


def _split(songs: pd.DataFrame, task: str, folder: Path) -> pd.Series:
    development = {
        "2013": songs["year"] == 2013,
        "2014": songs["year"] == 2013,
        "2015": songs.index.isin(development_2015(folder).index),
    }
    test = songs["year"] == int(task) if task != "2013" else pd.Series(False, songs.index)
    split = pd.Series(None, songs.index, dtype=object)
    return split.mask(test, "test").mask(development[task], "dev")


def _warn_if_longer_than_audio(features: pd.DataFrame, songs: pd.DataFrame, folder: Path) -> None:
    if features.empty:
        return
    last = features.index.to_frame(index=False).groupby("song_id")["time"].max()
    longer = last.index[last > songs["duration"].reindex(last.index) + 1]
    if len(longer):
        warnings.warn(
            f"{folder}: features of {len(longer)} songs outlast their audio (song {longer[0]}: "
            f"{last[longer[0]]:g} s against {songs['duration'][longer[0]]:.1f} s), so they may "
            "describe the full song instead of the excerpt that was rated",
            DataWarning,
            stacklevel=3,
        )

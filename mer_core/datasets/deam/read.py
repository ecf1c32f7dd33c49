"""The reader of DEAM, whole or partial, and of the embedded corpus, which has DEAM's layout."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import SONG_COLUMNS, Corpus
from mer_core.datasets.common import audio_files, from_audio, with_audio
from mer_core.datasets.deam import annotations as curves
from mer_core.datasets.deam.feature_files import cut_labels, read_features
from mer_core.datasets.deam.metadata import read_metadata
from mer_core.datasets.layout import entry, find_folder
from mer_core.files import DataError, check_in_repository, note, read_table
from mer_core.metrics import DIMENSIONS
from mer_core.scales import warn_of_five_points, warn_of_unsigned

MINI = Path(__file__).parents[3] / "data" / "mini"
DEVELOPMENT_2015 = "mediaeval2015_development_ids.csv"
TASKS = ("2013", "2014", "2015")
VARIABLE = "MER_DATA"  # The environment variable that chooses a corpus: see :func:`chosen_data`
SONG_IDS = "song_ids.csv"  # Ranges of the ids that DEAM's songs have: 1802 of 2 to 2058


def find(folder: Path) -> Path | None:
    """DEAM's folder `annotations`; None if this is not DEAM."""
    annotations = find_folder(folder, "annotations")
    return annotations if annotations and entry(annotations, curves.AVERAGED).is_dir() else None


def load(where: str | os.PathLike = "mini", *, task: str = "2015") -> Corpus:
    """Load DEAM or data in its layout, whole or partial, and repair DEAM's known defects.

    The folder `annotations` is needed; `metadata`, `features` and `MEMD_audio` are read if they are
    there. Repairs are reported: swapped song-level columns, unequal curves, ragged metadata, labels
    after the last feature window. So are features longer than the audio, labels that look like
    [0, 1], and songs that do not seem to be DEAM's but are divided by its lists.
    """
    folder = _folder(where)
    annotations = find_folder(folder, "annotations")
    labels, ratings = curves.read_labels(annotations), curves.read_ratings(annotations)
    songs = _read_songs(folder, annotations, labels)
    songs["split"] = _split(songs, task, folder)
    _warn_of_scales(annotations, songs[DIMENSIONS], labels, ratings)
    _warn_of_foreign_ids(songs, folder, task)
    features_folder = find_folder(folder, "features") or folder / "features"
    features = read_features(features_folder, songs.index)
    _warn_if_longer_than_audio(features, songs, features_folder)
    labels = cut_labels(labels, features, features_folder)
    if features.empty:
        labels, songs, features = from_audio(folder, labels, songs)
    corpus = Corpus(songs[SONG_COLUMNS], labels, features, ratings)
    corpus.validate()
    return corpus


def development_2015(folder: Path | None = None) -> pd.DataFrame:
    """The 431 development songs of MediaEval 2015, or a folder's own list (index song_id).

    The latter is a file `mediaeval2015_development_ids.csv`; a DataError is raised if it lacks the
    columns song_id and certain. `certain` is False for the eight that are only nearly certain;
    DEAM's list also has `irit_fold`, the song's fold among IRIT's ten (song 1036 is in none).
    """
    path = (folder and _own_list(folder)) or Path(__file__).parent / DEVELOPMENT_2015
    table = read_table(path, index="song_id")
    if "certain" not in table:
        raise DataError(path, "a column 'certain'", f"{['song_id', *table]}")
    return table


def chosen_data() -> str:
    """The corpus that the environment variable `MER_DATA` names: "mini" by default, or a path.

    The path is made absolute; the folder need not exist.
    """
    named = os.environ.get(VARIABLE, "")
    if not named.strip() or named == "mini":
        return "mini"
    return os.path.abspath(os.path.expanduser(named))


def describe_split(songs: pd.DataFrame, where: str | os.PathLike, task: str) -> str:
    """Say what divides a folder's songs (`Corpus.songs`) into development and test songs.

    `where` and `task` are those of :func:`mer_core.load_corpus`. The text names the list, counts
    its songs and the test songs, and says how to give a list for another data set.
    """
    folder, counts = _folder(where), songs["split"].value_counts()
    if find(folder) is None:
        return f'Songs as the data set divides them, or else all "dev": {dict(counts)}.'
    named, total = f"{counts.get('dev', 0)} of {len(songs)} songs", len(development_2015(folder))
    own = f"write {DEVELOPMENT_2015} (columns song_id, certain) into the folder"
    if task != "2015":
        dev = f"those of the year 2013, {named}"
    elif _own_list(folder):
        dev = f"the folder's own list, {DEVELOPMENT_2015}, of {total} ids, which contains {named}"
    else:
        dev = f"DEAM's list of {total} ids, which contains {named}; for another data set, {own}"
    test = f"those of the year {task}, {counts.get('test', 0)} songs"
    if task == "2013":
        test = "none, since DEAM has no division of 2013's songs"
    return (
        f"Task {task}. Development songs: {dev}. Test songs: {test}. Years are those of "
        "metadata_<year>.csv, or by song_id: 2013 up to 1000, 2014 up to 2000, 2015 above."
    )


def _folder(where: str | os.PathLike) -> Path:
    if where != "mini":
        return Path(os.path.expanduser(where))
    remedy = ', or copy that folder and give its path instead of "mini": load_corpus(path)'
    check_in_repository(MINI, "the embedded corpus", remedy=remedy)
    return MINI


def _own_list(folder: Path) -> Path | None:
    path = entry(folder, DEVELOPMENT_2015)
    return path if path.exists() else None


def _read_songs(folder: Path, annotations: Path, labels: pd.DataFrame) -> pd.DataFrame:
    song_level = curves.read_song_level(annotations)
    song_ids = labels.index.get_level_values("song_id").unique().union(song_level.index)
    metadata = read_metadata(find_folder(folder, "metadata") or folder / "metadata")
    songs = metadata.reindex(song_ids).rename_axis("song_id")
    by_id = pd.Series(np.select([song_ids <= 1000, song_ids <= 2000], [2013, 2014], 2015), song_ids)
    songs["year"] = songs["year"].where(songs["year"].notna(), by_id).astype(int)
    songs = with_audio(songs, audio_files(folder, "MEMD_audio"))
    return songs.join(curves.unswap(song_level, labels, songs["year"]))


def _split(songs: pd.DataFrame, task: str, folder: Path) -> pd.Series:
    development = {
        "2013": songs["year"] == 2013,
        "2014": songs["year"] == 2013,
        "2015": songs.index.isin(development_2015(folder).index),
    }
    test = songs["year"] == int(task) if task != "2013" else pd.Series(False, songs.index)
    split = pd.Series(None, songs.index, dtype=object)
    return split.mask(test, "test").mask(development[task], "dev")


def _warn_of_scales(
    annotations: Path, song_level: pd.DataFrame, labels: pd.DataFrame, ratings: pd.DataFrame | None
) -> None:
    warn_of_unsigned(labels, annotations, song_level)
    warn_of_five_points(song_level, labels, annotations)
    if ratings is not None and labels.min(axis=None) < 0:
        warn_of_unsigned(ratings, f"{annotations}, raters")


def _warn_of_foreign_ids(songs: pd.DataFrame, folder: Path, task: str) -> None:
    if _own_list(folder):
        return
    ranges = read_table(Path(__file__).parent / SONG_IDS, index=None)
    known = np.concatenate([np.arange(first, last + 1) for first, last in ranges.to_numpy()])
    foreign = songs.index.difference(known)
    named = songs[["title", "artist", "genre"]].notna().any(axis=None)
    complete = development_2015().index.isin(songs.index).all()
    if len(foreign):
        reason = f"{len(foreign)} of {len(songs)} songs are not DEAM's, such as {list(foreign[:5])}"
    elif not named and not complete:
        reason = f"without metadata, nothing shows that the {len(songs)} songs are DEAM's"
    else:
        return
    counts = songs["split"].value_counts()
    note(
        f"{folder}: {reason}; by DEAM's lists, {counts.get('dev', 0)} of them are development "
        f"songs and {counts.get('test', 0)} are test songs of task {task}. For another data set, "
        f"write {DEVELOPMENT_2015} (columns song_id, certain) into the folder"
    )


def _warn_if_longer_than_audio(features: pd.DataFrame, songs: pd.DataFrame, folder: Path) -> None:
    if features.empty:
        return
    last = features.index.to_frame(index=False).groupby("song_id")["time"].max()
    longer = last.index[last > songs["duration"].reindex(last.index) + 1]
    if len(longer):
        note(
            f"{folder}: features of {len(longer)} songs are longer than their audio "
            f"(song {longer[0]}: {last[longer[0]]:g} s and {songs['duration'][longer[0]]:.1f} s), "
            "so they may describe the full song instead of the excerpt that was rated"
        )

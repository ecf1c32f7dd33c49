"""DEAM's features: a file for each song, a row each half second; and those of whole songs."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from mer_core.corpus import NO_FEATURES, Corpus, labels_without_features
from mer_core.datasets.common import extract_songs
from mer_core.datasets.layout import files_by_song
from mer_core.files import DataError, check_numbers, note, read_table
from mer_core.tracks import HOP, LEVELS

SONG_LEVEL_FEATURES = "song_level_features.csv"
SUFFIXES = (".csv", ".csv.gz")
CUT = 2  # Labelled frames at a song's end that may lack features: windows of 1 s that no longer fit


def read_features(folder: Path, song_ids: Iterable[int]) -> pd.DataFrame:
    """Read the features of these songs, where they have a file, into a track.

    Files are called `<song_id>.csv` or `<song_id>.csv.gz`; those of other songs are left out with a
    warning. Columns have the order of the first file. Without files the track is empty. Raises a
    DataError if the times of a file are not 0, 0.5, 1, ..., its columns are not those of the first
    file, or a cell is not a finite number.
    """
    files = files_by_song(folder, SUFFIXES)
    known = sorted(set(files) & set(song_ids))
    if len(known) < len(files):
        others = sorted(set(files) - set(known))
        note(f"{folder}: left out the files of {len(others)} songs without labels: {others[:5]}")
    if not known:
        return NO_FEATURES
    quiet = len(known) < 200
    tracks = {k: _read_song(files[k]) for k in tqdm(known, "features", disable=quiet, unit="song")}
    first = tracks[known[0]]
    for song_id in known:
        _check_columns(files[song_id], tracks[song_id].columns, files[known[0]], first.columns)
    return pd.concat(tracks, names=LEVELS)[list(first)]


def _read_song(path: Path) -> pd.DataFrame:
    table = read_table(path, index="frameTime", index_type=float)
    check_numbers(table, path)
    times = HOP * np.arange(len(table))
    if not np.allclose(table.index, times, atol=1e-3):
        found = f"{table.index[0]:g} to {table.index[-1]:g} s in {len(table)} rows"
        raise DataError(path, "frameTime of 0, 0.5, 1, ... s", found)
    values = table.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        where = f"{table.columns[column]} at {times[row]:g} s"
        raise DataError(path, "finite numbers", f"an empty or infinite cell in {where}")
    return pd.DataFrame(values, pd.Index(times, name="time"), table.columns)


def _check_columns(path: Path, columns: pd.Index, first: Path, expected: pd.Index) -> None:
    missing, extra = expected.difference(columns), columns.difference(expected)
    if len(missing) or len(extra):
        found = f"{len(missing)} missing {list(missing[:3])} and {len(extra)} more"
        raise DataError(path, f"the columns of {first.name}", f"{found} {list(extra[:3])}")


def cut_labels(labels: pd.DataFrame, features: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Leave out labels at the end of songs, at most two a song, that no feature window covers.

    A warning says how many. Raises a DataError if more than two frames of a song lack features.
    """
    missing = labels_without_features(labels, features)
    if missing.empty:
        return labels
    counts = missing.get_level_values("song_id").value_counts()
    if counts.iloc[0] > CUT:
        song_id = counts.index[0]
        last = [track.loc[song_id].index[-1] for track in (labels, features)]
        expected = f"features up to the last label at {last[0]:g} s"
        raise DataError(folder / f"{song_id}.csv", expected, f"the last at {last[1]:g} s")
    found = f"{len(missing)} labels at the end of {len(counts)} songs"
    note(f"{folder}: left out {found}, after the last feature window")
    return labels.drop(missing)


def compare_features(corpus: Corpus, folder: Path) -> pd.DataFrame:
    """Compare the means of our features over songs that have audio with DEAM's song-level features.

    The two differ for three reasons. DEAM's means are over the full song, ours over the excerpt.
    The mean of a delta depends only on a curve's two ends. The excerpts begin with some 50 ms of
    digital silence (from MP3 coding), whose end sets off a burst in openSMILE's RASTA filter that
    affects a 45 s mean; so a second r leaves out the first 5 s. DEAM's features are in the file
    `song_level_features.csv` of the corpus's folder; a DataError is raised if it is missing.
    Returns for each feature `family` ("descriptor", "RASTA", "mean of a delta"), `r` over songs,
    `r_after_5s` (ours without the first 5 s), and `offset_after_5s`: the mean difference ours -
    DEAM's in standard deviations of DEAM's feature over all its songs. Notebook 01.
    """
    theirs = read_table(folder / SONG_LEVEL_FEATURES, index="song_id")
    ours = extract_songs(corpus.songs.loc[corpus.songs.index.intersection(theirs.index)])
    whole = ours.groupby(level="song_id").mean()
    late = ours[ours.index.get_level_values("time") >= 5].groupby(level="song_id").mean()
    shared = [name for name in theirs if name in whole]
    known = theirs.loc[whole.index, shared]
    names = pd.Series(shared, shared)
    family = pd.Series("descriptor", shared).mask(names.str.contains("Rfilt|Rasta"), "RASTA")
    columns = {
        "family": family.mask(names.str.contains("_de.*_amean$"), "mean of a delta"),
        "r": whole[shared].corrwith(known),
        "r_after_5s": late[shared].corrwith(known),
        "offset_after_5s": (late[shared] - known).mean() / theirs[shared].std(),
    }
    return pd.DataFrame(columns).rename_axis("feature")

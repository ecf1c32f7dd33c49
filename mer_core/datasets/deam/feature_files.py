"""DEAM's feature files, `features/<song_id>.csv`, one row every half second."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from mer_core import checks
from mer_core.corpus import labels_without_features
from mer_core.datasets.deam.layout import files_by_song
from mer_core.features.grid import HOP
from mer_core.files import DataError, DataWarning, read_table

SUFFIXES = (".csv", ".csv.gz")
CUT = 2
"""Labelled frames at a song's end that may lack features: windows of 1 s that no longer fit."""


def read_features(folder: Path, song_ids: Iterable[int]) -> pd.DataFrame:
    """Read the features of all songs that have a file.

    Parameters
    ----------
    folder : Path
        DEAM's folder `features`, with `<song_id>.csv` or `<song_id>.csv.gz`; cells are separated by
        semicolons (DEAM) or commas.
    song_ids : iterable of int
        The songs of the corpus; files of others are left out with a warning.

    Returns
    -------
    DataFrame
        A track with one float column per feature, in the order of the first file. Empty where
        there is no such folder.

    Raises
    ------
    DataError
        If a file lacks `frameTime`, its times are not 0, 0.5, 1, ..., its columns differ from the
        first file's, a cell is no finite number, or a song has two files.
    """
    files = files_by_song(folder, SUFFIXES)
    known = sorted(set(files) & set(song_ids))
    if len(known) < len(files):
        others = sorted(set(files) - set(known))
        warnings.warn(
            f"{folder}: files of {len(others)} songs that have no labels left out: {others[:5]}",
            DataWarning,
            stacklevel=2,
        )
    if not known:
        index = pd.MultiIndex.from_arrays([[], []], names=["song_id", "time"])
        return pd.DataFrame(index=index)
    quiet = len(known) < 200
    tracks = {k: _read_song(files[k]) for k in tqdm(known, "features", disable=quiet, unit="song")}
    for song_id in known:
        _check_columns(files[song_id], tracks[song_id], files[known[0]], tracks[known[0]])
    return pd.concat(tracks, names=["song_id", "time"])[list(tracks[known[0]])]


def _read_song(path: Path) -> pd.DataFrame:
    table = read_table(path, index="frameTime", index_type=float)
    checks.numbers(table, where=path)
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


def _check_columns(path: Path, table: pd.DataFrame, first: Path, like: pd.DataFrame) -> None:
    missing, extra = like.columns.difference(table.columns), table.columns.difference(like.columns)
    if len(missing) or len(extra):
        found = (
            f"{len(missing)} missing {list(missing[:3])} and {len(extra)} more {list(extra[:3])}"
        )
        raise DataError(path, f"the columns of {first.name}", found)


def cut_labels(labels: pd.DataFrame, features: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Leave out labels at the very end of songs whose last windows have no features.

    Parameters
    ----------
    labels, features : DataFrame
        Tracks.
    folder : Path
        Where the features came from, for messages.

    Returns
    -------
    DataFrame
        The labels; a warning tells how many frames went, at most two in a song.

    Raises
    ------
    DataError
        If more than two frames of a song lack features.
    """
    missing = labels_without_features(labels, features)
    if missing.empty:
        return labels
    counts = missing.get_level_values("song_id").value_counts()
    if counts.iloc[0] > CUT:
        song_id = counts.index[0]
        last = features.loc[song_id].index[-1]
        raise DataError(
            folder / f"{song_id}.csv",
            f"features up to the last label at {labels.loc[song_id].index[-1]:g} s",
            f"the last at {last:g} s",
        )
    warnings.warn(
        f"{folder}: {len(missing)} labels at the end of {len(counts)} songs, behind the last "
        "feature window, were left out",
        DataWarning,
        stacklevel=2,
    )
    return labels.drop(missing)

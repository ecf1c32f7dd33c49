"""DEAM's feature files, `features/<song_id>.csv`, one row every half second."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from mer_core.corpus import labels_without_features
from mer_core.datasets.deam.layout import files_by_song
from mer_core.files import DataError, DataWarning, check_numbers, read_table
from mer_core.tracks import HOP, LEVELS

SUFFIXES = (".csv", ".csv.gz")
CUT = 2
"""Labelled frames at a song's end that may lack features: windows of 1 s that no longer fit."""


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
        warnings.warn(
            f"{folder}: files of {len(others)} songs that have no labels left out: {others[:5]}",
            DataWarning,
            stacklevel=2,
        )
    if not known:
        return pd.DataFrame(index=pd.MultiIndex.from_arrays([[], []], names=LEVELS))
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
        found = f"{len(missing)} missing {list(missing[:3])}"
        raise DataError(
            path, f"the columns of {first.name}", f"{found} and {len(extra)} more {list(extra[:3])}"
        )


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
    warnings.warn(
        f"{folder}: {len(missing)} labels at the end of {len(counts)} songs, behind the last "
        "feature window, were left out",
        DataWarning,
        stacklevel=2,
    )
    return labels.drop(missing)

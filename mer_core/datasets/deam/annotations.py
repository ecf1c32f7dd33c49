"""DEAM's annotation files: dynamic labels, song-level labels, ratings."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.datasets.deam.layout import entry, files_by_song, visible
from mer_core.features.grid import HOP
from mer_core.files import DataError, DataWarning, check_numbers, read_table
from mer_core.metrics import DIMENSIONS
from mer_core.scales import probable_scale

DYNAMIC = "dynamic (per second annotations)"
AVERAGED = "annotations averaged per song"
PER_RATER = "annotations per each rater"
RATER = "WorkerId"
HELD = 2
"""Frames by which the two curves of a song may differ in length."""
SAMPLE = re.compile(r"sample_([0-9]+)ms")


def read_labels(annotations: Path) -> pd.DataFrame:
    """Read the dynamic labels, averaged over raters.

    Where one dimension ends a frame or two before the other, its last value is repeated, with a
    warning.

    Parameters
    ----------
    annotations : Path
        DEAM's folder `annotations`.

    Returns
    -------
    DataFrame
        A track with the columns valence, arousal, in [-1, 1].

    Raises
    ------
    DataError
        If a file is missing, has other columns, text, values out of range, repeated songs, a gap
        inside a song, songs that the other file lacks, or lengths that differ by more.
    """
    folder = entry(entry(annotations, AVERAGED), DYNAMIC)
    curves = {name: read_curves(entry(folder, f"{name}.csv")) for name in DIMENSIONS}
    lengths = pd.DataFrame({k: c.groupby(level="song_id").size() for k, c in curves.items()})
    if lengths.isna().any(axis=None):
        alone = lengths.index[lengths.isna().any(axis=1)]
        raise DataError(folder, "the same songs in both files", f"{list(alone[:5])} in one only")
    return _hold_last(pd.DataFrame(curves), lengths, folder)


def _hold_last(labels: pd.DataFrame, lengths: pd.DataFrame, folder: Path) -> pd.DataFrame:
    missing = -lengths.sub(lengths.max(axis=1), axis=0)
    uneven = missing[missing.any(axis=1)]
    if uneven.empty:
        return labels
    if (uneven > HELD).any(axis=None):
        song_id = uneven.index[(uneven > HELD).any(axis=1)][0]
        found = f"{lengths.loc[song_id].astype(int).to_dict()} in song {song_id}"
        raise DataError(folder, f"lengths that differ by {HELD} frames at most", found)
    warnings.warn(
        f"{folder}: valence and arousal differ in length in songs {list(uneven.index)}; for the "
        f"{uneven.to_numpy().sum():g} frames that one of them lacks, its last value was held",
        DataWarning,
        stacklevel=3,
    )
    return labels.groupby(level="song_id").ffill()


def read_curves(path: Path, *, index: str | None = "song_id", index_type: type = int) -> pd.Series:
    """Read one wide file of curves, `sample_15000ms, sample_15500ms, ...`, into a long series.

    Parameters
    ----------
    path : Path
        A CSV file with a row per curve and a column per half second.
    index : str or None
        The column that names the curves; None numbers them.
    index_type : type
        int for songs, str for raters.

    Returns
    -------
    Series
        MultiIndex (index, time in s), values in [-1, 1]. Empty cells at the end of a row are left
        out, so that curves may differ in length.

    Raises
    ------
    DataError
        As for :func:`read_labels`.
    """
    table = read_table(path, index=index, index_type=index_type)
    check_numbers(table, path)
    if table.columns.empty:
        raise DataError(path, "columns 'sample_<ms>ms'", "none")
    table.columns = pd.Index([_time(name, path) for name in table.columns], name="time")
    table = table.sort_index(axis=1).sort_index()
    if not np.allclose(np.diff(table.columns), HOP):
        raise DataError(path, f"a column every {HOP} s", "a gap between the columns")
    _check_curves(table, path)
    return table.stack().dropna()


def _check_curves(table: pd.DataFrame, path: Path) -> None:
    values = table.to_numpy(dtype=float)
    there, frames = ~np.isnan(values), np.arange(values.shape[1])
    last = np.where(there, frames, -1).max(axis=1)
    faults = {
        "an empty row": last < 0,
        "a gap (NaN) inside the curve": (~there & (frames <= last[:, None])).any(axis=1),
        "a value outside [-1, 1]": (np.abs(values) > 1).any(axis=1),
    }
    for found, rows in faults.items():
        if rows.any():
            scale = probable_scale(values) if "outside" in found else ""
            where = f"{found} in {table.index.name} {table.index[rows][0]}{scale}"
            raise DataError(path, "curves without gaps, in [-1, 1]", where)


def _time(name: str, path: Path) -> float:
    match = SAMPLE.fullmatch(name)
    if not match or int(match[1]) % int(1000 * HOP):
        raise DataError(path, "columns 'sample_<ms>ms' on a grid of 500 ms", f"{name!r}")
    return int(match[1]) / 1000


def read_ratings(annotations: Path) -> pd.DataFrame | None:
    """Read every rater's own curves, where a copy of DEAM has them.

    Parameters
    ----------
    annotations : Path
        DEAM's folder `annotations`.

    Returns
    -------
    DataFrame or None
        MultiIndex (song_id, rater, time), columns valence, arousal in [-1, 1]; a cell is NaN where
        a rater's curves differ in length. None where there are no such files.

    Raises
    ------
    DataError
        As for :func:`read_labels`; raters without a WorkerId are numbered from 1.
    """
    folder = entry(entry(annotations, PER_RATER), DYNAMIC)
    if not folder.is_dir():
        return None
    curves = {name: _curves_of_raters(entry(folder, name)) for name in DIMENSIONS}
    songs = [set(curve.index.unique(0)) for curve in curves.values()]
    if songs[0] != songs[1]:
        found = f"one alone of song {min(songs[0] ^ songs[1])}"
        raise DataError(folder, "both valence and arousal of every song", found)
    return pd.DataFrame(curves).rename_axis(["song_id", "rater", "time"]).sort_index()


def _curves_of_raters(folder: Path) -> pd.Series:
    files = files_by_song(folder, [".csv"])
    if not files:
        raise DataError(folder, "files <song_id>.csv", "none")
    return pd.concat({song_id: _curves_of_song(files[song_id]) for song_id in sorted(files)})


def _curves_of_song(path: Path) -> pd.Series:
    if not path.is_file():
        raise DataError(path, "a CSV table", "a folder or a device")
    named = path.read_bytes()[:20].decode("utf-8-sig", "replace").lstrip().startswith(RATER)
    return read_curves(path, index=RATER if named else None, index_type=str)


def read_song_level(annotations: Path) -> pd.DataFrame:
    """Read the labels given to whole songs, brought from 1-9 to [-1, 1].

    Parameters
    ----------
    annotations : Path
        DEAM's folder `annotations`.

    Returns
    -------
    DataFrame
        Index song_id, columns valence, arousal; as the files have them (see
        :func:`mer_core.datasets.deam.defects.unswap`). Empty where there are no such files.

    Raises
    ------
    DataError
        If a file lacks `valence_mean` or `arousal_mean`, or a value is not in 1-9.
    """
    folder = entry(entry(annotations, AVERAGED), "song_level")
    files = [path for path in visible(folder) if path.suffix.lower() == ".csv"]
    if not files:
        return pd.DataFrame(columns=DIMENSIONS, index=pd.Index([], name="song_id"), dtype=float)
    levels = pd.concat(map(_read_means, files))
    if not levels.index.is_unique:
        twice = list(levels.index[levels.index.duplicated()][:5])
        raise DataError(annotations, "every song in one song-level file", f"{twice} in two")
    return (levels - 5) / 4


def _read_means(path: Path) -> pd.DataFrame:
    table = read_table(path, index="song_id")
    absent = {f"{name}_mean" for name in DIMENSIONS} - set(table)
    if absent:
        raise DataError(path, f"columns {sorted(absent)}", f"{list(table)}")
    means = table[[f"{name}_mean" for name in DIMENSIONS]].set_axis(DIMENSIONS, axis=1)
    check_numbers(means, path)
    empty = means.isna().any(axis=1)
    if empty.any():
        raise DataError(path, "both means of every song", f"none for {means.index[empty][0]}")
    outside = means.stack()[lambda values: ~values.between(1, 9)]
    if len(outside):
        scale = probable_scale(means.to_numpy(dtype=float), target=(1, 9))
        found = f"{outside.iloc[0]:g} in song {outside.index[0][0]}{scale}"
        raise DataError(path, "means from 1 to 9", found)
    return means

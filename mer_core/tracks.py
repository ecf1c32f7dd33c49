"""The shape of the data: its constants, its checks and its conversion to float64, written once.

A *track* is a frame with the index (song_id, time in s). A *table* has one row for each song, or
any other index without repeated rows. Both hold numbers only. The functions return the same frame
where there is nothing to convert, so that valid data is neither copied nor changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mer_core.files import DataError

DIMENSIONS = ["valence", "arousal"]
"""The two columns of labels and predictions, always in this order."""
HOP = 0.5
"""s between two rows of a track."""
LEVELS = ("song_id", "time")
"""The index of a track."""
RATING_LEVELS = ("song_id", "rater", "time")
"""The index of ratings."""
KINDS = {"b": "True or False", "U": "text", "S": "text", "c": "complex numbers"}
KINDS |= {"M": "dates", "m": "time differences", "O": "objects", "V": "records"}


def floats(values: ArrayLike, where: str) -> np.ndarray:
    """Convert numbers of any kind to float64; missing and masked values become NaN.

    Parameters
    ----------
    values : array_like, Series or DataFrame
        Floats, integers, nullable or Arrow numbers, Decimal, or objects that hold such numbers.
    where : str
        The argument's name, for the error.

    Returns
    -------
    ndarray of float64, of the same shape
        The array itself if it has this type already.

    Raises
    ------
    DataError
        If a value is not a real number: True or False, text, complex numbers, dates.

    Examples
    --------
    >>> floats([1, None, 2.5], "y")
    array([1. , nan, 2.5])
    >>> floats(["0.1"], "y")
    Traceback (most recent call last):
    mer_core.files.DataError: y: expected numbers, found text
    """
    if isinstance(values, (list, tuple)) and any(isinstance(v, np.ma.MaskedArray) for v in values):
        values = np.ma.array(values)
    if isinstance(values, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(values), np.nan, floats(values.data, where))
    array = _array(values, where)
    if array.dtype.kind in "iuf":
        return array.astype(np.float64, copy=False)
    if array.dtype.kind != "O":
        raise DataError(where, "numbers", KINDS.get(array.dtype.kind, f"{array.dtype}"))
    converted = [_number(value, where) for value in array.ravel()]
    return np.array(converted, dtype=np.float64).reshape(array.shape)


def as_array(
    values: ArrayLike, where: str, *, ndim: Sequence[int] = (1,), missing: bool = False
) -> np.ndarray:
    """Convert numbers of any kind to a float64 array without missing values.

    Parameters
    ----------
    values : array_like
        As for :func:`floats`.
    where : str
        The argument's name, for the error.
    ndim : sequence of int
        The numbers of dimensions that are allowed.
    missing : bool
        Whether NaN is allowed. Infinity is not, in either case.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    DataError
        If a value is not a real number, not finite or missing, or the shape is another.

    Examples
    --------
    >>> as_array([1, 2], "y")
    array([1., 2.])
    >>> as_array([1, None], "y")
    Traceback (most recent call last):
    mer_core.files.DataError: y: expected finite numbers, found NaN or infinity at position 1
    """
    array = floats(values, where)
    if array.ndim not in ndim:
        dimensions = " or ".join(f"{n}-D" for n in ndim)
        raise DataError(where, f"a {dimensions} array of numbers", f"the shape {array.shape}")
    good = np.isfinite(array) | np.isnan(array) if missing else np.isfinite(array)
    if not good.all():
        place = np.argwhere(~good)[0].tolist()
        found = f"position {place[0] if len(place) == 1 else tuple(place)}"
        raise DataError(where, "finite numbers", f"NaN or infinity at {found}")
    return array


def as_table(
    frame: pd.DataFrame,
    where: str,
    *,
    columns: Sequence[str] | None = None,
    missing: bool = False,
) -> pd.DataFrame:
    """Check a frame of numbers and convert columns of other types than float to float64.

    Parameters
    ----------
    frame : DataFrame
        Any index; every row and every column once.
    where : str
        The argument's name, for the error.
    columns : sequence of str, optional
        The columns that are needed; others are left out. All columns by default.
    missing : bool
        Whether NaN is allowed. Infinity is not, in either case.

    Returns
    -------
    DataFrame
        The same rows and the needed columns; float32 and float64 columns are left as they are.

    Raises
    ------
    DataError
        If it is not a frame, a column is missing or repeated, there are no rows, a row is repeated
        or has no index, or a value is missing, infinite or not a real number.

    Examples
    --------
    >>> songs = pd.DataFrame({"valence": pd.array([0.1, pd.NA], "Float64")}, [7, 8])
    >>> as_table(songs, "songs")
    Traceback (most recent call last):
    mer_core.files.DataError: songs: expected finite numbers, found NaN or infinity in 'valence' \
at 8
    """
    frame = _columns(frame, where, columns)
    if not frame.shape[0] or not frame.shape[1]:
        raise DataError(
            where, "rows and columns", f"{frame.shape[0]} rows, {frame.shape[1]} columns"
        )
    _check_index(frame.index, where)
    frame = _as_floats(frame, where)
    values = frame.to_numpy()
    good = np.isfinite(values)
    if missing:
        good |= np.isnan(values)
    if not good.all():
        row, column = np.argwhere(~good)[0]
        found = f"NaN or infinity in {frame.columns[column]!r} at {_place(frame.index, row)}"
        raise DataError(where, "finite numbers", found)
    return frame


def as_track(
    frame: pd.DataFrame,
    where: str,
    *,
    columns: Sequence[str] | None = None,
    levels: Sequence[str] = LEVELS,
    missing: bool = False,
    ordered: bool = False,
    gapless: bool = False,
) -> pd.DataFrame:
    """Check a track and convert columns of other types than float to float64.

    Parameters
    ----------
    frame : DataFrame
        Index (song_id, time in s).
    where : str
        The argument's name, for the error.
    columns, missing
        As for :func:`as_table`.
    levels : sequence of str
        Names of the index levels, in this order.
    ordered : bool
        Whether times have to rise within each song. Songs may come in any order.
    gapless : bool
        Whether, besides, the rows of a song must be at most 0.5 s apart.

    Returns
    -------
    DataFrame
        As of :func:`as_table`.

    Raises
    ------
    DataError
        As :func:`as_table`; or if the index has other levels, or times are not finite numbers, not
        in order, or have a gap.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([(7, 0.0), (7, 90.0)], names=["song_id", "time"])
    >>> as_track(pd.DataFrame({"tempo": [99.0, 98.0]}, index), "features", gapless=True)
    Traceback (most recent call last):
    mer_core.files.DataError: features: expected a row every 0.5 s within a song, found none from \
0.0 s to 90.0 s in song_id 7
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(where, "a DataFrame", type(frame).__name__)
    check_levels(frame, where, levels)
    frame = as_table(frame, where, columns=columns, missing=missing)
    _check_times(frame.index, where)
    if ordered or gapless:
        _check_steps(frame.index, where, gapless=gapless)
    return frame


def as_rows(
    frame: pd.DataFrame, where: str, *, columns: Sequence[str] | None = None, ordered: bool = False
) -> pd.DataFrame:
    """Check a track, or a table with one row for each song (index song_id).

    Parameters
    ----------
    frame, where, columns, ordered
        As for :func:`as_track`; a table has no times to be ordered.

    Returns
    -------
    DataFrame
        As of :func:`as_table`.

    Raises
    ------
    DataError
        As :func:`as_track`.

    Examples
    --------
    >>> as_rows(pd.DataFrame({"tempo": [99]}, pd.Index([7], name="song_id")), "features")
             tempo
    song_id
    7         99.0
    """
    if isinstance(frame, pd.DataFrame) and list(frame.index.names) == ["song_id"]:
        return as_table(frame, where, columns=columns)
    return as_track(frame, where, columns=columns, ordered=ordered)


def sorted_rows(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Sort a frame by its index, so that what is drawn at random does not depend on its order.

    Parameters
    ----------
    frame : DataFrame
        That :func:`as_track` or :func:`as_table` returned.
    where : str
        The argument's name, for the error.

    Returns
    -------
    DataFrame
        The same frame where it is sorted already.

    Raises
    ------
    DataError
        If song_ids are numbers and text, which have no order.

    Examples
    --------
    >>> sorted_rows(pd.DataFrame({"tempo": [90.0, 99.0]}, [8, 7]), "features")
       tempo
    7   99.0
    8   90.0
    """
    names = frame.index.levels[0] if isinstance(frame.index, pd.MultiIndex) else frame.index
    try:
        if names.dtype == object:
            names.sort_values()
        return frame if frame.index.is_monotonic_increasing else frame.sort_index()
    except TypeError:
        raise DataError(where, "song_ids that are all numbers or all text", "both") from None


def check_levels(frame: pd.DataFrame, where: str, levels: Sequence[str] = LEVELS) -> None:
    """Raise a DataError unless the index has these levels.

    Parameters
    ----------
    frame : DataFrame
    where : str
        The argument's name, for the error.
    levels : sequence of str
        Their names, in order.

    Examples
    --------
    >>> check_levels(pd.DataFrame({"valence": [0.1]}, pd.Index([0.0], name="time")), "track")
    Traceback (most recent call last):
    mer_core.files.DataError: track: expected the index levels song_id, time, found time; for one \
song: pd.concat({song_id: track}, names=['song_id'])
    """
    names = list(frame.index.names)
    if names != list(levels):
        found = ", ".join(map(str, names))
        if names == list(levels[1:]):
            found += f"; for one song: pd.concat({{{levels[0]}: {where}}}, names=[{levels[0]!r}])"
        raise DataError(where, f"the index levels {', '.join(levels)}", found)


def check_columns(frame: pd.DataFrame, where: str, columns: Sequence[str] = ()) -> None:
    """Raise a DataError unless it is a frame with these columns, and has each column once.

    Parameters
    ----------
    frame : DataFrame
    where : str
        The argument's name, for the error.
    columns : sequence of str
        Those that are needed; there may be others.

    Examples
    --------
    >>> check_columns(pd.DataFrame([[1, 2]], columns=["tempo", "tempo"]), "features")
    Traceback (most recent call last):
    mer_core.files.DataError: features: expected every column once, found 'tempo' more than once
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(where, "a DataFrame", type(frame).__name__)
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        few = ", ".join(map(str, columns[:3])) + (", ..." if len(columns) > 3 else "")
        raise DataError(where, f"the columns {few}", f"none for {absent[:3]}")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(where, "every column once", f"{twice!r} more than once")


def check_covered(labels: pd.DataFrame, features: pd.DataFrame) -> None:
    """Raise a DataError unless there are features for every label.

    Parameters
    ----------
    labels, features : DataFrame
        With indexes of the same kind.
    """
    covered = labels.index.isin(features.index)
    if not covered.all():
        missing = _place(labels.index, int(np.argmin(covered)))
        raise DataError("features", "a row for each label", f"none at {missing}")


def stretches(track: pd.DataFrame) -> np.ndarray:
    """Number the stretches of a track in which rows are at most 0.5 s apart.

    Parameters
    ----------
    track : DataFrame
        Index (song_id, time in s), times rising within each song.

    Returns
    -------
    ndarray of int, shape (rows,)
        The number of each row's stretch; a stretch never spans two songs.

    Examples
    --------
    >>> index = [(7, 0.0), (7, 0.5), (7, 90.0), (8, 90.5)]
    >>> index = pd.MultiIndex.from_tuples(index, names=["song_id", "time"])
    >>> stretches(pd.DataFrame({"tempo": 99.0}, index))
    array([0, 0, 1, 2])
    """
    order, same_song, steps = _steps(track.index)
    starts = np.r_[True, ~same_song | _is_gap(steps)]
    numbers = np.empty(len(track), dtype=int)
    numbers[order] = np.cumsum(starts) - 1
    return numbers


def _array(values: ArrayLike, where: str) -> np.ndarray:
    if isinstance(values, pd.DataFrame):
        plain = all(isinstance(kind, np.dtype) for kind in values.dtypes)
        columns = (
            [] if plain else [floats(values.iloc[:, k], where) for k in range(values.shape[1])]
        )
        return np.column_stack(columns) if columns else values.to_numpy()
    if isinstance(values, (pd.Series, pd.Index)) or pd.api.types.is_extension_array_dtype(values):
        values = pd.Series(values)
        extension = isinstance(values.dtype, pd.api.extensions.ExtensionDtype)
        if extension and getattr(values.dtype, "kind", "O") in "iuf":
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        return values.to_numpy(dtype=object) if extension else values.to_numpy()
    try:
        return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(where, "an array of numbers", str(error)) from None


def _number(value: object, where: str) -> float:
    if value is None or value is pd.NA or value is pd.NaT or value is np.ma.masked:
        return np.nan
    if isinstance(value, (bool, np.bool_, np.timedelta64)) or not isinstance(
        value, (Real, Decimal)
    ):
        raise DataError(where, "numbers", _kind(value))
    try:
        return float(value)
    except (OverflowError, ValueError):  # more than 308 digits; a signalling NaN
        return np.inf


def _kind(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return KINDS["b"]
    return "text" if isinstance(value, (str, bytes)) else type(value).__name__


def _columns(frame: object, where: str, columns: Sequence[str] | None) -> pd.DataFrame:
    check_columns(frame, where, columns or ())
    if columns is None or list(columns) == list(frame.columns):
        return frame
    return frame[list(columns)]


def _check_index(index: pd.Index, where: str) -> None:
    if isinstance(index, pd.MultiIndex):
        missing = any((codes < 0).any() for codes in index.codes)
    else:
        missing = index.hasnans
    if missing:
        raise DataError(where, "an index without missing values", "a row with one")
    if not index.is_unique:
        row = int(np.argmax(index.duplicated()))
        raise DataError(where, "every row once", f"another at {_place(index, row)}")


def _as_floats(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    kinds = enumerate(frame.dtypes)
    others = [k for k, kind in kinds if kind not in (np.dtype("f8"), np.dtype("f4"))]
    if others:
        frame = frame.copy(deep=False)
        for k in others:
            column = f"{where}, column {frame.columns[k]!r}"
            frame.isetitem(k, floats(frame.iloc[:, k], column))
    return frame


def _check_times(index: pd.MultiIndex, where: str) -> None:
    times = index.levels[index.names.index("time")]
    if getattr(times.dtype, "kind", "O") not in "iuf":
        raise DataError(where, "times in s, as numbers", f"{times.dtype}")
    if not np.isfinite(times.to_numpy(dtype=float)).all():
        raise DataError(where, "finite times in s", "others")


def _steps(index: pd.MultiIndex) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The order of rows song by song; of neighbours in it, whether of one song, and s between."""
    songs = np.asarray(index.codes[index.names.index("song_id")])
    order = np.argsort(songs, kind="stable")
    times = index.get_level_values("time").to_numpy(dtype=float)[order]
    return order, np.diff(songs[order]) == 0, np.diff(times)


def _is_gap(steps: np.ndarray) -> np.ndarray:
    return steps > HOP * (1 + 1e-6)


def _check_steps(index: pd.MultiIndex, where: str, *, gapless: bool) -> None:
    order, same_song, steps = _steps(index)
    falls, gaps = same_song & (steps < 0), same_song & _is_gap(steps)
    for wrong, found in ((falls, "{1} s after {0} s"), (gaps, "none from {0} s to {1} s")):
        if wrong.any() and (wrong is falls or gapless):
            row = int(np.argmax(wrong))
            (song_id, first), (_, second) = (index[order[k]] for k in (row, row + 1))
            expected = "times that rise" if wrong is falls else f"a row every {HOP} s"
            place = f"{found.format(first, second)} in song_id {song_id}"
            raise DataError(where, f"{expected} within a song", place)


def _place(index: pd.Index, row: int) -> str:
    values = index[row] if isinstance(index, pd.MultiIndex) else (index[row],)
    named = zip(index.names, values)
    return ", ".join(
        f"{value}" if name is None else f"{name} {value}{' s' * (name == 'time')}"
        for name, value in named
    )

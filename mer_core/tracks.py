"""The shape of all data, tracks and tables: constants, checks and conversion to float64.

A *track* is a frame with the index (song_id, time in s). A *table* is a frame with one row for each
song, or with any other index without repeated rows. Both hold numbers only. Valid data is returned
itself, neither copied nor changed; anything else raises a DataError.

The functions share these arguments. `where`: the argument's name, for the error. `columns`: the
columns that are needed, of which others are left out; all by default. `missing`: whether NaN is
allowed; infinity never is. `sort`: whether to sort the rows by their index, so that random draws do
not depend on the order of rows.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mer_core.files import DataError

DIMENSIONS = ["valence", "arousal"]
"""The two columns of labels and predictions, always in this order."""
HOP = 0.5  # s between two rows of a track
LEVELS = ("song_id", "time")  # The index of a track
RATING_LEVELS = ("song_id", "rater", "time")  # The index of ratings
GAP = HOP * (1 + 1e-6)  # s between two rows of a song; with more, rows are missing
KINDS = {"b": "True or False", "U": "text", "S": "text", "c": "complex numbers"}
KINDS |= {"M": "dates", "m": "time differences", "V": "records"}


def floats(values: ArrayLike, where: str) -> np.ndarray:
    """Convert real numbers of any kind to float64; missing and masked values become NaN.

    `values` may be an array, tensor, Series or DataFrame of floats, integers, nullable or Arrow
    numbers, Decimals or Fractions.

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
    """Convert as :func:`floats` does, and check the number of dimensions and that all is finite.

    >>> as_array([1, None], "y")
    Traceback (most recent call last):
    mer_core.files.DataError: y: expected finite numbers, found NaN or infinity at position 1
    """
    array = floats(values, where)
    if array.ndim not in ndim:
        dimensions = " or ".join(f"{n}-D" for n in ndim)
        raise DataError(where, f"a {dimensions} array of numbers", f"the shape {array.shape}")
    place = _not_finite(array, missing)
    if place is not None:
        found = f"position {place[0] if len(place) == 1 else place}"
        raise DataError(where, "finite numbers", f"NaN or infinity at {found}")
    return array


def as_table(
    frame: pd.DataFrame,
    where: str,
    *,
    columns: Sequence[str] | None = None,
    missing: bool = False,
    sort: bool = False,
) -> pd.DataFrame:
    """Check a table; columns that are neither float32 nor float64 become float64.

    Every row and every column may occur once only, and no index may be missing.

    >>> songs = pd.DataFrame({"valence": pd.array([0.1, pd.NA], "Float64")}, [7, 8])
    >>> as_table(songs, "songs")
    Traceback (most recent call last):
    mer_core.files.DataError: songs: expected finite numbers, found NaN or infinity in 'valence' \
at 8
    """
    check_columns(frame, where, columns or ())
    if columns is not None and list(columns) != list(frame.columns):
        frame = frame[list(columns)]
    rows, width = frame.shape
    if not rows or not width:
        raise DataError(where, "rows and columns", f"{rows} rows, {width} columns")
    _check_index(frame.index, where)
    frame = _as_floats(frame, where)
    place = _not_finite(frame.to_numpy(), missing)
    if place is not None:
        found = f"{frame.columns[place[1]]!r} at {_place(frame.index, place[0])}"
        raise DataError(where, "finite numbers", f"NaN or infinity in {found}")
    return _sorted(frame, where) if sort else frame


def as_track(
    frame: pd.DataFrame,
    where: str,
    *,
    columns: Sequence[str] | None = None,
    levels: Sequence[str] = LEVELS,
    missing: bool = False,
    ordered: bool = False,
    gapless: bool = False,
    sort: bool = False,
) -> pd.DataFrame:
    """Check a track as :func:`as_table` does, its index levels and its times.

    Times are finite numbers. With `ordered`, they rise within each song; with `gapless`, the rows
    of a song are at most 0.5 s apart as well. Songs may come in any order.

    >>> index = pd.MultiIndex.from_tuples([(7, 0.0), (7, 90.0)], names=["song_id", "time"])
    >>> as_track(pd.DataFrame({"tempo": [99.0, 98.0]}, index), "features", gapless=True)
    Traceback (most recent call last):
    mer_core.files.DataError: features: expected a row every 0.5 s within a song, found none from \
0.0 s to 90.0 s in song_id 7
    """
    check_levels(frame, where, levels)
    frame = as_table(frame, where, columns=columns, missing=missing)
    times = frame.index.levels[frame.index.names.index("time")]
    if getattr(times.dtype, "kind", "O") not in "iuf":
        raise DataError(where, "times in s, as numbers", f"{times.dtype}")
    if not np.isfinite(times.to_numpy(dtype=float)).all():
        raise DataError(where, "finite times in s", "NaN or infinity")
    if ordered or gapless:
        _check_steps(frame.index, where, gapless=gapless)
    return _sorted(frame, where) if sort else frame


def as_rows(
    frame: pd.DataFrame, where: str, *, columns: Sequence[str] | None = None, ordered: bool = False
) -> pd.DataFrame:
    """Check a track, or a table with the index song_id."""
    if isinstance(frame, pd.DataFrame) and list(frame.index.names) == ["song_id"]:
        return as_table(frame, where, columns=columns)
    return as_track(frame, where, columns=columns, ordered=ordered)


def rows_of(track: pd.DataFrame, songs: Iterable[int | str]) -> pd.DataFrame:
    """The rows of these songs."""
    return track[track.index.get_level_values("song_id").isin(list(songs))]


def check_levels(frame: pd.DataFrame, where: str, levels: Sequence[str] = LEVELS) -> None:
    """Check the names of the index levels and their order.

    >>> check_levels(pd.DataFrame({"valence": [0.1]}, pd.Index([0.0], name="time")), "track")
    Traceback (most recent call last):
    mer_core.files.DataError: track: expected the index levels song_id, time, found time; for one \
song: pd.concat({song_id: track}, names=['song_id'])
    """
    _check_frame(frame, where)
    names = list(frame.index.names)
    if names != list(levels):
        found = ", ".join(map(str, names))
        if names == list(levels[1:]):
            found += f"; for one song: pd.concat({{{levels[0]}: {where}}}, names=[{levels[0]!r}])"
        raise DataError(where, f"the index levels {', '.join(levels)}", found)


def check_columns(frame: pd.DataFrame, where: str, columns: Sequence[str] = ()) -> None:
    """Check that a frame has these columns, and each of its columns once."""
    _check_frame(frame, where)
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        few = ", ".join(map(str, columns[:3])) + (", ..." if len(columns) > 3 else "")
        raise DataError(where, f"the columns {few}", f"none for {absent[:3]}")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(where, "every column once", f"{twice!r} more than once")


def check_covered(labels: pd.DataFrame, features: pd.DataFrame) -> None:
    """Check that there are features for every label; both have indexes of the same kind."""
    covered = labels.index.isin(features.index)
    if not covered.all():
        missing = _place(labels.index, int(np.argmin(covered)))
        raise DataError("features", "a row for each label", f"none at {missing}")


def stretches(track: pd.DataFrame) -> np.ndarray:
    """Number the stretches in which the rows of a song are at most 0.5 s apart.

    Times rise within each song. The result has shape (rows,) and holds the number of each row's
    stretch; no stretch spans two songs.

    >>> index = [(7, 0.0), (7, 0.5), (7, 90.0), (8, 90.5)]
    >>> index = pd.MultiIndex.from_tuples(index, names=["song_id", "time"])
    >>> stretches(pd.DataFrame({"tempo": 99.0}, index))
    array([0, 0, 1, 2])
    """
    order, same_song, steps = _steps(track.index)
    numbers = np.empty(len(track), dtype=int)
    numbers[order] = np.cumsum(np.r_[True, ~same_song | (steps > GAP)]) - 1
    return numbers


def _array(values: ArrayLike, where: str) -> np.ndarray:
    if isinstance(values, pd.DataFrame):
        return _as_floats(values, where).to_numpy()
    if isinstance(values, (pd.Series, pd.Index)) or pd.api.types.is_extension_array_dtype(values):
        values = pd.Series(values)
        if not isinstance(values.dtype, pd.api.extensions.ExtensionDtype):
            return values.to_numpy()
        if getattr(values.dtype, "kind", "O") in "iuf":
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        return values.to_numpy(dtype=object)
    try:
        return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(where, "an array of numbers", str(error)) from None


def _number(value: object, where: str) -> float:
    if value is None or value is pd.NA or value is pd.NaT or value is np.ma.masked:
        return np.nan
    if isinstance(value, (bool, np.bool_)):
        raise DataError(where, "numbers", KINDS["b"])
    if not isinstance(value, (Real, Decimal)) or isinstance(value, np.timedelta64):
        text = isinstance(value, (str, bytes))
        raise DataError(where, "numbers", "text" if text else type(value).__name__)
    try:
        return float(value)
    except (OverflowError, ValueError):  # more than 308 digits; a signalling NaN
        return np.inf


def _as_floats(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    others = [k for k, kind in enumerate(frame.dtypes) if kind not in (np.float64, np.float32)]
    converted = frame.copy(deep=False) if others else frame
    for k in others:
        column = f"{where}, column {frame.columns[k]!r}"
        converted.isetitem(k, floats(frame.iloc[:, k], column))
    return converted


def _not_finite(values: np.ndarray, missing: bool) -> tuple[int, ...] | None:
    """The position of the first value that is not finite, or None."""
    wrong = np.isinf(values) if missing else ~np.isfinite(values)
    return tuple(np.argwhere(wrong)[0].tolist()) if wrong.any() else None


def _sorted(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    names = frame.index.levels[0] if isinstance(frame.index, pd.MultiIndex) else frame.index
    try:
        if names.dtype == object:
            names.sort_values()  # partly numbers, partly text: no order
        return frame if frame.index.is_monotonic_increasing else frame.sort_index()
    except TypeError:
        raise DataError(where, "song_ids that are all numbers or all text", "both") from None


def _check_frame(frame: object, where: str) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise DataError(where, "a DataFrame", type(frame).__name__)


def _check_index(index: pd.Index, where: str) -> None:
    several = isinstance(index, pd.MultiIndex)
    if any((codes < 0).any() for codes in index.codes) if several else index.hasnans:
        raise DataError(where, "an index without missing values", "a row with one")
    if not index.is_unique:
        row = int(np.argmax(index.duplicated()))
        raise DataError(where, "every row once", f"a second one at {_place(index, row)}")


def _steps(index: pd.MultiIndex) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The order of rows song by song; of neighbours in it, whether of one song, and s between."""
    songs = np.asarray(index.codes[index.names.index("song_id")])
    order = np.argsort(songs, kind="stable")
    times = index.get_level_values("time").to_numpy(dtype=float)[order]
    return order, np.diff(songs[order]) == 0, np.diff(times)


def _check_steps(index: pd.MultiIndex, where: str, *, gapless: bool) -> None:
    order, same_song, steps = _steps(index)
    for wrong, expected, found in (
        (same_song & (steps < 0), "times that rise", "{1} s after {0} s"),
        (same_song & (steps > GAP) & gapless, f"a row every {HOP} s", "none from {0} s to {1} s"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            (song_id, first), (_, second) = (index[order[k]] for k in (row, row + 1))
            place = f"{found.format(first, second)} in song_id {song_id}"
            raise DataError(where, f"{expected} within a song", place)


def _place(index: pd.Index, row: int) -> str:
    values = index[row] if isinstance(index, pd.MultiIndex) else (index[row],)
    return ", ".join(
        f"{value}" if name is None else f"{name} {value}{' s' * (name == 'time')}"
        for name, value in zip(index.names, values)
    )

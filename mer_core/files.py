"""Reading and writing files so that a fault is named and nothing is left half done."""

from __future__ import annotations

import os
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

BROKEN_GZIP = (OSError, EOFError, zlib.error)


class DataError(ValueError):
    """A file or a frame is not what it has to be; the message names it, what was expected and found.

    Examples
    --------
    >>> raise DataError("a.csv", "a column 'song_id'", "only 'id'")
    Traceback (most recent call last):
    mer_core.files.DataError: a.csv: expected a column 'song_id', found only 'id'
    """

    def __init__(self, where: str | os.PathLike, expected: str, found: str) -> None:
        super().__init__(f"{where}: expected {expected}, found {found}")

    def __reduce__(self) -> tuple:
        # Errors travel between processes; the message is all there is to carry.
        return _data_error, self.args


def _data_error(message: str) -> DataError:
    error = DataError.__new__(DataError)
    error.args = (message,)
    return error


class DataWarning(UserWarning):
    """A known defect of the data was found and repaired; the message says what was found and done."""


@contextmanager
def written_atomically(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place only if the block succeeds.

    Parameters
    ----------
    path : path
        The file to be written; its folder is made if it is not there.

    Yields
    ------
    Path
        Where to write. It has the suffix of `path`; after an error it is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def read_table(
    path: str | os.PathLike, *, index: str | None, index_type: type = int, separator: str = ","
) -> pd.DataFrame:
    """Read a CSV file of numbers whose column `index` names each row once.

    Byte-order marks, Windows line ends, blanks around column names and gzip are understood.

    Parameters
    ----------
    path : path
        A CSV file, plain or `.gz`.
    index : str or None
        The column that becomes the index; None numbers the rows from 1.
    index_type : type
        int, float or str.
    separator : str
        What stands between two cells.

    Returns
    -------
    DataFrame
        Numbers only; empty cells are NaN.

    Raises
    ------
    DataError
        If the file is missing, empty, not a table, has no column `index`, repeats a column or an
        index, or holds text where a number belongs.
    """
    frame = _parse(path, separator)
    if frame.empty:
        raise DataError(path, "at least one row", "a header only")
    if index is None:
        index = "row"
        frame.insert(0, index, np.arange(1, len(frame) + 1))
    if index not in frame.columns:
        raise DataError(path, f"a column {index!r}", _listed(frame.columns))
    for name in frame.columns[[not pd.api.types.is_numeric_dtype(t) for t in frame.dtypes]]:
        if name != index or index_type is not str:
            frame[name] = _numbers(frame[name], path, index=frame[index])
    _check_index(frame[index], path, index_type)
    return frame.astype({index: index_type}).set_index(index)


def _check_index(column: pd.Series, path: str | os.PathLike, index_type: type) -> None:
    if column.isna().any() or (index_type is int and (column % 1 != 0).any()):
        kind = {int: "a whole number", float: "a number", str: "a name"}[index_type]
        raise DataError(path, f"{kind} in every row of {column.name!r}", "an empty or other cell")
    if column.duplicated().any():
        twice = _listed(column[column.duplicated()].unique())
        raise DataError(path, f"every {column.name} once", f"{twice} more than once")


def _parse(path: str | os.PathLike, separator: str) -> pd.DataFrame:
    try:
        how = {"sep": separator, "encoding": "utf-8-sig", "index_col": False}
        names = pd.read_csv(path, header=None, nrows=1, dtype=str, **how).iloc[0]
        with warnings.catch_warnings():
            # pandas only warns when it cuts a row that is longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(path, low_memory=False, **how)
    except FileNotFoundError:
        raise DataError(path, "a file", "none") from None
    except pd.errors.EmptyDataError:
        raise DataError(path, "a CSV table", "an empty file") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, UnicodeError, *BROKEN_GZIP) as error:
        raise DataError(
            path, f"a CSV table separated by {separator!r}", str(error).strip()
        ) from None
    frame.columns = names = names.fillna("").str.strip()
    if names.duplicated().any():
        repeated = _listed(names[names.duplicated()].unique())
        raise DataError(path, "every column once", f"{repeated} more than once")
    return frame


def _numbers(column: pd.Series, path: str | os.PathLike, *, index: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    bad = column.notna() & numbers.isna()
    if bad.any():
        cell = (
            f"{column[bad].iloc[0]!r} in column {column.name!r}, {index.name} {index[bad].iloc[0]}"
        )
        raise DataError(path, "a number in every cell", cell)
    return numbers


def _listed(names: object, *, most: int = 5) -> str:
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

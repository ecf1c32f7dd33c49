"""Errors and warnings about data, tables in CSV files, and files that are written atomically."""

import csv
import errno
import gzip
import io
import os
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pooch

MOST_LETTERS = 2**28  # Of a table; a small compressed file may hold gigabytes
EXACT = 2**53  # From here on floats leave whole numbers out
PROBE = 2**16
"""Bytes that test whether a folder can be written; a full disk still creates empty files."""


class DataError(ValueError):
    """A file or a frame is not as expected.

    >>> raise DataError("a.csv", "a column 'song_id'", "only 'id'")
    Traceback (most recent call last):
    mer_core.files.DataError: a.csv: expected a column 'song_id', found only 'id'
    """

    def __init__(self, where: str | os.PathLike, expected: str, found: str) -> None:
        super().__init__(where, expected, found)

    def __str__(self) -> str:
        return "{}: expected {}, found {}".format(*self.args)


class DataWarning(UserWarning):
    """A known defect of the data was found and repaired; the message says what and how."""


def note(message: str) -> None:
    """Issue a DataWarning that names the line outside the package from which this was called."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("mer_core."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, DataWarning, stacklevel=level)


def user_cache(name: str) -> Path:
    """The user's cache folder for a program, which need not exist.

    Raises an OSError if the user has no home folder.
    """
    try:
        return Path(pooch.os_cache(name)).expanduser()
    except (RuntimeError, KeyError):
        raise FileNotFoundError(errno.ENOENT, "the user has no home folder") from None


def check_writable(folder: str | os.PathLike) -> None:
    """Raise a DataError unless files can be written to a folder; nothing is left in it.

    If the folder does not exist, the nearest existing folder above it is tried.
    """
    folder = Path(folder)
    try:
        existing = next((p for p in (folder, *folder.parents) if os.path.lexists(p)), Path())
        if not existing.is_dir():
            raise DataError(folder, "a folder to write to", f"a file ({existing})")
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(bytes(PROBE))
    except OSError as error:
        raise DataError(folder, "a folder that can be written", f"{error.strerror}") from None


def check_output(
    path: str | os.PathLike, *, inputs: Set[tuple[int, int]], earlier: Callable[[Path], bool]
) -> None:
    """Raise a DataError if writing a file would destroy something of the user's.

    An existing file may be replaced if it is empty or an earlier result, which `earlier` decides;
    an input, a folder, a device, a write-protected or any other file may not. `inputs` are
    :func:`identities` of the files that are read.
    """
    place = Path(path)
    if place.is_dir() or os.fspath(path).endswith(("/", os.sep)):
        raise DataError(path, "a file to write", "a folder")
    if place.exists():
        if identities([place]) <= inputs:
            raise DataError(path, "a file other than the input", "the input itself")
        if not place.is_file():
            raise DataError(path, "a file to write", "a device or a pipe")
        if not os.access(place, os.W_OK):
            raise DataError(path, "a file that can be written", "a write-protected one")
        if place.stat().st_size and not earlier(place):
            raise DataError(path, "a new file or an earlier result", "a file of another kind")


def check_in_repository(path: Path, what: str, *, remedy: str = "") -> None:
    """Raise a DataError if a part of the repository's `data` is missing, as in an installed copy.

    The message names the part (`what`), and a remedy other than a clone of the repository.
    """
    if not path.exists():
        name = f"{path.parent.name}/{path.name}"
        found = "none: the installed package does not contain it. Work in a clone of the repository"
        raise DataError(path, f"{what} ({name} of the project's repository)", found + remedy)


def identities(paths: Iterable[str | os.PathLike]) -> set[tuple[int, int]]:
    """Device and inode of each file that exists: the same for all its names and links."""
    found = set()
    for path in paths:
        with suppress(OSError):
            status = os.stat(path)
            found.add((status.st_dev, status.st_ino))
    return found


def starts_with(path: Path, *heads: bytes) -> bool:
    """Whether a file starts with one of these, after a byte-order mark if it has one."""
    with path.open("rb") as file:
        return file.read(PROBE).removeprefix(b"\xef\xbb\xbf").startswith(heads)


@contextmanager
def written_atomically(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path with the same suffix, which replaces `path` if the block succeeds.

    The folder is made if it does not exist. If `path` is a symbolic link, the file that it points
    to is written. After an error the temporary file is removed.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        with open(name, "rb+") as file:  # else a power cut may leave the name without the bytes
            os.fsync(file.fileno())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def read_table(
    path: str | os.PathLike, *, index: str | None, index_type: type = int
) -> pd.DataFrame:
    """Read a CSV file, plain or `.gz`, of numbers; empty cells become NaN.

    The column `index`, of type int, float or str, names each row once and becomes the index; None
    numbers the rows from 1. Cells are separated by semicolons if the header has any, else by
    commas. Byte-order marks, Windows line ends and blanks around column names are accepted. Columns
    of True and False stay as they are: see :func:`check_numbers`.
    """
    frame = _parse(path)
    if frame.empty:
        raise DataError(path, "at least one row", "a header only")
    if index is not None and index not in frame:
        raise DataError(path, f"a column {index!r}", _listed(frame.columns))
    rows = frame.pop(index) if index else pd.Series(range(1, len(frame) + 1), name="row")
    if index_type is not str:
        rows = _numbers(rows, path, rows)
    _check_index(rows, path, index_type)
    for name in frame.select_dtypes(exclude="number"):
        frame[name] = _numbers(frame[name], path, rows)
    return frame.set_axis(pd.Index(rows.astype(index_type), name=rows.name))


def check_numbers(table: pd.DataFrame, where: str | os.PathLike) -> None:
    """Raise a DataError if a column holds text, or True or False, which would pass for 1 and 0."""
    for name, kind in table.dtypes.items():
        if len(table) and kind.kind not in "iuf":
            found = "True or False" if kind.kind == "b" else f"{kind}"
            raise DataError(where, f"numbers in the column {name!r}", found)


def _check_index(column: pd.Series, path: str | os.PathLike, index_type: type) -> None:
    whole = index_type is int
    if whole and column.dtype.kind == "b":
        raise DataError(path, f"numbers in {column.name!r}", "True or False")
    if column.isna().any() or (whole and (column % 1 != 0).any()):
        kind = {int: "a whole number", float: "a number", str: "a name"}[index_type]
        raise DataError(path, f"{kind} in every row of {column.name!r}", "an empty or other cell")
    if column.duplicated().any():
        twice = _listed(column[column.duplicated()].unique())
        raise DataError(path, f"every {column.name} once", f"{twice} more than once")
    if whole and (largest := column.astype(float).abs().max()) >= EXACT:
        raise DataError(path, f"every {column.name} below 2**53", f"{largest:.6g}")


class _Lines(io.StringIO):
    """A text that is read line by line, at most."""

    # pandas before 3.1 reserves memory once per read, and fails where many rows are much shorter
    # than the header ("Buffer overflow caught"), as in DEAM's curves.
    def read(self, size: int = -1, /) -> str:
        return self.readline(size)


def _parse(path: str | os.PathLike) -> pd.DataFrame:
    text = _text(path)
    header = text.split("\n", 1)[0]
    separator = ";" if ";" in header else ","
    expected = f"a CSV table separated by {separator!r}"
    try:
        names = [name.strip() for name in next(csv.reader([header.strip()], delimiter=separator))]
    except csv.Error as error:
        raise DataError(path, expected, f"{error} in the header") from None
    repeated = pd.Index(names)[pd.Index(names).duplicated()].unique()
    if len(repeated):
        raise DataError(path, "every column once", f"{_listed(repeated)} more than once")
    try:
        with warnings.catch_warnings():
            # pandas only warns when it cuts a row that is longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            options = {"sep": separator, "index_col": False, "low_memory": False}
            return pd.read_csv(_Lines(text), **options).set_axis(names, axis=1)
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
        raise DataError(path, expected, str(error).strip()) from None


def _text(path: str | os.PathLike) -> str:
    opener = gzip.open if Path(path).suffix.lower() == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:
            text = file.read(MOST_LETTERS + 1)
    except FileNotFoundError:
        raise DataError(path, "a file", "none") from None
    except (UnicodeError, OSError, EOFError, zlib.error) as error:
        raise DataError(path, "a CSV table", str(error)) from None
    if not text.strip():
        raise DataError(path, "a CSV table", "an empty file")
    if len(text) > MOST_LETTERS:
        raise DataError(path, f"a table of at most {MOST_LETTERS} letters", "more")
    return text


def _numbers(column: pd.Series, path: str | os.PathLike, rows: pd.Series) -> pd.Series:
    try:
        numbers = pd.to_numeric(column, errors="coerce")
    except OverflowError:  # of whole numbers with more than 308 digits
        raise DataError(path, "numbers of at most 308 digits", f"more in {column.name!r}") from None
    bad = column.notna() & numbers.isna()
    if bad.any():
        place = f"column {column.name!r}, {rows.name} {rows[bad].iloc[0]}"
        found = f"{column[bad].iloc[0]!r:.60} in {place}"
        raise DataError(path, "a number in every cell", found)
    return numbers


def _listed(names: Iterable) -> str:
    names = [str(name) for name in names]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more

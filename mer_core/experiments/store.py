"""The store: one Parquet file for each finished unit, there whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import pandas as pd
import pooch

from mer_core.experiments.settings import named_models
from mer_core.experiments.versions import code_version
from mer_core.files import DataError, DataWarning, written_atomically

DAY = 24 * 60 * 60


class Store:
    """A folder of finished units, each a file `<2 digits>/<address>.parquet`.

    Parameters
    ----------
    folder : path, optional
        The user's cache folder by default.
    """

    def __init__(self, folder: str | os.PathLike | None = None) -> None:
        self.folder = Path(folder or Path(pooch.os_cache("mer_core")) / "experiments")

    def path(self, address: str) -> Path:
        """Where a unit's file is or will be."""
        return self.folder / address[:2] / f"{address}.parquet"

    def __contains__(self, address: str) -> bool:
        return self.path(address).exists()

    def read(self, address: str) -> pd.DataFrame | None:
        """A unit's frame, or None if the store has none.

        A file that can't be read, or is not what its name says, is told in a `DataWarning`, and
        None as well. Its pages carry checksums.
        """
        path = self.path(address)
        try:
            frame = pd.read_parquet(path, engine="pyarrow", page_checksum_verification=True)
            if frame.attrs["address"] != address:
                raise ValueError(f"the unit {frame.attrs['address']}")
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged file may fail in any way
            text = DataError(path, "a finished unit", f"a damaged file ({error})")
            warnings.warn(DataWarning(f"{text}: removed, to be computed again"), stacklevel=2)
            with suppress(OSError):  # where it can't be removed, nothing can be written either
                path.unlink(missing_ok=True)
            return None
        return frame

    def write(self, address: str, content: bytes) -> None:
        """Keep a unit, see :func:`packed`.

        Raises
        ------
        DataError
            If the store can't be written: a full disk, a read-only place.
        """
        try:
            with written_atomically(self.path(address)) as part:
                part.write_bytes(content)
        except OSError as error:
            raise self._refusal(error) from error

    def require_room(self) -> None:
        """Raise what `write` would, before anything is computed for nothing.

        Files that a kill has left unfinished go, a day after.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder) as probe:
                probe.write(b"-" * 4096)
            for part in self.folder.glob("*/.part-*"):
                if part.stat().st_mtime < time.time() - DAY:
                    part.unlink(missing_ok=True)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> DataError:
        cure = "What was finished is kept: make room or name another store, and run again"
        return DataError(self.folder, "a store that can be written", f"{error.strerror}. {cure}")


def packed(frame: pd.DataFrame, address: str, **about: object) -> bytes:
    """A unit's frame as Parquet, with its address and all that is known about it."""
    frame = frame.copy(deep=False)
    frame.attrs = {**frame.attrs, "address": address, **about}
    file = io.BytesIO()
    frame.to_parquet(file, engine="pyarrow", write_page_checksum=True)
    return file.getvalue()


def address(function: Callable, unit: Mapping[str, object], data: str) -> str:
    """Hash what a unit's result depends on: function, code, data and the unit itself.

    Parameters
    ----------
    function : callable
        At the top of a module that can be imported.
    unit : mapping
        Its keyword arguments, of what JSON knows.
    data : str
        The corpus's fingerprint.

    Raises
    ------
    ValueError
        If the unit is not JSON, or the function can't be found by its name.
    """
    name = qualified(function)
    parts = [name, version_of(name, frozenset(named_models(unit))), data, unit]
    try:
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"unit: expected what JSON knows, found {unit} ({error})") from None
    return hashlib.sha256(text.encode()).hexdigest()


def qualified(function: Callable) -> str:
    """A function's dotted name.

    Raises
    ------
    ValueError
        If other processes couldn't import it.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    if function.__module__ == "__main__" or "<" in name:
        raise ValueError(f"function: expected one at the top of an importable module, found {name}")
    return name


@cache
def version_of(function: str, names: frozenset[str]) -> str:
    """Code version of a function and the models that its unit names."""
    return code_version([function, *(f"mer_core.models.{name}" for name in sorted(names))])

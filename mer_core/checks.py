"""Checks of tables that were read from files: they raise an error or do nothing.

Those of tracks are in :mod:`mer_core.tracks`.
"""

from __future__ import annotations

import os

import pandas as pd

EXACT = 2**53
"""From here on floats leave whole numbers out."""


def identifiers(rows: pd.Series, kind: type, *, where: str | os.PathLike) -> None:
    """Raise a ValueError if whole numbers that name a table's rows are too large to be exact.

    Parameters
    ----------
    rows : Series
        What numbers or names the rows.
    kind : type
        Of that; only int has a limit, 2**53: floats don't tell larger ones apart, and in 64 bits
        the largest turn round and become negative.
    where : path
        Of the file, for the error.

    Examples
    --------
    >>> import pandas as pd
    >>> identifiers(pd.Series([7, 2**60], name="song_id"), int, where="a.csv")
    Traceback (most recent call last):
    ValueError: a.csv: expected every song_id below 2**53, found 1.15292e+18
    """
    if kind is int and rows.dtype.kind == "b":
        raise ValueError(f"{where}: expected numbers in {rows.name!r}, found True or False")
    if kind is int and (largest := rows.astype(float).abs().max()) >= EXACT:
        found = f"{rows.name} below 2**53, found {largest:.6g}"
        raise ValueError(f"{where}: expected every {found}")


def numbers(table: pd.DataFrame, *, where: str | os.PathLike) -> None:
    """Raise a ValueError if a table of numbers holds text, or True, which would pass for 1.

    Parameters
    ----------
    table : DataFrame
        As it was read, or made by hand.
    where : path or str
        The file or the frame, for the error.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers(pd.DataFrame({"valence": ["0.1"]}), where="labels")
    Traceback (most recent call last):
    ValueError: labels: expected numbers in the column 'valence', found str
    """
    for name, kind in table.dtypes.items():
        if len(table) and kind.kind not in "iuf":
            found = "True or False" if kind.kind == "b" else f"{kind}"
            raise ValueError(f"{where}: expected numbers in the column {name!r}, found {found}")

"""Checks of the models' input. Each raises a ValueError or does nothing; see docs/bad_input.md."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mer_core.metrics import DIMENSIONS

if TYPE_CHECKING:
    from torch import Tensor

EXACT = 2**53
"""From here on floats leave whole numbers out."""


def once(**tracks: pd.DataFrame) -> None:
    """Raise a ValueError, with a track's name, unless each of its rows stands once.

    Parameters
    ----------
    **tracks : DataFrame
        Index (song_id, time in s), any columns; by the names that an error tells.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_tuples([(7, 0.5), (7, 0.5)], names=["song_id", "time"])
    >>> once(labels=pd.DataFrame({"valence": [0.1, 0.2]}, index))
    Traceback (most recent call last):
    ValueError: labels: expected every row once, found another at song_id 7, time 0.5 s
    """
    for name, track in tracks.items():
        if not track.index.is_unique:
            song_id, time = track.index[track.index.duplicated()][0]
            found = f"another at song_id {song_id}, time {time} s"
            raise ValueError(f"{name}: expected every row once, found {found}")


def in_order(**tracks: pd.DataFrame) -> None:
    """Raise a ValueError, with a track's name, unless times rise within each song.

    Parameters
    ----------
    **tracks : DataFrame
        Index (song_id, time in s), any columns; by the names that an error tells. Songs may stand
        in any order.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_tuples([(7, 0.5), (7, 0.0)], names=["song_id", "time"])
    >>> in_order(track=pd.DataFrame({"valence": [0.1, 0.2]}, index))
    Traceback (most recent call last):
    ValueError: track: expected times that rise within a song, found 0.0 s after 0.5 s in song_id 7
    """
    for name, track in tracks.items():
        songs = pd.factorize(track.index.get_level_values("song_id"))[0]
        order = np.argsort(songs, kind="stable")
        times = track.index.get_level_values("time").to_numpy()[order]
        falls = np.flatnonzero((np.diff(songs[order]) == 0) & (times[1:] < times[:-1]))
        if falls.size:
            row = falls[0]
            song_id = track.index.get_level_values("song_id")[order[row]]
            found = f"{times[row + 1]} s after {times[row]} s in song_id {song_id}"
            raise ValueError(f"{name}: expected times that rise within a song, found {found}")


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


def dimensions(tracks: Iterable[pd.DataFrame], *, outputs: int = len(DIMENSIONS)) -> None:
    """Raise a ValueError unless a network's labels are valence and arousal, in this order.

    Parameters
    ----------
    tracks : iterable of DataFrame
        The labels of each model.
    outputs : int
        Of the network; with one, it learns one of the two.
    """
    for labels in tracks:
        if outputs == len(DIMENSIONS) and list(labels) != DIMENSIONS:
            raise ValueError(f"labels: expected the columns {DIMENSIONS}, found {list(labels)}")


def labelled(validation: pd.Index, songs: pd.Index) -> None:
    """Raise a ValueError unless all songs to stop by are among those with labels.

    Parameters
    ----------
    validation, songs : Index
        song_ids: to stop by, and with labels.
    """
    unknown = list(validation.difference(songs))
    if unknown:
        raise ValueError(f"validation: expected songs with labels, found none for {unknown}")


def validation_loss(losses: Tensor, songs: Sequence[int], *, epoch: int, cure: str) -> None:
    """Raise a ValueError if a loss over validation songs is not finite.

    Parameters
    ----------
    losses : Tensor, shape (models,)
        Mean squared errors; NaN where there are no validation songs.
    songs : sequence of int
        How many validation songs each model has.
    epoch : int
        From 0.
    cure : str
        What may help, for the error.
    """
    if all(songs) and not losses.isfinite().all():
        raise ValueError(f"loss: expected finite numbers, found others in epoch {epoch}; {cure}")

"""Refusals of input that would be learned wrong: they raise or do nothing; no number changes.

Call them as statements of their own, `checks.once(track=track)`: so they don't count when the code
that a stored result depends on is hashed (:mod:`mer_core.experiments.versions`), and a further one
makes no table stale. What each of them tells stands in docs/bad_input.md; notebooks 02 to 05.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mer_core.metrics import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor


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

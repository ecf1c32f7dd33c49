"""The papers' divisions of songs into folds; no song is ever on both sides of one.

Sources of k folds: Pellegrini and Barriere (2015), section 2; by modulus: Coutinho et al. (2014,
2015), section 2; by genre: Li et al. (2016), section 3.2.1. Notebooks 02, 04 and 05.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd


class Fold(NamedTuple):
    """Songs to train on and songs to score, by song_id."""

    train: pd.Index
    test: pd.Index


def k_folds(song_ids: Iterable[int], *, k: int = 10, seed: int = 0) -> list[Fold]:
    """Divide songs at random into k folds of nearly equal size; each song is scored once.

    Raises
    ------
    ValueError
        If there are fewer songs than folds or fewer than two folds, or song_ids are repeated,
        missing or of mixed types.

    Examples
    --------
    >>> [len(fold.test) for fold in k_folds(range(5), k=2, seed=0)]
    [3, 2]
    """
    songs = _unique(song_ids)
    if len(songs) < 2:
        raise ValueError(f"song_ids: expected at least 2 songs to divide, found {len(songs)}")
    if not 2 <= k <= len(songs):
        raise ValueError(f"k: expected 2 to {len(songs)} folds for as many songs, found {k}")
    shuffled = np.random.default_rng(seed).permutation(songs)
    return [_fold(songs, part) for part in np.array_split(shuffled, k)]


def modulus_folds(song_ids: Iterable[int], *, modulus: int = 11) -> tuple[list[Fold], pd.Index]:
    """Divide songs by song_id modulo 11 into ten folds; songs of remainder 10 are held out of all.

    Returns
    -------
    folds, held_out : list of Fold, Index
        One fold for each remainder from 0 to modulus - 2; the songs of the last remainder.

    Raises
    ------
    ValueError
        If a remainder has no song, or song_ids are repeated or no whole numbers.

    Examples
    --------
    >>> folds, held_out = modulus_folds(range(2, 24))
    >>> len(folds), list(held_out), list(folds[0].test)
    (10, [10, 21], [11, 22])
    """
    songs = _unique(song_ids)
    if songs.dtype.kind not in "iu":
        raise ValueError(f"song_ids: expected whole numbers, found {songs.dtype}")
    parts = [songs[songs % modulus == remainder] for remainder in range(modulus)]
    empty = [remainder for remainder, part in enumerate(parts) if part.empty]
    if empty:
        raise ValueError(f"song_ids: expected songs of every remainder, found none of {empty}")
    kept = songs[songs % modulus != modulus - 1]
    return [_fold(kept, part) for part in parts[:-1]], parts[-1]


def genre_folds(
    songs: pd.DataFrame, *, partitions: int = 5, held_out: int = 20, seed: int = 0
) -> list[Fold]:
    """Draw partitions whose held-out songs have the test set's genres, none in two partitions.

    The test set's shares are rounded by largest remainder. Places of a genre that the development
    set lacks, or has used up, go to songs drawn from all the rest. In each fold, `test` has the
    songs that are held out, `train` all other development songs.

    Parameters
    ----------
    songs : DataFrame
        `Corpus.songs`: development songs are divided, test songs only counted by genre. The first
        word of a genre counts: "Hip-Hop-Electronic" is "hip".
    partitions, held_out : int
        Tsinghua drew 5 times 20 of 431 songs. A ValueError is raised if there are not more
        development songs than places.
    """
    genre = songs["genre"].fillna("").str.lower().str.extract(r"(\w*)", expand=False)
    dev, test = (genre[songs["split"] == side] for side in ("dev", "test"))
    if len(dev) <= partitions * held_out or test.empty:
        found = f"{len(dev)} and {len(test)} test songs"
        raise ValueError(f"songs: expected over {partitions * held_out} dev songs, found {found}")
    rng, free, folds = np.random.default_rng(seed), dev.sample(frac=1, random_state=seed), []
    for _ in range(partitions):
        shares = _shares(test, held_out).items()
        drawn = [song for name, places in shares for song in free.index[free == name][:places]]
        rest = free.index.difference(drawn)
        drawn += list(rng.choice(rest, held_out - len(drawn), replace=False))
        free = free.drop(drawn)
        folds.append(_fold(dev.index, drawn))
    return folds


def _shares(genres: pd.Series, places: int) -> pd.Series:
    """Places of each genre, rounded by largest remainder."""
    exact = genres.value_counts(normalize=True).sort_index() * places
    shares = exact.astype(int)
    most = (exact - shares).sort_values(ascending=False, kind="stable").index
    shares[most[: places - shares.sum()]] += 1
    return shares


def _unique(song_ids: Iterable[int]) -> pd.Index:
    expected = "song_ids: expected numbers, or text, one for each song"
    if not isinstance(song_ids, Iterable):
        raise ValueError(f"{expected}, found {song_ids!r}")
    values = list(song_ids)
    if not all(pd.api.types.is_scalar(value) and pd.notna(value) for value in values):
        raise ValueError(f"{expected}, found missing or other values")
    try:
        songs = pd.Index(values, name="song_id").sort_values()
    except TypeError:
        raise ValueError(f"{expected}, found both") from None
    if not songs.is_unique:
        raise ValueError("song_ids: expected every song once, found repeated ones")
    return songs


def _fold(songs: pd.Index, test: Iterable[int]) -> Fold:
    test = pd.Index(test, name="song_id").sort_values()
    return Fold(songs.difference(test), test)

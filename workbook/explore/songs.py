"""The songs to explore, and the pieces of them that a search finds."""

from __future__ import annotations

import pandas as pd

from mer_core.corpus import Corpus, with_titles
from mer_core.datasets import load_corpus
from mer_core.datasets.deam import chosen_data
from mer_core.metrics import DIMENSIONS

NOBODY = "artist unknown"
"""In the place of a missing artist."""


def library() -> Corpus:
    """The songs to explore: the embedded ones, or DEAM's where `MER_DATA` names a folder.

    A copy of DEAM with labels alone is enough; songs without audio can't be played.

    Returns
    -------
    Corpus
        Of all songs with labels. A line about it is printed.

    Raises
    ------
    DataError
        As :func:`mer_core.load_corpus`.
    """
    where = chosen_data()
    corpus = load_corpus(where)
    corpus = corpus.select(corpus.labels.index.unique("song_id"))
    kind = "the embedded corpus, SYNTHETIC" if where == "mini" else "DEAM, from MER_DATA"
    heard = corpus.songs["audio"].notna().sum()
    print(f"Data: {kind}; {len(corpus.songs)} songs, {heard} of them with audio.")
    return corpus


def song_points(corpus: Corpus) -> pd.DataFrame:
    """Each song's place on the plane: the mean of its labels over time.

    Parameters
    ----------
    corpus : Corpus

    Returns
    -------
    DataFrame
        Index song_id; columns valence, arousal in [-1, 1], title, artist, genre.
    """
    means = corpus.labels.groupby(level="song_id")[DIMENSIONS].mean()
    return means.join(with_titles(corpus.songs)[["title", "artist", "genre"]])


def describe_pieces(found: pd.DataFrame, corpus: Corpus) -> pd.DataFrame:
    """What a search found, with the songs' titles.

    Parameters
    ----------
    found : DataFrame
        From :func:`mer_core.retrieval.search_profile`, or another frame with a column song_id.
    corpus : Corpus

    Returns
    -------
    DataFrame
        Columns title (the song_id if it is missing), artist (text), then of song_id, start, end,
        distance those that were found.
    """
    kept = [name for name in ("song_id", "start", "end", "distance") if name in found]
    songs = with_titles(corpus.songs)[["title", "artist"]].loc[found["song_id"]]
    songs["artist"] = songs["artist"].astype(object).where(songs["artist"].notna(), NOBODY)
    return songs.reset_index(drop=True).join(found[kept].reset_index(drop=True))


def piece_of(labels: pd.DataFrame, piece: pd.Series) -> pd.DataFrame:
    """The rows of a track that a search has found.

    Parameters
    ----------
    labels : DataFrame
        A track.
    piece : Series
        A row of what :func:`mer_core.retrieval.search_profile` returns.

    Returns
    -------
    DataFrame
        Index time in s from the song's start.
    """
    song = labels.loc[piece["song_id"]]
    return song[(song.index >= piece["start"]) & (song.index < piece["end"])]


def shifted(profile: pd.DataFrame, start: float) -> pd.DataFrame:
    """A profile whose time is a song's: it begins at `start`, in s."""
    return profile.set_axis(pd.Index(profile.index + start, name="time"))

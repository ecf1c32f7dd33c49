"""The songs to explore, and the pieces of them that a search finds."""

from __future__ import annotations

import pandas as pd

from mer_core.corpus import Corpus, with_titles
from mer_core.datasets.deam import chosen_data, load_corpus
from mer_core.metrics import DIMENSIONS


def library() -> Corpus:
    """Load all songs with labels of the embedded corpus, or of DEAM where `MER_DATA` names it.

    Prints which it is. DEAM's labels are enough; songs without audio can't be played.
    """
    where = chosen_data()
    corpus = load_corpus(where)
    corpus = corpus.select(corpus.labels.index.unique("song_id"))
    kind = "the embedded corpus, SYNTHETIC" if where == "mini" else "DEAM, from MER_DATA"
    playable = corpus.songs["audio"].notna().sum()
    print(f"Data: {kind}; {len(corpus.songs)} songs, {playable} of them with audio.")
    return corpus


def song_points(corpus: Corpus) -> pd.DataFrame:
    """Mean labels of each song: index song_id; valence, arousal, title, artist, genre."""
    means = corpus.labels.groupby(level="song_id")[DIMENSIONS].mean()
    return means.join(with_titles(corpus.songs)[["title", "artist", "genre"]])


def describe_pieces(found: pd.DataFrame, corpus: Corpus) -> pd.DataFrame:
    """Add the songs' titles to the rows of a search, or of another frame with a column song_id.

    Returns
    -------
    DataFrame
        Columns title (the song_id if it is missing), artist (text), and those of song_id, start,
        end, distance that `found` has.
    """
    kept = [name for name in ("song_id", "start", "end", "distance") if name in found]
    songs = with_titles(corpus.songs)[["title", "artist"]].loc[found["song_id"]]
    known = songs["artist"].notna()
    songs["artist"] = songs["artist"].astype(object).where(known, "artist unknown")
    return songs.reset_index(drop=True).join(found[kept].reset_index(drop=True))


def piece_of(labels: pd.DataFrame, piece: pd.Series) -> pd.DataFrame:
    """Rows of a track that a row of :func:`mer_core.retrieval.search_profile` names, by time."""
    song = labels.loc[piece["song_id"]]
    return song[(song.index >= piece["start"]) & (song.index < piece["end"])]


def shifted(profile: pd.DataFrame, start: float) -> pd.DataFrame:
    """Move a profile in time, so that it begins at `start`, in s."""
    return profile.set_axis(pd.Index(profile.index + start, name="time"))

"""The songs to explore, the pieces of them that a search finds, and their figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from mer_core.corpus import Corpus, with_titles
from mer_core.datasets import load_corpus
from mer_core.datasets.deam import chosen_data
from mer_core.metrics import DIMENSIONS
from mer_core.retrieval import alignment
from workbook.plots import GREY, PALETTE


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
    """Add title (the song_id if it is missing) and artist to rows with a column song_id.

    Of the other columns song_id, start, end and distance are kept.
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


def draw_match(profile: pd.DataFrame, curve: pd.DataFrame, *, band: float | None) -> Figure:
    """Draw a profile and the piece of a song that was found for it, both with their time in s.

    Each grey line joins two moments that are compared; the longer the lines, the larger the
    distance. `band` is that of dynamic time warping; None compares moment by moment.
    """
    asked = [dimension for dimension in DIMENSIONS if dimension in profile]
    time, step = curve.index.to_numpy(), np.arange(len(profile))
    pairs = np.c_[step, step]
    if band is not None:
        pairs = alignment(profile[asked], curve[asked], band=band)
    figure, axes = plt.subplots(1, len(asked), figsize=(4.8 * len(asked), 3.2), squeeze=False)
    for ax, dimension in zip(axes[0], asked):
        both = profile[dimension].to_numpy(), curve[dimension].to_numpy()
        sides = [values[rows] for values, rows in zip(both, pairs.T)]
        ax.plot(time[pairs.T], sides, color=GREY, lw=0.6, alpha=0.7)
        ax.plot(curve.index, profile[dimension], "k--", lw=1.6, label="asked for")
        ax.plot(curve.index, curve[dimension], color=PALETTE[dimension], lw=2.2, label="found")
        ax.set(ylim=(-1, 1), xlabel="time in the song (s)", ylabel=dimension, title=dimension)
        ax.legend(fontsize="small")
    return figure

"""Statistics of a copy of DEAM."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from mer_core.corpus import Corpus
from mer_core.features import extract
from mer_core.files import read_table
from mer_core.metrics import pearson
from mer_core.tracks import DIMENSIONS

SONG_LEVEL_FEATURES = "song_level_features.csv"


def describe(corpus: Corpus) -> pd.DataFrame:
    """Count the songs of each split, correlate valence with arousal, and measure their spread.

    Returns
    -------
    DataFrame
        One column for all songs and one for each split; rows: songs, labelled frames, correlation
        of valence and arousal over song means, pooled over frames and within songs (mean and sd
        over songs in which both vary), and standard deviations between and within songs, in label
        units.

    References
    ----------
    The numbers with which the papers explain the failure of valence. Notebooks 00 and 09.
    """
    sides = {"all": corpus}
    sides |= {name: corpus.split(name) for name in sorted(set(corpus.songs["split"].dropna()))}
    return pd.DataFrame({name: _statistics(side.labels) for name, side in sides.items()})


def _statistics(labels: pd.DataFrame) -> dict[str, float]:
    by_song = labels.groupby(level="song_id")
    means, spread = by_song.mean(), by_song.std(ddof=0).mean()
    within = pd.Series([pearson(song["valence"], song["arousal"]) for _, song in by_song])
    return {
        "songs": len(means),
        "labelled frames": len(labels),
        "r(valence, arousal) over song means": means.corr().loc["valence", "arousal"],
        "r(valence, arousal) pooled": labels.corr().loc["valence", "arousal"],
        "r(valence, arousal) within songs, mean": within.mean(),
        "r(valence, arousal) within songs, sd": within.std(),
        **{f"{name}: sd between songs": means[name].std() for name in DIMENSIONS},
        **{f"{name}: sd within songs": spread[name] for name in DIMENSIONS},
    }


def compare_features(corpus: Corpus, folder: Path) -> pd.DataFrame:
    """Compare the means of our features over songs that have audio with DEAM's song-level features.

    The two differ for three reasons. DEAM's means are over the full song, ours over the excerpt.
    The mean of a delta depends only on a curve's two ends. The excerpts begin with some 50 ms of
    digital silence (from MP3 coding), whose end sets off a burst in openSMILE's RASTA filter that
    affects a 45 s mean; so a second r leaves out the first 5 s. DEAM's features are in the file
    `song_level_features.csv` of the corpus's folder; a DataError is raised if it is missing.

    Returns
    -------
    DataFrame
        One row per feature: `family` ("descriptor", "RASTA", "mean of a delta"), `r` over songs,
        `r_after_5s` (ours without the first 5 s), and `offset_after_5s`: the mean difference ours -
        DEAM's in standard deviations of DEAM's feature over all its songs.

    References
    ----------
    Hermansky and Morgan (1994), "RASTA processing of speech". Notebook 01.
    """
    theirs = read_table(folder / SONG_LEVEL_FEATURES, index="song_id")
    songs = corpus.songs.loc[corpus.songs.index.intersection(theirs.index), "audio"].dropna()
    audio = tqdm(songs.items(), "openSMILE", total=len(songs), unit="song")
    tracks = {song_id: extract(path).loc[song_id] for song_id, path in audio}
    whole = pd.DataFrame({song_id: track.mean() for song_id, track in tracks.items()}).T
    late = pd.DataFrame({song_id: track.loc[5:].mean() for song_id, track in tracks.items()}).T
    shared = [name for name in theirs if name in whole]
    known = theirs.loc[songs.index, shared]
    columns = {
        "family": [_family(name) for name in shared],
        "r": whole[shared].corrwith(known),
        "r_after_5s": late[shared].corrwith(known),
        "offset_after_5s": (late[shared] - known).mean() / theirs[shared].std(),
    }
    return pd.DataFrame(columns).rename_axis("feature")


def _family(name: str) -> str:
    if "_de" in name and name.endswith("_amean"):
        return "mean of a delta"
    return "RASTA" if "Rfilt" in name or "Rasta" in name else "descriptor"

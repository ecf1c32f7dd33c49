"""What a data set contains: counts, agreement of raters, correlation of valence and arousal."""

import pandas as pd

from mer_core.agreement import rater_statistics
from mer_core.corpus import Corpus
from mer_core.metrics import pearson
from mer_core.tracks import DIMENSIONS


def overview(corpus: Corpus) -> pd.Series:
    """Count songs, audio, labels and raters, and measure agreement; nothing is extracted.

    Text by name: songs, audio, features, times of labels, correlation of the labels of whole songs,
    and, if there are ratings, raters per song and Cronbach's alpha (median over songs).
    """
    songs, labels = corpus.songs, corpus.labels
    rows = {
        "songs": f"{len(songs)}, {labels.index.unique('song_id').size} of them with curves",
        "songs with audio": f"{songs['audio'].notna().sum()}",
        "features": _features(corpus),
    }
    if len(labels):
        times = labels.index.get_level_values("time")
        lengths = labels.groupby(level="song_id").size()
        rows["labels"] = (
            f"{len(labels)} half seconds, {lengths.min()} to {lengths.max()} per song, from "
            f"{times.min():g} s to {times.max():g} s"
        )
    whole = songs[DIMENSIONS].dropna()
    if len(whole) > 2:
        r = pearson(whole["valence"], whole["arousal"])
        rows["labels of whole songs"] = f"{len(whole)} songs, r(valence, arousal) {r:.3f}"
    return pd.Series(rows | _raters(corpus.ratings))


def _features(corpus: Corpus) -> str:
    if "features" not in vars(corpus):
        return "extracted from audio when they are first used"
    return "none" if corpus.features.empty else f"{corpus.features.shape[1]} columns"


def _raters(ratings: pd.DataFrame | None) -> dict[str, str]:
    if ratings is None:
        return {}
    statistics = rater_statistics(ratings)
    counts = statistics["raters"].groupby(level="song_id").max()
    median = statistics["alpha"].groupby(level="dimension").median()
    return {
        "raters per song": f"{counts.min():g} to {counts.max():g}",
        "Cronbach's alpha, median": ", ".join(f"{k} {median[k]:.2f}" for k in DIMENSIONS),
    }


def describe(corpus: Corpus) -> pd.DataFrame:
    """Count the songs of each split, correlate valence with arousal, and measure their spread.

    One column for all songs and one for each split; rows: songs, labelled frames, correlation of
    valence and arousal over song means, pooled over frames and within songs (mean and sd over songs
    in which both vary), and standard deviations between and within songs, in label units. The
    papers explain the failure of valence with them: notebooks 00 and 09.
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

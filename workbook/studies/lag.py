"""How late raters react: within-song correlations with the music as a function of its delay."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.metrics import DIMENSIONS
from mer_core.tracks import HOP
from workbook.studies.real import CUES, DATA, joint_study, of_data
from workbook.studies.study import framed
from workbook.valence import interval, mean_over_songs, song_counts

DELAYS = range(17)
"""Frames: 0 to 8 s."""
LAGGED = {name: CUES[name] for name in ("loudness", "event density", "spectral flux")}
BINS = {"best at 0 to 1.5 s": (0, 1.5), "best at 2 to 4.5 s": (2, 4.5), "best at 5 to 8 s": (5, 8)}


def song_correlations(features: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Correlations within each song of labels with delayed cues, without its first 8 s.

    Index (song_id, cue, dimension); a column for each delay in s. NaN of a constant.
    """
    rows, by_song = {}, dict(iter(labels.groupby(level="song_id")))
    for song_id, cues in features[[*LAGGED.values()]].groupby(level="song_id"):
        if song_id not in by_song:  # a rater who did not rate it
            continue
        own = by_song[song_id]
        place = cues.index.get_indexer(own.index)
        late = place >= DELAYS[-1]
        y, x = own[DIMENSIONS].to_numpy()[late], cues.to_numpy()
        if len(y) < 3:
            continue
        shifted = np.stack([x[place[late] - delay] for delay in DELAYS])
        for cue, name in enumerate(LAGGED):
            for column, dimension in enumerate(DIMENSIONS):
                rows[song_id, name, dimension] = _correlations(shifted[..., cue], y[:, column])
    index = pd.MultiIndex.from_tuples(rows, names=["song_id", "cue", "dimension"])
    return pd.DataFrame([*rows.values()], index, [delay * HOP for delay in DELAYS])


def by_delay(cue: pd.Series, curve: pd.Series) -> pd.DataFrame:
    """Correlation of a cue with a curve within each song, for delays of the cue from 0 to 8 s.

    Both are columns of tracks; the first 8 s are left out. A row a song, a column for each delay in
    s; NaN where either is constant.
    """
    delayed = {k * HOP: cue.groupby(level="song_id").shift(k) for k in DELAYS}
    both = pd.DataFrame(delayed).loc[curve.index].assign(curve=curve).dropna()
    songs = {
        song_id: _correlations(own.drop(columns="curve").to_numpy().T, own["curve"].to_numpy())
        for song_id, own in both.groupby(level="song_id")
    }
    return pd.DataFrame.from_dict(songs, orient="index", columns=[*delayed])


def _correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of each row of x with y; NaN where either is constant."""
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean()
    norm = np.sqrt((x**2).sum(axis=1) * (y**2).sum())
    return x @ y / np.where(norm > 1e-9, norm, np.nan)


def lag_of_labels(corpus: Corpus, *, data: str) -> pd.DataFrame:
    """Mean correlations over songs with intervals, and the delay at which they are highest.

    Index (cue, dimension, statistic): "r at <delay> s"; "best delay", in s; "gain", r there minus r
    at 0 s, which is above 0 by chance, since each draw chooses its own best delay.
    """
    part = of_data(corpus, data)
    each, rows = song_correlations(part.features, part.labels), {}
    for (cue, dimension), songs in each.groupby(level=["cue", "dimension"]):
        known = songs.dropna().to_numpy()
        means = song_counts(len(known)) @ known / len(known)
        best = means.argmax(axis=1)
        columns = {f"r at {delay:g} s": means[:, k] for k, delay in enumerate(songs)}
        columns["best delay"] = best * HOP
        columns["gain"] = means[np.arange(len(best)), best] - means[:, 0]
        for name, values in columns.items():
            rows[cue, dimension, name] = interval(values) | {"songs": len(known)}
    return framed(rows, ["cue", "dimension", "statistic"])


def lag_of_raters(corpus: Corpus, *, data: str) -> pd.DataFrame:
    """At which delay each rater's curve goes best with a cue, beside cues of another song.

    As of :func:`lag_of_labels`. "r at <delay> s": the mean over raters, then over songs. "share,
    best at <s> to <s> s": of raters whose best delay lies there, minus the share for the cues of
    the next song in the list, which is what chance gives.
    """
    part = of_data(corpus, data)
    raters = part.ratings.dropna()
    own = _of_raters(part.features, raters)
    other = _of_raters(_of_next_song(part.features), raters)
    rows = {}
    for key, songs in own.groupby(level=["cue", "dimension"]):
        by_song = songs.groupby(level="song_id").mean().add_prefix("r at ").add_suffix(" s")
        both = songs.index.intersection(other.index)
        shares = _best_shares(own.loc[both]) - _best_shares(other.loc[both])
        for name, values in {**by_song, **shares.add_prefix("share, ")}.items():
            known = values.dropna()
            drawn = mean_over_songs(song_counts(len(known)), known)
            rows[*key, name.replace(".0 s", " s")] = interval(drawn) | {"songs": len(known)}
    return framed(rows, ["cue", "dimension", "statistic"])


def _best_shares(songs: pd.DataFrame) -> pd.DataFrame:
    best = songs.dropna().idxmax(axis=1).astype(float)
    shares = {name: best.between(*ends) for name, ends in BINS.items()}
    return pd.DataFrame(shares).groupby(level="song_id").mean()


def _of_raters(features: pd.DataFrame, ratings: pd.DataFrame) -> pd.DataFrame:
    parts = {
        rater: song_correlations(features, curves.droplevel("rater"))
        for rater, curves in ratings.groupby(level="rater")
    }
    return pd.concat(parts, names=["rater"])


def _of_next_song(features: pd.DataFrame) -> pd.DataFrame:
    """Each song with the features of the next one that is as long, cut to its length."""
    lengths = features.groupby(level="song_id").size().sort_values(kind="stable")
    parts = [
        features.loc[other].iloc[: lengths[song]].set_axis(features.loc[[song]].index)
        for song, other in zip(lengths.index[:-1], lengths.index[1:])
    ]
    return pd.concat(parts).sort_index()


STUDIES = {
    "lag": joint_study(lag_of_labels, "deam", data=DATA),
    "lag_raters": joint_study(lag_of_raters, "mini", data=["mini", "vgmidi"]),
}
"""Of real music, and of the embedded corpus (`mini`), SYNTHETIC, beside it."""

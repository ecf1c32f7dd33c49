"""`Corpus`, a data set as tidy frames: songs, labels, features and ratings; and its checks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from mer_core import tracks
from mer_core.files import DataError
from mer_core.scales import probable_scale
from mer_core.tracks import DIMENSIONS, HOP, LEVELS, RATING_LEVELS, as_table, as_track, rows_of

SONG_COLUMNS = ["title", "artist", "genre", "year", "duration", "audio", *DIMENSIONS, "split"]
"""Columns of `Corpus.songs`."""
NO_FEATURES = pd.DataFrame(index=pd.MultiIndex.from_arrays([[], []], names=LEVELS))
"""The features of a data set that has none."""


@dataclass(frozen=True)
class Corpus:
    """Songs with their labels, features and ratings (notebook 00).

    Attributes
    ----------
    songs : DataFrame
        Index song_id; columns title, artist, genre, year (of the MediaEval task that brought the
        song), duration in s, audio (path or missing), song-level valence and arousal in [-1, 1],
        split ("dev", "test" or missing).
    labels : DataFrame
        A track (MultiIndex song_id, time in s) with the columns valence, arousal in [-1, 1].
    features : DataFrame
        A track with one column per feature; empty where a data set comes without. A function may
        be given instead: called with `songs` when the features are first used, it returns them.
    ratings : DataFrame or None
        MultiIndex (song_id, rater, time), columns valence, arousal; None where there are none.
    """

    songs: pd.DataFrame
    labels: pd.DataFrame
    features: pd.DataFrame = field(repr=False)
    ratings: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if callable(self.features):  # to be called on first use, by __getattr__
            vars(self)["extract"] = vars(self).pop("features")

    def __getattr__(self, name: str) -> pd.DataFrame:
        # Python calls this for attributes that are not set, as `features` before their first use.
        if name != "features" or "extract" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        vars(self)["features"] = self.extract(self.songs)
        return self.features

    def split(self, name: str) -> Self:
        """The songs of a side of the chosen task, "dev" or "test", with their labels and features.

        Raises a ValueError if the name is another or the corpus has no such songs.
        """
        if name not in ("dev", "test"):
            raise ValueError(f"split: expected 'dev' or 'test', found {name!r}")
        song_ids = self.songs.index[self.songs["split"] == name]
        if song_ids.empty:
            counts = self.songs["split"].value_counts()
            others = [f"{count} in {side!r}" for side, count in counts.items()]
            rest = f"{self.songs['split'].isna().sum()} in neither"
            found = f"none in this task's data, which have {', '.join([*others, rest])}"
            raise ValueError(f"split: expected songs in {name!r}, found {found}")
        return self.select(song_ids)

    def select(self, song_ids: Iterable[int]) -> Self:
        """The corpus of these songs alone, in this order; the order of rows in tracks is kept.

        Raises a KeyError if a song is not in the corpus.
        """
        songs = self.songs.loc[list(song_ids)]
        features = vars(self).get("features", vars(self).get("extract"))
        parts = (self.labels, features, self.ratings)
        parts = [rows_of(k, songs.index) if isinstance(k, pd.DataFrame) else k for k in parts]
        return type(self)(songs, *parts)

    def validate(self) -> None:
        """Check every promise of the class; features that are not extracted yet are left out.

        Raises a DataError that names the frame, what was expected and what was found.
        """
        _check_songs(self.songs)
        _check_rated(_as_track(self.labels, "labels"), "labels")
        features = vars(self).get("features", NO_FEATURES)
        _as_track(features, "features")
        parts = {"labels": self.labels, "features": features}
        if self.ratings is not None:
            options = {"levels": RATING_LEVELS, "missing": True}
            _check_rated(as_track(self.ratings, "ratings", **options), "ratings")
            parts["ratings"] = self.ratings
        for name, track in parts.items():
            _check_index(track, name, self.songs)
        if len(self.songs):
            _check_range(as_table(self.songs, "songs", columns=DIMENSIONS, missing=True), "songs")
        missing = labels_without_features(self.labels, features)
        if len(missing):
            found = "none for song {} at {} s".format(*missing[0])
            raise DataError("features", "a row for every labelled frame", found)


def with_titles(songs: pd.DataFrame) -> pd.DataFrame:
    """Songs whose missing titles (also empty and blank ones) are their song_id, for display.

    >>> songs = pd.DataFrame({"title": ["Tree", None, " "]}, pd.Index([3, 4, 5], name="song_id"))
    >>> list(with_titles(songs)["title"])
    ['Tree', '4', '5']
    """
    titles = songs["title"].astype(object).where(songs["title"].notna(), "").astype(str)
    ids = pd.Series(songs.index.astype(str), songs.index)
    return songs.assign(title=titles.where(titles.str.strip() != "", ids))


def labels_without_features(labels: pd.DataFrame, features: pd.DataFrame) -> pd.MultiIndex:
    """Index of the labelled rows without features, of songs that have features elsewhere.

    DEAM has labels every 0.5 s, and features in windows of 1 s (notebook 00).
    """
    described = features.index.get_level_values("song_id")
    mine = labels.index[labels.index.get_level_values("song_id").isin(described)]
    return mine.difference(features.index)


def _as_track(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Check a track, which may have no rows."""
    tracks.check_columns(frame, name)
    if not frame.empty:
        return as_track(frame, name)
    tracks.check_levels(frame, name, LEVELS)
    return frame


def _check_songs(songs: pd.DataFrame) -> None:
    if list(songs) != SONG_COLUMNS or songs.index.name != "song_id":
        found = f"{songs.index.name}, {list(songs)}"
        raise DataError("songs", f"index song_id, columns {SONG_COLUMNS}", found)
    if not songs.index.is_unique:
        raise DataError("songs", "every song_id once", "repeated ones")
    odd = set(songs["split"].dropna()) - {"dev", "test"}
    if odd:
        raise DataError("songs", "split to be dev, test or missing", f"{sorted(odd)}")


def _check_index(track: pd.DataFrame, name: str, songs: pd.DataFrame) -> None:
    if not track.index.is_monotonic_increasing:
        raise DataError(name, "rows in rising order of their index", "another order")
    times = track.index.get_level_values("time").to_numpy(dtype=float)
    if not (np.isclose(times % HOP, 0) & (times >= 0)).all():
        raise DataError(name, f"times on a grid of {HOP} s from 0", "other times")
    unknown = track.index.get_level_values("song_id").unique().difference(songs.index)
    if len(unknown):
        raise DataError(name, "songs of the table `songs`", f"others: {list(unknown[:5])}")


def _check_rated(track: pd.DataFrame, name: str) -> None:
    if list(track) != DIMENSIONS:
        raise DataError(name, f"the columns {DIMENSIONS}", f"{list(track)}")
    _check_range(track, name)


def _check_range(frame: pd.DataFrame, name: str) -> None:
    outside = frame.abs().gt(1).any(axis=1)
    if outside.any():
        found = f"{frame[outside].iloc[0].to_dict()}{probable_scale(frame.to_numpy(dtype=float))}"
        raise DataError(name, "values in [-1, 1]", found)

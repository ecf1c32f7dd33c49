"""Honest scores: the papers' divisions into folds, cross-validation, and the scoreboard."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from mer_core.corpus import Corpus
from mer_core.metrics import DIMENSIONS, score
from mer_core.smoothing import moving_average


class Regressor(Protocol):
    """The language that all models speak; see :mod:`mer_core.models`."""

    def fit(self, features: pd.DataFrame, labels: pd.DataFrame, **kwargs: object) -> Regressor:
        """Fit to the labelled frames."""

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""


class Fold(NamedTuple):
    """Songs to train on and songs to score, by song_id; none on both sides."""

    train: pd.Index
    test: pd.Index


def k_folds(song_ids: Iterable[int], *, k: int = 10, seed: int = 0) -> list[Fold]:
    """Divide songs at random into k folds of nearly equal size; each song is scored once.

    Parameters
    ----------
    song_ids : iterable of int
        At least k different songs.
    k : int
        Number of folds; IRIT used 10.
    seed : int
        Of the shuffling.

    Returns
    -------
    list of Fold

    Raises
    ------
    ValueError
        If there are fewer songs than folds, fewer than two folds, or repeated songs.

    Examples
    --------
    >>> [len(fold.test) for fold in k_folds(range(5), k=2, seed=0)]
    [3, 2]

    References
    ----------
    Pellegrini and Barriere (2015), section 2. Notebook 02.
    """
    songs = _unique(song_ids)
    if not 2 <= k <= len(songs):
        raise ValueError(f"k: expected 2 to {len(songs)} folds for as many songs, found {k}")
    shuffled = np.random.default_rng(seed).permutation(songs)
    return [_fold(songs, part) for part in np.array_split(shuffled, k)]


def modulus_folds(song_ids: Iterable[int], *, modulus: int = 11) -> tuple[list[Fold], pd.Index]:
    """Divide songs by song_id modulo 11; the songs of remainder 10 are kept out of all folds.

    Parameters
    ----------
    song_ids : iterable of int
    modulus : int
        Number of remainders.

    Returns
    -------
    folds : list of Fold
        One for each remainder from 0 to modulus - 2.
    held_out : Index
        The songs of the last remainder, Munich's own test set.

    Raises
    ------
    ValueError
        If a remainder has no song, or songs repeat.

    Examples
    --------
    >>> folds, held_out = modulus_folds(range(2, 24))
    >>> len(folds), list(held_out), list(folds[0].test)
    (10, [10, 21], [11, 22])

    References
    ----------
    Coutinho et al. (2014, 2015), section 2. Notebook 04.
    """
    songs = _unique(song_ids)
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

    The test set's shares are rounded by largest remainder. A genre of the test set that the
    development set lacks, or has used up, passes its places on to songs drawn from all the rest.

    Parameters
    ----------
    songs : DataFrame
        `Corpus.songs`: development songs are divided, test songs only counted by genre. The genre
        is compared by its first word: "Hip-Hop-Electronic" counts as "hip".
    partitions, held_out : int
        Tsinghua drew 5 times 20 of 431 songs.
    seed : int
        Of the drawing.

    Returns
    -------
    list of Fold
        `test` holds the `held_out` songs of a partition, `train` all other development songs.

    Raises
    ------
    ValueError
        If there are not more development songs than places.

    References
    ----------
    Li et al. (2016), section 3.2.1. Notebook 05.
    """
    genre = songs["genre"].fillna("").str.lower().str.extract(r"(\w*)", expand=False)
    dev, test = (genre[songs["split"] == side] for side in ("dev", "test"))
    if len(dev) <= partitions * held_out or test.empty:
        found = f"{len(dev)} and {len(test)} test songs"
        raise ValueError(f"songs: expected over {partitions * held_out} dev songs, found {found}")
    rng, free, folds = np.random.default_rng(seed), dev.sample(frac=1, random_state=seed), []
    for _ in range(partitions):
        drawn = []
        for name, places in _shares(test, held_out).items():
            drawn += list(free.index[free == name][:places])
        rest = free.index.difference(drawn)
        drawn += list(rng.choice(rest, held_out - len(drawn), replace=False))
        free = free.drop(drawn)
        folds.append(_fold(dev.index, drawn))
    return folds


def _shares(genres: pd.Series, places: int) -> pd.Series:
    exact = genres.value_counts(normalize=True).sort_index() * places
    shares = exact.astype(int)
    most = (exact - shares).sort_values(ascending=False, kind="stable").index
    shares[most[: places - shares.sum()]] += 1
    return shares


def _unique(song_ids: Iterable[int]) -> pd.Index:
    songs = pd.Index(song_ids, name="song_id")
    if not songs.is_unique:
        raise ValueError("song_ids: expected every song once, found repeated ones")
    return songs.sort_values()


def _fold(songs: pd.Index, test: Iterable[int]) -> Fold:
    test = pd.Index(test, name="song_id").sort_values()
    return Fold(songs.difference(test), test)


def cross_validate(model: Regressor, corpus: Corpus, folds: Iterable[Fold]) -> pd.DataFrame:
    """Predict each fold's songs by a copy of the model that was trained on the fold's other songs.

    Parameters
    ----------
    model : regressor
        Copied for each fold; itself left as it is.
    corpus : Corpus
        With features of all songs in the folds.
    folds : iterable of Fold
        From :func:`k_folds` or another scheme.

    Returns
    -------
    DataFrame
        Predictions for every feature row of every scored song.

    Raises
    ------
    ValueError
        If a song is on both sides of a fold, is scored twice, or has no features.

    References
    ----------
    Pellegrini and Barriere (2015), section 2. Notebook 02.
    """
    folds = list(folds)
    _check_folds(folds, corpus)
    predictions = []
    for fold in tqdm(folds, type(model).__name__, leave=False, unit="fold"):
        train, test = corpus.select(fold.train), corpus.select(fold.test)
        fitted = copy.deepcopy(model).fit(train.features, train.labels)
        predictions.append(fitted.predict(test.features))
    return pd.concat(predictions).sort_index()


def _scored(folds: list[Fold]) -> list[int]:
    return [song_id for fold in folds for song_id in fold.test]


def _check_folds(folds: list[Fold], corpus: Corpus) -> None:
    scored = _scored(folds)
    if not scored or len(set(scored)) < len(scored):
        raise ValueError(
            "folds: expected every song to be scored once, found none or repeated ones"
        )
    for number, fold in enumerate(folds):
        both = list(fold.train.intersection(fold.test))
        if both:
            raise ValueError(f"folds: expected no song on both sides, found {both} in {number}")
    described = corpus.features.index.get_level_values("song_id").unique()
    without = sorted(
        {song_id for fold in folds for side in fold for song_id in side} - set(described)
    )
    if without:
        raise ValueError(f"corpus: expected features of all songs, found none for {without[:5]}")


def scoreboard(
    models: Mapping[str, Regressor], corpus: Corpus, *, folds: Iterable[Fold], window: int = 13
) -> pd.DataFrame:
    """Cross-validate each model on the development songs and test it on the test songs.

    Parameters
    ----------
    models : mapping of name to regressor
    corpus : Corpus
        With both splits and features.
    folds : iterable of Fold
        Of the development songs; those that no fold scores have no part in "CV".
    window : int
        Frames of the moving average in the smoothed rows.

    Returns
    -------
    DataFrame
        Index (system, output: raw or smoothed, protocol: CV or test, dimension, aggregation);
        columns as of :func:`mer_core.metrics.score`.

    References
    ----------
    The layout of Pellegrini and Barriere (2015), table 1. Notebooks 02 and 11.
    """
    dev, test, folds = corpus.split("dev"), corpus.split("test"), list(folds)
    scored = dev.select(_scored(folds))
    tables = {}
    for name, model in models.items():
        fitted = copy.deepcopy(model).fit(dev.features, dev.labels)
        predictions = {
            "CV": (scored.labels, cross_validate(model, dev, folds)),
            "test": (test.labels, fitted.predict(test.features)),
        }
        for protocol, (labels, raw) in predictions.items():
            tables[name, "raw", protocol] = score(labels, raw)
            tables[name, "smoothed", protocol] = score(labels, moving_average(raw, window))
    return pd.concat(tables, names=["system", "output", "protocol"])


def ablate(
    model: Regressor, corpus: Corpus, folds: Iterable[Fold], groups: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Cross-validate a model on several choices of features, folds and all else being the same.

    Parameters
    ----------
    model : regressor
    corpus : Corpus
        With all features that are named.
    folds : iterable of Fold
    groups : mapping of name to columns
        The choices.

    Returns
    -------
    DataFrame
        Index: the names; columns (dimension, metric): RMSE and r, pooled over the scored frames.

    References
    ----------
    Pellegrini and Barriere (2015), section 2, add one feature type at a time. Notebook 01.
    """
    folds = list(folds)
    scored = corpus.select(_scored(folds))
    rows = {}
    for name, columns in groups.items():
        chosen = replace(corpus, features=corpus.features[list(columns)])
        table = score(scored.labels, cross_validate(model, chosen, folds))
        rows[name] = table.xs("pooled", level="aggregation")[["rmse", "pearson"]].stack()
    return pd.DataFrame(rows).T.rename(columns={"rmse": "RMSE", "pearson": "r"}, level=1)


def as_paper(table: pd.DataFrame) -> pd.DataFrame:
    """Lay a scoreboard out as the papers print theirs: a row a system, pooled and per song.

    Parameters
    ----------
    table : DataFrame
        From :func:`scoreboard`.

    Returns
    -------
    DataFrame
        Index (protocol, aggregation, system, output); columns (dimension, metric) with RMSE, r and
        CCC; the rows of sd belong to the means above them.

    References
    ----------
    Pellegrini and Barriere (2015), table 1. Notebooks 02 and 11.
    """
    names = {"rmse": "RMSE", "pearson": "r", "ccc": "CCC"}
    wide = table[list(names)].rename(columns=names).unstack("dimension").swaplevel(axis=1)
    columns = [(dimension, name) for dimension in DIMENSIONS for name in names.values()]
    levels = ["protocol", "aggregation", "system", "output"]
    wide = wide[columns].reorder_levels(levels)
    order = pd.MultiIndex.from_product(
        [["CV", "test"], ["pooled", "mean", "sd"], *(table.index.unique(k) for k in levels[2:])]
    )
    return wide.reindex(order.set_names(levels))

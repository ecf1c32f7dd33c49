"""Cross-validation and the scoreboard, on the papers' divisions into folds.

Source: Pellegrini and Barriere (2015), section 2 and table 1. Notebooks 01, 02 and 11.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, Self

import pandas as pd
from tqdm.auto import tqdm

from mer_core.corpus import Corpus
from mer_core.datasets.deam import development_2015
from mer_core.files import DataError, note
from mer_core.folds import Fold, genre_folds, k_folds, modulus_folds
from mer_core.metrics import DIMENSIONS, score
from mer_core.smoothing import moving_average
from mer_core.tracks import as_track

__all__ = ["Fold", "ablate", "as_paper", "cross_validate", "genre_folds", "k_folds"]
__all__ += ["labelled", "modulus_folds", "scoreboard"]


class Regressor(Protocol):
    """The methods that all models have; see :mod:`mer_core.models`."""

    def fit(self, features: pd.DataFrame, labels: pd.DataFrame, **kwargs: object) -> Self:
        """Fit to the labelled frames."""

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""


def cross_validate(model: Regressor, corpus: Corpus, folds: Iterable[Fold]) -> pd.DataFrame:
    """Predict each fold's songs by a copy of the model that was trained on the fold's other songs.

    Parameters
    ----------
    model : regressor
        One with `fit_many` is fitted to all folds in one computation.
    corpus : Corpus
        With features of all songs in the folds.
    folds : iterable of Fold
        For instance from :func:`mer_core.folds.k_folds`.

    Returns
    -------
    DataFrame
        Predictions for every feature row of every scored song.

    Raises
    ------
    ValueError
        If a song is on both sides of a fold, is scored twice, or has no features, or features or
        labels are no tracks of finite numbers.
    """
    folds, names = list(folds), ("features", "labels")
    if isinstance(corpus.features, pd.DataFrame) and corpus.features.empty:
        wanted = "feature files, or audio of at least half of the songs (of fewer: see "
        raise DataError("features", f"{wanted}mer_core.datasets.songs_with_audio)", "none")
    parts = {name: as_track(getattr(corpus, name), name, sort=True) for name in names}
    corpus = replace(corpus, **parts)
    _check_folds(folds, corpus)
    if hasattr(model, "fit_many"):
        from mer_core.training import Dataset, Job  # loads torch, which baselines do without

        data = Dataset(*parts.values())
        fitted = model.fit_many([Job(data, fold.train) for fold in folds])
    else:
        fitted = _one_by_one(model, corpus, folds)
    predictions = [
        one.predict(corpus.select(fold.test).features) for one, fold in zip(fitted, folds)
    ]
    return pd.concat(predictions).sort_index()


def _one_by_one(model: Regressor, corpus: Corpus, folds: list[Fold]) -> Iterator[Regressor]:
    for fold in tqdm(folds, type(model).__name__, leave=False, unit="fold"):
        train = corpus.select(fold.train)
        yield copy.deepcopy(model).fit(train.features, train.labels)


def _check_folds(folds: list[Fold], corpus: Corpus) -> list[int]:
    """The songs that are scored; raises a ValueError unless the folds suit the corpus."""
    scored = [song_id for fold in folds for song_id in fold.test]
    if not scored or len(set(scored)) < len(scored):
        raise ValueError("folds: expected songs that are scored once, found none or repeated ones")
    for number, fold in enumerate(folds):
        both = list(fold.train.intersection(fold.test))
        if both:
            raise ValueError(f"folds: expected no song on both sides, found {both} in {number}")
        if fold.train.empty:
            raise ValueError(f"folds: expected songs to train on, found none in {number}")
    _check_features({song_id for fold in folds for side in fold for song_id in side}, corpus)
    return scored


def _check_features(song_ids: Iterable[int], corpus: Corpus) -> None:
    without = sorted(set(song_ids) - set(corpus.features.index.unique("song_id")))
    if without:
        raise ValueError(f"corpus: expected features of all songs, found none for {without[:5]}")


def labelled(corpus: Corpus, side: str) -> Corpus:
    """The songs of one side ("dev" or "test") of the chosen task that have curves, if any."""
    songs = corpus.songs.index[corpus.songs["split"] == side]
    return corpus.select(songs.intersection(corpus.labels.index.unique("song_id"), sort=False))


def irit_folds() -> list[Fold]:
    """IRIT's ten folds of the development songs of 2015: 43 songs each, song 1036 is in none.

    They were recovered by repeating the drawing in IRIT's published code; eight of the ids are
    only nearly certain.
    """
    numbers = development_2015()["irit_fold"].dropna()
    songs = numbers.index
    return [Fold(songs[numbers != k], songs[numbers == k]) for k in range(10)]


def scoreboard(
    models: Mapping[str, Regressor], corpus: Corpus, *, folds: Iterable[Fold], window: int = 13
) -> pd.DataFrame:
    """Cross-validate each model on the development songs and test it on the test songs.

    Songs without curves take no part. If no test song has curves, the table has the rows "CV" only,
    and a DataWarning is issued.

    Parameters
    ----------
    models : mapping of name to regressor
    folds : iterable of Fold
        Of the songs of :func:`labelled`.
    window : int
        Frames of the moving average in the smoothed rows.

    Returns
    -------
    DataFrame
        Index (system, output: raw or smoothed, protocol: CV or test, dimension, aggregation);
        columns as of :func:`mer_core.metrics.score`.

    Raises
    ------
    ValueError
        Before training, if no development song has curves, a song lacks features, or the folds
        are not as for :func:`cross_validate`.
    """
    dev, test, folds = labelled(corpus, "dev"), labelled(corpus, "test"), list(folds)
    scored, tables = dev.select(_check_sides(corpus, dev, test, folds)), {}
    for name, model in models.items():
        predictions = {"CV": (scored.labels, cross_validate(model, dev, folds))}
        if len(test.songs):
            fitted = copy.deepcopy(model).fit(dev.features, dev.labels)
            predictions["test"] = (test.labels, fitted.predict(test.features))
        for protocol, (labels, raw) in predictions.items():
            tables[name, "raw", protocol] = score(labels, raw)
            tables[name, "smoothed", protocol] = score(labels, moving_average(raw, window))
    return pd.concat(tables, names=["system", "output", "protocol"])


def _check_sides(corpus: Corpus, dev: Corpus, test: Corpus, folds: list[Fold]) -> list[int]:
    listed = corpus.songs["split"].value_counts()
    if dev.songs.empty:
        found = f"none ({listed.get('dev', 0)} development songs, {len(test.songs)} test songs)"
        raise ValueError(f"corpus: expected development songs with labels, found {found}")
    scored = _check_folds(folds, dev)
    _check_features([*dev.songs.index, *test.songs.index], corpus)
    if test.songs.empty:
        unlabelled = f"the {listed.get('test')} test songs have no labels (curves)"
        why = unlabelled if "test" in listed else "this task has no test songs"
        note(f"no scores on test songs: {why}")
    return scored


def ablate(
    model: Regressor, corpus: Corpus, folds: Iterable[Fold], groups: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Cross-validate a model on several choices of features, given as name -> columns.

    Gives a row for each name; columns (dimension, metric): RMSE and r, pooled over frames.
    """
    folds = list(folds)
    scored, rows = corpus.select(_check_folds(folds, corpus)), {}
    for name, columns in groups.items():
        chosen = replace(corpus, features=corpus.features[list(columns)])
        table = score(scored.labels, cross_validate(model, chosen, folds))
        rows[name] = table.xs("pooled", level="aggregation")[["rmse", "pearson"]].stack()
    return pd.DataFrame(rows).T.rename(columns={"rmse": "RMSE", "pearson": "r"}, level=1)


def as_paper(table: pd.DataFrame) -> pd.DataFrame:
    """Lay out a table of :func:`scoreboard` as the papers do: one row for each system.

    Index (protocol, aggregation, system, output); columns (dimension, metric) with RMSE, r and CCC.
    """
    names = {"rmse": "RMSE", "pearson": "r", "ccc": "CCC"}
    wide = table[list(names)].rename(columns=names).unstack("dimension").swaplevel(axis=1)
    columns = [(dimension, name) for dimension in DIMENSIONS for name in names.values()]
    levels = ["protocol", "aggregation", "system", "output"]
    wide = wide[columns].reorder_levels(levels)
    protocols = [name for name in ("CV", "test") if name in table.index.unique("protocol")]
    order = [protocols, ["pooled", "mean", "sd"], *(table.index.unique(k) for k in levels[2:])]
    return wide.reindex(pd.MultiIndex.from_product(order, names=levels))

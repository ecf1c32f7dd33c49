"""Studies of regressors: ten folds and the test songs, or Munich's held-out songs."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace

import pandas as pd

from mer_core import evaluation, models
from mer_core.corpus import Corpus
from mer_core.evaluation import Regressor
from mer_core.features.sets import choose
from mer_core.folds import modulus_folds
from mer_core.metrics import score, score_songs
from mer_core.smoothing import moving_average
from workbook.studies.study import FEATURE_SETS, Study, product

SCORED = ("rmse", "pearson")
"""Columns of the tables of songs, for paired tests."""


def with_seed(model: Regressor, seed: int) -> Regressor:
    """A new model of the same settings, with a seed wherever the default one was left.

    Parameters
    ----------
    model : regressor
        It and the models within it may have a field `seed`.
    seed : int

    Returns
    -------
    regressor
        Not fitted; it shares no model with the setting.

    Examples
    --------
    >>> with_seed(models.Preprocessed(network=models.ElmanRNN(seed=5)), 3).seed
    3
    >>> with_seed(models.Preprocessed(network=models.ElmanRNN(seed=5)), 3).network.seed
    5
    """
    if not is_dataclass(model):
        return copy.deepcopy(model)
    changes = {}
    for field in fields(model):
        value = getattr(model, field.name)
        if field.name == "seed" and value == field.default:
            changes["seed"] = seed
        elif is_dataclass(value):
            changes[field.name] = with_seed(value, seed)
    return replace(model, **changes)


def predict(
    corpus: Corpus, *, setting: Regressor, features: str, fold: int | str, seed: int
) -> pd.DataFrame:
    """Predict the songs of one fold, of all folds, or of the test set.

    Parameters
    ----------
    corpus : Corpus
        With features and both splits.
    setting : regressor
        A model, as it is set but for the seed; see :func:`with_seed`.
    features : str
        A name of `FEATURE_SETS`.
    fold : int, "all" or "test"
        A number: train on the development songs outside that one of ten folds, predict those in
        it. "all": the ten at once, for small networks whose folds are trained as one batch.
        "test": train on all development songs, predict the test songs.
    seed : int
        Of the division into folds, and of the model.

    Returns
    -------
    DataFrame
        A track with the columns valence, arousal.

    References
    ----------
    Pellegrini and Barriere (2015), section 2. Notebook 02.
    """
    corpus = replace(corpus, features=choose(corpus.features, FEATURE_SETS[features]))
    dev, model = corpus.split("dev"), with_seed(setting, seed)
    folds = evaluation.k_folds(dev.songs.index, k=10, seed=seed)
    if fold == "all":
        return evaluation.cross_validate(model, dev, folds)
    sides = (dev, corpus.split("test")) if fold == "test" else map(dev.select, folds[fold])
    train, scored = sides
    return model.fit(train.features, train.labels).predict(scored.features)


def regressors(
    systems: Mapping[str, Regressor],
    *,
    features: Iterable[str] = ("FS1",),
    seeds: Iterable[int] = range(5),
    folds: Iterable[int | str] = range(10),
    seeded: bool = True,
    files: tuple[str, ...] = (),
    cheapest: tuple = (),
) -> Study:
    """Systems x feature sets x seeds, in ten folds and on the test songs.

    Parameters
    ----------
    systems : mapping of name to regressor
    features : iterable of str
        Names of `FEATURE_SETS`.
    seeds : iterable of int
        Of the folds and, where the models are random, of the models.
    folds : iterable of int, or ("all",)
        ("all",) trains the ten folds as one unit: for small networks.
    seeded : bool
        Whether the models are random. If not, the first seed alone is tested on the test songs.
    files, cheapest
        See :class:`Study`.
    """
    seeds, levels = list(seeds), ("system", "features", "protocol", "seed")
    protocols = {"CV": (folds, seeds), "test": (["test"], seeds if seeded else seeds[:1])}
    units = []
    for name, setting in systems.items():
        for protocol, (parts, some) in protocols.items():
            every = {"setting": [setting], "features": features, "fold": parts, "seed": some}
            for unit in product(**every):
                units.append(((name, unit["features"], protocol, unit["seed"]), unit))
    return Study(predict, units, levels, scores, files, cheapest=cheapest)


def scores(
    corpus: Corpus, tracks: dict[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score predictions, raw and smoothed: a table of scores and one of songs."""
    outputs = {
        (*label[:2], output, *label[2:]): change(track)
        for label, track in tracks.items()
        for output, change in (("raw", _same), ("smoothed", moving_average))
    }
    names = [*levels[:2], "output", *levels[2:]]
    labels = {k: corpus.select(track.index.unique(0)).labels for k, track in tracks.items()}
    known = {k: labels[(*k[:2], *k[3:])] for k in outputs}
    table = {k: score(known[k], track) for k, track in outputs.items()}
    songs = {k: score_songs(known[k], track)[[*SCORED]] for k, track in outputs.items()}
    return pd.concat(table, names=names), pd.concat(songs, names=names)


def _same(track: pd.DataFrame) -> pd.DataFrame:
    return track


def predict_held_out(
    corpus: Corpus, *, setting: Regressor, features: str, seed: int
) -> pd.DataFrame:
    """Predict the held-out development songs and the test songs by one model.

    Parameters
    ----------
    corpus : Corpus
        With features and both splits.
    setting : regressor
        As for :func:`predict`. A `FoldEnsemble` holds the songs out by itself; any other model is
        fitted to the rest.
    features : str
        A name of `FEATURE_SETS`.
    seed : int
        Of the model.

    Returns
    -------
    DataFrame
        A track with the columns valence, arousal.

    References
    ----------
    Coutinho et al. (2014, 2015), section 2: song_id modulo 11, remainder 10. Notebook 04.
    """
    corpus = replace(corpus, features=choose(corpus.features, FEATURE_SETS[features]))
    dev, test = corpus.split("dev"), corpus.split("test")
    _, held_out = modulus_folds(dev.songs.index)
    rest = dev.select(dev.songs.index.difference(held_out))
    train = dev if isinstance(setting, models.FoldEnsemble) else rest
    model = with_seed(setting, seed).fit(train.features, train.labels)
    heard = (dev.select(held_out).features, test.features)
    return pd.concat([model.predict(some) for some in heard])


def ensembles(
    systems: Mapping[str, tuple[Regressor, str]],
    *,
    seeds: Iterable[int],
    files: tuple[str, ...] = (),
    cheapest: tuple = (),
) -> Study:
    """Systems x seeds, scored on the held-out songs and on the test songs.

    Parameters
    ----------
    systems : mapping of name to (regressor, feature set)
    seeds : iterable of int
    files, cheapest
        See :class:`Study`.
    """
    units = []
    for name, (setting, features) in systems.items():
        for unit in product(setting=[setting], features=[features], seed=seeds):
            units.append(((name, features, unit["seed"]), unit))
    levels = ("system", "features", "seed")
    return Study(predict_held_out, units, levels, held_out_scores, files, cheapest=cheapest)


def held_out_scores(
    corpus: Corpus, tracks: dict[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the two kinds of songs apart, as the protocols "held-out" and "test"."""
    split = corpus.songs["split"]
    apart = {}
    for (name, features, seed), track in tracks.items():
        side = track.index.get_level_values("song_id").map(split)
        apart[name, features, "held-out", seed] = track[side == "dev"]
        apart[name, features, "test", seed] = track[side == "test"]
    return scores(corpus, apart, ("system", "features", "protocol", "seed"))

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
from workbook.studies.study import FEATURE_SETS, Frames, Levels, Study, Tables, labelled

SCORED = ("rmse", "pearson")
"""Columns of the tables of songs, for paired tests."""
LEVELS = ("system", "features", "protocol", "seed")
FILES = ("{}.csv", "{}_songs.parquet")


def with_seed(model: Regressor, seed: int) -> Regressor:
    """A new model of the same settings, with a seed wherever the default was left, also inside.

    Examples
    --------
    >>> made = with_seed(models.Preprocessed(network=models.ElmanRNN(seed=5)), 3)
    >>> made.seed, made.network.seed
    (3, 5)
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


def with_features(corpus: Corpus, features: str) -> Corpus:
    """The corpus with one of `FEATURE_SETS` for features, or with "mel" or "band means"."""
    if features not in ("mel", "band means"):
        return replace(corpus, features=choose(corpus.features, FEATURE_SETS[features]))
    from workbook.studies import latents  # which imports this module

    corpus = latents.with_mel(corpus)
    if features == "mel":
        return corpus
    return replace(corpus, features=latents.band_means(corpus.features))


def predict(
    corpus: Corpus, *, setting: Regressor, features: str, fold: int | str, seed: int
) -> pd.DataFrame:
    """Predict the songs of one fold, of all folds, or of the test set.

    `setting` is a model without its seed, see :func:`with_seed`; for `features` see
    :func:`with_features`. A `fold` from 0 to 9: train on the development songs outside it, predict
    those in it; "all": the ten at once, for small networks that are trained as one batch; "test":
    train on all development songs. The seed is of the division into folds and of the model.
    """
    corpus = with_features(corpus, features)
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
    cheapest: tuple = (),
) -> Study:
    """Systems x feature sets x seeds, in ten folds and on the test songs.

    For `features` see :func:`with_features`. Folds of ("all",) train as one unit, for small
    networks. If the models are not random, `seeded` is false, and one seed is tested on the test
    songs. For `cheapest` see :class:`Study`.
    """
    seeds, units = list(seeds), []
    protocols = {"CV": (folds, seeds), "test": (["test"], seeds if seeded else seeds[:1])}
    for name, setting in systems.items():
        for protocol, (parts, some) in protocols.items():
            lists = {"setting": [setting], "features": features, "fold": parts, "seed": some}
            units += labelled(LEVELS, {"system": name, "protocol": protocol}, **lists)
    return Study(predict, units, LEVELS, scores, FILES, cheapest=cheapest)


def scores(corpus: Corpus, tracks: Frames, levels: Levels) -> Tables:
    """Score predictions, raw and smoothed: a table of scores and one of songs."""
    table, songs = {}, {}
    for (system, features, *rest), track in tracks.items():
        labels = corpus.select(track.index.unique(0)).labels
        for output, values in {"raw": track, "smoothed": moving_average(track)}.items():
            label = (system, features, output, *rest)
            table[label] = score(labels, values)
            songs[label] = score_songs(labels, values)[[*SCORED]]
    names = [*levels[:2], "output", *levels[2:]]
    return pd.concat(table, names=names), pd.concat(songs, names=names)


def predict_held_out(
    corpus: Corpus, *, setting: Regressor, features: str, seed: int
) -> pd.DataFrame:
    """Predict the held-out development songs (modulo 11) and the test songs by one model.

    A `FoldEnsemble` holds the songs out by itself; any other model is fitted to the rest. Coutinho
    et al. (2014, 2015), section 2.
    """
    corpus = with_features(corpus, features)
    dev, test = corpus.split("dev"), corpus.split("test")
    _, held_out = modulus_folds(dev.songs.index)
    rest = dev.select(dev.songs.index.difference(held_out))
    train = dev if isinstance(setting, models.FoldEnsemble) else rest
    model = with_seed(setting, seed).fit(train.features, train.labels)
    return pd.concat([model.predict(part.features) for part in (dev.select(held_out), test)])


def ensembles(
    systems: Mapping[str, tuple[Regressor, str]], *, seeds: Iterable[int], cheapest: tuple = ()
) -> Study:
    """Systems (regressor, feature set) x seeds, on the held-out songs and on the test songs."""
    levels, units = ("system", "features", "seed"), []
    for name, (setting, features) in systems.items():
        lists = {"setting": [setting], "features": [features], "seed": seeds}
        units += labelled(levels, {"system": name}, **lists)
    return Study(predict_held_out, units, levels, held_out_scores, FILES, cheapest=cheapest)


def held_out_scores(corpus: Corpus, tracks: Frames, levels: Levels) -> Tables:
    """Score the two kinds of songs separately, as the protocols "held-out" and "test"."""
    split, parts = corpus.songs["split"], {}
    for (name, features, seed), track in tracks.items():
        side = track.index.get_level_values("song_id").map(split)
        parts[name, features, "held-out", seed] = track[side == "dev"]
        parts[name, features, "test", seed] = track[side == "test"]
    return scores(corpus, parts, LEVELS)

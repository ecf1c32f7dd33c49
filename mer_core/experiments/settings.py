"""Settings as data: a model by its name and options, one fold of one system, products of lists."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product as tuples

import pandas as pd

from mer_core import evaluation, models
from mer_core.corpus import Corpus
from mer_core.features.sets import choose

FEATURE_SETS = {
    "FS1": ("compare",),
    "FS2": ("compare", "psychoacoustic"),
    "268": ("compare", "spectral"),
}
"""The papers' names: Munich's FS1 and FS2, IRIT's 268."""


def build(setting: Mapping[str, object], *, seed: int | None = None) -> evaluation.Regressor:
    """Make a model from its setting.

    Parameters
    ----------
    setting : mapping
        "model": the class's name in :mod:`mer_core.models`; all else: options of its constructor.
        An option that is itself such a mapping becomes a model.
    seed : int, optional
        Given to every model whose constructor takes one and whose setting names none.

    Raises
    ------
    ValueError
        If there is no such model, or it has no such option.

    Examples
    --------
    >>> type(build({"model": "SVR", "every": 12})).__name__
    'SVR'
    >>> build({"model": "SVR", "c": 1})
    Traceback (most recent call last):
    ValueError: SVR: expected options among ['C', 'epsilon', 'gamma', 'every'], found ['c']
    """
    options = dict(setting)
    name = options.pop("model", None)
    if name not in models.__all__:
        raise ValueError(f"model: expected one of {models.__all__}, found {name!r}")
    known = inspect.signature(getattr(models, name)).parameters
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"{name}: expected options among {list(known)}, found {unknown}")
    if seed is not None and "seed" in known:
        options.setdefault("seed", seed)
    made = {k: build(v, seed=seed) if is_setting(v) else v for k, v in options.items()}
    return getattr(models, name)(**made)


def is_setting(value: object) -> bool:
    """Whether a value is a model's setting."""
    return isinstance(value, Mapping) and "model" in value


def predict(
    corpus: Corpus, *, setting: Mapping, features: str, fold: int | str, seed: int
) -> pd.DataFrame:
    """Predict the songs of one fold, of all folds, or of the test set.

    Parameters
    ----------
    corpus : Corpus
        With features and both splits.
    setting : mapping
        As for :func:`build`.
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
    dev, model = corpus.split("dev"), build(setting, seed=seed)
    folds = evaluation.k_folds(dev.songs.index, k=10, seed=seed)
    if fold == "all":
        return evaluation.cross_validate(model, dev, folds)
    sides = (dev, corpus.split("test")) if fold == "test" else map(dev.select, folds[fold])
    train, scored = sides
    return model.fit(train.features, train.labels).predict(scored.features)


def product(**lists: Iterable) -> list[dict[str, object]]:
    """Every combination of some arguments.

    Examples
    --------
    >>> product(fold=[0, 1], seed=[7])
    [{'fold': 0, 'seed': 7}, {'fold': 1, 'seed': 7}]
    """
    return [dict(zip(lists, values)) for values in tuples(*lists.values())]

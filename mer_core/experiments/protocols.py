"""What makes a sweep of regressors: units, and how their predictions become tables of scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.experiments.results import Sweep
from mer_core.experiments.settings import FEATURE_SETS, build, predict, product
from mer_core.features.sets import choose
from mer_core.folds import modulus_folds
from mer_core.metrics import score, score_songs
from mer_core.smoothing import moving_average

SCORED = ("rmse", "pearson")
"""What the tables of songs hold, for paired tests."""


def joined(*sweeps: Sweep) -> Sweep:
    """One study with the units of all, which must have everything else in common."""
    if len({(sweep.function, sweep.levels, sweep.tabulate) for sweep in sweeps}) > 1:
        raise ValueError("sweeps: expected one function, levels and tables, found several")
    return sweeps[0]._replace(units=[unit for sweep in sweeps for unit in sweep.units])


def regressors(
    systems: Mapping[str, Mapping],
    *,
    features: Iterable[str] = ("FS1",),
    seeds: Iterable[int] = range(5),
    folds: Iterable[int | str] = range(10),
    seeded: bool = True,
) -> Sweep:
    """Systems x feature sets x seeds, in ten folds and on the test songs.

    Parameters
    ----------
    systems : mapping of name to setting
        As for :func:`mer_core.experiments.build`.
    features : iterable of str
        Names of `FEATURE_SETS`.
    seeds : iterable of int
        Of the folds and, where the models are random, of the models.
    folds : iterable of int, or ("all",)
        ("all",) trains the ten folds as one unit: for small networks.
    seeded : bool
        Whether the models are random. If not, the first seed alone is tested on the test songs.
    """
    seeds, levels = list(seeds), ("system", "features", "protocol", "seed")
    protocols = {"CV": (folds, seeds), "test": (["test"], seeds if seeded else seeds[:1])}
    units = []
    for name, setting in systems.items():
        for protocol, (parts, some) in protocols.items():
            every = {"setting": [dict(setting)], "features": features, "fold": parts, "seed": some}
            for unit in product(**every):
                units.append(((name, unit["features"], protocol, unit["seed"]), unit))
    return Sweep(predict, units, levels, scores)


def scores(
    corpus: Corpus, tracks: dict[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> dict[str, pd.DataFrame]:
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
    return {
        ".csv": pd.concat(table, names=names),
        "_songs.parquet": pd.concat(songs, names=names),
    }


def by_seed(frames: Mapping[tuple, pd.DataFrame]) -> dict[tuple, list[pd.DataFrame]]:
    """Frames whose labels differ in the last part only, the seed, under what they share."""
    groups: dict[tuple, list[pd.DataFrame]] = {}
    for (*label, _), frame in frames.items():
        groups.setdefault(tuple(label), []).append(frame)
    return groups


def framed(rows: Mapping[tuple, Mapping], names: list[str]) -> pd.DataFrame:
    """Rows by the parts of their labels, as a table whose index has these names."""
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(names)


def labelled(levels: tuple[str, ...], **lists: Iterable) -> list[tuple[tuple, dict]]:
    """Every combination of some arguments as a unit, labelled by those that are levels."""
    return [(tuple(unit[level] for level in levels), unit) for unit in product(**lists)]


def _same(track: pd.DataFrame) -> pd.DataFrame:
    return track


def predict_held_out(corpus: Corpus, *, setting: Mapping, features: str, seed: int) -> pd.DataFrame:
    """Predict the held-out development songs and the test songs by one model.

    Parameters
    ----------
    corpus : Corpus
        With features and both splits.
    setting : mapping
        As for :func:`mer_core.experiments.build`. A `FoldEnsemble` holds the songs out by itself;
        any other model is fitted to the rest.
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
    ensemble = setting["model"] == "FoldEnsemble"
    train = dev if ensemble else dev.select(dev.songs.index.difference(held_out))
    model = build(setting, seed=seed).fit(train.features, train.labels)
    heard = (dev.select(held_out).features, test.features)
    return pd.concat([model.predict(some) for some in heard])


def ensembles(systems: Mapping[str, tuple[Mapping, str]], *, seeds: Iterable[int]) -> Sweep:
    """Systems x seeds, scored on the held-out songs and on the test songs.

    Parameters
    ----------
    systems : mapping of name to (setting, feature set)
    seeds : iterable of int
    """
    units = []
    for name, (setting, features) in systems.items():
        for unit in product(setting=[dict(setting)], features=[features], seed=seeds):
            units.append(((name, features, unit["seed"]), unit))
    return Sweep(predict_held_out, units, ("system", "features", "seed"), held_out_scores)


def held_out_scores(
    corpus: Corpus, tracks: dict[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> dict[str, pd.DataFrame]:
    """Score the two kinds of songs apart, as the protocols "held-out" and "test"."""
    split = corpus.songs["split"]
    apart = {}
    for (name, features, seed), track in tracks.items():
        side = track.index.get_level_values("song_id").map(split)
        apart[name, features, "held-out", seed] = track[side == "dev"]
        apart[name, features, "test", seed] = track[side == "test"]
    return scores(corpus, apart, ("system", "features", "protocol", "seed"))

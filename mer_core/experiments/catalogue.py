"""The sweeps behind the course's tables, as data: what is computed for which row of which table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.experiments.settings import predict, product
from mer_core.metrics import score, score_songs
from mer_core.smoothing import moving_average

SCORED = ("rmse", "pearson")
"""What the tables of songs hold, for paired tests."""


class Sweep(NamedTuple):
    """Units, and how their frames become tables."""

    function: Callable[..., pd.DataFrame]
    """`function(corpus, **unit)`, see :func:`mer_core.experiments.run`."""
    units: list[tuple[tuple, dict]]
    """Pairs of a label (the row of a table; folds share one) and a unit."""
    levels: tuple[str, ...]
    """Names of the label's parts."""
    tabulate: Callable[[Corpus, dict[tuple, pd.DataFrame], tuple[str, ...]], dict]
    """`tabulate(corpus, {label: frame}, levels)` -> {end of the file's name: table}, the end being
    ".csv" or such as "_songs.parquet"."""


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


def _same(track: pd.DataFrame) -> pd.DataFrame:
    return track


SWEEPS: dict[str, Sweep] = {
    "baselines": regressors(
        {
            "constant": {"model": "Constant"},
            "linear, no penalty": {"model": "Linear", "ridge": 0},
            "linear": {"model": "Linear"},
            "SVR": {"model": "SVR"},
        },
        features=("FS1", "FS2", "268"),
        seeded=False,
    ),
}

"""Emotion of whole songs: the systems of Herremans et al. (2019) and others. Notebook 06."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from mer_core.corpus import Corpus
from mer_core.datasets import load_corpus
from mer_core.datasets.deam import SONG_LEVEL_FEATURES, chosen_data
from mer_core.datasets.deam.read import MINI
from mer_core.evaluation import cross_validate
from mer_core.features import song_level
from mer_core.files import DataError, read_table
from mer_core.folds import Fold, k_folds
from mer_core.metrics import DIMENSIONS, METRICS
from workbook.studies.study import Frames, Levels, Study, Tables, Units, by_seed, framed, labelled
from workbook.valence import interval, song_counts, weighted_scores

SMALL = 17
"""Most dimensions of a small representation: a tenth of DEAM's 167 song-level features."""
MEMBERS = ("SVM on ranks", "TNN-SVM", "ridge", "extra trees", "Gaussian process")
"""Systems whose predictions "average" averages, each with the same weight."""
BASE = "SVM on ranks"
"""What differences are against: all features, prepared as for the triplet network."""


def mini_songs() -> Corpus:
    """The embedded corpus, SYNTHETIC, as whole songs: functionals, means, standard deviations."""
    corpus = load_corpus("mini")
    functionals = pd.read_parquet(MINI / "functionals.parquet").astype(float)
    return whole_songs(corpus, song_level(corpus.features, functionals))


def deam_songs() -> Corpus:
    """DEAM as whole songs, from the folder that `MER_DATA` names; errors of :func:`deam_folder`."""
    folder, features = deam_folder()
    return whole_songs(load_corpus(folder, task="2013"), features)


def read_features(folder: Path) -> pd.DataFrame:
    """The song-level features of a folder with DEAM, in the order of song_id."""
    return read_table(folder / SONG_LEVEL_FEATURES, index="song_id").copy().sort_index()


def deam_folder() -> tuple[Path, pd.DataFrame]:
    """The folder that `MER_DATA` names, and its song-level features; DataError without either."""
    folder = chosen_data()
    if folder == "mini":
        raise DataError("MER_DATA", "the name of a folder with DEAM", "nothing")
    return Path(folder), read_features(Path(folder))


def whole_songs(corpus: Corpus, features: pd.DataFrame) -> Corpus:
    """A corpus whose tracks have one row a song, at time 0: its song-level label and features.

    The features have the index song_id.
    """
    labels = corpus.songs[DIMENSIONS].dropna()
    labels = labels.loc[labels.index.intersection(features.index)]
    rows = pd.MultiIndex.from_product([labels.index, [0.0]], names=["song_id", "time"])
    tracks = (frame.set_axis(rows) for frame in (labels, features.loc[labels.index]))
    return Corpus(corpus.songs.loc[labels.index], *tracks)


def static_scores(corpus: Corpus) -> pd.DataFrame:
    """R2 with 95 % intervals of Herremans' systems and simple ones: ten folds of 2013, one seed.

    Index (system, dimension). Herremans et al. (2019), table 1; lesson 06 has more systems.
    """
    frames = {
        (name, 0): predict_songs(corpus, system=name, songs="2013", protocol="CV", seed=0)
        for name in tqdm(("constant", "ridge", "SVM", "PCA-SVM", "TNN-SVM"), "systems")
    }
    return song_scores(corpus, frames, ("system", "seed"))[1][["r2", "low", "high"]]


def predict_songs(
    corpus: Corpus,
    *,
    system: str,
    songs: str,
    protocol: str,
    seed: int,
    dimensions: int = SMALL,
    swapped: bool = False,
) -> pd.DataFrame:
    """Predict whole songs by a system of `song_systems` that was trained on others; index song_id.

    Training songs are those of "2013", or "all" but those of 2015. The protocol is "CV", ten folds
    of them, or "test", the songs of 2015. If swapped, training labels of 2013 are exchanged as in
    DEAM's file. `dimensions` is the size of a representation.
    """
    from workbook.studies.song_systems import SYSTEMS  # a second, for workers that need none

    year = corpus.songs["year"]
    chosen = year.index[year == 2013] if songs == "2013" else year.index[year < 2015]
    if swapped:
        labels = as_in_file(corpus.labels.droplevel("time"), year)
        corpus = replace(corpus, labels=labels.set_axis(corpus.labels.index))
    whole = [Fold(chosen, year.index[year == 2015])]
    folds = whole if protocol == "test" else k_folds(chosen, k=10, seed=seed)
    model = SYSTEMS[system](dimensions=dimensions, seed=seed)
    return cross_validate(model, corpus, folds).droplevel("time")


def as_in_file(labels: pd.DataFrame, year: pd.Series) -> pd.DataFrame:
    """Song-level labels with the defect of DEAM's file: those of 2013 are exchanged."""
    exchanged = labels[DIMENSIONS[::-1]].set_axis(DIMENSIONS, axis=1)
    return labels.where(year.reindex(labels.index) != 2013, exchanged)


def song_scores(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of whole songs by seed; and R2 with intervals, also of the difference to `BASE`.

    The first level is the system, the last one the seed. The second table has the mean R2 over
    seeds, its standard deviation over seeds, and 95 % bootstrap intervals over songs.
    """
    labels = corpus.labels.droplevel("time")
    frames = dict(frames) | averages(frames)
    table = {
        (*label, dimension, "pooled"): {
            name: metric(labels.loc[frame.index, dimension], frame[dimension])
            for name, metric in METRICS.items()
        }
        for label, frame in frames.items()
        for dimension in DIMENSIONS
    }
    names = [*levels, "dimension", "aggregation"]
    return framed(table, names), framed(intervals(labels, frames), [*levels[:-1], "dimension"])


def each_song(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """What each song adds to R2: 1 - squared error / variance of the labels, whose mean is R2."""
    labels = corpus.labels.droplevel("time")
    parts = {}
    for label, frame in frames.items():
        known = labels.loc[frame.index]
        parts[label] = 1 - (known - frame) ** 2 / known.var(ddof=0)
    table = pd.concat(parts, names=levels).rename_axis(columns="dimension")
    return (table.stack().to_frame("r2"),)


def averages(frames: Frames) -> dict[tuple, pd.DataFrame]:
    """Predictions of "average", for each label that all `MEMBERS` share."""
    rests = [rest for system, *rest in frames if system == MEMBERS[0]]
    parts = {("average", *rest): [frames.get((name, *rest)) for name in MEMBERS] for rest in rests}
    whole = {k: v for k, v in parts.items() if all(part is not None for part in v)}
    return {label: sum(members) / len(members) for label, members in whole.items()}


def intervals(labels: pd.DataFrame, frames: Frames) -> dict[tuple, dict]:
    """R2 with bootstrap intervals over songs, seeds put together; see :func:`song_scores`."""
    groups, rows = by_seed(frames), {}
    for label, group in groups.items():
        base = groups.get((BASE, *label[1:]))
        for dimension in DIMENSIONS:
            own = _drawn_r2(labels[dimension], group, dimension)
            other = _drawn_r2(labels[dimension], base, dimension).mean(axis=0) if base else None
            row = compared(own.mean(axis=0), other)
            about = {"seeds": len(own), "r2": row.pop("value")}
            spread = {"sd_over_seeds": pd.Series(own[:, 0]).std()}
            rows[(*label, dimension)] = about | spread | dict.fromkeys(COMPARED, np.nan) | row
    return rows


def _drawn_r2(known: pd.Series, group: list[pd.DataFrame], dimension: str) -> np.ndarray:
    """R2 of each frame (rows) in the whole set, first, and in bootstrap samples of the songs."""
    y = known.loc[group[0].index]
    counts = song_counts(len(y))
    return np.stack([weighted_scores(y, frame[dimension], counts)["r2"] for frame in group])


COMPARED = ("low", "high", "difference", "difference_low", "difference_high")


def compared(own: np.ndarray, base: np.ndarray | None = None) -> dict[str, float]:
    """A statistic with its interval and, if there is a base, those of their difference."""
    if base is None:
        return interval(own)
    names = {"value": "difference", "low": "difference_low", "high": "difference_high"}
    return interval(own) | {names[k]: value for k, value in interval(own - base).items()}


def swap_scores(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """R2 as of :func:`song_scores`, against the repaired labels and those of DEAM's file."""
    labels = corpus.labels.droplevel("time")
    sides = {"repaired": labels, "as in the file": as_in_file(labels, corpus.songs["year"])}
    rows = {
        (*label, side, dimension): row
        for side, known in sides.items()
        for (*label, dimension), row in intervals(known, frames).items()
    }
    return (framed(rows, [*levels[:-1], "scored_on", "dimension"]),)


PAPERS = ("SVM", "PCA-SVM", "PCA-SVM, unscaled", "TNN-SVM")
OTHERS = ("constant", "SVM on ranks", "ridge", "extra trees", "Gaussian process")
TRIPLETS = [f"TNN-SVM, {kind}" for kind in ("at random", "semi-hard", "joint", "four of 4", "600")]
EACH = ("ridge", "SVM", "SVM on ranks", "PCA-SVM", "TNN-SVM", "TNN-SVM, 600")
LEVELS = ("system", "features", "output", "protocol", "seed")
SIZES = ("system", "dimensions", "seed")
SWAPPED = ("system", "songs", "trained_on", "seed")
FILES = ("{}.csv", "{}_intervals.csv")
CV = {"songs": ["2013"], "protocol": ["CV"]}
BOTH = {"songs": ["all"], "protocol": ["CV", "test"], "seed": [0]}


def _compare(systems: Iterable[str], load: Callable[[], Corpus], **lists: Iterable) -> Study:
    """Systems in a table of scores and one of intervals."""
    features = "functionals" if load is mini_songs else "167"
    cheapest = ("ridge", features, "raw", lists["protocol"][-1])
    units = labelled(LEVELS, {"features": features, "output": "raw"}, system=systems, **lists)
    return Study(predict_songs, units, LEVELS, song_scores, FILES, load, cheapest)


def _swapped() -> Units:
    """Two systems that are trained on the repaired labels and on those of DEAM's file."""
    units = []
    for name, swapped in {"repaired": False, "as in the file": True}.items():
        lists = {"system": ["ridge", "TNN-SVM"], "songs": ["2013", "all"], "protocol": ["CV"]}
        units += labelled(SWAPPED, {"trained_on": name}, **lists, seed=[0], swapped=[swapped])
    return units


_sizes = labelled(SIZES, **CV, system=PAPERS[1:], seed=[0], dimensions=[2, 4, 8, SMALL, 64, 128])
STUDIES = {
    "songs_mini": _compare(PAPERS + OTHERS, mini_songs, **BOTH),
    "songs_2013": _compare([*PAPERS, *OTHERS, *TRIPLETS], deam_songs, **CV, seed=range(3)),
    "songs_1744": _compare([*OTHERS, "TNN-SVM"], deam_songs, **BOTH),
    "songs_each": _compare(EACH, deam_songs, **CV, seed=range(3))._replace(
        tabulate=each_song,
        files=("songs_2013_each.parquet",),
        cheapest=("ridge", "167", "raw", "CV", 0),
    ),
    "songs_dimensions": Study(
        predict_songs, _sizes, SIZES, song_scores, FILES, deam_songs, cheapest=("PCA-SVM", 2)
    ),
    "songs_swapped": Study(
        predict_songs,
        _swapped(),
        SWAPPED,
        swap_scores,
        corpus=deam_songs,
        cheapest=("ridge", "2013"),
    ),
}
"""All but the first are of DEAM, real."""

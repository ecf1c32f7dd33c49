"""Emotion of whole songs: the systems of Herremans et al. (2019) and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from mer_core.corpus import Corpus
from mer_core.datasets import load_corpus
from mer_core.datasets.deam import SONG_LEVEL_FEATURES, chosen_data
from mer_core.datasets.deam.read import MINI
from mer_core.features import song_level
from mer_core.files import DataError, read_table
from mer_core.folds import k_folds
from mer_core.metrics import DIMENSIONS, METRICS
from workbook.studies.study import Study, by_seed, framed, labelled, product

SMALL = 17
"""Most dimensions of a small representation: a tenth of DEAM's 167 song-level features."""
MEMBERS = ("SVM on ranks", "TNN-SVM", "ridge", "extra trees", "Gaussian process")
"""Systems whose predictions "average" averages, each with the same weight."""
BASE = "SVM on ranks"
"""What differences are against: all features, prepared as the triplet network has them."""
DRAWS = 2000
"""Bootstrap samples of songs."""


def mini_songs() -> Corpus:
    """The embedded corpus, SYNTHETIC, as whole songs: functionals, means, standard deviations."""
    corpus = load_corpus("mini")
    functionals = pd.read_parquet(MINI / "functionals.parquet").astype(float)
    return whole_songs(corpus, song_level(corpus.features, functionals))


def deam_songs() -> Corpus:
    """DEAM as whole songs, from the folder that `MER_DATA` names; errors of :func:`deam_folder`."""
    return read_whole_songs(*deam_folder())


def read_whole_songs(folder: Path, features: pd.DataFrame) -> Corpus:
    """A folder with DEAM as whole songs, by their features (index song_id)."""
    return whole_songs(load_corpus(folder, task="2013"), features)


def read_features(folder: Path) -> pd.DataFrame:
    """The song-level features of a folder with DEAM, in the order of song_id."""
    return read_table(folder / SONG_LEVEL_FEATURES, index="song_id").copy().sort_index()


def static_scores(corpus: Corpus) -> pd.DataFrame:
    """The systems of Herremans' table 1 and two simple ones: ten folds of 2013's songs, one seed.

    Returns
    -------
    DataFrame
        Index (system, dimension); r2 with a 95 % interval, low and high, over songs.

    References
    ----------
    Herremans et al. (2019), table 1. Notebook 06 has more systems, and seeds.
    """
    frames = {
        (name, 0): predict_songs(corpus, system=name, songs="2013", protocol="CV", seed=0)
        for name in tqdm(("constant", "ridge", "SVM", "PCA-SVM", "TNN-SVM"), "systems")
    }
    table = song_scores(corpus, frames, ("system", "seed"))[1]
    return table[["r2", "low", "high"]]


def deam_folder() -> tuple[Path, pd.DataFrame]:
    """The folder that `MER_DATA` names, and its song-level features, in the order of song_id.

    Raises
    ------
    DataError
        If the variable is not set or the folder lacks song-level features.
    """
    folder = chosen_data()
    if folder == "mini":
        raise DataError("MER_DATA", "the name of a folder with DEAM", "nothing")
    return Path(folder), read_features(Path(folder))


def whole_songs(corpus: Corpus, features: pd.DataFrame) -> Corpus:
    """A corpus whose tracks have one row a song, at time 0: its song-level label and features.

    Parameters
    ----------
    corpus : Corpus
        With song-level labels.
    features : DataFrame
        Index song_id.
    """
    labels = corpus.songs[DIMENSIONS].dropna()
    labels = labels.loc[labels.index.intersection(features.index)]
    rows = pd.MultiIndex.from_product([labels.index, [0.0]], names=["song_id", "time"])
    tracks = (frame.set_axis(rows) for frame in (labels, features.loc[labels.index]))
    return Corpus(corpus.songs.loc[labels.index], *tracks)


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
    """Predict whole songs by a system that was trained on others.

    Parameters
    ----------
    corpus : Corpus
        From :func:`whole_songs`.
    system : str
        A name of `workbook.studies.song_systems.SYSTEMS`.
    songs : {"2013", "all"}
        Songs to train on: those of 2013, or all but those of 2015.
    protocol : {"CV", "test"}
        "CV": predict the songs in ten folds of themselves; "test": train on all of them, predict
        those of 2015.
    seed : int
        Of the division into folds and of the system.
    dimensions : int
        Of the representation, where a system has one.
    swapped : bool
        Whether to train on valence and arousal of 2013 as DEAM's file has them, exchanged.

    Returns
    -------
    DataFrame
        Index song_id, columns valence, arousal.

    References
    ----------
    Herremans et al. (2019), table 1. Notebook 06.
    """
    from workbook.studies.song_systems import SYSTEMS  # a second, for workers that need none

    features, labels = (part.droplevel("time") for part in (corpus.features, corpus.labels))
    year = corpus.songs["year"]
    chosen = labels.index[year == 2013] if songs == "2013" else labels.index[year < 2015]
    labels = as_in_file(labels, year) if swapped else labels
    sides = [(chosen, labels.index[year == 2015])]
    folds = sides if protocol == "test" else k_folds(chosen, k=10, seed=seed)
    predictions = []
    for train, scored in folds:
        model = SYSTEMS[system](dimensions=dimensions, seed=seed)
        model.fit(features.loc[train], labels.loc[train])
        predictions.append(model.predict(features.loc[scored]))
    return pd.concat(predictions).sort_index()


def as_in_file(labels: pd.DataFrame, year: pd.Series) -> pd.DataFrame:
    """Song-level labels with the defect of DEAM's file: those of 2013 are exchanged."""
    exchanged = labels[DIMENSIONS[::-1]].set_axis(DIMENSIONS, axis=1)
    return labels.where(year.reindex(labels.index) != 2013, exchanged)


def song_scores(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """Score predictions of whole songs, the last level being the seed: by seed, and intervals.

    Parameters
    ----------
    corpus : Corpus
        From :func:`whole_songs`.
    frames : mapping of label to predictions
        The first part of a label is the system.
    levels : tuple of str
        Names of the label's parts.

    Returns
    -------
    table, intervals : DataFrame
        The four metrics for each label, dimension and "pooled"; and, without the seed, R2 as the
        mean over seeds, its standard deviation over seeds, a 95 % interval from drawing songs anew,
        and the same of the difference to `BASE`. The interval is about which songs are scored;
        models are not trained anew.
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
    return (
        framed(table, names),
        framed(intervals(labels, frames), [*levels[:-1], "dimension"]),
    )


def averages(frames: Mapping[tuple, pd.DataFrame]) -> dict[tuple, pd.DataFrame]:
    """Predictions of "average", for each label that all `MEMBERS` share."""
    rests = [rest for system, *rest in frames if system == MEMBERS[0]]
    parts = {("average", *rest): [frames.get((name, *rest)) for name in MEMBERS] for rest in rests}
    whole = {k: v for k, v in parts.items() if all(part is not None for part in v)}
    return {label: sum(members) / len(members) for label, members in whole.items()}


def intervals(labels: pd.DataFrame, frames: Mapping[tuple, pd.DataFrame]) -> dict[tuple, dict]:
    """R2 with bootstrap intervals over songs, seeds put together; see :func:`song_scores`."""
    groups, rows = by_seed(frames), {}
    for label, group in groups.items():
        base = groups.get((BASE, *label[1:]))
        for dimension in DIMENSIONS:
            y = labels.loc[group[0].index, dimension].to_numpy()
            of = [_drawn_r2(y, [frame[dimension].to_numpy() for frame in group])]
            of += [_drawn_r2(y, [frame[dimension].to_numpy() for frame in base])] if base else []
            rows[(*label, dimension)] = _summary(*of)
    return rows


def _drawn_r2(y: np.ndarray, predictions: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """R2 of each prediction, and its mean over them in each bootstrap sample of the songs."""
    draws = np.random.default_rng(0).multinomial(len(y), np.full(len(y), 1 / len(y)), DRAWS)
    counts = np.vstack([np.ones((1, len(y))), draws])
    spread = counts @ y**2 - (counts @ y) ** 2 / len(y)
    errors = counts @ np.square(y - np.stack(predictions)).T
    r2 = 1 - errors / spread[:, None]
    return r2[0], r2[1:].mean(axis=1)


def _summary(
    own: tuple[np.ndarray, np.ndarray], base: tuple[np.ndarray, np.ndarray] | None = None
) -> dict[str, float]:
    (values, drawn), (base_values, base_drawn) = own, base or (np.array([np.nan]), np.nan)
    low, high = np.percentile(drawn, [2.5, 97.5])
    low_difference, high_difference = np.percentile(drawn - base_drawn, [2.5, 97.5])
    return {
        "seeds": len(values),
        "r2": values.mean(),
        "sd_over_seeds": values.std(ddof=1) if len(values) > 1 else np.nan,
        "low": low,
        "high": high,
        "difference": values.mean() - base_values.mean(),
        "difference_low": low_difference,
        "difference_high": high_difference,
    }


def swap_scores(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """Score against the repaired labels and against those of DEAM's file.

    Parameters
    ----------
    corpus, frames, levels
        As for :func:`song_scores`.

    Returns
    -------
    tuple of one DataFrame
        R2 as there, with a level "scored_on" before the dimension.
    """
    labels = corpus.labels.droplevel("time")
    sides = {"repaired": labels, "as in the file": as_in_file(labels, corpus.songs["year"])}
    rows = {
        (*label, side, dimension): row
        for side, known in sides.items()
        for (*label, dimension), row in intervals(known, frames).items()
    }
    return (framed(rows, [*levels[:-1], "scored_on", "dimension"]),)


def whole_song_systems(
    systems: Iterable[str],
    *,
    features: str,
    songs: str,
    seeds: int,
    protocols: Iterable[str] = ("CV", "test"),
) -> list[tuple[tuple, dict]]:
    """Labels and units of systems x protocols x seeds."""
    units = product(system=systems, songs=[songs], protocol=protocols, seed=range(seeds))
    return [((u["system"], features, "raw", u["protocol"], u["seed"]), u) for u in units]


PAPERS = ("SVM", "PCA-SVM", "PCA-SVM, unscaled", "TNN-SVM")
OTHERS = ("constant", "SVM on ranks", "ridge", "extra trees", "Gaussian process")
VARIANTS = ("TNN-SVM, at random", "TNN-SVM, semi-hard", "TNN-SVM, joint")
VARIANTS += ("TNN-SVM, four of 4", "TNN-SVM, 600")
LEVELS = ("system", "features", "output", "protocol", "seed")
REDUCED = ("TNN-SVM", "PCA-SVM", "PCA-SVM, unscaled")
TRAINED_ON = {False: "repaired", True: "as in the file"}

STUDIES = {
    "songs_mini": Study(
        predict_songs,
        whole_song_systems(PAPERS + OTHERS, features="functionals", songs="all", seeds=1),
        LEVELS,
        song_scores,
        ("songs_mini.csv", "songs_mini_intervals.csv"),
        mini_songs,
        cheapest=("ridge", "functionals", "raw", "test"),
    ),
    "songs_2013": Study(
        predict_songs,
        whole_song_systems(
            PAPERS + OTHERS + VARIANTS, features="167", songs="2013", seeds=3, protocols=["CV"]
        ),
        LEVELS,
        song_scores,
        ("songs_2013.csv", "songs_2013_intervals.csv"),
        deam_songs,
        cheapest=("ridge", "167", "raw", "CV"),
    ),
    "songs_1744": Study(
        predict_songs,
        whole_song_systems((*OTHERS, "TNN-SVM"), features="167", songs="all", seeds=1),
        LEVELS,
        song_scores,
        ("songs_1744.csv", "songs_1744_intervals.csv"),
        deam_songs,
        cheapest=("ridge", "167", "raw", "test"),
    ),
    "songs_dimensions": Study(
        predict_songs,
        labelled(
            ("system", "dimensions", "seed"),
            system=REDUCED,
            songs=["2013"],
            protocol=["CV"],
            seed=[0],
            dimensions=[2, 4, 8, SMALL, 64, 128],
        ),
        ("system", "dimensions", "seed"),
        song_scores,
        ("songs_dimensions.csv", "songs_dimensions_intervals.csv"),
        deam_songs,
        cheapest=("PCA-SVM", 2),
    ),
    "songs_swapped": Study(
        predict_songs,
        [
            ((unit["system"], unit["songs"], TRAINED_ON[unit["swapped"]], unit["seed"]), unit)
            for unit in product(
                system=["ridge", "TNN-SVM"],
                songs=["2013", "all"],
                protocol=["CV"],
                seed=[0],
                swapped=[False, True],
            )
        ],
        ("system", "songs", "trained_on", "seed"),
        swap_scores,
        ("songs_swapped.csv",),
        deam_songs,
        cheapest=("ridge", "2013"),
    ),
}
"""All but the first are of DEAM, real."""

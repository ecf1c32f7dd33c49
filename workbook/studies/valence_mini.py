"""Why valence fails, on the embedded corpus, SYNTHETIC: the causes are planted one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from mer_core.agreement import cronbach_alpha, rater_statistics
from mer_core.corpus import Corpus
from mer_core.datasets.deam.annotations import read_curves
from mer_core.datasets.deam.feature_files import read_features
from mer_core.datasets.deam.read import MINI
from mer_core.evaluation import k_folds
from mer_core.features.sets import choose
from mer_core.metrics import DIMENSIONS, METRICS, score
from mer_core.smoothing import moving_average
from workbook.raters import LABEL_START, STEP, Raters, recolour, relabel
from workbook.studies.study import Study, labelled, product
from workbook.studies.valence import as_they_are
from workbook.studies.valence_systems import (
    BASE,
    CONTEXTUAL,
    SYSTEMS,
    Problem,
    answer,
    with_context,
)
from workbook.valence import arousal_split, domain_auc, standing

PALETTES = ("development", "test")
CORRELATIONS = (-0.2, 0.0, 0.2, 0.4, 0.6, 0.8)
PATHS = "the path itself"
"""Labels without raters."""
CREWS: dict[str, Raters | None] = {
    PATHS: None,
    "as in development": Raters(noise=(0.065, 0.065)),
    "as in the test set": Raters(
        noise=(0.15, 0.14), noise_spread=0.8, noise_time=20.0, ignoring=(0.1, 0.03)
    ),
    "half ignore valence": Raters(
        noise=(0.15, 0.14), noise_spread=0.8, noise_time=20.0, ignoring=(0.5, 0.03)
    ),
    "nine in ten ignore valence": Raters(
        noise=(0.15, 0.14), noise_spread=0.8, noise_time=20.0, ignoring=(0.9, 0.03)
    ),
}
"""Raters of the test songs; second and third are those of the corpus (data/compose/paths.py)."""
MINI_PENALTY = 1000.0
MINI_SYSTEMS = (BASE, "SVR", CONTEXTUAL, "decorrelating weights")


def rate_worlds(corpus: Corpus, *, palettes: str, system: str, seed: int) -> pd.DataFrame:
    """Test songs of mini in every world: their palettes, their raters, their correlation.

    Parameters
    ----------
    corpus : Corpus
        mini.
    palettes : {"development", "test"}
        Which instruments and mixes play the test songs, note for note the same.
    system : str
        A name of `SYSTEMS`, trained on the development songs as they are.
    seed : int
        Of the raters.

    Returns
    -------
    DataFrame
        Index (raters, correlation, statistic), column value: scores of valence and arousal pooled
        and per song, the split of valence's r by arousal, and what can be seen without predictions:
        r(valence, arousal) over song means, mean alpha of valence.

    References
    ----------
    Worlds A to D of the data card. Notebook 09.
    """
    dev, test, heard = mini_sides(corpus, palettes, context=system == CONTEXTUAL)
    problem = Problem(dev.features.loc[dev.labels.index], dev.labels, heard, MINI_PENALTY, seed)
    predicted = answer(system, problem)
    paths = composed(test)
    rows = {}
    for crew, raters in CREWS.items():
        for correlation in CORRELATIONS:
            ratings = rated(paths, raters, correlation, seed)
            labels = as_track([song.mean(axis=0) for song in ratings], test.labels)
            found = world_statistics(labels, predicted, ratings)
            rows |= {(crew, f"{correlation:g}", k): v for k, v in found.items()}
    return _values(rows, ["raters", "correlation", "statistic"])


def mini_sides(
    corpus: Corpus, palettes: str, *, context: bool = False
) -> tuple[Corpus, Corpus, pd.DataFrame]:
    """Development songs, test songs, and the latter's features as palettes play them."""
    corpus = replace(corpus, features=choose(corpus.features, ("compare",)))
    test = corpus.split("test")
    heard = test.features
    if palettes == "development":
        again = read_features(MINI / "features_development_palette", test.songs.index)
        heard = choose(again, ("compare",))
    dev = corpus.split("dev")
    if context:
        dev, heard = replace(dev, features=with_context(dev.features)), with_context(heard)
    return dev, test, heard


def composed(test: Corpus) -> list[np.ndarray]:
    """What the songs of mini were composed to express [each (steps, 2), from 0 s on]."""
    latent = pd.DataFrame({d: read_curves(MINI / "latent" / f"{d}.csv") for d in DIMENSIONS})
    return [latent.loc[song_id].to_numpy() for song_id in test.songs.index]


def rated(
    paths: list[np.ndarray], raters: Raters | None, correlation: float, seed: int
) -> list[np.ndarray]:
    """Ratings of songs heard with a correlation over song means [each (raters, frames, 2)].

    Without raters the path stands for a single one who makes no error.
    """
    if raters is None:
        start = int(LABEL_START / STEP)
        return [path[None, start:] for path in recolour(paths, correlation)]
    return relabel(paths, raters, seed, correlation=correlation)


def as_track(songs: list[np.ndarray], like: pd.DataFrame) -> pd.DataFrame:
    """Labels [each (frames, 2)] as a track with the rows of another one."""
    lengths = like.groupby(level="song_id").size()
    cut = [song[:length] for song, length in zip(songs, lengths)]
    return pd.DataFrame(np.concatenate(cut), like.index, DIMENSIONS)


def world_statistics(
    labels: pd.DataFrame, predicted: pd.DataFrame, ratings: list[np.ndarray]
) -> dict[str, float]:
    """See :func:`rate_worlds`."""
    table, predicted = score(labels, predicted), predicted.loc[labels.index]
    found = {
        f"{dimension}, {aggregation}, {metric}": table.loc[(dimension, aggregation), metric]
        for dimension in DIMENSIONS
        for aggregation in ("pooled", "mean")
        for metric in METRICS
    }
    split = arousal_split(predicted["valence"], labels["valence"], labels["arousal"])
    found |= {f"valence, pooled, {k}": v for k, v in split.items() if k != "r"}
    means = labels.groupby(level="song_id").mean()
    found["r(valence, arousal)"] = means.corr().iloc[0, 1]
    found["alpha of valence"] = mean_alpha(ratings)
    return {name: float(value) for name, value in found.items()}


def mean_alpha(ratings: list[np.ndarray]) -> float:
    """Mean over songs of the alpha of valence; 1 for labels without raters."""
    if ratings[0].shape[0] == 1:
        return 1.0
    return float(np.mean([cronbach_alpha(song[:, :, 0].T) for song in ratings]))


KEPT = ("valence, pooled, pearson", "valence, pooled, r2", "valence, mean, pearson")
KEPT += ("valence, pooled, through_arousal", "valence, pooled, beyond_arousal")
KEPT += ("arousal, pooled, pearson", "r(valence, arousal)", "alpha of valence")


def world_table(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """The statistics `KEPT` of :func:`rate_worlds`, a row for each world and seed."""
    wide = {k: frame["value"].unstack("statistic")[[*KEPT]] for k, frame in frames.items()}
    return (pd.concat(wide, names=levels).rename_axis(columns=None),)


def _values(rows: Mapping[tuple, float], names: list[str]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(rows, names=names)
    return pd.DataFrame({"value": list(rows.values())}, index)


# Are the planted causes found?

EXCERPT = 45.0
DRAWS = 99
"""Samples of development songs that show what is usual."""
CAUSES = {"correlation": "lower", "raters": "lower", "palettes": "higher"}
"""What can be at fault, and whether its measure is then lower or higher than usual: r of valence
and arousal over song means; mean alpha of valence; AUC of telling the songs from the others."""
LEVEL = 0.05 / len(CAUSES)
"""Tail probability from which a cause counts as found: one false alarm in twenty worlds."""
FAULTS = {
    "correlation": (0.6, -0.1),
    "raters": ("as in development", "half ignore valence"),
    "palettes": PALETTES,
}
"""Each cause's harmless and harmful state."""


def find_causes(corpus: Corpus, *, seed: int) -> pd.DataFrame:
    """Look for planted causes without knowing them, in eight worlds.

    Each measure of the test songs is held against the same measure of as many development songs,
    drawn at random.

    Parameters
    ----------
    corpus : Corpus
        mini.
    seed : int
        Of the raters and of the drawing.

    Returns
    -------
    DataFrame
        Index (correlation, raters, palettes, cause): value, median, low, high, lower, higher as of
        :func:`workbook.valence.standing`; planted and found, 0 or 1.

    References
    ----------
    Notebook 09.
    """
    dev, test, _ = mini_sides(corpus, "test")
    usual = usual_measures(dev, len(test.songs), seed)
    played = {name: excerpt_means(mini_sides(corpus, name)[2]) for name in PALETTES}
    before, paths = excerpt_means(dev.features), composed(test)
    auc = {k: domain_auc(before, heard, folds=4, seed=seed) for k, heard in played.items()}
    rows = {}
    for world in product(**FAULTS):
        correlation, crew, palettes = (world[cause] for cause in CAUSES)
        ratings = rated(paths, CREWS[crew], correlation, seed)
        means = np.array([song.mean(axis=(0, 1)) for song in ratings])
        own = dict(zip(CAUSES, (np.corrcoef(means.T)[0, 1], mean_alpha(ratings), auc[palettes])))
        for cause, side in CAUSES.items():
            row = standing(own[cause], usual[cause])
            planted = float(world[cause] == FAULTS[cause][1])
            found = float(row[side] < LEVEL)
            label = (f"{correlation:g}", crew, palettes, cause)
            rows[label] = row | {"planted": planted, "found": found}
    names = ["correlation", "raters", "palettes", "cause"]
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(names)


def usual_measures(dev: Corpus, songs: int, seed: int) -> pd.DataFrame:
    """The measures of `CAUSES` of random development songs: one row a draw."""
    means, features = dev.labels.groupby(level="song_id").mean(), excerpt_means(dev.features)
    alpha = rater_statistics(dev.ratings)["alpha"].xs("valence", level="dimension")
    rng, rows = np.random.default_rng(seed), []
    for number in range(DRAWS):
        some = pd.Index(rng.choice(means.index, songs, replace=False))
        apart = (features.drop(some), features.loc[some])
        rows.append(
            {
                "correlation": means.loc[some].corr().iloc[0, 1],
                "raters": alpha.loc[some].mean(),
                "palettes": domain_auc(*apart, folds=4, seed=number),
            }
        )
    return pd.DataFrame(rows)


def excerpt_means(features: pd.DataFrame) -> pd.DataFrame:
    """Each song's mean features over its first 45 s: development songs are no longer than that."""
    early = features[features.index.get_level_values("time") < EXCERPT]
    return early.groupby(level="song_id").mean()


# Remedies


def predict_remedy(corpus: Corpus, *, system: str, protocol: str, seed: int) -> pd.DataFrame:
    """Predict mini's development songs in ten folds, or its test songs, by a remedy.

    Parameters
    ----------
    corpus : Corpus
        mini.
    system : str
        A name of `SYSTEMS`.
    protocol : {"CV", "test", "test, development palettes"}
    seed : int
        Of folds and system.

    Returns
    -------
    DataFrame
        A track with the columns valence, arousal.

    References
    ----------
    Notebook 09.
    """
    palettes = "development" if "palettes" in protocol else "test"
    dev, _, heard = mini_sides(corpus, palettes, context=system == CONTEXTUAL)
    if protocol != "CV":
        sides = [(dev, heard)]
    else:
        folds = k_folds(dev.songs.index, k=10, seed=seed)
        sides = [(dev.select(fold.train), dev.select(fold.test).features) for fold in folds]
    parts = []
    for train, asked in sides:
        seen = train.features.loc[train.labels.index]
        parts.append(answer(system, Problem(seen, train.labels, asked, MINI_PENALTY, seed)))
    return pd.concat(parts).sort_index()


def remedy_scores(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """Scores of :func:`predict_remedy`, raw and smoothed, and the split of valence's pooled r."""
    rows = {}
    for label, raw in frames.items():
        labels = corpus.select(raw.index.unique("song_id")).labels
        for output, track in {"raw": raw, "smoothed": moving_average(raw)}.items():
            table = score(labels, track)[[*METRICS]]
            for key, row in table[table.index.get_level_values(1) != "sd"].iterrows():
                rows |= {(*label, output, *key, name): value for name, value in row.items()}
            predicted = track.loc[labels.index, "valence"]
            split = arousal_split(predicted, labels["valence"], labels["arousal"])
            split.pop("r")
            rows |= {(*label, output, "valence", "pooled", k): float(v) for k, v in split.items()}
    names = [*levels, "output", "dimension", "aggregation", "statistic"]
    return (_values(rows, names),)


SEEDS = range(5)
PROTOCOLS = ("CV", "test", "test, development palettes")
STUDIES = {
    "valence_worlds": Study(
        rate_worlds,
        labelled(
            ("palettes", "system", "seed"), palettes=PALETTES, system=MINI_SYSTEMS, seed=SEEDS
        ),
        ("palettes", "system", "seed"),
        world_table,
        ("valence_worlds.csv",),
        cheapest=("development", "ridge", 0),
    ),
    "valence_causes": Study(
        find_causes,
        labelled(("seed",), seed=SEEDS),
        ("seed",),
        as_they_are,
        ("valence_causes.csv",),
        cheapest=(0,),
    ),
    "valence_remedies": Study(
        predict_remedy,
        labelled(
            ("system", "protocol", "seed"),
            system=[name for name in SYSTEMS if name != "ridge and SVR"],
            protocol=PROTOCOLS,
            seed=[0],
        ),
        ("system", "protocol", "seed"),
        remedy_scores,
        ("valence_remedies.csv",),
        cheapest=("ridge", "test", 0),
    ),
}
"""On the embedded corpus, SYNTHETIC."""

"""Why valence fails, on the embedded corpus, SYNTHETIC: planted causes. Notebook 09."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from mer_core.agreement import cronbach_alpha
from mer_core.corpus import Corpus
from mer_core.datasets.deam.annotations import read_curves
from mer_core.datasets.deam.feature_files import read_features
from mer_core.datasets.deam.read import MINI
from mer_core.features.sets import choose
from mer_core.folds import Fold, k_folds
from mer_core.metrics import DIMENSIONS, METRICS, score
from mer_core.smoothing import moving_average
from workbook.raters import LABEL_START, STEP, Raters, recolour, relabel
from workbook.studies.study import Frames, Levels, Tables, framed, study_of
from workbook.studies.valence_systems import BASE, CONTEXTUAL, SYSTEMS, predict_folds, with_context
from workbook.valence import arousal_split

PALETTES = ("development", "test")
CORRELATIONS = (-0.2, 0.0, 0.2, 0.4, 0.6, 0.8)
UNSTEADY = {"noise": (0.15, 0.14), "noise_spread": 0.8, "noise_time": 20.0}
CREWS: dict[str, Raters | None] = {
    "the path itself": None,
    "as in development": Raters(noise=(0.065, 0.065)),
    "as in the test set": Raters(**UNSTEADY, ignoring=(0.1, 0.03)),
    "half ignore valence": Raters(**UNSTEADY, ignoring=(0.5, 0.03)),
    "nine in ten ignore valence": Raters(**UNSTEADY, ignoring=(0.9, 0.03)),
}
"""Raters of the test songs; second and third are those of the corpus (data/compose/paths.py)."""
MINI_PENALTY = 1000.0
CURES = ("decorrelating weights", "valence freed from arousal", "standardised per collection")


def rate_worlds(corpus: Corpus, *, palettes: str, system: str, seed: int) -> pd.DataFrame:
    """Test songs of mini in every world: their palettes, their raters, their correlation.

    `palettes` are the instruments and mixes that play the test songs; the seed is that of the
    raters. Index (raters, correlation), columns of :func:`world_statistics`. Worlds A to D of the
    data card.
    """
    protocol = {"test": "test", "development": "test, development palettes"}[palettes]
    predicted = predict_remedy(corpus, system=system, protocol=protocol, seed=seed)
    test = corpus.split("test")
    paths, rows = composed(test), {}
    for name, raters in CREWS.items():
        for correlation in CORRELATIONS:
            ratings = rated(paths, raters, correlation, seed)
            labels = as_track([song.mean(axis=0) for song in ratings], test.labels)
            rows[name, f"{correlation:g}"] = world_statistics(labels, predicted, ratings)
    return framed(rows, ["raters", "correlation"])


def mini_sides(
    corpus: Corpus, palettes: str, *, context: bool = False
) -> tuple[Corpus, Corpus, pd.DataFrame]:
    """Development songs, test songs, and the latter's features as palettes play them."""
    corpus = replace(corpus, features=choose(corpus.features, ("compare",)))
    dev, test = corpus.split("dev"), corpus.split("test")
    test_features = test.features
    if palettes == "development":
        test_features = read_features(MINI / "features_development_palette", test.songs.index)
        test_features = choose(test_features, ("compare",))
    if context:
        dev = replace(dev, features=with_context(dev.features))
        test_features = with_context(test_features)
    return dev, test, test_features


def composed(test: Corpus) -> list[np.ndarray]:
    """What the songs of mini were composed to express [each (steps, 2), from 0 s on]."""
    latent = pd.DataFrame({d: read_curves(MINI / "latent" / f"{d}.csv") for d in DIMENSIONS})
    return [latent.loc[song_id].to_numpy() for song_id in test.songs.index]


def rated(
    paths: list[np.ndarray], raters: Raters | None, correlation: float, seed: int
) -> list[np.ndarray]:
    """Ratings of songs with a correlation over song means [each (raters, frames, 2)].

    Without raters the path is the rating of a single one who makes no error.
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
    """Scores, the split of valence's r, and two statistics that need no predictions.

    These are r(valence, arousal) over song means and the mean alpha of valence.
    """
    table, predicted = score(labels, predicted), predicted.loc[labels.index]
    split = arousal_split(predicted["valence"], labels["valence"], labels["arousal"])
    found = {
        "valence, pooled, pearson": table.loc[("valence", "pooled"), "pearson"],
        "valence, pooled, r2": table.loc[("valence", "pooled"), "r2"],
        "valence, mean, pearson": table.loc[("valence", "mean"), "pearson"],
        "valence, pooled, through_arousal": split["through_arousal"],
        "valence, pooled, beyond_arousal": split["beyond_arousal"],
        "arousal, pooled, pearson": table.loc[("arousal", "pooled"), "pearson"],
        "r(valence, arousal)": labels.groupby(level="song_id").mean().corr().iloc[0, 1],
        "alpha of valence": mean_alpha(ratings),
    }
    return {name: float(value) for name, value in found.items()}


def mean_alpha(ratings: list[np.ndarray]) -> float:
    """Mean over songs of the alpha of valence; 1 for labels without raters."""
    if ratings[0].shape[0] == 1:
        return 1.0
    return float(np.mean([cronbach_alpha(song[:, :, 0].T) for song in ratings]))


# Remedies


def predict_remedy(corpus: Corpus, *, system: str, protocol: str, seed: int) -> pd.DataFrame:
    """Predict mini's development songs in ten folds ("CV"), or its test songs, by a system.

    The other protocols are "test" and "test, development palettes".
    """
    palettes = "development" if "palettes" in protocol else "test"
    dev, test, test_features = mini_sides(corpus, palettes, context=system == CONTEXTUAL)
    songs = dev.songs.index
    whole = [Fold(songs, test.songs.index)]
    folds = k_folds(songs, k=10, seed=seed) if protocol == "CV" else whole
    features = pd.concat([dev.features, test_features])
    return predict_folds(system, features, dev.labels, folds, penalty=MINI_PENALTY, seed=seed)


def remedy_scores(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of :func:`predict_remedy`, raw and smoothed, and the split of valence's pooled r."""
    rows = {}
    for label, raw in frames.items():
        labels = corpus.select(raw.index.unique("song_id")).labels
        for output, track in {"raw": raw, "smoothed": moving_average(raw)}.items():
            found = score(labels, track)[[*METRICS]].drop("sd", level="aggregation").stack()
            predicted = track.loc[labels.index, "valence"]
            split = arousal_split(predicted, labels["valence"], labels["arousal"])
            split.pop("r")
            values = found.to_dict() | {("valence", "pooled", k): v for k, v in split.items()}
            rows |= {(*label, output, *key): {"value": float(v)} for key, v in values.items()}
    names = [*levels, "output", "dimension", "aggregation", "statistic"]
    return (framed(rows, names),)


STUDIES = {
    "valence_worlds": study_of(
        rate_worlds,
        ("palettes", "system", "seed"),
        ("development", "ridge", 0),
        palettes=PALETTES,
        system=(BASE, "SVR", CONTEXTUAL, *CURES),
        seed=range(5),
    ),
    "valence_remedies": study_of(
        predict_remedy,
        ("system", "protocol", "seed"),
        ("ridge", "test", 0),
        tabulate=remedy_scores,
        system=[name for name in SYSTEMS if name != "ridge and SVR"],
        protocol=("CV", "test", "test, development palettes"),
        seed=[0],
    ),
}
"""On the embedded corpus, SYNTHETIC."""

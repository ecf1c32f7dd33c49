"""Linear systems for valence and the remedies that are said to help it, of songs or frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from mer_core.folds import k_folds
from mer_core.metrics import DIMENSIONS
from workbook.valence import tilt

PENALTIES = np.logspace(1, 4, 7)
"""Ridge penalties from which leaving out each training song chooses."""
BAGS = 10
CONTEXT = 20
"""Frames over which trailing means are taken: 10 s."""
SHRINKAGE = 1.0
"""What CORAL adds to the variances of features of unit variance."""


class Problem(NamedTuple):
    """What a system learns from and what it is asked."""

    features: pd.DataFrame
    """A track of the training songs, of labelled rows only."""
    labels: pd.DataFrame
    """Their labels."""
    heard: pd.DataFrame
    """A track of the songs that are to be predicted. A system that learns from it is
    transductive: it needs the songs, not their labels, before it answers."""
    penalty: float | None
    """Of the ridge; None: chosen by leaving out each row, which are songs then."""
    seed: int


def ridge(problem: Problem, weights: np.ndarray | None = None) -> np.ndarray:
    """Ridge regression on features that are standardised on the training songs."""
    x, heard = _standardised(problem)
    return _ridge(problem, x, problem.labels[DIMENSIONS].to_numpy(), weights).predict(heard)


def constant(problem: Problem) -> np.ndarray:
    """The mean of the training labels."""
    return np.tile(problem.labels[DIMENSIONS].mean(), (len(problem.heard), 1))


def arousal_only(problem: Problem) -> np.ndarray:
    """Predict arousal, and from it valence, by the line through the training labels."""
    predicted = ridge(problem)
    slope, start = np.polyfit(problem.labels["arousal"], problem.labels["valence"], 1)
    return np.column_stack([start + slope * predicted[:, 1], predicted[:, 1]])


def decorrelated(problem: Problem) -> np.ndarray:
    """Ridge on training songs that are weighted until valence and arousal do not correlate."""
    return ridge(problem, song_weights(problem.labels, 0.0))


def residual(problem: Problem) -> np.ndarray:
    """Learn only what arousal leaves of valence, and answer its mean plus that."""
    slope, start = np.polyfit(problem.labels["arousal"], problem.labels["valence"], 1)
    left = problem.labels["valence"] - start - slope * problem.labels["arousal"]
    predicted = ridge(problem._replace(labels=problem.labels.assign(valence=left)))
    predicted[:, 0] += problem.labels["valence"].mean()
    return predicted


def concordant(problem: Problem) -> np.ndarray:
    """Ridge, stretched to the highest CCC.

    Of all stretched and shifted copies of a prediction, the one with the labels' mean and spread
    has the highest CCC; r stays what it was. So for a linear model the CCC loss is a stretch, here
    learned on predictions of left-out training songs.
    """
    songs = problem.labels.index.unique("song_id")
    left_out = np.empty((len(problem.labels), 2))
    song = problem.labels.index.get_level_values("song_id")
    for fold in k_folds(songs, k=5, seed=problem.seed):
        out = song.isin(fold.test)
        part = problem._replace(features=problem.features[~out], labels=problem.labels[~out])
        left_out[out] = ridge(part._replace(heard=problem.features[out]))
    y = problem.labels[DIMENSIONS].to_numpy()
    stretch = y.std(axis=0) / left_out.std(axis=0)
    return y.mean(axis=0) + stretch * (ridge(problem) - left_out.mean(axis=0))


def standardised_apart(problem: Problem) -> np.ndarray:
    """Ridge on features that are standardised in each collection by itself: transductive."""
    return ridge(problem._replace(features=_apart(problem.features), heard=_apart(problem.heard)))


def coral(problem: Problem) -> np.ndarray:
    """Ridge on training features with the heard songs' covariances, CORAL: transductive.

    Sun, Feng and Saenko (2016): whiten the source, colour it as the target. Means are aligned too.
    """
    x, heard = _apart(problem.features), _standardised(problem)[1]
    heard = heard - heard.mean(axis=0)
    moved = x.to_numpy() @ _root(x.to_numpy(), -0.5) @ _root(heard, 0.5)
    fitted = _ridge(problem, moved, problem.labels[DIMENSIONS].to_numpy(), None)
    return fitted.predict(heard)


def bagged(problem: Problem) -> np.ndarray:
    """The mean of ridge regressions on bootstrap samples of the training songs."""
    song = problem.labels.index.get_level_values("song_id")
    rng = np.random.default_rng(problem.seed)
    names = song.unique()
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), BAGS)
    counts = pd.DataFrame(drawn.T, names)
    return np.mean([ridge(problem, counts[k].loc[song].to_numpy(float)) for k in counts], axis=0)


def machine(problem: Problem, weights: np.ndarray | None = None) -> np.ndarray:
    """A support vector machine with a Gaussian kernel for each dimension; of frames, every sixth.

    Its settings are fixed (C 1, kernel width 1 / 300 a feature of unit variance, tube 0.2 standard
    deviations), for speed.
    """
    x, heard = _standardised(problem)
    rows = problem.labels.groupby(level="song_id").cumcount().to_numpy() % 6 == 0
    weights = None if weights is None else weights[rows]
    y = problem.labels[DIMENSIONS].to_numpy()[rows]
    centre, spread = y.mean(axis=0), y.std(axis=0)
    predictions = [
        SVR(C=1.0, gamma=1 / 300, epsilon=0.2).fit(x[rows], column, weights).predict(heard)
        for column in ((y - centre) / spread).T
    ]
    return centre + spread * np.column_stack(predictions)


def decorrelated_machine(problem: Problem) -> np.ndarray:
    """The support vector machine with the weights of `decorrelated`."""
    return machine(problem, song_weights(problem.labels, 0.0))


def both(problem: Problem) -> np.ndarray:
    """The mean of ridge and support vector machine."""
    return (ridge(problem) + machine(problem)) / 2


def with_context(features: pd.DataFrame) -> pd.DataFrame:
    """Features and, beside them, their means over the last 10 s of the song."""
    trailing = features.groupby(level="song_id").rolling(CONTEXT, min_periods=1).mean()
    return features.join(trailing.droplevel(0).add_prefix("trailing_"))


def song_weights(labels: pd.DataFrame, correlation: float) -> np.ndarray:
    """A weight for each row, that of its song from :func:`workbook.valence.tilt`."""
    weights = tilt(labels.groupby(level="song_id")[DIMENSIONS].mean(), correlation)
    return weights.loc[labels.index.get_level_values("song_id")].to_numpy()


def _standardised(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    scaler = StandardScaler().fit(problem.features.to_numpy())
    heard = problem.heard[list(problem.features)]
    return scaler.transform(problem.features.to_numpy()), scaler.transform(heard.to_numpy())


def _ridge(
    problem: Problem, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None
) -> Ridge | RidgeCV:
    if problem.penalty is None:
        return RidgeCV(PENALTIES, alpha_per_target=True).fit(x, y, weights)
    return Ridge(problem.penalty).fit(x, y, weights)


def _apart(features: pd.DataFrame) -> pd.DataFrame:
    return (features - features.mean()) / features.std(ddof=0).clip(lower=1e-9)


def _root(x: np.ndarray, power: float) -> np.ndarray:
    """A power of the covariance of x, with `SHRINKAGE` added to the variances."""
    values, vectors = np.linalg.eigh(np.cov(x.T) + SHRINKAGE * np.eye(x.shape[1]))
    return vectors * values**power @ vectors.T


BASE = "ridge"
"""What differences are against."""
CONTEXTUAL = "ridge, 10 s of context"
SYSTEMS: dict[str, Callable[[Problem], np.ndarray]] = {
    "constant": constant,
    BASE: ridge,
    "arousal only": arousal_only,
    "decorrelating weights": decorrelated,
    "valence freed from arousal": residual,
    "CCC": concordant,
    "standardised per collection": standardised_apart,
    "CORAL": coral,
    "bagged ridge": bagged,
    "SVR": machine,
    "SVR, decorrelating weights": decorrelated_machine,
    "ridge and SVR": both,
    CONTEXTUAL: ridge,
}
"""By the names that tables have. The last is for frames that come `with_context`."""
TRANSDUCTIVE = ("standardised per collection", "CORAL")
"""Systems that need the heard songs' features before they learn."""


def answer(system: str, problem: Problem) -> pd.DataFrame:
    """What a system of `SYSTEMS` predicts of the heard songs."""
    values = SYSTEMS[system](problem)
    return pd.DataFrame(values, problem.heard.index, DIMENSIONS)

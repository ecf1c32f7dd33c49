"""Linear systems for valence and the remedies proposed for it, of songs or frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from mer_core.folds import Fold, k_folds
from mer_core.metrics import DIMENSIONS
from workbook.valence import tilt

PENALTIES = np.logspace(1, 4, 7)
"""Ridge penalties, of which leave-one-out validation chooses one."""
BAGS = 10
CONTEXT = 20
"""Frames over which trailing means are taken: 10 s."""
SHRINKAGE = 1.0
"""What CORAL adds to the variances of features of unit variance."""


class Problem(NamedTuple):
    """Training data of a system, and the features that it predicts from."""

    features: pd.DataFrame
    """A track of the training songs, of labelled rows only."""
    labels: pd.DataFrame
    """Their labels."""
    test_features: pd.DataFrame
    """A track of the songs to be predicted. A transductive system also learns from it."""
    penalty: float | None
    """Of the ridge; None chooses by leaving out each row, where rows are songs."""
    seed: int


def ridge(problem: Problem, weights: np.ndarray | None = None) -> np.ndarray:
    """Ridge regression on features that are standardised on the training songs."""
    return _ridge(problem, *_standardised(problem), weights)


def constant(problem: Problem) -> np.ndarray:
    """The mean of the training labels."""
    return np.tile(problem.labels[DIMENSIONS].mean(), (len(problem.test_features), 1))


def arousal_only(problem: Problem) -> np.ndarray:
    """Predict arousal, and from it valence, by the line through the training labels."""
    predicted = ridge(problem)
    slope, start = np.polyfit(problem.labels["arousal"], problem.labels["valence"], 1)
    return np.column_stack([start + slope * predicted[:, 1], predicted[:, 1]])


def decorrelated(problem: Problem, system: Callable = ridge) -> np.ndarray:
    """Train on songs that are weighted until valence and arousal do not correlate."""
    return system(problem, song_weights(problem.labels, 0.0))


def residual(problem: Problem) -> np.ndarray:
    """Learn only the part of valence that arousal does not explain; add the mean of valence."""
    slope, start = np.polyfit(problem.labels["arousal"], problem.labels["valence"], 1)
    left = problem.labels["valence"] - start - slope * problem.labels["arousal"]
    predicted = ridge(problem._replace(labels=problem.labels.assign(valence=left)))
    predicted[:, 0] += problem.labels["valence"].mean()
    return predicted


def concordant(problem: Problem) -> np.ndarray:
    """Ridge, stretched to the highest CCC, as learned on predictions of left-out training songs.

    Of all stretched and shifted copies of a prediction, the one with the labels' mean and spread
    has the highest CCC; r does not change.
    """
    folds = k_folds(problem.labels.index.unique("song_id"), k=5, seed=problem.seed)
    options = {"penalty": problem.penalty, "seed": problem.seed}
    left_out = predict_folds("ridge", problem.features, problem.labels, folds, **options)
    y = problem.labels[DIMENSIONS].to_numpy()
    left_out = left_out.loc[problem.labels.index].to_numpy()
    stretch = y.std(axis=0) / left_out.std(axis=0)
    return y.mean(axis=0) + stretch * (ridge(problem) - left_out.mean(axis=0))


def standardised_apart(problem: Problem) -> np.ndarray:
    """Ridge on features that are standardised in each collection by itself: transductive."""
    apart = (_apart(problem.features), _apart(problem.test_features))
    return ridge(problem._replace(features=apart[0], test_features=apart[1]))


def coral(problem: Problem) -> np.ndarray:
    """Ridge on training features with the means and covariances of the test features: transductive.

    CORAL (Sun, Feng and Saenko, 2016): whiten the source, colour it as the target.
    """
    x, test = _apart(problem.features).to_numpy(), _standardised(problem)[1]
    test = test - test.mean(axis=0)
    return _ridge(problem, x @ _root(x, -0.5) @ _root(test, 0.5), test)


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

    Its settings are fixed, for speed: C 1, kernel width 1 / 300, tube 0.2 standard deviations.
    """
    x, test = _standardised(problem)
    rows = problem.labels.groupby(level="song_id").cumcount().to_numpy() % 6 == 0
    weights = None if weights is None else weights[rows]
    y = problem.labels[DIMENSIONS].to_numpy()[rows]
    centre, spread = y.mean(axis=0), y.std(axis=0)
    predictions = [
        SVR(C=1.0, gamma=1 / 300, epsilon=0.2).fit(x[rows], column, weights).predict(test)
        for column in ((y - centre) / spread).T
    ]
    return centre + spread * np.column_stack(predictions)


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
    test = problem.test_features[list(problem.features)]
    return scaler.transform(problem.features.to_numpy()), scaler.transform(test.to_numpy())


def _ridge(
    problem: Problem, x: np.ndarray, test: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    chosen = problem.penalty is None
    model = RidgeCV(PENALTIES, alpha_per_target=True) if chosen else Ridge(problem.penalty)
    return model.fit(x, problem.labels[DIMENSIONS].to_numpy(), weights).predict(test)


def _apart(features: pd.DataFrame) -> pd.DataFrame:
    return (features - features.mean()) / features.std(ddof=0).clip(lower=1e-9)


def _root(x: np.ndarray, power: float) -> np.ndarray:
    """A power of the covariance of x, with `SHRINKAGE` added to the variances."""
    values, vectors = np.linalg.eigh(np.cov(x.T) + SHRINKAGE * np.eye(x.shape[1]))
    return vectors * values**power @ vectors.T


BASE = "ridge"
"""What differences are against."""
CONTEXTUAL = "ridge, 10 s of context"
SYSTEMS: dict[str, Callable[..., np.ndarray]] = {
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
    "SVR, decorrelating weights": lambda problem: decorrelated(problem, machine),
    "ridge and SVR": lambda problem: (ridge(problem) + machine(problem)) / 2,
    CONTEXTUAL: ridge,
}
"""By the names that tables have. The last is for frames that come `with_context`."""


def answer(system: str, problem: Problem, *weights: np.ndarray) -> pd.DataFrame:
    """The predictions of a system of `SYSTEMS`; ridge and SVR take weights of the rows."""
    values = SYSTEMS[system](problem, *weights)
    return pd.DataFrame(values, problem.test_features.index, DIMENSIONS)


def predict_folds(
    system: str,
    features: pd.DataFrame,
    labels: pd.DataFrame,
    folds: Iterable[Fold],
    *,
    penalty: float | None = None,
    correlation: float | None = None,
    seed: int,
) -> pd.DataFrame:
    """Predict the test songs of each fold by a system that is trained on the fold's other songs.

    With a correlation, the training songs are weighted to it; see `song_weights`.
    """
    parts = []
    for train, test in folds:
        known = of_songs(labels, train)
        weights = [] if correlation is None else [song_weights(known, correlation)]
        test_features = of_songs(features, test)
        problem = Problem(features.loc[known.index], known, test_features, penalty, seed)
        parts.append(answer(system, problem, *weights))
    return pd.concat(parts).sort_index()


def of_songs(track: pd.DataFrame, song_ids: pd.Index) -> pd.DataFrame:
    """The rows of some songs."""
    return track[track.index.isin(song_ids, level="song_id")]

"""Pellegrini and Barriere (2015), IRIT: the Elman network, a second network, preprocessing."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA, KernelPCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mer_core.folds import k_folds
from mer_core.models.base import BatchModel
from mer_core.models.network import Network
from mer_core.models.recurrent import RecurrentRegressor, rows_of, songs_of
from mer_core.smoothing import moving_average
from mer_core.tracks import DIMENSIONS, as_track, check_covered
from mer_core.training import (
    Job,
    checked,
)

PREPROCESSING = ("pca", "kernel pca", "denoising autoencoder")
"""The variants that IRIT tried."""


@dataclass(kw_only=True)
class ElmanRNN(RecurrentRegressor):
    """IRIT's network: one hidden layer with feedback, tanh, trained one song at a time.

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer.
    output : {"linear", "softmax"}
        The paper says softmax, which ties valence + arousal to 1 at every moment and can't follow
        labels; linear is what works.
    learning_rate, momentum : float
        The paper does not say how much momentum.
    l1, l2 : float
        Weights of the sums of absolute and of squared weights.
    epochs : int
        Times through all songs. The paper calls the fixed number early stopping.
    clip : float
        Standardised inputs are cut at plus and minus this.
    seed : int
        Of first weights and order of songs.

    References
    ----------
    Pellegrini and Barriere (2015), section 2. Notebook 03.
    """

    cell = "elman"
    standardise_targets = False

    hidden: tuple[int, ...] = (10,)
    output: str = "linear"
    learning_rate: float = 5e-3
    momentum: float = 0.9
    l1: float = 3e-4
    l2: float = 3e-3
    epochs: int = 50
    clip: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.output not in ("linear", "softmax"):
            raise ValueError(f"output: expected 'linear' or 'softmax', found {self.output!r}")
        self.hidden = tuple(self.hidden)

    @classmethod
    def paper(cls) -> Self:
        """Learning rate 1e-3, L1 and L2 of 1e-2, 50 epochs, no clipping."""
        return cls(learning_rate=1e-3, l1=1e-2, l2=1e-2, clip=float("inf"))

    def _make_network(self, inputs: int, seeds: Sequence[int]) -> Network:
        softmax = self.output == "softmax"
        options = {"seeds": seeds, "softmax": softmax}
        return Network(self.cell, inputs, self.hidden, len(DIMENSIONS), **options)


@dataclass(kw_only=True)
class SecondNetwork(BatchModel):
    """IRIT's "rnn2": a second network fed with the first one's smoothed predictions.

    Parameters
    ----------
    first, second : RecurrentRegressor
        Elman networks by default.
    window : int
        Of the moving average between the two, in frames.
    out_of_fold : bool
        Whether the second network is trained on predictions of songs that the first did not see
        (in five folds);
        else on predictions of the first one's own training songs, which look better than any
        that it will meet later.
    seed : int
        Of the inner folds, and of both networks.

    References
    ----------
    Pellegrini and Barriere (2015), section 2, last paragraph on post-processing. Notebook 03.
    """

    first: RecurrentRegressor = field(default_factory=ElmanRNN)
    second: RecurrentRegressor = field(default_factory=ElmanRNN)
    window: int = 13
    out_of_fold: bool = True
    seed: int = 0

    @classmethod
    def paper(cls) -> Self:
        """Two networks in the paper's setting; the second learns from in-sample predictions.

        The paper does not say which predictions the second one learned from.
        """
        return cls(first=ElmanRNN.paper(), second=ElmanRNN.paper(), out_of_fold=False)

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job: all first networks together, then all second ones."""
        seeds = [self.seed if job.seed is None else job.seed for job in jobs]
        jobs = [job._replace(seed=seed) for job, seed in zip(checked(jobs), seeds)]
        firsts = self.first.fit_many(jobs)
        predictions = self._out_of_fold(jobs) if self.out_of_fold else self._in_sample(jobs, firsts)
        seconds = [
            job._replace(features=moving_average(track, self.window), unlabelled=None)
            for job, track in zip(jobs, predictions)
        ]
        fitted = self.second.fit_many(seconds)
        return [self._with(first_=first, second_=second) for first, second in zip(firsts, fitted)]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row; see :meth:`mer_core.models.RecurrentRegressor.predict`."""
        return self.second_.predict(moving_average(self.first_.predict(features), self.window))

    def _in_sample(self, jobs: Sequence[Job], firsts: Sequence[RecurrentRegressor]) -> list:
        return [
            first.predict(rows_of(job.features, songs_of(job))) for job, first in zip(jobs, firsts)
        ]

    def _out_of_fold(self, jobs: Sequence[Job]) -> list[pd.DataFrame]:
        folds = [
            k_folds(songs_of(job), k=min(5, len(songs_of(job))), seed=job.seed) for job in jobs
        ]
        inner = [job._replace(train=fold.train) for job, some in zip(jobs, folds) for fold in some]
        models, predictions = iter(self.first.fit_many(inner)), []
        for job, some in zip(jobs, folds):
            parts = [next(models).predict(rows_of(job.features, fold.test)) for fold in some]
            predictions.append(pd.concat(parts).sort_index())
        return predictions


@dataclass(kw_only=True)
class Preprocessed(BatchModel):
    """A model on fewer, derived features, learned from the training songs' labelled frames.

    Parameters
    ----------
    network : RecurrentRegressor
        What is fitted to the derived features.
    by : {"pca", "kernel pca", "denoising autoencoder"}
        "kernel pca" has a Gaussian kernel and learns from every
        eighth frame, since its cost grows with the square of their number.
    components : int
        Number of derived features.
    seed : int
        Of the autoencoder, and of the PCA, which is randomised where it is much faster.

    References
    ----------
    Pellegrini and Barriere (2015), section 2, second paragraph. Notebook 03.
    """

    network: RecurrentRegressor
    by: str = "pca"
    components: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        if self.by not in PREPROCESSING:
            known = ", ".join(PREPROCESSING)
            raise ValueError(f"by: expected one of {known}, found {self.by!r}")

    def _make_transformer(self) -> TransformerMixin:
        return {
            "pca": PCA(self.components, whiten=True, random_state=self.seed),
            "kernel pca": _KernelPCA(self.components),
            "denoising autoencoder": _DenoisingAutoencoder(self.components, seed=self.seed),
        }[self.by]

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job: each has its own derived features."""
        pipelines, columns, derived = [], [], []
        for job in checked(jobs):
            labels = rows_of(job.labels, songs_of(job))
            check_covered(labels, job.features)
            pipeline = make_pipeline(StandardScaler(), self._make_transformer())
            pipelines.append(pipeline.fit(job.features.loc[labels.index].to_numpy()))
            columns.append(list(job.features))
            songs = {*songs_of(job), *(job.validation if job.validation is not None else ())}
            derived.append(
                job._replace(features=_transformed(pipeline, rows_of(job.features, songs)))
            )
        fitted = self.network.fit_many(derived)
        return [
            self._with(pipeline_=p, columns_=names, network_=m)
            for p, names, m in zip(pipelines, columns, fitted)
        ]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""
        features = as_track(features, "features", columns=self.columns_)
        return self.network_.predict(_transformed(self.pipeline_, features))


def _transformed(pipeline: TransformerMixin, features: pd.DataFrame) -> pd.DataFrame:
    values = pipeline.transform(features.to_numpy())
    return pd.DataFrame(values, features.index).add_prefix("component_")


class _KernelPCA(TransformerMixin, BaseEstimator):
    def __init__(self, components: int) -> None:
        self.components = components

    def fit(self, x: np.ndarray, y: object = None) -> Self:
        self.kernel_ = KernelPCA(self.components, kernel="rbf").fit(x[::8])
        self.scale_ = self.kernel_.transform(x[::8]).std(0)
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        return self.kernel_.transform(x) / self.scale_


class _DenoisingAutoencoder(TransformerMixin, BaseEstimator):
    """Hidden layer of a perceptron that takes noisy frames and gives them back clean."""

    def __init__(self, components: int, *, seed: int) -> None:
        self.components, self.seed = components, seed

    def fit(self, x: np.ndarray, y: object = None) -> Self:
        noisy = x + np.random.default_rng(self.seed).normal(0, 0.5, x.shape)
        options = {"activation": "tanh", "max_iter": 15, "random_state": self.seed}
        options |= {"early_stopping": True, "learning_rate_init": 1e-3}
        perceptron = MLPRegressor(hidden_layer_sizes=(self.components,), **options)
        with warnings.catch_warnings():
            # The number of rounds is meant: the hidden layer is wanted, not the last digit.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.perceptron_ = perceptron.fit(noisy, x)
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        return np.tanh(x @ self.perceptron_.coefs_[0] + self.perceptron_.intercepts_[0])

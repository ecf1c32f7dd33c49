"""Pellegrini and Barriere (2015), IRIT: the Elman network, a second network, preprocessing."""

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
from mer_core.models.base import check_choice
from mer_core.models.network import Network
from mer_core.models.recurrent import BatchModel, RecurrentRegressor
from mer_core.smoothing import moving_average
from mer_core.tracks import DIMENSIONS, as_track, rows_of
from mer_core.training import Job


@dataclass(kw_only=True)
class ElmanRNN(RecurrentRegressor):
    """IRIT's network: one hidden layer with feedback, tanh, trained one song at a time.

    Further settings are those of :class:`mer_core.models.recurrent.RecurrentRegressor`. The paper
    calls its fixed number of epochs early stopping, and does not give its momentum.
    Source: Pellegrini and Barriere (2015), section 2; notebook 03.

    Parameters
    ----------
    output : {"linear", "softmax"}
        The paper says softmax, which ties valence + arousal to 1 at every moment and can't follow
        labels; linear is what works.
    l1, l2 : float
        Weights of the sums of absolute and of squared weights in the cost.
    """

    cell = "elman"
    standardise_targets = False

    hidden: tuple[int, ...] = (10,)
    learning_rate: float = 5e-3
    epochs: int = 50
    output: str = "linear"
    l1: float = 3e-4
    l2: float = 3e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("output", self.output, ("linear", "softmax"))

    @classmethod
    def paper(cls) -> Self:
        """Learning rate 1e-3, L1 and L2 of 1e-2, 50 epochs, no clipping."""
        return cls(learning_rate=1e-3, l1=1e-2, l2=1e-2, clip=float("inf"))

    def _make_network(self, inputs: int, seeds: Sequence[int]) -> Network:
        options = {"seeds": seeds, "softmax": self.output == "softmax"}
        return Network(self.cell, inputs, self.hidden, len(DIMENSIONS), **options)


@dataclass(kw_only=True)
class SecondNetwork(BatchModel):
    """IRIT's "rnn2": a second network whose inputs are the first one's smoothed predictions.

    Source: Pellegrini and Barriere (2015), section 2, on post-processing; notebook 03.

    Parameters
    ----------
    first, second : RecurrentRegressor
        Elman networks by default.
    window : int
        Frames of the moving average between the two.
    out_of_fold : bool
        Whether the second network is trained on predictions of songs that the first did not see
        (in five folds); else on predictions of the first one's own training songs, which are
        better than its predictions of new songs.
    seed : int
        Of the inner folds, and of both networks.
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
        jobs = [job.with_seed(self.seed) for job in jobs]
        firsts = self.first.fit_many(jobs)
        if self.out_of_fold:
            predictions = self._predict_out_of_fold(jobs)
        else:
            inputs = [rows_of(job.data.features, job.songs) for job in jobs]
            predictions = [first.predict(x) for first, x in zip(firsts, inputs)]
        smooth = (moving_average(track, self.window) for track in predictions)
        seconds = [job.with_features(track) for job, track in zip(jobs, smooth)]
        fitted = zip(firsts, self.second.fit_many(seconds))
        return [self._with(first_=first, second_=second) for first, second in fitted]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""
        return self.second_.predict(moving_average(self.first_.predict(features), self.window))

    def _predict_out_of_fold(self, jobs: Sequence[Job]) -> list[pd.DataFrame]:
        folds = [k_folds(job.songs, k=min(5, len(job.songs)), seed=job.seed) for job in jobs]
        inner = [job._replace(train=fold.train) for job, some in zip(jobs, folds) for fold in some]
        models, predictions = iter(self.first.fit_many(inner)), []
        for job, some in zip(jobs, folds):
            parts = [next(models).predict(rows_of(job.data.features, fold.test)) for fold in some]
            predictions.append(pd.concat(parts).sort_index())
        return predictions


@dataclass(kw_only=True)
class Preprocessed(BatchModel):
    """A model on fewer, derived features, learned from the training songs' labelled frames.

    Source: Pellegrini and Barriere (2015), section 2, second paragraph; notebook 03.

    Parameters
    ----------
    network : RecurrentRegressor
    by : {"pca", "kernel pca", "denoising autoencoder"}
        "kernel pca" has a Gaussian kernel and learns from every eighth frame, since its cost grows
        with the square of their number.
    components : int
        Number of derived features.
    seed : int
        Of the autoencoder, and of a randomised PCA.
    """

    network: RecurrentRegressor
    by: str = "pca"
    components: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("by", self.by, ("pca", "kernel pca", "denoising autoencoder"))

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job: each has its own derived features."""
        fitted, derived = [self._fit_pipeline(job) for job in jobs], []
        for model, job in zip(fitted, jobs):
            more = job.data.unlabelled
            more = None if more is None else model._derive(more)
            derived.append(job.with_features(model._derive(job.features), more))
        pairs = zip(fitted, self.network.fit_many(derived))
        return [model._with(network_=network) for model, network in pairs]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""
        features = as_track(features, "features", columns=self.columns_)
        return self.network_.predict(self._derive(features))

    def _fit_pipeline(self, job: Job) -> Self:
        features, labels = job.data.select(job.songs)
        transformer = {
            "pca": PCA(self.components, whiten=True, random_state=self.seed),
            "kernel pca": _KernelPCA(self.components),
            "denoising autoencoder": _DenoisingAutoencoder(self.components, seed=self.seed),
        }[self.by]
        pipeline = make_pipeline(StandardScaler(), transformer)
        pipeline.fit(features.loc[labels.index].to_numpy())
        return self._with(pipeline_=pipeline, columns_=list(features))

    def _derive(self, features: pd.DataFrame) -> pd.DataFrame:
        values = self.pipeline_.transform(features.to_numpy())
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
    """The hidden layer of a perceptron that learns to reconstruct clean frames from noisy ones."""

    def __init__(self, components: int, *, seed: int) -> None:
        self.components, self.seed = components, seed

    def fit(self, x: np.ndarray, y: object = None) -> Self:
        noisy = x + np.random.default_rng(self.seed).normal(0, 0.5, x.shape)
        options = {"activation": "tanh", "max_iter": 15, "random_state": self.seed}
        options |= {"early_stopping": True, "learning_rate_init": 1e-3}
        perceptron = MLPRegressor(hidden_layer_sizes=(self.components,), **options)
        with warnings.catch_warnings():
            # 15 rounds are enough: only the hidden layer is used.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.perceptron_ = perceptron.fit(noisy, x)
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        return np.tanh(x @ self.perceptron_.coefs_[0] + self.perceptron_.intercepts_[0])

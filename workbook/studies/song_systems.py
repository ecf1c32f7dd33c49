"""Systems for whole songs: the three of Herremans et al. (2019) and their competitors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from mer_core.evaluation import Regressor
from mer_core.models import Constant, TripletNetwork
from mer_core.models.baselines import FrameRegressor
from mer_core.models.triplet import by_rank


class UnitSpread(TransformerMixin, BaseEstimator):
    """Divide all features by one number, so that their variances add up to one."""

    def fit(self, x: np.ndarray, y: object = None) -> Self:
        """Measure the variances."""
        self.spread_ = np.sqrt(np.var(x, axis=0).sum())
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Divide."""
        return x / self.spread_


class GaussianProcess(RegressorMixin, BaseEstimator):
    """A Gaussian process that learns all songs, its kernel from at most `most` of them.

    Fitting the kernel takes the cube of their number; `seed` chooses them.
    """

    def __init__(self, *, most: int = 400, seed: int = 0) -> None:
        self.most = most
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        """Fit a Gaussian kernel and noise by marginal likelihood, then condition on every song."""
        some = np.random.default_rng(self.seed).permutation(len(x))[: self.most]
        kernel = ConstantKernel(1.0) * RBF(1.0) + WhiteKernel(0.5)
        fitted = GaussianProcessRegressor(kernel, normalize_y=True).fit(x[some], y[some])
        self.process_ = GaussianProcessRegressor(fitted.kernel_, optimizer=None, normalize_y=True)
        self.process_.fit(x, y)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The posterior mean."""
        return self.process_.predict(x)


def machine(*before: TransformerMixin) -> FrameRegressor:
    """A support vector machine for each label; C and kernel width tuned on training songs."""
    scaled = TransformedTargetRegressor(SVR(epsilon=0.2), transformer=StandardScaler())
    grid = {"regressor__C": [1, 3], "regressor__gamma": [0.05, 0.15, 0.5]}
    tuned = GridSearchCV(scaled, grid, cv=KFold(5, shuffle=True, random_state=0))
    return FrameRegressor(make_pipeline(*before, UnitSpread(), MultiOutputRegressor(tuned)))


def ridge() -> FrameRegressor:
    """Ridge regression, its penalty chosen for each label by leaving out each training song."""
    linear = RidgeCV(np.logspace(1, 5, 17), alpha_per_target=True)
    return FrameRegressor(make_pipeline(by_rank(), linear))


def trees(seed: int) -> FrameRegressor:
    """Extremely randomised trees."""
    options = {"min_samples_leaf": 2, "max_features": 0.3, "random_state": seed}
    return FrameRegressor(ExtraTreesRegressor(300, **options))


def process(seed: int) -> FrameRegressor:
    """A Gaussian process for each label."""
    each = MultiOutputRegressor(GaussianProcess(seed=seed))
    return FrameRegressor(make_pipeline(by_rank(), UnitSpread(), each))


@dataclass
class Committee:
    """Regressors that are fitted to the same songs and whose predictions are averaged."""

    members: Sequence[Regressor]

    def fit(self, features: pd.DataFrame, labels: pd.DataFrame) -> Self:
        """Fit every member."""
        for member in self.members:
            member.fit(features, labels)
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """The mean of the members' predictions."""
        return sum(member.predict(features) for member in self.members) / len(self.members)


def _pca(*before: TransformerMixin) -> Callable[[int, int], Regressor]:
    return lambda dimensions, seed: machine(*before, PCA(dimensions, random_state=seed))


def _triplets(**options: object) -> Callable[[int, int], Regressor]:
    return lambda dimensions, seed: TripletNetwork(dimensions=dimensions, seed=seed, **options)


def _four_of_4(dimensions: int, seed: int) -> Committee:
    return Committee([TripletNetwork(dimensions=4, seed=4 * seed + k) for k in range(4)])


SYSTEMS: dict[str, Callable[[int, int], Regressor]] = {
    "constant": lambda dimensions, seed: Constant(),
    "SVM": lambda dimensions, seed: machine(StandardScaler()),
    "SVM on ranks": lambda dimensions, seed: machine(by_rank()),
    "PCA-SVM": _pca(StandardScaler()),
    "PCA-SVM, unscaled": _pca(),
    "TNN-SVM": _triplets(),
    "TNN-SVM, semi-hard": _triplets(strategy="semi-hard"),
    "TNN-SVM, at random": _triplets(strategy="paper"),
    "TNN-SVM, four of 4": _four_of_4,
    "TNN-SVM, 600": lambda dimensions, seed: TripletNetwork.paper(seed=seed),
    "TNN-SVM, joint": _triplets(joint=True),
    "ridge": lambda dimensions, seed: ridge(),
    "extra trees": lambda dimensions, seed: trees(seed),
    "Gaussian process": lambda dimensions, seed: process(seed),
}
"""By the names that tables have, from dimensions and seed."""

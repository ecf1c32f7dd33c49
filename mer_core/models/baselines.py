"""Baselines: the constant, the linear model and the support vector machine."""

from dataclasses import dataclass, field
from typing import Self

import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR as SupportVectorRegressor

from mer_core.models.base import check_fitted
from mer_core.tracks import DIMENSIONS, as_rows, check_covered


class Framewise:
    """A scikit-learn regressor that predicts each half second by itself.

    A subclass is a dataclass of settings that defines :meth:`make_estimator`. With a field `every`
    it is trained on every n-th labelled frame of a song: neighbouring frames share half of their
    window, so little is lost where an estimator is slow in the number of frames.
    """

    every = 1

    def make_estimator(self) -> BaseEstimator:
        """The regressor that is fitted to (frames, features) and (frames, 2)."""
        raise NotImplementedError

    def fit(
        self,
        features: pd.DataFrame,
        labels: pd.DataFrame,
        *,
        validation: object = None,
        unlabelled: pd.DataFrame | None = None,
    ) -> Self:
        """Fit to the labelled frames; `validation` and `unlabelled` are not used.

        Features and labels (valence, arousal in [-1, 1]) are tracks, or have a row for each song;
        features without a label are not used. A DataError is raised if a label has no features, a
        number is not finite, or a row or column is repeated.
        """
        features = as_rows(features, "features")
        labels = as_rows(labels, "labels", columns=DIMENSIONS, ordered=self.every > 1)
        check_covered(labels, features)
        frames = labels[labels.groupby(level="song_id").cumcount() % self.every == 0]
        self.columns_ = list(features)
        self.fitted_ = self.make_estimator()
        self.fitted_.fit(features.loc[frames.index].to_numpy(), frames[DIMENSIONS].to_numpy())
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row: the same rows, columns valence, arousal.

        Raises a ValueError if the model is not fitted, a column is missing, or as in :meth:`fit`.
        """
        check_fitted(self, "fitted_")
        features = as_rows(features, "features", columns=self.columns_)
        values = self.fitted_.predict(features.to_numpy())
        return pd.DataFrame(values, index=features.index, columns=DIMENSIONS)


@dataclass
class FrameRegressor(Framewise):
    """Any scikit-learn regressor; a copy of it is fitted."""

    estimator: BaseEstimator
    every: int = field(default=1, kw_only=True)

    def make_estimator(self) -> BaseEstimator:
        """An unfitted copy."""
        return clone(self.estimator)


@dataclass(kw_only=True)
class Constant(Framewise):
    """Predict the mean of the training labels; hard to beat in valence on DEAM's 58 test songs."""

    def make_estimator(self) -> BaseEstimator:
        """The mean."""
        return DummyRegressor()

    @classmethod
    def paper(cls) -> Self:
        """The only setting there is."""
        return cls()


@dataclass(kw_only=True)
class Linear(Framewise):
    """Linear regression on standardised features, with a ridge penalty.

    Source: Hoerl and Kennard (1970); Pellegrini and Barriere (2015), table 1, "lr". Notebook 02.

    Parameters
    ----------
    ridge : float
        Weight of the sum of squared weights, at features of unit variance; 0 is least squares.
        Of 0, 10, 30, ..., 3000, 1000 had the lowest mean RMSE in ten folds of the embedded corpus.
    """

    ridge: float = 1000.0

    def make_estimator(self) -> BaseEstimator:
        """Standardisation and a linear model."""
        linear = Ridge(alpha=self.ridge) if self.ridge else LinearRegression()
        return make_pipeline(StandardScaler(), linear)

    @classmethod
    def paper(cls) -> Self:
        """Least squares without a penalty, as IRIT's and the organisers'."""
        return cls(ridge=0.0)


@dataclass(kw_only=True)
class SVR(Framewise):
    """Support vector regression with a Gaussian kernel, separate for valence and arousal.

    Source: Smola and Schoelkopf (2004). Row "SVR" of Li et al. (2016), table 3. Notebook 02.

    Parameters
    ----------
    C, epsilon : float
        Weight of errors, and half width of the tube without errors in standard deviations of the
        training labels.
    gamma : float
        Width of the kernel, exp(-gamma * squared distance), at features of unit variance. C and
        gamma were chosen by r in ten folds of the embedded corpus.
    every : int
        Train on every n-th labelled frame of a song.
    """

    C: float = 1.0
    epsilon: float = 0.2
    gamma: float = 0.001
    every: int = 6

    def make_estimator(self) -> BaseEstimator:
        """Standardisation, and a support vector regression for each standardised label."""
        svr = SupportVectorRegressor(C=self.C, epsilon=self.epsilon, gamma=self.gamma)
        scaled = TransformedTargetRegressor(svr, transformer=StandardScaler())
        return make_pipeline(StandardScaler(), MultiOutputRegressor(scaled))

    @classmethod
    def paper(cls) -> Self:
        """Every frame. Li et al. (2016) cite the SVR's figures without its settings."""
        return cls(every=1)

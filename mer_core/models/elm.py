"""The extreme learning machine of Li et al. (2016): a random hidden layer and least squares."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import linalg
from scipy.linalg.lapack import dpocon, dpotrf, dpotrs
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mer_core.models.baselines import Framewise

WELL_CONDITIONED = 1e-9
"""Below this reciprocal condition of H'H the normal equations would cost digits."""

WEIGHT_SD = 2.0
"""Of a unit's input, when the inputs have unit variance: of 1, 2, 3, 4 and 6 the best for songs of
mini that were left out, at 100 and at 500 units. With less, tanh is nearly a line and the units of
H nearly alike."""


@dataclass(kw_only=True)
class ELM(Framewise):
    """Extreme learning machine on standardised features, each frame by itself.

    H = tanh(X W + b) with random W and b that are never trained; the output weights are the
    pseudo-inverse of H times the targets. Source: Huang, Zhu and Siew (2006); Li et al. (2016),
    section 2.2; notebook 05.

    Parameters
    ----------
    units, seed : int
        Of the hidden layer. The paper does not say how many units it had.
    ridge : float
        Weight of the sum of squared output weights; 0 is the paper's Moore-Penrose inverse.
    """

    units: int = 100
    ridge: float = 0.0
    seed: int = 0

    def make_estimator(self) -> BaseEstimator:
        """Standardisation and a random layer, for arrays."""
        layer = RandomLayer(units=self.units, ridge=self.ridge, seed=self.seed)
        return make_pipeline(StandardScaler(), layer)

    @classmethod
    def paper(cls) -> Self:
        """No ridge; the paper gives no other setting."""
        return cls(ridge=0.0)


class RandomLayer(RegressorMixin, BaseEstimator):
    """The machine itself, a scikit-learn estimator for arrays; settings as for :class:`ELM`.

    `weights_` (inputs, units) and `biases_` (units,) are drawn from normal distributions, weights
    with the standard deviation :data:`WEIGHT_SD` / sqrt(inputs), biases with 1; `outputs_` (units,
    targets) are the output weights.
    """

    def __init__(self, *, units: int = 100, ridge: float = 0.0, seed: int = 0) -> None:
        self.units, self.ridge, self.seed = units, ridge, seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        """Draw the hidden layer, solve for the output weights; x and y have a row for each frame.

        x has about unit variance, so that tanh is neither a line nor a step.
        """
        rng, inputs = np.random.default_rng(self.seed), x.shape[1]
        self.weights_ = rng.normal(size=(inputs, self.units)) * WEIGHT_SD / np.sqrt(inputs)
        self.biases_ = rng.normal(size=self.units)
        self.outputs_ = least_squares(self.hidden(x), y, ridge=self.ridge)
        return self

    def hidden(self, x: np.ndarray) -> np.ndarray:
        """H, shape (frames, units), each in [-1, 1]."""
        h = x @ self.weights_
        h += self.biases_
        return np.tanh(h, out=h)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """H times the output weights."""
        return self.hidden(x) @ self.outputs_


def least_squares(h: np.ndarray, y: np.ndarray, *, ridge: float = 0.0) -> np.ndarray:
    """The shortest weights w (columns, targets) that minimise |h w - y|^2 + ridge |w|^2.

    Without a ridge: the Moore-Penrose inverse of h (rows, columns), times y (rows, targets). The
    normal equations give the same, many times as fast; where h is too ill-conditioned for them,
    singular values are used (Huang, Zhu and Siew 2006, section 3; notebook 05).

    >>> h = np.array([[1.0, 1.0], [1.0, 1.0]])
    >>> least_squares(h, np.array([[1.0], [3.0]])).round(6).tolist()
    [[1.0], [1.0]]
    """
    gram = h.T @ h
    gram.flat[:: len(gram) + 1] += ridge
    factor = _cholesky(gram)
    if factor is not None:
        return dpotrs(factor, h.T @ y, lower=1)[0]
    if ridge:  # as further rows, which ask for weights of 0
        h = np.vstack([h, np.sqrt(ridge) * np.eye(len(gram))])
        y = np.vstack([y, np.zeros((len(gram), y.shape[1]))])
    # SciPy's own limit is so low that a repeated column gets weights of 1e13.
    return linalg.lstsq(h, y, cond=max(h.shape) * np.finfo(float).eps)[0]


def nested(h: np.ndarray, y: np.ndarray, sizes: Iterable[int]) -> dict[int, np.ndarray]:
    """Weights as of :func:`least_squares` for the first n columns of h, by n, fast.

    The Cholesky factor L of H'H holds that of every smaller machine in its corner, and solving
    L z = H'y from above gives their z as well: each needs only one more triangular solution
    (Golub and Van Loan, "Matrix Computations", section 4.2).

    >>> h, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[3.0], [4.0]])
    >>> {n: weights.ravel().tolist() for n, weights in nested(h, y, [1, 2]).items()}
    {1: [3.0], 2: [3.0, 2.0]}
    """
    factor = _cholesky(h.T @ h)
    if factor is None:
        return {n: least_squares(h[:, :n], y) for n in sizes}
    z = linalg.solve_triangular(factor, h.T @ y, lower=True)
    return {n: linalg.solve_triangular(factor[:n, :n].T, z[:n]) for n in sizes}


def _cholesky(gram: np.ndarray) -> np.ndarray | None:
    """The lower Cholesky factor; None if there is none or the matrix is ill-conditioned."""
    factor, failed = dpotrf(gram, lower=1)
    if failed or dpocon(factor, np.abs(gram).sum(0).max(), uplo="L")[0] <= WELL_CONDITIONED:
        return None
    return factor

"""Triplet networks for regression: a space in which songs of similar emotion are near each other.

The label of a positive is within a range of the anchor's, that of a negative outside a wider one.
Source: Schroff, Kalenichenko, Philbin (2015), sections 3.1 (with squared distances) and 3.2;
Herremans, Cheuk, Luo, Agres (2019), "Static emotion prediction". Notebook 06.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_selection import VarianceThreshold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVR as SupportVectors
from torch import Tensor, nn

from mer_core.models.base import check_choice, check_fitted
from mer_core.tracks import DIMENSIONS, as_array, as_table, check_covered

QUANTILES = 50


def triplet_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0
) -> Tensor:
    """Mean over triplets of max(0, d(anchor, positive) - d(anchor, negative) + margin).

    d is the Euclidean distance in the learned space; the tensors have the shape (triplets,
    dimensions). A ValueError is raised if there are no triplets, the three shapes differ, or a
    number is not finite.

    Examples
    --------
    >>> at = torch.tensor([[0.0], [1.0], [3.0]])
    >>> triplet_loss(at[[1]], at[[2]], at[[0]]).item()
    2.0
    """
    shapes = [tuple(part.shape) for part in (anchor, positive, negative)]
    if len(set(shapes)) > 1 or len(shapes[0]) != 2 or not shapes[0][0]:
        raise ValueError(f"triplets: expected three tensors of one or more rows, found {shapes}")
    nearer = torch.linalg.vector_norm(anchor - positive, dim=1)
    farther = torch.linalg.vector_norm(anchor - negative, dim=1)
    loss = torch.relu(nearer - farther + margin).mean()
    if not loss.isfinite():
        raise ValueError(f"loss: expected a finite number, found {loss.item()}")
    return loss


def mine(
    labels: ArrayLike,
    *,
    positive: float,
    negative: float,
    strategy: str = "paper",
    embedded: ArrayLike | None = None,
    margin: float = 1.0,
    seed: int | np.random.Generator = 0,
) -> np.ndarray:
    """Draw one triplet for each song that can be an anchor: rows of (anchor, positive, negative).

    Parameters
    ----------
    labels : array_like, shape (songs,) or (songs, labels)
        Distances of several labels are Euclidean.
    positive, negative : float
        In label units: a positive differs from the anchor by at most `positive`, a negative by
        more than `negative`, which is not less.
    strategy : {"paper", "semi-hard", "weighted"}
        "paper": positives and negatives at random. "weighted": negatives in proportion to the
        distance of their labels. "semi-hard": negatives that are farther from the anchor than the
        positive, but by less than the margin; an anchor without any has no triplet.
    embedded : array_like, shape (songs, dimensions), optional
        The songs' points in the learned space; for "semi-hard" only, as `margin`.

    Raises
    ------
    ValueError
        If the ranges overlap, a label is not finite, the strategy is unknown, or "semi-hard" lacks
        the points.

    Examples
    --------
    >>> mine([0.0, 0.05, 0.9], positive=0.1, negative=0.3).tolist()
    [[0, 1, 2], [1, 0, 2]]
    """
    _check_mining(positive, negative, strategy, embedded)
    rng, apart = np.random.default_rng(seed), _distances(labels, "labels")
    alike = (apart <= positive) & ~np.eye(len(apart), dtype=bool)
    unlike = apart > negative
    anchors = np.flatnonzero(alike.any(axis=1) & unlike.any(axis=1))
    positives = _draw(alike[anchors], rng)
    weights = unlike[anchors] * (apart[anchors] if strategy == "weighted" else 1.0)
    if strategy == "semi-hard":
        away = _distances(embedded, "embedded")
        if away.shape != apart.shape:
            raise ValueError(f"embedded: expected {len(apart)} songs as labels, found {len(away)}")
        away = away[anchors]
        beyond = away - np.take_along_axis(away, positives[:, None], axis=1)
        weights = weights * ((beyond > 0) & (beyond < margin))
    some = weights.any(axis=1)
    return np.column_stack([anchors[some], positives[some], _draw(weights[some], rng)])


def _check_mining(positive: float, negative: float, strategy: str, embedded: object) -> None:
    if not 0 <= positive <= negative:
        found = f"positive={positive!r}, negative={negative!r}"
        raise ValueError(f"ranges: expected 0 <= positive <= negative, found {found}")
    check_choice("strategy", strategy, ("paper", "semi-hard", "weighted"))
    if strategy == "semi-hard" and embedded is None:
        raise ValueError("embedded: expected the songs' points for 'semi-hard', found None")


def _distances(points: ArrayLike, name: str) -> np.ndarray:
    """Euclidean distances between all rows, shape (songs, songs)."""
    points = as_array(points, name, ndim=(1, 2))
    if not len(points):
        return np.empty((0, 0))
    if points.ndim == 1:
        return np.abs(points[:, None] - points)
    squares = (points**2).sum(axis=1)
    return np.sqrt(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0))


def _draw(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A column for each row, drawn in proportion to the weights."""
    if not len(weights):
        return np.empty(0, dtype=int)
    sums = np.cumsum(weights, axis=1, dtype=float)
    drawn = rng.random((len(sums), 1)) * sums[:, -1:]
    return (sums > drawn).argmax(axis=1)


@dataclass(kw_only=True)
class TripletNetwork:
    """A learned space for each label and a support vector machine on it, for whole songs.

    Each space has a network: dropout on the inputs, a hidden layer of rectified units, dropout and
    a linear layer. Each step draws a batch of songs and mines triplets in it. Features are first
    brought to normal distributions by their rank among the training songs.

    Parameters
    ----------
    dimensions, hidden : int
        Of each learned space; units.
    strategy, positive, negative, margin
        As for :func:`mine`.
    joint : bool
        Whether valence and arousal share one space, mined by distance on their plane.
    steps, batch, learning_rate
        Updates by Adam, songs in each, and its rate.
    dropout : (float, float)
        Share of inputs and of hidden units that a step leaves out.
    C, epsilon : float
        Of the support vector machine: weight of errors, and half width of the tube without errors
        in standard deviations of the training labels.
    seed : int
        Of weights, batches, triplets and dropout.

    Notes
    -----
    Ranges, widths and steps were chosen by ten folds of DEAM's 1000 songs of 2014, none of which is
    among the 744 of 2013 (stored table "songs_2013"); the ranks, after a look at those 744.
    """

    dimensions: int = 8
    hidden: int = 64
    strategy: str = "weighted"
    positive: float = 0.1
    negative: float = 0.3
    margin: float = 1.0
    joint: bool = False
    steps: int = 200
    batch: int = 256
    learning_rate: float = 3e-3
    dropout: tuple[float, float] = (0.2, 0.5)
    C: float = 0.3
    epsilon: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        _check_mining(self.positive, self.negative, self.strategy, ())
        self.dropout = tuple(self.dropout)

    @classmethod
    def paper(cls, *, seed: int = 0) -> Self:
        """600 dimensions, triplets at random. The paper gives no ranges, layers or steps."""
        return cls(dimensions=600, strategy="paper", seed=seed)

    def fit(
        self,
        features: pd.DataFrame,
        labels: pd.DataFrame,
        *,
        validation: object = None,
        unlabelled: pd.DataFrame | None = None,
    ) -> Self:
        """Learn from labelled songs; a ValueError if data are invalid or give no triplet."""
        for _ in self.fitting(features, labels):
            pass
        return self

    def fitting(self, features: pd.DataFrame, labels: pd.DataFrame) -> Iterator[float]:
        """Fit step by step, so that :meth:`transform` shows what has been learned so far.

        Yields the loss of each step (NaN if its batch had no triplet), one space after the other;
        the machines are fitted after the last one.
        """
        features = as_table(features, "features")
        labels = as_table(labels, "labels", columns=DIMENSIONS, sort=True)
        check_covered(labels, features)
        names = {"joint": DIMENSIONS} if self.joint else {name: name for name in DIMENSIONS}
        for name, columns in names.items():
            self._check_triplets(name, labels[columns].to_numpy())
        features = features.loc[labels.index]
        self.columns_ = list(features)
        self.scaler_ = by_rank(len(features)).fit(features.to_numpy())
        x = self.scaler_.transform(features.to_numpy())
        self.networks_: dict[str, dict[str, Tensor]] = {}
        for name, columns in names.items():
            yield from self._learn(name, x, labels[columns].to_numpy())
        spaces = self._spaces(features)
        self.machines_ = {
            name: self._machine().fit(spaces[name].to_numpy(), labels[name].to_numpy())
            for name in DIMENSIONS
        }

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        """Points of songs in the spaces: columns valence_0, ..., arousal_0, ..., or joint_0, ..."""
        check_fitted(self, "networks_")
        features = as_table(features, "features", columns=self.columns_)
        x = _tensor(self.scaler_.transform(features.to_numpy()))
        spaces = []
        for name, weights in self.networks_.items():
            with torch.device("meta"):  # no memory and no random numbers: weights are there
                network = self._network(x.shape[1])
            network.load_state_dict(weights, assign=True)
            with torch.no_grad():
                space = network.eval()(x).numpy()
            spaces.append(pd.DataFrame(space, features.index).add_prefix(f"{name}_"))
        return pd.concat(spaces, axis=1)

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row: columns valence, arousal."""
        spaces = self._spaces(features)
        values = {name: self.machines_[name].predict(spaces[name].to_numpy()) for name in spaces}
        return pd.DataFrame(values, index=features.index)

    def _spaces(self, features: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Points in the space that each dimension is predicted from."""
        points = self.transform(features)
        names = {name: "joint" if self.joint else name for name in DIMENSIONS}
        return {name: points.filter(like=f"{space}_") for name, space in names.items()}

    def _learn(self, name: str, x: np.ndarray, y: np.ndarray) -> Iterator[float]:
        """Train the network of one space, step by step: mine triplets in a batch, then update."""
        names = ("positive", "negative", "strategy", "margin")
        rng, options = np.random.default_rng(self.seed), {k: getattr(self, k) for k in names}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = self._network(x.shape[1])
            state = torch.random.get_rng_state()
        self.networks_[name] = network.state_dict()  # which follows the training
        optimiser, x = torch.optim.Adam(network.parameters(), lr=self.learning_rate), _tensor(x)
        for _ in range(self.steps):
            chosen = rng.permutation(len(x))[: self.batch]
            with torch.random.fork_rng(devices=[]):  # the caller may draw between two steps
                torch.random.set_rng_state(state)
                embedded = network.train()(x[chosen])
                state = torch.random.get_rng_state()
            triplets = mine(y[chosen], **options, embedded=embedded.detach().numpy(), seed=rng)
            if not len(triplets):
                yield np.nan
                continue
            loss = triplet_loss(*(embedded[part] for part in triplets.T), margin=self.margin)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            yield loss.item()

    def _network(self, inputs: int) -> nn.Module:
        of_inputs, of_hidden = self.dropout
        first, last = nn.Linear(inputs, self.hidden), nn.Linear(self.hidden, self.dimensions)
        return nn.Sequential(nn.Dropout(of_inputs), first, nn.ReLU(), nn.Dropout(of_hidden), last)

    def _check_triplets(self, name: str, labels: np.ndarray) -> None:
        if not len(mine(labels, positive=self.positive, negative=self.negative)):
            ranges = f"within {self.positive:g} and one beyond {self.negative:g} of its label"
            found = f"{len(labels)} songs with labels from {labels.min():g} to {labels.max():g}"
            expected = f"expected a song with another {ranges}"
            raise ValueError(f"{name}: {expected}, found none among {found}")

    def _machine(self) -> TransformedTargetRegressor:
        machine = make_pipeline(StandardScaler(), SupportVectors(C=self.C, epsilon=self.epsilon))
        return TransformedTargetRegressor(machine, transformer=StandardScaler())


def by_rank(songs: int = QUANTILES) -> Pipeline:
    """Bring features to normal distributions by rank; constant features are left out.

    The distribution is measured at 50 points, or at as many as there are training songs.
    """
    options = {"output_distribution": "normal", "subsample": None}
    ranks = QuantileTransformer(n_quantiles=min(QUANTILES, songs), **options)
    return make_pipeline(VarianceThreshold(), ranks)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)

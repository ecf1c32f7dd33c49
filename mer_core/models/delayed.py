"""Delayed, averaged features, since raters react late: a linear model, and networks on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Self

import numpy as np
import pandas as pd
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from mer_core.folds import k_folds
from mer_core.models.base import check_fitted
from mer_core.models.recurrent import BatchModel, RecurrentRegressor
from mer_core.tracks import DIMENSIONS, as_track, check_covered
from mer_core.training import Job

DELAYS = (0, 2, 4, 6, 8, 10, 12)  # Frames: 0 to 6 s
WINDOWS = (1, 7, 13, 21, 41)  # Frames: 0.5 to 20 s
PENALTIES = tuple(float(p) for p in np.logspace(1, 6, 11))
CLIP = 5.0  # Standardised features are cut at plus and minus this, as the networks' inputs are


def delay_features(features: pd.DataFrame, *, delay: int = 0, window: int = 1) -> pd.DataFrame:
    """Replace every row by the mean of `window` rows that end `delay` rows before it.

    Near the start of a song the mean is of the rows that there are, at least the first one. A
    DataError is raised if features are not a track of finite numbers without gaps, a ValueError if
    `delay` is below 0 or `window` below 1. Schubert (2004): ratings follow the music by 1 to 4 s.
    Notebook 02.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5, 1.0]], names=["song_id", "time"])
    >>> track = pd.DataFrame({"tempo": [90.0, 100.0, 120.0]}, index)
    >>> [delay_features(track, **k)["tempo"].tolist() for k in ({"delay": 1}, {"window": 2})]
    [[90.0, 90.0, 100.0], [90.0, 95.0, 110.0]]
    """
    if delay < 0 or window < 1:
        raise ValueError(f"delay, window: expected 0 and 1 or more, found {delay}, {window}")
    features = as_track(features, "features", gapless=True, sort=True)
    means = _means(*_sums(features), slice(None), delay, window)
    return pd.DataFrame(means, features.index, features.columns)


@dataclass(kw_only=True)
class DelayedLinear:
    """Linear regression on delayed, averaged features; all settings are tuned in inner folds.

    Delay, length of the average and ridge penalty are chosen for valence and for arousal by the
    mean squared error over songs that are left out of the training songs: `search_` holds the
    errors, `chosen_` the settings of each dimension.
    Source: Hoerl and Kennard (1970); Schubert (2004) for the delay.

    Parameters
    ----------
    delays, windows : sequence of int
        Frames from which to choose; see :func:`delay_features`. (0,), (1,) is the present frame.
    penalties : sequence of float
        Ridge penalties from which to choose.
    ranks : bool
        Whether each feature is mapped to a normal distribution by its rank among the training
        frames; else it is standardised and cut at plus and minus 5.
    folds, seed : int
        Inner folds of songs, at most as many as there are songs; seed of their division.
    """

    delays: Sequence[int] = DELAYS
    windows: Sequence[int] = WINDOWS
    penalties: Sequence[float] = PENALTIES
    ranks: bool = False
    folds: int = 5
    seed: int = 0

    def fit(
        self,
        features: pd.DataFrame,
        labels: pd.DataFrame,
        *,
        validation: Iterable[int] | None = None,
        unlabelled: pd.DataFrame | None = None,
    ) -> Self:
        """Fit to the labelled frames of at least two songs; see :meth:`mer_core.models.Linear.fit`.

        `validation` and `unlabelled` are not used. DataError also if features have a gap.
        """
        self.fitted_ = {}
        scaled, labels = self._fit_scaler(features, labels)
        self.search_ = self._search(scaled, labels)
        self.chosen_ = {name: self.search_[name].idxmin() for name in DIMENSIONS}
        for name, (delay, window, penalty) in self.chosen_.items():
            x = delay_features(scaled, delay=delay, window=window).loc[labels.index]
            moments = _moments(x.to_numpy(), labels[[name]].to_numpy())
            weights, start = _ridge_path(moments, [penalty])
            self.fitted_[name] = weights[0, :, 0], start[0, 0]
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row of whole songs; see :meth:`mer_core.models.Linear.predict`."""
        check_fitted(self, "fitted_")
        scaled, curves = self._scale(self._checked(features)), {}
        for name, (weights, start) in self.fitted_.items():
            delay, window, _ = map(int, self.chosen_[name])
            curves[name] = delay_features(scaled, delay=delay, window=window) @ weights + start
        return pd.DataFrame(curves)

    def tune(self, features: pd.DataFrame, labels: pd.DataFrame) -> tuple[int, int]:
        """Delay and window, in frames, of the least error of both dimensions together."""
        errors = self._search(*replace(self)._fit_scaler(features, labels))
        relative = (errors / labels[DIMENSIONS].var()).groupby(level=["delay", "window"]).min()
        return relative.sum(axis=1).idxmin()

    def _checked(self, features: pd.DataFrame) -> pd.DataFrame:
        options = {"columns": self.columns_, "gapless": True, "sort": True}
        return as_track(features, "features", **options)

    def _fit_scaler(
        self, features: pd.DataFrame, labels: pd.DataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Scaled features and checked labels of the training songs."""
        self.columns_ = list(features)
        features, labels = self._checked(features), as_track(labels, "labels", columns=DIMENSIONS)
        check_covered(labels, features)
        ranks = QuantileTransformer(output_distribution="normal", random_state=0)
        scaler = ranks if self.ranks else StandardScaler()
        self.scaler_ = scaler.fit(features.loc[labels.index].to_numpy())
        return self._scale(features), labels

    def _scale(self, features: pd.DataFrame) -> pd.DataFrame:
        values = self.scaler_.transform(features.to_numpy())
        if not self.ranks:
            values = values.clip(-CLIP, CLIP)
        return pd.DataFrame(values, features.index, features.columns)

    def _search(self, scaled: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
        songs = labels.index.unique("song_id")
        folds = k_folds(songs, k=min(self.folds, len(songs)), seed=self.seed)
        part_of = {song: number for number, fold in enumerate(folds) for song in fold.test}
        part = labels.index.get_level_values("song_id").map(part_of).to_numpy()
        rows, y = scaled.index.get_indexer(labels.index), labels.to_numpy()
        sums = _sums(scaled)
        errors = {
            pair: _inner_errors(_means(*sums, rows, *pair), y, part, self.penalties)
            for pair in product(self.delays, self.windows)
        }
        return pd.concat(errors).rename_axis(["delay", "window", "penalty"])


@dataclass(kw_only=True)
class Delayed(BatchModel):
    """A network on features with the delay and the average that suit a linear model.

    Both are chosen in inner folds of the training songs by `linear`; see
    :meth:`DelayedLinear.tune`.
    """

    network: RecurrentRegressor
    linear: DelayedLinear = field(default_factory=DelayedLinear)

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job, each with its own delay."""
        datasets, derived, pairs = {}, [], []
        for job in jobs:
            pair = self.linear.tune(*job.data.select(job.songs))
            key = job.data, pair
            if key not in datasets:
                features = delay_features(job.data.features, delay=pair[0], window=pair[1])
                datasets[key] = replace(job.data, features=features)
            derived.append(job._replace(data=datasets[key]))
            pairs.append(pair)
        fitted = self.network.fit_many(derived)
        return [self._with(network_=model, pair_=pair) for model, pair in zip(fitted, pairs)]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""
        check_fitted(self, "network_")
        delay, window = self.pair_
        return self.network_.predict(delay_features(features, delay=delay, window=window))


def _sums(features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Sums of all rows before each row, one row more than features; each row's step in its song."""
    sums = np.zeros((len(features) + 1, features.shape[1]))
    np.cumsum(features.to_numpy(), axis=0, out=sums[1:])
    return sums, features.groupby(level="song_id", sort=False).cumcount().to_numpy()


def _means(
    sums: np.ndarray, step: np.ndarray, rows: np.ndarray | slice, delay: int, window: int
) -> np.ndarray:
    """Some rows of :func:`delay_features`."""
    row, step = np.arange(len(step))[rows], step[rows]
    last = row - np.minimum(step, delay)
    first = np.maximum(last - window + 1, row - step)
    return (sums[last + 1] - sums[first]) / (last + 1 - first)[:, None]


def _moments(x: np.ndarray, y: np.ndarray) -> list[np.ndarray | float]:
    """Number of rows, sums, and sums of products: enough for any ridge regression."""
    return [float(len(x)), x.sum(axis=0), y.sum(axis=0), x.T @ x, x.T @ y, (y * y).sum(axis=0)]


def _ridge_path(moments: Sequence, penalties: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Weights (penalties, features, targets) and intercepts (penalties, targets)."""
    rows, x, y, xx, xy, _ = moments
    x, y = x / rows, y / rows
    values, vectors = np.linalg.eigh(xx - rows * np.outer(x, x))
    rotated = vectors.T @ (xy - rows * np.outer(x, y))
    weights = np.stack([vectors @ (rotated / (values + p)[:, None]) for p in penalties])
    return weights, y - x @ weights


def _squared_error(moments: Sequence, weights: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Sums of squared errors (penalties, targets) of rows that are known by their moments."""
    rows, x, y, xx, xy, yy = moments
    quadratic = (weights * (xx @ weights)).sum(axis=1)
    linear = (weights * (xy - start[:, None] * x[:, None])).sum(axis=1)
    return yy + quadratic - 2 * linear - 2 * start * y + rows * start**2


def _inner_errors(
    x: np.ndarray, y: np.ndarray, part: np.ndarray, penalties: Sequence[float]
) -> pd.DataFrame:
    """Mean squared error of each penalty over rows whose part was left out."""
    parts = [_moments(x[part == k], y[part == k]) for k in np.unique(part)]
    total, squares = [sum(column) for column in zip(*parts)], 0.0
    for own in parts:
        weights, start = _ridge_path([a - b for a, b in zip(total, own)], penalties)
        squares = squares + _squared_error(own, weights, start)
    return pd.DataFrame(squares / len(x), list(penalties), DIMENSIONS)

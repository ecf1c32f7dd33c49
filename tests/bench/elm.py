"""The extreme learning machine against hpelm and against numpy's pseudo-inverse.

Both sides get the same standardised inputs, and the same hidden layer unless stated; errors are of
left-out songs, averaged over five folds and seeds. For one machine hpelm solves the same normal
equations by the same library, so neither side can be much faster. For the curve of errors over
hidden sizes, hpelm trains a machine for each size, `nested` takes all of them from one
factorisation. One thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import hpelm
import numpy as np

from mer_core import features, load_corpus
from mer_core.metrics import DIMENSIONS, rmse
from mer_core.models.elm import WEIGHT_SD, RandomLayer, nested
from timing import Row, compared

RUNS, SEEDS, INPUTS = 7, 5, 24


def ours(units: int, x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Callable:
    return RandomLayer(units=units, seed=seed).fit(x, y).predict


def theirs(units: int, x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Callable:
    """hpelm's, with hidden weights of the same distribution as ours."""
    rng = np.random.default_rng(seed)
    machine = hpelm.ELM(x.shape[1], y.shape[1])
    weights = rng.normal(size=(x.shape[1], units)) * WEIGHT_SD / np.sqrt(x.shape[1])
    machine.add_neurons(units, "tanh", weights, rng.normal(size=units))
    machine.train(x, y, "r")
    return machine.predict


def by_default(units: int, x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Callable:
    np.random.seed(seed)  # noqa: NPY002 - what hpelm draws from
    machine = hpelm.ELM(x.shape[1], y.shape[1])
    machine.add_neurons(units, "tanh")
    machine.train(x, y, "r")
    return machine.predict


def by_inverse(units: int, x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Callable:
    """The paper's formula as it stands."""
    layer = RandomLayer(units=units, seed=seed).fit(x[:units], y[:units])  # for its random weights
    layer.outputs_ = np.linalg.pinv(layer.hidden(x)) @ y
    return layer.predict


def our_curve(units: int, x: np.ndarray, y: np.ndarray) -> dict[int, np.ndarray]:
    """Output weights for every tenth size, from one hidden layer."""
    layer = RandomLayer(units=units, seed=0).fit(x[:units], y[:units])  # for its random weights
    return nested(layer.hidden(x), y, range(10, units + 1, 10))


def their_curve(units: int, x: np.ndarray, y: np.ndarray) -> list[Callable]:
    return [theirs(size, x, y) for size in range(10, units + 1, 10)]


def error(fit: Callable, units: int, folds: list[tuple]) -> float:
    """RMSE of songs that were left out, both dimensions, mean over folds and seeds."""
    errors = [
        rmse(new_y.ravel(), fit(units, x, y, seed=seed)(new_x).ravel())
        for (x, y), (new_x, new_y) in folds
        for seed in range(SEEDS)
    ]
    return float(np.mean(errors))


OTHERS = {
    "hpelm": theirs,
    "hpelm, its own weights": by_default,
    "numpy.linalg.pinv": by_inverse,
}


def rows(*, short: bool = False) -> Iterator[Row]:
    folds, runs = divided(), 1 if short else RUNS
    train = folds[0][0]
    for units in (100, 500):
        for name, other in OTHERS.items():
            errors = [error(fit, units, folds[:1] if short else folds) for fit in (other, ours)]
            rmses = "RMSE of left-out songs (synthetic) {:.4f} against {:.4f}".format(*errors[::-1])
            pair = (partial(fit, units, *train) for fit in (other, ours))
            yield compared(f"an ELM of {units} units, {rmses}", name, *pair, runs=runs)
        pair = (partial(fit, units, *train) for fit in (their_curve, our_curve))
        yield compared(f"ELMs of 10, 20, ... {units} units", "hpelm", *pair, runs=runs)


def divided() -> list[tuple]:
    """Five times the standardised frames and labels of songs to train on and of those left out."""
    dev = load_corpus("mini").split("dev")
    frames = features.choose(dev.features, ["compare"]).loc[dev.labels.index]
    x = frames.to_numpy()[:, :: frames.shape[1] // INPUTS][:, :INPUTS]
    y = dev.labels[DIMENSIONS].to_numpy()
    folds = []
    for fold in range(5):
        left_out = frames.index.get_level_values("song_id") % 5 == fold
        z = (x - x[~left_out].mean(0)) / x[~left_out].std(0)
        folds.append(tuple((z[some], y[some]) for some in (~left_out, left_out)))
    return folds

"""The extreme learning machine against hpelm and against numpy's pseudo-inverse, as ratios.

    make bench

Both sides get the same standardised inputs, and the same hidden layer unless it says otherwise;
errors are of songs that were left out, averaged over five folds and seeds. For one machine hpelm
solves the same normal equations by the same library: tanh, one matrix product and a factorisation
are nearly all of the time on both sides, so neither can be much faster than the other. The curve
of errors over hidden sizes is another matter: hpelm trains a machine for each size, `nested` takes
all of them from one factorisation. One thread. Prints Markdown.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import hpelm
import numpy as np

from mer_core import features, load_corpus
from mer_core.metrics import DIMENSIONS, rmse
from mer_core.models.elm import WEIGHT_SD, RandomLayer, nested
from timing import ratio

RUNS, SEEDS, INPUTS = 7, 5, 24


def ours(units: int, x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Callable:
    """A fitted machine's way to predict."""
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
    """hpelm's, as it draws by itself."""
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
    """A machine of hpelm's for every tenth size."""
    return [theirs(size, x, y) for size in range(10, units + 1, 10)]


def error(fit: Callable, units: int, folds: list[tuple]) -> float:
    """RMSE of songs that were left out, both dimensions, mean over folds and seeds."""
    return float(
        np.mean([
            rmse(new_y.ravel(), fit(units, x, y, seed=seed)(new_x).ravel())
            for (x, y), (new_x, new_y) in folds
            for seed in range(SEEDS)
        ])
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    dev = load_corpus("mini").split("dev")
    frames = features.choose(dev.features, ["compare"]).loc[dev.labels.index]
    x = frames.to_numpy()[:, :: frames.shape[1] // INPUTS][:, :INPUTS]
    y = dev.labels[DIMENSIONS].to_numpy()
    folds = []
    for fold in range(5):
        left_out = frames.index.get_level_values("song_id") % 5 == fold
        z = (x - x[~left_out].mean(0)) / x[~left_out].std(0)
        folds.append(tuple((z[rows], y[rows]) for rows in (~left_out, left_out)))
    train = folds[0][0]
    print(f"{platform.machine()}, Python {platform.python_version()}, hpelm {version('hpelm')},")
    print(f"numpy {version('numpy')}; {len(train[0])} frames, {INPUTS} inputs, 2 targets;")
    print(f"medians of {RUNS} runs; RMSE of left-out songs (synthetic), mean of 5 folds and")
    print(f"{SEEDS} seeds\n")
    print("| units | against | theirs (s) | ours (s) | ratio | RMSE, theirs | RMSE, ours |")
    print("|---|---|---|---|---|---|---|")
    others = {
        "hpelm": theirs,
        "hpelm, its own weights": by_default,
        "numpy.linalg.pinv": by_inverse,
    }
    for units in (100, 500):
        for name, other in others.items():
            pair = (partial(fit, units, *train) for fit in (other, ours))
            times = ratio(*pair, runs=RUNS)
            errors = [error(fit, units, folds) for fit in (other, ours)]
            print("| {} | {} | {:.4f} | {:.4f} | {:.1f} | {:.4f} | {:.4f} |".format(
                units, name, *times, *errors), flush=True)  # fmt: skip
        pair = (partial(fit, units, *train) for fit in (their_curve, our_curve))
        print("| 10, 20, ... {} | hpelm | {:.4f} | {:.4f} | {:.1f} | | |".format(
            units, *ratio(*pair, runs=RUNS)), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

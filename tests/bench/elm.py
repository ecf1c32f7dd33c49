"""The extreme learning machine against hpelm and against numpy's pseudo-inverse, as ratios.

    make bench

Both sides get the same standardised inputs, and the same hidden layer unless it says otherwise;
errors are of songs that were left out, averaged over seeds. hpelm solves the same normal equations
by the same library, so that neither can be much faster than the other. One thread. Prints Markdown.
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
from mer_core.models.elm import RandomLayer
from timing import ratio

RUNS, SEEDS, INPUTS = 7, 5, 24


def ours(units: int, x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Callable:
    """A fitted machine's way to predict."""
    return RandomLayer(units=units, seed=seed).fit(x, y).predict


def theirs(units: int, x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Callable:
    """hpelm's, with hidden weights of the same distribution as ours."""
    rng = np.random.default_rng(seed)
    machine = hpelm.ELM(x.shape[1], y.shape[1])
    weights = rng.normal(size=(x.shape[1], units)) / np.sqrt(x.shape[1])
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


def error(fit: Callable, units: int, sides: tuple) -> float:
    """RMSE of songs that were left out, both dimensions, mean over seeds."""
    (x, y), (new_x, new_y) = sides
    found = [rmse(new_y.ravel(), fit(units, x, y, seed=s)(new_x).ravel()) for s in range(SEEDS)]
    return float(np.mean(found))


def main() -> None:
    """Print the table."""
    dev = load_corpus("mini").split("dev")
    frames = features.choose(dev.features, ["compare"]).loc[dev.labels.index]
    x = frames.to_numpy()[:, :: frames.shape[1] // INPUTS][:, :INPUTS]
    left_out = frames.index.get_level_values("song_id") % 5 == 0
    x = (x - x[~left_out].mean(0)) / x[~left_out].std(0)
    y = dev.labels[DIMENSIONS].to_numpy()
    sides = tuple((x[rows], y[rows]) for rows in (~left_out, left_out))
    print(f"{platform.machine()}, Python {platform.python_version()}, hpelm {version('hpelm')},")
    print(f"numpy {version('numpy')}; {len(sides[0][0])} frames, {INPUTS} inputs, 2 targets;")
    print(
        f"medians of {RUNS} runs; RMSE of left-out songs, mean of {SEEDS} seeds; mini: synthetic\n"
    )
    print("| units | against | theirs (s) | ours (s) | ratio | RMSE, theirs | RMSE, ours |")
    print("|---|---|---|---|---|---|---|")
    others = {
        "hpelm": theirs,
        "hpelm, its own weights": by_default,
        "numpy.linalg.pinv": by_inverse,
    }
    for units in (100, 500):
        for name, other in others.items():
            pair = (partial(fit, units, *sides[0]) for fit in (other, ours))
            times = ratio(*pair, runs=RUNS)
            errors = [error(fit, units, sides) for fit in (other, ours)]
            print("| {} | {} | {:.4f} | {:.4f} | {:.1f} | {:.4f} | {:.4f} |".format(
                units, name, *times, *errors), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

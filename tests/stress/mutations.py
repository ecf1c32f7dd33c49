"""Faults planted in a copy of the package, one at a time: tests have to fail (`make stress`)."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

ROOT = Path(__file__).parents[2]


class Fault(NamedTuple):
    """A piece of source, its replacement, and the tests that have to fail."""

    path: str
    old: str
    new: str
    tests: tuple[str, ...]


METRICS = ("tests/test_metrics.py",)
SMOOTHING = ("tests/test_smoothing.py",)
TRAINING = ("tests/test_recurrent.py",)
ELM = ("tests/test_multiscale.py",)
TRIPLETS = ("tests/test_triplet.py",)
AGREEMENT = ("tests/test_agreement.py",)
FAULTS = [
    Fault("metrics.py", "np.sqrt(np.mean((y - p) ** 2))", "np.mean((y - p) ** 2)", METRICS),
    Fault("metrics.py", "np.sqrt(np.mean((y - p) ** 2))", "np.mean(np.abs(y - p))", METRICS),
    Fault("metrics.py", "p - p.mean()\n    return", "p\n    return", METRICS),
    Fault("metrics.py", "np.sqrt((dy @ dy) * (dp @ dp))", "(dy @ dy)", METRICS),
    Fault("metrics.py", "return 2 * np.mean", "return np.mean", METRICS),
    Fault("metrics.py", "(y.mean() - p.mean()) ** 2", "(y.mean() - p.mean())", METRICS),
    Fault("metrics.py", "y.var() + p.var()", "y.var(ddof=1) + p.var(ddof=1)", METRICS),
    Fault("metrics.py", "/ y.var()", "/ p.var()", METRICS),
    Fault("metrics.py", "each.std(ddof=1)", "each.std(ddof=0)", METRICS),
    Fault(
        "metrics.py",
        "metric(y[frames, k], p[frames, k])",
        "metric(y[frames, k], p[frames, 0])",
        METRICS,
    ),
    Fault(
        "metrics.py",
        "return labels, predictions.loc[labels.index]",
        "return labels, predictions.iloc[: len(labels)]",
        METRICS,
    ),
    Fault("agreement.py", "ddof=1", "ddof=0", AGREEMENT),
    Fault("smoothing.py", "center=True", "center=False", SMOOTHING),
    Fault("smoothing.py", "min_periods=int(window)", "min_periods=1", SMOOTHING),
    Fault("smoothing.py", ".fillna(track)", ".fillna(0.0)", SMOOTHING),
    Fault("smoothing.py", "int(window), center", "int(window) + 2, center", SMOOTHING),
    Fault("smoothing.py", ".reindex(track.index)", ".sort_index()", SMOOTHING),
    Fault("training.py", ".square().mean(-1) * weights", ".abs().mean(-1) * weights", TRAINING),
    Fault("training.py", ".square().mean(-1) * weights", ".square().mean(-1)", TRAINING),
    Fault("training.py", "alpha=2 * schedule.l2", "alpha=schedule.l2", TRAINING),
    Fault("training.py", "weight.sign(), alpha=schedule.l1", "weight, alpha=schedule.l1", TRAINING),
    Fault(
        "training.py", "velocity.mul_(schedule.momentum).sub_", "velocity.mul_(0.0).sub_", TRAINING
    ),
    Fault("training.py", "better = validation < self", "better = validation > self", TRAINING),
    Fault("models/network.py", "out=hidden[t]).tanh_()", "out=hidden[t]).sigmoid_()", TRAINING),
    Fault("models/elm.py", "h += self.biases_", "h += 0", ELM),
    Fault("models/elm.py", "return np.tanh(h, out=h)", "return h", ELM),
    Fault(
        "models/elm.py",
        "gram.flat[:: len(gram) + 1] += ridge",
        "gram.flat[:: len(gram) + 1] += ridge**0.5",
        ELM,
    ),
    Fault("models/elm.py", "np.sqrt(ridge) * np.eye", "ridge * np.eye", ELM),
    Fault(
        "models/triplet.py",
        "relu(nearer - farther + margin)",
        "relu(farther - nearer + margin)",
        TRIPLETS,
    ),
    Fault(
        "models/triplet.py", "alike = (apart <= positive)", "alike = (apart < positive)", TRIPLETS
    ),
    Fault("models/triplet.py", "unlike = apart > negative", "unlike = apart > positive", TRIPLETS),
]
QUICK = [5, 11, 13]
"""Faults that CI plants: of metrics, agreement and smoothing."""


def caught(fault: Fault) -> bool:
    """Whether the tests fail on a copy of the package with the fault."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        skipped = shutil.ignore_patterns("__pycache__")
        for name in ("mer_core", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=skipped)
        for name in ("data", "notebooks", "docs", "README.md", "pyproject.toml"):
            (folder / name).symlink_to(ROOT / name)
        path = folder / "mer_core" / fault.path
        source = path.read_text()
        if fault.old not in source:
            raise ValueError(f"{fault.path}: expected {fault.old!r}, found no such source")
        path.write_text(source.replace(fault.old, fault.new, 1))
        return _tests(folder, fault.tests) != 0


def _tests(folder: Path, tests: Sequence[str]) -> int:
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    more = [str(folder), str(folder / "tests")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(more), "OMP_NUM_THREADS": "1"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-m", "pytest", *options, *tests]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if run.returncode not in (0, 1):  # 1: tests failed
        raise RuntimeError(run.stdout + run.stderr)
    return run.returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", help="such as metrics.py; all by default")
    chosen = parser.parse_args().paths
    faults = [fault for fault in FAULTS if not chosen or fault.path in chosen]
    for sound in {fault.tests: fault._replace(new=fault.old) for fault in faults}.values():
        if caught(sound):
            sys.exit(f"{', '.join(sound.tests)}: expected to pass without a fault, found failures")
    missed = [fault for fault in tqdm(faults, "faults") if not caught(fault)]
    print(f"{len(faults)} planted faults, {len(faults) - len(missed)} caught")
    for fault in missed:
        print(f"missed: {fault.path}: {fault.old!r} -> {fault.new!r}")
    sys.exit(len(missed) > 0)


if __name__ == "__main__":
    main()

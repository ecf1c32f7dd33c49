"""Faults planted in a copy of the packages, one at a time: tests have to fail (`make stress`)."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

ROOT = Path(__file__).parents[2]


class Fault(NamedTuple):
    """A piece of source, its replacement, and the file of tests that have to fail."""

    path: str
    old: str
    new: str
    tests: str


PLANTED = {
    "tests/test_metrics.py": {
        "mer_core/metrics.py": [
            ("np.sqrt(np.mean((y - p) ** 2))", "np.mean((y - p) ** 2)"),
            ("np.sqrt(np.mean((y - p) ** 2))", "np.mean(np.abs(y - p))"),
            ("p - p.mean()\n    return", "p\n    return"),
            ("np.sqrt((dy @ dy) * (dp @ dp))", "(dy @ dy)"),
            ("return 2 * np.mean", "return np.mean"),
            ("(y.mean() - p.mean()) ** 2", "(y.mean() - p.mean())"),
            ("y.var() + p.var()", "y.var(ddof=1) + p.var(ddof=1)"),
            ("/ y.var()", "/ p.var()"),
            ("each.std(ddof=1)", "each.std(ddof=0)"),
            (
                "metric(y[frames, k], p[frames, k])",
                "metric(y[frames, k], p[frames, 0])",
            ),
            (
                "return labels, predictions.loc[labels.index]",
                "return labels, predictions.iloc[: len(labels)]",
            ),
        ]
    },
    "tests/test_agreement.py": {"mer_core/agreement.py": [("ddof=1", "ddof=0")]},
    "tests/test_smoothing.py": {
        "mer_core/smoothing.py": [
            ("center=True", "center=False"),
            ("min_periods=int(window)", "min_periods=1"),
            (".fillna(track)", ".fillna(0.0)"),
            ("int(window), center", "int(window) + 2, center"),
            (".reindex(track.index)", ".sort_index()"),
        ]
    },
    "tests/test_recurrent.py": {
        "mer_core/training.py": [
            (".square().mean(-1) * weights", ".abs().mean(-1) * weights"),
            (".square().mean(-1) * weights", ".square().mean(-1)"),
            ("alpha=2 * schedule.l2", "alpha=schedule.l2"),
            ("weight.sign(), alpha=schedule.l1", "weight, alpha=schedule.l1"),
            ("velocity.mul_(schedule.momentum).sub_", "velocity.mul_(0.0).sub_"),
            ("better = validation < self", "better = validation > self"),
        ],
        "mer_core/models/network.py": [("out=hidden[t]).tanh_()", "out=hidden[t]).sigmoid_()")],
    },
    "tests/test_multiscale.py": {
        "mer_core/models/elm.py": [
            ("h += self.biases_", "h += 0"),
            ("return np.tanh(h, out=h)", "return h"),
            ("gram.flat[:: len(gram) + 1] += ridge", "gram.flat[:: len(gram) + 1] += ridge**0.5"),
            ("np.sqrt(ridge) * np.eye", "ridge * np.eye"),
        ]
    },
    "tests/test_triplet.py": {
        "mer_core/models/triplet.py": [
            ("relu(nearer - farther + margin)", "relu(farther - nearer + margin)"),
            ("alike = (apart <= positive)", "alike = (apart < positive)"),
            ("unlike = apart > negative", "unlike = apart > positive"),
        ]
    },
    "tests/test_tonal.py": {
        "mer_core/features/tonal.py": [
            ("np.roll(mode, tonic)", "np.roll(mode, -tonic)"),
            ("times + window - LONG", "times - LONG"),
            ("/ np.log(12)", "/ np.log(2)"),
        ]
    },
    "tests/test_pretrained.py": {
        "mer_core/models/pretrained.py": [
            ("coverage * (1 + 1 / self", "coverage * (1 - 1 / self"),
            ("np.maximum.reduce", "np.minimum.reduce"),
            ("levels.clip(*self.loudness_) / levels", "levels / levels.clip(*self.loudness_)"),
        ],
        "mer_core/own_songs.py": [
            ("middle + half[name]", "middle - half[name]"),
            ('song["unlikeness"] > 1:', 'song["unlikeness"] < 1:'),
            (".size().mul(HOP)", ".size()"),
        ],
    },
    "tests/test_delayed.py": {
        "mer_core/models/delayed.py": [
            ("np.minimum(step, delay)", "delay"),
            ("[a - b for a, b in zip(total, own)]", "total"),
            ("quadratic - 2 * linear", "quadratic - linear"),
        ]
    },
    "tests/test_vgmidi.py": {
        "mer_core/datasets/vgmidi.py": [
            ("curves.mean(axis=0)", "curves[0]"),
            ("measures / piece.duration + 1e-9", "measures / piece.duration + 0.5"),
        ]
    },
    "tests/test_datasets.py": {
        "mer_core/datasets/vgmidi.py": [
            ('set("/\\\\\\0")', 'set("\\0")'),
        ],
        "mer_core/datasets/pmemo.py": [
            ("return 2 * _read_dynamic", "return _read_dynamic"),
            ("(0, 1))", "(1, 9))"),
        ],
        "mer_core/datasets/emomusic.py": [
            ('"evaluation": "test"', '"evaluation": "dev"'),
            ('f"mean_{name}": name', 'f"mean_{name}": DIMENSIONS[name == "valence"]'),
        ],
        "mer_core/datasets/own.py": [
            ("~np.isfinite(values)", "values.isna()"),
            ("if not values.index.is_unique", "if values.index.empty"),
        ],
        "mer_core/datasets/common.py": [
            ("(means - (low + high) / 2)", "(means - low)"),
            ("values <= high", "values <= high + 1"),
            ("counts > CUT", "counts >= 0"),
        ],
        "mer_core/datasets/loading.py": [
            ("emomusic.find, emomusic.load", "emomusic.find, pmemo.load"),
            ("(own.find_curves,", "(lambda folder: None,"),
        ],
    },
    "tests/test_evaluation.py": {
        "mer_core/folds.py": [
            ("songs.difference(test)", "songs"),
            ("free = free.drop(drawn)", "free = free.sort_index()"),
            ("songs % modulus != modulus - 1", "songs % modulus != modulus"),
        ]
    },
    "tests/test_render.py": {
        "mer_core/render.py": [
            ("np.sign(sound) * bent", "bent"),
            ("mix.evened * (mix.level - level)", "mix.evened * (level - mix.level)"),
            ("np.linspace(1, 0, fade)", "np.linspace(0, 1, fade)"),
            ("(10 ** (mix.high / 20) - 1) * high", "(10 ** (mix.high / 20) - 1) * low"),
        ]
    },
    "tests/test_intervals.py": {
        "workbook/intervals.py": [
            ("len(order.dropna()) - np", "len(order) - np"),
            ("error * np.sqrt(songs)", "error"),
            ("detectable / v) ** 2", "detectable / v)"),
        ]
    },
    "tests/test_verdicts.py": {
        "workbook/papers/verdicts.py": [
            ('groupby("paper")["p"]', 'groupby("claim")["p"]'),
            ('-1 if pair["wanted"]', '1 if pair["wanted"]'),
            ("(CONTRADICTED, TOO_FEW, REPRODUCED)", "(REPRODUCED, TOO_FEW, CONTRADICTED)"),
        ],
        "workbook/intervals.py": [
            ("own[shared] - base[shared]", "own[shared] - base.to_numpy()[: len(shared)]"),
            ("total + (squares - total**2)", "(squares - total**2)"),
        ],
    },
    "tests/test_pretrained_study.py": {
        "workbook/studies/pretrained.py": [
            ("songs = fold.train.intersection", "songs = training_songs(corpus).intersection"),
            ('["part"] == "train"', '["part"] != "2015"'),
            ("spread.mean() + centre.mean()", "spread.mean()"),
            ("folds.drop(number, level=", "folds.drop(number + 99, errors='ignore', level="),
            ("error <= track", "error >= track"),
        ]
    },
}
"""By tests that have to fail, and by file: pieces of source and their replacements."""
FAULTS = [
    Fault(path, old, new, tests)
    for tests, files in PLANTED.items()
    for path, pairs in files.items()
    for old, new in pairs
]
QUICK = [5, 11, 13]
"""Faults that CI plants: of metrics, agreement and smoothing."""


def caught(fault: Fault) -> bool:
    """Whether the tests fail on a copy of the packages with the fault."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        skipped = shutil.ignore_patterns("__pycache__")
        for name in ("mer_core", "workbook", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=skipped)
        for name in ("data", "notebooks", "docs", "README.md", "pyproject.toml"):
            (folder / name).symlink_to(ROOT / name)
        path = folder / fault.path
        source = path.read_text()
        if fault.old not in source:
            raise ValueError(f"{fault.path}: expected {fault.old!r}, found no such source")
        path.write_text(source.replace(fault.old, fault.new, 1))
        return _tests(folder, fault.tests) != 0


def _tests(folder: Path, tests: str) -> int:
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    more = [str(folder), str(folder / "tests")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(more), "OMP_NUM_THREADS": "1"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-m", "pytest", *options, tests]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if run.returncode not in (0, 1):  # 1: tests failed
        raise RuntimeError(run.stdout + run.stderr)
    return run.returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", help="such as mer_core/metrics.py; all by default")
    chosen = parser.parse_args().paths
    faults = [fault for fault in FAULTS if not chosen or fault.path in chosen]
    for sound in {fault.tests: fault._replace(new=fault.old) for fault in faults}.values():
        if caught(sound):
            sys.exit(f"{sound.tests}: expected to pass without a fault, found failures")
    missed = [fault for fault in tqdm(faults, "faults") if not caught(fault)]
    print(f"{len(faults)} planted faults, {len(faults) - len(missed)} caught")
    for fault in missed:
        print(f"missed: {fault.path}: {fault.old!r} -> {fault.new!r}")
    sys.exit(len(missed) > 0)


if __name__ == "__main__":
    main()

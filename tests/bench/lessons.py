"""The lessons, two side by side, and what `import mer_core` costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from timing import Figure, Row, compared

ROOT = Path(__file__).parents[2]
RUNS = 7


def importing(what: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {what}"], cwd=ROOT, check=True)


def memory(process: psutil.Process) -> int:
    """Bytes that a process and its children hold by themselves."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().uss
        except psutil.Error:  # it has ended
            continue
    return total


def executed(notebooks: list[Path]) -> tuple[float, float]:
    """Seconds for all notebooks, two side by side, and the most memory (MB) in that time."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"]
    environment = {k: v for k, v in os.environ.items() if k != "MER_DATA"}
    start, peak = time.perf_counter(), 0
    run = psutil.Popen([*command, "--nbmake", *notebooks], cwd=ROOT, env=environment,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    while run.poll() is None:
        peak = max(peak, memory(run))
        time.sleep(0.5)
    assert run.returncode == 0, "a notebook failed"
    return time.perf_counter() - start, peak / 1e6


def one_by_one(notebooks: list[Path]) -> float:
    """Seconds for the same notebooks by nbconvert."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute"]
        environment = {k: v for k, v in os.environ.items() if k != "MER_DATA"}
        subprocess.run([*command, "--output-dir", folder, *notebooks], cwd=ROOT, check=True,
                       env=environment, capture_output=True)  # fmt: skip
    return time.perf_counter() - start


def rows(*, short: bool = False) -> Iterator[Row | Figure]:
    for other in ("opensmile", "librosa.feature, sklearn.svm, torch"):
        yield compared("import mer_core, with the start of Python", f"import {other}",
                       lambda other=other: importing(other), lambda: importing("mer_core"),
                       runs=1 if short else RUNS)  # fmt: skip
    notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    notebooks = notebooks[:1] if short else notebooks
    theirs, (seconds, most) = one_by_one(notebooks), executed(notebooks)
    what, ratio = f"{len(notebooks)} notebooks, two side by side", theirs / seconds
    yield Row(what, "jupyter nbconvert --execute", "wall", theirs, seconds, ratio, ratio, ratio)
    yield Figure(f"{what}: memory", f"{most:.0f} MB at most, all processes together")

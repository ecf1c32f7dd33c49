"""Paired timing: both sides in one run, in turn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """A comparison: medians of both sides in s; median, least and greatest ratio theirs / ours."""

    what: str
    against: str
    clock: str
    theirs: float
    ours: float
    ratio: float
    low: float
    high: float


class Figure(NamedTuple):
    """A measurement without another side."""

    what: str
    value: str


def compared(
    what: str,
    against: str,
    theirs: Callable[[], object],
    ours: Callable[[], object],
    *,
    clock: Callable[[], float] = time.perf_counter,
    runs: int = 5,
) -> Row:
    pairs = [(timed(theirs, clock), timed(ours, clock)) for _ in range(runs)]
    medians = [statistics.median(side) for side in zip(*pairs)]
    ratios = [a / b for a, b in pairs]
    name = {time.perf_counter: "wall", time.process_time: "CPU"}[clock]
    return Row(what, against, name, *medians, statistics.median(ratios), min(ratios), max(ratios))


def timed(function: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    function()
    return clock() - start


PEAK = "int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024"
"""Python code for a process's peak memory in MB; Linux."""


def peak_memory(script: str, *arguments: str) -> float:
    """Peak memory in MB of a script that is run by itself."""
    # Not ru_maxrss: it begins with what the process that started this one held.
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv.pop(0));"
        "runpy.run_path(sys.argv[0], run_name='__main__');"
        f"print({PEAK})"
    )
    beside = str(Path(script).parent)
    run = [sys.executable, "-W", "ignore", "-c", code, beside, script, *arguments]
    return float(subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()[-1])

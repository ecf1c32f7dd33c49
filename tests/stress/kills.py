"""Fifty kills of a sweep at random moments, and what they cost: `make stress`.

The sweep runs in a process of its own with two workers. Every other kill takes the process alone
and leaves its workers orphaned for a moment. After each kill the store is compared with an
append-only log that every computation writes to.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

import sweeps
from workbook.units import run

PROCESSES = 2


def kept(store: Path, count: int, seconds: float) -> set[int]:
    units = sweeps.units(store.parent / "log", count, seconds=seconds)
    return {unit["number"] for unit in sweeps.kept(sweeps.logged, store, units)}


def killed(folder: Path, count: int, seconds: float, delay: float, *, orphans: bool) -> None:
    log = folder / "log"
    before = len(sweeps.calls(log))
    run = sweeps.started(folder / "store", log, count, processes=PROCESSES, seconds=seconds)
    while len(sweeps.calls(log)) == before and run.poll() is None:
        time.sleep(0.005)
    time.sleep(delay)
    if orphans:
        run.kill()
        time.sleep(3 * seconds)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def cost(folder: Path, kills: int, count: int, *, seconds: float, seed: int = 0) -> list[int]:
    """Kill a sweep several times, finish it, check it; give how many units each kill has cost."""
    rng, log, store = np.random.default_rng(seed), folder / "log", folder / "store"
    lost = []
    for kill in tqdm(range(kills), "kills"):
        already, called = kept(store, count, seconds), len(sweeps.calls(log))
        killed(folder, count, seconds, rng.uniform(0, 0.6), orphans=kill % 2 == 1)
        now, new = kept(store, count, seconds), set(sweeps.calls(log)[called:])
        assert len(now) < count, "the sweep was finished before the kill: nothing was tested"
        assert already <= now, "a kill must not lose what was kept"
        assert not new & already, "what was kept must not be computed again"
        assert len(new - now) <= 2 * PROCESSES, "a kill must cost no more than what is under way"
        lost.append(len(new - now))
    check(folder, count, seconds, sum(lost))
    return lost


def check(folder: Path, count: int, seconds: float, lost: int) -> None:
    """Finish the sweep and hold it against an undisturbed one."""
    settings = {"corpus": sweeps.tiny_corpus(), "processes": PROCESSES}
    units = sweeps.units(folder / "log", count, seconds=seconds)
    after = run(sweeps.logged, units, cache=folder / "store", **settings)
    calls = Counter(sweeps.calls(folder / "log"))
    assert sum(calls.values()) == count + lost, "only what was under way is computed twice"
    calm = run(sweeps.logged, units, cache=folder / "calm", **settings)
    assert len(after.done) == len(calm.done) == count
    for (_, frame), (_, other) in zip(after.done, calm.done):
        pd.testing.assert_frame_equal(frame, other, check_exact=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    kills, start = parser.parse_args().kills, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        lost = cost(Path(folder), kills, 30 * kills, seconds=0.05)
    print(
        f"{kills} kills of a sweep of {30 * kills} units with {PROCESSES} workers: results equal "
        f"to the undisturbed run, nothing unreadable, nothing kept computed again.\nEach kill cost "
        f"{min(lost)} to {max(lost)} units under way, {np.mean(lost):.1f} on average; "
        f"{time.perf_counter() - start:.0f} s."
    )


if __name__ == "__main__":
    main()

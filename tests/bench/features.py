"""Speed and memory of the features, as ratios against what a user would otherwise do.

    make bench

Both sides are measured in one run, in turn, and give the same values. Prints Markdown.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import opensmile
import soundfile

from mer_core import load_corpus
from mer_core.features import SAMPLE_RATE, extract, extract_all, read_audio
from mer_core.features.compare import descriptors
from timing import ratio

RUNS = 5


def by_the_package(samples: np.ndarray) -> np.ndarray:
    """The descriptors and deltas as the openSMILE package gives them: a pass for each level."""
    levels = [
        opensmile.Smile(opensmile.FeatureSet.ComParE_2016, level).process_signal(
            samples, SAMPLE_RATE
        )
        for level in ("lld", "lld_de")
    ]
    frames = min(map(len, levels))
    return np.hstack([level.to_numpy()[:frames] for level in levels])


def ratios() -> list[tuple[str, str, str, float, float, float]]:
    """What is compared with what, the clock, both medians and the ratio."""
    audio = load_corpus("mini").songs["audio"]
    samples = read_audio(audio.loc[1])
    same = np.array_equal(by_the_package(samples), descriptors(samples).to_numpy())
    assert same, "both sides have to give the same values"
    rows = []

    def row(what: str, other: str, clock: Callable[[], float], theirs: object, ours: object):
        rows.append((what, other, clock.__name__, *ratio(theirs, ours, clock=clock, runs=RUNS)))

    cpu, wall = time.process_time, time.perf_counter
    row("65 descriptors and deltas, 45 s", "the openSMILE package, two feature levels", cpu,
        lambda: by_the_package(samples), lambda: descriptors(samples))  # fmt: skip
    extra = [name for name in ("psychoacoustic", "spectral")]
    row("FS2's four and IRIT's eight, 45 s", "the 260", cpu,
        lambda: extract((samples, SAMPLE_RATE)),
        lambda: extract((samples, SAMPLE_RATE), extra))  # fmt: skip
    four = audio.loc[1:4]
    with tempfile.TemporaryDirectory() as kept:

        def anew() -> None:
            with tempfile.TemporaryDirectory() as fresh:
                extract_all(four, cache=fresh)

        extract_all(four, cache=kept)
        row("four songs, two processes", "the package in a loop", wall,
            lambda: [by_the_package(read_audio(path)) for path in four], anew)  # fmt: skip
        row("four songs from the cache", "computed anew", wall,
            anew, lambda: extract_all(four, cache=kept))  # fmt: skip
    return rows


def resources(seconds: float) -> tuple[float, float]:
    """Seconds of CPU and peak memory (MB) of extracting all sets from stereo audio of a length."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "1.wav"
        noise = np.random.default_rng(0)
        with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2) as file:
            for _ in range(round(seconds / 5)):
                file.write(noise.normal(0, 0.1, (5 * SAMPLE_RATE, 2)))
        code = (
            "import sys, resource; from mer_core.features import extract; extract(sys.argv[1],"
            "('compare', 'psychoacoustic', 'spectral')); u = resource.getrusage("
            "resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime, u.ru_maxrss / 1024)"
        )
        run = [sys.executable, "-W", "ignore", "-c", code, str(path)]
        out = subprocess.run(run, capture_output=True, text=True, check=True).stdout
        cpu, memory = map(float, out.split())
        return cpu, memory


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="leave out the hour")
    lengths = {"45 s": 45, "5 min": 300} | ({} if parser.parse_args().short else {"1 h": 3600})
    libraries = ", ".join(f"{name} {version(name)}" for name in ("opensmile", "librosa", "numpy"))
    print(f"{platform.machine()}, Python {platform.python_version()}, {libraries}; {RUNS} runs.\n")
    print("| what | against | clock | theirs (s) | ours (s) | ratio |\n|---|---|---|---|---|---|")
    for what, other, clock, theirs, ours, times in ratios():
        print(f"| {what} | {other} | {clock} | {theirs:.2f} | {ours:.2f} | {times:.1f} |")
    print("\n| all sets but mel, stereo | CPU (s) | peak memory (MB) |\n|---|---|---|")
    for name, seconds in lengths.items():
        cpu, memory = resources(seconds)
        print(f"| {name} | {cpu:.1f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()

"""A sweep on two Dask workers against one process: the same results, and the ratio.

    make bench

Both sides are measured in one run, in turn, after their start-up. Prints Markdown.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import joblib
import pandas as pd

from mer_core import experiments, load_corpus
from mer_core.corpus import Corpus
from timing import ratio

sys.path.insert(0, str(Path(__file__).parents[1]))
from loopback import cluster

RUNS = 3
UNITS = experiments.product(
    setting=[{"model": "SVR"}], features=["FS1"], fold=range(10), seed=range(2)
)


def sweep(corpus: Corpus, backend: str) -> list[pd.DataFrame]:
    """The frames of the sweep, from an empty store."""
    with tempfile.TemporaryDirectory() as store, joblib.parallel_config(backend=backend):
        results = experiments.run(experiments.predict, UNITS, corpus, store=store)
        return [frame for _, frame in results.done]


def main() -> None:
    """Measure and print."""
    corpus = load_corpus("mini")
    with cluster():
        for ours, theirs in zip(sweep(corpus, "dask"), sweep(corpus, "sequential")):
            pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
        one, two, times = ratio(
            lambda: sweep(corpus, "sequential"), lambda: sweep(corpus, "dask"), runs=RUNS
        )
    print(f"{len(UNITS)} units of SVR on the embedded corpus, {RUNS} runs; results are equal.\n")
    print("| one process (s) | two Dask workers (s) | ratio |\n|---|---|---|")
    print(f"| {one:.1f} | {two:.1f} | {times:.2f} |")


if __name__ == "__main__":
    main()

"""A sweep on two Dask workers against joblib's two processes, after their start-up."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import joblib
import pandas as pd

from mer_core import load_corpus, models
from mer_core.corpus import Corpus
from timing import Row, compared
from workbook import studies
from workbook.units import run

sys.path.insert(0, str(Path(__file__).parents[1]))
from loopback import cluster

RUNS = 3
UNITS = studies.product(setting=[models.SVR(every=2)], features=["FS1"], fold=range(6), seed=[0])


def sweep(corpus: Corpus, backend: str) -> list[pd.DataFrame]:
    """The frames of the sweep, from an empty store."""
    with tempfile.TemporaryDirectory() as store, joblib.parallel_config(backend=backend):
        results = run(studies.predict, UNITS, corpus, cache=store)
        return [frame for _, frame in results.done]


def by_joblib(corpus: Corpus, *, processes: int = 2) -> list[pd.DataFrame]:
    """The same frames, with no store, by joblib alone."""
    parallel = joblib.Parallel(n_jobs=processes)
    return parallel(joblib.delayed(studies.predict)(corpus, **unit) for unit in UNITS)


def rows(*, short: bool = False) -> Iterator[Row]:
    corpus = load_corpus("mini")
    with cluster():
        for ours, theirs in zip(sweep(corpus, "dask"), by_joblib(corpus)):
            pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
        yield compared(f"a sweep of {len(UNITS)} SVRs on two Dask workers, stored",
                       "joblib.Parallel, two processes",
                       lambda: by_joblib(corpus), lambda: sweep(corpus, "dask"),
                       runs=1 if short else RUNS)  # fmt: skip

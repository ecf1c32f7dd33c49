"""One unit of a sweep, computed and tabulated anew, gives its rows of the stored table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mer_core import load_corpus
from mer_core.experiments import SWEEPS, table


def anew(name: str, label: tuple) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a label, computed now and as they are stored."""
    sweep = SWEEPS[name]
    unit = next(unit for known, unit in sweep.units if known == label)
    corpus = sweep.corpus() if sweep.corpus else load_corpus("mini")
    frames = {label: sweep.function(corpus, **unit)}
    live = sweep.tabulate(corpus, frames, sweep.levels)[".csv"]
    return live, table(name).reindex(live.index)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("valence_worlds", ("development", "ridge", 0)),
        ("valence_causes", (0,)),
        ("valence_remedies", ("constant", "CV", 0)),
        ("valence_remedies", ("ridge", "test", 0)),
        ("baselines", ("linear", "FS1", "test", 0)),
    ],
)
def test_a_unit_computed_anew_gives_its_stored_rows(name, label):
    live, stored = anew(name, label)
    assert len(live) > 3
    numbers = live.select_dtypes("number")
    np.testing.assert_allclose(stored[list(numbers)], numbers, rtol=2e-3, atol=2e-4)

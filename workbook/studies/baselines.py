"""Lesson 02: the baselines on every feature set."""

from __future__ import annotations

from mer_core.models import SVR, Constant, Linear
from workbook.studies.regressors import regressors

STUDIES = {
    "baselines": regressors(
        {
            "constant": Constant(),
            "linear, no penalty": Linear(ridge=0),
            "linear": Linear(),
            "SVR": SVR(),
        },
        features=("FS1", "FS2", "268"),
        seeded=False,
        files=("baselines.csv", "baselines_songs.parquet"),
        cheapest=("linear", "FS1", "test", 0),
    )
}
"""On the embedded corpus, SYNTHETIC."""

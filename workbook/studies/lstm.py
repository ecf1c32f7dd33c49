"""Lesson 04: Munich's LSTM and the runs of 2014 and 2015."""

from __future__ import annotations

from mer_core.models import LSTM, Constant, FoldEnsemble, Linear
from workbook.studies.regressors import ensembles, regressors
from workbook.studies.study import joined

PLAIN = LSTM()
KEPT = LSTM(pretrain="keep")
RETRAINED = LSTM(pretrain="retrain")
DEEP = LSTM(pretrain="retrain", hidden=(24, 18, 5))


def _munich(network: LSTM, **options: object) -> FoldEnsemble:
    return FoldEnsemble(network=network, trials=1, **options)


BASELINES = {
    "constant, without the held-out songs": (Constant(), "FS1"),
    "linear, without the held-out songs": (Linear(), "FS1"),
}
RUNS = {
    "LSTM 2014 run 1": (_munich(PLAIN), "FS1"),
    "LSTM 2014 run 2": (_munich(KEPT), "FS1"),
    "LSTM 2014 run 3": (_munich(RETRAINED), "FS1"),
    "LSTM 2014 run 4": (_munich(KEPT), "FS2"),
    "LSTM 2014 run 5": (_munich(RETRAINED), "FS2"),
    "LSTM 2015 run 1": (_munich(DEEP), "FS1"),
    "LSTM 2015 run 2": (_munich(DEEP), "FS2"),
    "LSTM 2015 run 3": (_munich(DEEP, by="ccc", keep=2), "FS1"),
    "LSTM 2015 run 4": (_munich(DEEP, by="ccc", keep=2), "FS2"),
    "LSTM 2015 run 2, selected on held-out": (_munich(DEEP, select="held-out"), "FS2"),
}
"""Models and feature sets of the papers' runs, at class size."""

STUDIES = {
    "lstm": regressors(
        {
            "LSTM": PLAIN,
            "LSTM, first layer kept": KEPT,
            "LSTM, first layer retrained": RETRAINED,
            "LSTM, three layers": DEEP,
        },
        folds=("all",),
        cheapest=("LSTM", "FS1", "test", 0),
    ),
    "munich": joined(
        ensembles(
            BASELINES, seeds=range(1), cheapest=("linear, without the held-out songs", "FS1", 0)
        ),
        ensembles(RUNS, seeds=range(5)),
    ),
}
"""On the embedded corpus, SYNTHETIC."""

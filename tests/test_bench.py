"""The two sides of a comparison have to do the same; how fast is for `make bench` to say."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from conftest import ROOT
from mer_core import models


@pytest.fixture
def recurrent(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "tests" / "bench"), *sys.path])
    spec = importlib.util.spec_from_file_location(
        "bench_recurrent", ROOT / "tests" / "bench" / "recurrent.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_the_plain_loop_trains_the_same_networks(recurrent, cell):
    models_of = {
        "elman": models.ElmanRNN(epochs=1),
        "lstm": models.LSTM(hidden=(4, 3), epochs=1, patience=None, songs_per_update=1),
    }
    _, jobs = recurrent.corpus_and_jobs(trials=1)
    recurrent.check(models_of[cell], jobs[:2])
    if cell == "lstm":
        other = models.LSTM(hidden=(4, 3), epochs=1, patience=None, songs_per_update=4)
        with pytest.raises(AssertionError):
            recurrent.check(other, jobs[:2])

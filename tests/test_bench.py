"""The two sides of a comparison have to do the same; how fast is for `make bench` to say."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from conftest import ROOT
from mer_core import models


@pytest.fixture
def load(monkeypatch):
    """Import a module of the bench by name."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "tests" / "bench"), *sys.path])

    def load(name: str) -> ModuleType:
        path = ROOT / "tests" / "bench" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"bench_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def recurrent(load):
    return load("recurrent")


@pytest.fixture
def bench(load):
    return load("bench")


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


def test_a_row_says_what_was_timed(bench, monkeypatch):
    times = iter([0.0, 6.0, 0.0, 2.0, 0.0, 8.0, 0.0, 2.0, 0.0, 4.0, 0.0, 4.0])
    timing = sys.modules["timing"]
    monkeypatch.setattr(timing.time, "process_time", lambda: next(times))
    row = timing.compared("this", "that", int, int, clock=timing.time.process_time, runs=3)
    monkeypatch.undo()
    assert row == ("this", "that", "CPU", 6.0, 2.0, 3.0, 1.0, 4.0)
    rows = [("elm", list(row)), ("elm", ["size", "3 MB"])]
    known = {"machines": {"elm": "one"}, "rows": rows}
    text = bench.page(known)
    assert "| this | that | CPU | 6 s | 2 s | **3** | 1 to 4 |" in text
    assert "| size | 3 MB |" in text
    assert bench.page(bench.constants(text)) == text


def test_targets_are_reached_or_missed(bench, monkeypatch):
    targets = [("a", "b", "ratio", 3), ("a", "b", "ours", 1), ("a", "d", "ratio", 2)]
    monkeypatch.setattr(bench, "TARGETS", targets)
    row = ["a row", "beside", "wall", 6.0, 3.0, 2.0, 1.0, 4.0]
    text = bench.targets([row, [*row[:1], "does", *row[2:]]])
    lines = text.removesuffix(bench.WHY_MISSED).splitlines()[-4:-1]
    assert lines == [
        "| a | beside | 3 times | 2 times | **missed** |",
        "| a | beside | 1 s at most | 3 s | **missed** |",
        "| a | does | 2 times | 2 times | yes |",
    ]


def test_every_target_has_a_row(bench):
    text = bench.PAGE.read_text().partition("## Targets")[2]
    assert [text.count(f"| {what} |") for what, *_ in bench.TARGETS] == [
        sum(what == other for other, *_ in bench.TARGETS) for what, *_ in bench.TARGETS
    ]


def test_the_page_follows_from_what_was_measured(bench):
    text = bench.PAGE.read_text()
    known = bench.constants(text)
    assert text == bench.page(known)
    assert {name for name, _ in known["rows"]} == set(bench.MODULES)


def test_modules_are_kept_one_by_one(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "PAGE", tmp_path / "bench.md")
    monkeypatch.setattr(bench, "machine", lambda: "a machine")
    elm = [("elm", ["this", "that", "wall", 6.0, 2.0, 3.0, 1.0, 4.0])]
    bench.keep("lessons", [("lessons", ["notebooks", "9 s"])])
    bench.keep("elm", elm)
    bench.keep("lessons", [("lessons", ["notebooks", "8 s"])])
    assert [row for _, row in bench.constants(bench.PAGE.read_text())["rows"]][1:] == [
        ["notebooks", "8 s"]
    ]
    monkeypatch.setattr(bench, "machine", lambda: "another machine")
    bench.keep("elm", elm)
    known = bench.constants(bench.PAGE.read_text())
    assert [name for name, _ in known["rows"]] == ["elm", "lessons"]
    assert known["machines"] == {"elm": "another machine", "lessons": "a machine"}


def test_every_module_of_the_bench_is_run(bench):
    there = {path.stem for path in (ROOT / "tests" / "bench").glob("*.py")}
    others = {"scale", "latents"}  # with pages of their own, and not of speed
    assert there == set(bench.MODULES) | others | {"bench", "timing"}
    assert not there & {"mer_core", "workbook"}, "it would hide the package"

"""The examples of CONTRIBUTING.md run as they stand, and give what the page says."""

from __future__ import annotations

import re

import numpy as np
import pytest
import yaml

from conftest import ROOT
from mer_core.features import sets
from test_exercises import exercises
from test_notebooks import builder
from workbook import lesson

PAGE = (ROOT / "CONTRIBUTING.md").read_text()


def blocks(heading: str, language: str) -> list[str]:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)[1]
    return re.findall(rf"```{language}\n(.*?)```", section, re.S)


@pytest.fixture(params=["once", "again"])
def run(request):
    """Run a section's blocks; "again": a second time, over what the first time left behind."""
    if request.param == "once":
        return run_blocks
    return lambda heading: run_blocks(heading) and run_blocks(heading)


def run_blocks(heading: str) -> dict:
    names: dict = {}
    for block in blocks(heading, "python"):
        exec(compile(block, f"CONTRIBUTING.md, {heading}", "exec"), names)
    return names


def test_every_block_is_run_by_a_test():
    languages = re.findall(r"^```(\w*)$", PAGE, re.M)[::2]
    assert languages == ["python"] * 4 + ["py", "yaml", "python"]


def test_a_feature(run, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sets, "SETS", dict(sets.SETS))
    names = run("Add a feature")
    assert names["track"].shape == (90, 261)
    assert names["track"]["crest_db"].between(3, 40).all()
    assert list(sets.choose(names["track"], ("crest",))) == ["crest_db"]


def test_a_model_ends_in_the_scoreboard(run, capsys):
    names = run("Add a model")
    rows = names["board"].xs("neighbours", level="system")
    assert set(rows.index.unique("protocol")) == {"CV", "test"}
    assert np.isfinite(rows["arousal", "RMSE"]).all()
    assert "neighbours" in capsys.readouterr().out
    assert len(names["sweep"].units) == 2 * (5 * 10 + 1)  # feature sets; seeds of folds; test songs


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "12_tempo.py"
    path.write_text(blocks("Add a notebook", "py")[0])
    return path


def test_a_notebook(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lesson, "EXPECTED", tmp_path / "expected.json")
    monkeypatch.setattr(lesson, "_answers", {})
    monkeypatch.setenv("MER_EXPECTED", "write")
    monkeypatch.delenv("MER_DATA", raising=False)
    for _ in ("once", "again"):
        follow_the_notebook(source, capsys)


def follow_the_notebook(source, capsys):
    wrong = yaml.safe_load(blocks("Add a notebook", "yaml")[0])
    student, solution = (builder.generate(source, solutions=kind) for kind in (False, True))
    answer, check = exercises(solution)["1"]
    assert student.cells[answer].source == "r_tempo = ..."
    names: dict = {}
    for cell in [*solution.cells[:answer], student.cells[answer], student.cells[check]]:
        if cell.cell_type == "code":
            exec(cell.source, names)
    assert "not answered yet" in capsys.readouterr().out
    for entry in wrong["1"]:
        exec(entry["code"] + "\n" + solution.cells[check].source, names)
        assert entry["says"] in capsys.readouterr().out
    for cell in [cell for cell in solution.cells[answer:] if cell.cell_type == "code"]:
        exec(cell.source, names)
    assert "All 1 key numbers" in capsys.readouterr().out


def test_a_data_set(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run("Add a data set")
    assert list(names["dev"].songs.index) == [1, 2, 3, 4]
    assert list(names["test"].songs.index) == [2001, 2002]
    assert len(names["predicted"]) == 2 * 50
    names["corpus"].validate()

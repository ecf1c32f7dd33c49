"""CI, Binder, CITATION.cff say what Makefile and pyproject.toml say. None of it is run here."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
STEPS = JOBS["test"]["steps"]


def recipe(target: str) -> list[str]:
    """A target's commands as they would be without its virtual environment."""
    lines = re.search(rf"(?m)^{re.escape(target)}:.*\n((?:\t.+\n)+)", MAKEFILE)[1].splitlines()
    prefix = r"^env( -u \w+)+ |\$\(BIN\)/(python -m )?"
    return [re.sub(prefix, "", line.strip()).strip() for line in lines]


def executable(path: Path) -> bool:
    return os.name == "nt" or bool(path.stat().st_mode & 0o111)


def runs(condition: str) -> list[str]:
    steps = [step for step in STEPS if step.get("if") == condition]
    return [line for step in steps for line in step["run"].strip().splitlines()]


def test_ci_runs_ci_run_where_there_is_make():
    assert runs("runner.os != 'Windows'") == [".ci/run"]
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")
    assert executable(ROOT / ".ci" / "run")


def test_ci_runs_the_makefiles_commands_on_windows():
    install, *tests = runs("runner.os == 'Windows'")
    assert tests == recipe("test")
    (pip,) = [line for line in recipe("$(READY)") if line.startswith("pip ")]
    assert install.removeprefix("python -m ") == pip.replace("$(LOCK)", "$LOCK")


def test_ci_covers_three_systems_and_two_pythons_that_the_package_allows():
    matrix = JOBS["test"]["strategy"]["matrix"]
    systems = {name.split("-")[0] for name in matrix["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lowest = project["requires-python"].removeprefix(">=")
    assert len(matrix["python"]) == 2
    assert matrix["python"][0] == lowest
    assert all(step["run"] == "make book" for step in JOBS["book"]["steps"] if "run" in step)


def test_ci_takes_the_newest_releases_once_a_week():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert re.search(r'cron: "\d+ \d+ \* \* \d"', text)
    lock = JOBS["test"]["env"]["LOCK"]
    default = re.search(r"(?m)^LOCK \?= (.+)$", MAKEFILE)[1]
    assert lock == f"${{{{ github.event_name != 'schedule' && '{default}' || '' }}}}"


def test_binder_installs_extras_that_there_are():
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text())
    assert "pytorch-cpu" in environment["dependencies"]
    script = (ROOT / ".binder" / "postBuild").read_text()
    extras = re.search(r"--editable \"\.\[(.+)\]\"", script)[1].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras) <= set(project["optional-dependencies"])
    assert executable(ROOT / ".binder" / "postBuild")


def test_citation_says_what_pyproject_says():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]["text"]
    assert citation["authors"] == [{"name": "The Music Emotion Workbook authors"}]
    assert {"message", "title", "type"} <= set(citation)
    assert all({"type", "title", "authors"} <= set(work) for work in citation["references"])


@pytest.mark.parametrize("version", ["Unreleased", "0.1.0"])
def test_the_changelog_has_this_version(version):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == "0.1.0"
    assert re.search(rf"(?m)^## {re.escape(version)}$", (ROOT / "CHANGELOG.md").read_text())

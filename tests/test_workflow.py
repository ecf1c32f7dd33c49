"""CI, Binder and CITATION.cff agree with Makefile and pyproject.toml; make works in any folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from conftest import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
STEPS = JOBS["test"]["steps"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


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
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert len(matrix["python"]) == 2
    assert matrix["python"][0] == PROJECT["requires-python"].removeprefix(">=")
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
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    assert executable(ROOT / ".binder" / "postBuild")


def test_binders_files_are_as_repo2docker_reads_them():
    """Names from its list; `environment.yml` and `apt.txt` of plain lines; a script with a #!."""
    folder = ROOT / ".binder"
    assert {path.name for path in folder.iterdir()} == {"apt.txt", "environment.yml", "postBuild"}
    assert not (ROOT / "binder").exists(), "only one of the two folders is read"
    assert (folder / "postBuild").read_text().startswith("#!/usr/bin/env bash\n")
    lines = (folder / "apt.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", line) for line in lines)
    conda = yaml.safe_load((folder / "environment.yml").read_text())
    assert set(conda) == {"channels", "dependencies"}
    (python,) = [part for part in conda["dependencies"] if part.startswith("python=")]
    assert python == PROJECT["requires-python"].replace(">=", "python=")


NOTEBOOKS = sorted(path for name in ("notebooks", "app") for path in (ROOT / name).rglob("*.ipynb"))
PLACES = r"/(home|root|tmp|work|Users|content|opt)/|\b[A-Z]:\\\w"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_notebooks_open_in_vs_code_and_colab(path):
    """A valid format 4.5 with an id for every cell, and no path of one machine."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    assert (plain["nbformat"], plain["nbformat_minor"]) >= (4, 5)
    nbformat.validate(plain)
    ids = [cell["id"] for cell in plain["cells"]]
    assert len(set(ids)) == len(ids)
    texts = ["".join(cell["source"]) for cell in plain["cells"]]
    for output in (one for cell in plain["cells"] for one in cell.get("outputs", [])):
        texts += ["".join(output.get("text", ""))]
        texts += ["".join(v) for k, v in output.get("data", {}).items() if k.startswith("text/")]
    for text in texts:
        bare = re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", text)
        assert not re.search(PLACES, bare), re.search(f".*({PLACES}).*", bare)[0][:200]


def test_the_cell_for_colab_installs_the_clone_with_a_magic():
    cell = re.search(r"(?s)```\n(!git clone.*?)```", (ROOT / "docs" / "setup.md").read_text())[1]
    clone, install, enter, path = cell.splitlines()
    assert install.startswith("%pip install ")
    extra = re.search(r'--editable "workbook\[(\w+)\]"', install)[1]
    assert extra in PROJECT["optional-dependencies"]
    assert clone.endswith(" workbook")
    assert (enter, path) == ("%cd workbook/notebooks", 'import sys; sys.path.insert(0, "..")')


def test_citation_says_what_pyproject_says():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]["text"]
    assert citation["authors"] == [{"name": "The Music Emotion Workbook authors"}]
    assert {"message", "title", "type"} <= set(citation)
    assert all({"type", "title", "authors"} <= set(work) for work in citation["references"])


@pytest.mark.parametrize("version", ["Unreleased", PROJECT["version"]])
def test_the_changelog_has_this_version(version):
    assert re.search(rf"(?m)^## {re.escape(version)}$", (ROOT / "CHANGELOG.md").read_text())


# make in folders as users have them


TARGETS = re.findall(r"(?m)^([a-z-]+): \$\(READY\)", MAKEFILE)
ODD = "it's $HOME #1 é"


@pytest.fixture
def clone(tmp_path):
    """A folder with this Makefile whose interpreter prints how it was called."""
    if shutil.which("make") is None or os.name == "nt":
        pytest.skip("needs make and a POSIX shell")
    folder = tmp_path / ODD / "proj"
    for name in ("app", "notebooks", ".venv/bin"):
        (folder / name).mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "notebooks/data.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv" / ".ready").touch()
    python = folder / ".venv" / "bin" / "python"
    python.write_text(
        f"""#!/bin/sh
case "$*" in
notebooks/data.py) PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} "$@" ;;
esac
echo "$*|$PWD|$MER_DATA|$JUPYTER_PATH"
"""
    )
    python.chmod(0o755)
    return folder


def make(folder: Path, target: str, data: str | None = None) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k not in {"MER_DATA", "MAKEFLAGS"}}
    environment |= {} if data is None else {"MER_DATA": data}
    command = ["make", "-s", target]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def called(run: subprocess.CompletedProcess) -> list[list[str]]:
    assert run.returncode == 0, run.stderr
    return [line.split("|") for line in run.stdout.splitlines() if "|" in line]


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_runs_in_a_clone_whose_path_has_odd_letters(clone, target):
    assert len(TARGETS) >= 10
    for _, where, _, path in called(make(clone, target)):
        assert where == str(clone / "app" if target == "app" else clone)
        assert target != "app" or path == where, "the explorer's template"


@pytest.mark.parametrize("target", ["lab", "app", "results"])
@pytest.mark.parametrize("where", ["relative", "absolute", "home"])
def test_the_data_folder_is_passed_on_as_an_absolute_path(clone, target, where, monkeypatch):
    data = clone / ODD / "my data"
    (data / "annotations").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(clone))
    names = {"relative": f"{ODD}/my data", "absolute": str(data), "home": f"~/{ODD}/my data"}
    ((_, _, passed, _),) = called(make(clone, target, names[where]))
    assert passed == str(data)


@pytest.mark.parametrize("target", ["lab", "app", "results"])
@pytest.mark.parametrize("data", [None, "", "mini"])
def test_no_data_folder_is_the_embedded_corpus(clone, target, data):
    ((_, _, passed, _),) = called(make(clone, target, data))
    assert passed == "mini"


@pytest.mark.parametrize("target", ["lab", "app", "results"])
def test_a_missing_data_folder_stops_at_once(clone, target):
    run = make(clone, target, "no such/DEAM")
    assert run.returncode
    assert run.stdout == ""
    assert f"found no folder {str(clone / 'no such' / 'DEAM')!r}" in run.stderr


@pytest.mark.parametrize("backend", ["", "cpu"])
def test_a_build_of_pytorch_is_installed_before_all_else(clone, backend):
    (clone / ".venv" / ".ready").unlink()
    command = ["make", "-n", "workbook", f"TORCH={backend}"]
    lines = subprocess.run(command, cwd=clone, capture_output=True, text=True).stdout.splitlines()
    steps = [line for line in lines if " install " in line]
    assert len(steps) == (2 if backend else 1)
    assert steps[-1].endswith('--editable ".[corpus,notebooks,test]"')
    assert ("--torch-backend cpu --constraint constraints.txt torch" in steps[0]) == bool(backend)


def test_jupyterlab_is_allowed_to_run_as_root_only_where_it_does(clone):
    ((command, *_),) = called(make(clone, "lab"))
    assert ("--allow-root" in command.split()) == (os.getuid() == 0)
    assert command.endswith(" notebooks/00_start_here.ipynb")

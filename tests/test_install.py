"""The wheel works without the repository, and `mer_core` without the course's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import ROOT
from workbook import lesson, results

COURSE = ("anywidget", "ipywidgets", "traitlets", "IPython", "matplotlib", "seaborn", "distributed")
"""What the core does not need; the extra `workbook` and others install it."""
WITHOUT_THE_COURSE = f"import sys; sys.modules.update(dict.fromkeys({COURSE}))\n"
SONG = ROOT / "data" / "mini" / "MEMD_audio" / "1.ogg"
WORK = """
import sys, warnings
import numpy as np, pandas as pd
import mer_core
from mer_core import features, metrics, models, retrieval

assert not mer_core.__file__.startswith(sys.argv[2]), mer_core.__file__
track = features.extract(sys.argv[1], ("compare", "psychoacoustic", "spectral", "tonal", "mel"))
track = track.reset_index("song_id", drop=True)
x = pd.concat({k: track.iloc[10 * k : 10 * k + 10, :8] for k in range(1, 8)}, names=["song_id"])
rng = np.random.default_rng(0)
y = pd.DataFrame(rng.uniform(-1, 1, (len(x), 2)), x.index, ["valence", "arousal"])
systems = [models.Constant(), models.Linear(), models.SVR(every=1), models.ELM(units=3)]
systems += [k(hidden=(3,), epochs=1) for k in (models.ElmanRNN, models.LSTM)]
for model in systems:
    print(type(model).__name__, metrics.score(y, model.fit(x, y).predict(x)).shape)
songs = y.groupby(level="song_id").mean()
print(retrieval.nearest(songs, (0.1, 0.2), k=2))
"""


def python(code: str, *arguments: str, path: Path, cwd: Path) -> subprocess.CompletedProcess:
    """Run code with this environment's packages, `path` first, outside the repository."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MER_", "PYTHON"))}
    environment |= {"PYTHONPATH": str(path), "XDG_CACHE_HOME": str(cwd / "cache")}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy, since building leaves files in the folder of the sources."""
    pytest.importorskip("setuptools", "70.1", reason="older setuptools build no wheels alone")
    folder = tmp_path_factory.mktemp("wheel")
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("mer_core", "workbook"):
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=skipped)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    build = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, "source"]
    subprocess.run([*map(str, build[:-1]), str(folder / "source")], check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the wheel's contents, as `pip install` lays them out."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_the_wheel_holds_both_packages_and_their_data(wheel):
    kinds = {".py", ".conf", ".csv", ".js", ".css", ".md", ".safetensors"}
    files = [path for name in ("mer_core", "workbook") for path in (ROOT / name).rglob("*")]
    expected = {path.relative_to(ROOT).as_posix() for path in files if path.suffix in kinds}
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert found == expected
    assert {Path(name).suffix for name in found} == kinds


def test_the_core_needs_no_package_of_the_course():
    code = "import mer_core\nfrom mer_core import models\nfor package in (mer_core, models):\n"
    code += "    [getattr(package, name) for name in package.__all__]\n"
    code += "import workbook.results, workbook.papers, workbook.commands"
    run = python(WITHOUT_THE_COURSE + code, path=ROOT, cwd=ROOT)
    assert run.returncode == 0, run.stderr


def test_the_core_works_from_the_wheel_outside_the_repository(installed, tmp_path):
    run = python(WITHOUT_THE_COURSE + WORK, str(SONG), str(ROOT), path=installed, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "LSTM (" in run.stdout


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("import mer_core; mer_core.load_corpus()", ["data/mini of the", "load_corpus(path)"]),
        ("from workbook import lesson; lesson.corpus()", ["data/mini of the"]),
        ("from workbook.results import table; table('songs')", ["data/results of", "folder="]),
        ("from workbook.results import stored_scores as s; s()", ["data/results of the"]),
        ("from workbook import lesson; lesson.check_numbers('1', {})", ["data/expected.json of"]),
    ],
)
def test_data_of_the_repository_are_explained_without_it(installed, tmp_path, code, parts):
    run = python(WITHOUT_THE_COURSE + code, path=installed, cwd=tmp_path)
    last = run.stderr.strip().splitlines()[-1]
    for part in ["DataError", "expected", "found none", "clone of the repository", *parts]:
        assert part in last


@pytest.mark.parametrize("write", ["", "write"])
def test_nothing_is_written_beside_an_installed_package(tmp_path, monkeypatch, write):
    monkeypatch.delenv("MER_DATA", raising=False)
    monkeypatch.setenv("MER_EXPECTED", write)
    monkeypatch.setattr(lesson, "EXPECTED", tmp_path / "data" / "expected.json")
    monkeypatch.setattr(results, "RESULTS", tmp_path / "data" / "results")
    with pytest.raises(ValueError, match="clone of the repository"):
        lesson.check_numbers("12", {"a": (1.0, 0.1)})
    with pytest.raises(ValueError, match="clone of the repository"):
        results.compute("baselines", None, folder=results.RESULTS)
    assert not list(tmp_path.iterdir())


def mer(*arguments: str, path: Path, cwd: Path) -> subprocess.CompletedProcess:
    code = "import sys\nfrom mer_core.__main__ import main\nsys.exit(main())"
    return python(WITHOUT_THE_COURSE + code, *arguments, path=path, cwd=cwd)


def test_the_command_line_works_without_the_course(installed, tmp_path, deam):
    for arguments in (
        ["extract", str(SONG), "--out", "features"],
        ["check", str(deam)],
        ["scoreboard", str(deam), "--task", "2014", "--folds", "2"],
    ):
        run = mer(*arguments, path=installed, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
    assert (tmp_path / "features" / "1.csv").exists()
    run = mer("predict", str(SONG), "--out", "c.csv", path=installed, cwd=tmp_path)
    assert run.returncode == 0, run.stderr  # the model is in the package
    assert (tmp_path / "c.csv").exists()
    run = mer("predict", str(SONG), "--train", "mini", path=installed, cwd=tmp_path)
    assert run.returncode == 1
    assert "data/mini of the project's repository" in run.stderr


def test_commands_that_cannot_be_imported_leave_the_others(installed, tmp_path, deam):
    folder = shutil.copytree(installed, tmp_path / "site")
    (folder / "workbook" / "commands.py").write_text("import a_package_that_is_missing")
    run = mer("check", str(deam), path=folder, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "a_package_that_is_missing" in run.stderr
    assert 'pip install "mer-core[workbook]"' in run.stderr

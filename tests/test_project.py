"""What stands in several files has to agree."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib

import pytest
import yaml

from conftest import ROOT
from layout import make_deam
from mer_core.__main__ import main

CONDA_NAMES = {"pytorch": "torch", "pysoundfile": "soundfile", "soxr-python": "soxr"}
CORE = [
    ("arguments", set()),
    ("files", set()),
    ("tracks", {"files"}),
    ("metrics", {"files", "tracks"}),
    ("agreement", {"tracks"}),
    ("smoothing", {"files", "tracks"}),
    ("features", {"files", "tracks"}),
    ("scales", {"files", "metrics", "tracks"}),
    ("corpus", {"files", "scales", "tracks"}),
    ("render", {"files"}),
    (
        "datasets",
        {"agreement", "corpus", "features", "files", "metrics", "render", "scales", "tracks"},
    ),
    ("retrieval", {"files", "tracks"}),
    ("folds", set()),
    ("training", {"files", "tracks"}),
    ("models", {"features", "files", "folds", "metrics", "smoothing", "tracks", "training"}),
    (
        "evaluation",
        {"corpus", "datasets", "files", "folds", "metrics", "smoothing", "tracks", "training"},
    ),
    ("own_songs", {"corpus", "evaluation", "files", "folds", "models", "tracks"}),
]
"""Modules of `mer_core` from the bottom up, and what each may import."""
COURSE = [
    ("raters", set()),
    ("valence", set()),
    ("intervals", {"valence"}),
    ("plots", set()),
    ("units", set()),
    ("studies", {"intervals", "raters", "units", "valence"}),
    ("results", {"studies", "units"}),
    ("papers", {"intervals", "results", "studies"}),
    ("real_music", {"papers", "results", "studies"}),
    ("harmony", {"real_music", "results", "studies", "valence"}),
    ("valence_verdicts", {"harmony", "papers", "real_music", "results", "studies", "valence"}),
    ("paper_tables", {"papers", "real_music", "results", "studies"}),
    ("conclusions", {"harmony", "intervals", "real_music", "results", "valence_verdicts"}),
    ("model_card", {"real_music", "results", "studies"}),
    ("widgets", {"plots"}),
    ("lesson", {"intervals", "results"}),
    ("explore", {"plots", "widgets"}),
    ("commands", {"papers", "real_music", "results", "studies"}),
]
"""Modules of `workbook` from the bottom up, and what each may import of it."""


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements(*, without: tuple[str, ...] = ()) -> dict[str, str]:
    extras = project()["optional-dependencies"]
    groups = [project()["dependencies"], *(extras[name] for name in extras if name not in without)]
    declared = [text for group in groups for text in group if text != "mer-core[workbook]"]
    return dict(re.fullmatch(r"([\w.-]+)(.*)", text).groups() for text in declared)


def test_environment_yml_says_what_pyproject_says():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(item["pip"] for item in listed if isinstance(item, dict))
    entries = [item for item in listed if isinstance(item, str)] + pip
    pairs = [re.fullmatch(r"([\w.-]+)(.*)", x).groups() for x in entries if x[0] != "-"]
    conda = {CONDA_NAMES.get(name, name): versions for name, versions in pairs}
    assert conda.pop("python") == project()["requires-python"]
    for tool in ("pip", "fluidsynth", "ffmpeg"):
        conda.pop(tool)
    assert conda == requirements(without=("bench", "book"))  # `make` installs those alone
    assert "-e ." in pip


def test_constraints_pin_every_requirement_exactly():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pinned)
    names = {line.split("==")[0].lower().replace("-", "_") for line in pinned}
    assert {name.lower().replace("-", "_") for name in requirements()} <= names


def imports(package: str, module: str, *, of: str) -> set[str]:
    """Modules of a package that another module imports."""
    path = ROOT / package / module
    files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{of}."):
                found.add(node.module.split(".")[1])
            elif isinstance(node, ast.ImportFrom) and node.module == of:
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Import):
                names = [alias.name.split(".") for alias in node.names]
                found |= {name[1] for name in names if name[0] == of and name[1:]}
    return found - {module, "Corpus", "load_corpus"}


@pytest.mark.parametrize(("package", "modules"), [("mer_core", CORE), ("workbook", COURSE)])
def test_modules_import_downwards_only(package, modules):
    paths = [path for path in (ROOT / package).iterdir() if path.suffix in ("", ".py")]
    there = {path.stem for path in paths if not path.name.startswith("__")}
    assert {name for name, _ in modules} == there
    above: set[str] = set()
    for module, allowed in modules:
        assert imports(package, module, of=package) <= allowed, module
        assert allowed <= above, module
        above.add(module)


def test_the_core_never_imports_the_course():
    for name in [*(name for name, _ in CORE), "__main__"]:
        assert not imports("mer_core", name, of="workbook"), name


def test_the_layout_lists_the_modules():
    layout = (ROOT / "CONTRIBUTING.md").read_text().split("## Layout")[1].split("\n## ")[0]
    rows = re.findall(r"(?m)^\| (`.*?) \|", layout)
    listed = [name for row in rows for name in row.split("`")[1::2]]
    assert sorted(listed) == sorted(name for name, _ in CORE + COURSE)


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"opensmile", "librosa", "torch", "matplotlib", "sklearn", "pandas"}
    code = f"import sys, mer_core; print({heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_the_readme_is_short_and_its_code_works(tmp_path, capsys, monkeypatch):
    """Python blocks and commands, in their order; `make` targets are what CI runs."""
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_deam(tmp_path / "DEAM")
    song = ROOT / "data" / "mini" / "MEMD_audio" / "1.ogg"
    places = {"song.mp3": song, "path/to/DEAM": tmp_path / "DEAM"}
    places |= {name: tmp_path / name for name in ("curve.csv", "curve.png")}
    names: dict[str, object] = {}
    for kind, block in re.findall(r"```(python)?\n(.*?)```", text, re.S):
        for word, place in places.items():
            block = block.replace(word, str(place))
        if kind:
            exec(block, names)
        for line in [] if kind else block.splitlines():
            if line.startswith(".venv/bin/python -m mer_core "):
                assert main(shlex.split(line, comments=True)[3:]) == 0, line
    assert names["curve"].shape == (90, 6)
    assert (tmp_path / "curve.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "1 (0:45): valence" in printed
    assert "pooled" in printed


def test_the_example_of_the_page_of_code_runs(capsys):
    text = (ROOT / "docs" / "code.md").read_text()
    (example, *_) = [x for x in re.findall(r"```python\n(.*?)```", text, re.S) if "curve" in x]
    song = ROOT / "data" / "mini" / "MEMD_audio" / "1.ogg"
    names: dict[str, object] = {}
    exec(example.replace("song.mp3", str(song)), names)
    assert names["curve"].shape == (90, 2)
    assert "pooled" in capsys.readouterr().out


def test_no_committed_text_names_a_machine():
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    for path in [ROOT / name for name in names]:
        if path.suffix in {".py", ".md", ".toml", ".txt", ".yml", ".js", ".css", ".json", ""}:
            assert not re.search(r"/(root|home|work)/\w", path.read_text()), path

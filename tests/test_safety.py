"""No way out for what is committed or read: no paths, no secrets, no network, no pickles."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pyarrow.parquet
import pytest

from conftest import ROOT
from stress import offline
from test_notebooks import is_saved_by_a_student

PATH = re.compile(
    r"(?<![\w.])/(?:root|home|work|Users|mnt|opt|var|tmp|private)/\w|[A-Z]:\\\\?Users"
)
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}|\bhf_\w{30,}"
    r"|\bsk-[\w-]{30,}|(?i:password|secret|api_?key|token)\s*[=:]\s*['\"]?[\w+/-]{16,}"
)
OUTPUTS = (".ipynb", ".json", ".csv", ".md", ".html", ".svg", ".parquet")
WITHIN = ("notebooks/", "data/results/", "data/expected.json", "docs/")
UNPICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}


@cache
def committed() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def texts(path: Path) -> Iterator[str]:
    """What can be read in a file: of notebooks all but pictures, of Parquet what describes it."""
    if path.suffix == ".parquet":
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
        yield from (value.decode("utf-8", "replace") for value in metadata.values())
    elif path.suffix == ".ipynb":
        yield from _words(json.loads(path.read_text()))
    else:
        yield path.read_text()


def _words(node: object, key: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _words(value, name)
    elif isinstance(node, list):
        yield from (word for value in node for word in _words(value, key))
    elif isinstance(node, str) and not key.startswith(("image/", "audio/")):
        yield re.sub(r"data:[\w/+-]+;base64,[\w+/=]+", "", node)


def test_outputs_hold_no_path_of_a_machine():
    outputs = [name for name in committed() if name.startswith(WITHIN) and name.endswith(OUTPUTS)]
    assert len(outputs) > 40
    for name in outputs:
        if name.endswith(".ipynb") and is_saved_by_a_student(ROOT / name):
            continue
        for text in texts(ROOT / name):
            found = PATH.search(
                text.replace("'/tmp/escaped'", "")
            )  # an input, in docs/bad_input.md
            assert not found, f"{name}: {text[max(0, found.start() - 60) : found.end() + 40]!r}"


def test_nothing_committed_looks_like_a_secret():
    for name in committed():
        if Path(name).suffix in {*OUTPUTS, ".py", ".toml", ".txt", ".yml", ".yaml", ".js", ""}:
            for text in texts(ROOT / name):
                found = SECRET.search(text)
                assert not found, f"{name}: {found[0][:12]}..."


@pytest.mark.parametrize(
    "text", ["/{}/ada/x.py", "see /tmp/abc", "C:\\Users\\ada", "to{} = 'abcdefghij0123456789'"]
)
def test_the_patterns_find_what_they_look_for(text):
    # Put together here, since this file is searched as well.
    text = text.format("home" if text.startswith("/") else "ken")
    assert PATH.search(text) or SECRET.search(text)


def test_the_package_unpickles_and_evaluates_nothing():
    for path in (ROOT / "mer_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '')}"
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
                assert not UNPICKLES & {name.partition(".")[0] for name in names}, where
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in {"eval", "exec", "joblib.load", "torch.load", "os.system"}, where
                words = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert words.get("shell", "False") == "False", where
                assert words.get("allow_pickle", "False") == "False", where


WITHOUT_NETWORK = """
import sys
sys.path.insert(0, 'tests')
from mer_core import features, load_corpus, models
corpus = load_corpus('mini').split('test')
model = models.Linear().fit(corpus.features, corpus.labels)
song = features.read_audio(corpus.songs['audio'].iloc[0])[:88_200], 44_100
print(model.predict(features.extract(song, ('compare', 'psychoacoustic', 'spectral'))).shape)
"""


def test_the_package_works_without_a_network():
    if offline.reason():
        pytest.skip(offline.reason())
    probe = subprocess.run(
        offline.inside(sys.executable, "-c", offline.PROBE), capture_output=True, text=True
    )
    assert probe.returncode == 0, probe.stderr
    run = subprocess.run(
        offline.inside(sys.executable, "-c", WITHOUT_NETWORK),
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.stdout.strip() == "(4, 2)", run.stderr[-2000:]

"""The notebooks are what their sources generate and show nothing of the machine that ran them.

A notebook that a student has saved (and not committed) is theirs: these tests skip it.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from conftest import ROOT
from workbook.widgets.front_end import png

spec = importlib.util.spec_from_file_location("build", ROOT / "notebooks" / "build.py")
builder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(builder)

NAMES = [source.stem for source in builder.SOURCES]
MOST_BYTES = 2 * 2**20


def without_outputs(notebook: nbformat.NotebookNode) -> dict:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return json.loads(json.dumps(notebook))


def is_saved_by_a_student(path: Path) -> bool:
    """Whether another program than the build has saved a notebook since the last commit."""
    return not builder.is_as_built(path, outputs=True) and not builder.is_committed(path)


def checked(name: str, *, solutions: bool = False) -> Path:
    path = builder.FOLDER / ("solutions" if solutions else "") / f"{name}.ipynb"
    if is_saved_by_a_student(path):
        pytest.skip(f"{path.relative_to(ROOT)} has uncommitted changes that no build made")
    return path


def test_there_are_sources_and_no_notebook_without_one():
    assert NAMES
    listed = subprocess.run(
        ["git", "ls-files", "*.ipynb"], cwd=builder.FOLDER, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("needs git: a student's own notebooks may lie beside the lessons")
    both = [f"{folder}{name}.ipynb" for folder in ("", "solutions/") for name in NAMES]
    assert sorted(listed.stdout.splitlines()) == sorted(both)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("solutions", [False, True])
def test_a_notebook_is_what_its_source_generates(name, solutions):
    """Run `python notebooks/build.py --commit` after editing a source."""
    path = checked(name, solutions=solutions)
    stored = nbformat.read(path, as_version=4)
    assert builder.is_as_built(path, outputs=True)
    del stored.metadata[builder.RECORD]
    generated = builder.generate(builder.FOLDER / "source" / f"{name}.py", solutions=solutions)
    assert without_outputs(stored) == without_outputs(generated)
    ids = [cell.id for cell in generated.cells]
    assert len(set(ids)) == len(ids)


def test_a_picture_is_stored_with_its_colours():
    """Thin lines in every colour and a map of all its colours: more than a palette could hold."""
    fig, axes = plt.subplots(2, figsize=(4, 6))
    axes[0].imshow(np.random.default_rng(0).random((30, 30)), cmap="nipy_spectral")
    for number, value in enumerate(np.linspace(0, 1, 12)):
        axes[1].plot([0, 1], [number, number + value], lw=0.7, color=plt.get_cmap("hsv")(value))
    stored = {"image/png": base64.b64encode(png(fig)).decode()}
    before = pixels(stored)
    builder._make_lean(stored)
    assert np.abs(pixels(stored) - before).max() <= 4
    assert len(np.unique(before.reshape(-1, 3), axis=0)) > 1000


def pixels(data: dict) -> np.ndarray:
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_opens_it_with_outputs_of_bearable_size(name):
    path = checked(name)
    code = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert path.stat().st_size <= MOST_BYTES
    assert all(cell.execution_count for cell in code)
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"], "warnings shown"
    assert any("image/png" in output.get("data", {}) for output in outputs)
    for cell in code:
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert folded == builder.is_folded(cell)
        assert folded or builder.CHECK not in cell.source, "a check gives its answer away"


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_a_machine_no_widget_state_and_no_answer_is_stored(name):
    text = checked(name).read_text()
    exercises = text.count('"exercise"')
    assert exercises >= 2
    assert text.count("not answered yet") == exercises
    text = re.sub(r'"image/png": "[^"]*"|base64,[^"\\]*', "", text)
    assert not re.search(r"/(home|root|Users|tmp|work)/", text)
    for word in (builder.MARK.strip(), str(ROOT), "widget-view", "0x7f"):
        assert word not in text


def test_checks_and_cells_with_the_tag_are_folded_and_no_other(tmp_path):
    source = tmp_path / "99_folds.py"
    cells = ["1", 'lesson.check_answer("1", 1, 1)', "2"]
    heads = ["# %%", "# %%", '# %% tags=["hide-input"]']
    source.write_text("\n".join(f"{head}\n{cell}\n" for head, cell in zip(heads, cells)))
    notebook = builder.generate(source, solutions=False)
    assert [cell.source for cell in notebook.cells if "jupyter" in cell.metadata] == cells[1:]


def test_an_exercise_without_a_solution_is_refused(tmp_path):
    source = tmp_path / "99_bad.py"
    source.write_text('# %% tags=["exercise"]\nanswer = ...\n')
    with pytest.raises(ValueError, match=r"99_bad\.py.*answer"):
        builder.generate(source, solutions=False)


# Nothing that a person wrote is overwritten

SHORT = """# %% [markdown]
# # A lesson

# %%
print(1 + 1)

# %% tags=["exercise"]
answer = ...
# solution:
answer = 2
"""


AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@b")


@pytest.fixture
def lessons(tmp_path, monkeypatch):
    """A repository with one short lesson, built and committed by the maintainer's command."""
    folder = tmp_path / "a clone" / "notebooks"
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "00_short.py").write_text(SHORT)
    monkeypatch.setattr(builder, "FOLDER", folder)
    monkeypatch.setattr(builder, "ROOT", folder.parent)
    monkeypatch.setattr(builder, "BUILD", folder.parent / "build" / "notebooks")
    monkeypatch.setattr(builder, "SOURCES", [folder / "source" / "00_short.py"])
    for variable in ("MER_DATA", "MER_EXPECTED"):
        monkeypatch.setenv(variable, "")  # restored afterwards, whatever the command sets
    assert build(monkeypatch, "--commit") == 0
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, *AUTHOR, "commit", "-qm", "A lesson")
    return folder


def git(folder: Path, *words: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    return subprocess.check_output(["git", *words], cwd=folder, text=True)


def build(monkeypatch, *arguments: str) -> int | str | None:
    """The exit status of the command."""
    monkeypatch.setattr("sys.argv", ["build.py", *arguments])
    try:
        return builder.main()
    except SystemExit as stop:
        return stop.code


def edit(path: Path, how: str) -> bytes:
    """Change a notebook as a person does who works in it."""
    notebook = nbformat.read(path, as_version=4)
    if how == "note":
        notebook.cells.append(nbformat.v4.new_markdown_cell("My own notes"))
    elif how == "answer":
        notebook.cells[2].source = "answer = 1 + 1"
    elif how == "order":
        notebook.cells.reverse()
    elif how == "picture":
        notebook.cells[0].attachments = {"a.png": {"image/png": "AAAA"}}
    elif how == "outputs":
        notebook.cells[1].outputs[0].text = "3\n"
        notebook.metadata.language_info.version = "3.11"
    nbformat.write(notebook, path)
    if how == "broken":
        path.write_text("<<<<<<< mine")
    return path.read_bytes()


EDITS = ["note", "answer", "order", "picture", "broken"]


@pytest.mark.parametrize("how", [*EDITS, "outputs"])
def test_the_workbook_leaves_saved_answers(lessons, monkeypatch, capsys, how):
    saved = edit(lessons / "00_short.ipynb", how)
    assert build(monkeypatch) == 0
    assert (lessons / "00_short.ipynb").read_bytes() == saved
    assert git(lessons, "status", "--short", ".").split() == ["M", "00_short.ipynb"]
    executed = lessons.parent / "build" / "notebooks" / "00_short.ipynb"
    said = capsys.readouterr().out
    assert str(executed) in said
    assert "make lab" in said
    assert nbformat.read(executed, 4).cells[1].outputs[0].text == "2\n"


@pytest.mark.parametrize("where", ["00_short.ipynb", "solutions/00_short.ipynb"])
@pytest.mark.parametrize("how", EDITS)
def test_the_maintainers_command_refuses_an_edited_notebook(lessons, monkeypatch, where, how):
    saved = edit(lessons / where, how)
    before = {path: path.read_bytes() for path in lessons.rglob("*.ipynb")}
    said = build(monkeypatch, "--commit")
    assert f"notebooks/{where}: expected the cells that the last build wrote" in said
    assert f"git restore notebooks/{where}" in said
    assert (lessons / where).read_bytes() == saved
    assert {path: path.read_bytes() for path in lessons.rglob("*.ipynb")} == before


def test_answers_saved_while_the_lessons_run_are_refused_too(lessons, monkeypatch, capsys):
    path, execute = lessons / "00_short.ipynb", builder.execute

    def slow(notebook):
        edit(path, "note")
        return execute(notebook)

    monkeypatch.setattr(builder, "execute", slow)
    assert build(monkeypatch, "--commit") == 1
    assert "FAILED: 00_short, notebooks/00_short.ipynb: expected" in capsys.readouterr().out
    assert "My own notes" in path.read_text()


def test_an_edited_source_is_built_and_outputs_alone_do_not_count(lessons, monkeypatch):
    source, path = lessons / "source" / "00_short.py", lessons / "00_short.ipynb"
    for number in (3, 4):  # the second time the notebook is not the committed one either
        source.write_text(SHORT.replace("1 + 1", f"1 + {number}"))
        assert build(monkeypatch, "--commit") == 0
        assert f"print(1 + {number})" in path.read_text()
    edit(path, "outputs")
    assert build(monkeypatch, "--commit") == 0
    assert builder.is_as_built(path, outputs=True)


def test_an_edited_notebook_that_git_holds_is_built_anew(lessons, monkeypatch):
    path = lessons / "00_short.ipynb"
    edit(path, "note")
    git(lessons, *AUTHOR, "commit", "-qam", "By hand")
    assert not is_saved_by_a_student(path)
    assert build(monkeypatch, "--commit") == 0
    assert "My own notes" not in path.read_text()


def test_what_a_person_writes_into_an_executed_lesson_is_kept(lessons, monkeypatch, capsys):
    executed = lessons.parent / "build" / "notebooks" / "00_short.ipynb"
    kept = [executed.with_name(f"00_short.edited-{k}.ipynb") for k in (1, 2)]
    for path in kept:
        assert build(monkeypatch) == 0
        saved = edit(executed, "note")
        assert build(monkeypatch) == 0
        assert path.read_bytes() == saved
        assert f"kept as {path.name}" in capsys.readouterr().out
        assert "My own notes" not in executed.read_text()


def test_a_lesson_that_fails_stops_no_other_and_is_reported(lessons, monkeypatch, capsys):
    bad = lessons / "source" / "01_bad.py"
    bad.write_text("# %%\nimport mer_core\n\n# %%\n# Divide\n1 / 0\n\n# %%\nprint('not run')\n")
    monkeypatch.setattr(builder, "SOURCES", [bad, lessons / "source" / "00_short.py"])
    assert build(monkeypatch) == 1
    said = capsys.readouterr().out
    assert "FAILED: 01_bad, cell 2, which begins with '# Divide': ZeroDivisionError: div" in said
    assert "1 of 2 lessons" in said
    assert "[2/2]" in said
    assert "[glossary](../../docs/glossary.md)" in (builder.BUILD / "00_short.ipynb").read_text()
    assert "ZeroDivisionError" in (builder.BUILD / "01_bad.ipynb").read_text()
    assert build(monkeypatch, "--commit", "01") == 1
    assert not (lessons / "01_bad.ipynb").exists()


def test_a_kill_while_a_notebook_is_written_leaves_the_old_one(lessons, monkeypatch):
    before = (lessons / "00_short.ipynb").read_bytes()

    def full(notebook, path):
        Path(path).write_text("{")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nbformat, "write", full)
    assert build(monkeypatch, "--commit") == 1
    assert (lessons / "00_short.ipynb").read_bytes() == before


def test_ctrl_c_keeps_what_is_done_and_ends_the_kernels(lessons, monkeypatch, capsys):
    slow = lessons / "source" / "01_slow.py"
    slow.write_text("# %%\nimport time\ntime.sleep(300)\n")
    monkeypatch.setattr(builder, "SOURCES", [lessons / "source" / "00_short.py", slow])
    as_completed = builder.as_completed

    def interrupted(tasks):
        yield next(as_completed(tasks))
        raise KeyboardInterrupt

    monkeypatch.setattr(builder, "as_completed", interrupted)
    assert build(monkeypatch) == 130
    assert "Interrupted" in capsys.readouterr().out
    assert [path.name for path in builder.BUILD.iterdir()] == ["00_short.ipynb"]
    assert not builder._running


@pytest.mark.parametrize("arguments", [["12"], ["0"], ["--expected"]])
def test_a_wrong_command_is_refused(lessons, monkeypatch, arguments):
    assert build(monkeypatch, *arguments) == 2


def test_a_missing_corpus_is_refused_before_any_lesson_runs(lessons, monkeypatch, tmp_path):
    monkeypatch.setenv("MER_DATA", str(tmp_path / "no such" / "DEAM"))
    said = build(monkeypatch)
    assert "error: " in said
    assert "no such" in said
    assert not builder.BUILD.exists()

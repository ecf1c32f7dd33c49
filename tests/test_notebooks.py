"""The notebooks are what their sources generate and show nothing of the machine that ran them."""

from __future__ import annotations

import importlib.util
import json
import re

import nbformat
import pytest

from conftest import ROOT

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


def test_there_are_sources_and_no_notebook_without_one():
    assert NAMES
    for folder in (builder.FOLDER, builder.FOLDER / "solutions"):
        assert sorted(path.stem for path in folder.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("solutions", [False, True])
def test_a_notebook_is_what_its_source_generates(name, solutions):
    """Run `python notebooks/build.py` after editing a source."""
    folder = builder.FOLDER / "solutions" if solutions else builder.FOLDER
    stored = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    generated = builder.generate(builder.FOLDER / "source" / f"{name}.py", solutions=solutions)
    assert without_outputs(stored) == without_outputs(generated)


@pytest.mark.parametrize("name", NAMES)
def test_cell_ids_are_unique_and_stable(name):
    source = builder.FOLDER / "source" / f"{name}.py"
    ids = [[cell.id for cell in builder.generate(source, solutions=False).cells] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ids[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_opens_it_with_outputs_of_bearable_size(name):
    path = builder.FOLDER / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size <= MOST_BYTES
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"], "warnings shown"
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_a_machine_and_no_widget_state_is_stored(name):
    text = (builder.FOLDER / f"{name}.ipynb").read_text()
    text = re.sub(r'"image/png": "[^"]*"|base64,[^"\\]*', "", text)
    assert str(ROOT) not in text
    assert not re.search(r"/(home|root|Users|tmp|work)/", text)
    assert "widget-view" not in text
    assert "0x7f" not in text


@pytest.mark.parametrize("name", NAMES)
def test_an_unanswered_exercise_says_so(name):
    text = (builder.FOLDER / f"{name}.ipynb").read_text()
    exercises = text.count('"exercise"')
    assert exercises >= 2
    assert text.count("not answered yet") == exercises
    assert builder.MARK.strip() not in text


@pytest.mark.parametrize("name", NAMES)
def test_what_gives_an_answer_away_is_folded(name):
    notebook = nbformat.read(builder.FOLDER / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            assert folded == ("lesson.check_answer(" in cell.source)


def test_an_exercise_without_a_solution_is_refused(tmp_path):
    source = tmp_path / "99_bad.py"
    source.write_text('# %% tags=["exercise"]\nanswer = ...\n')
    with pytest.raises(ValueError, match=r"99_bad\.py.*answer"):
        builder.generate(source, solutions=False)

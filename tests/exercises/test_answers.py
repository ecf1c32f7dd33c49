"""Every lesson, made from its source, runs with wrong and right answers to its exercises.

`make test` runs this after the quick tests; nbmake runs the lessons with unanswered exercises.
"""

from __future__ import annotations

import nbclient
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from test_exercises import exercises, solved, wrong_answers
from test_notebooks import NAMES, builder


def with_wrong_answers(notebook: NotebookNode, wrong: dict) -> None:
    """Put each exercise's wrong answers, each with the check, before it."""
    for name, (answer, check) in reversed(exercises(notebook).items()):
        source = notebook.cells[check].source
        pairs = [(new_code_cell(e["code"]), new_code_cell(source, metadata=e)) for e in wrong[name]]
        notebook.cells[answer:answer] = [cell for pair in pairs for cell in pair]


@pytest.fixture(autouse=True)
def _embedded_corpus(monkeypatch):
    for variable in ("MER_DATA", "MER_EXPECTED"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_are_rejected_with_a_reason_and_solutions_are_right(name):
    notebook = solved(name)
    with_wrong_answers(notebook, wrong_answers(name))
    folder = {"metadata": {"path": str(builder.FOLDER)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=folder).execute()
    for cell in (cell for cell in notebook.cells if "says" in cell.metadata):
        printed = "".join(output.get("text", "") for output in cell.outputs)
        assert "is not it." in printed, cell.metadata
        assert cell.metadata["says"] in printed, cell.metadata


CHOICES = {
    "picker = ": "picker.valence, picker.arousal, picker.radius = -0.95, 0.9, 0.05",
    "drawing = ": "drawing.valence, drawing.arousal = [None] * 30, [0.5] * 30",
    "def match()": "drawing.arousal = [None] * 30",
}
"""What a reader does in lesson 10 after the cell that holds each key."""


def test_lesson_10_runs_to_its_end_whatever_the_reader_picks_draws_and_uploads():
    notebook = solved("10_explore_by_emotion")
    cells = []
    for cell in notebook.cells:
        other = "my_song = corpus.songs.audio.iloc[5]"
        cell.source = cell.source.replace("my_song = None", other)
        cells += [cell] + [
            new_code_cell(done) for key, done in CHOICES.items() if key in cell.source
        ]
    assert len(cells) == len(notebook.cells) + len(CHOICES)
    assert any("my_song = corpus" in cell.source for cell in cells)
    notebook.cells = cells
    folder = {"metadata": {"path": str(builder.FOLDER)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=folder).execute()
    (titles,) = (cell for cell in cells if "def titled()" in cell.source)
    assert "Draw valence, arousal or both" in str(titles.outputs)

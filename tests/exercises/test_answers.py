"""Every lesson runs with wrong and right answers to its exercises.

nbmake runs it with the exercises unanswered. The lessons are made from their sources, so that
answers saved in `notebooks` are neither run nor overwritten. Not among the quick tests; `make test`
runs them after those.
"""

from __future__ import annotations

import nbclient
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from test_exercises import exercises, solved, wrong_answers
from test_notebooks import NAMES, builder


def with_wrong_answers(notebook: NotebookNode, wrong: dict) -> None:
    """Put each exercise's wrong answers before it, with checks that note what they have to say."""
    for name, (answer, check) in reversed(exercises(notebook).items()):
        notebook.cells[answer:answer] = [
            cell
            for entry in wrong[name]
            for cell in (
                new_code_cell(entry["code"]),
                new_code_cell(notebook.cells[check].source, metadata=entry),
            )
        ]


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
    accepted = []
    for cell in notebook.cells:
        if "says" in cell.metadata:
            told = "".join(output.get("text", "") for output in cell.outputs)
            if "is not it." not in told or cell.metadata["says"] not in told:
                accepted.append((cell.metadata["code"], cell.metadata["says"], told))
    assert not accepted

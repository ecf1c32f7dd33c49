"""Every exercise has a hint, a check, and wrong answers with the check's comments on them.

`exercises/NN.yaml` lists the wrong answers; `exercises/test_answers.py` runs them.
"""

from __future__ import annotations

import re

import pytest
import yaml
from nbformat import NotebookNode

from conftest import ROOT
from test_notebooks import NAMES, builder

CHECK = re.compile(r'lesson\.check_answer\(\s*"(\w+)"')
FEWEST = 2


def wrong_answers(name: str) -> dict[str, list[dict[str, str]]]:
    path = ROOT / "tests" / "exercises" / f"{name.partition('_')[0]}.yaml"
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def solved(name: str) -> NotebookNode:
    return builder.generate(builder.FOLDER / "source" / f"{name}.py", solutions=True)


def exercises(notebook: NotebookNode) -> dict[str, tuple[int, int]]:
    """By name, the place of an exercise's answer and of its check."""
    found, answer = {}, None
    for place, cell in enumerate(notebook.cells):
        if "exercise" in cell.metadata.get("tags", []):
            answer = place
        elif cell.cell_type == "code" and (check := CHECK.search(cell.source)):
            found[check[1]] = (answer, place)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_a_check_with_a_hint_and_wrong_answers(name):
    """Add them to tests/exercises/NN.yaml, as the other lessons have them."""
    notebook, wrong = solved(name), wrong_answers(name)
    tagged = [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]
    places = exercises(notebook)
    assert 2 <= len(tagged) == len(places) <= 3
    assert set(wrong) == set(places)
    for exercise, (answer, check) in places.items():
        assert check == answer + 1
        assert "hint=" in notebook.cells[check].source
        assert len(wrong[exercise]) >= FEWEST, exercise
        assert all(set(entry) == {"says", "code"} for entry in wrong[exercise]), exercise

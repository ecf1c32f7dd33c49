"""A reader in JupyterLab runs the lessons, moves all that moves and answers all exercises.

Two lessons, with all kinds of widgets; MER_BROWSER=all takes every lesson (ten minutes).
"""

from __future__ import annotations

import os

import nbformat
import pytest
from playwright.sync_api import Locator, Page

from browser import pages
from test_exercises import exercises, solved, wrong_answers
from test_notebooks import NAMES, builder

QUICK = ["00_start_here", "10_explore_by_emotion"]
LESSONS = NAMES if os.environ.get("MER_BROWSER") == "all" else QUICK

ERRORS = """() => {
    const { cells } = jupyterapp.shell.currentWidget.content.model;
    const shown = [...cells].flatMap(cell => cell.outputs?.toJSON() ?? []);
    return shown.filter(output => output.output_type === "error" || output.name === "stderr");
}"""
PRINTED = """k => jupyterapp.shell.currentWidget.content.model.cells.get(k).outputs.toJSON()
    .map(output => output.text ?? output.traceback).join("")
"""
RUN = """async ([k, source]) => {
    const notebook = jupyterapp.shell.currentWidget.content;
    if (source !== null) notebook.model.cells.get(k).sharedModel.setSource(source);
    notebook.deselectAll();
    notebook.activeCellIndex = k;
    await jupyterapp.commands.execute("notebook:run-cell");
}"""
IDLE = """() => {
    const { session } = jupyterapp.shell.currentWidget.sessionContext;
    return session.kernel.status === "idle";
}"""
PICTURE = """async slider => {
    const image = slider.querySelector("img");
    await image.decode();
    const file = await (await fetch(image.src)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file)).join();
    return [slider.querySelector("output").textContent, image.naturalWidth, digest];
}"""


def move(page: Page, slider: Locator) -> int:
    """Move a slider from its lowest position to its highest: each has another picture."""
    knob = slider.locator("input")
    knob.focus()
    page.keyboard.press("Home")
    seen = []
    for position in range(int(knob.get_attribute("max")) + 1):
        if position:
            page.keyboard.press("ArrowRight")
        assert knob.input_value() == str(position)
        page.wait_for_function(
            "([output, before]) => output.textContent !== before",
            arg=[slider.locator("output").element_handle(), seen[-1][0] if seen else ""],
        )
        seen.append(slider.evaluate(PICTURE))
    values, widths, pictures = zip(*seen)
    assert len(set(values)) == len(set(pictures)) == len(seen) > 1
    assert min(widths) > 300
    return len(seen)


def point_and_draw(page: Page) -> None:
    """Pick on every plane, draw on every profile: all answers below follow without an error."""
    for plane in page.locator(".mer-picker rect").all():
        pages.drag(page, plane, (0.2, 0.8), (0.2, 0.75))
    for plot in page.locator(".mer-drawing .mer-curves").all():
        pages.drag(page, plot, (0.05, 0.9), (0.5, 0.5), (0.95, 0.1))
    page.wait_for_timeout(500)
    page.wait_for_function(IDLE)


def answer(page: Page, places: tuple[int, int], code: str) -> str:
    """What the check says to an answer."""
    for place, source in zip(places, (code, None)):
        page.evaluate(RUN, [place, source])
    return page.evaluate(PRINTED, places[1])


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_moves_and_checks_answers(browser, lab, home, name):
    lesson = builder.generate(builder.FOLDER / "source" / f"{name}.py", solutions=False)
    nbformat.write(lesson, home / f"{name}.ipynb")
    solution = solved(name).cells
    with pages.visit(browser, f"{lab}/{name}.ipynb?reset", **pages.HIGH) as page:
        pages.run_all_cells(page)
        assert page.evaluate(ERRORS) == []
        moved = [move(page, slider) for slider in page.locator(".figure-slider").all()]
        assert len(moved) == sum(cell.source.count("FigureSlider.draw(") for cell in lesson.cells)
        point_and_draw(page)
        checked = exercises(lesson)
        rejected = 0
        for exercise, places in checked.items():
            question = lesson.cells[places[0]].source
            wrong = [entry["code"] for entry in wrong_answers(name)[exercise]]
            for code in (*wrong, question.replace("...", "None"), question.replace("...", "'?'")):
                said = answer(page, places, code)
                assert said.startswith(f"Exercise {exercise}: "), (code, said)
                assert "is not it." in said, (code, said)
                rejected += 1
            said = answer(page, places, solution[places[0]].source)
            assert said.strip() == f"Exercise {exercise}: right."
        assert page.evaluate(ERRORS) == []
    print(f"{name}: {len(moved)} sliders at {sum(moved)} positions, {rejected} wrong answers "
          f"rejected, {len(checked)} exercises solved")  # fmt: skip

from __future__ import annotations

import shutil
import time

import pytest
from playwright.sync_api import Page

from browser import pages, showcase
from conftest import ROOT

PREFIX = "/user/student/"
"""Of all addresses, as behind a hub."""


def test_widgets_answer_to_mouse_and_keys_in_both_themes_and_clean_up(browser, lab, home):
    pages.write_notebook(home / "showcase.ipynb", showcase.SOURCE)
    with pages.visit(browser, f"{lab}/showcase.ipynb?reset", **pages.HIGH) as page:
        pages.run_all_cells(page)
        page.wait_for_selector(".said")
        showcase.hear(page)
        showcase.seek(page)
        point_and_draw(page)
        showcase.pick(page)
        showcase.edit(page)
        for theme in ("light", "dark"):
            pages.use_theme(page, theme)
            showcase.read(page, theme)
        take_down(page)


def point_and_draw(page: Page) -> None:
    plane = page.locator(".mer-picker rect")
    pages.drag(page, plane, (0.75, 0.25), (0.75, 0.05))
    said = showcase.wait_until_said(page, "said.picked[2] > 0.39")
    assert said["picked"] == pytest.approx([0.5, 0.5, 0.4], abs=0.02)
    plot = page.locator(".mer-drawing .mer-curves")
    begin = time.monotonic()
    pages.drag(page, plot, (0, 0.5), (0.5, 0.25), (1, 0.25))
    most = 10 * (time.monotonic() - begin) + 2  # ten times a second, and once more behind it
    said = showcase.wait_until_said(page, "Math.abs(said.valence[59] - 0.5) < 0.02")
    assert said["strokes"] <= most
    rising, level = said["valence"][:30], said["valence"][30:]
    assert rising == pytest.approx([k / 60 for k in range(30)], abs=0.03)
    assert level == pytest.approx([0.5] * 30, abs=0.03)
    pages.drag(page, plot, (0.75, 0.9), (0.8, 0.9))
    said = showcase.wait_until_said(page, "Math.abs(said.valence[48] + 0.8) < 0.02")
    assert said["valence"][:44] == pytest.approx(rising + level[:14])


def take_down(page: Page) -> None:
    """A widget whose output is cleared stops its sound and gives its memory back."""
    page.evaluate("""() => {
        window.revoked = [];
        const revoke = URL.revokeObjectURL;
        URL.revokeObjectURL = url => (revoked.push(url), revoke.call(URL, url));
    }""")
    audio = page.query_selector(showcase.SOUND)
    url = audio.get_attribute("src")
    page.locator(".mer-player button").click()
    page.wait_for_function("audio => !audio.paused", arg=audio)
    page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.wait_for_function("audio => audio.paused && !audio.src", arg=audio)
    assert url in page.evaluate("revoked")


def test_a_lesson_shows_its_picture_unrun_and_its_slider_moves_when_run(browser, lab, home):
    lesson = ROOT / "notebooks" / "00_start_here.ipynb"
    shutil.copy(lesson, home)
    with pages.visit(browser, f"{lab}/{lesson.name}?reset", **pages.HIGH) as page:
        page.wait_for_selector(".jp-RenderedImage img", state="attached")
        assert page.locator(".figure-slider").count() == 0
        pages.run_all_cells(page)
        slider = page.locator(".figure-slider input").first
        slider.wait_for()
        picture = page.locator(".figure-slider img").first
        value = page.locator(".figure-slider output").first
        before = picture.get_attribute("src"), value.text_content()
        slider.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "before => document.querySelector('.figure-slider img').src !== before", arg=before[0]
        )
        assert value.text_content() != before[1]
        assert slider.get_attribute("aria-valuetext") == value.text_content()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300


PICK = """
import pandas as pd
from workbook import widgets
picker = widgets.PlanePicker(pd.DataFrame({"valence": [0.1], "arousal": [0.2]}))
picker
"""
ANSWER = """
widgets.show_live(picker, ["valence"], lambda: f"valence is {picker.valence:.1f}")
"""
PICTURE = """
from matplotlib import pyplot as plt
wide = lambda: 1 + (picker.valence > 0)
widgets.show_live(picker, ["valence"], lambda: plt.subplots(figsize=(wide(), 1))[0])
"""


def test_answers_below_other_cells_change_while_the_reader_picks(browser, lab, home):
    pages.write_notebook(home / "live.ipynb", PICK, ANSWER, PICTURE)
    with pages.visit(browser, f"{lab}/live.ipynb?reset", **pages.HIGH) as page:
        pages.run_all_cells(page)
        outputs = page.locator(".jp-OutputArea-output")
        outputs.filter(has_text="valence is 0.0").wait_for()
        before = page.locator(".jp-RenderedImage img").get_attribute("src")
        page.locator(".mer-picker rect").scroll_into_view_if_needed()
        page.mouse.click(*pages.at(page.locator(".mer-picker rect"), 0.75, 0.5))
        outputs.filter(has_text="valence is 0.5").wait_for()
        assert outputs.filter(has_text="valence is").count() == 1
        page.wait_for_function(
            """before => [...document.querySelectorAll('.jp-RenderedImage img')]
                .some(image => image.src !== before && image.naturalWidth)""",
            arg=before,
        )

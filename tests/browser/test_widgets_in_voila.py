from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from browser import pages, showcase

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1100, "height": 900}}


@pytest.fixture(scope="module")
def voila(browser, tmp_path_factory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("voila")
    pages.write_notebook(home / "showcase.ipynb", showcase.SOURCE)
    shutil.copy(pages.APP / "voila.json", home)
    with pages.server([*pages.VOILA, "showcase.ipynb"], home) as url:
        yield url


def test_widgets_answer_on_a_phone(browser, voila):
    with pages.visit(browser, voila, **PHONE) as page:
        page.wait_for_selector(".said")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        tap_and_draw(page)
        showcase.hear(page)


def tap_and_draw(page: Page) -> None:
    plane = page.locator(".mer-picker rect")
    page.touchscreen.tap(*pages.at(plane, 0.25, 0.25))
    said = showcase.wait_until_said(page, "said.picked[0] < -0.4")
    assert said["picked"] == pytest.approx([-0.5, 0.5, 0.25], abs=0.02)
    pages.drag_by_finger(page, plane, (0.75, 0.5), (0.75, 0.4), (0.75, 0.25))
    said = showcase.wait_until_said(page, "said.picked[2] > 0.4")
    assert said["picked"] == pytest.approx([0.5, 0, 0.5], abs=0.03)
    plot = page.locator(".mer-drawing .mer-curves")
    top = page.evaluate("scrollY")
    pages.drag_by_finger(page, plot, (0.02, 0.9), (0.3, 0.7), (0.6, 0.3), (0.98, 0.1))
    said = showcase.wait_until_said(page, "said.valence[59] > 0.7")
    assert said["valence"] == sorted(said["valence"])
    assert said["valence"][0] == pytest.approx(-0.8, abs=0.05)
    pages.at(plot, 0, 0)
    assert page.evaluate("scrollY") == pytest.approx(top, abs=200)


def test_widgets_answer_to_keys_in_the_dark(browser, voila):
    with pages.visit(browser, f"{voila}/?theme=dark", **DESK) as page:
        page.wait_for_selector(".said")
        showcase.read(page, "dark")
        showcase.seek(page)
        showcase.pick(page)
        showcase.edit(page)

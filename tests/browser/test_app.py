from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from browser import pages
from conftest import ROOT

SONG = ROOT / "data" / "mini" / "MEMD_audio" / "1.ogg"
PHONE = {"viewport": {"width": 360, "height": 740}}
PREFIX = "/user/student/"
"""Of all addresses, as behind a hub."""


@pytest.fixture(scope="module")
def app(browser, tmp_path_factory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("app")
    command = [*pages.VOILA, "explore.ipynb", f"--Voila.base_url={PREFIX}"]
    with pages.server(command, home, folder=pages.APP) as url:
        yield url + PREFIX


def test_songs_are_found_by_a_point_by_a_drawing_and_the_page_survives_a_wrong_file(browser, app):
    with pages.visit(browser, app, **PHONE) as page:
        page.wait_for_selector(".mer-picker")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        point(page)
        draw(page)
        drop(page)
        hear_what_was_drawn(page)


def songs(page: Page) -> list[str]:
    return page.locator("select:visible[size] option").all_text_contents()


def wait_for_other_songs(page: Page, before: list[str]) -> list[str]:
    page.wait_for_function(
        """before => {
            const list = [...document.querySelectorAll("select[size]")].find(it => it.offsetParent);
            const texts = [...(list?.options ?? [])].map(option => option.text);
            return texts.length && JSON.stringify(texts) !== JSON.stringify(before);
        }""",
        arg=before,
    )
    return songs(page)


def choose_and_hear(page: Page) -> float:
    """Play the first song of the list a while; give the time at which it began."""
    page.locator("select:visible[size]").select_option(index=0)
    page.wait_for_selector(".mer-player:visible button")
    begin = page.locator(".mer-player:visible audio").evaluate("audio => audio.currentTime")
    button = page.locator(".mer-player:visible button")
    button.click()
    page.locator(".mer-player:visible audio").evaluate(
        """(audio, begin) => new Promise(done => audio.addEventListener(
            "timeupdate", () => audio.currentTime > begin + 1 && done()))""",
        begin,
    )
    button.click()
    assert page.locator(".mer-player:visible .mer-plane .mer-point").count() >= 1
    return begin


def point(page: Page) -> None:
    before = songs(page)
    page.mouse.click(*pages.at(page.locator(".mer-picker rect"), 0.8, 0.2))
    happy = wait_for_other_songs(page, before)
    assert len(happy) == 8
    distances = [float(text.split(":")[0]) for text in happy]
    assert distances == sorted(distances)
    choose_and_hear(page)


def draw(page: Page) -> None:
    page.get_by_role("tab", name="Draw it").click()
    plot = page.locator(".mer-drawing .mer-curves")
    pages.drag(page, plot, (0, 0.6), (0.5, 0.5), (1, 0.3))
    page.locator(".mer-drawing input[value=arousal]").check()
    before = wait_for_other_songs(page, [])
    pages.drag(page, plot, (0, 0.5), (1, 0.1))
    assert len(wait_for_other_songs(page, before)) == 8
    # What is drawn is sent within 0.1 s; whatever Python is asked next, it answers after that.
    page.evaluate("new Promise(done => setTimeout(done, 150))")


def drop(page: Page) -> None:
    page.get_by_role("tab", name="Bring your own").click()
    wrong = {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"no sound at all"}
    page.set_input_files(".mer-file input", wrong)
    page.wait_for_function(
        "document.querySelector('.mer-file output').textContent.includes('expected')"
    )
    assert page.locator(".mer-file output").text_content().startswith("song.mp3")
    page.set_input_files(".mer-file input", str(SONG))
    page.wait_for_function(
        "document.querySelector('.mer-file output').textContent.includes('1.ogg (0:45): valence')"
    )
    page.wait_for_function("document.querySelectorAll('img.widget-image').length >= 2")
    shown = [image for image in page.locator("img.widget-image").all() if image.is_visible()]
    widths = [image.bounding_box()["width"] for image in shown]
    assert len(widths) == 2  # the curve with its band, and the plane
    assert all(250 < width <= 360 for width in widths)
    page.get_by_text("About the model").click()
    page.get_by_role("heading", name="The model in the package").wait_for()


def hear_what_was_drawn(page: Page) -> None:
    page.get_by_role("tab", name="Draw it").click()
    begin = choose_and_hear(page)
    assert begin >= 15  # mini's songs are rated from there
    picture = page.locator("img.widget-image:visible")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    assert "drawn" in page.locator(".mer-player:visible li").all_text_contents()[-1]

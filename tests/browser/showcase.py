"""The three widgets on one page, with a line in which Python says what it knows of them."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Page

from browser.pages import at

SOURCE = """
import json

import ipywidgets
import numpy as np
import pandas as pd

from workbook.widgets import PlanePicker, Player, ProfileDrawing

time = np.arange(0, 8, 0.5)
rated = pd.DataFrame({"valence": 0.2 * time - 0.8, "arousal": 0.8 - 0.2 * time}, index=time)
sound = 0.4 * np.sin(2 * np.pi * 330 * np.arange(8 * 44_100) / 44_100)
tracks = {"rated": rated, "predicted": rated / 2}
player = Player((sound, 44_100), tracks, title="a tone", start=1, end=7)
grid = [[v, a] for v in np.linspace(-0.9, 0.9, 10) for a in np.linspace(-0.9, 0.9, 10)]
picker = PlanePicker(pd.DataFrame(grid, columns=["valence", "arousal"]))
drawing = ProfileDrawing(30)
said = ipywidgets.Label().add_class("said")
strokes = []
drawing.observe(strokes.append, "valence")


def say(change=None):
    picked = [picker.valence, picker.arousal, picker.radius]
    drawn = {name: list(column) for name, column in drawing.profile.items()}
    heard = {"time": player.time, "playing": player.playing, "strokes": len(strokes)}
    inside = {"inside": int(picker.inside().sum())}
    said.value = json.dumps(heard | inside | {"picked": picked} | drawn)


for widget in (player, picker, drawing):
    widget.observe(say)
say()
page = ipywidgets.VBox([player, picker, drawing, said])
page
"""

SOUND = ".mer-player audio"
LOOK = """() => new Promise(done => {
    const seen = [];
    const audio = document.querySelector(".mer-player audio");
    const points = document.querySelectorAll(".mer-plane .mer-point");
    const look = () => {
        seen.push([audio.currentTime, ...[...points].map(point => point.getAttribute("d"))]);
        seen.length < 20 ? requestAnimationFrame(look) : done(seen);
    };
    requestAnimationFrame(look);
})"""


def wait_until_said(page: Page, condition: str) -> dict:
    """Wait until the condition, JavaScript on what Python `said`, holds; give what it said."""
    said = "JSON.parse(document.querySelector('.said').textContent.replaceAll('NaN', 'null'))"
    return page.wait_for_function(
        f"() => {{ const said = {said}; return {condition} ? said : null }}"
    ).json_value()


def hear(page: Page) -> None:
    """Play the stretch: the points move with the sound, which ends where it has to."""
    button = page.locator(".mer-player button")
    button.click()
    page.wait_for_function(f"document.querySelector('{SOUND}').currentTime > 1.5")
    seen = page.evaluate(LOOK)
    for (before, *_), (now, *paths) in pairwise(seen):
        for path, share in zip(paths, (1, 0.5)):
            x, y = map(float, path.removeprefix("M").removesuffix("h0").split(" "))
            assert y == pytest.approx(x)  # this track has arousal = -valence, and y points down
            assert before - 0.05 <= (x / share + 0.8) / 0.2 <= now + 0.05  # s
    assert len({path for _, path, _ in seen}) > 5
    wait_until_said(page, "said.playing && said.time > 1.5")
    button.click()
    assert page.evaluate(f"document.querySelector('{SOUND}').paused")
    wait_until_said(page, "!said.playing")


def seek(page: Page) -> None:
    """Seek by pointer and by keys; near its end the stretch stops, then starts again."""
    slider = page.locator(".mer-player input[type=range]")
    page.mouse.click(*at(page.locator(".mer-player .mer-sound"), 6.4 / 8, 0.5))
    wait_until_said(page, "Math.abs(said.time - 6.4) < 0.1")
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_until_said(page, "Math.abs(said.time - 6.5) < 0.1")
    told = slider.get_attribute("aria-valuetext")
    for part in ("6.5 s", "rated: valence 0.50, arousal \u22120.50", "predicted: valence 0.25"):
        assert part in told
    page.locator(".mer-player button").press("Enter")
    said = wait_until_said(page, "!said.playing && said.time > 6.95")
    assert said["time"] < 7.9  # the song has 8 s


def pick(page: Page) -> None:
    """Move the point and change the radius by keys."""
    plane = page.locator(".mer-picker svg")
    before = wait_until_said(page, "true")["picked"]
    plane.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "Shift+ArrowUp", "+", "+", "-"):
        page.keyboard.press(key)
    after = np.add(before, (0.05, 0.1, 0.1)).round(3).tolist()
    close = " && ".join(
        f"Math.abs(said.picked[{k}] - {value}) < 0.002" for k, value in enumerate(after)
    )
    said = wait_until_said(page, close)
    output = page.locator(".mer-picker output")
    assert output.text_content() == f"{said['inside']} of 100 inside"
    assert plane.get_attribute("role") == "slider"
    assert "arrows" in plane.get_attribute("aria-label")
    assert plane.get_attribute("aria-valuetext").startswith("valence ")


def edit(page: Page) -> None:
    """Draw by keys: two moments of arousal, and what lies between is bridged; then clear it."""
    plot = page.locator(".mer-drawing .mer-curves")
    page.locator(".mer-drawing input[value=arousal]").check()
    plot.focus()
    for key in ("Home", "ArrowUp", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    said = wait_until_said(page, "said.arousal[2] !== null && Math.abs(said.arousal[2]) < 1e-9")
    assert said["arousal"][:3] == pytest.approx([0.1, 0.05, 0])
    assert plot.get_attribute("aria-valuetext") == "arousal at 1.0 s: 0.00"
    page.locator(".mer-drawing button").click()
    said = wait_until_said(page, "said.arousal[0] === null")
    assert page.locator(".mer-drawing output").text_content() == "arousal cleared"


def read(page: Page, theme: str) -> None:
    """Text and curves stand out from the ground, which is as light or dark as the theme."""
    colours = page.evaluate("""() => {
        const style = (name) => getComputedStyle(document.querySelector(name));
        return {
            ground: style(".mer").backgroundColor,
            text: style(".mer").color,
            valence: style(".mer-drawn.mer-valence").stroke,
            arousal: style(".mer-drawn.mer-arousal").stroke,
        };
    }""")
    light = {name: luminance(colour) for name, colour in colours.items()}
    assert light["ground"] > 0.9 if theme == "light" else light["ground"] < 0.1
    for name, least in {"text": 7, "valence": 3, "arousal": 3}.items():
        dark, bright = sorted((light[name], light["ground"]))
        assert (bright + 0.05) / (dark + 0.05) > least, (theme, colours)


def luminance(colour: str) -> float:
    """Relative luminance of a colour, as the guidelines for accessible content (WCAG) have it."""
    parts = np.array(re.findall(r"[\d.]+", colour)[:3], float) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))

"""Take the pictures of the widgets in docs/pictures: `python tests/browser/screenshots.py`."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from browser import pages  # noqa: E402
from mer_core import load_corpus, models  # noqa: E402
from mer_core.files import written_atomically  # noqa: E402
from mer_core.smoothing import moving_average  # noqa: E402

SOURCE = """
import ipywidgets
import pandas as pd

from mer_core import load_corpus
from workbook.widgets import PlanePicker, Player, ProfileDrawing

corpus = load_corpus("mini")
predicted = pd.read_csv("predicted.csv", index_col=["song_id", "time"])
(song,) = predicted.index.unique("song_id")
tracks = {"rated": corpus.labels.loc[song], "predicted": predicted.loc[song]}
audio = corpus.songs.loc[song, "audio"]
title = "A synthetic song, and a model that has not heard it"
player = Player(audio, tracks, title=title, start=20, end=35)
ipywidgets.VBox([player, PlanePicker(corpus.songs), ProfileDrawing(30)])
"""

SONG = 46
SIZES = {"desk": {"width": 1000, "height": 900}, "phone": {"width": 360, "height": 900}}


def predict(path: Path) -> None:
    corpus = load_corpus("mini")
    others = corpus.labels.drop(SONG)
    model = models.SVR().fit(corpus.features.loc[others.index.unique("song_id")], others)
    moving_average(model.predict(corpus.features.loc[[SONG]])).to_csv(path)


def stage(page: Page) -> None:
    """Bring every widget into a state that shows what it does."""
    page.wait_for_selector(".mer-drawing")
    plot = page.locator(".mer-drawing .mer-curves")
    wave = [(0, 0.7), (0.2, 0.62), (0.35, 0.3), (0.55, 0.22), (0.8, 0.45), (1, 0.5)]
    pages.drag(page, plot, *wave)
    page.locator(".mer-drawing input[value=arousal]").check()
    pages.drag(page, plot, *[(x, 0.9 - 0.8 * x) for x in (0, 0.25, 0.4)])
    pages.drag(page, plot, (0.7, 0.35), (0.8, 0.2), (0.9, 0.25))
    pages.drag(page, page.locator(".mer-picker rect"), (0.68, 0.3), (0.68, 0.13))
    page.locator(".mer-player button").click()
    page.wait_for_function("document.querySelector('.mer-player audio').currentTime > 26")
    page.locator(".mer-player button").click()
    page.mouse.move(0, 0)


def save(widget: Locator, path: Path) -> None:
    with Image.open(io.BytesIO(widget.screenshot())) as image, written_atomically(path) as part:
        image.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(part, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Show the widgets in a Voila page in each of the views, and store what is seen."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        predict(home / "predicted.csv")
        pages.write_notebook(home / "widgets.ipynb", SOURCE)
        browser = pages.launch(playwright)
        shutil.copy(pages.APP / "voila.json", home)
        with pages.server([*pages.VOILA, "widgets.ipynb"], home) as url:
            for theme in ("light", "dark"):
                with pages.visit(browser, f"{url}/?theme={theme}", device_scale_factor=2) as page:
                    stage(page)
                    for size, pixels in SIZES.items():
                        page.set_viewport_size(pixels)
                        for name in ("player", "picker", "drawing"):
                            picture = f"docs/pictures/{name}-{theme}-{size}.png"
                            save(page.locator(f".mer-{name}"), ROOT / picture)
        browser.close()


if __name__ == "__main__":
    main()

"""Jupyter servers with a home of their own, and what tests do on the pages they serve."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright

APP = Path(__file__).parents[2] / "app"
"""The explorer's page: its notebook, Voila's settings and template."""

PATIENCE = 180
"""s that a page or a server may take on a slow machine."""

HIGH = {"viewport": {"width": 1200, "height": 1000}}
"""Options of :func:`visit`: a page that shows much of a notebook."""

VOILA = ("voila", "--no-browser")
LAB = (
    "jupyterlab",
    "--no-browser",
    "--allow-root",
    "--IdentityProvider.token=",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def chromium() -> str:
    """Path of the system's Chromium; without one the test is skipped or, if required, fails."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        give_up = pytest.fail if os.environ.get("MER_BROWSER") else pytest.skip
        give_up("needs Chromium (Debian: apt-get install chromium), and none is on the PATH")
    return path


def launch(playwright: Playwright) -> Browser:
    """Start a browser that finds nothing outside this machine."""
    arguments = [
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ]
    return playwright.chromium.launch(executable_path=chromium(), args=arguments)


@contextmanager
def visit(browser: Browser, url: str, **options: object) -> Iterator[Page]:
    """Open a page; in the end no request may have left the machine, and no error have come up."""
    context = browser.new_context(**options)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("request", lambda sent: faults.append(sent.url) if _leaves(sent.url) else None)
    page.goto(url)
    yield page
    context.close()
    assert not faults, faults


def _leaves(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:"))


@contextmanager
def server(module: Sequence[str], home: Path, *, folder: Path | None = None) -> Iterator[str]:
    """Run `python -m ...`, a Jupyter server with a home of its own; give its address.

    It serves its home, or the given folder.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    own = {name: str(home / f".{name.lower()}") for name in folders}
    # The list of fonts alone is shared: finding them takes seconds.
    own |= {"HOME": str(home), "MPLCONFIGDIR": mpl.get_cachedir(), "OMP_NUM_THREADS": "1"}
    own |= {"JUPYTER_PATH": str(APP)}
    with (home / ".log").open("w") as log:
        command = [sys.executable, "-m", *module, f"--port={port}"]
        options = {"cwd": folder or home, "env": os.environ | own, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command, stdout=log, **options)
    try:
        _wait_for(port, process, home / ".log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    limit = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < limit:
        try:
            # No request: each page that Voila gives starts a kernel.
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except OSError:
            time.sleep(0.1)
    return pytest.fail(f"no server on port {port}:\n{log.read_text()}")


def write_notebook(path: Path, *sources: str) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def run_all_cells(page: Page) -> None:
    """Run the notebook that JupyterLab has opened; the Run menu would be flaky."""
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext")
    page.evaluate("""async () => {
        await jupyterapp.restored;
        const { context, sessionContext } = jupyterapp.shell.currentWidget;
        await context.ready;
        await sessionContext.ready;
        await sessionContext.session.kernel.info;
        await jupyterapp.commands.execute("notebook:run-all-cells");
    }""")


def use_theme(page: Page, name: str) -> None:
    page.evaluate(
        "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {name.title()}",
    )
    light = json.dumps(name == "light")
    page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")


def at(place: Locator, x: float, y: float) -> tuple[float, float]:
    """Pixels of a point on an element, given in shares of its width and height from top left."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, place: Locator, *points: tuple[float, float]) -> None:
    """Draw with the mouse over points given as in :func:`at`."""
    first, *others = [at(place, *point) for point in points]
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=10)
    page.mouse.up()


def drag_by_finger(page: Page, place: Locator, *points: tuple[float, float]) -> None:
    """Draw with one finger over points given as in :func:`at`."""
    touch = page.context.new_cdp_session(page)
    pixels = [at(place, *point) for point in points]
    for k, (x, y) in enumerate(pixels):
        kind = "touchMove" if k else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

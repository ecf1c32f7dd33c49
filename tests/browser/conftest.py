from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser import pages


# For one module, not the session: a browser keeps an event loop running, and tests of other modules
# that come to the same worker need their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    pages.chromium()
    with sync_playwright() as playwright:
        browser = pages.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("lab")


SETTINGS = {
    # JupyterLab would ask whether it may look for news, in a window over the page.
    "apputils-extension/notification": {"fetchNews": "false"},
    # It would take cells that are out of sight off the page, with their sliders.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@pytest.fixture(scope="module")
def lab(browser, home, request) -> Iterator[str]:
    """Address of JupyterLab's home; add "?reset", else it also opens the notebook of before.

    A module's `PREFIX` is that of all its addresses, as a hub gives each student one.
    """
    prefix = getattr(request.module, "PREFIX", "/")
    for name, settings in SETTINGS.items():
        path = home / ".jupyter_config_dir/lab/user-settings/@jupyterlab" / name
        path.parent.mkdir(parents=True)
        path.with_suffix(".jupyterlab-settings").write_text(json.dumps(settings))
    with pages.server([*pages.LAB, f"--ServerApp.base_url={prefix}"], home) as url:
        yield f"{url}{prefix}lab/tree"

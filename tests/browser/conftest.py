from __future__ import annotations

from collections.abc import Iterator

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

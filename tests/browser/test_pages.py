from __future__ import annotations

import pytest

from browser import pages


def test_without_chromium_tests_are_skipped_unless_it_is_required(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MER_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs Chromium"):
        pages.chromium()
    monkeypatch.setenv("MER_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match="needs Chromium"):
        pages.chromium()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<img src='https://example.org/a.png'>", "https://example.org/a.png"),
        ("<script>console.error('oh')</script>", "oh"),
        ("<script>no_such_function()</script>", "no_such_function is not defined"),
    ],
)
def test_a_page_that_asks_outside_or_errs_is_found_out(browser, body, fault):
    with (
        pytest.raises(AssertionError, match=fault),
        pages.visit(browser, f"data:text/html,{body}") as page,
    ):
        page.wait_for_load_state("networkidle")

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

"""The page of bad inputs says what the tests hold."""

from __future__ import annotations

import bad_inputs


def test_the_page_is_current():
    """Rows and what is expected; what is found may be a library's words, and differ."""
    written = bad_inputs.PAGE.read_text()
    assert _without_found(written) == _without_found(bad_inputs.page()), "run tests/bad_inputs.py"


def test_every_message_has_three_parts():
    rows = [line for line in bad_inputs.PAGE.read_text().splitlines() if line.startswith("| ")]
    rows = [row for row in rows if row != "| what is wrong | message |"]
    assert len(rows) == sum(map(len, bad_inputs.cases().values())) >= 200
    assert all("expected " in row and " found " in row for row in rows)


def _without_found(text: str) -> list[str]:
    return [line.split(" found ")[0] if line[0:1] == "|" else line for line in text.splitlines()]

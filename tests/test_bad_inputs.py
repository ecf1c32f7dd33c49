"""The page of bad inputs has the cases of the tests and the values that their messages name."""

from __future__ import annotations

import re

import bad_inputs


def test_the_page_is_current():
    written = rows(bad_inputs.PAGE.read_text())
    assert written == rows(bad_inputs.page()), "run tests/bad_inputs.py"
    assert len(written) == len(bad_inputs.cases()) >= 60
    assert len({name for name, *_ in written}) > 0.9 * len(written), "names of their own"


def rows(text: str) -> list[tuple]:
    """Case, place, and the quoted values and numbers that are expected, not the wording."""
    cases = [line.split(" | ", 1) for line in text.splitlines() if re.match(r"\| (?!what )", line)]
    found = []
    for name, message in cases:
        where, _, rest = message.partition(": expected ")
        expected, found_, _ = rest.partition(" found ")
        assert expected and found_, message
        found.append((name, where, re.findall(r"'[^']*'|\d[\d.]*", expected)))
    return found

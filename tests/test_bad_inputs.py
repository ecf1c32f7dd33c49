"""The page of bad inputs has the cases of the tests and the values that their messages name."""

import re

import bad_inputs


def test_the_page_is_current():
    written = rows(bad_inputs.PAGE.read_text())
    assert written == rows(bad_inputs.page()), "run tests/bad_inputs.py"
    assert len(written) == sum(map(len, bad_inputs.cases().values())) >= 200
    assert len({name for name, *_ in written}) > 0.9 * len(written), "names of their own"


def rows(text: str) -> list[tuple]:
    """Case, place, and the quoted values and numbers that are expected, not the wording."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    parts = [
        re.fullmatch(r"\| (.+?) \| (?:(.*?): )?expected (.+?) found .+", line) for line in lines
    ]
    assert None not in [part for part, line in zip(parts, lines) if "| what is wrong |" not in line]
    return [(p[1], p[2], re.findall(r"'[^']*'|\d[\d.]*", p[3])) for p in parts if p]

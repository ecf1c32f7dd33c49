"""What the glossary and the lecturer's page say is so: terms, lessons, times, names in code."""

from __future__ import annotations

import pkgutil
import re

import pytest

from conftest import ROOT

SOURCES = {path.stem: path.read_text() for path in (ROOT / "notebooks" / "source").glob("*.py")}
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
ENTRY = re.compile(
    r"\*\*(?P<term>.+)\*\*: (?P<meaning>.+) "
    r"Lesson \[(?P<number>\d\d)\]\(\.\./notebooks/(?P<lesson>\w+)\.ipynb\), `(?P<code>[\w.]+)`\."
)
ENTRIES = [ENTRY.fullmatch(line) for line in GLOSSARY.splitlines()[3:] if line]


def words(lesson: str) -> str:
    text = re.sub(r"(?m)^# ?|\*", "", SOURCES[lesson])
    return " ".join(text.split()).casefold()


def test_the_glossary_is_in_alphabetical_order_and_every_line_is_an_entry():
    assert len(ENTRIES) > 50
    assert all(ENTRIES)
    terms = [entry["term"].casefold().replace("-", "") for entry in ENTRIES]
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["term"])
def test_a_term_has_a_lesson_that_uses_it_and_a_name_in_code(entry):
    assert entry["lesson"].startswith(entry["number"])
    assert entry["term"].casefold() in words(entry["lesson"])
    assert pkgutil.resolve_name(entry["code"]) is not None
    assert len(re.findall(r"[.:;?](?= |$)", entry["meaning"])) <= 3


LECTURERS = (ROOT / "docs" / "lecturers.md").read_text()


@pytest.mark.parametrize("lesson", sorted(SOURCES))
def test_the_lecturers_page_has_each_lessons_title_time_and_needs(lesson):
    """A new lesson needs a row in docs/lecturers.md, as its first lines have it."""
    title = re.search(r"(?m)^# # (.+)$", SOURCES[lesson])[1]
    minutes, needs = re.search(
        r"(?m)^# \*(?:About )?(\d+) minutes\. You need: (.+?)\.[ *]", SOURCES[lesson]
    ).groups()
    assert f"| [{title}](../notebooks/{lesson}.ipynb) | {minutes} | {needs} |\n" in LECTURERS


POINTERS = re.findall(r"\[(\d\d), (.+?)\]\(\.\./notebooks/(\w+)\.ipynb\)", LECTURERS)


def test_plan_and_exam_point_to_sections_that_are_there():
    assert len(POINTERS) >= 12
    for number, heading, lesson in POINTERS:
        assert lesson.startswith(number)
        assert re.search(rf"(?m)^# ##+ {re.escape(heading)}$", SOURCES[lesson]), heading


def test_the_class_of_90_minutes_has_90():
    plan = LECTURERS.split("## One class of 90 minutes")[1].split("##")[0]
    assert sum(int(minutes) for minutes in re.findall(r"(?m)^\| (\d+) \|", plan)) == 90


def test_half_a_term_has_every_lesson_once():
    plan = LECTURERS.split("## Half a term")[1].split("##")[0]
    lessons = re.findall(r"\d\d", " ".join(re.findall(r"(?m)^\| \d \| ([\d, ]+) \|", plan)))
    assert lessons == [f"{number:02}" for number in range(12)]


def test_every_lesson_has_a_board_plan_with_figure_question_and_answers():
    rows = re.findall(
        r"(?m)^\| (\d\d) \| (.+) \| (.+\?.*) \| (.+\.) \|$",
        LECTURERS.split("## Board plans")[1].split("\n## ")[0],
    )
    assert [row[0] for row in rows] == [f"{number:02}" for number in range(12)]

"""What the glossary and the lecturer's page say is so: terms, lessons, times, names in code."""

from __future__ import annotations

import pkgutil
import re
from itertools import pairwise

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from conftest import ROOT
from test_notebooks import builder

SOURCES = {path.stem: path.read_text() for path in (ROOT / "notebooks" / "source").glob("*.py")}
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
HEAD = re.compile(r"## \[(?P<title>.+)\]\(\.\./notebooks/(?P<lesson>\w+)\.ipynb\)")
ENTRY = re.compile(r"\*\*(?P<term>.+)\*\*: (?P<meaning>.+) `(?P<code>[\w.]+)`")
GROUPS = [part.split("\n") for part in re.split(r"\n(?=## )", GLOSSARY)[1:]]
ENTRIES = [ENTRY.fullmatch(line) for group in GROUPS for line in group[1:] if line]


def prose(lesson: str) -> str:
    """Text of a lesson without code, tables (a map of the course is no use) and references."""
    cells = builder.generate(builder.FOLDER / "source" / f"{lesson}.py", solutions=False).cells
    texts = [c.source.split("## References")[0] for c in cells if c.cell_type == "markdown"]
    lines = (line for text in texts for line in text.splitlines() if not line.startswith("|"))
    return " ".join(" ".join(lines).split())


PROSE = {lesson: prose(lesson) for lesson in sorted(SOURCES)}


def introduced(term: str) -> tuple[str, int]:
    """Lesson and place where a term is set in italics or bold first; without, where it is used."""
    words = r"\W+".join(map(re.escape, term.split()))
    for pattern in (rf"\*{words}s?\W", rf"\b{words}(s\b|\b|\W)"):
        for lesson, text in PROSE.items():
            if found := re.search(pattern, text, re.IGNORECASE):
                return lesson, found.start()
    return pytest.fail(f"no lesson uses the term {term!r}")


def test_the_glossary_has_each_lessons_terms_in_the_order_in_which_it_introduces_them():
    heads = [HEAD.fullmatch(group[0]) for group in GROUPS]
    assert [head["lesson"] for head in heads] == sorted(SOURCES)
    for head, group in zip(heads, GROUPS):
        title = re.search(r"(?m)^# # (.+)$", SOURCES[head["lesson"]])[1]
        assert head["title"] == title
        terms = [ENTRY.fullmatch(line)["term"] for line in group[1:] if line]
        places = [introduced(term) for term in terms]
        assert {lesson for lesson, _ in places} == {head["lesson"]}, terms
        assert places == sorted(places), terms
    terms = [entry["term"].casefold() for entry in ENTRIES]
    assert len(set(terms)) == len(terms) > 100


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["term"])
def test_a_term_has_a_short_meaning_and_a_name_in_code(entry):
    assert pkgutil.resolve_name(entry["code"]) is not None
    assert len(re.findall(r"[.:;?](?= |$)", entry["meaning"])) <= 4


NUMBERS = [lesson.partition("_")[0] for lesson in sorted(SOURCES)]
LECTURERS = (ROOT / "docs" / "lecturers.md").read_text()


@pytest.mark.parametrize("lesson", sorted(SOURCES))
def test_the_lecturers_page_has_each_lessons_title_time_and_needs(lesson):
    """A new lesson needs a row in docs/lecturers.md, as its first lines have it."""
    title = re.search(r"(?m)^# # (.+)$", SOURCES[lesson])[1]
    minutes, needs = re.search(
        r"(?m)^# \*(?:About )?(\d+) minutes\. You need: (.+?)\.[ *]", SOURCES[lesson]
    ).groups()
    assert f"| [{title}](../notebooks/{lesson}.ipynb) | {minutes} | {needs} |\n" in LECTURERS


POINTERS = re.findall(r"\[(\d\db?), (.+?)\]\(\.\./notebooks/(\w+)\.ipynb\)", LECTURERS)


def test_plan_and_exam_point_to_sections_that_are_there():
    assert len(POINTERS) >= 12
    for number, heading, lesson in POINTERS:
        assert lesson.startswith(number)
        assert re.search(rf"(?m)^# ##+ {re.escape(heading)}$", SOURCES[lesson]), heading


@pytest.mark.parametrize("head", ["## One class of 90 minutes", "### The same time for lag"])
def test_a_class_of_90_minutes_has_90(head):
    plan = LECTURERS.split(head)[1].split("##")[0]
    assert sum(int(minutes) for minutes in re.findall(r"(?m)^\| (\d+) \|", plan)) == 90


def test_right_answers_of_files_that_were_handed_in_are_listed(tmp_path, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", LECTURERS, re.DOTALL)[1]
    cells = [new_markdown_cell("Exercise 9: right."), new_code_cell("1")]
    for text in ("Exercise 1: right.\n", "Exercise 2: 5 is not it.\n", "Exercise 3: right.\n"):
        cells.append(new_code_cell("", outputs=[new_output("stream", text=text)]))
    (tmp_path / "handed_in").mkdir()
    nbformat.write(new_notebook(cells=cells), tmp_path / "handed_in" / "02_name.ipynb")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out == "02_name.ipynb ['1', '3']\n"


def test_half_a_term_has_every_lesson_once():
    plan = LECTURERS.split("## Half a term")[1].split("##")[0]
    lessons = re.findall(r"\d\db?", " ".join(re.findall(r"(?m)^\| \d \| ([\db, ]+) \|", plan)))
    assert lessons == NUMBERS


def test_every_lesson_has_a_board_plan_with_figure_question_and_answers():
    rows = re.findall(
        r"(?m)^\| (\d\db?) \| (.+) \| (.+\?.*) \| (.+\.) \|$",
        LECTURERS.split("## Board plans")[1].split("\n## ")[0],
    )
    assert [row[0] for row in rows] == NUMBERS


FOLDERS = (".", "docs", "data", "mer_core/models", "notebooks", "notebooks/solutions")
LINKING = [p for name in FOLDERS for end in ("md", "ipynb") for p in (ROOT / name).glob(f"*.{end}")]


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(page):
    links = re.findall(r"\]\((?!https?:)([\w./-]+\.\w+)(?:#[\w-]*)?\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_each_lesson_leads_to_the_next():
    for name, following in pairwise(sorted(SOURCES)):
        last = builder.generate(builder.FOLDER / "source" / f"{name}.py", solutions=False).cells[-1]
        assert f"]({following}.ipynb)" in last.source

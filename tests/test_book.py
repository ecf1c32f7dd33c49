"""The static book holds every lesson and page, and its check sees what a reader would miss."""

from __future__ import annotations

import ast
import importlib.util

import pytest

from conftest import ROOT

spec = importlib.util.spec_from_file_location("check", ROOT / "docs" / "book" / "check.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)

LESSONS = sorted(path.stem for path in (ROOT / "notebooks" / "source").glob("*.py"))


def contents() -> dict[str, list[str]]:
    tree = ast.parse((ROOT / "docs" / "book" / "conf.py").read_text())
    return next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "PARTS"
    )


def test_every_lesson_and_page_is_in_the_table_of_contents():
    patterns = [f"{name}.*" for names in contents().values() for name in names]
    held = {path for pattern in patterns for path in ROOT.glob(pattern)}
    assert all(list(ROOT.glob(pattern)) for pattern in patterns)
    lessons = [ROOT / "notebooks" / f"{lesson}.ipynb" for lesson in LESSONS]
    pages = [*ROOT.glob("docs/*.md"), *ROOT.glob("data/*.md"), *lessons]
    assert set(pages) | set(ROOT.glob("C*.md")) <= held


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_readme_and_lesson_00_lead_to_every_lesson(lesson):
    assert f"](notebooks/{lesson}.ipynb)" in (ROOT / "README.md").read_text()
    first = (ROOT / "notebooks" / "source" / "00_start_here.py").read_text()
    assert f"]({lesson}.ipynb)" in first or lesson.startswith("00")


@pytest.fixture
def book(tmp_path):
    """A page for every lesson, each with a picture."""
    (tmp_path / "notebooks").mkdir()
    for lesson in LESSONS:
        page = f'<h1 id="top"></h1><a href="#top">up</a><img src="../{lesson}.png">'
        (tmp_path / "notebooks" / f"{lesson}.html").write_text(page)
        (tmp_path / f"{lesson}.png").touch()
    return tmp_path


def test_a_whole_book_has_no_problems(book):
    link = '<a href="https://example.org">elsewhere</a>'
    (book / "index.html").write_text(f'{link}<a href="notebooks/{LESSONS[0]}.html#top">first</a>')
    assert check.problems(book) == []


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example.org/a.js"></script>',
        '<script src="//cdn.example.org/a.js"></script>',
        '<link rel="stylesheet" href="https://example.org/a.css">',
        '<script type="module">import x from "https://example.org/a.js"</script>',
        "<style>@import 'https://example.org/a.css';</style>",
        '<p style="background: url(https://example.org/a.png)">',
        '<img src="missing.png">',
        '<a href="missing.html">there</a>',
        '<a href="#nowhere">there</a>',
        f'<a href="notebooks/{LESSONS[0]}.html#nowhere">there</a>',
    ],
)
def test_what_is_loaded_from_elsewhere_or_missing_is_found(book, text):
    (book / "index.html").write_text(text)
    assert [line for line in check.problems(book) if line.startswith("index.html: ")]


def test_a_missing_lesson_a_bad_style_sheet_and_an_empty_folder_are_found(book, tmp_path):
    (book / "notebooks" / f"{LESSONS[0]}.html").unlink()
    (book / "a.css").write_text("body { background: url(https://example.org/a.png) }")
    assert len(check.problems(book)) == 2
    (tmp_path / "empty").mkdir()
    assert "at least one page" in check.problems(tmp_path / "empty")[0]

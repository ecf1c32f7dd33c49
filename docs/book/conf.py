"""How `make book` turns the lessons and pages into a static book that needs no network.

Sphinx reads the repository where it lies. Equations are drawn by MathJax, of which one file, out of
an installed package, goes into the book.
"""

from __future__ import annotations

import struct
from importlib.metadata import distribution
from pathlib import Path

from docutils import nodes

project = "Music Emotion Workbook"
author = "The Music Emotion Workbook authors"
extensions = ["myst_nb", "sphinx.ext.mathjax"]
root_doc = "README"
PARTS = {
    "Lessons": ["notebooks/*"],
    "Pages": ["docs/*", "data/README", "mer_core/models/model_card", "CONTRIBUTING", "CHANGELOG"],
}
include_patterns = [f"{name}.*" for names in PARTS.values() for name in names] + ["README.md"]
# .venv is a long walk
exclude_patterns = [
    ".*",
    "book",
    "build",
    "workbook",
    "notebooks/*.py",
    "tests",
]

nb_execution_mode = "off"  # the notebooks bring their outputs
nb_render_markdown_format = "myst"  # tables and formulas in computed text
nb_ipywidgets_js = {}  # a widget has left its picture; its scripts would come from elsewhere
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]

html_theme = "furo"
html_title = project
html_css_files = ["book.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
mathjax_path = "tex-svg.js"  # all in one file, fonts as outlines
MATHJAX = distribution("sphinx-mathjax-offline").locate_file(
    f"sphinx-mathjax-offline/static/mathjax/{mathjax_path}"
)
html_static_path = ["book.css", str(MATHJAX)]


def add_contents(app, name: str, text: list[str]) -> None:
    """Give the first page, which is the README, the book's table of contents."""
    if name == root_doc:
        for caption, names in PARTS.items():
            lines = "\n".join(names)
            text[0] += f"\n```{{toctree}}\n:glob:\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n"


def mark_wide_pictures(app, doctree: nodes.document, name: str) -> None:
    """Give figures of several panels a class of their own: on a phone they scroll."""
    for image in doctree.findall(nodes.image):
        path = Path(app.srcdir, image["uri"])
        if path.suffix == ".png":
            width, height = struct.unpack(">II", path.read_bytes()[16:24])
            image["classes"] += ["wide"] * (width > 1.8 * height)


def add_index(app, exception: Exception | None) -> None:
    """Let the book open at index.html, as folders of pages do."""
    if exception is None:
        folder = Path(app.outdir)
        page = (folder / f"{root_doc}.html").read_text(encoding="utf-8")
        (folder / "index.html").write_text(page, encoding="utf-8")


def setup(app) -> None:
    """Tell Sphinx of the above."""
    app.connect("source-read", add_contents)
    app.connect("doctree-resolved", mark_wide_pictures)
    app.connect("build-finished", add_index)

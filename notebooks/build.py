"""Make the notebooks from their sources: `python notebooks/build.py [--expected] [00 02 ...]`.

`source/*.py` (py:percent) is what a maintainer edits. From each come a notebook for the reader,
executed, and one with the solutions, which is not executed here. An exercise is a code cell with
the tag `exercise`: above the line `# solution:` stands what a student finds, below it the answer.
The check below it knows the answer as well, so its code is folded; it opens by a click.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext
import nbclient
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from PIL import Image

from mer_core.files import written_atomically

FOLDER = Path(__file__).parent
SOURCES = sorted((FOLDER / "source").glob("[0-9][0-9]_*.py"))
MARK = "# solution:\n"
CHECK = "lesson.check_answer("
FOLDED = {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}  # JupyterLab; the book
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def generate(source: Path, *, solutions: bool) -> NotebookNode:
    """Make the notebook of a source, without outputs.

    Parameters
    ----------
    source : Path
        A file in `source/`.
    solutions : bool
        Whether exercises hold their answers instead of their questions.

    Returns
    -------
    NotebookNode
        The same for the same source, cell ids included.

    Raises
    ------
    ValueError
        If an exercise has no solution.
    """
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        if "exercise" in cell.metadata.get("tags", []):
            question, mark, answer = cell.source.partition(MARK)
            if not mark or not answer.strip():
                raise ValueError(
                    f"{source}: expected {MARK!r} and an answer, found {cell.source!r}"
                )
            cell.source = (answer if solutions else question).strip()
        elif cell.cell_type == "code" and CHECK in cell.source:
            cell.metadata |= FOLDED
    if solutions:
        notebook.cells.append(new_code_cell("lesson.require_answers()"))
    _give_stable_ids(notebook)
    return notebook


def _give_stable_ids(notebook: NotebookNode) -> None:
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] += 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"


def execute(notebook: NotebookNode) -> NotebookNode:
    """Run a notebook in its folder; keep of its outputs what can be seen without a kernel."""
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute()
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_without_widget, cell.outputs) if output]
            for output in cell.outputs:
                _make_lean(output.get("data", {}))
    return notebook


def _make_lean(data: dict) -> None:
    """Give a picture a palette of 256 colours: less than half the bytes, the same to the eye."""
    if "image/png" in data:
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        lean = io.BytesIO()
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            lean, "png", optimize=True
        )
        data["image/png"] = base64.b64encode(lean.getvalue()).decode()


def _without_widget(output: NotebookNode) -> NotebookNode | None:
    # A widget's picture stays; one that has none, such as a progress bar, goes.
    live = output.get("data", {}).pop(WIDGET, None)
    return None if live and "image/png" not in output.data else output


def build(source: Path) -> None:
    """Write a source's two notebooks."""
    with written_atomically(FOLDER / "solutions" / f"{source.stem}.ipynb") as part:
        nbformat.write(generate(source, solutions=True), part)
    executed = execute(generate(source, solutions=False))
    with written_atomically(FOLDER / f"{source.stem}.ipynb") as part:
        nbformat.write(executed, part)
    print(f"{source.stem}: done", flush=True)


def main() -> None:
    """Build all notebooks, two at a time, or those whose numbers are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="such as 00 02; all by default")
    parser.add_argument("--expected", action="store_true", help="store key numbers anew")
    chosen = parser.parse_args()
    os.environ.pop("MER_DATA", None)  # what is committed shows the embedded corpus only
    if chosen.expected:
        os.environ["MER_EXPECTED"] = "write"
    sources = [s for s in SOURCES if not chosen.numbers or s.stem[:2] in chosen.numbers]
    with ThreadPoolExecutor(1 if chosen.expected else 2) as pool:
        list(pool.map(build, sources))


if __name__ == "__main__":
    main()

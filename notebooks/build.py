"""Build the lessons from their sources, `source/*.py`.

    python notebooks/build.py [00 02 ...]           executes the lessons into build/notebooks
    python notebooks/build.py --plain [00 02 ...]   writes them without outputs into build/plain
    python notebooks/build.py --commit [00 02 ...]  rewrites the notebooks of the repository

The first is what `make workbook` runs, the second what `make test` gives to nbmake. Both change no
tracked file. The third is for maintainers. It refuses a notebook whose cells a person has edited;
outputs and metadata do not count.

Each source (py:percent) gives an executed notebook for the reader, and one with the solutions, not
executed. An exercise is a code cell with the tag `exercise`: the line `# solution:` separates the
question from the answer. The cell that checks it contains the answer as well, so it is folded. So
is a cell with the tag `hide-input`: figures, tables and sentences that are not the method.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from itertools import count
from pathlib import Path

import jupytext
import nbclient
import nbformat
from nbclient.exceptions import CellControlSignal, CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from PIL import Image

from mer_core.datasets.deam.read import VARIABLE, chosen_data
from mer_core.files import DataError, written_atomically
from workbook import lesson

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
BUILD = ROOT / "build" / "notebooks"
PLAIN = ROOT / "build" / "plain"
SOURCE = Path("notebooks", "source")
PATTERN = "[0-9][0-9]*_*.py"
SOURCES = sorted((FOLDER / "source").glob(PATTERN))
MARK = "# solution:\n"
CHECK = "lesson.check_answer("
FOLD = "hide-input"
FOLDED = {"jupyter": {"source_hidden": True}, "tags": [FOLD]}  # JupyterLab; the book
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
RECORD = "mer_core"
LEVELS = [round(round(value * 31 / 255) * 255 / 31) for value in range(256)] * 3
PERSONS = ("cell_type", "source", "attachments")
"""Keys of a cell that a person writes."""
_running: list[nbclient.NotebookClient] = []
_stopping = threading.Event()


def generate(source: Path, *, solutions: bool) -> NotebookNode:
    """Make the notebook of a source, without outputs; exercises hold questions or solutions.

    The same source gives the same notebook, cell ids included.
    """
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        if "exercise" in cell.metadata.get("tags", []):
            question, mark, answer = cell.source.partition(MARK)
            if not mark or not answer.strip():
                raise DataError(source, f"{MARK!r} and an answer", f"{cell.source!r}")
            cell.source = (answer if solutions else question).strip()
        elif cell.cell_type == "code" and (CHECK in cell.source or is_folded(cell)):
            cell.metadata |= FOLDED
    notebook.cells.append(new_markdown_cell(_ways_on(source)))
    if solutions:
        notebook.cells.append(new_code_cell("lesson.require_answers()"))
        point_up(notebook)
    _give_stable_ids(notebook)
    return notebook


def _ways_on(source: Path) -> str:
    """Links to the next lesson, to all lessons and to the glossary."""
    later = [path for path in sorted(source.parent.glob(PATTERN)) if path.stem > source.stem]
    ways = [f"Next: [lesson {number(path)}]({path.stem}.ipynb)" for path in later[:1]]
    return " · ".join([*ways, "[all lessons](../README.md)", "[glossary](../docs/glossary.md)"])


def point_up(notebook: NotebookNode) -> None:
    """Make links to pages right for a folder that lies one level deeper than the lessons."""
    for cell in notebook.cells:
        cell.source = cell.source.replace("](../", "](../../")


def number(source: Path) -> str:
    """The number of a lesson, such as 00 or 04b."""
    return source.stem.partition("_")[0]


def is_folded(cell: NotebookNode) -> bool:
    """Whether the code of a cell is hidden until the reader opens it."""
    return FOLD in cell.metadata.get("tags", [])


def _give_stable_ids(notebook: NotebookNode) -> None:
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] += 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"


def execute(notebook: NotebookNode, *, timeout: float | None = 600) -> NotebookNode:
    """Run a notebook in the folder of the lessons; keep outputs that need no kernel.

    A cell may take `timeout` s. If one fails, a LessonError is raised, and the notebook holds the
    outputs up to it.
    """
    place = 0

    def begin(cell: NotebookNode, cell_index: int) -> None:
        nonlocal place
        place = cell_index
        if _stopping.is_set():
            raise RuntimeError("interrupted")

    client = nbclient.NotebookClient(
        notebook,
        timeout=timeout,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(FOLDER)}},
        on_cell_start=begin,
    )
    _running.append(client)
    try:
        client.execute()
    except (CellControlSignal, RuntimeError) as error:  # DeadKernelError is a RuntimeError
        raise LessonError(place, notebook.cells[place], error) from error
    finally:
        _running.remove(client)
        _make_portable(notebook)
    return notebook


class LessonError(Exception):
    """A cell of a notebook failed; the message has its number, first line and error."""

    def __init__(self, place: int, cell: NotebookNode, error: Exception) -> None:
        problem = str(error).strip().partition("\n")[0]
        if isinstance(error, CellExecutionError):
            problem = f"{error.ename}: {error.evalue}"
        first = cell.source.strip().partition("\n")[0]
        super().__init__(f"cell {place + 1}, which begins with {first!r}: {problem}")


def _make_portable(notebook: NotebookNode) -> None:
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_without_widget, cell.outputs) if output]
            for output in cell.outputs:
                _make_lean(output.get("data", {}))


def _make_lean(data: dict) -> None:
    """Reduce a picture to 32 levels of red, green and blue, and to a palette if that is exact.

    No colour changes by more than 4 of 255. A palette for all would merge colours of thin lines.
    """
    if "image/png" in data:
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
        picture = picture.point(LEVELS)
        if picture.getcolors(256):
            palette = picture.quantize(256, dither=Image.Dither.NONE)
            picture = palette if palette.convert("RGB").tobytes() == picture.tobytes() else picture
        lean = io.BytesIO()
        picture.save(lean, "png", optimize=True)
        data["image/png"] = base64.b64encode(lean.getvalue()).decode()


def _without_widget(output: NotebookNode) -> NotebookNode | None:
    # A widget that has no picture, such as a progress bar, is removed.
    live = output.get("data", {}).pop(WIDGET, None)
    return None if live and "image/png" not in output.data else output


def record(notebook: NotebookNode) -> NotebookNode:
    """Store digests in a notebook's metadata, so that later changes can be detected."""
    notebook.metadata[RECORD] = {"cells": _digest(notebook, PERSONS), "all": _digest(notebook)}
    return notebook


def _digest(notebook: NotebookNode, keys: tuple[str, ...] = ()) -> str:
    metadata = {name: value for name, value in notebook.metadata.items() if name != RECORD}
    part = [[cell.get(key) for key in keys] for cell in notebook.cells]
    part = part if keys else [metadata, notebook.cells]
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:16]


def is_as_built(path: Path, *, outputs: bool = False) -> bool:
    """Whether this script wrote a notebook's cells, and its outputs and metadata if they count.

    A notebook that cannot be read is not as built.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):
        return False
    built = notebook.metadata.get(RECORD, {})
    same = built.get("cells") == _digest(notebook, PERSONS)
    return same and (not outputs or built.get("all") == _digest(notebook))


def is_committed(path: Path) -> bool:
    """Whether git's last commit holds a file as it is."""
    command = ["git", "show", f"HEAD:./{path.name}"]
    try:
        held = subprocess.run(command, cwd=path.parent, capture_output=True)  # noqa: S603
    except OSError:  # no git
        return False
    return held.returncode == 0 and held.stdout == path.read_bytes()


def refuse_edited(path: Path) -> None:
    """Raise a DataError if writing a notebook would lose a person's edits of its cells."""
    if path.exists() and not is_as_built(path) and not is_committed(path):
        name = path.relative_to(ROOT)
        keep = f"To keep them, copy the file elsewhere or put them into {SOURCE / path.stem}.py"
        found = f"others (answers or edits). {keep}; then `git restore {name}`"
        raise DataError(name, "the cells that the last build wrote", found)


def set_aside(path: Path) -> None:
    """Rename an executed lesson in the build folder that a person has edited."""
    if path.exists() and not is_as_built(path):
        names = (path.with_name(f"{path.stem}.edited-{k}.ipynb") for k in count(1))
        free = next(name for name in names if not name.exists())
        path.rename(free)
        print(f"{path.name} was edited there: kept as {free.name}", flush=True)


def show(source: Path, *, timeout: float | None) -> None:
    """Execute a lesson into the build folder, as far as it runs."""
    notebook = generate(source, solutions=False)
    point_up(notebook)
    try:
        execute(notebook, timeout=timeout)
    finally:
        if not _stopping.is_set():
            path = BUILD / f"{source.stem}.ipynb"
            set_aside(path)
            write(notebook, path)


def commit(source: Path) -> None:
    """Execute a lesson; write the notebook and its solutions into the repository."""
    executed = execute(generate(source, solutions=False))
    for path in committed(source):
        refuse_edited(path)  # again: someone may have saved it meanwhile
    for notebook, path in zip((executed, generate(source, solutions=True)), committed(source)):
        write(notebook, path)


def committed(source: Path) -> tuple[Path, Path]:
    """Paths of a source's notebook and solutions in the repository."""
    name = f"{source.stem}.ipynb"
    return FOLDER / name, FOLDER / "solutions" / name


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook atomically."""
    with written_atomically(path) as part:
        nbformat.write(record(notebook), part)


def run_all(
    task: Callable[[Path], None], sources: Sequence[Path], *, workers: int
) -> dict[str, str]:
    """Run a task for each source, print progress, and return the failures by lesson."""
    start, failures = time.monotonic(), {}
    pool = ThreadPoolExecutor(workers)
    tasks = {pool.submit(task, source): source.stem for source in sources}
    try:
        for done, future in enumerate(as_completed(tasks), 1):
            error = future.exception()
            if error and not isinstance(error, (LessonError, OSError, ValueError)):
                raise error
            if error:
                failures[tasks[future]] = str(error)
            passed = time.monotonic() - start
            left = passed / done * (len(tasks) - done)
            print(f"[{done}/{len(tasks)}] {tasks[future]}: {'failed' if error else 'done'}; "
                  f"{passed:.0f} s, about {left:.0f} s left", flush=True)  # fmt: skip
    finally:
        _stopping.set()
        for client in list(_running):
            if client.km and client.km.provisioner and client.km.provisioner.process:
                client.km.provisioner.process.kill()
        pool.shutdown(cancel_futures=True)
        _stopping.clear()
    return failures


def main() -> int:
    """Execute all lessons, or those whose numbers are given, two at a time."""
    sources, chosen = _arguments()
    os.environ.pop("MER_EXPECTED", None)
    if chosen.plain:
        for source in sources:
            with written_atomically(PLAIN / f"{source.stem}.ipynb") as part:
                nbformat.write(generate(source, solutions=False), part)
        return 0
    try:
        if chosen.commit:
            task, workers, where = _prepare_commit(sources, expected=chosen.expected)
        else:
            task, workers, where = _prepare_show()
    except (DataError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"Executing {len(sources)} lessons into {where}. A lesson takes up to half a minute on "
          "the embedded corpus.", flush=True)  # fmt: skip
    try:
        failures = run_all(task, sources, workers=workers)
    except KeyboardInterrupt:
        print(f"Interrupted. The lessons that were done are in {where}", flush=True)
        return 130
    for name, error in failures.items():
        print(f"FAILED: {name}, {error}", flush=True)
    print(f"{len(sources) - len(failures)} of {len(sources)} lessons were executed without errors. "
          f"See {where / sources[0].stem}.ipynb")  # fmt: skip
    if not chosen.commit:
        print("`make lab` opens the lessons to work in, and shows the executed ones under build.")
    return min(len(failures), 1)


def _prepare_commit(sources: Sequence[Path], *, expected: bool) -> tuple:
    os.environ.pop(VARIABLE, None)  # committed notebooks show the embedded corpus only
    edited = []
    for path in (path for source in sources for path in committed(source)):
        try:
            refuse_edited(path)
        except DataError as error:
            edited.append(str(error))
    if edited:
        sys.exit("\n".join([*edited, "Nothing was written."]))
    if expected:
        os.environ["MER_EXPECTED"] = "write"
    return commit, 1 if expected else 2, FOLDER


def _prepare_show() -> tuple:
    os.environ[VARIABLE] = data = chosen_data()
    lesson.corpus()  # prints its name, or raises the error that every lesson would
    BUILD.mkdir(parents=True, exist_ok=True)
    return partial(show, timeout=600 if data == "mini" else None), 2, BUILD


def _arguments() -> tuple[list[Path], argparse.Namespace]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    numbers = [number(source) for source in SOURCES]
    parser.add_argument("numbers", nargs="*", help="such as 00 04b; all by default")
    parser.add_argument("--plain", action="store_true", help="without outputs, not executed")
    parser.add_argument("--commit", action="store_true", help="rewrite the committed notebooks")
    parser.add_argument("--expected", action="store_true", help="with --commit: key numbers too")
    chosen = parser.parse_args()
    unknown = [number for number in chosen.numbers if number not in numbers]
    if unknown:
        parser.error(f"expected numbers of lessons, {numbers[0]} to {numbers[-1]}, found {unknown}")
    if chosen.expected and not chosen.commit:
        parser.error("--expected needs --commit, since it changes data/expected.json")
    return [s for s in SOURCES if not chosen.numbers or number(s) in chosen.numbers], chosen


if __name__ == "__main__":
    sys.exit(main())

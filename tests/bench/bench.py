"""Speed and memory, as ratios against what a user would otherwise do.

    make bench                                  # all, and writes docs/bench.md
    python tests/bench/bench.py features elm    # some, printed

Both sides of a row are measured in one run, in turn, and do the same: each module checks that.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import warnings
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from tqdm import tqdm

from timing import Figure, Row

PAGE = Path(__file__).parents[2] / "docs" / "bench.md"
MODULES = {
    "features": "Features",
    "recurrent": "Many networks at once",
    "elm": "Extreme learning machines",
    "cluster": "A cluster",
    "retrieval": "Search",
    "workbook": "The workbook",
}
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "opensmile", "librosa", "numba")
LIBRARIES += ("hpelm", "tslearn", "dtaidistance", "distributed")


def machine() -> str:
    """What this ran on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    kind = names[0] if names else platform.machine()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    threads = os.environ.get("OMP_NUM_THREADS", "any number of")
    return (
        f"{kind}, {os.cpu_count()} cores, {platform.system()}; {threads} OpenMP threads a process; "
        f"Python {platform.python_version()}, {libraries}."
    )


def measured(names: list[str], *, short: bool) -> list[tuple[str, list]]:
    """What the modules found: each row with the module's name, its kind told by its length."""
    found = []
    for name in tqdm(names, "bench"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = [*importlib.import_module(name).rows(short=short)]
        found += [(name, list(row)) for row in rows]
        print(tables([(name, list(row)) for row in rows]), flush=True)
    return found


def tables(found: list[tuple[str, list]]) -> str:
    """Markdown: for each module its comparisons, then its figures."""
    parts = []
    for name, rows in groupby(found, key=lambda pair: pair[0]):
        rows = [row for _, row in rows]
        ratios = [Row(*row) for row in rows if len(row) == len(Row._fields)]
        figures = [Figure(*row) for row in rows if len(row) == len(Figure._fields)]
        parts.append(f"\n## {MODULES[name]}\n")
        if ratios:
            parts.append("| what | against | clock | theirs | ours | ratio | least to greatest |")
            parts.append("|---|---|---|---|---|---|---|")
        for row in ratios:
            spread = f"{_times(row.low)} to {_times(row.high)}"
            parts.append(
                f"| {row.what} | {row.against} | {row.clock} | {_seconds(row.theirs)} | "
                f"{_seconds(row.ours)} | **{_times(row.ratio)}** | {spread} |"
            )
        if figures:
            parts += [*([""] if ratios else []), "| what | measured |", "|---|---|"]
        parts += [f"| {row.what} | {row.value} |" for row in figures]
    return "\n".join(parts)


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def _times(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def page(known: dict) -> str:
    """The page, from what was measured."""
    return (
        f"<!-- measured: {json.dumps(known)} -->\n"
        "# Speed and memory\n\n"
        "Written by `make bench`. Ratios say how many times as long the other way takes; a row is\n"
        "measured in one run, both sides in turn, and gives medians, and the least and greatest\n"
        "ratio of all pairs. Times hold for one machine; ratios travel better.\n"
        "[A million songs](a_million_songs.md) has arithmetic with measured constants.\n\n"
        f"{known['machine']}\n"
        f"{tables([(name, row) for name, row in known['rows']])}\n"
    )


def constants(text: str) -> dict:
    """What a page was written from."""
    return json.loads(text.splitlines()[0].partition("measured: ")[2].removesuffix(" -->"))


def main() -> None:
    """Measure and print; with all modules, also write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--short", action="store_true", help="one run of each, less of all")
    parser.add_argument("--write", action="store_true", help=f"all of them, to docs/{PAGE.name}")
    chosen = parser.parse_args()
    if chosen.write and (chosen.names or chosen.short):
        sys.exit("--write: expected all modules at full length, found some")
    found = measured(chosen.names or list(MODULES), short=chosen.short)
    if chosen.write:
        PAGE.write_text(page({"machine": machine(), "rows": found}))


if __name__ == "__main__":
    main()

"""Speed and memory, as ratios against what a user would otherwise do.

    make bench                                  # all, kept in docs/bench.md
    python tests/bench/bench.py features elm    # some, printed

Both sides of a row are measured in turn and do the same: each module checks that. Results are kept
module by module: after a kill, name the missing ones.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from tqdm import tqdm

from mer_core.files import written_atomically
from timing import Figure, Row

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "bench.md"
MODULES = {
    "audio": "Reading audio",
    "features": "Features",
    "predict": "A prediction",
    "recurrent": "Many networks at once",
    "elm": "Extreme learning machines",
    "cluster": "A cluster",
    "retrieval": "Search",
    "lessons": "The workbook",
}
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "opensmile", "librosa", "numba")
LIBRARIES += ("hpelm", "tslearn", "dtaidistance", "distributed")
PACKAGE = "the openSMILE package"
TARGETS = (
    ("65 descriptors and deltas", PACKAGE, "ratio", 1.9),
    ("six tonal features, a song of 45 s", PACKAGE, "ratio", 1),
    ("`mer predict` of a song of 3 min", PACKAGE, "ours", 12),
    ("50 Elman networks of 10 units", "PyTorch loop, one after the other", "ratio", 10),
    ("50 Elman networks of 10 units", "PyTorch loop, two processes", "ratio", 5),
    ("50 LSTMs of 32 + 32 units", "PyTorch loop", "ratio", 1.5),
    ("an ELM of 100 units", "hpelm", "ratio", 3),
    ("an ELM of 500 units", "hpelm", "ratio", 3),
    ("DTW of 6 drawn profiles", "dtaidistance.dtw_ndim.distance_fast", "ratio", 1),
    ("DTW of 6 drawn profiles", "tslearn.metrics.cdist_dtw", "ratio", 10),
    ("import mer_core", "import opensmile", "ours", 0.5),
    ("13 notebooks", "jupyter nbconvert", "ours", 240),
)
"""Beginnings of a row's two names, what is limited, and the least ratio or the most seconds."""
WHY_MISSED = """\
Both sides of an ELM spend nearly all their time in one matrix product and in tanh, by the same
libraries, so three times is out of reach; curves over the number of units are faster (table above).
Audio files are checked for damage while they are read, which costs time for WAV files."""


def machine() -> str:
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


def measured(name: str, *, short: bool) -> list[tuple[str, list]]:
    """The rows of a module, each with the module's name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = importlib.import_module(name).rows(short=short)
        return [(name, list(row)) for row in rows]


def tables(found: list[tuple[str, list]], machines: Mapping[str, str] | None = None) -> str:
    """Markdown: for each module its machine, its comparisons, then its figures."""
    parts = []
    for name, rows in groupby(found, key=lambda pair: pair[0]):
        ratios, figures = of_kinds([row for _, row in rows])
        parts.append(f"\n## {MODULES[name]}\n")
        parts += [f"{machines[name]}\n"] if machines else []
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


def targets(rows: list[list]) -> str:
    """Markdown: the first row of each target, and whether it was reached."""
    ratios, _ = of_kinds(rows)
    lines = [
        "\n## Targets\n",
        "| row | against | target | measured | reached |",
        "|---|---|---|---|---|",
    ]
    for what, against, kind, limit in TARGETS:
        rows_of = [k for k in ratios if k.what.startswith(what) and k.against.startswith(against)]
        if not rows_of:  # its module was not measured yet
            continue
        row = rows_of[0]
        value = getattr(row, kind)
        aim = f"{_times(limit)} times" if kind == "ratio" else f"{_seconds(limit)} at most"
        aim = "as fast" if (kind, limit) == ("ratio", 1) else aim
        found = f"{_times(value)} times" if kind == "ratio" else _seconds(value)
        reached = value >= limit if kind == "ratio" else value <= limit
        lines.append(
            f"| {what} | {row.against} | {aim} | {found} | {'yes' if reached else '**missed**'} |"
        )
    return "\n".join([*lines, "", WHY_MISSED])


def of_kinds(rows: list[list]) -> tuple[list[Row], list[Figure]]:
    """Separate comparisons and single figures by their length."""
    kinds = (Row, Figure)
    return tuple([kind(*row) for row in rows if len(row) == len(kind._fields)] for kind in kinds)


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def _times(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def page(known: dict) -> str:
    return (
        f"<!-- measured: {json.dumps(known)} -->\n"
        "# Speed and memory\n\n"
        "`make bench` writes this page. A ratio is the time of the other method divided by ours.\n"
        "Each row is measured in one run, with both sides in turn. It has the medians, and the\n"
        "smallest and the largest ratio of all pairs. Times depend on the machine, ratios less.\n"
        "[A million songs](a_million_songs.md) has arithmetic with measured constants.\n"
        f"{tables(known['rows'], known['machines'])}\n"
        f"{targets([row for _, row in known['rows']])}\n"
    )


def constants(text: str) -> dict:
    return json.loads(text.splitlines()[0].partition("measured: ")[2].removesuffix(" -->"))


def keep(name: str, found: list[tuple[str, list]]) -> None:
    """Replace a module's rows and the name of its machine."""
    known = {"machines": {}, "rows": []}
    if PAGE.exists():
        known = constants(PAGE.read_text())
    rows = [*(row for row in known["rows"] if row[0] != name), *found]
    known = {
        "machines": known["machines"] | {name: machine()},
        "rows": sorted(rows, key=lambda row: [*MODULES].index(row[0])),
    }
    with written_atomically(PAGE) as part:
        part.write_text(page(known))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--short", action="store_true", help="one run of each, less of all")
    parser.add_argument("--write", action="store_true", help="keep them in docs/bench.md")
    chosen = parser.parse_args()
    if chosen.write and chosen.short:
        sys.exit("--write: expected full length, found --short")
    for name in tqdm(chosen.names or list(MODULES), "bench"):
        found = measured(name, short=chosen.short)
        print(tables(found), flush=True)
        if chosen.write:
            keep(name, found)


if __name__ == "__main__":
    main()

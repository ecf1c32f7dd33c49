"""The stored tables of `data/results`: read them, compute them, check them.

`<name>.json` beside a table says how it was made; nothing enforces it. :func:`check` computes rows
again and compares numbers.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.files import DataError, check_in_repository, written_atomically
from mer_core.metrics import DIMENSIONS
from workbook.studies import STUDIES
from workbook.studies.songs import mini_songs
from workbook.studies.study import Study
from workbook.units import fingerprint, run

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "data" / "results"
DIGITS = 5
"""Significant digits of a stored table."""
TOLERANCE = {"rtol": 2e-3, "atol": 2e-4}
"""Within which a number that is computed again equals the stored one."""
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "torch")
LEVELS = ["system", "features", "output", "protocol", "seed", "dimension", "aggregation"]
NAMES = {"rmse": "RMSE", "pearson": "r", "ccc": "CCC"}


def compute(
    name: str,
    corpus: Corpus,
    *,
    folder: str | os.PathLike = RESULTS,
    cache: str | os.PathLike | None = None,
    processes: int = -1,
) -> list[Path]:
    """Compute a study's units, as far as they are not cached, and write its tables to a folder.

    Returns the files: the tables and `<name>.json`, which says how they were made. DataError if
    units fail (finished units are kept), or if the package is installed without the repository and
    the folder is the default. ValueError if there is no such study.
    """
    study, start = _study(name), time.perf_counter()
    _check_folder(folder)
    tables, seconds = _tabulated(name, corpus, list(study.units), cache, processes)
    for file, table in tables.items():
        _write(Path(folder) / file, table)
    about = _provenance(study, corpus) | {
        "seconds": {"computing": round(seconds), "now": round(time.perf_counter() - start)},
        "tables": {file: _kinds(table) for file, table in tables.items()},
    }
    with written_atomically(Path(folder) / f"{name}.json") as part:
        part.write_text(json.dumps(about, indent=1) + "\n")
    return [Path(folder) / file for file in (*tables, f"{name}.json")]


def check(
    name: str,
    corpus: Corpus,
    *,
    every: bool = False,
    folder: str | os.PathLike = RESULTS,
    cache: str | os.PathLike | None = None,
    processes: int = -1,
) -> pd.DataFrame:
    """Compute a study again, its cheapest rows or `every` one, and compare with the stored tables.

    Index file; columns `compared`, the number of values, `different`, how many are outside
    `TOLERANCE`, and `largest`, the largest absolute difference.
    """
    study = _study(name)
    prefix = () if every else study.cheapest
    units = [(label, unit) for label, unit in study.units if label[: len(prefix)] == prefix]
    tables, _ = _tabulated(name, corpus, units, cache, processes)
    rows = {}
    for file, live in tables.items():
        stored = table(Path(file).stem, folder=folder)
        live = _indexed(live.select_dtypes("number").reset_index(), _kinds(stored))
        kept = stored.reindex(live.index)[list(live)].to_numpy(float)
        values = live.to_numpy(float)
        known = np.isfinite(values)  # a difference to a row that was not computed is NaN
        same = np.isclose(kept, values, **TOLERANCE)
        apart = np.abs(kept - values)[known].max(initial=0.0)
        rows[file] = (known.sum(), (known & ~same).sum(), apart)
    columns = ["compared", "different", "largest"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("file")


def table(name: str, *, folder: str | os.PathLike = RESULTS) -> pd.DataFrame:
    """Read a stored table: of a study, such as "baselines", or a further one, as "baselines_songs".

    They are of the embedded corpus, SYNTHETIC, unless their `.json` names other data. Of
    regressors: index (system, features, output: raw or smoothed, protocol: CV or test, seed,
    dimension, aggregation), columns as from :func:`mer_core.metrics.score`; "_songs" has song_id
    and dimension at the end of its index and the columns rmse, pearson. DataError if there is no
    such table, or no stored tables, as without the project's repository.
    """
    _check_folder(folder)
    for about in map(_about, sorted(Path(folder).glob("*.json"))):
        for file, kinds in about["tables"].items():
            if Path(file).stem == name:
                return _read(Path(folder) / file, kinds)
    known = sorted(path.stem for path in Path(folder).glob("*.json"))
    raise DataError(Path(folder) / name, f"a table of {known} (see `make results`)", "none")


def _check_folder(folder: str | os.PathLike) -> None:
    if Path(folder) == RESULTS:
        remedy = ", or give the path of a copy: folder=path"
        check_in_repository(RESULTS, "the stored tables", remedy=remedy)


def _study(name: str) -> Study:
    if name not in STUDIES:
        raise ValueError(f"name: expected a study of {list(STUDIES)}, found {name!r}")
    return STUDIES[name]


def _tabulated(
    name: str, corpus: Corpus, units: list[tuple[tuple, dict]], cache: object, processes: int
) -> tuple[dict[str, pd.DataFrame], float]:
    """The tables of some units, and the seconds that computing the units took."""
    study = _study(name)
    results = run(
        study.function, [unit for _, unit in units], corpus, cache=cache, processes=processes
    )
    if results.failures:
        unit, why = results.failures[0]
        found = f"{len(results.failures)} failures, the first of {unit}:\n{why}"
        raise DataError(name, f"{len(units)} finished units", found)
    seconds, grouped = 0.0, {}
    for (label, _), (_, frame) in zip(units, results.done, strict=True):
        seconds += frame.attrs["seconds"]
        bare = frame.copy(deep=False)
        bare.attrs = {}  # concat would compare them, all with all
        grouped.setdefault(label, []).append(bare)
    frames = {label: pd.concat(parts).sort_index() for label, parts in grouped.items()}
    tables = study.tabulate(corpus, frames, study.levels)
    files = [file.format(name) for file in study.files]
    return dict(zip(files, tables, strict=True)), seconds


def _provenance(study: Study, corpus: Corpus) -> dict:
    """How a study's tables were made; for the reader, nothing checks it."""
    return {
        "function": f"{study.function.__module__}.{study.function.__qualname__}",
        "date": date.today().isoformat(),
        "commit": _commit(),
        "libraries": {"python": platform.python_version()} | {k: version(k) for k in LIBRARIES},
        "data": fingerprint(corpus),
        "songs": corpus.labels.index.unique("song_id").size,
        "units": len(study.units),
        "settings": _arguments(unit for _, unit in study.units),
    }


def _commit() -> str | None:
    command = ["git", "-C", os.fspath(ROOT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None


def _arguments(units: Iterable[Mapping]) -> dict[str, list]:
    """The values that each argument takes in a study."""
    values: dict[str, list] = {}
    for unit in units:
        for name, value in unit.items():
            value = json.loads(json.dumps(value, default=repr))
            if value not in values.setdefault(name, []):
                values[name].append(value)
    return values


def _write(path: Path, frame: pd.DataFrame) -> None:
    with written_atomically(path) as part:
        if path.suffix == ".csv":
            frame.to_csv(part, float_format=f"%.{DIGITS}g", lineterminator="\n")
        else:
            small = frame.astype("float32").round(DIGITS - 1).reset_index()
            text = {level: "category" for level, kind in _kinds(frame).items() if kind == "str"}
            small.astype(text).to_parquet(part, index=False, compression="zstd")


def _read(path: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    read = partial(pd.read_csv, dtype=dict(kinds)) if path.suffix == ".csv" else pd.read_parquet
    try:
        return _indexed(read(path), kinds)
    except Exception as error:  # libraries have many for a file that was changed by hand
        found = f"{type(error).__name__}: {error}"
        raise DataError(path, f"a table with the index {list(kinds)}", found) from None


def _indexed(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    frame = frame.astype(dict(kinds)).set_index(list(kinds))
    return frame.sort_index()  # look-ups in an unsorted index are slow


def _kinds(frame: pd.DataFrame) -> dict[str, str]:
    """Levels of a table's index and whether they hold text, "str", or numbers, as "int64"."""
    levels = frame.index.to_frame().dtypes
    numeric = pd.api.types.is_numeric_dtype
    return {name: str(kind) if numeric(kind) else "str" for name, kind in levels.items()}


def _about(path: Path) -> dict:
    """The provenance of a table; DataError unless it describes tables in its own folder."""
    expected = "a description of tables, as `make results` writes it"
    try:
        about = json.loads(path.read_text())
        tables = about["tables"]
        plain = {Path(file).name: dict(kinds) for file, kinds in tables.items()}
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise DataError(path, expected, f"{type(error).__name__}: {error}") from None
    if list(plain) != list(tables) or ".." in plain:
        raise DataError(path, "tables in its own folder", f"{list(tables)}")
    return about


def stored_scores(*, folder: str | os.PathLike = RESULTS) -> pd.DataFrame:
    """The stored scores of all regressors on the embedded corpus (SYNTHETIC), concatenated.

    As of :func:`table`, for :func:`workbook.papers.compare`; empty if nothing is stored.
    """
    tables = [table(name, folder=folder) for name in _on_mini(folder)]
    of_regressors = [found for found in tables if list(found.index.names) == LEVELS]
    return pd.concat(of_regressors) if of_regressors else pd.DataFrame()


def stored_songs(data: str = "mini", *, folder: str | os.PathLike = RESULTS) -> pd.DataFrame:
    """The stored scores of single songs, for paired tests: :func:`workbook.papers.judge`.

    As of :func:`stored_scores`, with song_id in place of aggregation; columns rmse, pearson; of
    "mini" (SYNTHETIC), or real: "vgmidi", or "deam", whose whole songs have the column r2.
    """
    if data == "mini":
        names = [f"{name}_songs" for name in _on_mini(folder)]
        stored = [name for name in names if (Path(folder) / f"{name}.parquet").exists()]
        return pd.concat([table(name, folder=folder) for name in stored])
    real = table(f"real_{data}_songs", folder=folder)
    real = pd.concat({"CV": real}, names=["protocol"])
    parts = [real, *([table("songs_2013_each", folder=folder)] if data == "deam" else [])]
    return pd.concat([part.reorder_levels(parts[0].index.names) for part in parts])


def _on_mini(folder: str | os.PathLike) -> list[str]:
    """Names of the stored studies of the embedded corpus."""
    _check_folder(folder)
    stored = sorted(path.stem for path in Path(folder).glob("*.json"))
    return [name for name in stored if STUDIES[name].corpus in (None, mini_songs)]


def overview(scores: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of :func:`stored_scores`, as papers print them: CV pooled, else over songs.

    Index (protocol, system, features, output), columns (dimension, metric) with RMSE, r and CCC,
    and the number of seeds.
    """
    protocol, aggregation = map(scores.index.get_level_values, ("protocol", "aggregation"))
    shown = scores[aggregation == np.where(protocol == "CV", "pooled", "mean")]
    rows = ["protocol", "system", "features", "output"]
    by_row = shown.rename(columns=NAMES)[list(NAMES.values())].groupby([*rows, "dimension"])
    wide = by_row.mean().unstack("dimension").swaplevel(axis=1)
    wide = wide[[(dimension, name) for dimension in DIMENSIONS for name in NAMES.values()]]
    wide["seeds", ""] = shown.reset_index("seed").groupby(rows)["seed"].nunique()
    return wide

"""The tables that notebooks and scoreboard read, where they come from, and when they are stale."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.experiments.catalogue import SWEEPS
from mer_core.experiments.protocols import Sweep
from mer_core.experiments.settings import named_models
from mer_core.experiments.store import qualified, version_of
from mer_core.experiments.sweep import run
from mer_core.experiments.versions import fingerprint
from mer_core.files import DataError, written_atomically

RESULTS = Path(__file__).parents[2] / "data" / "results"
DIGITS = 5
DESCRIBED = {"function", "code", "data", "units in the catalogue", "way of tabulating"}
"""What is told of tables beside them, apart from their names."""


def table(name: str, *, folder: str | os.PathLike = RESULTS) -> pd.DataFrame:
    """Read a stored table.

    Parameters
    ----------
    name : str
        Of a sweep, as "baselines", or one of its further tables, as "baselines_songs".
    folder : path
        `data/results` by default, whose tables are of the embedded corpus, which is SYNTHETIC.

    Returns
    -------
    DataFrame
        Of regressors: index (system, features, output: raw or smoothed, protocol: CV or test, seed,
        dimension, aggregation), columns as of :func:`mer_core.metrics.score`; "_songs" has song_id
        and dimension at the end of its index and columns rmse, pearson.

    Raises
    ------
    DataError
        If there is no such table.
    """
    for about in map(_about, sorted(Path(folder).glob("*.json"))):
        for file, kinds in about["tables"].items():
            if Path(file).stem == name:
                return _read(Path(folder) / file, kinds)
    known = sorted(path.stem for path in Path(folder).glob("*.json"))
    raise DataError(Path(folder) / name, f"a table of {known} (see `make results`)", "none")


def stale(name: str, corpus: Corpus | None, *, folder: str | os.PathLike = RESULTS) -> list[str]:
    """Why a sweep's tables are not what the code and the data at hand would give.

    Parameters
    ----------
    name : str
        Of a sweep in the catalogue.
    corpus : Corpus or None
        That the tables are of. None, where it is not at hand, leaves the data out.
    folder : path
        Where they are.

    Returns
    -------
    list of str
        In words; empty if nothing is stale. `make results` computes what is missing.
    """
    sweep, path = _sweep(name), Path(folder) / f"{name}.json"
    if not path.exists():
        return [f"{name}: never computed"]
    was, now = _about(path), _origin(sweep, corpus)
    reasons = [
        f"{name}: other {what} than the table was made with"
        for what in ("units in the catalogue", "data", "function", "way of tabulating")
        if was[what] != now[what] and not (what == "data" and corpus is None)
    ]
    old, new = was["code"], now["code"]
    changed = [models for models in new if old.get(models) != new[models]]
    reasons += [f"{name}: the code that {models} depends on has changed" for models in changed]
    files = {file: Path(folder) / file for file in was["tables"]}
    altered = [k for k, v in files.items() if not v.exists() or _hash(v) != was["files"][k]]
    return reasons + [f"{name}: {file} is not the file that was written" for file in altered]


def compute(
    name: str,
    corpus: Corpus,
    *,
    folder: str | os.PathLike = RESULTS,
    store: str | os.PathLike | None = None,
    processes: int = -1,
) -> list[Path]:
    """Compute the units of a sweep that the store lacks, and write its tables.

    Parameters
    ----------
    name : str
        Of a sweep in the catalogue.
    corpus : Corpus
    folder : path
        Where tables go, and `<name>.json`, which says where they come from.
    store, processes
        As for :func:`mer_core.experiments.run`.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    DataError
        If units fail: there is no table with holes. Those that didn't fail are kept.
    ValueError
        If there is no such sweep.
    """
    sweep = _sweep(name)
    results = run(
        sweep.function, [unit for _, unit in sweep.units], corpus, store=store, processes=processes
    )
    if results.failures:
        unit, why = results.failures[0]
        found = f"{len(results.failures)} failures, the first of {unit}:\n{why}"
        raise DataError(name, f"{len(sweep.units)} finished units", found)
    frames = [frame for _, frame in results.done]
    tables = sweep.tabulate(corpus, _by_label(sweep, frames), sweep.levels)
    written = {f"{name}{end}": frame for end, frame in tables.items()}
    for file, frame in written.items():
        _write(Path(folder) / file, frame)
    about = _origin(sweep, corpus) | {
        "settings": _arguments(unit for _, unit in sweep.units),
        "libraries": _distinct(frame.attrs["versions"] for frame in frames),
        "tables": {file: _kinds(frame) for file, frame in written.items()},
        "files": {file: _hash(Path(folder) / file) for file in written},
    }
    with written_atomically(Path(folder) / f"{name}.json") as part:
        part.write_text(json.dumps(about, indent=1) + "\n")
    return [Path(folder) / file for file in (*written, f"{name}.json")]


def _sweep(name: str) -> Sweep:
    if name not in SWEEPS:
        raise ValueError(f"name: expected a sweep of the catalogue, {list(SWEEPS)}, found {name!r}")
    return SWEEPS[name]


def _origin(sweep: Sweep, corpus: Corpus | None) -> dict:
    """What a sweep's tables depend on; libraries don't count, they are told."""
    function, tabulate = qualified(sweep.function), qualified(sweep.tabulate)
    text = json.dumps([*sweep.units, sweep.levels], sort_keys=True)
    named = sorted({tuple(sorted(named_models(unit))) for _, unit in sweep.units})
    return {
        "function": function,
        "code": {" and ".join(k) or function: version_of(function, frozenset(k)) for k in named},
        "data": None if corpus is None else fingerprint(corpus),
        "units in the catalogue": hashlib.sha256(text.encode()).hexdigest(),
        "way of tabulating": version_of(tabulate, frozenset()),
    }


def _by_label(sweep: Sweep, frames: list[pd.DataFrame]) -> dict[tuple, pd.DataFrame]:
    grouped: dict[tuple, list[pd.DataFrame]] = {}
    for (label, _), frame in zip(sweep.units, frames, strict=True):
        bare = frame.copy(deep=False)
        bare.attrs = {}  # they would be compared, all with all
        grouped.setdefault(label, []).append(bare)
    return {label: pd.concat(parts).sort_index() for label, parts in grouped.items()}


def _write(path: Path, frame: pd.DataFrame) -> None:
    with written_atomically(path) as part:
        if path.suffix == ".csv":
            frame.to_csv(part, float_format=f"%.{DIGITS}g", lineterminator="\n")
        else:
            small = frame.astype("float32").round(DIGITS - 1).reset_index()
            text = {level: "category" for level, kind in _kinds(frame).items() if kind == "str"}
            small.astype(text).to_parquet(part, index=False, compression="zstd")


def _read(path: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    if path.suffix == ".csv":
        frame = pd.read_csv(path, dtype=dict(kinds))
    else:
        frame = pd.read_parquet(path).astype(dict(kinds))
    return frame.set_index(list(kinds)).sort_index()  # pandas warns of slow look-ups in others


def _kinds(frame: pd.DataFrame) -> dict[str, str]:
    """Levels of a table's index and whether they hold text, "str", or numbers, as "int64"."""
    levels = frame.index.dtypes if isinstance(frame.index, pd.MultiIndex) else None
    levels = {frame.index.name: frame.index.dtype} if levels is None else levels.to_dict()
    numeric = pd.api.types.is_numeric_dtype
    return {name: str(kind) if numeric(kind) else "str" for name, kind in levels.items()}


def _arguments(units: object) -> dict[str, list]:
    """Which values each argument takes in a sweep, for who reads the file."""
    values: dict[str, list] = {}
    for unit in units:
        for name, value in unit.items():
            if value not in values.setdefault(name, []):
                values[name].append(value)
    return values


def _distinct(values: object) -> list:
    return [json.loads(text) for text in sorted({json.dumps(value) for value in values})]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _about(path: Path) -> dict:
    expected = "what `make results` wrote beside its tables"
    try:
        about = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise DataError(path, expected, str(error)) from None
    known = about if isinstance(about, dict) else {}
    parts = [known.get(part) for part in ("tables", "files", "code")]
    if not all(isinstance(part, dict) for part in parts) or not set(known) >= DESCRIBED:
        raise DataError(path, expected, f"{str(about)[:80]!r}")
    odd = [file for file in {**parts[0], **parts[1]} if Path(file).name != file or file == ".."]
    if odd or not all(isinstance(kinds, dict) for kinds in parts[0].values()):
        raise DataError(path, "tables of its own folder, with the kinds of their levels", f"{odd}")
    return about

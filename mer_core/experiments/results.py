"""Run the units of a study, keep the finished ones, and write, read and check its tables.

A *unit* is a dictionary of keyword arguments for a function, `function(corpus, **unit)` ->
DataFrame. Three things are kept apart. Resuming: finished units are in a joblib cache, under a hash
of the function, the unit, the data and the source code. Provenance: `<name>.json` beside a table
says how it was made; nothing enforces it. Correctness: :func:`check` computes rows again and
compares numbers.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
import subprocess
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
import pooch
from joblib import Parallel, delayed
from joblib._store_backends import CacheWarning
from joblib.externals.loky.process_executor import BrokenProcessPool
from tqdm.auto import tqdm

from mer_core.corpus import Corpus
from mer_core.files import DataError, DataWarning, written_atomically

PACKAGE = Path(__file__).parents[1]
RESULTS = PACKAGE.parent / "data" / "results"
DIGITS = 5
"""Significant digits of a stored table."""
TOLERANCE = {"rtol": 2e-3, "atol": 2e-4}
"""Within which a number that is computed again equals the stored one."""
LARGEST_CACHE = "4G"
"""The oldest units are removed beyond this size."""
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "torch")


class Results(NamedTuple):
    """The units of a study that were computed, and those that failed."""

    done: list[tuple[dict, pd.DataFrame]]
    """Units and their frames, in the order in which the units were given."""
    failures: list[tuple[dict, str]]
    """Units without a frame, each with the traceback."""


class Sweep(NamedTuple):
    """A study: its units, and how their frames become tables."""

    function: Callable[..., pd.DataFrame]
    """`function(corpus, **unit)`."""
    units: list[tuple[tuple, dict]]
    """Pairs of a label (a row of the table; folds share one) and a unit."""
    levels: tuple[str, ...]
    """Names of the label's parts."""
    tabulate: Callable[[Corpus, dict[tuple, pd.DataFrame], tuple[str, ...]], dict]
    """`tabulate(corpus, {label: frame}, levels)` -> {end of the file's name: table}, the end being
    ".csv" or, for example, "_songs.parquet"."""
    corpus: Callable[[], Corpus] | None = None
    """Loads the data; None is the embedded corpus."""
    cheapest: tuple = ()
    """The first parts of the labels that the tests compute again."""


# Running


def run(
    function: Callable[..., pd.DataFrame],
    units: Iterable[Mapping[str, object]],
    corpus: Corpus,
    *,
    cache: str | os.PathLike | None = None,
    processes: int = -1,
) -> Results:
    """Compute the units that the cache does not hold, on all cores, and return all of them.

    Each unit is cached when it is finished, so after a kill the same call computes the rest. Two
    runs may share a cache. Under `joblib.parallel_config(backend="dask")` the units go to a
    cluster; only this process needs the cache.

    Parameters
    ----------
    function : callable
        `function(corpus, **unit)` -> DataFrame, at the top of an importable module.
    units : iterable of dict
        Keyword arguments: settings, folds, seeds.
    corpus : Corpus
    cache : path, optional
        A folder; the user's cache folder by default. If it cannot be written, the units are
        computed all the same, with one warning.
    processes : int
        How many run at a time; -1 for one per core.

    Returns
    -------
    Results
        Failed units are reported in a warning, not cached, and computed again by the next call.

    Raises
    ------
    RuntimeError
        If a worker process dies, most often because memory is short. Finished units are kept.
    ValueError
        If other processes cannot import the function.
    """
    units = [dict(unit) for unit in units]
    keys = [_key(function, unit, _fingerprint(corpus)) for unit in units]
    units_of, kept = dict(zip(keys, units)), _Cache(cache)
    frames = {key: frame for key in units_of if (frame := kept.read(key)) is not None}
    failures: dict[str, str] = {}
    missing = {key: unit for key, unit in units_of.items() if key not in frames}
    for key, outcome in _computed(function, missing, corpus, kept, processes):
        if isinstance(outcome, str):
            failures[key] = outcome
        else:
            frames[key] = outcome
            kept.write(key, outcome)
    _report(failures, units_of)
    return Results(
        [(unit, frames[key]) for key, unit in zip(keys, units) if key in frames],
        [(units_of[key], text) for key, text in failures.items()],
    )


def _computed(
    function: Callable, missing: dict[str, dict], corpus: Corpus, kept: _Cache, processes: int
) -> Iterator[tuple[str, pd.DataFrame | str]]:
    """Each missing unit's key with its frame, or with the traceback if it failed."""
    if not missing:
        return
    # One unit a batch and few of them waiting: a kill loses only what is being computed.
    settings = {"return_as": "generator_unordered", "batch_size": 1, "pre_dispatch": "n_jobs + 1"}
    with tqdm(total=len(missing), desc=function.__name__, unit="unit") as bar:
        jobs = _jobs(function, missing, corpus, kept)
        with closing(Parallel(processes, **settings)(jobs)) as finished:
            try:
                for outcome in finished:
                    yield outcome
                    bar.update()
            except BrokenProcessPool as error:
                remedy = (
                    "Finished units are kept: run again, with fewer processes if memory is short"
                )
                raise RuntimeError(f"a worker process died. {remedy}") from error


def _jobs(function: Callable, missing: dict, corpus: Corpus, kept: _Cache) -> Iterator[tuple]:
    """Calls of `_attempt`, made one by one as workers become free."""
    # In random order, so that two runs on one cache do not compute the same units side by side.
    for key in np.random.default_rng().permutation(list(missing)).tolist():
        if (frame := kept.read(key)) is not None:  # by now, from another run
            yield delayed(_same)(key, frame)
        else:
            # Frame by frame, since Dask sends a large argument to each worker only once.
            yield delayed(_attempt)(key, function, missing[key], *vars(corpus).values())


def _same(key: str, frame: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    return key, frame


def _attempt(
    key: str, function: Callable, unit: dict, *frames: pd.DataFrame
) -> tuple[str, pd.DataFrame | str]:
    """One unit's frame, or its traceback: whatever fails, the other units must go on."""
    try:
        start = time.perf_counter()
        frame = function(Corpus(*frames), **unit)
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"expected a DataFrame, found {type(frame).__name__}")
        frame.attrs["seconds"] = round(time.perf_counter() - start, 3)
        return key, frame
    except Exception:
        return key, traceback.format_exc()


def _report(failures: dict[str, str], units: dict[str, dict]) -> None:
    if failures:
        first, why = next(iter(failures.items()))
        text = f"{len(failures)} of {len(units)} units failed; one is {units[first]}: "
        text += why.strip().splitlines()[-1]
        warnings.warn(f"{text}. `failures` holds every traceback", stacklevel=3)


class _Cache:
    """Finished units in a joblib cache; without a writable folder it holds nothing."""

    def __init__(self, folder: str | os.PathLike | None) -> None:
        try:
            folder = folder or Path(pooch.os_cache("mer_core")) / "results"
            # Compressed, since zlib notices a damaged file.
            memory = joblib.Memory(os.fspath(folder), verbose=0, compress=1)
            memory.reduce_size(bytes_limit=LARGEST_CACHE)
        except (OSError, RuntimeError, KeyError) as error:
            _warn_not_kept(folder, error)
            memory = joblib.Memory(None)
        self.folder = folder
        self._kept = memory.cache(_kept, ignore=["frame"])

    def read(self, key: str) -> pd.DataFrame | None:
        """A unit's frame; None if there is none, or a damaged one."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a damaged file is computed again
            try:
                return self._kept(key, None) if self._kept.check_call_in_cache(key, None) else None
            except (KeyError, OSError):
                return None

    def write(self, key: str, frame: pd.DataFrame) -> None:
        """Keep a frame; on the first failure, warn and keep none from then on."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", CacheWarning)
            try:
                self._kept(key, frame)
                return
            except (CacheWarning, OSError) as error:
                failed = error
        _warn_not_kept(self.folder, failed)
        self._kept = joblib.Memory(None).cache(_kept)


def _kept(key: str, frame: pd.DataFrame | None) -> pd.DataFrame:
    """The frame itself: the cache ignores it and keeps it under the key."""
    if frame is None:
        raise KeyError(key)
    return frame


def _warn_not_kept(folder: object, error: Exception) -> None:
    remedy = "Units are computed but not kept; name another folder with `cache`, or free some space"
    text = DataError(folder or "cache", "a folder that can be written", str(error))
    warnings.warn(DataWarning(f"{text}. {remedy}"), stacklevel=4)


def _key(function: Callable, unit: dict, data: str) -> str:
    name = f"{function.__module__}.{function.__qualname__}"
    if function.__module__ == "__main__" or "<" in name:
        raise ValueError(f"function: expected one at the top of an importable module, found {name}")
    return joblib.hash((name, unit, data, _code(inspect.getsourcefile(function))))


@cache
def _code(source: str) -> str:
    """A digest of the package and of one more file, the module of a function."""
    files = [Path(source), *sorted(PACKAGE.rglob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _fingerprint(corpus: Corpus) -> str:
    """A hash of what a model can use: labels, features, genres and splits; no paths."""
    songs = corpus.songs[["genre", "split"]].fillna("").astype(object)
    whole = hashlib.sha256()
    for frame in (corpus.labels, corpus.features, songs):
        whole.update(json.dumps(list(map(str, frame))).encode())
        whole.update(pd.util.hash_pandas_object(frame).to_numpy().tobytes())
    return whole.hexdigest()


# Tables


def compute(
    name: str,
    corpus: Corpus,
    *,
    folder: str | os.PathLike = RESULTS,
    cache: str | os.PathLike | None = None,
    processes: int = -1,
) -> list[Path]:
    """Compute a study's units, as far as they are not cached, and write its tables.

    Parameters
    ----------
    name : str
        A study of `SWEEPS`.
    corpus : Corpus
    folder : path
        Where the tables go, and `<name>.json`, which says how they were made.
    cache, processes
        As for :func:`run`.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    DataError
        If units fail: no table has holes. Finished units are kept.
    ValueError
        If there is no such study.
    """
    sweep, start = _sweep(name), time.perf_counter()
    tables, seconds = _tabulated(name, corpus, list(sweep.units), cache, processes)
    written = {f"{name}{end}": table for end, table in tables.items()}
    for file, table in written.items():
        _write(Path(folder) / file, table)
    about = _provenance(sweep, corpus) | {
        "seconds": {"computing": round(seconds), "now": round(time.perf_counter() - start)},
        "tables": {file: _kinds(table) for file, table in written.items()},
    }
    with written_atomically(Path(folder) / f"{name}.json") as part:
        part.write_text(json.dumps(about, indent=1) + "\n")
    return [Path(folder) / file for file in (*written, f"{name}.json")]


def check(
    name: str,
    corpus: Corpus,
    *,
    every: bool = False,
    folder: str | os.PathLike = RESULTS,
    cache: str | os.PathLike | None = None,
    processes: int = -1,
) -> pd.DataFrame:
    """Compute a study again, its cheapest rows or all, and compare with the stored tables.

    Parameters
    ----------
    name : str
        A study of `SWEEPS`.
    corpus : Corpus
    every : bool
        Whether to compute all rows: for most studies that takes hours, and resumes.
    folder, cache, processes
        As for :func:`compute`.

    Returns
    -------
    DataFrame
        Index file; columns `compared`, the number of values, `different`, how many are outside
        `TOLERANCE`, and `largest`, the largest absolute difference.
    """
    sweep = _sweep(name)
    prefix = () if every else sweep.cheapest
    units = [(label, unit) for label, unit in sweep.units if label[: len(prefix)] == prefix]
    tables, _ = _tabulated(name, corpus, units, cache, processes)
    rows = {}
    for end, live in tables.items():
        stored = table(f"{name}{Path(end).stem if end[0] == '_' else ''}", folder=folder)
        live = _indexed(live.select_dtypes("number").reset_index(), _kinds(stored))
        kept = stored.reindex(live.index)[list(live)].to_numpy(float)
        values = live.to_numpy(float)
        known = np.isfinite(values)  # a difference to a row that was not computed is NaN
        same = np.isclose(kept, values, **TOLERANCE)
        apart = np.abs(kept - values)[known].max(initial=0.0)
        rows[f"{name}{end}"] = (known.sum(), (known & ~same).sum(), apart)
    columns = ["compared", "different", "largest"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("file")


def table(name: str, *, folder: str | os.PathLike = RESULTS) -> pd.DataFrame:
    """Read a stored table.

    Parameters
    ----------
    name : str
        A study, such as "baselines", or one of its further tables, such as "baselines_songs".
    folder : path
        `data/results` by default. Its tables are of the embedded corpus, which is SYNTHETIC, unless
        their `.json` names other data.

    Returns
    -------
    DataFrame
        Of regressors: index (system, features, output: raw or smoothed, protocol: CV or test, seed,
        dimension, aggregation), columns as from :func:`mer_core.metrics.score`; "_songs" has
        song_id and dimension at the end of its index and the columns rmse, pearson.

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


def _sweep(name: str) -> Sweep:
    from mer_core.experiments.catalogue import SWEEPS

    if name not in SWEEPS:
        raise ValueError(f"name: expected a study of {list(SWEEPS)}, found {name!r}")
    return SWEEPS[name]


def _tabulated(
    name: str, corpus: Corpus, units: list[tuple[tuple, dict]], cache: object, processes: int
) -> tuple[dict[str, pd.DataFrame], float]:
    """The tables of some units, and the seconds that computing the units took."""
    sweep = _sweep(name)
    results = run(
        sweep.function, [unit for _, unit in units], corpus, cache=cache, processes=processes
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
    return sweep.tabulate(corpus, frames, sweep.levels), seconds


def _provenance(sweep: Sweep, corpus: Corpus) -> dict:
    """How a study's tables were made; for the reader, nothing checks it."""
    return {
        "function": f"{sweep.function.__module__}.{sweep.function.__qualname__}",
        "date": date.today().isoformat(),
        "commit": _commit(),
        "libraries": {"python": platform.python_version()} | {k: version(k) for k in LIBRARIES},
        "data": _fingerprint(corpus),
        "songs": corpus.labels.index.unique("song_id").size,
        "units": len(sweep.units),
        "settings": _arguments(unit for _, unit in sweep.units),
    }


def _commit() -> str | None:
    command = ["git", "-C", os.fspath(PACKAGE), "describe", "--always", "--dirty"]
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
    frame = pd.read_csv(path, dtype=dict(kinds)) if path.suffix == ".csv" else pd.read_parquet(path)
    return _indexed(frame, kinds)


def _indexed(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    frame = frame.astype(dict(kinds)).set_index(list(kinds))
    return frame.sort_index()  # look-ups in an unsorted index are slow


def _kinds(frame: pd.DataFrame) -> dict[str, str]:
    """Levels of a table's index and whether they hold text, "str", or numbers, as "int64"."""
    levels = frame.index.dtypes if isinstance(frame.index, pd.MultiIndex) else None
    levels = {frame.index.name: frame.index.dtype} if levels is None else levels.to_dict()
    numeric = pd.api.types.is_numeric_dtype
    return {name: str(kind) if numeric(kind) else "str" for name, kind in levels.items()}


def _about(path: Path) -> dict:
    """The provenance of a table, as far as reading the table needs it."""
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

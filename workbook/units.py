"""Compute the units of a study and keep the finished ones, so that a kill costs little.

A *unit* is a dictionary of keyword arguments for a function, `function(corpus, **unit)` ->
DataFrame. Finished units are kept in a joblib cache, under a hash of the function, the unit, the
data and the source code. The same call runs on a Dask cluster; see docs/code.md.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from joblib._store_backends import CacheWarning
from joblib.externals.loky.process_executor import BrokenProcessPool
from tqdm.auto import tqdm

import mer_core
from mer_core.corpus import Corpus
from mer_core.files import DataError, DataWarning, user_cache

PACKAGES = (Path(mer_core.__file__).parent, Path(__file__).parent)
LARGEST_CACHE = "4G"
"""The oldest units are removed beyond this size."""


class Results(NamedTuple):
    """The units of a study that were computed, and those that failed."""

    done: list[tuple[dict, pd.DataFrame]]
    """Units and their frames, in the order in which the units were given."""
    failures: list[tuple[dict, str]]
    """Units without a frame, each with the traceback."""


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
        `function(corpus, **unit)` -> DataFrame, of an importable module (else ValueError).
    units : iterable of dict
        Keyword arguments: settings, folds, seeds.
    corpus : Corpus
    cache : path, optional
        A folder; the user's cache folder by default. If it cannot be written, the units are
        computed without it, with one warning.
    processes : int
        How many run at a time; -1 for one per core.

    Returns
    -------
    Results
        Failed units are reported in a warning, not cached, and computed again by the next call.
        RuntimeError if a worker process dies, most often because memory is short.
    """
    units = [dict(unit) for unit in units]
    data = fingerprint(corpus)
    keys = [_key(function, unit, data) for unit in units]
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
    jobs = _jobs(function, missing, corpus, kept)
    with (
        tqdm(total=len(missing), desc=function.__name__, unit="unit") as bar,
        closing(Parallel(processes, **settings)(jobs)) as finished,
    ):
        try:
            for outcome in finished:
                yield outcome
                bar.update()
        except BrokenProcessPool as error:
            remedy = "Finished units are kept: run again, with fewer processes if memory is short"
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
        warnings.warn(f"{text}. `failures` contains every traceback", stacklevel=3)


class _Cache:
    """Finished units in a joblib cache; without a writable folder it holds nothing."""

    def __init__(self, folder: str | os.PathLike | None) -> None:
        try:
            folder = folder or user_cache("mer_core") / "results"
            # Compressed, since zlib notices a damaged file.
            memory = joblib.Memory(os.fspath(folder), verbose=0, compress=1)
            memory.reduce_size(bytes_limit=LARGEST_CACHE)
        except (OSError, RuntimeError) as error:
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
    """A digest of both packages and of one more file, the module of a function."""
    files = [Path(source), *(path for place in PACKAGES for path in sorted(place.rglob("*.py")))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def fingerprint(corpus: Corpus) -> str:
    """Hash all that a study can use of a corpus: its four frames, without the audio's paths."""
    songs = corpus.songs.drop(columns="audio").astype(str)
    whole = hashlib.sha256()
    for frame in (corpus.labels, corpus.features, songs, corpus.ratings):
        if frame is None:
            continue
        whole.update(json.dumps(list(map(str, frame))).encode())
        whole.update(pd.util.hash_pandas_object(frame).to_numpy().tobytes())
    return whole.hexdigest()

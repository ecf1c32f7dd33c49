"""A sweep: compute the units that the store lacks, keep each as it is finished."""

from __future__ import annotations

import os
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import BrokenProcessPool
from tqdm.auto import tqdm

from mer_core.corpus import Corpus
from mer_core.experiments.store import Store, address, packed, qualified
from mer_core.experiments.versions import fingerprint, libraries
from mer_core.metrics import DIMENSIONS, score


class Results(NamedTuple):
    """What a sweep has found, and what it couldn't."""

    done: list[tuple[dict, pd.DataFrame]]
    """Units and their frames, in the order in which the units were given."""
    failures: list[tuple[dict, str]]
    """Units without a frame and what went wrong, as Python tells it."""


def run(
    function: Callable[..., pd.DataFrame],
    units: Iterable[Mapping[str, object]],
    corpus: Corpus,
    *,
    store: str | os.PathLike | None = None,
    processes: int = -1,
) -> Results:
    """Compute what the store lacks, on all cores, and give all of it.

    Each unit is stored as it is finished; after a kill, the same call computes the rest. Two runs
    may share a store. Under `joblib.parallel_config(backend="dask")` the units go to a cluster;
    only this process needs the store.

    Parameters
    ----------
    function : callable
        `function(corpus, **unit)` -> DataFrame, at the top of an importable module.
    units : iterable of dict
        Keyword arguments, of what JSON knows: settings, folds, seeds.
    corpus : Corpus
    store : path, optional
        The user's cache folder by default.
    processes : int
        At a time; -1 for one per core.

    Returns
    -------
    Results
        Failures are warned of, not stored, and tried again by the next call.

    Raises
    ------
    DataError
        If the store can't be written: a full disk, a read-only place. What was finished is kept.
    RuntimeError
        If a worker process dies, most often of lack of memory. What was finished is kept.
    ValueError
        If a unit is not JSON or the function can't be imported.
    """
    kept, data = Store(store), fingerprint(corpus)
    keys = [(address(function, unit, data), dict(unit)) for unit in units]
    wanted = dict(keys)
    frames = {key: frame for key in wanted if (frame := kept.read(key)) is not None}
    missing = {key: unit for key, unit in wanted.items() if key not in frames}
    failures = _compute(function, missing, corpus, kept, processes) if missing else {}
    frames |= {key: frame for key in missing if (frame := kept.read(key)) is not None}
    lost = {key: failures.get(key, "gone from the store") for key in wanted if key not in frames}
    _tell(lost, wanted)
    return Results(
        [(unit, frames[key]) for key, unit in keys if key in frames],
        [(wanted[key], text) for key, text in lost.items()],
    )


def _compute(
    function: Callable, missing: dict[str, dict], corpus: Corpus, kept: Store, processes: int
) -> dict[str, str]:
    """Compute and keep units; give the texts of those that failed, by address."""
    kept.require_room()
    # One unit a batch, few waiting: a kill costs what is under way, so let that be little.
    settings = {"return_as": "generator_unordered", "batch_size": 1, "pre_dispatch": "n_jobs + 1"}
    failures = {}
    bar = tqdm(total=len(missing), desc=function.__name__, unit="unit")
    with bar, warnings.catch_warnings():
        jobs = _jobs(function, missing, corpus, kept, bar)
        # When the store is full, joblib would tell of the units that were under way as well.
        warnings.filterwarnings("ignore", message=".* have been cancelled")
        with closing(Parallel(processes, **settings)(jobs)) as finished:
            for key, outcome in _while_workers_live(finished):
                if isinstance(outcome, bytes):
                    kept.write(key, outcome)
                else:
                    failures[key] = outcome
                bar.update()
    return failures


def _jobs(
    function: Callable, missing: dict[str, dict], corpus: Corpus, kept: Store, bar: tqdm
) -> Iterator[tuple]:
    """Calls of `_attempt`, made one by one as workers become free."""
    # At random, so that two runs on one store don't go through it side by side.
    for key in np.random.default_rng().permutation(list(missing)).tolist():
        if key in kept:  # by now, by another run
            bar.update()
        else:
            # The frames one by one, since Dask sends what it sees to be large to each worker once.
            yield delayed(_attempt)(key, function, missing[key], *vars(corpus).values())


def _attempt(
    key: str, function: Callable, unit: dict, *frames: pd.DataFrame
) -> tuple[str, bytes | str]:
    """One unit's file, or why there is none; whatever it is, it must not lose the others."""
    start = time.perf_counter()
    try:
        corpus = Corpus(*frames)
        frame = function(corpus, **unit)
        seconds = round(time.perf_counter() - start, 3)
        about = {"function": qualified(function), "unit": unit, "seconds": seconds}
        return key, packed(frame, key, **about, versions=libraries(), scores=_scores(corpus, frame))
    except Exception:
        return key, traceback.format_exc()


def _scores(corpus: Corpus, frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Scores of a unit that predicts, for who looks into its file; tables compute their own."""
    if list(frame) != DIMENSIONS or frame.index.names != corpus.labels.index.names:
        return {}
    scored = corpus.labels.index.get_level_values("song_id").isin(frame.index.unique("song_id"))
    table = score(corpus.labels[scored], frame)
    return table.set_axis(table.index.map(" ".join)).to_dict("index")


def _while_workers_live(finished: Iterator) -> Iterator:
    try:
        yield from finished
    except BrokenProcessPool as error:
        cure = "What was finished is kept: run again, with fewer processes if memory is short"
        raise RuntimeError(f"a worker process died. {cure}") from error


def _tell(failures: dict[str, str], wanted: dict[str, dict]) -> None:
    if failures:
        first = next(iter(failures))
        why = failures[first].strip().splitlines()[-1]
        text = f"{len(failures)} of {len(wanted)} units failed; one is {wanted[first]}: {why}"
        warnings.warn(f"{text}. `failures` holds all texts in full", stacklevel=3)

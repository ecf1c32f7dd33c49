"""Units for tests of sweeps, in a module that worker processes can import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import SONG_COLUMNS, Corpus
from workbook import units as runs


def tiny_corpus() -> Corpus:
    """Twelve songs, two of them for the test, with ten random features by COMPARE's naming."""
    rng = np.random.default_rng(0)
    songs = pd.DataFrame(index=pd.RangeIndex(1, 13, name="song_id"), columns=SONG_COLUMNS)
    songs[["valence", "arousal"]] = 0.0
    songs["split"] = ["dev"] * 10 + ["test"] * 2
    songs["genre"] = ["rock", "jazz", None] * 4
    index = pd.MultiIndex.from_product([songs.index, 0.5 * np.arange(8)], names=["song_id", "time"])
    names = [f"f{k}_sma_amean" for k in range(10)]
    features = pd.DataFrame(rng.normal(size=(len(index), 10)), index, names)
    curves = np.tanh(features.to_numpy()[:, :2] + 0.1 * rng.normal(size=(len(index), 2)))
    labels = pd.DataFrame(curves, index, ["valence", "arousal"])
    return Corpus(songs, labels[index.get_level_values("time") >= 1], features)


def logged(
    corpus: Corpus, *, log: str, number: int, seconds: float = 0.0, rows: int = 50
) -> pd.DataFrame:
    """Numbers that depend on `number` and the corpus; each call appends a line to the log."""
    line = f"{number} {os.getpid()}\n".encode()
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line)
    os.close(handle)
    time.sleep(seconds)
    values = (
        np.random.default_rng(number).normal(size=(rows, 3)) + corpus.features.to_numpy().mean()
    )
    return pd.DataFrame(values, columns=["a", "b", "c"]).rename_axis("row")


def calls(log: str | Path) -> list[int]:
    """The numbers for which `logged` was called, one for each call."""
    path = Path(log)
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def kept(function: object, cache: str | Path, units: list[dict]) -> list[dict]:
    """Those units that a cache holds."""
    folder, data = runs._Cache(cache), runs.fingerprint(tiny_corpus())
    return [unit for unit in units if folder.read(runs._key(function, unit, data)) is not None]


def units(log: str | Path, count: int, **more: object) -> list[dict]:
    """Units of `logged`."""
    return [{"log": str(log), "number": number, **more} for number in range(count)]


def started(store: Path, log: Path, count: int, *, processes: int, **more: object):
    """A sweep of `logged` in a process of its own, with workers, in a group that can be killed."""
    code = (
        "import json, sys, sweeps; from workbook.units import run;"
        "store, units, n = sys.argv[1:];"
        "run(sweeps.logged, json.loads(units), sweeps.tiny_corpus(), cache=store,"
        "processes=int(n))"
    )
    arguments = [str(store), json.dumps(units(log, count, **more)), str(processes)]
    places = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )


def failing(corpus: Corpus, *, number: int, broken: list[int]) -> pd.DataFrame:
    """A unit that fails for some numbers."""
    if number in broken:
        raise ArithmeticError(f"number {number} is broken")
    return pd.DataFrame({"number": [number]})


def odd(corpus: Corpus, *, what: str) -> object:
    """No result, and a worker that dies."""
    if what == "dies":
        os._exit(1)

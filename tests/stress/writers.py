"""Kill every kind of writing at random moments; whole files have to be left: `make stress`.

A child writes one version after the other, each full of its own number, until it is killed; then
every file has to be one whole version.
"""

import argparse
import io
import json
import os
import signal
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import nbformat
import numpy as np
import pandas as pd
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[2] / "data" / "compose"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import make_corpus
import song
from mer_core import models
from mer_core.datasets.deam import fetch
from mer_core.datasets.layout import find_folder
from mer_core.features import batch
from mer_core.files import written_atomically
from test_fetch import Site
from workbook import lesson, results

FILES = 40


class Writer(NamedTuple):
    """`write` puts a version into a folder; `read` checks all files and returns the versions."""

    write: Callable[[Path, int], object]
    read: Callable[[Path], set[int]]


def frame(version: int, rows: int = 3000) -> pd.DataFrame:
    times = pd.MultiIndex.from_product([[1], 0.5 * np.arange(rows)], names=["song_id", "time"])
    return pd.DataFrame(float(version), times, ["a", "b", "c"])


def only(values: pd.DataFrame, rows: int = 3000) -> int:
    """The number that fills a table."""
    numbers = set(values.to_numpy().ravel().tolist())
    assert len(values) == rows, f"{rows} rows, found {len(values)}"
    assert len(numbers) == 1, f"one version, found {numbers}"
    return int(numbers.pop())


def files(write: Callable, pattern: str, read: Callable[[Path], int]) -> Writer:
    """A writer of files that are read one by one."""

    def found(folder: Path) -> set[int]:
        paths = [path for path in folder.rglob(pattern) if not path.name.startswith(".part-")]
        return {read(path) for path in paths}

    return Writer(write, found)


def cache(folder: Path, version: int) -> None:
    (folder / "1.wav").write_bytes(bytes(version))  # other audio, so another entry
    with mock.patch.object(batch, "extract", return_value=frame(version)):
        assert not batch._song(folder / "1.wav", ("mel",), 1.0, folder / "cache").failure


def keep_model(folder: Path, version: int) -> None:
    index = frame(0, 10).index
    labels = pd.DataFrame(version / 2**20, index, ["valence", "arousal"])
    model = models.Constant().fit(pd.DataFrame(np.zeros((10, 2000)), index), labels)
    model.many_ = np.full(50_000, version)
    models.save(model, folder / "m.safetensors")


def of_model(path: Path) -> int:
    model = models.load(path)
    assert set(model.many_.tolist()) == {round(model.fitted_.constant_[0, 0] * 2**20)}
    return int(model.many_[0])


def expected(folder: Path, version: int) -> None:
    with mock.patch.object(lesson, "EXPECTED", folder / "expected.json"):
        lesson._store("00", {f"number {k}": (version, 0.1) for k in range(500)})


def of_expected(path: Path) -> int:
    values = [row["value"] for row in json.loads(path.read_text())["00"].values()]
    return only(pd.DataFrame(values), 500)


def notebook(folder: Path, version: int) -> None:
    cells = [nbformat.v4.new_code_cell(f"{version}", id=f"c{k}") for k in range(200)]
    with written_atomically(folder / "00.ipynb") as part:  # as notebooks/build.py does
        nbformat.write(nbformat.v4.new_notebook(cells=cells), part)


def of_notebook(path: Path) -> int:
    cells = nbformat.read(path, as_version=4).cells
    return only(pd.DataFrame([int(cell.source) for cell in cells]), 200)


def table(folder: Path, version: int) -> None:
    for name in ("t.csv", "t.parquet"):
        results._write(folder / name, frame(version))


def rendered(folder: Path, version: int) -> None:
    job = mock.Mock(song=mock.Mock(mix="", duration=0.0, whole=False))
    steps = {
        "midi_bytes": lambda job: str(version).encode(),
        "render": mock.Mock(__file__=song.render.__file__, render=render),
        "describe": describe,
    }
    with mock.patch.multiple(song, **steps):
        song.make_song(job, folder)


def render(midi: Path, ogg: Path, *_: object, **__: object) -> None:
    ogg.write_bytes(midi.read_bytes() + b"\n" * 2**20)


def describe(ogg: Path, folder: Path) -> None:
    frame(int(ogg.read_bytes())).to_parquet(folder / "functionals.parquet")


def of_rendered(folder: Path) -> set[int]:
    versions = set()
    for place in (path for path in folder.iterdir() if path.suffix != ".part"):
        sound = {int((place / name).read_bytes()) for name in ("song.mid", "song.ogg")}
        assert sound == {only(pd.read_parquet(place / "functionals.parquet"))}
        versions |= sound
    return versions


def archive(version: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as content:
        for k in range(FILES):
            content.writestr(f"metadata/{k}.csv", f"{version}\n" * 2000)
    return buffer.getvalue()


def unpack(folder: Path, version: int) -> None:
    place = folder / str(version)
    place.mkdir()
    (place / "metadata.zip").write_bytes(archive(version))
    fetch.unpack(place / "metadata.zip", place, "metadata")


def of_folders(folder: Path) -> set[int]:
    """Every copy is without the folder, or whole."""
    versions = set()
    for place in folder.iterdir():
        whole = find_folder(place, "metadata")
        if whole is not None:
            files = list(whole.iterdir())
            assert len(files) == FILES, f"{FILES} files, found {len(files)}"
            values = [pd.read_csv(path, header=None) for path in files]
            versions.add(only(pd.concat(values), FILES * 2000))
    return versions


def download(folder: Path, version: int) -> None:
    place = folder / str(version)
    with mock.patch.object(fetch, "ARCHIVES", {"metadata.zip": "metadata"}):
        fetch.download(place, site=os.environ["SITE"])
    if (place / fetch.CHECKSUMS).exists():  # a kill may come before it
        json.loads((place / fetch.CHECKSUMS).read_text())


def downloaded(folder: Path) -> set[int]:
    of_folders(folder)
    done = [int(place.name) for place in folder.iterdir()]
    for version in done[-3:]:
        download(folder, version)  # what a kill broke off is taken up
        assert not list((folder / str(version)).glob(".unpack-*"))
    return of_folders(folder)


WRITERS: dict[str, Writer] = {
    "feature cache": files(cache, "*.kept", lambda path: only(batch._read_cached(path)[0])),
    "feature files": files(
        lambda folder, version: batch.save(frame(version), folder),
        "1.csv",
        lambda path: only(pd.read_csv(path, sep=";", index_col="frameTime")),
    ),
    "results tables": files(table, "t.*", lambda path: only(results._read(path, KEYS))),
    "model file": files(keep_model, "*.safetensors", of_model),
    "expected figures": files(expected, "*.json", of_expected),
    "notebook": files(notebook, "*.ipynb", of_notebook),
    "corpus": files(
        lambda folder, version: make_corpus.write_csv(folder / "labels.csv", frame(version)),
        "*.csv",
        lambda path: only(pd.read_csv(path, index_col=["song_id", "time"])),
    ),
    "rendered songs of the corpus": Writer(rendered, of_rendered),
    "unpacked archive": Writer(unpack, of_folders),
    "download": Writer(download, downloaded),
}
KEYS = {"song_id": "int64", "time": "float64"}


def child(work: Callable[[], object]) -> int:
    """Do it in another process, without output; return its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        tqdm.set_lock(threading.RLock())  # or a kill may leave the one that all share taken
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        work()
    finally:
        os._exit(1)


def killed(writer: Writer, folder: Path, delay: float) -> None:
    """Kill a child that writes versions into an empty folder some time after the first one."""
    ready, tell = os.pipe()

    def work() -> None:
        for version in count(1):
            writer.write(folder, version)
            if version == 1:
                os.write(tell, b".")

    pid = child(work)
    os.close(tell)
    started = os.read(ready, 1)
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ready)
    assert started, "the child failed by itself"


def kills(name: str, number: int, *, seed: int = 0) -> int:
    """Kill one kind of writing several times; return how many unfinished files were left."""
    rng, left = np.random.default_rng(seed), 0
    for _ in tqdm(range(number), name, leave=False):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            killed(WRITERS[name], folder, rng.uniform(0, 0.1))
            left += len(list(folder.rglob(".part-*"))) + len(list(folder.rglob(".unpack-*")))
            assert WRITERS[name].read(folder), "at least the first version"
    return left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    number = parser.parse_args().kills
    site = Site({"metadata.zip": archive(1)})
    os.environ["SITE"] = site.url
    serving = child(site.serve_forever)
    try:
        for name in WRITERS:
            left = kills(name, number)
            text = f"{name}: {number} kills, a whole version after each"
            print(f"{text}; {left} unfinished files left, under other names", flush=True)
    finally:
        os.kill(serving, signal.SIGKILL)
        os.waitpid(serving, 0)


if __name__ == "__main__":
    main()

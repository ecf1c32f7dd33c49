"""What a million songs would take, from constants that are measured in this run.

    python tests/bench/scale.py            # prints the page
    python tests/bench/scale.py --write    # and stores it as docs/a_million_songs.md

CPU seconds of one core throughout, so that neighbours on the machine count for little.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import textwrap
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mer_core import features, load_corpus, models
from mer_core.corpus import Corpus
from workbook import studies
from workbook.units import run

PAGE = Path(__file__).parents[2] / "docs" / "a_million_songs.md"
SONGS, CORES = 1_000_000, 100
SETS = ("compare", "psychoacoustic", "spectral")
RUNS = 3


def cpu(function: Callable[[], object], *, runs: int = RUNS) -> float:
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def measured() -> dict[str, float | str]:
    """All constants, of the development songs: they are of one length."""
    corpus = load_corpus("mini").split("dev")
    return {
        "libraries": ", ".join(f"{k} {version(k)}" for k in ("opensmile", "numpy", "pyarrow")),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        **of_features(corpus),
        **of_storage(corpus),
        **of_training(corpus),
        **of_search(),
    }


def of_features(corpus: Corpus) -> dict[str, float]:
    """Seconds of a song for each set, and how long the song is."""
    song = features.read_audio(corpus.songs["audio"].loc[1])
    audio = (song, features.SAMPLE_RATE)
    features.extract(audio, SETS)  # the first call loads libraries
    seconds = {name: cpu(lambda name=name: features.extract(audio, (name,))) for name in SETS}
    length = {"song_s": round(len(song) / features.SAMPLE_RATE)}
    return length | {f"{name}_s": value for name, value in seconds.items()}


def of_storage(corpus: Corpus) -> dict[str, float]:
    """Bytes of a song: audio, features in three formats, a predicted curve."""
    audio = [Path(path).stat().st_size for path in corpus.songs["audio"].dropna()]
    with tempfile.TemporaryDirectory() as folder:
        place, songs = Path(folder), len(corpus.songs)
        features.save(corpus.features.loc[1:10], place / "csv")
        corpus.features.to_parquet(place / "double.parquet")
        corpus.features.astype("float32").to_parquet(place / "single.parquet")
        fitted = models.Linear().fit(corpus.features, corpus.labels)
        fitted.predict(corpus.features).to_parquet(place / "curves.parquet")
        size = {path.stem: path.stat().st_size / songs for path in place.glob("*.parquet")}
        csv = [path.stat().st_size for path in (place / "csv").iterdir()]
    return {
        "rows": len(corpus.features) / songs,
        "columns": corpus.features.shape[1],
        "ogg_bytes": statistics.mean(audio),
        "csv_bytes": statistics.mean(csv),
        **{f"{name}_bytes": value for name, value in size.items()},
    }


def of_training(corpus: Corpus) -> dict[str, float]:
    """Seconds of a song: the linear model in memory, one pass that needs no memory, keeping."""
    songs = len(corpus.songs)
    x, y = corpus.features.loc[corpus.labels.index].to_numpy(), corpus.labels.to_numpy()
    frames = len(x) // songs
    one, its = x[:frames], y[:frames]
    matrix = x.T @ x + 1000 * np.eye(x.shape[1])
    return {
        "frames": frames,
        "fit_s": cpu(lambda: models.Linear().fit(corpus.features, corpus.labels)) / songs,
        "pass_s": cpu(lambda: [(one.T @ one, one.T @ its) for _ in range(songs)]) / songs,
        "solve_s": cpu(lambda: np.linalg.solve(matrix, x.T @ y)),
        "unit_s": of_keeping(corpus),
    }


def of_keeping(corpus: Corpus) -> float:
    """Seconds of a unit of a sweep, with as little to compute as possible."""
    grid = {"fold": range(10), "seed": range(2)}
    units = studies.product(setting=[models.Constant()], features=["FS1"], **grid)

    def anew() -> None:
        with tempfile.TemporaryDirectory() as store:
            run(studies.predict, units, corpus, cache=store, processes=1)

    return cpu(anew) / len(units)


def of_search() -> dict[str, float]:
    """Seconds of one query among profiles of 60 points in the plane: plain numpy, all distances."""
    rng, count = np.random.default_rng(0), 100_000
    curves = rng.normal(size=(count, 120)).astype("float32")
    norms, query = (curves**2).sum(axis=1), curves[7]
    seconds = cpu(lambda: np.argpartition(norms - 2 * (curves @ query), 10)[:10], runs=9)
    return {"search_s": seconds / count, "curve_bytes": curves.nbytes / count}


def page(known: dict) -> str:
    all_sets = sum(known[f"{name}_s"] for name in SETS)
    rows = [
        ("**Features**", "", ""),
        ("FS1 (260)", *of_time(known["compare_s"], ".2f")),
        ("four of FS2", *of_time(known["psychoacoustic_s"], ".2f")),
        ("eight of IRIT", *of_time(known["spectral_s"], ".2f")),
        (f"all {known['columns']}", *of_time(all_sets, ".2f")),
        ("**Storage**", "", ""),
        ("audio, Ogg", *of_space(known["ogg_bytes"])),
        ("features, DEAM's CSV", *of_space(known["csv_bytes"])),
        ("features, Parquet, 64 bits", *of_space(known["double_bytes"])),
        ("features, Parquet, 32 bits", *of_space(known["single_bytes"])),
        ("predicted curves, Parquet", *of_space(known["curves_bytes"])),
        ("**Training**", "", ""),
        ("linear, all frames in memory", *of_time(known["fit_s"])),
        ("memory for it", *of_space(known["rows"] * known["columns"] * 8)),
        ("linear, sums song by song", *of_time(known["pass_s"])),
        ("**Search**", "", ""),
        ("one profile among all", *of_time(known["search_s"])),
        ("memory for it", *of_space(known["curve_bytes"])),
    ]
    table = "\n".join(f"| {what} | {one} | {many} |" for what, one, many in rows)
    parts = [
        f"<!-- Written by tests/bench/scale.py from these constants: {json.dumps(known)} -->",
        "# What a million songs would take\n",
        filled(before(known)),
        f"| what | one song | {SONGS:,} songs, one core |\n|---|---|---|\n{table}\n",
        *map(filled, after(known, all_sets)),
    ]
    return "\n".join(parts)


def filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 100) + "\n"


def before(known: dict) -> str:
    return f"""These numbers are arithmetic, not a measurement: the constants of one song, times
        {SONGS:,}. The song has {known["song_s"]:.0f} s ({known["rows"]:.0f} rows of
        {known["columns"]} features, {known["frames"]:.0f} of them labelled). The constants were
        measured on the embedded corpus, in CPU time of one core ({known["machine"]};
        {known["libraries"]}). `python tests/bench/scale.py --write` measures them again; another
        machine gives other constants."""


def after(known: dict, all_sets: float) -> list[str]:
    hours, longer = all_sets * SONGS / CORES / 3_600, 240 / known["song_s"]
    return [
        f"""**Features** take most of the time: {hours:.1f} hours on {CORES} cores for all sets,
        since every song can be computed separately. A Dask cluster needs one line around
        `features.extract_all` (see [In your own code](code.md)). Songs of four minutes take
        {longer:.1f} times as long.""",
        f"""**Storage**: CSV takes {known["csv_bytes"] / known["single_bytes"]:.1f} times as much as
        Parquet with 32 bits, which keeps as many digits.""",
        f"""**Training**: least squares needs only sums over frames, X'X and X'y. Songs are read one
        at a time, on any number of machines, and memory does not grow with their number; solving
        takes {known["solve_s"]:.2g} s, once. A model that needs all frames in memory, or whose
        cost grows faster than their number (such as the kernel of an SVR), is trained on a sample.
        A unit of a sweep costs {1000 * known["unit_s"]:.0f} ms in addition to the model: selecting
        songs, scoring, storing.""",
        """**Search**: the constant is that of plain numpy, for all Euclidean distances between one
        drawn profile (60 points of valence and arousal) and the songs. `mer_core.retrieval` can
        also warp time, and skips most distances by means of bounds; `make bench` times it on a
        million curves.""",
    ]


def of_time(seconds: float, form: str = ".2g") -> tuple[str, str]:
    one, total = f"{seconds:{form}} s", seconds * SONGS
    for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if total >= 2 * unit:
            return one, f"{total / unit:.1f} {name}"
    return one, f"{total:.2g} s"


def of_space(size: float) -> tuple[str, str]:
    return f"{size / 1e3:.3g} kB", f"{size * SONGS / 1e9:.3g} GB"


def constants(text: str) -> dict:
    return json.loads(text.splitlines()[0].partition("constants: ")[2].removesuffix(" -->"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"to docs/{PAGE.name}")
    known = {k: v if isinstance(v, str) else float(f"{v:.3g}") for k, v in measured().items()}
    known["columns"] = int(known["columns"])
    text = page(known)
    print(text)
    if parser.parse_args().write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)


if __name__ == "__main__":
    main()

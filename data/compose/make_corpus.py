"""Make the embedded corpus: draw, label, compose, render and describe every song.

    python make_corpus.py [folder of the corpus] [--songs N]

Twice gives the same MIDI files and the same labels. Rendered songs are kept in a cache beside
the corpus under a key of their MIDI and settings, so that a second run takes up where the first
one stopped and renders only what has changed.
"""

import argparse
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from joblib import Parallel, delayed
from pyarrow import parquet
from tqdm import tqdm

from catalogue import (
    DEVELOPMENT_COUNT,
    EXCERPT,
    TEST_COUNT,
    WHOLE,
    development_songs,
    draw_titles,
    whole_songs,
)
from corpus_statistics import DEAM, distance, figures
from mer_core.features import extract_all
from mer_core.files import written_atomically
from paths import AROUSAL, DEVELOPMENT, LABEL_START, STEP, TEST, VALENCE, draw_songs
from song import SEED, Job, keys, make_song

TEST_DRAWS = 4000  # test sets of 16 are small: of so many, the one nearest to DEAM's figures
PROCESSES = 2
AVERAGED = Path("annotations/annotations averaged per song")
DYNAMIC = "dynamic (per second annotations)"
PER_RATER = Path("annotations/annotations per each rater") / DYNAMIC
ALBUM = "Composed by Rule"


# --- drawing ---------------------------------------------------------------------------------


def draw_test_set(draw: int) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Durations in s (whole tenths), paths and ratings of one draw of the test songs."""
    rng = np.random.default_rng((SEED, 2, draw))
    durations = rng.uniform(*WHOLE, size=TEST_COUNT).round(1)
    return durations, *draw_songs(TEST, durations, (SEED, 3, draw))


def miss(draw: int) -> float:
    """How far a draw of the test songs lies from DEAM's figures."""
    return distance(figures(draw_test_set(draw)[2]), DEAM["test"])


def nearest_test_draw() -> int:
    """The number of the draw that comes nearest to DEAM's figures."""
    misses = Parallel(PROCESSES)(delayed(miss)(draw) for draw in tqdm(range(TEST_DRAWS), "draw"))
    return int(np.argmin(misses))


def draw_jobs(test_draw: int) -> tuple[list[Job], list[Job]]:
    """All songs with paths and ratings, and the test songs once more in development palettes."""
    titles = draw_titles(np.random.default_rng((SEED, 0)))
    excerpts = draw_songs(DEVELOPMENT, np.full(DEVELOPMENT_COUNT, EXCERPT), (SEED, 1))
    durations, *whole = draw_test_set(test_draw)
    songs = development_songs(titles) + whole_songs(titles, durations)
    jobs = [Job(*job) for job in zip(songs, excerpts[0] + whole[0], excerpts[1] + whole[1])]
    again = whole_songs(titles, durations, as_development=True)
    return jobs, [Job(*job) for job in zip(again, *whole)]


# --- writing ---------------------------------------------------------------------------------


def write(path: Path, data: bytes) -> None:
    """Write a file so that it appears whole or not at all."""
    with written_atomically(path) as part:
        part.write_bytes(data)


def write_csv(path: Path, frame: pd.DataFrame, **options: object) -> None:
    """Write a frame as CSV with plain line ends."""
    write(path, frame.to_csv(lineterminator="\n", **options).encode())


def wide(curves: dict[object, np.ndarray], start: float, index: str) -> pd.DataFrame:
    """Curves as rows, `sample_<ms>ms` columns from `start` s on, as DEAM writes them."""
    frame = pd.DataFrame.from_dict({k: pd.Series(v) for k, v in curves.items()}, orient="index")
    frame.columns = [f"sample_{round(1000 * (start + STEP * i))}ms" for i in frame.columns]
    return frame.round(6).rename_axis(index)


def write_dynamic(mini: Path, jobs: list[Job]) -> None:
    """Labels, ratings and latent paths, one file each for valence and arousal."""
    for column, name in ((VALENCE, "valence"), (AROUSAL, "arousal")):
        labels = {job.song.song_id: job.ratings.mean(axis=0)[:, column] for job in jobs}
        latent = {job.song.song_id: job.path[:, column] for job in jobs}
        write_csv(mini / AVERAGED / DYNAMIC / f"{name}.csv", wide(labels, LABEL_START, "song_id"))
        write_csv(mini / "latent" / f"{name}.csv", wide(latent, 0.0, "song_id"))
        for job in jobs:
            names = [f"simulated_{number:02d}" for number in range(1, len(job.ratings) + 1)]
            rows = wide(dict(zip(names, job.ratings[:, :, column])), LABEL_START, "WorkerId")
            write_csv(mini / PER_RATER / name / f"{job.song.song_id}.csv", rows)


def song_level(job: Job) -> list[float]:
    """Mean and sd of what raters say of the whole song: whole numbers from 1 to 9."""
    rng = np.random.default_rng((SEED, 5, job.song.song_id))
    impression = 5 + 4 * job.ratings.mean(axis=1)
    marks = np.clip(np.round(impression + rng.normal(0, 0.5, impression.shape)), 1, 9)
    return [*np.column_stack([marks.mean(axis=0), marks.std(axis=0)]).ravel().round(2)]


def write_song_level(mini: Path, jobs: list[Job]) -> None:
    """The two song-level files, with the blanks that DEAM's headers have."""
    header = "song_id, valence_mean, valence_std, arousal_mean, arousal_std"
    for whole, span in ((False, "1_2000"), (True, "2000_2058")):
        rows = [[job.song.song_id, *song_level(job)] for job in jobs if job.song.whole == whole]
        lines = [header, *(",".join(map(str, row)) for row in rows)]
        path = mini / AVERAGED / "song_level" / f"static_annotations_averaged_songs_{span}.csv"
        write(path, ("\n".join(lines) + "\n").encode())


def write_metadata(mini: Path, jobs: list[Job]) -> None:
    """Names and genres, and the list of development songs."""
    names = [(j.song.song_id, j.song.artist, ALBUM, j.song.title, j.song.genre) for j in jobs]
    frame = pd.DataFrame(names, columns=["song_id", "artist", "album", "title", "Genre"])
    whole = frame["song_id"] > 2000
    order = ["song_id", "title", "artist", "album", "Genre"]
    write_csv(mini / "metadata/metadata_2014.csv", frame[~whole], index=False)
    write_csv(mini / "metadata/metadata_2015.csv", frame.loc[whole, order], index=False)
    certain = frame.loc[~whole, ["song_id"]].assign(certain=True)
    write_csv(mini / "mediaeval2015_development_ids.csv", certain, index=False)


def write_keys(mini: Path, jobs: list[Job]) -> None:
    """Tonic and mode of each song from the time on at which they begin."""
    rows = [row for job in jobs for row in keys(job)]
    frame = pd.DataFrame(rows, columns=["song_id", "time", "tonic", "mode"])
    write_csv(mini / "keys.csv", frame, index=False)


def write_tonal(mini: Path, jobs: list[Job]) -> None:
    """The tonal features of the audio, in one small file: those of `features` stay as they are."""
    songs = {job.song.song_id: mini / f"MEMD_audio/{job.song.song_id}.ogg" for job in jobs}
    table = extract_all(songs, ("tonal",)).features.round(4).astype(np.float32)
    with written_atomically(mini / "tonal.parquet") as part:
        table.reset_index().to_parquet(part, index=False, compression="zstd")


def write_sounds(mini: Path, jobs: list[Job], folders: list[Path]) -> None:
    """Audio, MIDI with its hashes, features and functionals, from the cache."""
    hashes, rows = [], {}
    for job, folder in zip(jobs, folders):
        song_id, midi = job.song.song_id, (folder / "song.mid").read_bytes()
        write(mini / f"MEMD_audio/{song_id}.ogg", (folder / "song.ogg").read_bytes())
        write(mini / f"features/{song_id}.csv.gz", (folder / "features.csv.gz").read_bytes())
        write(mini / f"midi/{song_id}.mid", midi)
        hashes.append(f"{hashlib.sha256(midi).hexdigest()}  midi/{song_id}.mid")
        rows[song_id] = pd.read_parquet(folder / "functionals.parquet").iloc[0]
    write(mini / "midi.sha256", ("\n".join(hashes) + "\n").encode())
    table = pd.DataFrame.from_dict(rows, orient="index").astype(np.float32)
    write(mini / "functionals.parquet", lean_parquet(table))


def lean_parquet(table: pd.DataFrame) -> bytes:
    """A frame of float32 by song_id as Parquet, which pandas reads back with its index.

    Of thousands of columns, what pandas and Parquet like to note of each outweighs the numbers;
    the index alone is described here.
    """
    index = {"name": "song_id", "field_name": "song_id", "metadata": None}
    index |= {"pandas_type": "int64", "numpy_type": "int64"}
    note = {"index_columns": ["song_id"], "columns": [index], "column_indexes": []}
    arrow = pyarrow.Table.from_pandas(table.rename_axis("song_id").reset_index())
    arrow = arrow.replace_schema_metadata({b"pandas": json.dumps(note).encode()})
    options = {"compression": "brotli", "use_dictionary": False, "write_statistics": False}
    buffer = io.BytesIO()
    parquet.write_table(arrow, buffer, use_byte_stream_split=list(table), **options)
    return buffer.getvalue()


def make(mini: Path, songs: int | None = None) -> None:
    """Make the corpus, or only the first few songs of each part."""
    jobs, again = draw_jobs(nearest_test_draw())
    write_dynamic(mini, jobs)
    write_song_level(mini, jobs)
    write_metadata(mini, jobs)
    write_keys(mini, jobs)
    if songs is not None:
        jobs = [j for j in jobs if (j.song.song_id - 1) % 2000 < songs]
        again = again[:songs]
    run = Parallel(PROCESSES, return_as="generator")
    cache_folder = mini.parent / ".compose_cache"
    work = run(delayed(make_song)(job, cache_folder) for job in jobs + again)
    folders = list(tqdm(work, "songs", total=len(jobs + again)))
    write_sounds(mini, jobs, folders[: len(jobs)])
    write_tonal(mini, jobs)
    for job, folder in zip(again, folders[len(jobs) :]):
        path = mini / f"features_development_palette/{job.song.song_id}.csv.gz"
        write(path, (folder / "features.csv.gz").read_bytes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[1] / "mini"
    parser.add_argument("mini", nargs="?", type=Path, default=default)
    parser.add_argument("--songs", type=int, help="only the first N of each part, as a trial")
    options = parser.parse_args()
    make(options.mini, options.songs)

"""One song from its path to sound and features, kept in a cache once it is made."""

import gzip
import hashlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalogue import Song
from composer import compose, plan
from genres import GENRES
from mer_core import render
from mer_core.features import extract, functionals

SETS = ("compare", "psychoacoustic", "spectral")
SEED = 2015  # of everything that is drawn


@dataclass(frozen=True)
class Job:
    """A song with its path and the ratings of it [shape=(raters, frames, 2)]."""

    song: Song
    path: np.ndarray
    ratings: np.ndarray


def describe(ogg: Path, folder: Path) -> None:
    """Extract the 2 Hz features and the functionals of the decoded file into a folder."""
    features = extract(ogg, SETS).droplevel("song_id").rename_axis("frameTime")
    text = features.to_csv(sep=";", float_format="%.4g", lineterminator="\n")
    (folder / "features.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    row = functionals(ogg).astype(np.float32).to_frame().T
    row.to_parquet(folder / "functionals.parquet")


def midi_bytes(job: Job) -> bytes:
    """The song as a standard MIDI file."""
    song, buffer = job.song, io.BytesIO()
    seed = (SEED, 4, song.song_id)
    midi = compose(job.path, song.duration, song.genre, song.palette, seed, whole=song.whole)
    midi.save(file=buffer)
    return buffer.getvalue()


def keys(job: Job) -> list[tuple[int, float, int, str]]:
    """The song's keys: song_id, time in s from which each is there, tonic (C is 0) and mode."""
    song, time, rows = job.song, 0.0, []
    seed = (SEED, 4, song.song_id)
    bars, tonic, _ = plan(job.path, song.duration, GENRES[song.genre], seed, whole=song.whole)
    for bar in bars:
        if not rows or rows[-1][-1] != bar.mode:
            rows.append((song.song_id, round(time, 3), tonic, bar.mode))
        time += bar.seconds
    return rows


def key_of(midi: bytes, song: Song) -> str:
    """Name of a rendering: hash of the MIDI file, the mix, the length and the renderer itself."""
    settings = f"{song.mix} {song.duration} {song.whole}"
    source = Path(render.__file__).read_bytes()
    return hashlib.sha256(midi + settings.encode() + source).hexdigest()[:24]


def make_song(job: Job, cache_folder: Path) -> Path:
    """Compose, render and describe a song, unless the cache has it; its folder in the cache."""
    midi = midi_bytes(job)
    done = cache_folder / key_of(midi, job.song)
    if not done.exists():
        part = done.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        (part / "song.mid").write_bytes(midi)
        song = job.song
        render.render(
            part / "song.mid", part / "song.ogg", song.mix, song.duration, whole=song.whole
        )
        describe(part / "song.ogg", part)
        part.rename(done)
    return done

"""Reading audio files as one channel at 44.1 kHz, beside the readers that a user would take."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import librosa
import numpy as np
import soundfile

from mer_core import load_corpus
from mer_core.features import SAMPLE_RATE, read_audio
from timing import Row, compared

RUNS = 7
SECONDS = 180
FORMATS = {"wav": {}, "mp3": {}, "ogg": {"format": "OGG", "subtype": "VORBIS"}}


def by_librosa(path: Path) -> np.ndarray:
    return librosa.load(path, sr=SAMPLE_RATE, mono=True)[0]


def by_soundfile(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].mean(axis=1)


OTHERS = {"librosa.load": by_librosa, "soundfile.read, mean of the channels": by_soundfile}


def rows(*, short: bool = False) -> Iterator[Row]:
    songs = [read_audio(path) for path in load_corpus("mini").songs["audio"].iloc[:5]]
    one = np.concatenate(songs)[: SECONDS * SAMPLE_RATE]
    with tempfile.TemporaryDirectory() as folder:
        for suffix, options in FORMATS.items():
            path = Path(folder) / f"song.{suffix}"
            with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2, **options) as file:
                # In parts: libsndfile overflows the stack with a long array of Vorbis.
                for start in range(0, len(one), 5 * SAMPLE_RATE):
                    part = one[start : start + 5 * SAMPLE_RATE]
                    file.write(np.column_stack([part, part[::-1]]))
            for name, other in OTHERS.items():
                both = other(path), read_audio(path)
                assert abs(len(both[0]) - len(both[1])) < 0.1 * SAMPLE_RATE, "another length"
                yield compared(f"reading 3 min of stereo {suffix.upper()}", name,
                               lambda other=other, path=path: other(path),
                               lambda path=path: read_audio(path),
                               runs=1 if short else RUNS)  # fmt: skip

"""Decode an uploaded audio file."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np

from mer_core.features.audio import SAMPLE_RATE, SUFFIXES, duration, read_audio
from mer_core.features.levels import QUIETEST
from mer_core.files import DataError

MOST_BYTES = 50 * 2**20
"""Of an upload: some eight minutes of WAV, half an hour of MP3."""
LONGEST = 600.0
"""Longest audio in s; extracting its features takes about a tenth of it."""


def read_upload(name: str, data: bytes) -> tuple[np.ndarray, int]:
    """Decode an uploaded audio file to samples and their rate. It is on disk only meanwhile.

    The suffix of the name gives the format. DataError if the file is too large, of another format,
    damaged, longer than 10 minutes or silent; DataWarning as :func:`mer_core.features.read_audio`.

    Examples
    --------
    >>> read_upload("notes.txt", b"la la la")
    Traceback (most recent call last):
    mer_core.files.DataError: notes.txt: expected an audio file (.wav .flac .ogg ...), found .txt
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        formats = f"an audio file ({' '.join(SUFFIXES[:3])} ...)"
        raise DataError(name, formats, suffix or "a name without a suffix")
    if not 0 < len(data) <= MOST_BYTES:
        size = f"{len(data) / 2**20:.1f} MB" if data else "an empty file"
        raise DataError(name, f"up to {MOST_BYTES / 2**20:.0f} MB of audio", size)
    samples = _decoded(name, suffix, data)
    if np.abs(samples).max() < QUIETEST:
        raise DataError(name, "music", "silence from start to end")
    return samples, SAMPLE_RATE


def _decoded(name: str, suffix: str, data: bytes) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"song{suffix}"
        path.write_bytes(data)
        try:
            seconds = duration(path)
            if not seconds <= LONGEST:
                found = f"{seconds / 60:.1f} minutes"
                raise DataError(name, f"up to {LONGEST / 60:.0f} minutes", found)
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always")
                samples = read_audio(path)
        except DataError as error:
            expected, found = (text.replace(str(path), name) for text in error.args[1:])
            raise DataError(name, expected, found) from None
    for note in notes:
        warnings.warn(str(note.message).replace(str(path), name), note.category, stacklevel=3)
    return samples

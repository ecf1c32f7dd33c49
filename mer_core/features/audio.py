"""Audio in: any file or array becomes one channel at 44.1 kHz."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mer_core.features.containers import AUDIO
from mer_core.features.levels import Levels
from mer_core.files import DataError, DataWarning

SAMPLE_RATE = 44_100
"""Hz. DEAM's own; spectral descriptors change with the rate, so all audio is brought to it."""

SHORTEST = 0.06
"""s. The longest descriptor frame of ComParE (voicing); below it there is nothing to describe."""

LONGEST = 6 * 3600
"""s. More is taken for a file made to fill the memory (1 GB an hour)."""

RATES = (1000, 768_000)
"""Hz. Below there is no music, but a damaged header, or a curve taken for audio; above, a header
alone could fill the memory."""

KINDS = "wav flac ogg mp3 m4a mp4 aac wma opus oga aiff aif aifc au snd caf w64 m4b mp2 mka webm"
SUFFIXES = tuple(f".{kind}" for kind in [*KINDS.split(), "wv", "ape", "tta", "ac3", "amr"])
"""Files that are taken for audio in a folder; what is in them says how they are decoded."""

BLOCK = 2**20
"""Samples that are handled at a time."""

MOST_CHANNELS = 64
"""More are taken for an array that lies on its side."""

Audio = str | os.PathLike | tuple[np.ndarray, int]


def read_audio(audio: Audio) -> np.ndarray:
    """Read audio as one channel at 44.1 kHz.

    Channels are averaged; other rates are resampled (soxr, high quality), with a warning below
    44.1 kHz, since what such a recording lacks above half its rate looks like dull music.

    Parameters
    ----------
    audio : path or (samples, sample_rate)
        A file (wav, flac, ogg, mp3, m4a, wma and others; its contents say which), or an array of
        shape (n,) or (n, channels) with its rate in Hz; floats are in [-1, 1].

    Returns
    -------
    ndarray, shape (n,)
        float32 samples at 44,100 Hz.

    Raises
    ------
    DataError
        If there is no such file, it is not audio, has no sound in it, is damaged or ends early
        (with the position in s), holds NaN, infinite or unscaled samples, or is shorter than 60 ms
        or longer than six hours.

    Warns
    -----
    DataWarning
        Once for each of: a rate below 44.1 kHz; silence or next to it from start to end; channels
        that cancel each other; a silent channel; a DC offset; clipping.

    Examples
    --------
    >>> import numpy as np
    >>> read_audio((np.ones((88_200, 2)), 44_100)).shape
    (88200,)
    """
    samples = bytearray()  # grows in place: a list of blocks would need twice the memory
    for block in stream(audio):
        samples += block.tobytes()
    return np.frombuffer(samples, np.float32)


def stream(audio: Audio) -> Iterator[np.ndarray]:
    """Read audio as :func:`read_audio` does, block by block, so that hours need little memory.

    Parameters
    ----------
    audio : path or (samples, sample_rate)
        As for :func:`read_audio`.

    Yields
    ------
    ndarray, shape (n,)
        float32 samples at 44,100 Hz. Some faults show only at the end: use nothing before.

    Raises
    ------
    DataError
        As :func:`read_audio`.

    Warns
    -----
    DataWarning
        As :func:`read_audio`, at the end.
    """
    name = "audio array" if isinstance(audio, tuple) else str(audio)
    levels, rates, resampler = Levels(), [], None
    for rate, samples in _blocks(audio):
        _check_rate(rate, name)
        mono = levels.add(samples, rate, name)
        if levels.seconds > LONGEST:
            raise DataError(name, f"at most {LONGEST / 3600:g} hours", "more")
        if not rates or rates[-1] != rate:
            if resampler:
                yield resampler.end()
            rates.append(rate)
            resampler = Resampler(rate)
        yield resampler.next(mono)
    if levels.seconds < SHORTEST:
        raise DataError(name, f"at least {SHORTEST} s of samples", f"{levels.seconds:.3f} s")
    yield resampler.end()
    for note in [*levels.notes(), *_notes_on_rate(min(rates))]:
        warnings.warn(f"{name}: {note}", DataWarning, stacklevel=4)


def duration(path: str | os.PathLike) -> float:
    """Length of an audio file in seconds. It is counted: a length in a header is only a hint.

    Raises
    ------
    DataError
        If there is no such file, it is not audio, ends early or is damaged in a way that shows
        without decoding.
    """
    from mer_core.features import decoding

    check_file(as_path(path))
    return decoding.length(path)


def song_id_of(audio: Audio) -> int | str:
    """Name of a song: its file's name without the suffix; 0 for an array.

    A name is taken for a number only if the number is written the same way, so "007" and digits of
    other scripts remain text. Bytes that are not UTF-8 become U+FFFD.

    Examples
    --------
    >>> song_id_of("music/12.mp3"), song_id_of("music/01.mp3"), song_id_of("music/my song.wav")
    (12, '01', 'my song')
    """
    name = "0" if isinstance(audio, tuple) else as_path(audio).stem
    if not name.isprintable():  # pandas takes no surrogates, as which such bytes are read
        name = os.fsencode(name).decode("utf-8", "replace")
    number = int(name) if name.isascii() and name.isdecimal() else None
    return number if str(number) == name and number < 2**63 else name


def as_path(audio: object) -> Path:
    """Turn what names an audio file into a path.

    Raises
    ------
    DataError
        If it is neither text nor a path, such as the missing value of a song without audio.

    Examples
    --------
    >>> as_path(float("nan"))
    Traceback (most recent call last):
    mer_core.files.DataError: audio: expected a path or (samples, sample_rate), found nan
    """
    if not isinstance(audio, (str, os.PathLike)):
        plain = audio is None or isinstance(audio, float) or str(audio) in ("<NA>", "NaT")
        found = f"{audio}" if plain else type(audio).__name__
        raise DataError("audio", "a path or (samples, sample_rate)", found)
    return Path(audio)


def check_file(path: Path) -> None:
    """Raise a DataError unless there is such a file, and it is no folder and no device.

    Parameters
    ----------
    path : Path
        Where audio is expected; nothing of it is read.

    Raises
    ------
    DataError
        That names the path.
    """
    if not path.is_file():  # what some devices give, as /dev/zero, never ends
        raise DataError(path, AUDIO, "a folder or a device" if path.exists() else "no file")


def _blocks(audio: Audio) -> Iterator[tuple[int, np.ndarray]]:
    if not isinstance(audio, tuple):
        from mer_core.features import decoding

        check_file(as_path(audio))
        yield from decoding.decode(audio)
        return
    samples, rate = np.asarray(audio[0]), np.asarray(audio[1])
    _check_array(samples, rate)
    table = samples if samples.ndim == 2 else samples[:, None]
    for start in range(0, len(table), BLOCK):
        with np.errstate(over="ignore"):  # what becomes infinite is refused as such
            yield int(rate), _as_float(table[start : start + BLOCK]).astype(np.float32, copy=False)


def _check_rate(rate: int, name: str) -> None:
    if rate < RATES[0]:
        raise DataError(name, f"at least {RATES[0]} samples a second", f"{rate}")
    if rate > RATES[1]:
        raise DataError(name, f"at most {RATES[1]} samples a second", f"{rate}")


def _check_array(samples: np.ndarray, rate: np.ndarray) -> None:
    name = "audio array"
    if rate.ndim or rate.dtype.kind not in "iuf" or not 1 <= rate < np.inf:
        found = f"a rate of shape {rate.shape}" if rate.ndim else f"a rate of {rate} Hz"
        raise DataError(name, "(samples, sample_rate) in this order", found)
    if samples.ndim not in (1, 2) or (
        samples.ndim == 2 and not 1 <= samples.shape[1] <= MOST_CHANNELS
    ):
        raise DataError(name, "samples of shape (n,) or (n, channels)", f"shape {samples.shape}")
    if samples.dtype.kind not in "iuf":
        raise DataError(name, "samples that are floats or integers", f"{samples.dtype}")
    if samples.dtype.kind in "iu" and samples.itemsize > 4:  # a list of numbers becomes one
        expected = "floats, or integers of 8, 16 or 32 bits: these say how loud full scale is"
        raise DataError(name, expected, f"{samples.dtype}")


def _as_float(samples: np.ndarray) -> np.ndarray:
    if not np.issubdtype(samples.dtype, np.integer):
        return samples
    limits = np.iinfo(samples.dtype)
    middle = 0 if limits.min else (limits.max + 1) // 2  # unsigned sound swings around the middle
    return (samples.astype(np.float64) - middle) / (limits.max - middle)


class Resampler:
    """Blocks of one rate to 44.1 kHz (soxr, high quality), as if they were resampled at once."""

    def __init__(self, rate: int) -> None:
        self.rate, self.arrived, self.given = rate, 0, 0
        if rate != SAMPLE_RATE:
            import soxr

            self._soxr = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def next(self, samples: np.ndarray) -> np.ndarray:
        """The next block, as far as it is known."""
        if self.rate == SAMPLE_RATE:
            return samples
        done = self._soxr.resample_chunk(samples)
        self.arrived, self.given = self.arrived + len(samples), self.given + len(done)
        return done

    def end(self) -> np.ndarray:
        """What is left, so that the length is that of the samples, rounded up."""
        if self.rate == SAMPLE_RATE:
            return np.empty(0, np.float32)
        rest = self._soxr.resample_chunk(np.empty(0, np.float32), last=True)
        left = -(-self.arrived * SAMPLE_RATE // self.rate) - self.given
        return np.pad(rest, (0, max(0, left - len(rest))))[: max(0, left)]


def _notes_on_rate(rate: int) -> list[str]:
    if rate >= SAMPLE_RATE:
        return []
    note = f"{rate} Hz, so nothing above {rate / 2000:g} kHz; spectral features are not comparable"
    return [f"{note} with 44.1 kHz"]

"""Reading audio: any file or array becomes one channel at 44.1 kHz."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from mer_core.features.containers import AUDIO
from mer_core.features.levels import Levels
from mer_core.files import DataError, note

SAMPLE_RATE = 44_100
"""Hz. DEAM's rate. All audio is resampled to it, since spectral descriptors depend on the rate."""
SHORTEST = 0.06  # s. The longest descriptor frame of ComParE (voicing)
LONGEST = 6 * 3600  # s. A longer file could fill the memory (1 GB an hour)
RATES = (1000, 768_000)  # Hz. Other rates mean a damaged header, or a curve passed as audio

KINDS = "wav flac ogg mp3 m4a mp4 aac wma opus oga aiff aif aifc au snd caf w64 m4b mp2 mka webm"
SUFFIXES = tuple(f".{kind}" for kind in [*KINDS.split(), "wv", "ape", "tta", "ac3", "amr"])
"""Suffixes of audio files in a folder. The contents of a file decide how it is decoded."""
BLOCK = 2**20  # Samples that are processed at a time
MOST_CHANNELS = 64  # An array with more is taken to be transposed

Audio = str | os.PathLike | tuple[np.ndarray, int]


def read_audio(audio: Audio) -> np.ndarray:
    """Read audio as one channel at 44.1 kHz.

    Channels are averaged. Other rates are resampled (soxr, high quality).

    Parameters
    ----------
    audio : path or (samples, sample_rate)
        A file (wav, flac, ogg, mp3, m4a, wma and others), or an array of shape (n,) or
        (n, channels) with its rate in Hz; floats are in [-1, 1].

    Returns
    -------
    ndarray, shape (n,)
        float32 samples at 44,100 Hz.

    Raises
    ------
    DataError
        If the file is missing, not audio, empty, damaged or truncated (with the position in s), has
        NaN, infinite or unscaled samples, or is shorter than 60 ms or longer than six hours.

    Warns
    -----
    DataWarning
        Once for each of: a rate below 44.1 kHz; silence; channels that cancel each other; a silent
        channel; a DC offset; clipping.

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
    """Yield the samples, errors and warnings of :func:`read_audio` block by block.

    Some errors and all warnings come at the end: use no block before it.
    """
    name = "audio array" if isinstance(audio, tuple) else str(audio)
    levels, rates = Levels(), []
    for rate, blocks in groupby(_mono_blocks(audio, name, levels), key=itemgetter(0)):
        rates.append(rate)
        yield from _resample((samples for _, samples in blocks), rate)
    if levels.seconds < SHORTEST:
        raise DataError(name, f"at least {SHORTEST} s of samples", f"{levels.seconds:.3f} s")
    problems, rate = levels.problems(), min(rates)
    if rate < SAMPLE_RATE:
        effect = "spectral features are not comparable with 44.1 kHz"
        problems.append(f"{rate} Hz, so nothing above {rate / 2000:g} kHz; {effect}")
    for problem in problems:
        note(f"{name}: {problem}")


def duration(path: str | os.PathLike) -> float:
    """Length of an audio file in seconds, by its samples or packets, not by its header.

    Raises a DataError if the file is missing, not audio, truncated, or damaged in a way that shows
    without decoding.
    """
    from mer_core.features import decoding

    check_file(as_path(path))
    return decoding.length(path)


def song_id_of(audio: Audio) -> int | str:
    """Name of a song: its file's name without the suffix; 0 for an array.

    A name becomes a number only if the number is written the same way: "007" remains text. Bytes
    that are not UTF-8 become U+FFFD.

    >>> song_id_of("music/12.mp3"), song_id_of("music/01.mp3"), song_id_of("music/my song.wav")
    (12, '01', 'my song')
    """
    name = "0" if isinstance(audio, tuple) else as_path(audio).stem
    if not name.isprintable():  # pandas takes no surrogates, as which such bytes are read
        name = os.fsencode(name).decode("utf-8", "replace")
    number = int(name) if name.isascii() and name.isdecimal() else None
    return number if str(number) == name and number < 2**63 else name


def as_path(audio: object) -> Path:
    """Path of an audio file; a DataError if `audio` is neither text nor a path, such as NaN."""
    if not isinstance(audio, (str, os.PathLike)):
        missing = str(audio) in ("None", "nan", "<NA>", "NaT")
        found = str(audio) if missing else type(audio).__name__
        raise DataError("audio", "a path or (samples, sample_rate)", found)
    return Path(audio)


def check_file(path: Path) -> None:
    """Raise a DataError unless `path` is a regular file."""
    if not path.is_file():  # a device such as /dev/zero never ends
        raise DataError(path, AUDIO, "a folder or a device" if path.exists() else "no file")


def _mono_blocks(audio: Audio, name: str, levels: Levels) -> Iterator[tuple[int, np.ndarray]]:
    for rate, samples in _blocks(audio):
        if not RATES[0] <= rate <= RATES[1]:
            limit = f"at least {RATES[0]}" if rate < RATES[0] else f"at most {RATES[1]}"
            raise DataError(name, f"{limit} samples a second", f"{rate}")
        mono = levels.add(samples, rate, name)
        if levels.seconds > LONGEST:
            raise DataError(name, f"at most {LONGEST / 3600:g} hours", "more")
        yield rate, mono


def _blocks(audio: Audio) -> Iterator[tuple[int, np.ndarray]]:
    if not isinstance(audio, tuple):
        from mer_core.features import decoding

        check_file(as_path(audio))
        yield from decoding.decode(audio)
        return
    samples, rate = np.asarray(audio[0]), np.asarray(audio[1])
    _check_array(samples, rate)
    samples = samples if samples.ndim == 2 else samples[:, None]
    for start in range(0, len(samples), BLOCK):
        block = _as_float(samples[start : start + BLOCK])
        with np.errstate(all="ignore"):  # Levels.add refuses infinite samples and NaN
            yield int(rate), block.astype(np.float32, copy=False)


def _check_array(samples: np.ndarray, rate: np.ndarray) -> None:
    name = "audio array"
    if rate.ndim or rate.dtype.kind not in "iuf" or not 1 <= rate < np.inf:
        found = f"a rate of shape {rate.shape}" if rate.ndim else f"a rate of {rate} Hz"
        raise DataError(name, "(samples, sample_rate) in this order", found)
    table = samples.ndim == 2 and 1 <= samples.shape[1] <= MOST_CHANNELS
    if samples.ndim != 1 and not table:
        raise DataError(name, "samples of shape (n,) or (n, channels)", f"shape {samples.shape}")
    if samples.dtype.kind not in "iuf":
        raise DataError(name, "samples that are floats or integers", f"{samples.dtype}")
    if samples.dtype.kind in "iu" and samples.itemsize > 4:  # as NumPy makes of a list
        expected = "floats, or integers of 8, 16 or 32 bits, which define full scale"
        raise DataError(name, expected, f"{samples.dtype}")


def _as_float(samples: np.ndarray) -> np.ndarray:
    if not np.issubdtype(samples.dtype, np.integer):
        return samples
    limits = np.iinfo(samples.dtype)
    middle = 0 if limits.min else (limits.max + 1) // 2  # of unsigned samples
    return (samples.astype(np.float64) - middle) / (limits.max - middle)


def _resample(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Resample a signal to 44.1 kHz (soxr, high quality); its length is rounded up."""
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    import soxr

    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    received = returned = 0
    for block in blocks:
        done = resampler.resample_chunk(block)
        received, returned = received + len(block), returned + len(done)
        yield done
    rest = resampler.resample_chunk(np.empty(0, np.float32), last=True)
    left = max(0, -(-received * SAMPLE_RATE // rate) - returned)
    yield np.pad(rest, (0, max(0, left - len(rest))))[:left]

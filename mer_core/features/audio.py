"""Audio in: any file or array becomes one channel at 44.1 kHz."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np

from mer_core.files import DataError, DataWarning

SAMPLE_RATE = 44_100
"""Hz. DEAM's own; spectral descriptors change with the rate, so all audio is brought to it."""

SHORTEST = 0.06
"""s. The longest descriptor frame of ComParE (voicing); below it there is nothing to describe."""

Audio = str | os.PathLike | tuple[np.ndarray, int]


def read_audio(audio: Audio) -> np.ndarray:
    """Read audio as one channel at 44.1 kHz.

    Channels are averaged; other rates are resampled (soxr, high quality), with a warning below
    44.1 kHz, since what such a recording lacks above half its rate looks like dull music.

    Parameters
    ----------
    audio : path or (samples, sample_rate)
        A file that libsndfile reads (wav, flac, ogg, mp3, ...), or an array of shape (n,) or
        (n, channels) with its rate in Hz; floats are in [-1, 1].

    Returns
    -------
    ndarray, shape (n,)
        float32 samples at 44,100 Hz.

    Raises
    ------
    DataError
        If there is no such file, it is not audio, it breaks off before its announced end, holds
        NaN or infinite samples, or is shorter than 60 ms.

    Examples
    --------
    >>> import numpy as np
    >>> read_audio((np.ones((88_200, 2)), 44_100)).shape
    (88200,)
    """
    name, samples, rate = _decode(audio)
    if samples.ndim != 2 or not samples.size:
        raise DataError(name, "samples of shape (n,) or (n, channels)", f"shape {samples.shape}")
    if not np.isfinite(samples).all():
        bad = int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
        raise DataError(name, "finite samples", f"NaN or infinity at {bad / rate:.3f} s")
    if len(samples) < SHORTEST * rate:
        raise DataError(name, f"at least {SHORTEST} s", f"{len(samples) / rate:.3f} s")
    return _at_44100(samples.mean(axis=1), rate, name)


def duration(path: str | os.PathLike) -> float:
    """Length of an audio file in seconds, from its header.

    Raises
    ------
    DataError
        If there is no such file or it is not audio.
    """
    import soundfile

    try:
        return soundfile.info(os.fspath(path)).duration
    except (soundfile.LibsndfileError, OSError) as error:
        raise _not_audio(path, error) from None


def _decode(audio: Audio) -> tuple[str, np.ndarray, int]:
    if not isinstance(audio, tuple):
        return str(audio), *_decode_file(Path(audio))
    samples, rate = np.asarray(audio[0]), audio[1]
    if rate <= 0:
        raise DataError("audio array", "a sample rate above 0 Hz", str(rate))
    if np.issubdtype(samples.dtype, np.integer):
        samples = samples / np.iinfo(samples.dtype).max
    columns = samples[:, None] if samples.ndim == 1 else samples
    return "audio array", columns.astype(np.float32), int(rate)


def _decode_file(path: Path) -> tuple[np.ndarray, int]:
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            samples = file.read(dtype="float32", always_2d=True)
            announced, rate = file.frames, file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise _not_audio(path, error) from None
    if len(samples) < announced - rate / 2 or _breaks_off(path):
        raise DataError(
            path,
            "the whole recording that its header announces",
            f"one that breaks off after {len(samples) / rate:.2f} s: a truncated file?",
        )
    return samples, rate


def _breaks_off(path: Path) -> bool:
    # libsndfile reads cut WAV and Ogg files without a word: ask the container itself.
    with path.open("rb") as file:
        head, size = file.read(8), path.stat().st_size
        file.seek(max(0, size - 65_307))  # the largest Ogg page
        tail = file.read()
    if head.startswith(b"RIFF"):
        announced = int.from_bytes(head[4:8], "little")
        return size < announced + 8 < 0xFFFFFFFF
    last_page = tail.rfind(b"OggS")
    return head.startswith(b"OggS") and last_page >= 0 and not tail[last_page + 5] & 4


def _not_audio(path: str | os.PathLike, error: Exception) -> DataError:
    if not Path(path).exists():
        return DataError(path, "an audio file", "no file")
    return DataError(path, "audio (wav, flac, ogg, mp3)", f"what can't be decoded: {error}")


def _at_44100(samples: np.ndarray, rate: int, name: str) -> np.ndarray:
    if not samples.any():
        warnings.warn(f"{name}: silence from start to end", DataWarning, stacklevel=4)
    if rate == SAMPLE_RATE:
        return samples
    if rate < SAMPLE_RATE:
        message = f"{name}: {rate} Hz, so nothing above {rate / 2000:g} kHz; spectral features "
        warnings.warn(message + "are not comparable with 44.1 kHz", DataWarning, stacklevel=4)
    import librosa

    return librosa.resample(samples, orig_sr=rate, target_sr=SAMPLE_RATE)

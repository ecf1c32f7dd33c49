"""Audio in: any file or array becomes one channel at 44.1 kHz."""

from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np

from mer_core.features.librosa_loader import load_librosa
from mer_core.files import DataError, DataWarning

SAMPLE_RATE = 44_100
"""Hz. DEAM's own; spectral descriptors change with the rate, so all audio is brought to it."""

SHORTEST = 0.06
"""s. The longest descriptor frame of ComParE (voicing); below it there is nothing to describe."""

LONGEST = 6 * 3600
"""s. More is taken for a damaged header, or for a file made to fill the memory (1 GB an hour)."""

RATES = (1000, 768_000)
"""Hz. Below there is no music, but a damaged header, or a curve taken for audio; above, a header
alone could fill the memory."""

LOUDEST = 4.0
"""Times full scale. Lossy files swing somewhat beyond 1; floats further out have another scale."""

QUIETEST = 1e-4
"""Times full scale, -80 dB: a peak below is silence, or integers in a type too wide for them."""

SNDFILE = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".aiff", ".aif")
FFMPEG = {".m4a": "mov", ".mp4": "mov", ".aac": "aac", ".wma": "asf"}
"""Files that need ffmpeg, and its name of what they have to be: nothing in them is guessed."""
AUDIO = "audio (wav, flac, ogg, mp3, ...)"
SUFFIXES = (*SNDFILE, *FFMPEG)
"""Files that are taken for audio."""

MOST_CHANNELS = 64
"""More are taken for an array that lies on its side."""

BLOCK = 2**20
"""Samples that are decoded at a time."""

Audio = str | os.PathLike | tuple[np.ndarray, int]


def read_audio(audio: Audio) -> np.ndarray:
    """Read audio as one channel at 44.1 kHz.

    Channels are averaged; other rates are resampled (soxr, high quality), with a warning below
    44.1 kHz, since what such a recording lacks above half its rate looks like dull music.

    Parameters
    ----------
    audio : path or (samples, sample_rate)
        A file that libsndfile reads (wav, flac, ogg, mp3, ...), with ffmpeg also m4a, or an array
        of shape (n,) or (n, channels) with its rate in Hz; floats are in [-1, 1].

    Returns
    -------
    ndarray, shape (n,)
        float32 samples at 44,100 Hz.

    Raises
    ------
    DataError
        If there is no such file, it is not audio, it breaks off before its announced end, holds
        NaN, infinite or unscaled samples, is shorter than 60 ms or announces more than six hours.

    Warns
    -----
    DataWarning
        If the rate is below 44.1 kHz, or there is silence or next to it from start to end.

    Examples
    --------
    >>> import numpy as np
    >>> read_audio((np.ones((88_200, 2)), 44_100)).shape
    (88200,)
    """
    name, samples, rate = _decode(audio)
    if rate < RATES[0]:
        raise DataError(name, f"at least {RATES[0]} samples a second", f"{rate}")
    if not np.isfinite(samples).all():
        bad = int(np.flatnonzero(~np.isfinite(samples))[0])
        raise DataError(name, "finite samples", f"NaN or infinity at {bad / rate:.3f} s")
    peak = np.abs(samples).max(initial=0.0)
    if peak > LOUDEST:
        raise DataError(name, "samples in [-1, 1], or integers", f"floats up to {peak:.4g}")
    if len(samples) < SHORTEST * rate:
        raise DataError(name, f"at least {SHORTEST} s of samples", f"{len(samples) / rate:.3f} s")
    return _at_44100(samples, rate, name)


def duration(path: str | os.PathLike) -> float:
    """Length of an audio file in seconds, from its header where it has one that says so.

    Raises
    ------
    DataError
        If there is no such file or it is not audio.
    """
    import soundfile

    check_file(as_path(path))
    if Path(path).suffix.lower() in FFMPEG:
        samples, rate = _by_ffmpeg(Path(path))
        return len(samples) / rate
    try:
        return soundfile.info(os.fspath(path)).duration
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        raise _not_audio(path, error) from None


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


def _decode(audio: Audio) -> tuple[str, np.ndarray, int]:
    if not isinstance(audio, tuple):
        path = as_path(audio)
        check_file(path)
        decode = _by_ffmpeg if path.suffix.lower() in FFMPEG else _by_sndfile
        return str(path), *decode(path)
    samples, rate = np.asarray(audio[0]), np.asarray(audio[1])
    _check_array(samples, rate)
    with np.errstate(over="ignore", invalid="ignore"):  # read_audio tells of what isn't finite
        mono = _as_float(samples) if samples.ndim == 1 else _as_float(samples).mean(axis=1)
        return "audio array", mono.astype(np.float32), int(rate)


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


def _by_sndfile(path: Path, *, decoded: Path | None = None) -> tuple[np.ndarray, int]:
    import soundfile

    try:
        with soundfile.SoundFile(decoded or path) as file:
            announced, rate = file.frames, file.samplerate
            if rate > RATES[1]:
                raise DataError(path, f"at most {RATES[1]} samples a second", f"{rate}")
            if announced > LONGEST * rate:
                raise DataError(
                    path, f"at most {LONGEST / 3600:g} hours", f"{announced / rate / 3600:.4g}"
                )
            # Channels are averaged block by block: an hour of them would not fit in memory. (The
            # library's own `blocks` fills up what a truncated file lacks.)
            samples, arrived = np.empty(announced, np.float32), 0
            while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
                with np.errstate(invalid="ignore"):  # read_audio tells of what isn't finite
                    samples[arrived : arrived + len(block)] = block.mean(axis=1)
                arrived += len(block)
    except MemoryError:
        found = f"{announced} samples announced"
        raise DataError(path, "a recording that fits into the memory", found) from None
    except (soundfile.LibsndfileError, OSError, TypeError) as error:  # Type: raw samples, no header
        raise _not_audio(path, error) from None
    samples = samples[:arrived]
    if len(samples) < announced - rate / 2 or _breaks_off(decoded or path):
        raise DataError(
            path,
            "the whole recording that its header announces",
            f"one that breaks off after {len(samples) / rate:.2f} s: a truncated file?",
        )
    return samples, rate


def _by_ffmpeg(path: Path) -> tuple[np.ndarray, int]:
    with tempfile.TemporaryDirectory() as folder:
        decoded = Path(folder) / "decoded.w64"
        # "file:" and the lists keep a file's name or contents from leading elsewhere.
        source = ["-protocol_whitelist", "file", "-f", FFMPEG[path.suffix.lower()]]
        source += ["-i", f"file:{path.absolute()}", "-map", "0:a:0", "-t", f"{LONGEST + 1}"]
        # The last stops at the first fault of the sound; one of a picture is only told.
        options = ["-nostdin", "-v", "error", "-xerror"]
        command = ["ffmpeg", *options, *source, "-c:a", "pcm_f32le", os.fspath(decoded)]
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell; "file:" before the name
                command, capture_output=True, text=True, errors="replace"
            )
        except FileNotFoundError:
            raise DataError(path, "a decoder for it: install ffmpeg", "none") from None
        if done.returncode:
            raise _not_audio(path, " ".join(done.stderr.split()) or f"exit {done.returncode}")
        return _by_sndfile(path, decoded=decoded)


def _breaks_off(path: Path) -> bool:
    # libsndfile reads cut WAV and Ogg files without a word: ask the container itself.
    with path.open("rb") as file:
        head, size = file.read(8), path.stat().st_size
        file.seek(max(0, size - 65_307))  # the largest Ogg page
        tail = file.read()
    if head.startswith(b"RIFF"):
        announced = int.from_bytes(head[4:8], "little")
        return size < announced + 8 < 0xFFFFFFFF
    if not head.startswith(b"OggS"):
        return False
    page = tail[tail.rfind(b"OggS") :]
    segments = page[26] if len(page) > 26 else 0
    whole = 27 + segments + sum(page[27 : 27 + segments])
    ends_stream = page[5:6] and page[5] & 4
    return len(page) < whole or not ends_stream


def _not_audio(path: str | os.PathLike, error: object) -> DataError:
    return DataError(path, AUDIO, f"what can't be decoded: {error}")


def _at_44100(samples: np.ndarray, rate: int, name: str) -> np.ndarray:
    peak = np.abs(samples).max()
    if peak < QUIETEST:
        found = f"a peak of {peak:.1g} of full scale: nearly silent, or integers in too wide a type"
        message = f"{name}: silence from start to end" if not peak else f"{name}: {found}"
        warnings.warn(message, DataWarning, stacklevel=4)
    if rate == SAMPLE_RATE:
        return samples
    if rate < SAMPLE_RATE:
        message = f"{name}: {rate} Hz, so nothing above {rate / 2000:g} kHz; spectral features "
        warnings.warn(message + "are not comparable with 44.1 kHz", DataWarning, stacklevel=4)
    librosa = load_librosa()

    return librosa.resample(samples, orig_sr=rate, target_sr=SAMPLE_RATE)

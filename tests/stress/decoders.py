"""Seven ways to decode audio, on files that are hard to read; docs/audio.md has the table.

    python tests/stress/decoders.py

Needs ffmpeg, and audioread, pedalboard and miniaudio from pip, which the project does not need.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parent))
import audio_files

from mer_core.features.decoding import decode


def by_pyav(path: Path) -> np.ndarray:
    return np.concatenate([samples.mean(axis=1) for _, samples in decode(path)])


def by_libav_alone(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        planar = container.streams.audio[0].codec_context.format.is_planar
        channels = container.streams.audio[0].codec_context.channels
    parts = [f.mean(axis=0) if planar else f.reshape(-1, channels).mean(axis=1) for f in frames]
    return np.concatenate(parts)


def by_audioread(path: Path) -> np.ndarray:
    import audioread

    with audioread.audio_open(str(path)) as file:
        return np.frombuffer(b"".join(file), "<i2").reshape(-1, file.channels).mean(axis=1)


def by_pedalboard(path: Path) -> np.ndarray:
    from pedalboard.io import AudioFile

    with AudioFile(str(path)) as file:
        return file.read(file.frames).mean(axis=0)


def by_miniaudio(path: Path) -> np.ndarray:
    import miniaudio

    info = miniaudio.get_file_info(str(path))
    sound = miniaudio.decode_file(str(path), nchannels=info.nchannels, sample_rate=info.sample_rate)
    return np.asarray(sound.samples).reshape(-1, info.nchannels).mean(axis=1)


def by_pipe(path: Path) -> np.ndarray:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "f32le", "-ac", "1", "-"]
    return np.frombuffer(subprocess.check_output(command), np.float32)


READERS: dict[str, Callable[[Path], np.ndarray]] = {
    "soundfile": lambda path: soundfile.read(path, always_2d=True)[0].mean(axis=1),
    "audioread": by_audioread,
    "pedalboard": by_pedalboard,
    "miniaudio": by_miniaudio,
    "ffmpeg pipe": by_pipe,
    "PyAV alone": by_libav_alone,
    "PyAV with checks": by_pyav,
}
NAMES = (
    *("wav pcm_s24le 48000 6", "opus libopus 48000 2", "m4a aac 44100 2", "wma wmav2 44100 2"),
    *("wav of size 0x7ffff000", "flac of unknown length", "vbr mp3 without Xing"),
    *("vbr mp3, Xing times 0.5", "ogg flac 44100 2", "mp3 with a cover"),
    *("bare mp3 after large id3", "ogg, 2", "cbr mp3, hole", "bare mp3, cut", "vorbis, hole"),
    *("flac, cut", "m4a, hole", "wav, cut"),
)


def outcome(case: audio_files.Case, read: Callable[[Path], np.ndarray]) -> str:
    try:
        found = read(case.path)
    except ImportError:
        raise
    except Exception:  # each library has errors of its own
        return "right (refused)" if case.expected is None else "refused"
    if case.expected is None:
        return "read in part, silently"
    expected = sum(len(audio_files.by_ffmpeg(path)) for path in case.expected) / 44_100
    difference = len(found) / (48_000 if "48000" in case.name else 44_100) - expected
    return "right" if abs(difference) < 0.03 else f"{difference:+.2f} s"


def milliseconds(path: Path, read: Callable[[Path], np.ndarray]) -> str:
    start = time.perf_counter()
    try:
        read(path)
    except Exception:
        return "-"
    return f"{1000 * (time.perf_counter() - start):.0f}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cases = {case.name: case for case in audio_files.all_cases(Path(folder))}
        print("| file | " + " | ".join(READERS) + " |\n|---|" + "---|" * len(READERS))
        for name in NAMES:
            cells = [outcome(cases[name], read) for read in READERS.values()]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        song = cases["mp3 with a cover"].path
        times = [milliseconds(song, read) for read in READERS.values()]
        print("| ms for 4 s of MP3, once | " + " | ".join(times) + " |")


if __name__ == "__main__":
    main()

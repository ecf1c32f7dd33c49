"""Some three hundred audio files, each read and compared with FFmpeg's own decoding.

    python tests/stress/audio_files.py

makes them with ffmpeg (containers, codecs, rates, channels) and by hand (headers, tags, joined and
damaged files) and counts the wrong ones: the length differs by more than 30 ms, the correlation of
the samples is at most 0.99, or a damaged file is read. Needs ffmpeg.
"""

import struct
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

SECONDS = 4.0
LONGEST_DIFFERENCE = 0.030
LEAST_CORRELATION = 0.99

CODECS = {  # suffix: codecs, each with ffmpeg's options
    "wav": "pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_f64le pcm_alaw pcm_mulaw "
    "adpcm_ima_wav adpcm_ms libmp3lame",
    "flac": "flac",
    "ogg": "libvorbis flac",
    "opus": "libopus",
    "mp3": "libmp3lame",
    "mp2": "mp2",
    "m4a": "aac alac",
    "mp4": "aac",
    "aac": "aac",
    "wma": "wmav1 wmav2",
    "aiff": "pcm_s16be pcm_s24be pcm_f32be",
    "caf": "pcm_s16le alac",
    "au": "pcm_s16be pcm_mulaw",
    "w64": "pcm_s16le pcm_f32le",
    "mka": "flac aac pcm_s16le",
    "webm": "libopus libvorbis",
    "wv": "wavpack",
    "tta": "tta",
    "ac3": "ac3",
    "ts": "aac mp2",
    "avi": "libmp3lame pcm_s16le",
}
SHAPES = ((44_100, 2), (22_050, 1), (48_000, 6))
KINDS = {  # suffix, and ffmpeg's options
    "cbr mp3": ("mp3", ["-b:a", "128k"]),
    "vbr mp3": ("mp3", ["-q:a", "3"]),
    "bare mp3": ("mp3", ["-write_xing", "0"]),
    "vorbis": ("ogg", ["-c:a", "libvorbis"]),
    "opus": ("opus", []),
    "ogg flac": ("ogg", ["-c:a", "flac"]),
    "flac": ("flac", []),
    "m4a": ("m4a", ["-movflags", "faststart"]),
    "alac": ("m4a", ["-c:a", "alac", "-movflags", "faststart"]),
    "aac": ("aac", []),
    "wma": ("wma", []),
    "wavpack": ("wv", []),
    "mka": ("mka", ["-c:a", "flac"]),
}
FEW = {(44_100, 2), (22_050, 1), (48_000, 1)}
TAKES = {  # rates and channels of encoders that do not take all SHAPES
    **dict.fromkeys(("libmp3lame", "mp2", "wmav1", "wmav2"), FEW),
    **dict.fromkeys(("adpcm_ima_wav", "adpcm_ms"), FEW - {(48_000, 1)}),
    "ac3": {(44_100, 2), (48_000, 6)},
    "libopus": {(48_000, 1), (48_000, 2)},
}


class Case(NamedTuple):
    """A file and its right content: the sound of these files in turn, or None: a refusal."""

    group: str
    name: str
    path: Path
    expected: list[Path] | None


def music(rate: int, channels: int, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time = np.arange(round(SECONDS * rate)) / rate
    notes = 110 * 2 ** (rng.integers(0, 36, (channels, 8)) / 12)
    beats = (np.floor(time * 2).astype(int)) % 8
    tone = 0.25 * np.sin(2 * np.pi * np.cumsum(notes[:, beats], axis=1) / rate)
    return (tone + rng.normal(0, 0.03, tone.shape)).T.astype(np.float32)


def ffmpeg(*arguments: object, output: bool = False) -> bytes:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=not output, capture_output=True).stdout


class Maker:
    """Writes files into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def path(self, suffix: str) -> Path:
        self.count += 1
        return self.folder / f"{self.count:03d}.{suffix}"

    def write(self, suffix: str, content: bytes) -> Path:
        path = self.path(suffix)
        path.write_bytes(content)
        return path

    def wav(self, rate: int = 44_100, channels: int = 2, *, seed: int = 0) -> Path:
        path = self.folder / f"source-{rate}-{channels}-{seed}.wav"
        if not path.exists():
            soundfile.write(path, music(rate, channels, seed=seed), rate, subtype="FLOAT")
        return path

    def encode(
        self, suffix: str, *options: object, rate: int = 44_100, channels: int = 2, seed: int = 0
    ) -> Path:
        path = self.path(suffix)
        ffmpeg("-i", self.wav(rate, channels, seed=seed), *options, path)
        return path

    def pipe(self, suffix: str, form: str, *options: object) -> Path:
        pipe = ["-f", form, "pipe:1"]
        return self.write(suffix, ffmpeg("-i", self.wav(), *options, *pipe, output=True))


def plain(make: Maker, *, every: int = 1) -> Iterator[Case]:
    """Containers, codecs, rates and channels as ffmpeg writes them."""
    kinds = [
        (suffix, codec, rate, channels)
        for suffix, codecs in CODECS.items()
        for codec in codecs.split()
        for rate, channels in sorted(TAKES.get(codec, set(SHAPES)))
    ]
    for suffix, codec, rate, channels in kinds[::every]:
        path = make.encode(suffix, "-c:a", codec, rate=rate, channels=channels)
        yield Case("plain", f"{suffix} {codec} {rate} {channels}", path, [path])


def put(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


def headers(make: Maker) -> Iterator[Case]:
    """Missing, unusual and wrong headers of whole files."""
    yield from _read("header", _wav_headers(make))
    yield from _read("header", _mp3_headers(make))
    flac = make.encode("flac").read_bytes()
    kept = int.from_bytes(flac[18:26], "big") >> 36 << 36
    unknown = put(flac, 18, kept.to_bytes(8, "big"))
    yield from _read("header", [
        ("flac of unknown length", make.write("flac", unknown)),
        ("flac without checksum", make.write("flac", put(flac, 26, bytes(16)))),
        ("flac with padding", make.encode("flac", "-metadata", "comment=" + "x" * 9000)),
    ])  # fmt: skip
    pipes = {"aac": "adts", "mka": "matroska", "wma": "asf", "ts": "mpegts"}
    for suffix in ("wav", "flac", "mp3", "ogg", "aac", "au", "mka", "webm", "wma", "ac3", "ts"):
        piped = make.pipe(suffix, pipes.get(suffix, suffix))
        yield from _read("header", [(f"{suffix} to a pipe", piped)])
    options = ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"]
    yield from _read("header", [
        ("fragmented mp4 to a pipe", make.pipe("mp4", "mp4", *options)),
        ("m4a with moov first", make.encode("m4a", "-movflags", "faststart")),
        ("rf64", make.encode("wav", "-rf64", "always")),
        ("vbr mp3 to a pipe", make.pipe("mp3", "mp3", "-q:a", 4)),
    ])  # fmt: skip
    for suffix in ("mp3", "flac", "ogg", "m4a", "wav", "aiff"):
        for other in ("wav", "mp3", "m4a"):
            if other != suffix:
                wrong = make.write(other, make.encode(suffix).read_bytes())
                yield Case("header", f"{suffix} named .{other}", wrong, [wrong])


def _read(group: str, files: list[tuple[str, Path]]) -> Iterator[Case]:
    for name, path in files:
        yield Case(group, name, path, [path])


def _wav_headers(make: Maker) -> list[tuple[str, Path]]:
    plain = make.encode("wav", "-bitexact", "-c:a", "pcm_s16le").read_bytes()
    data, size = plain.index(b"data") + 4, len(plain)
    files = []
    for number in (0, 0x7F000000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF):
        both = put(put(plain, 4, struct.pack("<I", number)), data, struct.pack("<I", number))
        files.append((f"wav of size {number:#x}", make.write("wav", both)))
    contents = {
        "wav whose data size is too large": put(plain, data, struct.pack("<I", size)),
        "wav with a chunk before": plain[:12] + b"LIST\n\0\0\0" + bytes(10) + plain[12:],
        "wav with a chunk after": plain + b"id3 c\0\0\0" + bytes(99),
        "wav with bytes after": plain + bytes(777),
        "wav of size 0 in RIFF alone": put(plain, 4, bytes(4)),
    }
    return files + [(name, make.write("wav", content)) for name, content in contents.items()]


def _mp3_headers(make: Maker) -> list[tuple[str, Path]]:
    files = []
    for kind, options in {"cbr": ["-b:a", "128k"], "vbr": ["-q:a", "3"]}.items():
        whole = make.encode("mp3", *options, "-id3v2_version", 0).read_bytes()
        bare = make.encode("mp3", *options, "-id3v2_version", 0, "-write_xing", 0)
        xing = whole.find(b"Xing") if b"Xing" in whole[:200] else whole.find(b"Info")
        frames = int.from_bytes(whole[xing + 8 : xing + 12], "big")
        files.append((f"{kind} mp3 without Xing", bare))
        for factor in (0, 0.1, 0.5, 1.5, 3, 1000):
            wrong = put(whole, xing + 8, struct.pack(">I", round(frames * factor)))
            files.append((f"{kind} mp3, Xing times {factor}", make.write("mp3", wrong)))
    return files


def tags(make: Maker) -> Iterator[Case]:
    """Tags, covers, and bytes before and after the sound."""
    cover = make.folder / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=900x900:duration=1", "-frames:v", 1, cover)
    for suffix in ("mp3", "flac", "m4a", "wma"):
        path = make.path(suffix)
        ffmpeg("-i", make.wav(), "-i", cover, "-map", 0, "-map", 1, "-c:v", "copy",
               "-disposition:v", "attached_pic", path)  # fmt: skip
        yield Case("tag", f"{suffix} with a cover", path, [path])
    before = {"id3": id3(500), "large id3": id3(400_000), "two id3": id3(300) + id3(700)}
    after = {"id3v1": b"TAG" + b"a" * 125, "ape": ape(), "lyrics": lyrics(),
             "ape and id3v1": ape() + b"TAG" + bytes(125), "zeros": bytes(5000),
             "garbage": bytes(range(1, 200)) * 20, "id3v2": id3(300)}  # fmt: skip
    junk = np.random.default_rng(1).integers(0, 255, 3000).astype(np.uint8).tobytes()
    before["junk"], before["zeros"] = junk, bytes(2000)
    kinds = {"cbr": ["-b:a", "128k"], "vbr": ["-q:a", "3"], "bare": ["-write_xing", "0"]}
    for kind, options in kinds.items():
        bare = make.encode("mp3", "-id3v2_version", 0, *options)
        for name, head in before.items():
            path = make.write("mp3", head + bare.read_bytes())
            yield Case("tag", f"{kind} mp3 after {name}", path, [path])
        for name, tail in after.items():
            path = make.write("mp3", bare.read_bytes() + tail)
            yield Case("tag", f"{kind} mp3 before {name}", path, [bare])
    for suffix in ("flac", "aac"):
        bare = make.encode(suffix)
        for name, head, tail in (("id3", id3(500), b""), ("id3v1", b"", b"TAG" + b"a" * 125)):
            path = make.write(suffix, head + bare.read_bytes() + tail)
            yield Case("tag", f"{suffix} with {name}", path, [bare])


def id3(size: int) -> bytes:
    digits = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + digits + b"TXXX" + struct.pack(">IH", size - 10, 0) + b"x" * (size - 10)


def ape() -> bytes:
    item = struct.pack("<II", 4, 0) + b"Title\0" + b"song"
    parts = [struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(item) + 32, 1, flags)
             for flags in (0xA0000000, 0x80000000)]  # fmt: skip
    return parts[0] + item + parts[1]


def lyrics() -> bytes:
    text = b"LYRICSBEGININD0000200LYR00005la la"
    return text + f"{len(text):06d}LYRICS200".encode()


def joined(make: Maker) -> Iterator[Case]:
    """Files behind each other, as `cat` and web radio make them."""
    names = ("vorbis", "opus", "ogg flac", "cbr mp3", "aac")
    bare = ("mp3", ["-write_xing", "0", "-id3v2_version", "0"])
    parts = {name.replace("vorbis", "ogg"): KINDS[name] for name in names} | {"bare mp3": bare}
    for name, (suffix, options) in parts.items():
        files = [make.encode(suffix, *options, seed=seed) for seed in (1, 2, 3)]
        for count in (2, 3):
            content = b"".join(path.read_bytes() for path in files[:count])
            path = make.write(suffix, content)
            # FFmpeg decodes each Ogg stream rightly, but loses or adds some samples at the joint.
            expected = files[:count] if suffix in ("ogg", "opus") else [path]
            yield Case("joined", f"{name}, {count}", path, expected)
    for name in ("ogg", "bare mp3"):
        suffix, options = parts[name]
        shapes = [(44_100, 2), (48_000, 2), (44_100, 1)]
        files = [make.encode(suffix, *options, rate=r, channels=c) for r, c in shapes]
        for other, why in ((1, "rates"), (2, "channels")):
            pair = [files[0], files[other]]
            path = make.write(suffix, b"".join(each.read_bytes() for each in pair))
            expected = [path] if (name, why) == ("bare mp3", "rates") else pair
            yield Case("joined", f"{name} of two {why}", path, expected)
    vorbis, opus = make.encode("ogg", "-c:a", "libvorbis"), make.encode("opus")
    path = make.write("ogg", vorbis.read_bytes() + opus.read_bytes())
    yield Case("joined", "ogg of two codecs", path, [vorbis, opus])


def damaged(make: Maker) -> Iterator[Case]:
    """Cut, overwritten, lost and inserted bytes in the middle: to be refused."""
    spoil: dict[str, Callable[[bytes, int], bytes]] = {
        "cut": lambda content, at: content[:at],
        "hole": lambda content, at: put(content, at, bytes(6000)),
        "lost": lambda content, at: content[:at] + content[at + 5000 :],
    }
    for name, (suffix, options) in KINDS.items():
        content = make.encode(suffix, *options).read_bytes()
        for fault, change in spoil.items():
            path = make.write(suffix, change(content, round(len(content) * 0.55) + 7))
            yield Case("damaged", f"{name}, {fault}", path, None)
    for suffix in ("wav", "aiff", "caf", "au", "w64"):
        content = make.encode(suffix).read_bytes()
        path = make.write(suffix, content[: len(content) // 2])
        yield Case("damaged", f"{suffix}, cut", path, None)
    for name, content in {"empty": b"", "a tag alone": id3(900), "text": b"la la " * 99}.items():
        yield Case("damaged", name, make.write("mp3", content), None)


def by_ffmpeg(path: Path) -> np.ndarray:
    """FFmpeg's decoding, with channels averaged, at 44.1 kHz."""
    import soxr

    command = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries",
               "stream=sample_rate,channels", "-of", "csv=p=0", path]  # fmt: skip
    shape = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
    rate, channels = map(int, shape.split(",")[:2])
    raw = ffmpeg("-i", path, "-map", "0:a:0", "-f", "f32le", "pipe:1", output=True)
    mono = np.frombuffer(raw, np.float32).reshape(-1, channels).mean(axis=1)
    return mono if rate == 44_100 else soxr.resample(mono, rate, 44_100, "HQ")


def fault(case: Case) -> str:
    """What is wrong with how a file is read; "" if nothing is."""
    from mer_core.features import duration, read_audio
    from mer_core.files import DataError

    try:
        with warnings.catch_warnings(action="ignore"):
            found, seconds = read_audio(case.path), duration(case.path)
    except DataError as error:
        return "" if case.expected is None else f"refused: {error.args[2]}"
    if case.expected is None:
        return f"read as {len(found) / 44_100:.2f} s"
    expected = np.concatenate([by_ffmpeg(path) for path in case.expected])
    for name, length in (("samples", len(found) / 44_100), ("duration", seconds)):
        if abs(length - len(expected) / 44_100) > LONGEST_DIFFERENCE:
            return f"{name} of {length:.3f} s for {len(expected) / 44_100:.3f} s"
    both = min(len(found), len(expected))
    r = np.corrcoef(found[:both], expected[:both])[0, 1]
    return "" if r > LEAST_CORRELATION else f"correlation {r:.3f}"


def sample(folder: Path) -> Iterator[Case]:
    """Some twenty of the files, for the tests."""
    yield from plain(Maker(folder), every=10)
    yield from islice(joined(Maker(folder)), 8)


def all_cases(folder: Path) -> Iterator[Case]:
    for group in (plain, headers, tags, joined, damaged):
        place = folder / group.__name__
        place.mkdir()
        yield from group(Maker(place))


def main() -> None:
    total, wrong = Counter(), Counter()
    with tempfile.TemporaryDirectory() as folder:
        for case in all_cases(Path(folder)):
            total[case.group] += 1
            if found := fault(case):
                wrong[case.group] += 1
                print(f"{case.group}: {case.name}: {found}", flush=True)
    for group, count in total.items():
        print(f"{group}: {count} files, {wrong[group]} wrong")
    print(f"{total.total()} files, {wrong.total()} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

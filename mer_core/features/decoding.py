"""Decode audio files with FFmpeg's libraries (PyAV); docs/audio.md gives the reasons."""

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from mer_core.features import containers
from mer_core.features.containers import AUDIO, UNKNOWN, damaged, nothing, truncated
from mer_core.files import DataError

FORMATS = (
    "wav,w64,aiff,au,caf,flac,ogg,mp3,aac,mov,asf,matroska,wv,tta,ape,mpc,mpc8,amr,ac3,eac3,dts,"
    "dsf,voc,tak,mpegts,mpeg,avi,flv"
)
"""FFmpeg's names of the formats that are read: no playlists, scripts, pictures or devices."""
FRAMED = ("mp3", "aac")  # Formats without a container: bare frames, which `check_frames` checks
EXACT = ("flac", "aiff", "au", "caf", "wv", "tta", "ape")  # Formats whose header counts the samples
COUNTED = {"mp3": "mp3", "flac": "flac", "wav": "pcm", "aiff": "pcm", "au": "pcm", "w64": "pcm"}
"""Formats and codecs whose packets have the exact number of samples."""
GAP = 0.1  # s. A longer one between the times of two packets is lost sound
ROUGHLY = ("matroska,webm", "asf")  # Formats whose header has the length to half a second
BLOCK = 2**18  # Samples of a channel that are returned together, at least


def decode(path: str | os.PathLike) -> Iterator[tuple[int, np.ndarray]]:
    """Decode the default sound track of an audio file to its end.

    Yields blocks: the rate in Hz, and float32 samples, shape (n, channels), full scale 1. Both rate
    and channels may change between blocks. Raises a DataError, with the position in s, if this is
    no audio, has no sound in it, is damaged or truncated.
    """
    gathered, count = [], 0
    path, layout = Path(path), None
    for url in _urls(path):
        for rate, samples in _decoded(path, url):
            if gathered and (count >= BLOCK or layout != (rate, samples.shape[1])):
                yield layout[0], np.concatenate(gathered)
                gathered, count = [], 0
            layout = rate, samples.shape[1]
            gathered.append(samples)
            count += len(samples)
    if not gathered:
        raise nothing(path, "not one sample")
    yield layout[0], np.concatenate(gathered)


def length(path: str | os.PathLike) -> float:
    """Seconds of sound in a file; decodes only where the packets do not have the length.

    Raises the errors of :func:`decode` that show without decoding.
    """
    path, seconds = Path(path), 0.0
    for url in _urls(path):
        with _opened(path, url) as (container, stream):
            counted = _counted(path, container, stream)
        if counted is None:
            counted = sum(len(samples) / rate for rate, samples in _decoded(path, url))
        seconds += counted
    return seconds


def _urls(path: Path) -> list[str]:
    """URLs for FFmpeg: the file, or each of the streams that are chained in it."""
    whole, parts = f"file:{path.absolute()}", containers.links(path)
    if len(parts) == 1:
        return [whole]
    return [f"subfile,,start,{start},end,{end},,:{whole}" for start, end in parts]


@contextmanager
def _opened(path: Path, url: str) -> Iterator[tuple]:
    # The list of protocols keeps a file's contents from leading to other files or addresses.
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file,subfile"}
    try:
        container = av.open(url, options=options, metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _undecodable(path, error) from None
    with container:
        stream = container.streams.best("audio")
        if stream is None:
            raise nothing(path, "no sound track")
        if stream.codec_context is None:
            raise DataError(path, AUDIO, "a sound track that is encrypted or of an unknown codec")
        if container.format.name in FRAMED:
            containers.check_frames(path)
        yield container, stream


def _undecodable(path: Path, error: object) -> DataError:
    reason = getattr(error, "strerror", None) or error
    if getattr(error, "errno", None) == errno.EINVAL:  # it is not among FORMATS
        reason = "no known audio format"
    return DataError(path, AUDIO, f"what can't be decoded: {reason}")


def _packets(path: Path, container: object, stream: object) -> Iterator:
    name, base, ends, seconds = container.format.name, stream.time_base, None, 0.0
    try:
        for packet in container.demux(stream):
            if packet.size and packet.is_corrupt and not _may_end_anywhere(path, name):
                raise truncated(path, seconds)
            if packet.pts is not None and name not in (*FRAMED, "ogg"):
                gap = float((packet.pts - ends) * base) if ends is not None else 0.0
                if gap > GAP:
                    raise damaged(path, seconds, f"{gap:.2f} s are missing")
                ends = packet.pts + (packet.duration or 0)
            yield packet
            seconds += float((packet.duration or 0) * base)
    except av.FFmpegError as error:
        raise damaged(path, seconds, error.strerror) from None
    if max(seconds, float((ends or 0) * base)) < _announced(container, stream):
        raise truncated(path, seconds)


def _is_stray(container: object, packet: object) -> bool:
    """Whether a packet is a tag, or bytes before the first frame or after the last."""
    return bool(packet.size) and container.format.name in FRAMED and bytes(packet)[:1] != b"\xff"


def _may_end_anywhere(path: Path, name: str) -> bool:
    return name in FRAMED or (name == "wav" and containers.size_is_unknown(path))


def _announced(container: object, stream: object) -> float:
    """Least seconds according to the header, for formats whose header is reliable."""
    if container.format.name in EXACT and stream.duration:
        seconds, codec = float(stream.duration * stream.time_base), stream.codec_context
        size = seconds * codec.sample_rate * codec.channels * codec.format.bytes
        unknown = codec.name.startswith("pcm") and size >= UNKNOWN
        return 0.0 if unknown else seconds - GAP
    if container.format.name in ROUGHLY and container.duration and not container.streams.video:
        return container.duration / 1e6 - 0.5
    return 0.0


def _counted(path: Path, container: object, stream: object) -> float | None:
    """Seconds of a stream by its packets; None if they do not have them."""
    codec, base = stream.codec_context.name, stream.time_base
    if container.format.name == "ogg" and codec == "vorbis" and stream.duration:
        return float(stream.duration * base)  # the pages are checked, and the last one has it
    if not codec.startswith(COUNTED.get(container.format.name, "none")):
        return None
    ticks, skipped = 0, 0
    for packet in _packets(path, container, stream):
        if _is_stray(container, packet):
            continue
        if packet.size and not packet.duration:
            return None
        ticks += packet.duration or 0
        if packet.has_sidedata("skip_samples"):
            skipped += sum(struct.unpack("<II", bytes(packet.get_sidedata("skip_samples"))[:8]))
    return max(0.0, float(ticks * base) - skipped / stream.codec_context.sample_rate)


def _decoded(path: Path, url: str) -> Iterator[tuple[int, np.ndarray]]:
    seconds, fault = 0.0, None
    with _opened(path, url) as (container, stream):
        for packet in _packets(path, container, stream):
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                if seconds and not _is_stray(container, packet):
                    raise damaged(path, seconds, error.strerror) from None
                fault = fault or error
                continue
            for frame in frames:
                seconds += frame.samples / frame.sample_rate
                yield frame.sample_rate, _samples(frame)
    if fault and not seconds:
        raise _undecodable(path, fault)


def _samples(frame: object) -> np.ndarray:
    array = frame.to_ndarray()
    channels = frame.layout.nb_channels
    array = array.T if frame.format.is_planar else array.reshape(-1, channels)
    if array.dtype.kind == "f":
        with np.errstate(all="ignore"):  # the level check refuses infinite samples and NaN
            return array.astype(np.float32, copy=False)
    middle = np.float32(128 if array.dtype.kind == "u" else 0)
    scale = np.float32(2.0 ** -(8 * array.itemsize - 1))
    return (array.astype(np.float32) - middle) * scale

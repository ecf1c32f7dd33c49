"""Checks of the bytes of audio files: lost pages, frames and ends, which decoders do not report."""

import mmap
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mer_core.files import DataError

AUDIO = "audio (wav, flac, ogg, mp3, ...)"
UNKNOWN = 0x7F000000
"""Bytes. Programs that write to a pipe announce 0 or a size from here on (sox 0x7ffff000, others
0x7f000000 or 0xffffffff), which means "unknown"."""

KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates of MPEG audio by (version, layer); versions 2 and 2.5, layers II and III share one."""
AAC_RATES = (96, 88.2, 64, 48, 44.1, 32, 24, 22.05, 16, 12, 11.025, 8, 7.35)
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class DamagedAudio(DataError):
    """An audio file that is damaged or truncated."""


def truncated(path: Path, seconds: float) -> DataError:
    """The error for a recording that ends early."""
    found = f"one that breaks off after {seconds:.2f} s: a truncated file?"
    return DamagedAudio(path, "the whole recording that its header announces", found)


def damaged(path: Path, seconds: float, what: object) -> DataError:
    """The error for a fault in the middle."""
    return DamagedAudio(path, "undamaged audio", f"damage at {seconds:.2f} s: {what}")


def links(path: Path) -> list[tuple[int, int]]:
    """First and last byte of each chained stream of a file; checks every page if it is Ogg.

    Each page must be present, in order, with the right checksum, and the last must end the stream
    (RFC 3533). Other containers are one stream, which the decoder checks. Raises a DataError, with
    the position in s, if the file is empty, holds tags alone, or is Ogg that is damaged.
    """
    if not path.stat().st_size:
        raise nothing(path, "an empty file")
    with _mapped(path) as data:
        start = _after_tags(data, 0)
        if start >= len(data):
            raise nothing(path, "tags alone")
        if data[start : start + 4] == b"OggS":
            return _ogg_links(path, data, start)
        return [(0, len(data))]


def check_frames(path: Path) -> None:
    """Check that the frames of an MP3 (ISO 11172-3, 13818-3) or ADTS (13818-7) file are complete.

    Tags, and bytes before the first frame or after the last one, are allowed. Files of free format
    are not checked. Raises a DataError, with the position in s, for a cut frame or lost bytes.
    """
    with _mapped(path) as data:
        at, seconds, kind = _next_frame(data, _after_tags(data, 0), len(data)), 0.0, b""
        while at is not None and at < len(data):
            head = data[at : at + 6]
            frame = _frame(head)
            if frame and at + frame[0] <= len(data):
                at, seconds, kind = at + frame[0], seconds + frame[1], frame[2]
            elif (frame and frame[2] == kind) or (len(head) < 6 and head[:1] == b"\xff"):
                raise truncated(path, seconds)
            elif (after := _after_tags(data, at)) > at:
                at = after
            elif following := _next_frame(data, at, len(data)):
                raise damaged(path, seconds, f"{following - at} bytes that belong to no frame")
            else:
                break  # bytes after the last frame


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def nothing(path: Path, what: str) -> DataError:
    """The error for a file without sound."""
    return DataError(path, AUDIO, f"no sound in it: {what}")


def size_is_unknown(path: Path) -> bool:
    """Whether a WAV file has no usable size of its samples, so that it may end anywhere.

    So it is if that size is 0 or very large, as from a pipe, or if the RIFF size is the file's.
    """
    with path.open("rb") as file:
        head = file.read(12)
        order, long = (">" if head[3:4] == b"X" else "<"), None
        if head[4:8] == struct.pack(order + "I", path.stat().st_size - 8 & 0xFFFFFFFF):
            return True
        while len(chunk := file.read(8)) == 8:
            name, size = struct.unpack(order + "4sI", chunk)
            if name == b"ds64":
                long = struct.unpack("<8xQ", file.read(16))[0]
                size -= 16
            elif name == b"data":
                size = long if long and size == 0xFFFFFFFF else size
                return size == 0 or UNKNOWN <= size <= 0xFFFFFFFF or size >= 2**63
            file.seek(max(0, size) + size % 2, 1)
    return False


def _ogg_links(path: Path, data: mmap.mmap, start: int) -> list[tuple[int, int]]:
    starts, order, open_streams, seconds, heads = [], {}, set(), 0.0, True
    at, rates = start, {}
    while at < len(data):
        page = _ogg_page(data, at)
        if page is None:
            if data.find(b"OggS", at + 1) >= 0:
                raise damaged(path, seconds, "a damaged Ogg page")
            break  # bytes after the end, or a truncated page
        flags, granule, serial, number, length, body = page
        if flags & 2:  # the first page of a stream; a group of them begins a link
            if not heads or not starts:
                starts.append(at)
                open_streams.clear()
            order[serial], heads = number, True
            rates[serial] = _ogg_rate(data[body : body + 64])
            open_streams.add(serial)
        else:
            heads = False
            if number != order.get(serial, number - 1) + 1:
                raise damaged(path, seconds, f"{number - order[serial] - 1} Ogg pages are missing")
            order[serial] = number
        if flags & 4:
            open_streams.discard(serial)
        if rates.get(serial) and granule < 2**63:
            seconds = granule / rates[serial]
        at += length
    if open_streams:
        raise truncated(path, seconds)
    return list(zip(starts, [*starts[1:], at]))


def _ogg_page(data: mmap.mmap, at: int) -> tuple[int, int, int, int, int, int] | None:
    head = data[at : at + 27]
    if len(head) < 27 or head[:4] != b"OggS":
        return None
    flags, granule, serial, number, checksum, segments = struct.unpack("<xxxxxBQIIIB", head)
    body = at + 27 + segments
    length = 27 + segments + sum(data[at + 27 : body])
    page = data[at : at + length]
    if len(page) < length or _ogg_checksum(page) != checksum:
        return None
    return flags, granule, serial, number, length, body


def _ogg_checksum(page: bytes) -> int:
    # zlib's checksum with all bits reversed, and without the inversions before and after.
    plain = (page[:22] + bytes(4) + page[26:]).translate(REVERSED)
    mirrored = zlib.crc32(plain, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(REVERSED), "big")


def _ogg_rate(head: bytes) -> int:
    for codec, at in ((b"\x01vorbis", 12), (b"Speex   ", 36)):
        if head.startswith(codec):
            return int.from_bytes(head[at : at + 4], "little")
    if head.startswith(b"\x7fFLAC"):
        return int.from_bytes(head[27:30], "big") >> 4
    return 48_000 if head.startswith(b"OpusHead") else 0


def _after_tags(data: mmap.mmap, at: int) -> int:
    while at < len(data):
        head = data[at : at + 32]
        if head[:3] == b"ID3" and len(head) >= 10:
            size = sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0)))
            at += size + 10 + 10 * bool(head[5] & 16)
        elif head[:3] == b"TAG" and len(data) - at >= 128 and head[:8] != b"TAG+":
            at += 128
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            flags = int.from_bytes(head[20:24], "little")
            size = int.from_bytes(head[12:16], "little")  # without the header, with the footer
            at += size + 32 if flags & 1 << 29 else 32
        elif head[:11] == b"LYRICSBEGIN" and (end := data.find(b"LYRICS200", at)) > 0:
            at = end + 9
        else:
            return at
    return at


def _frame(head: bytes) -> tuple[int, float, bytes] | None:
    """Bytes, seconds and kind of an MP3 or ADTS frame."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        index = head[2] >> 2 & 15
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if index > 12 or length < 7:
            return None
        return length, 1.024 / AAC_RATES[index], bytes([head[1] & 0xF6, index])
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate_bits, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or rate_bits in (0, 15) or rate_index == 3:
        return None
    kbits = KBITS[1 if version == 3 else 2, layer if version == 3 else min(layer, 2)]
    rate = (44_100, 48_000, 32_000)[rate_index] >> (0, 1, 2)[(3, 2, 0).index(version)]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    padding, unit = head[2] >> 1 & 1, 4 if layer == 1 else 1
    length = (samples // 8 // unit * kbits[rate_bits - 1] * 1000 // rate + padding) * unit
    return length, samples / rate, bytes([head[1] & 0xFE, rate_index])


def _next_frame(data: mmap.mmap, at: int, limit: int) -> int | None:
    """Where three frames of the same kind follow each other, or two at the end of the file."""
    while (at := data.find(b"\xff", at, limit)) >= 0:
        kinds, place = [], at
        while len(kinds) < 3 and (frame := _frame(data[place : place + 6])):
            kinds.append(frame[2])
            place += frame[0]
        ends = place == len(data) or _after_tags(data, place) > place
        if len(set(kinds)) == 1 and (len(kinds) == 3 or ends):
            return at
        at += 1
    return None

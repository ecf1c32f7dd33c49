"""The downloader against a real HTTP server on loopback."""

import io
import json
import random
import stat
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from layout import make_deam
from mer_core import load_corpus
from mer_core.datasets.deam import download, unpack
from mer_core.datasets.deam.fetch import ARCHIVES, CHECKSUMS, CHUNK
from mer_core.datasets.layout import find_folder
from mer_core.files import DataError


class Site(ThreadingHTTPServer):
    """Serves files from memory, with ranges; breaks off where it is told to, and logs requests."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.break_off_after: int | None = None
        self.ranges = True
        self.log: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/DEAM/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name, wanted = self.path.rsplit("/", 1)[-1], self.headers.get("Range")
        self.server.log.append((name, wanted))
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        ranged = wanted and self.server.ranges
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if ranged else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = self.server.break_off_after
        self.wfile.write(content[start : None if stop is None else start + stop])

    def log_message(self, *_: object) -> None:
        pass


def zipped(entries: dict[str, bytes], *, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("source") / "DEAM"
    make_deam(folder)
    files = {path: path.read_bytes() for path in folder.rglob("*.csv")}
    named = {str(path.relative_to(folder)): content for path, content in files.items()}
    parts = {
        name: {path: named[path] for path in named if path.startswith(brings)}
        for name, brings in ARCHIVES.items()
    }
    parts["features.zip"] = {f"features/{k}": v for k, v in parts["features.zip"].items()}
    parts["DEAM_audio.zip"] = {"MEMD_audio/noise": random.Random(0).randbytes(200_000)}
    return {name: zipped(entries) for name, entries in parts.items()}


@pytest.fixture
def site(archives) -> Iterator[Site]:
    server = Site(dict(archives))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_download_unpacks_what_the_loader_reads_and_remembers_checksums(site, tmp_path):
    folder = download(tmp_path / "new" / "DEAM", site=site.url)
    assert len(load_corpus(folder).songs) == 11
    assert set(json.loads((folder / CHECKSUMS).read_text())) == set(ARCHIVES)
    assert not list(folder.glob("*.part")) + list(folder.glob(".unpack*"))
    before = len(site.log)
    download(folder, site=site.url)
    assert len(site.log) == before


def test_a_broken_connection_is_resumed_where_it_broke(site, tmp_path):
    site.break_off_after = 100_000
    with pytest.raises(requests.RequestException):
        download(tmp_path, site=site.url)
    assert (tmp_path / "DEAM_audio.zip.part").stat().st_size == CHUNK
    assert not (tmp_path / "MEMD_audio").exists()
    site.break_off_after = None
    download(tmp_path, site=site.url)
    assert site.log[-1] == ("DEAM_audio.zip", f"bytes={CHUNK}-")
    noise = (tmp_path / "MEMD_audio" / "noise").read_bytes()
    assert noise == random.Random(0).randbytes(200_000)


@pytest.mark.parametrize(("part", "ranges"), [(b"old", False), (b"x" * 10_000, True)])
def test_it_starts_anew_without_ranges_or_if_the_part_is_longer_than_the_file(
    site, tmp_path, part, ranges
):
    (tmp_path / "metadata.zip.part").write_bytes(part)
    site.ranges = ranges
    download(tmp_path, site=site.url)
    assert len(load_corpus(tmp_path).songs) == 11


@pytest.mark.parametrize("spelling", [str, str.upper])
def test_archives_fetched_by_hand_are_unpacked_without_a_download(
    site, archives, tmp_path, spelling
):
    for name, content in archives.items():
        (tmp_path / spelling(name)).write_bytes(content)
    download(tmp_path, site=site.url)
    assert site.log == []
    assert len(load_corpus(tmp_path).songs) == 11


def test_an_archive_that_changed_since_it_was_first_seen_is_refused(site, tmp_path):
    download(tmp_path, site=site.url)
    (tmp_path / "metadata" / "metadata_2013.csv").unlink()
    (tmp_path / "metadata").rename(tmp_path / "gone")
    (tmp_path / "metadata.zip").write_bytes(zipped({"metadata/metadata_2013.csv": b"song_id\n1\n"}))
    with pytest.raises(DataError, match=r"metadata.zip: expected SHA-256 .* first use"):
        download(tmp_path, site=site.url)
    assert not (tmp_path / "metadata").exists()


def test_a_missing_page_leaves_nothing_half_done(site, tmp_path):
    del site.files["features.zip"]
    with pytest.raises(requests.HTTPError, match="404"):
        download(tmp_path, site=site.url)
    assert not (tmp_path / "features").exists()
    assert not list(tmp_path.glob("features*"))


def link(target: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("metadata/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    return buffer.getvalue()


def unpack_here(folder: Path, content: bytes) -> None:
    (folder / "metadata.zip").write_bytes(content)
    unpack(folder / "metadata.zip", folder, "metadata")


def damaged(archive: bytes) -> bytes:
    middle = len(archive) // 2
    return archive[:middle] + bytes(40) + archive[middle + 40 :]


def test_backslashes_of_powershell_are_slashes(tmp_path):
    entries = {"metadata\\": b"", "metadata\\metadata_2013.csv": b"a", "metadata\\b/c.csv": b"c"}
    unpack_here(tmp_path, zipped(entries))
    inner = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert inner == {"metadata.zip", "metadata/metadata_2013.csv", "metadata/b/c.csv"}
    assert (tmp_path / "metadata" / "metadata_2013.csv").read_bytes() == b"a"


def test_hidden_files_in_an_archive_are_not_unpacked(tmp_path):
    names = ["__MACOSX\\metadata\\._a", "deam/metadata/.DS_Store", "deam\\metadata\\Thumbs.db"]
    entries = {**dict.fromkeys(names, b"x"), "deam/metadata/a": b""}
    unpack_here(tmp_path, zipped(entries))
    assert [path.name for path in (tmp_path / "metadata").rglob("*")] == ["a"]


def test_names_that_are_one_on_this_disk_are_refused(tmp_path, monkeypatch):
    """As on the disks of Mac and Windows, where upper and lower case make no difference."""

    def lexists(path: str) -> bool:
        return Path(path).name.lower() in {p.name.lower() for p in Path(path).parent.glob("*")}

    entries = {"metadata/a.csv": b"1", "metadata/A.CSV": b"2"}
    monkeypatch.setattr("mer_core.datasets.deam.fetch.os.path.lexists", lexists)
    with pytest.raises(DataError, match=r"A\.CSV' more than once, perhaps in upper and lower"):
        unpack_here(tmp_path, zipped(entries))
    assert [path.name for path in tmp_path.iterdir()] == ["metadata.zip"]


def test_folders_one_deeper_are_not_fetched_again(site, tmp_path):
    make_deam(tmp_path / "X" / "DEAM")
    (tmp_path / "X" / "DEAM" / "MEMD_audio").mkdir()
    download(tmp_path / "X", site=site.url)
    assert site.log == []


def cut_name() -> bytes:
    """An archive whose list of files holds a name that is no UTF-8."""
    content = zipped({"metadata/\u00e9.csv": b"x"})
    place = content.rindex("\u00e9".encode())
    return content[:place] + b"\xff\xff" + content[place + 2 :]


NOISE = random.Random(0).randbytes(5000)
BAD: dict[str, tuple[bytes, str]] = {
    "a web page instead of an archive": (b"this is a form, not an archive", "undamaged zip"),
    "an archive that breaks off": (zipped({"metadata/a": b"x" * 9999})[:-30], "undamaged zip"),
    "a path that climbs out": (zipped({"metadata/a": b"x", "../escaped": b"x"}), "'../escaped'"),
    "an absolute path": (zipped({"metadata/a": b"x", "/tmp/escaped": b"x"}), "'/tmp/escaped'"),
    "a path that climbs out, as Windows writes it": (
        zipped({"metadata\\a": b"x", "metadata\\../..\\escaped": b"x"}), "paths inside"
    ),
    "a drive": (zipped({"C:/escaped": b"x"}), "'C:/escaped'"),
    "a share of another machine": (zipped({"\\\\host\\escaped": b"x"}), "paths inside"),
    "a link": (link("/etc/passwd"), "a link"),
    "damaged bytes": (damaged(zipped({"metadata/a.csv": NOISE})), "undamaged zip"),
    "damaged bytes, packed as LZMA": (
        damaged(zipped({"metadata/a.csv": NOISE}, kind=zipfile.ZIP_LZMA)), "undamaged zip"
    ),
    "damaged bytes, packed as BZIP2": (
        damaged(zipped({"metadata/a.csv": NOISE}, kind=zipfile.ZIP_BZIP2)), "undamaged zip"
    ),
    "a file that occurs twice": (
        zipped({"metadata/a": b"first", "metadata/b": b"2nd"}).replace(b"a/b", b"a/a"),
        "'metadata/a' more than once",
    ),
    "a file twice, with a dot in its path": (
        zipped({"metadata/a": b"x", "metadata/./a": b"y"}), "'metadata/a' more than once"
    ),
    "other folders only": (zipped({"./": b"", "other/a.csv": b"x"}), "a folder 'metadata'"),
    "a file without a name": (zipped({"": b"x", "metadata/a.csv": b"x"}), "a name for every file"),
    "the archive's own folder as a file": (zipped({".": b"", "metadata/a": b"x"}), "a name for"),
    "a file that is a folder as well": (
        zipped({"metadata/a": b"x", "metadata/a/b.csv": b"x"}), "valid file names"
    ),
    "a name of 300 letters": (
        zipped({"metadata/" + "n" * 300: b"x"}), "valid file names"
    ),
    "a name that is no UTF-8": (cut_name(), "undamaged zip"),
    "a file whose place is behind the end": (
        zipped({"metadata/a.csv": b""}).replace(b"PK\x03\x04", b"PK\x03\x05", 1),
        "undamaged zip",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_archives_are_trusted_in_nothing(tmp_path: Path, name):
    content, message = BAD[name]
    folder = tmp_path / "inner"
    folder.mkdir()
    with pytest.raises(DataError, match=r"metadata\.zip") as error:
        unpack_here(folder, content)
    assert message in str(error.value)
    assert error.value.args[2], "found something"
    assert [path.name for path in folder.iterdir()] == ["metadata.zip"]
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir])
def test_no_archive_at_all_is_an_error_of_the_system(tmp_path, make):
    make(tmp_path / "metadata.zip")
    with pytest.raises(OSError, match=r"metadata\.zip"):
        unpack(tmp_path / "metadata.zip", tmp_path, "metadata")


BOMB = zipped({"metadata/a": b"0" * 100_000})


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("mer_core.datasets.deam.fetch.MOST_BYTES", 1000)
    with pytest.raises(DataError, match="at most 1000 bytes unpacked, found 100000"):
        unpack_here(tmp_path, BOMB)


def test_a_bomb_that_says_it_is_small_unpacks_to_no_more_than_it_says(tmp_path, monkeypatch):
    monkeypatch.setattr("mer_core.datasets.deam.fetch.MOST_BYTES", 1000)
    true, announced = (size.to_bytes(4, "little") for size in (100_000, 10))
    assert BOMB.count(true) == 2
    with pytest.raises(DataError, match="undamaged zip"):
        unpack_here(tmp_path, BOMB.replace(true, announced))
    assert [path.name for path in tmp_path.iterdir()] == ["metadata.zip"]


@pytest.mark.parametrize("content", ["[1, 2]", "7", "{", "[" * 99_999, ""])
def test_checksums_that_are_none_are_refused(tmp_path, site, content):
    (tmp_path / CHECKSUMS).write_text(content)
    with pytest.raises(DataError, match=r"checksums\.json: expected the checksums of archives"):
        download(tmp_path, site=site.url)


def test_what_a_kill_left_of_unpacking_is_removed(tmp_path):
    (tmp_path / ".unpack-x" / "metadata").mkdir(parents=True)
    assert find_folder(tmp_path, "metadata") is None
    unpack_here(tmp_path, zipped({"metadata/a.csv": b"x"}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metadata", "metadata.zip"]

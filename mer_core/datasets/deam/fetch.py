"""Downloading DEAM's archives, or taking those that lie in the folder; unpacking them safely."""

import errno
import hashlib
import json
import lzma
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import requests
from tqdm.auto import tqdm

from mer_core.datasets.layout import entry, find_folder, is_hidden
from mer_core.files import DataError, written_atomically

SITE = "https://cvml.unige.ch/databases/DEAM/"
ARCHIVES = {
    "DEAM_Annotations.zip": "annotations",
    "metadata.zip": "metadata",
    "features.zip": "features",
    "DEAM_audio.zip": "MEMD_audio",
}
"""The archives and the folder that each brings."""
CHECKSUMS = "checksums.json"
MOST_BYTES = 20 * 2**30  # What an archive may unpack to; DEAM's largest stays below 5 GiB
CHUNK = 2**16
UNPACKING = ".unpack-"
SOUND = "an undamaged zip archive (delete it to download it again)"
NO_NAME = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL}
"""Errors of systems if the name of a file is too long, odd or that of a folder."""
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, UnicodeDecodeError)
BROKEN_ZIP += (lzma.LZMAError, EOFError, RuntimeError, OverflowError)


def download(folder: str | os.PathLike, *, site: str = SITE) -> Path:
    """Download and unpack what a folder lacks of DEAM, for research use only (see the site).

    Needs about 1.4 GB for archives and twice that unpacked. An archive that is in the folder
    already, for instance downloaded by hand, is not downloaded again. `checksums.json` keeps the
    SHA-256 of each archive that has been unpacked; later calls check it. `site` is the URL of the
    archives' folder, with a slash at its end. Returns the folder as an absolute path.

    Raises
    ------
    DataError
        If an archive has changed since it was first unpacked, or as for :func:`unpack`.
    requests.RequestException
        If the site can't be reached; what has arrived is kept, and the next call goes on there.
    """
    folder = Path(os.path.expanduser(folder)).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name, brings in ARCHIVES.items():
        if find_folder(folder, brings) is None:
            archive = entry(folder, name)
            if not archive.exists():
                _fetch(site + name, archive)
            checksums = _checksums(folder)
            with archive.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if checksums.setdefault(name, found) != found:
                raise DataError(archive, f"SHA-256 {checksums[name]}, as at its first use", found)
            unpack(archive, folder, brings)
            with written_atomically(folder / CHECKSUMS) as part:
                part.write_text(json.dumps(checksums, indent=2) + "\n")
    return folder


def _checksums(folder: Path) -> dict[str, str]:
    path = folder / CHECKSUMS
    try:
        known = json.loads(path.read_text()) if path.exists() else {}
        if not isinstance(known, dict):
            raise ValueError(f"a {type(known).__name__}")
    except (ValueError, RecursionError) as error:
        raise DataError(path, "the checksums of archives as JSON", str(error)) from None
    return known


def _fetch(url: str, path: Path) -> None:
    """Download a file by way of `<name>.part`, which outlives a broken connection."""
    part = path.with_name(f"{path.name}.part")
    start = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    with requests.get(url, headers=headers, stream=True, timeout=60) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            _fetch(url, path)
            return
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            start = 0
        announced = int(response.headers.get("Content-Length", 0))
        size = {"total": start + announced, "initial": start, "unit": "B", "unit_scale": True}
        bar = tqdm(desc=path.name, **size)
        with part.open("ab" if start else "wb") as file, bar:
            for chunk in response.iter_content(CHUNK):
                bar.update(file.write(chunk))
    arrived = part.stat().st_size - start
    if announced and arrived != announced and "Content-Encoding" not in response.headers:
        found = f"{arrived} of {announced} bytes arrived; call again"
        raise requests.ConnectionError(f"{part}: {found}")
    part.replace(path)


def unpack(archive: Path, folder: Path, brings: str) -> None:
    """Move the folder `brings` of a zip archive, at any depth in it, into a folder, or nothing.

    Backslashes in names, as PowerShell 5 writes them, count as slashes. Files that Mac and Windows
    add to archives (`__MACOSX`, `.DS_Store`, `Thumbs.db`) are not unpacked. A DataError is raised
    if the file is not a zip archive or is damaged, if it lacks the folder, or if it holds a path
    that leaves the folder or that no file can have, two files of one name on this disk (which may
    not distinguish upper and lower case), a link, or more than 20 GiB.
    """
    for left in folder.glob(f"{UNPACKING}*"):  # by a kill
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=UNPACKING) as temporary:
        try:
            with zipfile.ZipFile(archive) as content:
                for member in tqdm(_members(content, archive), f"unpacking {archive.name}"):
                    _extract(content, member, temporary, archive)
        except BROKEN_ZIP as error:
            raise DataError(archive, SOUND, str(error) or type(error).__name__) from None
        found = find_folder(Path(temporary), brings)
        if found is None:
            raise DataError(archive, f"a folder {brings!r} in it", "none")
        shutil.move(found, folder / brings)


def _extract(content: zipfile.ZipFile, member: zipfile.ZipInfo, folder: str, archive: Path) -> None:
    """Unpack one file. Errors caused by the archive name it; those of the disk are passed on."""
    try:
        if not member.is_dir() and os.path.lexists(os.path.join(folder, member.filename)):
            found = f"{member.filename!r} more than once, perhaps in upper and lower case"
            raise DataError(archive, "every file once", found)
        content.extract(member, folder)
    except OSError as error:
        if error.errno is None:  # as bz2 reports damaged data
            raise DataError(archive, SOUND, f"{error}") from None
        if error.errno not in NO_NAME:
            raise
        found = f"{member.filename[:80]!r} ({error.strerror})"
        raise DataError(archive, "valid file names", found) from None


def _members(content: zipfile.ZipFile, archive: Path) -> list[zipfile.ZipInfo]:
    """The files and folders to unpack, with slashes in their names, all safe to extract."""
    members = content.infolist()
    size = sum(member.file_size for member in members)
    if size > MOST_BYTES:
        raise DataError(archive, f"at most {MOST_BYTES} bytes unpacked", f"{size}")
    for member in members:
        member.filename = _safe_name(member, archive)
    return [k for k in members if not any(map(is_hidden, PurePosixPath(k.filename).parts))]


def _safe_name(member: zipfile.ZipInfo, archive: Path) -> str:
    name = member.filename.replace("\\", "/")
    path, folder = PurePosixPath(name), "/" if name.endswith("/") else ""
    if not path.name and not folder:
        raise DataError(archive, "a name for every file", f"{member.filename!r}")
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        raise DataError(archive, "paths inside the archive's folder", f"{member.filename!r}")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DataError(archive, "files and folders only", f"a link: {member.filename!r}")
    return f"{path}{folder}"

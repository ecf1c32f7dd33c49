"""Fetching DEAM: archives from its site or from a user's hands, checked, safely unpacked."""

from __future__ import annotations

import errno
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

import pooch
import requests
from tqdm.auto import tqdm

from mer_core.datasets.deam.layout import entry, find_folder, is_hidden
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
MOST_BYTES = 20 * 2**30
"""What an archive may unpack to; DEAM's largest stays below 5 GiB."""
CHUNK = 2**16
UNPACKING = ".unpack-"
SOUND = "a sound zip archive (delete it to fetch it anew)"
NO_NAME = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL}
"""How systems say that a file's name is too long, odd, or a folder's."""
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, UnicodeDecodeError)
BROKEN_ZIP += (lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OverflowError)


def download(folder: str | os.PathLike, *, site: str = SITE) -> Path:
    """Fetch what of DEAM is not in the folder yet: download, check, unpack.

    An archive that already lies in the folder, because its download broke off before or because
    the site asked for a form and it was fetched by hand, is not downloaded again. The SHA-256 of
    each archive is remembered in `checksums.json` when it has been unpacked for the first time, and
    checked from then on.

    Parameters
    ----------
    folder : path
        Where DEAM is to be; about 1.4 GB of archives and twice that unpacked.
    site : str
        URL of the folder that holds the four archives, with a slash at its end.

    Returns
    -------
    Path
        The folder, absolute, for :func:`mer_core.load_corpus`.

    Raises
    ------
    DataError
        If an archive changed since it was first seen, is no zip archive, or holds a path that
        leaves the folder, a link, or more than 20 GiB.
    requests.RequestException
        If the site can't be reached; what has arrived is kept, and the next call goes on there.

    Notes
    -----
    DEAM is for research use only; see the site for its terms.
    """
    folder = Path(os.path.expanduser(folder)).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name, brings in ARCHIVES.items():
        if find_folder(folder, brings) is None:
            archive = entry(folder, name)
            if not archive.exists():
                pooch.retrieve(site + name, None, fname=name, path=folder, downloader=_resume)
            checksums = _checked(archive, name)
            unpack(archive, folder, brings)
            with written_atomically(folder / CHECKSUMS) as part:
                part.write_text(json.dumps(checksums, indent=2) + "\n")
    return folder


def _checked(archive: Path, name: str) -> dict[str, str]:
    checksums, found = _checksums(archive.parent), pooch.file_hash(str(archive))
    if checksums.setdefault(name, found) != found:
        raise DataError(archive, f"SHA-256 {checksums[name]}, as at its first sight", found)
    return checksums


def _checksums(folder: Path) -> dict[str, str]:
    path = folder / CHECKSUMS
    expected = "the checksums of archives as JSON"
    try:
        known = json.loads(path.read_text()) if path.exists() else {}
    except (ValueError, RecursionError) as error:
        raise DataError(path, expected, str(error)) from None
    if not isinstance(known, dict):
        raise DataError(path, expected, f"a {type(known).__name__}")
    return known


def _resume(url: str, output_file: str, _: object) -> None:
    # The signature is pooch's. What has arrived outlives a broken connection as `<name>.part`.
    part = Path(output_file).with_name(url.rsplit("/", 1)[-1] + ".part")
    start = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    with requests.get(url, headers=headers, stream=True, timeout=60) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            _resume(url, output_file, _)
            return
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        _write(response, part, start=start if resumed else 0)
    part.replace(output_file)


def _write(response: requests.Response, part: Path, *, start: int) -> None:
    announced = int(response.headers.get("Content-Length", 0))
    bar = tqdm(desc=part.stem, total=start + announced, initial=start, unit="B", unit_scale=True)
    with part.open("ab" if start else "wb") as file, bar:
        for chunk in response.iter_content(CHUNK):
            bar.update(file.write(chunk))
    arrived = part.stat().st_size - start
    if announced and arrived != announced and "Content-Encoding" not in response.headers:
        raise requests.ConnectionError(
            f"{part}: {arrived} of {announced} bytes arrived; call again"
        )


def unpack(archive: Path, folder: Path, brings: str) -> None:
    """Unpack an archive and put the folder that it brings in place, whole or not at all.

    Backslashes in names, as PowerShell 5 writes them, count as slashes. Files that Mac and Windows
    add to archives (`__MACOSX`, `.DS_Store`, `Thumbs.db`) are not unpacked.

    Parameters
    ----------
    archive : Path
        A zip archive. Nothing in it is trusted.
    folder : Path
        Where the folder `brings` is to be.
    brings : str
        The folder, which may lie deeper in the archive.

    Raises
    ------
    DataError
        If the file is not a zip archive or is damaged, if it lacks the folder, or if it holds a
        path that leaves the folder or that no file can have, two files of one name on this disk
        (which may not distinguish upper and lower case), a link, or more than 20 GiB.
    """
    for left in folder.glob(f"{UNPACKING}*"):  # by a kill
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=UNPACKING) as temporary:
        try:
            with zipfile.ZipFile(archive) as content:
                members = _checked_members(content, archive)
                for member in tqdm(members, f"unpacking {archive.name}"):
                    _extract(content, member, temporary, archive)
        except BROKEN_ZIP as error:
            found = str(error) or type(error).__name__
            raise DataError(archive, SOUND, found) from None
        found = find_folder(Path(temporary), brings)
        if found is None:
            raise DataError(archive, f"a folder {brings!r} in it", "none")
        shutil.move(found, folder / brings)


def _extract(content: zipfile.ZipFile, member: zipfile.ZipInfo, folder: str, archive: Path) -> None:
    """Unpack one file. Errors caused by the archive name it; those of the disk are passed on."""
    try:
        if not member.is_dir() and os.path.lexists(os.path.join(folder, member.filename)):
            found = f"{member.filename!r} more than once, perhaps in other case"
            raise DataError(archive, "every file once", found)
        content.extract(member, folder)
    except OSError as error:
        if error.errno is None:  # as bz2 reports damaged data
            raise DataError(archive, SOUND, f"{error}") from None
        if error.errno not in NO_NAME:
            raise
        found = f"{member.filename[:80]!r} ({error.strerror})"
        raise DataError(archive, "names that files can have", found) from None


def _checked_members(content: zipfile.ZipFile, archive: Path) -> list[zipfile.ZipInfo]:
    """The files and folders to unpack, with slashes in their names, all safe to extract."""
    size = sum(member.file_size for member in content.infolist())
    if size > MOST_BYTES:
        raise DataError(archive, f"at most {MOST_BYTES} bytes unpacked", f"{size}")
    for member in content.infolist():
        member.filename = _safe_name(member, archive)
    return [
        member
        for member in content.infolist()
        if not any(map(is_hidden, PurePosixPath(member.filename).parts))
    ]


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

"""Where things are in a copy of DEAM."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mer_core.files import DataError


def find_folder(folder: Path, name: str) -> Path | None:
    """Find one of DEAM's folders, which unpacking may have put one deeper or inside its own name.

    Parameters
    ----------
    folder : Path
        A copy of DEAM.
    name : str
        Such as "features", found as `features`, `features/features` or `DEAM/features`.

    Returns
    -------
    Path or None
        None if there is no such folder.
    """
    deeper = (place for place in sorted(folder.glob(f"*/{name}")) if not _is_hidden(place.parent))
    place = next((place for place in (folder / name, *deeper) if place.is_dir()), None)
    while place and (place / name).is_dir():
        place = place / name
    return place


def _is_hidden(folder: Path) -> bool:
    """Whether it is what a Mac adds to archives, or a kill left of one that was being unpacked."""
    return folder.name == "__MACOSX" or folder.name.startswith(".")


def files_by_song(folder: Path, suffixes: Iterable[str]) -> dict[int, Path]:
    """Files named `<song_id><suffix>` in a folder, by song.

    Raises
    ------
    DataError
        If a song has two.
    """
    files: dict[int, Path] = {}
    for suffix in suffixes:
        for path in folder.glob(f"*{suffix}"):
            name = path.name.removesuffix(suffix)
            if name.isdecimal() and int(name) in files:
                raise DataError(path, "one file a song", f"{files[int(name)].name} beside it")
            if name.isdecimal():
                files[int(name)] = path
    return files

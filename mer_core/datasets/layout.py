"""Finding files and folders of a data set, however it was unpacked and whatever its case."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mer_core.files import note

HIDDEN = {"__macosx", "thumbs.db", "desktop.ini"}
"""Names, in lower case, that Mac and Windows add to folders and archives."""
SONG_ID = re.compile(r"[0-9]{1,18}")


def is_hidden(name: str) -> bool:
    """Whether a file or folder belongs to the operating system, not to the data.

    >>> [name for name in ("._3.csv", ".DS_Store", "__MACOSX", "3.csv") if not is_hidden(name)]
    ['3.csv']
    """
    return name.startswith(".") or name.lower() in HIDDEN


def visible(folder: Path) -> list[Path]:
    """The entries of a folder by name, without hidden ones; none if it can't be listed."""
    try:
        return sorted(path for path in folder.iterdir() if not is_hidden(path.name))
    except OSError:
        return []


def entry(folder: Path, name: str) -> Path:
    """The path of a file or folder by name; an entry whose name differs in case alone will do."""
    exact = folder / name
    if os.path.lexists(exact):
        return exact
    alike = (path for path in visible(folder) if path.name.lower() == name.lower())
    return next(alike, exact)


def find_folder(folder: Path, name: str) -> Path | None:
    """Find a folder, which unpacking may have put one deeper or inside a folder of its own name.

    "features" is found as `features`, `Features`, `features/features` or `DEAM/features`.
    """
    places = (entry(place, name) for place in (folder, *visible(folder)))
    place = next((place for place in places if place.is_dir()), None)
    while place and entry(place, name).is_dir():
        place = entry(place, name)
    return place


def files_by_song(folder: Path, suffixes: Sequence[str]) -> dict[int, Path]:
    """Files named `<song_id><suffix>` in a folder, by rising song_id; none without such a folder.

    Case does not count. If a song has several files, that of the first suffix is taken, and of
    these the one without leading zeros. A DataWarning is issued if so, if files lie in subfolders,
    or if no file is named by a song_id.
    """
    entries = visible(folder)
    named = _named_by_song(entries, suffixes)
    inner = [path for place in entries if place.is_dir() for path in visible(place)]
    deeper = _named_by_song(inner, suffixes)
    clashes = [paths for _, paths in sorted(named.items()) if len(paths) > 1]
    if clashes:
        listed = "; ".join(" and ".join(path.name for path in paths) for paths in clashes[:5])
        note(f"{folder}: expected one file per song, found {listed}; the first of them is read")
    if set(deeper) - set(named):
        example = deeper[min(deeper)][0].relative_to(folder)
        found = f"{len(set(deeper) - set(named))} in subfolders, such as {example}"
        note(f"{folder}: expected the files of songs here, found {found}; these are not read")
    others = [path.name for path in entries if _suffix(path, suffixes) and path.is_file()]
    if others and not named:
        found = f"no such name among {len(others)} files, such as {others[0]}"
        note(f"{folder}: expected files <song_id>{suffixes[0]}, found {found}")
    return {song_id: paths[0] for song_id, paths in sorted(named.items())}


def _named_by_song(paths: list[Path], suffixes: Sequence[str]) -> dict[int, list[Path]]:
    found: dict[int, list[tuple[int, bool, Path]]] = {}
    for path in paths:
        suffix = _suffix(path, suffixes)
        stem = path.name[: -len(suffix)] if suffix else ""
        if SONG_ID.fullmatch(stem):
            order = (suffixes.index(suffix), stem != str(int(stem)), path)
            found.setdefault(int(stem), []).append(order)
    return {song_id: [path for *_, path in sorted(files)] for song_id, files in found.items()}


def _suffix(path: Path, suffixes: Sequence[str]) -> str | None:
    return next((suffix for suffix in suffixes if path.name.lower().endswith(suffix)), None)

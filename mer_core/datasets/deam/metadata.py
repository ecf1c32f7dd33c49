"""DEAM's metadata files: ragged, with tabs, tags after the genre and commas inside names."""

import re
from pathlib import Path

import pandas as pd

from mer_core.datasets.common import read_rows, with_song_id
from mer_core.datasets.layout import visible
from mer_core.files import DataError, note

ALIASES = {"song_id": "song_id", "title": "title", "song title": "title"}
ALIASES |= {"artist": "artist", "genre": "genre"}
FILE = re.compile(r"metadata_([0-9]{4})\.csv", re.IGNORECASE)


def read_metadata(folder: Path) -> pd.DataFrame:
    """Read title, artist, genre (text or missing) and year of every song, with the index song_id.

    The table is empty if there is no file `metadata_<year>.csv`. Cells after the last named column
    are tags and are left out. Tabs and blanks around cells are removed, and a name that an unquoted
    comma split in two is joined again, with a warning.
    """
    files = [path for path in visible(folder) if FILE.fullmatch(path.name)]
    if not files:
        return pd.DataFrame(columns=["title", "artist", "genre", "year"]).rename_axis("song_id")
    years = [_read_year(path).assign(year=int(FILE.fullmatch(path.name)[1])) for path in files]
    table = pd.concat(years)
    if not table.index.is_unique:
        twice = list(table.index[table.index.duplicated()][:5])
        raise DataError(folder, "every song once", f"songs {twice} more than once")
    return table


def _read_year(path: Path) -> pd.DataFrame:
    rows = read_rows(path, errors="replace")
    header = rows.pop(0) if rows else []
    names = [ALIASES.get(cell.strip().lower(), "") for cell in header]
    if "song_id" not in names:
        raise DataError(path, "a column 'song_id'", f"{[cell for cell in header if cell.strip()]}")
    genre = names.index("genre") if "genre" in names else len(names)
    joined = [_join_split_name(row, genre) for row in rows]
    _warn_of_repairs(path, rows, joined)
    short = [row[0] for row in joined if len(row) <= names.index("song_id")]
    if short:
        raise DataError(path, "a song_id in every row", f"a row that ends before it: {short[0]!r}")
    songs = [dict(zip(names, (cell.strip() for cell in row))) for row in joined]
    table = pd.DataFrame(songs, columns=["song_id", "title", "artist", "genre"])
    return with_song_id(table.replace("", None), "song_id", path)


def _join_split_name(row: list[str], genre: int) -> list[str]:
    # 'Heavy, Crazy,Hip-Hop' for 'Heavy, Crazy': in an unquoted name a blank follows the comma that
    # split it. DEAM's rows keep the genre in its place all the same, but for one that has the
    # album's 'n/a' there: only then the cells after the name move up.
    for k in range(2, min(genre, len(row))):
        if re.match(r" \S", row[k]):
            whole = f"{row[k - 1]},{row[k]}"
            shifted = len(row) > genre + 1 and row[genre].strip() == "n/a"
            return [*row[: k - 1], *([whole] if shifted else [whole, whole]), *row[k + 1 :]]
    return row


def _warn_of_repairs(path: Path, rows: list[list[str]], joined: list[list[str]]) -> None:
    replaced = sum(any("\ufffd" in cell for cell in row) for row in rows)
    tabs = sum(any("\t" in cell for cell in row) for row in rows)
    split = ", ".join(new[0] for old, new in zip(rows, joined) if old != new)
    repairs = {
        f"letters that are not UTF-8 were replaced in {replaced} songs": replaced,
        f"tabs inside the cells of {tabs} songs were removed": tabs,
        f"names with a comma were joined again in songs {split}": split,
    }
    found = "; ".join(text for text, count in repairs.items() if count)
    if found:
        note(f"{path}: {found}")

"""What the readers of all data sets share: tables of text, songs, features of audio."""

import csv
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import NO_FEATURES, SONG_COLUMNS, Corpus
from mer_core.datasets.layout import files_by_song, find_folder
from mer_core.features import extract_all
from mer_core.features.audio import SHORTEST, SUFFIXES, duration
from mer_core.features.containers import DamagedAudio
from mer_core.files import DataError, check_numbers, note, read_table
from mer_core.scales import probable_scale
from mer_core.tracks import DIMENSIONS, HOP, check_columns

CUT = 2  # Labels at a song's end that are left out if the audio has no features there
NO_MEANS = pd.DataFrame(columns=DIMENSIONS, index=pd.RangeIndex(0, name="song_id"), dtype=float)
"""The labels of a data set that has none of whole songs."""
NO_LABELS = NO_FEATURES.reindex(columns=DIMENSIONS).astype(float)
"""The labels of a data set that has none over time."""


def read_rows(path: Path, *, errors: str = "strict") -> list[list[str]]:
    """Cells of a CSV file without empty rows; `errors` as of `open`."""
    try:
        with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
            return [row for row in csv.reader(file) if any(map(str.strip, row))]
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(path, "a CSV table", str(error)) from None


def read_text(path: Path) -> pd.DataFrame:
    """Read a CSV file as text, without blanks around cells; empty cells are missing."""
    rows = read_rows(path)
    names = [name.strip() for name in rows[0]] if rows else []
    if len(rows) < 2 or len(set(names)) < len(names):
        raise DataError(path, "a CSV table with every column once", f"{len(rows)} rows, {names}")
    odd = next((k for k, row in enumerate(rows) if len(row) != len(names)), None)
    if odd is not None:
        raise DataError(path, f"{len(names)} cells in every row", f"{len(rows[odd])} in row {odd}")
    cells = [[cell.strip() or None for cell in row] for row in rows[1:]]
    return pd.DataFrame(cells, columns=names, dtype=object)


def with_song_id(table: pd.DataFrame, column: str, path: Path) -> pd.DataFrame:
    """A table of text with the index song_id: a column of whole numbers, each once."""
    if column not in table:
        raise DataError(path, f"a column {column!r}", f"{list(table)}")
    whole = table[column].fillna("").str.fullmatch("[0-9]{1,15}")
    if not whole.all():
        raise DataError(path, f"a whole number as {column}", f"{table[column][~whole].iloc[0]!r}")
    table = table.assign(song_id=table.pop(column).astype(int)).set_index("song_id")
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise DataError(path, f"every {column} once", f"{twice} more than once")
    return table.sort_index()


def read_means(
    path: Path, index: str, columns: Mapping[str, str], scale: tuple[int, int], quiet: bool = False
) -> pd.DataFrame:
    """Read labels of whole songs, converted from a scale to [-1, 1] with a note unless `quiet`.

    `columns` maps the names in the file to valence and arousal. Empty if there is no such file.
    """
    if not path.is_file():
        return NO_MEANS
    table, (low, high) = read_table(path, index=index), scale
    check_columns(table, path, list(columns))
    means = table[list(columns)].rename(columns=columns)[DIMENSIONS].rename_axis("song_id")
    check_numbers(means, path)
    check_scale(means, path, low, high)
    if not quiet:
        note(f"{path}: means of whole songs were converted from [{low}, {high}] to [-1, 1]")
    return (means - (low + high) / 2) / ((high - low) / 2)


def check_scale(values: pd.DataFrame, path: Path, low: int, high: int) -> None:
    """Raise a DataError if a value is missing or outside [low, high]; rows are songs or a track."""
    outside = ~((values >= low) & (values <= high)).to_numpy()
    if outside.any():
        row, column = np.argwhere(outside)[0]
        form = "{}" if values.index.nlevels == 1 else "{0[0]} at {0[1]} s"
        place = form.format(values.index[row])
        found = f"a mean {values.columns[column]} of {values.iat[row, column]:g} in song {place}"
        found += probable_scale(values.to_numpy(dtype=float), target=(low, high))
        raise DataError(path, f"values in [{low}, {high}]", found)


def audio_length(path: str) -> float:
    """Length in s; NaN, with a warning, if the file is damaged."""
    try:
        return duration(path)
    except DamagedAudio as error:  # one clip of a corpus; reading it raises the same error
        note(f"{error}; its duration is left out")
        return np.nan


def audio_files(folder: Path, name: str) -> dict[int, Path]:
    """Audio files `<song_id>.<suffix>` in the folder `name` of a data set."""
    return files_by_song(find_folder(folder, name) or folder / name, SUFFIXES)


def with_audio(songs: pd.DataFrame, audio: Mapping[int | str, Path]) -> pd.DataFrame:
    """Songs with the path and the duration of their audio; audio of other songs is not used."""
    paths = pd.Series({k: str(path) for k, path in audio.items()}, dtype=object)
    songs = songs.assign(audio=paths.reindex(songs.index))
    lengths = songs["audio"].dropna().map(audio_length).astype(float).reindex(songs.index)
    known = songs["duration"].astype(float) if "duration" in songs else np.nan
    return songs.assign(duration=lengths.fillna(known))


def make_corpus(
    where: Path, labels: pd.DataFrame, songs: pd.DataFrame, audio: Mapping[int | str, Path]
) -> Corpus:
    """A corpus whose features are extracted from audio; other columns of `songs` are missing.

    `songs` has a row for each song of the labels.
    """
    songs = with_audio(songs.reindex(columns=SONG_COLUMNS), audio)
    labels, songs, features = from_audio(where, labels, songs)
    corpus = Corpus(songs, labels, features)
    corpus.validate()
    return corpus


def from_audio(
    where: Path, labels: pd.DataFrame, songs: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, object]:
    """Labels, songs and features of a data set without feature files.

    If at least half of the songs have audio, the features are :func:`extract_songs`, to be called
    when they are first used; else there are none. Up to two labels after the last feature window
    of a song are left out. Audio that ends earlier is not used. Both are reported.
    """
    if songs["audio"].notna().mean() < 0.5:
        return labels, songs, NO_FEATURES
    absolute = songs["audio"].map(os.path.abspath, na_action="ignore")  # for use in another folder
    songs = songs.assign(audio=absolute)
    song_ids, times = (labels.index.get_level_values(name) for name in ("song_id", "time"))
    lengths = songs["duration"].where(songs["audio"].notna())
    last = HOP * ((lengths - SHORTEST + 1e-6) // HOP)
    late = pd.Series(times > last.reindex(song_ids).to_numpy(), labels.index)
    counts = late.groupby(level="song_id").sum()
    short = counts.index[counts > CUT]
    if len(short):
        note(f"{where}: left out the audio of {len(short)} songs, which ends before the labels")
        songs = songs.assign(audio=songs["audio"].mask(songs.index.isin(short), None))
    late &= ~song_ids.isin(short)
    if late.any():
        found = f"{late.sum()} labels at the end of {(counts.drop(short) > 0).sum()} songs"
        note(f"{where}: left out {found}, after the last feature window of the audio")
    return labels[~late], songs, extract_songs


def songs_with_audio(corpus: Corpus) -> Corpus:
    """The songs of a partial copy whose audio is there, with features of it.

    The 260 features are extracted on first use, and kept in the user's cache. Labels after the
    last feature window of a song are left out, with a note.

    Raises
    ------
    DataError
        If no song has audio.

    Examples
    --------
    >>> from mer_core import load_corpus
    >>> len(songs_with_audio(load_corpus("mini")).songs)
    112
    """
    songs = corpus.songs[corpus.songs["audio"].notna()]
    if songs.empty:
        raise DataError("audio", "audio of at least one song", "none")
    part = corpus.select(songs.index)
    labels, songs, features = from_audio(Path("songs with audio"), part.labels, part.songs)
    part = replace(part, songs=songs, labels=labels, features=features)
    return part.select(songs.index[songs["audio"].notna()])


def extract_songs(songs: pd.DataFrame) -> pd.DataFrame:
    """The 260 features of all songs with audio, from the user's cache or computed.

    Songs that fail have no features; a warning counts them.
    """
    audio = songs["audio"].dropna()
    if audio.empty:
        return NO_FEATURES
    features, failures = extract_all(dict(audio), ("compare",))
    if len(failures):
        note(f"no features of {len(failures)} of {len(audio)} songs: {failures.iloc[0]}")
    return features.astype(float).sort_index() if len(features) else NO_FEATURES

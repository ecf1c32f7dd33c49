"""Readers of a user's own folder: labels in wide files, or audio and one CSV file of labels."""

from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.datasets.common import NO_LABELS, audio_files, make_corpus, read_text
from mer_core.datasets.deam.annotations import read_both
from mer_core.datasets.layout import entry, visible
from mer_core.features.audio import SUFFIXES, song_id_of
from mer_core.files import DataError, note
from mer_core.scales import warn_of_unsigned
from mer_core.tracks import DIMENSIONS, LEVELS

COLUMNS = ["song_id", *DIMENSIONS]


def find_curves(folder: Path) -> bool:
    """Whether a folder holds `arousal.csv` and `valence.csv`, as the labels of MediaEval 2015."""
    return all(entry(folder, f"{name}.csv").is_file() for name in DIMENSIONS)


def load_curves(folder: Path) -> Corpus:
    """Load labels from `arousal.csv` and `valence.csv`: a row per song, a column per half second.

    Audio is read from `MEMD_audio`, if there is such a folder. All songs are "dev".
    """
    labels = read_both(folder, "{}.csv")
    return make_corpus(folder, labels, _songs(labels), audio_files(folder, "MEMD_audio"))


def find_files(folder: Path) -> Path | None:
    """The one CSV file with the columns song_id, valence, arousal beside audio files, if any."""
    tables = [path for path in visible(folder) if path.suffix.lower() == ".csv"]
    if len(tables) != 1 or not _audio(folder):
        return None
    with tables[0].open(encoding="utf-8-sig", errors="replace") as file:
        names = {name.strip() for name in file.readline().split(",")}
    return tables[0] if set(COLUMNS) <= names else None


def load_files(folder: Path) -> Corpus:
    """Load audio files and one CSV file of labels: song_id, time, valence, arousal.

    song_id is the name of an audio file without its suffix, time in s on a grid of 0.5 s. Without
    a column time, the labels are of whole songs. All songs are "dev". A DataError is raised if a
    cell is no number, a row is repeated, a value is outside [-1, 1], or no song has audio.
    """
    path = find_files(folder)
    table = read_text(path)
    columns = [name for name in ("time", *DIMENSIONS) if name in table]
    for name in columns:
        table[name] = _numbers(table, name, path)
    if table["song_id"].isna().any():
        row = np.argmax(table["song_id"].isna()) + 1
        raise DataError(path, "a song_id in every row", f"none in row {row}")
    audio = _audio(folder)
    _check_audio(path, set(table["song_id"]), set(audio))
    if all(isinstance(song_id_of(f"{name}.wav"), int) for name in {*table["song_id"], *audio}):
        table["song_id"] = table["song_id"].astype(int)
        audio = {int(name): file for name, file in audio.items()}
    index = list(LEVELS) if "time" in table else ["song_id"]
    values = table.set_index(index)[DIMENSIONS].sort_index()
    if not values.index.is_unique:
        twice = values.index[values.index.duplicated()][0]
        raise DataError(path, f"every {' and '.join(index)} once", f"{twice} more than once")
    labels = values if "time" in table else NO_LABELS
    songs = _songs(values) if "time" in table else values.assign(split="dev")
    warn_of_unsigned(values, path)
    return make_corpus(folder, labels, songs, audio)


def _songs(labels: pd.DataFrame) -> pd.DataFrame:
    return labels.groupby(level="song_id").mean().assign(split="dev")


def _audio(folder: Path) -> dict[str, Path]:
    files = [path for path in visible(folder) if path.suffix.lower() in SUFFIXES]
    return {str(song_id_of(path)): path for path in files if path.is_file()}


def _numbers(table: pd.DataFrame, name: str, path: Path) -> pd.Series:
    values = pd.to_numeric(table[name], errors="coerce").astype(float)
    bad = ~np.isfinite(values)
    if bad.any():
        found = f"{table[name][bad].iloc[0]!r:.40} in row {np.argmax(bad) + 1}"
        raise DataError(path, f"a number in every cell of {name!r}", found)
    return values


def _check_audio(path: Path, labelled: set[str], audio: set[str]) -> None:
    if not labelled & audio:
        example = min(audio)
        raise DataError(path, f"song_ids that are names of audio files, as {example!r}", "none")
    alone = {"labels and no audio": labelled - audio, "audio and no labels": audio - labelled}
    for what, ids in alone.items():
        if ids:
            note(f"{path}: {len(ids)} songs have {what}, such as {min(ids)!r}")

"""PMEmo: choruses of pop songs, averaged curves of valence and arousal.

Source: Zhang et al. (2018), "The PMEmo Dataset for Music Emotion Recognition". ICMR.
https://github.com/HuiZhangDB/PMEmo
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.datasets import common
from mer_core.datasets.layout import entry, find_folder
from mer_core.files import DataError, check_numbers, note, read_table
from mer_core.tracks import DIMENSIONS, LEVELS, as_track, check_columns

DYNAMIC, DEVIATIONS = "dynamic_annotations.csv", "dynamic_annotations_std.csv"


def find(folder: Path) -> Path | None:
    """The folder with PMEmo's annotations; None if this is not PMEmo."""
    places = (folder, find_folder(folder, "annotations"))
    return next((place for place in places if place and entry(place, DYNAMIC).is_file()), None)


def load(folder: Path) -> Corpus:
    """Load PMEmo and convert its labels from [0, 1] to [-1, 1], with a note.

    The folder has `annotations`, `metadata.csv` and `chorus` (audio), or the annotations alone.
    `time` is in s from the start of the chorus excerpt, from 15.5 s on. All songs are "dev".
    """
    annotations, base = _places(folder)
    path = entry(annotations, DYNAMIC)
    labels = 2 * _read_dynamic(path, "mean") - 1
    note(f"{path}: valence and arousal were converted from [0, 1] to [-1, 1] by 2x - 1")
    static = _read_static(entry(annotations, "static_annotations.csv"))
    song_ids = labels.index.unique("song_id").union(static.index)
    songs = _read_metadata(entry(base, "metadata.csv")).reindex(song_ids).rename_axis("song_id")
    songs = songs.join(static).assign(split="dev")
    return common.make_corpus(folder, labels, songs, common.audio_files(base, "chorus"))


def deviations(folder: Path) -> pd.DataFrame:
    """Standard deviation over raters of each half second, in label units ([-1, 1]): a track."""
    return 2 * _read_dynamic(entry(_places(folder)[0], DEVIATIONS), "std")


def _places(folder: Path) -> tuple[Path, Path]:
    annotations = find(Path(folder))
    if annotations is None:
        raise DataError(folder, f"annotations/{DYNAMIC}", "none")
    inside = annotations.name.lower() == "annotations"
    return annotations, annotations.parent if inside else annotations


def _read_dynamic(path: Path, kind: str) -> pd.DataFrame:
    table = read_table(path, index=None)
    names = {"musicId": "song_id", "frameTime": "time"}
    names |= {f"{name.capitalize()}({kind})": name for name in DIMENSIONS}
    check_columns(table, path, list(names))
    table = table[list(names)].rename(columns=names)
    check_numbers(table, path)
    if table.isna().any(axis=None) or (table["song_id"] % 1 != 0).any():
        raise DataError(path, "whole numbers as musicId and no empty cell", "others")
    track = table.astype({"song_id": int}).set_index(list(LEVELS)).sort_index()
    track = as_track(track, str(path), gapless=True)
    common.check_scale(track, path, 0, 1)
    return track


def _read_static(path: Path) -> pd.DataFrame:
    """Labels of whole songs: from 0 to 1 in the release, from 1 to 9 in copies in DEAM's style."""
    if path.is_file() and "musicId" not in common.read_text(path):
        return common.read_means(path, "song_id", {f"{k}_mean": k for k in DIMENSIONS}, (1, 9))
    columns = {f"{name.capitalize()}(mean)": name for name in DIMENSIONS}
    return common.read_means(path, "musicId", columns, (0, 1))


def _read_metadata(path: Path) -> pd.DataFrame:
    names = ["title", "artist", "duration"]
    if not path.is_file():
        return pd.DataFrame(columns=names, index=pd.Index([], dtype=int))
    table = common.with_song_id(common.read_text(path), "musicId", path).reindex(columns=names)
    seconds = pd.to_numeric(table["duration"], errors="coerce")
    return table.assign(duration=seconds.where(np.isfinite(seconds)))

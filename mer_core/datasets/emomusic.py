"""emoMusic, the 744 excerpts of MediaEval 2013 ("1000 songs"), which are DEAM's ids up to 1000.

Source: Soleymani et al. (2013), "1000 songs for emotional analysis of music". CrowdMM.
http://cvml.unige.ch/databases/emoMusic/
"""

from pathlib import Path

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.datasets import common
from mer_core.datasets.deam.annotations import read_both
from mer_core.datasets.layout import entry, find_folder
from mer_core.files import DataError, note
from mer_core.tracks import DIMENSIONS

COLUMNS = {"Song title": "title", "Artist": "artist", "Genre": "genre"}
SET = "Mediaeval 2013 set"
INFO, CLIPS = "songs_info.csv", "clips_45seconds"


def find(folder: Path) -> Path | None:
    """The folder with `{valence,arousal}_cont_{average,std}.csv`; None if this is not emoMusic."""
    places = (find_folder(folder, "annotations"), folder)
    kinds = [f"valence_cont_{kind}.csv" for kind in ("average", "std")]
    here = [p for p in places if p and any(entry(p, kind).is_file() for kind in kinds)]
    return here[0] if here else None


def load(folder: Path) -> Corpus:
    """Load emoMusic: curves, labels of whole songs, its own division into "dev" and "test".

    The folder has `annotations`, `songs_info.csv` and `clips_45seconds` (audio), or fewer of them.
    Without `*_cont_average.csv` there are labels of whole songs only.
    """
    annotations = _annotations(folder)
    labels = common.NO_LABELS
    if entry(annotations, "valence_cont_average.csv").is_file():
        labels = read_both(annotations, "{}_cont_average.csv")
    else:
        note(f"{annotations}: no *_cont_average.csv, so there are no labels over time")
    names = {f"mean_{name}": name for name in DIMENSIONS}
    static = entry(annotations, "static_annotations.csv")
    static = common.read_means(static, "song_id", names, (1, 9))
    song_ids = labels.index.unique("song_id").union(static.index)
    base = annotations.parent if annotations.name.lower() == "annotations" else annotations
    info = next((k / INFO for k in (base, annotations) if (k / INFO).is_file()), None)
    songs = _read_info(info).reindex(song_ids).rename_axis("song_id")
    songs = songs.join(static).assign(year=2013)
    return common.make_corpus(folder, labels, songs, common.audio_files(base, CLIPS))


def deviations(folder: Path) -> pd.DataFrame:
    """Standard deviation over raters of each half second, in label units ([-1, 1]): a track."""
    return read_both(_annotations(folder), "{}_cont_std.csv")


def _annotations(folder: Path) -> Path:
    annotations = find(Path(folder))
    if annotations is None:
        raise DataError(folder, "annotations/{valence,arousal}_cont_{average,std}.csv", "none")
    return annotations


def _read_info(path: Path | None) -> pd.DataFrame:
    if path is None:
        return pd.DataFrame(columns=[*COLUMNS.values(), "split"], index=pd.Index([], dtype=int))
    table = common.with_song_id(common.read_text(path), "song_id", path)
    split = table.get(SET, pd.Series(None, table.index, dtype=object))
    songs = table.reindex(columns=list(COLUMNS)).rename(columns=COLUMNS)
    return songs.assign(split=split.map({"development": "dev", "evaluation": "test"}))

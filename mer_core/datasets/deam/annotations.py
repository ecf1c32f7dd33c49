"""DEAM's annotations: dynamic labels, song-level labels (with a repair of swaps), ratings.

Everything is read into [-1, 1]. The readers raise a DataError if a file is missing, has other
columns, text, values out of range or repeated rows, or if the files of the two dimensions differ.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from mer_core.datasets.common import read_means
from mer_core.datasets.layout import entry, files_by_song, visible
from mer_core.files import DataError, check_numbers, note, read_table
from mer_core.scales import probable_scale
from mer_core.tracks import DIMENSIONS, HOP

DYNAMIC = "dynamic (per second annotations)"
AVERAGED = "annotations averaged per song"
PER_RATER = "annotations per each rater"
RATER = "WorkerId"
HELD = 2  # Frames by which the two curves of a song may differ in length
SURE = 0.001  # Two-tailed p below which a negative correlation is taken for a swap
SAMPLE = re.compile(r"sample_([0-9]+)ms")


def read_labels(annotations: Path) -> pd.DataFrame:
    """Read the dynamic labels, averaged over raters, from DEAM's folder `annotations`: a track.

    Where one dimension ends a frame or two before the other, its last value is repeated, with a
    warning.
    """
    folder = entry(entry(annotations, AVERAGED), DYNAMIC)
    curves = {name: read_curves(entry(folder, f"{name}.csv")) for name in DIMENSIONS}
    lengths = pd.DataFrame({k: c.groupby(level="song_id").size() for k, c in curves.items()})
    if lengths.isna().any(axis=None):
        alone = lengths.index[lengths.isna().any(axis=1)]
        raise DataError(folder, "the same songs in both files", f"{list(alone[:5])} in one only")
    labels, missing = pd.DataFrame(curves), lengths.max(axis=1) - lengths.min(axis=1)
    uneven = missing[missing > 0]
    if uneven.empty:
        return labels
    if (uneven > HELD).any():
        song_id = uneven.index[uneven > HELD][0]
        found = f"{lengths.loc[song_id].astype(int).to_dict()} in song {song_id}"
        raise DataError(folder, f"lengths that differ by {HELD} frames at most", found)
    repair = f"the last value was repeated for the {uneven.sum():g} missing frames"
    songs = list(uneven.index)
    note(f"{folder}: valence and arousal differ in length in songs {songs}; {repair}")
    return labels.groupby(level="song_id").ffill()


def read_curves(path: Path, *, index: str | None = "song_id", index_type: type = int) -> pd.Series:
    """Read a CSV file with one curve a row and the columns `sample_15000ms, sample_15500ms, ...`.

    The column `index` names the curves (int for songs, str for raters); None numbers them. The
    series has the MultiIndex (index, time in s). Rows may end in empty cells, so that curves may
    differ in length.
    """
    table = read_table(path, index=index, index_type=index_type)
    check_numbers(table, path)
    if table.columns.empty:
        raise DataError(path, "columns 'sample_<ms>ms'", "none")
    table.columns = pd.Index([_time(name, path) for name in table.columns], name="time")
    table = table.sort_index(axis=1).sort_index()
    if not np.allclose(np.diff(table.columns), HOP):
        raise DataError(path, f"a column every {HOP} s", "a gap between the columns")
    _check_curves(table, path)
    return table.stack().dropna()


def read_both(where: Path, names: str) -> pd.DataFrame:
    """Read `names`, such as "{}.csv", for both dimensions as one track: a row of a file is a song.

    A DataError is raised if songs or times differ.
    """
    labels = pd.DataFrame({k: read_curves(entry(where, names.format(k))) for k in DIMENSIONS})
    if labels.isna().any(axis=None):
        song_id, time = labels.index[labels.isna().any(axis=1)][0]
        found = f"one of them in song {song_id} at {time:g} s"
        raise DataError(where, "both valence and arousal", found)
    return labels.rename_axis(["song_id", "time"]).sort_index()


def _check_curves(table: pd.DataFrame, path: Path) -> None:
    values = table.to_numpy(dtype=float)
    there, frames = ~np.isnan(values), np.arange(values.shape[1])
    last = np.where(there, frames, -1).max(axis=1)
    faults = {
        "an empty row": last < 0,
        "a gap (NaN) inside the curve": (~there & (frames <= last[:, None])).any(axis=1),
        "a value outside [-1, 1]": (np.abs(values) > 1).any(axis=1),
    }
    for found, rows in faults.items():
        if rows.any():
            scale = probable_scale(values) if "outside" in found else ""
            where = f"{found} in {table.index.name} {table.index[rows][0]}{scale}"
            raise DataError(path, "curves without gaps, in [-1, 1]", where)


def _time(name: str, path: Path) -> float:
    match = SAMPLE.fullmatch(name)
    if not match or int(match[1]) % int(1000 * HOP):
        raise DataError(path, "columns 'sample_<ms>ms' on a grid of 500 ms", f"{name!r}")
    return int(match[1]) / 1000


def read_ratings(annotations: Path) -> pd.DataFrame | None:
    """Read every rater's own curves: index (song_id, rater, time in s), or None without such files.

    A cell is NaN where a rater's curves differ in length. Raters without a WorkerId are numbered
    from 1.
    """
    folder = entry(entry(annotations, PER_RATER), DYNAMIC)
    if not folder.is_dir():
        return None
    curves = {name: _curves_of_raters(entry(folder, name)) for name in DIMENSIONS}
    songs = [set(curve.index.unique(0)) for curve in curves.values()]
    if songs[0] != songs[1]:
        found = f"only one of them for song {min(songs[0] ^ songs[1])}"
        raise DataError(folder, "both valence and arousal for every song", found)
    return pd.DataFrame(curves).rename_axis(["song_id", "rater", "time"]).sort_index()


def _curves_of_raters(folder: Path) -> pd.Series:
    files, curves = files_by_song(folder, [".csv"]), {}
    if not files:
        raise DataError(folder, "files <song_id>.csv", "none")
    for song_id, path in files.items():
        if not path.is_file():
            raise DataError(path, "a CSV table", "a folder or a device")
        named = path.read_bytes()[:20].decode("utf-8-sig", "replace").lstrip().startswith(RATER)
        curves[song_id] = read_curves(path, index=RATER if named else None, index_type=str)
    return pd.concat(curves)


def read_song_level(annotations: Path) -> pd.DataFrame:
    """Read the labels of whole songs, converted from 1-9 to [-1, 1]; empty without such files.

    The index is song_id. The columns valence and arousal are as in the files: see :func:`unswap`.
    """
    folder = entry(entry(annotations, AVERAGED), "song_level")
    files = [path for path in visible(folder) if path.suffix.lower() == ".csv"]
    columns = {f"{name}_mean": name for name in DIMENSIONS}
    options = {"columns": columns, "scale": (1, 9), "quiet": True}
    parts = [read_means(path, "song_id", **options) for path in files or [folder]]
    levels = pd.concat(parts)
    if not levels.index.is_unique:
        twice = list(levels.index[levels.index.duplicated()][:5])
        raise DataError(annotations, "every song in one song-level file", f"{twice} in two")
    return levels


def unswap(song_level: pd.DataFrame, labels: pd.DataFrame, year: pd.Series) -> pd.DataFrame:
    """Swap song-level columns back in the years that :func:`find_swapped` finds, with a warning."""
    swapped = find_swapped(song_level, labels, year)
    repaired = song_level.copy()
    for which, row in swapped[swapped["swapped"]].iterrows():
        ids = repaired.index[year.reindex(repaired.index) == which]
        repaired.loc[ids, DIMENSIONS] = repaired.loc[ids, DIMENSIONS[::-1]].to_numpy()
        note(
            f"song-level labels of {which}: valence and arousal were swapped back in {len(ids)} "
            f"songs (their difference and that of the dynamic labels had r = {row['r']:.2f})"
        )
    return repaired


def find_swapped(song_level: pd.DataFrame, labels: pd.DataFrame, year: pd.Series) -> pd.DataFrame:
    """Measure for each year whether the song-level columns are swapped.

    The difference valence - arousal of the song-level labels is correlated with that of the mean
    dynamic labels. Swapped columns turn the sign of the former, so r is clearly negative: on DEAM,
    for the 744 songs of 2013 and nowhere else (notebook 00). `song_level` has the index song_id and
    the columns valence, arousal; `labels` is a track; `year` holds by song_id the year of the task
    that brought the song. Returns for each year with three songs or more `songs` (with both kinds
    of label), `r`, `p` (two-tailed), `swapped` (r < 0 and p < 0.001).
    """
    dynamic = labels.groupby(level="song_id").mean().reindex(song_level.index)
    sides = {"song_level": song_level, "dynamic": dynamic}
    differences = {name: side["valence"] - side["arousal"] for name, side in sides.items()}
    differences = pd.DataFrame(differences).dropna()
    rows = {}
    for which, group in differences.groupby(year.reindex(differences.index)):
        if len(group) > 2 and (group.nunique() > 1).all():
            r, p = stats.pearsonr(group["song_level"], group["dynamic"])
            rows[which] = {"songs": len(group), "r": r, "p": p, "swapped": r < 0 and p < SURE}
    columns = ["songs", "r", "p", "swapped"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("year")

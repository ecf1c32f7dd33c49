"""Many songs: all cores, a cache that survives a kill, and a list of what failed."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache as once
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pooch
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from mer_core.features.audio import SUFFIXES, as_path, check_file, song_id_of
from mer_core.features.sets import check_settings, extract
from mer_core.files import DataError, DataWarning, written_atomically
from mer_core.tracks import as_track

NOTHING = pd.DataFrame(index=pd.Index([], dtype=float, name="time"))
"""The features of no song."""
DIGEST = 32
"""Bytes at the head of a kept file: the SHA-256 of the Parquet table that follows."""


class Extraction(NamedTuple):
    """Features of many songs, and why some have none."""

    features: pd.DataFrame
    """A track; see :func:`mer_core.features.extract`."""
    failures: pd.Series
    """Index song_id: what was wrong, for each song that is not among the features."""


def extract_all(
    audio: str | os.PathLike | Mapping[int | str, str | os.PathLike] | Iterable[str | os.PathLike],
    sets: Sequence[str] = ("compare",),
    *,
    window: float = 1.0,
    cache: str | os.PathLike | None = None,
    processes: int = -1,
) -> Extraction:
    """Extract the features of many songs, on all cores, and keep them for the next time.

    A song that fails is told at the end; all others are kept. After a kill, the next call
    computes what is missing. Runs on a cluster under `joblib.parallel_config`.

    Parameters
    ----------
    audio : folder, files, or mapping of song_id to file
        A folder is searched for audio files, not deeper; `corpus.songs["audio"].dropna()` is a
        mapping.
    sets : sequence of str
        As for :func:`extract`.
    window : float
        Length of the window in s.
    cache : path, optional
        Where each song's features are kept, under a hash of the audio's bytes, the sets, the
        window and the code and libraries that computed them. The user's cache folder by default.
    processes : int
        At a time; -1 for one per core.

    Returns
    -------
    Extraction
        `features` in the order of the songs, `failures`.

    Raises
    ------
    DataError
        If there is no audio file, or two have the same name.
    ValueError
        If the sets or the window are none for :func:`extract`.

    References
    ----------
    Notebook 01.
    """
    check_settings(sets, window)
    files = _files(audio)
    folder = Path(cache or pooch.os_cache("mer_core")) / "features"
    jobs = (delayed(_kept)(path, tuple(sets), window, folder) for path in files.values())
    done = Parallel(processes, return_as="generator")(jobs)
    results = dict(zip(files, tqdm(done, "features", total=len(files), unit="song")))
    failures = {song_id: why for song_id, why in results.items() if isinstance(why, str)}
    tracks = {k: track for k, track in results.items() if k not in failures}
    features = pd.concat(tracks or {0: NOTHING}, names=["song_id"])
    return Extraction(features, pd.Series(failures, dtype=object).rename_axis("song_id"))


def audio_files(place: str | os.PathLike) -> list[Path]:
    """Audio files of a folder, not deeper, by name; a file stands for itself.

    Raises
    ------
    DataError
        If there is none.
    """
    place = Path(place)
    inside = place.iterdir() if place.is_dir() else [place]
    files = sorted(path for path in inside if path == place or path.suffix.lower() in SUFFIXES)
    if not files:
        raise DataError(place, f"audio files ({', '.join(SUFFIXES)})", "none")
    return files


def save(features: pd.DataFrame, folder: str | os.PathLike, *, format: str = "csv") -> None:
    """Write features as DEAM does, `<song_id>.csv` with semicolons, or as `features.parquet`.

    Parameters
    ----------
    features : DataFrame
        A track.
    folder : path
        Made if it is not there; each file appears whole or not at all.
    format : {"csv", "parquet"}
        Parquet keeps all digits and every song in one file; song ids are text in it if any is.

    Raises
    ------
    ValueError
        If the format is another, two song_ids are the same as text, or one is no name for a CSV
        file, such as "a/b".
    DataError
        If the features are not a track of finite numbers; see :func:`mer_core.tracks.as_track`.
    """
    if format not in ("csv", "parquet"):
        raise ValueError(f"format: expected 'csv' or 'parquet', found {format!r}")
    features = as_track(features, "features", ordered=True)
    _check_names(features.index.unique("song_id").map(str), files=format == "csv")
    if format == "parquet":
        ids = features.index.unique("song_id")
        whole = features if ids.dtype != object else features.rename(index=str, level="song_id")
        with written_atomically(Path(folder) / "features.parquet") as part:
            whole.to_parquet(part)
        return
    for song_id, track in features.groupby(level="song_id"):
        table = track.droplevel("song_id").rename_axis("frameTime")
        with written_atomically(Path(folder) / f"{song_id}.csv") as part:
            table.to_csv(part, sep=";", float_format="%.7g", lineterminator="\n")


def _check_names(names: pd.Index, *, files: bool) -> None:
    taken = ("", ".", "..")
    odd = [name for name in names if files and (name in taken or set(name) & set("/\\\0"))]
    if odd or not names.is_unique:
        found = repr(odd[0]) if odd else f"{names[names.duplicated()][0]!r} twice"
        raise ValueError(f"song_id: expected a file's name for each song, found {found}")


def _files(audio: object) -> dict[int | str, object]:
    if isinstance(audio, pd.Series) and not audio.index.is_unique:
        twice = audio.index[audio.index.duplicated()][0]
        raise DataError("audio", "every song_id once", f"{twice} more than once")
    if isinstance(audio, (Mapping, pd.Series)):
        return dict(audio.items())
    if isinstance(audio, pd.DataFrame) or not isinstance(audio, (str, os.PathLike, Iterable)):
        expected = "a folder, files, or a mapping of song_id to file, such as songs['audio']"
        raise DataError("audio", expected, type(audio).__name__)
    single = isinstance(audio, (str, os.PathLike))
    files: dict[int | str, Path] = {}
    for path in audio_files(audio) if single else map(as_path, audio):
        if song_id_of(path) in files:
            raise DataError(path, "a name of its own for each song", f"{files[song_id_of(path)]}")
        files[song_id_of(path)] = path
    return dict(sorted(files.items(), key=lambda item: (isinstance(item[0], str), item[0])))


def _kept(path: object, sets: tuple[str, ...], window: float, folder: Path) -> pd.DataFrame | str:
    try:
        path = as_path(path)
        check_file(path)
        settings = f"{sets} {window} {_code()}".encode()
        with path.open("rb") as file:
            key = hashlib.file_digest(file, "sha256").hexdigest()
        place = folder / f"{hashlib.sha256(key.encode() + settings).hexdigest()}.kept"
        kept = _read_kept(place)
        if kept is not None:
            return kept
        features = extract(path, sets, window=window).droplevel("song_id")
        with written_atomically(place) as part:
            table = features.to_parquet()
            part.write_bytes(hashlib.sha256(table).digest() + table)
        return features
    except Exception as error:  # whatever it is: one song's fault must not lose the others
        return str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"


def _read_kept(place: Path) -> pd.DataFrame | None:
    if not place.is_file():
        return None
    content = place.read_bytes()
    digest, table = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(table).digest() != digest:
        warnings.warn(f"{place}: damaged, so computed anew", DataWarning, stacklevel=2)
        return None
    return pd.read_parquet(io.BytesIO(table))


@once
def _code() -> str:
    here = Path(__file__).parent
    sources = [path.read_bytes() for path in sorted([*here.glob("*.py"), *here.glob("*.conf")])]
    libraries = [f"{name} {version(name)}" for name in ("opensmile", "librosa", "numpy", "scipy")]
    return hashlib.sha256(b"".join(sources) + " ".join(libraries).encode()).hexdigest()

"""Many songs: all cores, a cache that survives a kill, and a list of failures."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache as once
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow
import pyarrow.parquet
from joblib import Parallel, delayed, effective_n_jobs
from joblib.externals.loky.process_executor import BrokenProcessPool
from tqdm.auto import tqdm

from mer_core.features.audio import SUFFIXES, as_path, check_file, song_id_of
from mer_core.features.librosa_loader import prepare_numba
from mer_core.features.sets import check_settings, extract
from mer_core.files import (
    DataError,
    DataWarning,
    check_output,
    check_writable,
    identities,
    starts_with,
    user_cache,
    written_atomically,
)
from mer_core.tracks import as_track

NOTHING = pd.DataFrame(index=pd.Index([], dtype=float, name="time"))
"""The features of no song."""
DIGEST = 32
"""Bytes at the head of a cached file: the SHA-256 of the Parquet table that follows."""
FOREIGN = {"__MACOSX", "@eaDir", "$RECYCLE.BIN"}
"""Folders in which macOS, Synology and Windows put files of their own beside the user's."""
LIBRARIES = ("av", "librosa", "numpy", "opensmile", "scipy", "soundfile", "soxr")
"""Packages whose versions may change the features."""
REMEDY = "pass `cache=` or set XDG_CACHE_HOME to a folder that can be written"


class Extraction(NamedTuple):
    """Features of many songs, and the reasons why some have none."""

    features: pd.DataFrame
    """A track; see :func:`mer_core.features.extract`."""
    failures: pd.Series
    """Index song_id: the reason, which names the file, for each song without features."""


class _Song(NamedTuple):
    features: pd.DataFrame | None = None
    failure: str = ""
    notes: Sequence[str] = ()
    """Warnings about the audio, without the file's name: the cache knows only its content."""
    trouble: str = ""
    """What is wrong with the cache."""


def extract_all(
    audio: str | os.PathLike | Mapping[int | str, str | os.PathLike] | Iterable[str | os.PathLike],
    sets: Sequence[str] = ("compare",),
    *,
    window: float = 1.0,
    cache: str | os.PathLike | None = None,
    processes: int = -1,
    recursive: bool = False,
) -> Extraction:
    """Extract the features of many songs, on all cores, and keep them for the next time.

    Songs that fail are reported at the end; all others are kept. After a kill, the next call
    computes what is missing. Runs on a cluster under `joblib.parallel_config`.

    Parameters
    ----------
    audio : folder, files, or mapping of song_id to file
        A folder is searched for audio files; see :func:`audio_files`. Files get the ids of
        :func:`mer_core.features.extract`. `corpus.songs["audio"]` is a mapping.
    sets : sequence of str
        As for :func:`extract`.
    window : float
        Length of the window in s.
    cache : path, optional
        Folder where each song's features are kept, under a hash of the audio's bytes, the sets,
        the window, the code and the libraries. The user's cache folder by default. If it can't be
        written, features are returned all the same.
    processes : int
        At a time, at most one per core; -1 for one per core.
    recursive : bool
        Whether subfolders are searched as well.

    Returns
    -------
    Extraction
        `features` in the order of the songs, `failures`. Different files with the same id fail.

    Raises
    ------
    DataError
        If there is no audio file.
    ValueError
        If the sets or the window are none for :func:`extract`, or `processes` is 0 or below -1.
    ChildProcessError
        If a worker process dies, most often for lack of memory. Finished songs are in the cache.

    Warns
    -----
    DataWarning
        What :func:`mer_core.features.read_audio` warns of, once for each song and also if its
        features come from the cache; once, if the cache can't be used.

    References
    ----------
    Notebook 01.
    """
    check_settings(sets, window)
    if processes == 0 or processes < -1:
        raise ValueError(f"processes: expected 1 or more, or -1 for all cores, found {processes}")
    files, failures = _by_id(audio, recursive)
    folder, trouble = _cache_folder(cache)
    compiled = prepare_numba()
    jobs = [delayed(_song)(path, tuple(sets), window, folder) for path in files.values()]
    songs = dict(zip(files, _run(jobs, processes)))
    notes = [f"{files[k]}: {note}" for k, song in songs.items() for note in song.notes]
    troubles = [compiled, trouble, *(song.trouble for song in songs.values())]
    for note in filter(None, [*notes, _joined(troubles)]):
        warnings.warn(note, DataWarning, stacklevel=2)
    failures |= {k: song.failure for k, song in songs.items() if song.failure}
    tracks = {k: song.features for k, song in songs.items() if not song.failure}
    features = pd.concat(tracks or {0: NOTHING}, names=["song_id"])
    reasons = {k: failures[k] for k in sorted(failures, key=_order)}
    return Extraction(features, pd.Series(reasons, dtype=object).rename_axis("song_id"))


def audio_files(place: str | os.PathLike, *, recursive: bool = False) -> list[Path]:
    """Audio files of a folder, by name; a file stands for itself.

    Hidden files and folders, and those that operating systems add (`._song.mp3`, `__MACOSX`), are
    skipped.

    Parameters
    ----------
    place : path
        A folder or a file.
    recursive : bool
        Whether subfolders are searched as well, also through links.

    Raises
    ------
    DataError
        If there is none.

    Warns
    -----
    DataWarning
        If audio files in subfolders are left out, or a subfolder can't be read.
    """
    place = Path(place)
    if not place.is_dir():
        return [place]
    inside = list(_walk(place))
    files = sorted(path for path in inside if recursive or path.parent == place)
    deeper = len(inside) - len(files)
    many = "file" if deeper == 1 else "files"
    hint = f"{deeper} audio {many} in subfolders: add --recursive, or recursive=True"
    if not files:
        found = f"none here but {hint}" if deeper else "none"
        raise DataError(place, f"audio files ({', '.join(SUFFIXES)})", found)
    if deeper:
        warnings.warn(f"{place}: left out {hint}", DataWarning, stacklevel=2)
    return files


def _walk(place: Path) -> Iterator[Path]:
    """Audio files in a folder and all below; each folder once, however links lead to it."""

    def told(error: OSError) -> None:
        message = f"{error.filename}: left out, since it can't be read ({error.strerror})"
        warnings.warn(message, DataWarning, stacklevel=4)

    seen = set()
    for folder, folders, names in os.walk(place, onerror=told, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(k for k in folders if not k.startswith(".") and k not in FOREIGN)
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder) / name


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
    DataError
        If a file exists that does not hold features, or the folder can't be written.
    """
    features = as_track(features, "features", ordered=True)
    ids = features.index.unique("song_id")
    check_save(ids, folder, format=format)
    if format == "parquet":
        text = features.rename(index=str, level="song_id")
        with written_atomically(Path(folder) / "features.parquet") as part:
            (features if ids.dtype != object else text).to_parquet(part)
        return
    for song_id, track in features.groupby(level="song_id"):
        table = track.droplevel("song_id").rename_axis("frameTime")
        with written_atomically(Path(folder) / _file_name(song_id)) as part:
            table.to_csv(part, sep=";", float_format="%.7g", lineterminator="\n")


def check_save(
    song_ids: Iterable[int | str],
    folder: str | os.PathLike,
    *,
    format: str = "csv",
    inputs: Iterable[str | os.PathLike] = (),
) -> None:
    """Raise an error if :func:`save` could not write these songs, or would destroy a file.

    Parameters
    ----------
    song_ids : iterable of int or str
    folder, format
        As for :func:`save`.
    inputs : iterable of path
        Files that must not be overwritten, such as the audio.

    Raises
    ------
    ValueError, DataError
        As :func:`save`; an input counts as a file that does not hold features.
    """
    if format not in ("csv", "parquet"):
        raise ValueError(f"format: expected 'csv' or 'parquet', found {format!r}")
    names = pd.Index([str(song_id) for song_id in song_ids])
    odd = [name for name in names if format == "csv" and not is_file_name(name)]
    if odd or not names.is_unique:
        found = repr(odd[0]) if odd else f"{names[names.duplicated()][0]!r} twice"
        raise ValueError(f"song_id: expected a file's name for each song, found {found}")
    check_writable(folder)
    read = identities(inputs)
    outputs = [_file_name(name) for name in names] if format == "csv" else ["features.parquet"]
    earlier = _is_table if format == "csv" else _is_parquet
    for output in outputs:
        if os.path.lexists(Path(folder) / output):
            check_output(Path(folder) / output, inputs=read, earlier=earlier)


def is_file_name(song_id: int | str) -> bool:
    """Whether a song_id can be the name of a file: "a/b" or ".." would lead elsewhere."""
    return str(song_id) not in ("", ".", "..") and not set(str(song_id)) & set("/\\\0")


def _is_table(path: Path) -> bool:
    return starts_with(path, b"frameTime;", b"frameTime,")


def _is_parquet(path: Path) -> bool:
    try:
        return {"song_id", "time"} <= set(pyarrow.parquet.read_schema(path).names)
    except (OSError, pyarrow.ArrowException):
        return False


def _file_name(song_id: int | str) -> str:
    name = f"{song_id}.csv"
    try:
        os.fsencode(name)
    except UnicodeEncodeError:  # in a locale that has not all letters
        return os.fsdecode(name.encode())
    return name


def _order(song_id: int | str) -> tuple[bool, int | str]:
    return isinstance(song_id, str), song_id


def _by_id(audio: object, recursive: bool) -> tuple[dict[int | str, Path], dict[int | str, str]]:
    """Files by song_id, and a reason for each id that has no file of its own."""
    if isinstance(audio, pd.Series) and not audio.index.is_unique:
        twice = audio.index[audio.index.duplicated()][0]
        raise DataError("audio", "every song_id once", f"{twice} more than once")
    single = isinstance(audio, (str, os.PathLike))
    if isinstance(audio, (Mapping, pd.Series)):
        pairs = list(audio.items())
    elif isinstance(audio, pd.DataFrame) or not (single or isinstance(audio, Iterable)):
        expected = "a folder, files, or a mapping of song_id to file, such as songs['audio']"
        raise DataError("audio", expected, type(audio).__name__)
    else:
        paths = audio_files(audio, recursive=recursive) if single else map(as_path, audio)
        pairs = sorted(((song_id_of(path), path) for path in paths), key=lambda p: _order(p[0]))
    named: dict[int | str, dict[str, Path]] = {}
    for song_id, path in pairs:
        there = named.setdefault(song_id, {})
        if isinstance(path, (str, os.PathLike)):
            there.setdefault(os.path.realpath(path), Path(path))
    failures = {}
    for song_id, there in named.items():
        if not there:
            failures[song_id] = str(DataError(f"song {song_id}", "an audio file", "no path"))
        elif len(there) > 1:
            found = f"{song_id!r} for all of them"
            where = " and ".join(map(str, there.values()))
            failures[song_id] = str(DataError(where, "a name of its own for each song", found))
    files = {k: next(iter(there.values())) for k, there in named.items() if k not in failures}
    return files, failures


def _cache_folder(cache: str | os.PathLike | None) -> tuple[Path | None, str]:
    try:
        place = Path(cache).expanduser() if cache else user_cache("mer_core")
    except (OSError, RuntimeError) as error:
        return None, _not_kept("cache", error)
    return place / "features", ""


def _not_kept(place: object, error: Exception) -> str:
    why = getattr(error, "strerror", None) or str(error)
    return f"{place}: computed features are not kept ({why}); to keep them, {REMEDY}"


def _joined(troubles: Iterable[str], *, most: int = 3) -> str:
    different = list(dict.fromkeys(filter(None, troubles)))
    more = [f"and {len(different) - most} more"] if len(different) > most else []
    return "; ".join(different[:most] + more)


def _run(jobs: list[tuple[Callable, tuple, dict]], processes: int) -> list[_Song]:
    most = effective_n_jobs(-1)
    processes = max(1, min(most if processes == -1 else processes, most, len(jobs)))
    try:
        with _without_interrupts():
            done = Parallel(processes, return_as="generator")(jobs)
        with closing(done):
            return list(tqdm(done, "features", total=len(jobs), unit="song"))
    except BrokenProcessPool:
        remedy = "Finished songs are in the cache: run again, with fewer processes"
        raise ChildProcessError(f"a worker process died, for lack of memory? {remedy}") from None


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Block Ctrl-C in processes that start here; this process hears it and stops them, quietly."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    from multiprocessing import resource_tracker  # not on Windows

    resource_tracker.ensure_running()  # or its start would end the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _song(path: Path, sets: tuple[str, ...], window: float, folder: Path | None) -> _Song:
    """Features of one song, kept or computed. It never raises: other songs must not be lost."""
    try:
        check_file(path)
        place = folder / _key(path, sets, window) if folder else None
        features, trouble = _read_kept(place)
        if features is None:
            features = _extract(path, sets, window)
            trouble = _keep(features, place) or trouble
        notes = features.attrs.pop("notes")
        return _Song(features, notes=notes, trouble=trouble)
    except Exception as error:
        text = str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        return _Song(failure=text if str(path) in text else f"{path}: {text}")


def _extract(path: Path, sets: tuple[str, ...], window: float) -> pd.DataFrame:
    """Features of one song, with the warnings about its audio in `attrs["notes"]`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        features = extract(path, sets, window=window).droplevel("song_id")
    texts, start = [str(warning.message) for warning in caught], f"{path}: "
    features.attrs["notes"] = [k.removeprefix(start) for k in texts if k.startswith(start)]
    for warning, text in zip(caught, texts):
        if not text.startswith(start):
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    return features


def _key(path: Path, sets: tuple[str, ...], window: float) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(f"{content}{sets} {window} {_code()}".encode()).hexdigest() + ".kept"


def _keep(features: pd.DataFrame, place: Path | None) -> str:
    if place is None:
        return ""
    try:
        with written_atomically(place) as part:
            table = features.to_parquet()
            part.write_bytes(hashlib.sha256(table).digest() + table)
    except (OSError, RuntimeError) as error:
        return _not_kept(place.parent, error)
    return ""


def _read_kept(place: Path | None) -> tuple[pd.DataFrame | None, str]:
    """What the cache has of a song, if anything, and what is wrong with it."""
    if place is None:
        return None, ""
    try:
        content = place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except OSError as error:
        return None, f"{place}: can't be read ({error.strerror}), so computed anew"
    digest, table = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(table).digest() == digest:
        return pd.read_parquet(io.BytesIO(table)), ""
    return None, f"{place}: damaged, so computed anew"


@once
def _code() -> str:
    here = Path(__file__).parent
    sources = [path.read_bytes() for path in sorted([*here.glob("*.py"), *here.glob("*.conf")])]
    libraries = [f"{name} {version(name)}" for name in LIBRARIES]
    return hashlib.sha256(b"".join(sources) + " ".join(libraries).encode()).hexdigest()

"""Features of many songs: parallel, with a cache; failed songs are reported at the end."""

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

from mer_core import files
from mer_core.features.audio import SUFFIXES, as_path, check_file, song_id_of
from mer_core.features.librosa_loader import prepare_numba
from mer_core.features.sets import check_settings, extract
from mer_core.files import DataError, DataWarning
from mer_core.tracks import as_track

NO_FEATURES = pd.DataFrame(index=pd.Index([], dtype=float, name="time"))
DIGEST = 32  # Bytes at the start of a cached file: the SHA-256 of the Parquet table that follows
FOREIGN = {"__MACOSX", "@eaDir", "$RECYCLE.BIN"}  # folders of macOS, Synology and Windows
LIBRARIES = ("av", "librosa", "numpy", "opensmile", "scipy", "soundfile", "soxr")


class Extraction(NamedTuple):
    """Features of many songs: a track; and by song_id, why songs failed, with the file's name."""

    features: pd.DataFrame
    failures: pd.Series


class _Song(NamedTuple):
    features: pd.DataFrame | None = None
    failure: str = ""
    notes: Sequence[str] = ()  # warnings about the audio, without the file's name
    cache_problem: str = ""


def extract_all(
    audio: str | os.PathLike | Mapping[int | str, str | os.PathLike] | Iterable[str | os.PathLike],
    sets: Sequence[str] = ("compare",),
    *,
    window: float = 1.0,
    cache: str | os.PathLike | None = None,
    processes: int = -1,
    recursive: bool = False,
) -> Extraction:
    """Extract the features of many songs in parallel, and cache them.

    Failed songs are reported at the end. After a kill, the next call computes only missing songs.
    Runs on a cluster under `joblib.parallel_config`.

    Parameters
    ----------
    audio : folder, files, or mapping of song_id to file
        A folder is searched by :func:`audio_files`. Files get the ids of
        :func:`mer_core.features.extract`. `corpus.songs["audio"]` is a mapping.
    sets, window
        As for :func:`mer_core.features.extract`.
    cache : path, optional
        Folder; the user's cache folder by default. Keys are hashes of the audio, the settings, the
        code and the libraries.
    processes : int
        At most one per core; -1 for one per core.
    recursive : bool
        Whether subfolders are searched as well.

    Returns
    -------
    Extraction
        `features` in the order of the songs, `failures`. Different files with the same id fail.

    Raises
    ------
    DataError, ValueError
        If there is no audio file; if the sets, the window or `processes` are invalid.
    ChildProcessError
        If a worker process dies, most often for lack of memory. Finished songs are in the cache.

    Warns
    -----
    DataWarning
        As :func:`mer_core.features.read_audio`, once for each song, cached or not; once if the
        cache can't be used: features are returned all the same.
    """
    check_settings(sets, window)
    if processes == 0 or processes < -1:
        raise ValueError(f"processes: expected 1 or more, or -1 for all cores, found {processes}")
    paths, failures = _by_id(audio, recursive)
    folder, problem = _cache_folder(cache)
    problems = [prepare_numba(), problem]
    jobs = [delayed(_song)(path, tuple(sets), window, folder) for path in paths.values()]
    songs = dict(zip(paths, _run(jobs, processes)))
    notes = [f"{paths[k]}: {text}" for k, song in songs.items() for text in song.notes]
    problems += [song.cache_problem for song in songs.values()]
    for text in filter(None, [*notes, _summary(problems)]):
        files.note(text)
    failures |= {k: song.failure for k, song in songs.items() if song.failure}
    tracks = {k: song.features for k, song in songs.items() if not song.failure}
    features = pd.concat(tracks or {0: NO_FEATURES}, names=["song_id"])
    reasons = {k: failures[k] for k in sorted(failures, key=_order)}
    return Extraction(features, pd.Series(reasons, dtype=object).rename_axis("song_id"))


def audio_files(place: str | os.PathLike, *, recursive: bool = False) -> list[Path]:
    """Audio files of a folder, sorted; for a file, the file itself. A DataError if there are none.

    Hidden files and folders, and those of operating systems (`__MACOSX`), are skipped. Subfolders
    are searched if `recursive`, also through links. A DataWarning is issued if audio files in
    subfolders are left out, or a subfolder can't be read.
    """
    place = Path(place)
    if not place.is_dir():
        return [place]
    found = sorted(_walk(place))
    paths = found if recursive else [path for path in found if path.parent == place]
    deeper = len(found) - len(paths)
    plural = "s" * (deeper != 1)
    hint = f"{deeper} audio file{plural} in subfolders: add --recursive, or recursive=True"
    if not paths:
        expected = f"audio files ({', '.join(SUFFIXES)})"
        raise DataError(place, expected, f"none here but {hint}" if deeper else "none")
    if deeper:
        files.note(f"{place}: left out {hint}")
    return paths


def _walk(place: Path) -> Iterator[Path]:
    """Audio files in a folder and below; each folder once, even if links lead to it again."""

    def warn(error: OSError) -> None:
        files.note(f"{error.filename}: left out, since it can't be read ({error.strerror})")

    seen = set()
    for folder, folders, names in os.walk(place, onerror=warn, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(k for k in folders if not k.startswith(".") and k not in FOREIGN)
        paths = [Path(folder) / name for name in names if not name.startswith(".")]
        yield from (path for path in paths if path.suffix.lower() in SUFFIXES)


def save(features: pd.DataFrame, folder: str | os.PathLike, *, format: str = "csv") -> None:
    """Write features as DEAM does, `<song_id>.csv` with semicolons, or as `features.parquet`.

    The folder is created if it does not exist; each file is written atomically. Parquet keeps all
    digits and all songs in one file; song ids are text in it if any is.

    Raises
    ------
    ValueError
        If the format is unknown, two song_ids are equal as text, or one is no valid name of a CSV
        file, such as "a/b".
    DataError
        If the features are not a track of finite numbers (:func:`mer_core.tracks.as_track`), a
        file exists that does not hold features, or the folder can't be written.
    """
    features = as_track(features, "features", ordered=True)
    ids = features.index.unique("song_id")
    check_save(ids, folder, format=format)
    if format == "parquet":
        if ids.dtype == object:
            features = features.rename(index=str, level="song_id")
        with files.written_atomically(Path(folder) / "features.parquet") as part:
            features.to_parquet(part)
        return
    for song_id, track in features.groupby(level="song_id"):
        table = track.droplevel("song_id").rename_axis("frameTime")
        with files.written_atomically(Path(folder) / _file_name(song_id)) as part:
            table.to_csv(part, sep=";", float_format="%.7g", lineterminator="\n")


def check_save(
    song_ids: Iterable[int | str],
    folder: str | os.PathLike,
    *,
    format: str = "csv",
    inputs: Iterable[str | os.PathLike] = (),
) -> None:
    """Raise the errors of :func:`save` for these songs before any is extracted.

    `inputs` are files that must not be overwritten, such as the audio.
    """
    if format not in ("csv", "parquet"):
        raise ValueError(f"format: expected 'csv' or 'parquet', found {format!r}")
    names = pd.Index([str(song_id) for song_id in song_ids])
    odd = [name for name in names if format == "csv" and not is_file_name(name)]
    if odd or not names.is_unique:
        found = repr(odd[0]) if odd else f"{names[names.duplicated()][0]!r} twice"
        raise ValueError(f"song_id: expected a file's name for each song, found {found}")
    files.check_writable(folder)
    read, earlier = files.identities(inputs), _is_table if format == "csv" else _is_parquet
    for output in map(_file_name, names) if format == "csv" else ["features.parquet"]:
        if os.path.lexists(Path(folder) / output):
            files.check_output(Path(folder) / output, inputs=read, earlier=earlier)


def is_file_name(song_id: int | str) -> bool:
    """Whether a song_id can be the name of a file; "a/b" or ".." would lead elsewhere."""
    return str(song_id) not in ("", ".", "..") and not set(str(song_id)) & set("/\\\0")


def _is_table(path: Path) -> bool:
    return files.starts_with(path, b"frameTime;", b"frameTime,")


def _is_parquet(path: Path) -> bool:
    try:
        return {"song_id", "time"} <= set(pyarrow.parquet.read_schema(path).names)
    except (OSError, pyarrow.ArrowException):
        return False


def _file_name(song_id: int | str) -> str:
    return os.fsdecode(f"{song_id}.csv".encode(errors="surrogateescape"))  # in any locale


def _order(song_id: int | str) -> tuple[bool, int | str]:
    return isinstance(song_id, str), song_id


def _by_id(audio: object, recursive: bool) -> tuple[dict[int | str, Path], dict[int | str, str]]:
    """Paths by song_id, and a reason for each id without a file of its own."""
    named: dict[int | str, dict[str, Path]] = {}
    for song_id, path in _pairs(audio, recursive):
        same_id = named.setdefault(song_id, {})
        if isinstance(path, (str, os.PathLike)):
            same_id.setdefault(os.path.realpath(path), Path(path))
    paths, failures = {}, {}
    for song_id, same_id in named.items():
        if len(same_id) == 1:
            (paths[song_id],) = same_id.values()
        elif same_id:
            found, where = f"{song_id!r} for all of them", " and ".join(map(str, same_id.values()))
            failures[song_id] = str(DataError(where, "a name of its own for each song", found))
        else:
            failures[song_id] = str(DataError(f"song {song_id}", "an audio file", "no path"))
    return paths, failures


def _pairs(audio: object, recursive: bool) -> list[tuple[int | str, object]]:
    """Song ids and paths, in the order of the results."""
    if isinstance(audio, pd.Series) and not audio.index.is_unique:
        twice = audio.index[audio.index.duplicated()][0]
        raise DataError("audio", "every song_id once", f"{twice} more than once")
    if isinstance(audio, (Mapping, pd.Series)):
        return list(audio.items())
    if isinstance(audio, (str, os.PathLike)):
        audio = audio_files(audio, recursive=recursive)
    if isinstance(audio, pd.DataFrame) or not isinstance(audio, Iterable):
        expected = "a folder, files, or a mapping of song_id to file, such as songs['audio']"
        raise DataError("audio", expected, type(audio).__name__)
    paths = map(as_path, audio)
    return sorted(((song_id_of(path), path) for path in paths), key=lambda pair: _order(pair[0]))


def _cache_folder(cache: str | os.PathLike | None) -> tuple[Path | None, str]:
    try:
        place = Path(cache).expanduser() if cache else files.user_cache("mer_core")
        return place / "features", ""
    except (OSError, RuntimeError) as error:
        return None, _not_cached("cache", error)


def _not_cached(place: object, error: Exception) -> str:
    why = getattr(error, "strerror", None) or str(error)
    remedy = "pass `cache=` or set XDG_CACHE_HOME to a folder that can be written"
    return f"{place}: computed features are not kept ({why}); to keep them, {remedy}"


def _summary(problems: Iterable[str]) -> str:
    different = list(dict.fromkeys(filter(None, problems)))
    more = [f"and {len(different) - 3} more"] if len(different) > 3 else []
    return "; ".join(different[:3] + more)


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
    """Block Ctrl-C in the processes that start here; this process receives it and stops them."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    from multiprocessing import resource_tracker  # not on Windows

    resource_tracker.ensure_running()  # its start would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _song(path: Path, sets: tuple[str, ...], window: float, folder: Path | None) -> _Song:
    """Features of one song, cached or computed. It never raises: other songs must not be lost."""
    try:
        check_file(path)
        place = folder / _key(path, sets, window) if folder else None
        features, problem = _read_cached(place) if place else (None, "")
        if features is None:
            features = _extract(path, sets, window)
            problem = (_write_cached(features, place) if place else "") or problem
        return _Song(features, notes=features.attrs.pop("notes"), cache_problem=problem)
    except Exception as error:
        text = str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        return _Song(failure=text if str(path) in text else f"{path}: {text}")


def _extract(path: Path, sets: tuple[str, ...], window: float) -> pd.DataFrame:
    """Features of one song, with the warnings about its audio in `attrs["notes"]`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        features = extract(path, sets, window=window).droplevel("song_id")
    notes, start = [], f"{path}: "
    for each in caught:
        text = str(each.message)
        if text.startswith(start):
            notes.append(text.removeprefix(start))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    features.attrs["notes"] = notes
    return features


def _key(path: Path, sets: tuple[str, ...], window: float) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(f"{content}{sets} {window} {_code()}".encode()).hexdigest() + ".kept"


def _write_cached(features: pd.DataFrame, place: Path) -> str:
    """Write an entry of the cache; returns the problem, if any."""
    try:
        with files.written_atomically(place) as part:
            table = features.to_parquet()
            part.write_bytes(hashlib.sha256(table).digest() + table)
    except (OSError, RuntimeError) as error:
        return _not_cached(place.parent, error)
    return ""


def _read_cached(place: Path) -> tuple[pd.DataFrame | None, str]:
    """An entry of the cache, if there is one, and the problem, if any."""
    try:
        content = place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except OSError as error:
        return None, f"{place}: can't be read ({error.strerror}), so computed anew"
    digest, table = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(table).digest() != digest:
        return None, f"{place}: damaged, so computed anew"
    return pd.read_parquet(io.BytesIO(table)), ""


@once
def _code() -> str:
    here = Path(__file__).parent
    sources = [path.read_bytes() for path in sorted([*here.glob("*.py"), *here.glob("*.conf")])]
    libraries = [f"{name} {version(name)}" for name in LIBRARIES]
    return hashlib.sha256(b"".join(sources) + " ".join(libraries).encode()).hexdigest()

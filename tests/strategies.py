"""What a stranger can throw at the readers, as hypothesis strategies, and the readers themselves.

Most inputs are sound files with a few faults, since pure noise never gets past the first check.
"""

import gzip
import io
import json
import signal
import stat
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import av
import librosa.core.audio  # noqa: F401 - here, so that what its import warns of is none of ours
import numpy as np
import pandas as pd
import soundfile
from hypothesis import strategies as st

from mer_core import load_corpus, models
from mer_core.corpus import SONG_COLUMNS, Corpus
from mer_core.datasets.deam import unpack
from mer_core.datasets.deam.annotations import read_curves, read_ratings, read_song_level
from mer_core.datasets.deam.feature_files import read_features
from mer_core.datasets.deam.fetch import _checksums
from mer_core.datasets.deam.metadata import read_metadata
from mer_core.datasets.deam.read import development_2015
from mer_core.features import read_audio
from mer_core.features.audio import duration
from mer_core.files import DataError, DataWarning, read_table
from mer_core.metrics import score
from mer_core.models import saved
from mer_core.models.pretrained import WEIGHTS
from mer_core.smoothing import moving_average
from test_datasets import make_emomusic, make_own, make_pmemo
from test_vgmidi import make_vgmidi
from workbook import results

CELLS = [
    *("", " ", "nan", "NaN", "inf", "-inf", "1e999", "1e-999", "-0", "+0.5", " 0.5 ", "0,5", ".5."),
    *("loud", '"', '"a', '0"5', "'", "0x1f", "1_000", "１", "½", "∞", "None", "TRUE", "2020-01-01"),
    *("9" * 30, "-" + "9" * 400, "1e5", "1;2", "\t", "=1+1", "\x00", "\ufeff", "\u2028", "a\rb"),
    *("song_id", "sample_15000ms", "💥", "3", "-1", "2.5", "0.1", "NA", "null", "()", "\x1a"),
]
NAMES = [
    *("../escape", "/tmp/escape", "..\\escape", "C:/escape", "//host/share", "metadata/../../x"),
    *("metadata/a.csv", "metadata/", "metadata", "", ".", "./metadata/b.csv", "metadata//c.csv"),
    *("metadata/a.csv/b.csv", "x/metadata/a.csv", "a\x00b", "metadata/" + "n" * 300, "con", "a:b"),
    *("metadata/é.csv", "metadata/ .csv", "__MACOSX/metadata/._a", "~/x", "metadata/\n"),
]


class Refused(NamedTuple):
    """What a reader said instead of reading."""

    message: str


class Reader(NamedTuple):
    """Something that reads what others wrote."""

    inputs: st.SearchStrategy
    read: Callable[[Path, object], object]
    """With an empty folder to work in, and the input."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise a TimeoutError in what takes longer."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"expected an end within {seconds} s, found none")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome(reader: Reader, folder: Path, given: object) -> object:
    """What comes of an input: a result, or words in three parts; anything else is raised."""
    with warnings.catch_warnings(), within(20):
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataWarning)
        try:
            return reader.read(folder, given)
        except ValueError as error:
            if not _has_three_parts(error):
                raise
            return Refused(str(error))


def _has_three_parts(error: ValueError) -> bool:
    if isinstance(error, DataError):
        return len(error.args) == 3 and all(str(part).strip() for part in error.args)
    return type(error) is ValueError and "expected" in str(error) and "found" in str(error)


# Bytes with faults


@st.composite
def spoiled(draw: st.DrawFn, content: bytes, most: int = 3) -> bytes:
    """Bytes with up to so many faults: turned, lost, doubled, strange."""
    for _ in range(draw(st.integers(0, most))):
        at, length = draw(st.integers(0, len(content))), draw(st.integers(1, 40))
        kind = draw(st.sampled_from(["turn", "lose", "double", "put", "zero", "cut"]))
        before, part, after = content[:at], content[at : at + length], content[at + length :]
        content = {
            "turn": lambda b, p, a: b + bytes(255 - byte for byte in p) + a,
            "lose": lambda b, p, a: b + a,
            "double": lambda b, p, a: b + p + p + a,
            "put": lambda b, p, a: b + draw(st.binary(max_size=8)) + p + a,
            "zero": lambda b, p, a: b + bytes(len(p)) + a,
            "cut": lambda b, p, a: b,
        }[kind](before, part, after)
    return content


@st.composite
def tables(draw: st.DrawFn, rows: list[list[str]], separator: str = ",") -> bytes:
    """A CSV file made of these cells, with some of them changed, and faults of form."""
    rows = [list(row) for row in rows]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, max(0, len(rows[row]) - 1)))
        kind = draw(st.sampled_from(["cell", "cell", "drop", "add", "row", "lose", "column"]))
        if kind == "cell" and rows[row]:
            rows[row][column] = draw(st.sampled_from(CELLS) | st.text(max_size=5))
        elif kind == "drop":
            del rows[row][column:]
        elif kind == "add":
            rows[row].insert(column, draw(st.sampled_from(CELLS)))
        elif kind == "row":
            rows.insert(row, list(rows[draw(st.integers(0, len(rows) - 1))]))
        elif kind == "lose" and len(rows) > 1:
            del rows[row]
        elif kind == "column":
            for cells in rows:
                cells.append(cells[column] if column < len(cells) else "0")
    separator = draw(st.sampled_from([separator] * 6 + [";", "\t", ",", " "]))
    end = draw(st.sampled_from(["\n"] * 6 + ["\r\n", "\r", "\n\n"]))
    text = end.join(separator.join(row) for row in rows) + draw(st.sampled_from([end, ""]))
    coding = draw(st.sampled_from(["utf-8"] * 8 + ["utf-8-sig", "utf-16", "latin-1"]))
    content = text.encode(coding, "replace")
    return draw(spoiled(content, most=1)) if draw(st.integers(0, 5)) == 0 else content


def any_table(rows: list[list[str]], separator: str = ",") -> st.SearchStrategy[bytes]:
    """Mostly nearly sound; now and then anything."""
    nearly = tables(rows, separator)
    return st.one_of(
        nearly, nearly, nearly, st.binary(max_size=60), st.text(max_size=60).map(str.encode)
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


@st.composite
def changed(draw: st.DrawFn, value: object) -> object:
    """A value of JSON of which one part is another one, is lost, or has another name."""
    if not isinstance(value, (dict, list)) or not value or draw(st.integers(0, 7)) == 0:
        return draw(JSON | st.sampled_from(CELLS) | st.sampled_from(NAMES))
    rest = dict(value.items() if isinstance(value, dict) else enumerate(value))
    key = draw(st.sampled_from(list(rest)))
    part, kind = rest.pop(key), draw(st.integers(0, 5))
    name = draw(st.text(max_size=5)) if kind == 0 else key
    rest |= {} if kind == 1 else {name: draw(changed(part))}
    return rest if isinstance(value, dict) else list(rest.values())


def any_json(content: bytes) -> st.SearchStrategy[bytes]:
    """A file of JSON with up to two changes, or other faults."""
    value = st.just(json.loads(content))
    values = st.one_of(value, value.flatmap(changed), value.flatmap(changed).flatmap(changed))
    nearly = values.map(lambda value: json.dumps(value).encode())
    return st.one_of(nearly, nearly, nearly, spoiled(content), st.binary(max_size=60))


CURVES = [["song_id", *(f"sample_{15000 + 500 * k}ms" for k in range(4))]] + [
    [str(song), *(f"{0.1 * k - 0.2:.2f}" for k in range(4))] for song in (2, 3, 1001)
]
RATERS = [["WorkerId", *CURVES[0][1:]]] + [[name, *row[1:]] for name, row in zip("abc", CURVES[1:])]
MEANS = [["song_id", " valence_mean", " arousal_mean"], ["2", "5.1", "4.0"], ["3", "1.0", "9.0"]]
FEATURES = [["frameTime", "F0final_sma_amean", "pcm_zcr_sma_stddev"]] + [
    [f"{0.5 * k:g}", f"{k / 7:.6f}", f"{-k / 3:.6f}"] for k in range(5)
]
METADATA = [
    ["song_id", "artist", "album", "title", "Genre", ""],
    ["2001", "Tree", "n/a", "Old, Wood", "Rock", "indie"],
    ["2002", "No", " Really", "n/a", "folk", ""],
    ["2003", "\tManuzik", "n/a", "Habanera", "", ""],
]
CHOSEN = [["song_id", "certain"], ["2", "True"], ["3", "False"], ["1001", "True"]]


def put(folder: Path, name: str, content: bytes) -> Path:
    """A file with this content."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def of_table(folder: Path, content: bytes) -> pd.DataFrame:
    table = read_table(put(folder, "t.csv", content), index="song_id")
    assert table.index.is_unique
    assert table.index.dtype == int
    assert all(kind.kind in "biufc" for kind in table.dtypes), table.dtypes
    return table


def of_curves(folder: Path, content: bytes) -> pd.Series:
    curves = read_curves(put(folder, "valence.csv", content))
    assert curves.between(-1, 1).all()
    assert (curves.index.get_level_values("time") % 0.5 == 0).all()
    return curves


def of_raters(folder: Path, content: bytes) -> pd.DataFrame | None:
    for name in ("valence", "arousal"):
        place = f"annotations per each rater/dynamic (per second annotations)/{name}/3.csv"
        put(folder, place, content)
    ratings = read_ratings(folder)
    assert ratings.abs().max(axis=None) <= 1
    return ratings


def of_song_level(folder: Path, content: bytes) -> pd.DataFrame:
    put(folder, "annotations averaged per song/song_level/static.csv", content)
    means = read_song_level(folder)
    assert means.abs().max(axis=None) <= 1
    return means


def of_features(folder: Path, content: tuple[bytes, str]) -> pd.DataFrame:
    content, suffix = content
    put(folder, f"3{suffix}", content)
    features = read_features(folder, [3])
    assert np.isfinite(features.to_numpy()).all()
    return features


def of_metadata(folder: Path, content: bytes) -> pd.DataFrame:
    put(folder, "metadata_2015.csv", content)
    songs = read_metadata(folder)
    assert songs.index.is_unique
    assert list(songs) == ["title", "artist", "genre", "year"]
    return songs


def of_development_list(folder: Path, content: bytes) -> pd.DataFrame:
    put(folder, "mediaeval2015_development_ids.csv", content)
    return development_2015(folder)


@st.composite
def packed_files(draw: st.DrawFn) -> tuple[bytes, str]:
    content = draw(any_table(FEATURES, ";"))
    kind = draw(st.sampled_from([".csv", ".csv", ".csv.gz"]))
    return (draw(spoiled(gzip.compress(content), most=1)) if kind != ".csv" else content), kind


# Folders of the other data sets


@cache
def sound_files(make: Callable[[Path], None]) -> dict[str, bytes]:
    """What a function of the tests writes into a folder."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        make(folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def make_task(folder: Path) -> None:
    for name in ("valence", "arousal"):
        put(folder, f"{name}.csv", "\n".join(map(",".join, CURVES)).encode())


def with_faults(name: str, content: bytes) -> st.SearchStrategy[bytes | None]:
    """A file with faults of its kind; now and then there is none."""
    kind = Path(name).suffix
    if kind == ".csv":
        strategy = any_table([line.split(",") for line in content.decode().splitlines()])
    else:
        strategy = any_json(content) if kind == ".json" else spoiled(content)
    return st.one_of(strategy, strategy, strategy, st.none())


@st.composite
def folders(draw: st.DrawFn, make: Callable[[Path], None]) -> dict[str, bytes | None]:
    """The files of a data set; up to two have faults or are missing."""
    files = sound_files(make)
    bad = draw(st.lists(st.sampled_from(sorted(files)), max_size=2, unique=True))
    return files | {name: draw(with_faults(name, files[name])) for name in bad}


def put_all(folder: Path, files: dict[str, bytes | None]) -> Path:
    for name, content in files.items():
        if content is not None:
            put(folder / "data", name, content)
    return folder / "data"


def of_folder(folder: Path, files: dict[str, bytes | None]) -> Corpus:
    corpus = load_corpus(put_all(folder, files))
    assert not corpus.labels.abs().gt(1).any(axis=None)
    assert corpus.labels.notna().all(axis=None)
    assert corpus.songs.index.is_unique
    return corpus


def make_table(folder: Path) -> None:
    index = pd.MultiIndex.from_product([["a", "b"], [0, 1]], names=["system", "seed"])
    table = pd.DataFrame({"rmse": [0.1, 0.2, 0.3, 0.25]}, index)
    kinds = {"t.csv": results._kinds(table), "u.parquet": results._kinds(table)}
    for name in kinds:
        results._write(folder / name, table)
    put(folder, "t.json", json.dumps({"tables": kinds}).encode())


def of_results(folder: Path, files: dict[str, bytes | None]) -> list[pd.DataFrame]:
    found = [results.table(name, folder=put_all(folder, files)) for name in ("t", "u")]
    assert all(isinstance(table, pd.DataFrame) for table in found)
    return found


# Archives


COMPRESSIONS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """Zip archives with names that lead elsewhere, links, sizes that lie, and faults."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")  # of names that stand twice
        for _ in range(draw(st.integers(0, 4))):
            sound = st.sampled_from(["metadata/a.csv", "DEAM/metadata/b.csv", "metadata/c/d.csv"])
            name = draw(st.one_of(sound, sound, sound, st.sampled_from(NAMES), st.text(max_size=6)))
            info = zipfile.ZipInfo(name)
            info.compress_type = draw(st.sampled_from(COMPRESSIONS))
            mode = draw(st.sampled_from([stat.S_IFREG] * 5 + [stat.S_IFLNK, stat.S_IFDIR, 0o7777]))
            info.external_attr = (mode | 0o644) << 16
            archive.writestr(info, draw(st.binary(max_size=30)) * draw(st.sampled_from([1, 500])))
    content = buffer.getvalue()
    return draw(st.one_of(st.just(content), spoiled(content, most=2)))


def of_archive(folder: Path, content: bytes) -> Path:
    inner = folder / "inner"
    path = put(inner, "metadata.zip", content)
    try:
        unpack(path, inner, "metadata")
        assert (inner / "metadata").is_dir()
    finally:
        outside = {entry.name for entry in folder.iterdir()} - {"inner"}
        beside = {entry.name for entry in inner.iterdir()} - {"metadata.zip", "metadata"}
        assert not outside | beside, f"nothing elsewhere, found {outside | beside}"
        assert not any(entry.is_symlink() for entry in inner.rglob("*")), "a link"
    return inner


# Audio


@cache
def recordings() -> dict[str, bytes]:
    """A tenth of a second, or half of one, in each format."""
    rng = np.random.default_rng(0)
    kinds = {".wav": "PCM_16", ".flac": "PCM_16", ".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}
    files = {}
    for suffix, subtype in kinds.items():
        for rate, channels in ((44_100, 2), (8_000, 1)):
            samples = rng.uniform(-0.5, 0.5, (rate // 5, channels))
            buffer = io.BytesIO()
            options = {"format": suffix[1:].upper(), "subtype": subtype}
            soundfile.write(buffer, samples, rate, **options)
            files[f"{rate}{suffix}"] = buffer.getvalue()
    for subtype in ("FLOAT", "DOUBLE", "PCM_U8", "ULAW", "IMA_ADPCM"):
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 44_100, format="WAV", subtype=subtype)
        files[f"{subtype}.wav"] = buffer.getvalue()
    return files


@cache
def containers() -> dict[str, bytes]:
    """Half a second in formats that FFmpeg writes, and chained Ogg streams."""
    kinds = {".m4a": ("mp4", "aac"), ".wma": ("asf", "wmav2"), ".mka": ("matroska", "aac")}
    kinds |= {".aac": ("adts", "aac"), ".opus": ("ogg", "libopus")}
    files = {f"one{suffix}": encoded(*kind) for suffix, kind in kinds.items()}
    chain = [recordings()[f"{rate}.ogg"] for rate in (44_100, 8_000)]
    return files | {"chained.ogg": b"".join(chain), "chained.opus": 2 * files["one.opus"]}


def encoded(form: str, codec: str) -> bytes:
    buffer, rate = io.BytesIO(), 48_000
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, rate // 2)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(noise, format="flt", layout="mono")
    frame.rate = rate
    with av.open(buffer, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono", bit_rate=64_000)
        for frames in (frame, None):
            container.mux(stream.encode(frames))
    return buffer.getvalue()


@st.composite
def audio_files(
    draw: st.DrawFn, files: Callable[[], dict[str, bytes]] = recordings
) -> tuple[str, bytes]:
    name = draw(st.sampled_from(sorted(files())))
    content = files()[name]
    if draw(st.booleans()):  # faults in the head reach farther
        head = draw(st.integers(8, 120))
        content = draw(spoiled(content[:head], most=2)) + content[head:]
    if name.endswith("wav") and draw(st.booleans()):
        at = draw(st.sampled_from([4, 16, 20, 22, 24, 28, 32, 34, 40]))
        number = draw(st.sampled_from([0, 1, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1]))
        content = content[:at] + struct.pack("<I", number) + content[at + 4 :]
    content = draw(st.one_of(st.just(content), spoiled(content), st.binary(max_size=200)))
    return draw(st.sampled_from([Path(name).suffix] * 5 + [".wav", ".mp3"])), content


def of_audio(folder: Path, given: tuple[str, bytes]) -> np.ndarray:
    path = put(folder, f"song{given[0]}", given[1])
    with suppress(DataError):
        assert duration(path) >= 0
    samples = read_audio(path)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert np.isfinite(samples).all()
    return samples


KINDS = ["f4", "f8", "i2", "u1", "i4", "i8", "f2", "c8", "?", "O", "U1", "M8[s]"]
RATES = [44_100, 8_000, 22_050.0, 48_000, 1, 0, -1, 0.5, np.nan, np.inf, 10**9, None, "44100", True]


@st.composite
def arrays(draw: st.DrawFn) -> tuple[np.ndarray, object]:
    shape = draw(
        st.sampled_from([(0,), (1,), (3000,), (9000, 2), (2, 9000), (2, 2, 2), (9000, 0), ()])
    )
    values = np.random.default_rng(draw(st.integers(0, 9))).uniform(-1, 1, shape)
    values = values * draw(st.sampled_from([0.0, 1.0, 1.0, 1e-30, 30_000.0, 1e38, 1e300]))
    if values.size and draw(st.integers(0, 4)) == 0:
        values.flat[values.size // 2] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        kind = draw(st.sampled_from(KINDS))
        whole = np.nan_to_num(values) if np.dtype(kind).kind in "iuM" else values
        values = whole.astype("i8").astype(kind) if kind == "M8[s]" else whole.astype(kind)
    return values, draw(st.sampled_from(RATES[:4] * 3 + RATES))


def of_array(folder: Path, given: tuple[np.ndarray, object]) -> np.ndarray:
    samples = read_audio(given)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    return samples


# Files of our own that others may have touched


@cache
def model_file() -> bytes:
    corpus = load_corpus("mini").split("test")
    model = models.Linear().fit(corpus.features.iloc[:, :4], corpus.labels)
    return _written(lambda path: models.save(model, path))


def _written(write: Callable[[Path], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


@st.composite
def weights(draw: st.DrawFn) -> bytes:
    """The model in the package with faults; half of them have the right checksum."""
    content = WEIGHTS.read_bytes()
    if draw(st.booleans()):
        return draw(spoiled(content))
    from safetensors.numpy import save

    head, arrays = saved._content(WEIGHTS)
    model = draw(changed(json.loads(head["model"])))
    head["model"] = json.dumps(model)
    head["sha256"] = saved._digest(head["model"], arrays)
    return save(arrays, {saved.HEAD: json.dumps(head)})


def of_model(folder: Path, content: bytes) -> object:
    return models.load(put(folder, "m.safetensors", content))


def of_checksums(folder: Path, content: bytes) -> dict:
    put(folder, "checksums.json", content)
    known = _checksums(folder)
    assert isinstance(known, dict)
    return known


# Frames


@st.composite
def tracks(draw: st.DrawFn) -> pd.DataFrame:
    """Tracks of one to four songs, with faults of index, columns and cells."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    lengths = draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    parts = {k: np.arange(length) * 0.5 for k, length in enumerate(lengths, 1)}
    index = [(song, time) for song, times in parts.items() for time in times]
    index = pd.MultiIndex.from_tuples(index, names=["song_id", "time"])
    frame = pd.DataFrame(rng.uniform(-1, 1, (len(index), 2)), index, ["valence", "arousal"])
    if draw(st.integers(0, 3)) == 0:
        frame = frame.round(draw(st.sampled_from([0, 1]))) + 0.0
    fault = draw(st.sampled_from(["none"] * 4 + sorted(FAULTS)))
    return FAULTS.get(fault, lambda f, r: f)(frame, rng)


FAULTS: dict[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]] = {
    "a cell of NaN": lambda f, r: f.mask(r.random(f.shape) < 0.1),
    "infinite": lambda f, r: f.mask(r.random(f.shape) < 0.1, np.inf),
    "huge": lambda f, r: f * 1e50,
    "constant": lambda f, r: f * 0 + 0.25,
    "no rows": lambda f, r: f.iloc[:0],
    "repeated rows": lambda f, r: pd.concat([f, f.iloc[:1]]),
    "another order": lambda f, r: f.sample(frac=1, random_state=0),
    "a column missing": lambda f, r: f[["arousal"]],
    "columns turned": lambda f, r: f[["arousal", "valence"]],
    "a column more": lambda f, r: f.assign(mean=0.0),
    "off the grid": lambda f, r: f.set_axis(f.index.set_levels(f.index.levels[1] + 0.1, level=1)),
    "single precision": lambda f, r: f.astype("float32"),
    "songs with names": lambda f, r: f.rename(index=str, level="song_id"),
}


def of_score(folder: Path, given: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    labels, predictions = given
    table = score(labels, predictions)
    assert (table["rmse"].dropna() >= 0).all()
    r = table["pearson"].drop(index="sd", level="aggregation").dropna()
    assert r.abs().le(1 + 1e-9).all(), table
    return table


def of_smoothing(folder: Path, given: tuple[pd.DataFrame, int]) -> pd.DataFrame:
    track, window = given
    smooth = moving_average(track, window)
    assert smooth.index.equals(track.index)
    finite = np.isfinite(track).all(axis=None)
    assert not finite or (smooth - track.max()).le(1e-9 * track.abs().max()).all(axis=None)
    return smooth


def of_corpus(folder: Path, given: tuple[pd.DataFrame, pd.DataFrame]) -> Corpus:
    labels, features = given
    songs = pd.DataFrame(index=pd.RangeIndex(1, 5, name="song_id"), columns=SONG_COLUMNS)
    songs[["valence", "arousal"]] = 0.0
    corpus = Corpus(songs, labels, features)
    corpus.validate()
    return corpus


def of_fit(folder: Path, given: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    labels, features = of_corpus(folder, given).labels, given[1]
    predictions = models.ElmanRNN(hidden=(2,), epochs=1).fit(features, labels).predict(features)
    assert predictions.index.equals(features.index)
    return predictions


PAIRS = st.tuples(tracks(), tracks()).flatmap(
    lambda pair: st.sampled_from([pair, (pair[0], pair[0] / 2), (pair[0].iloc[1:], pair[0])])
)

READERS: dict[str, Reader] = {
    "tables": Reader(any_table(CURVES), of_table),
    "curves": Reader(any_table(CURVES), of_curves),
    "ratings": Reader(any_table(RATERS), of_raters),
    "song-level labels": Reader(any_table(MEANS), of_song_level),
    "features": Reader(packed_files(), of_features),
    "metadata": Reader(any_table(METADATA), of_metadata),
    "development list": Reader(any_table(CHOSEN), of_development_list),
    "VGMIDI": Reader(folders(make_vgmidi), of_folder),
    "PMEmo": Reader(folders(make_pmemo), of_folder),
    "emoMusic": Reader(folders(make_emomusic), of_folder),
    "labels of the task": Reader(folders(make_task), of_folder),
    "a folder of one's own": Reader(folders(make_own), of_folder),
    "archives": Reader(archives(), of_archive),
    "audio files": Reader(audio_files(), of_audio),
    "containers": Reader(audio_files(containers), of_audio),
    "audio arrays": Reader(arrays(), of_array),
    "model files": Reader(st.deferred(lambda: spoiled(model_file())), of_model),
    "the package's model": Reader(weights(), of_model),
    "results tables": Reader(folders(make_table), of_results),
    "checksums": Reader(
        JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20), of_checksums
    ),
    "scores": Reader(PAIRS, of_score),
    "smoothing": Reader(st.tuples(tracks(), st.sampled_from([1, 3, 13, 2, 0, -1])), of_smoothing),
    "corpora": Reader(PAIRS, of_corpus),
    "training": Reader(PAIRS, of_fit),
}

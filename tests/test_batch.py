"""Many songs: the cache, a kill, failures, all cores."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import ROOT
from mer_core.__main__ import main
from mer_core.datasets.deam.feature_files import read_features
from mer_core.features import audio_files, batch, extract, extract_all, save
from mer_core.features.audio import SUFFIXES, song_id_of
from mer_core.files import DataError, DataWarning

RATE = 44_100


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, RATE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Four short songs, one file that is none, and one that is no audio at all."""
    place = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    for name in ("10.wav", "9.flac", "my song.ogg", "3.wav"):
        soundfile.write(place / name, rng.normal(0, 0.1, RATE), RATE)
    (place / "5.mp3").write_text("no music " * 100)
    (place / "notes.txt").write_text("nothing")
    return place


@pytest.fixture(scope="module")
def extraction(folder, tmp_path_factory):
    return extract_all(folder, cache=tmp_path_factory.mktemp("cache"), processes=1)


def kept_in(cache: Path) -> dict[Path, int]:
    """The entries of a cache, and when they were written."""
    return {path: path.stat().st_mtime_ns for path in cache.rglob("[!.]*.kept")}


def test_every_song_has_features_or_a_failure(extraction, folder):
    features, failures = extraction
    assert features.index.unique("song_id").tolist() == [3, 9, 10, "my song"]
    assert list(failures.index) == [5]
    assert "5.mp3: expected audio" in failures[5]
    alone = extract(folder / "9.flac")
    pd.testing.assert_frame_equal(features.loc[[9]], alone, check_index_type=False)


def test_two_processes_give_the_same(extraction, folder, tmp_path):
    again = extract_all(folder, cache=tmp_path, processes=2)
    pd.testing.assert_frame_equal(extraction.features, again.features)
    pd.testing.assert_series_equal(extraction.failures, again.failures)


def test_cached_songs_are_not_computed_again(folder, tmp_path, monkeypatch):
    first = extract_all(folder, cache=tmp_path, processes=1)
    kept = kept_in(tmp_path)
    assert len(kept) == 4
    computed = []
    monkeypatch.setattr(batch, "extract", lambda path, *_, **__: computed.append(path.name))
    again = extract_all(folder, cache=tmp_path, processes=1)
    assert computed == ["5.mp3"]
    pd.testing.assert_frame_equal(first.features, again.features)
    assert kept_in(tmp_path) == kept


def test_other_audio_and_other_settings_are_computed_anew(tmp_path):
    song, cache = tmp_path / "1.wav", tmp_path / "cache"
    for seed, entries in ((0, 1), (1, 2), (0, 2)):
        soundfile.write(song, noise(seed), RATE)
        extract_all([song], cache=cache, processes=1)
        assert len(kept_in(cache)) == entries
    extract_all([song], cache=cache, window=0.5, processes=1)
    assert len(kept_in(cache)) == 3


def test_only_failures(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "1.wav").write_text("")
    features, failures = extract_all(tmp_path, processes=1)
    assert features.empty
    assert features.index.names == ["song_id", "time"]
    assert list(failures.index) == [1]
    command = ["extract", str(tmp_path / "1.wav"), "--out", str(tmp_path / "out")]
    assert main([*command, "--format", "parquet", "--processes", "1"]) == 1
    assert "failed: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*command, "--window", "0"]) == 1
    assert "window: expected 0.01 s" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["empty", "cut", "page", "footer", "no table", "unreadable"])
def test_a_damaged_cache_entry_is_reported_and_computed_anew(folder, tmp_path, damage, monkeypatch):
    song, read = [folder / "3.wav"], Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.suffix == ".kept":
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path)

    first = extract_all(song, cache=tmp_path, processes=1)
    (kept,) = kept_in(tmp_path)
    content = bytearray(kept.read_bytes())
    spoiled = {"empty": b"", "cut": content[:999], "no table": b"la la"}
    content[-100 if damage == "footer" else 100] ^= 1
    if damage == "unreadable":
        monkeypatch.setattr(Path, "read_bytes", refuse)
    else:
        kept.write_bytes(spoiled.get(damage, content))
    found = r"can't be read \(Permission denied\)" if damage == "unreadable" else "damaged"
    with pytest.warns(DataWarning, match=rf"\.kept: {found}, so computed anew"):
        again = extract_all(song, cache=tmp_path, processes=1)
    pd.testing.assert_frame_equal(first.features, again.features)
    assert again.failures.empty
    monkeypatch.undo()
    again = extract_all(song, cache=tmp_path, processes=1)
    pd.testing.assert_frame_equal(first.features, again.features)


def a_file(place: Path) -> Path:
    place.write_text("")
    return place


def a_folder_in_a_files_place(place: Path) -> Path:
    extract_all([place.parent / "1.wav"], cache=place, processes=1)
    for kept in kept_in(place):
        kept.unlink()
        kept.mkdir()
    return place


UNUSABLE = {
    "a file": a_file,
    "below a file": lambda place: a_file(place) / "deeper",
    "a folder in a file's place": a_folder_in_a_files_place,
    "a device": lambda _: Path("/dev/null"),
}


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unusable_cache_costs_one_warning_that_names_the_remedy(tmp_path, kind, processes):
    for number in (1, 2):
        soundfile.write(tmp_path / f"{number}.wav", noise(number), RATE)
    cache = UNUSABLE[kind](tmp_path / "cache")
    with pytest.warns(DataWarning) as told:
        features, failures = extract_all(tmp_path, cache=cache, processes=processes)
    assert failures.empty
    assert features.index.unique("song_id").tolist() == [1, 2]
    assert len(told) == 1
    assert "not kept" in str(told[0].message)
    assert "pass `cache=` or set XDG_CACHE_HOME" in str(told[0].message)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_disk_that_takes_nothing_costs_one_warning(folder, tmp_path, monkeypatch, error):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.warns(DataWarning, match=os.strerror(error)) as told:
        features, failures = extract_all(folder, cache=tmp_path / "cache", processes=1)
    assert len(told) == 1
    assert features.index.unique("song_id").size == 4
    assert list(failures.index) == [5]


def test_a_cache_that_is_deleted_meanwhile_is_made_again(folder, tmp_path):
    cache = tmp_path / "cache"
    first = extract_all([folder / "3.wav"], cache=cache, processes=1)
    shutil.rmtree(cache)
    again = extract_all([folder / "3.wav"], cache=cache, processes=1)
    pd.testing.assert_frame_equal(first.features, again.features)
    assert len(kept_in(cache)) == 1


def test_a_user_without_a_home_folder_gets_features_and_one_warning(folder, tmp_path, monkeypatch):
    """Neither HOME nor an entry in the password file, as in many containers."""

    def none(_: object) -> None:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", none)
    monkeypatch.chdir(tmp_path)
    with pytest.warns(DataWarning, match="no home folder") as told:
        features, _ = extract_all([folder / "3.wav"], processes=1)
    assert len(told) == 1
    assert not features.empty
    assert list(tmp_path.iterdir()) == [], "no folder that is called ~"


WITHOUT_PLACES = """
import sys, warnings
from pathlib import Path
import mer_core.features.librosa_loader as loader
from numba.core import caching
taken = sys.argv[1]
in_tree, user_wide, user_provided = (  # older numba writes them with an underscore
    getattr(caching, name, None) or getattr(caching, "_" + name)
    for name in ("InTreeCacheLocator", "UserWideCacheLocator", "UserProvidedCacheLocator")
)
class Nowhere(in_tree):
    def __init__(self, function, file):
        super().__init__(function, file)
        self._cache_path = taken + "/__pycache__"
caching.CacheImpl._locator_classes[:] = [user_provided, Nowhere, user_wide]
loader._beside_librosa = lambda: Path(taken + "/__pycache__")
from mer_core.features import extract
import numpy as np
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for _ in range(2):
        sound = np.random.default_rng(0).normal(0, 0.1, 44_100), 44_100
        print(extract(sound, ["spectral", "psychoacoustic"]).shape)
print([str(k.message) for k in told if "compiled code" in str(k.message)])
"""


def test_numba_without_a_writable_place_works_and_says_so_once(tmp_path):
    taken = a_file(tmp_path / "taken")
    env = os.environ | {"HOME": str(taken), "PYTHONPATH": str(ROOT)}
    env = {k: v for k, v in env.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    command = [sys.executable, "-c", WITHOUT_PLACES, str(taken)]
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    assert run.stdout.count("(2, 12)") == 2, run.stderr
    assert run.stdout.count("set NUMBA_CACHE_DIR to a folder that can be written") == 1


def test_warnings_about_the_audio_come_from_the_cache_as_well(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        for number in (1, 2):
            soundfile.write(tmp_path / name / f"{number}.wav", noise(number)[:22_050], 22_050)
    for name, processes in (("first", 2), ("second", 1), ("second", 2)):
        with pytest.warns(DataWarning) as told:
            extract_all(tmp_path / name, cache=tmp_path / "cache", processes=processes)
        messages = [str(warning.message) for warning in told]
        assert len(messages) == 2
        for number, message in enumerate(messages, 1):
            assert message.startswith(f"{tmp_path / name / str(number)}.wav: 22050 Hz")
    assert len(kept_in(tmp_path / "cache")) == 2


def test_every_failure_names_its_file(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "1.wav", noise(1), RATE)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(batch, "extract", fail)
    _, failures = extract_all(tmp_path, cache=tmp_path / "cache", processes=1)
    assert failures[1] == f"{tmp_path / '1.wav'}: MemoryError: "


def test_clashing_names_fail_and_the_others_are_kept(tmp_path):
    for name in ("a.wav", "a.flac", "b.wav", "1.wav", "01.wav", "CD1/t.wav", "CD2/t.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, noise(0), RATE)
    cache = tmp_path / ".cache"
    features, failures = extract_all(tmp_path, cache=cache, processes=1, recursive=True)
    assert features.index.unique("song_id").tolist() == [1, "01", "b"]
    assert list(failures.index) == ["a", "t"]
    for song_id, names in {"a": ("a.wav", "a.flac"), "t": ("CD1/t.wav", "CD2/t.wav")}.items():
        assert "expected a name of its own for each song" in failures[song_id]
        assert all(str(tmp_path / name) in failures[song_id] for name in names)


def test_a_file_that_is_given_twice_is_one_song(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    (tmp_path / "3.wav").symlink_to(folder / "3.wav")
    files = ["3.wav", "./3.wav", folder / "3.wav", tmp_path / "3.wav"]
    features, failures = extract_all(files, cache=tmp_path / "cache", processes=1)
    assert features.index.unique("song_id").tolist() == [3]
    assert failures.empty


def test_songs_of_a_mapping_keep_their_ids_and_fail_alone_without_a_path(folder, tmp_path):
    audio = pd.Series({2001: str(folder / "3.wav"), 2: np.nan, 3: None}, dtype=object)
    features, failures = extract_all(audio, cache=tmp_path, processes=1)
    assert features.index.unique("song_id").tolist() == [2001]
    assert failures[2] == "song 2: expected an audio file, found no path"
    assert list(failures.index) == [2, 3]


FOREIGN = "._1.wav .hidden.wav .DS_Store __MACOSX/._1.wav __MACOSX/1.wav .Trashes/2.wav"


def test_hidden_files_and_those_of_the_system_are_skipped(tmp_path):
    own = ("@eaDir/3.wav", "notes.txt", "1.wav", "deeper/5.MP3", "deeper/._5.mp3")
    for name in (*FOREIGN.split(), *own):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        a_file(tmp_path / name)
    with pytest.warns(DataWarning, match="left out 1 audio file in subfolders: add --recursive"):
        assert audio_files(tmp_path) == [tmp_path / "1.wav"]
    found = audio_files(tmp_path, recursive=True)
    assert found == [tmp_path / "1.wav", tmp_path / "deeper" / "5.MP3"]


@pytest.mark.parametrize("suffix", [k for suffix in SUFFIXES for k in (suffix, suffix.upper())])
def test_every_suffix_of_the_reader_is_found(tmp_path, suffix):
    a_file(tmp_path / f"1{suffix}")
    assert audio_files(tmp_path) == [tmp_path / f"1{suffix}"]


def test_a_folder_with_audio_in_subfolders_alone_says_so(tmp_path):
    (tmp_path / "CD1.wav").mkdir()  # a folder, whatever its name
    a_file(tmp_path / "CD1.wav" / "1.wav")
    expected = r"found none here but 1 audio file in subfolders: add --recursive"
    with pytest.raises(DataError, match=expected):
        audio_files(tmp_path)
    assert len(audio_files(tmp_path, recursive=True)) == 1


def test_links_to_folders_are_followed_and_never_in_circles(tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "elsewhere").mkdir()
    a_file(tmp_path / "elsewhere" / "1.wav")
    (tmp_path / "music" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "music")
    found = audio_files(tmp_path / "music", recursive=True)
    assert found == [tmp_path / "music" / "linked" / "1.wav"]


NAMES = {"12": 12, "0": 0, "01": "01", "007": "007", "-1": "-1", "٣": "٣", "１２": "１２", "²": "²"}
NAMES |= {"1.5": "1.5", "夜": "夜", "9" * 18: int("9" * 18), "9" * 30: "9" * 30, "1e3": "1e3"}


@pytest.mark.parametrize("name", NAMES)
def test_a_song_keeps_its_name_as_written(name):
    assert song_id_of(f"music/{name}.wav") == NAMES[name]
    assert type(song_id_of(f"music/{name}.wav")) is type(NAMES[name])


def test_a_name_that_is_not_utf8_can_be_shown(tmp_path):
    song_id = song_id_of(os.fsdecode(b"caf\xe9.wav"))
    assert song_id == "caf\N{REPLACEMENT CHARACTER}"
    assert pd.Index([song_id]).size == 1


@pytest.mark.parametrize("processes", [0, -2, -100])
def test_a_number_of_processes_that_makes_no_sense_is_refused(folder, tmp_path, processes):
    with pytest.raises(ValueError, match=f"processes: expected 1 or more, .* found {processes}"):
        extract_all(folder, cache=tmp_path, processes=processes)


def test_a_huge_number_of_processes_starts_no_more_than_there_are_cores(folder, monkeypatch):
    started = []

    def parallel(processes: int, **_: object) -> object:
        started.append(processes)
        return lambda jobs: (run(*given) for run, given, _ in jobs)

    monkeypatch.setattr(batch, "Parallel", parallel)
    monkeypatch.setattr(batch, "effective_n_jobs", lambda _: 3)
    for processes in (10**9, -1, 2, 1):
        extract_all(folder, cache=folder / ".cache", processes=processes)
    assert started == [3, 3, 2, 1]


def test_the_progress_bar_reaches_its_end(folder, tmp_path, capsys):
    extract_all(folder, cache=tmp_path, processes=1)
    assert " 5/5 " in capsys.readouterr().err.rpartition("\r")[2]


def test_a_worker_that_dies_is_told_in_words(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_song", _die)
    with pytest.raises(ChildProcessError, match=r"a worker process died.*fewer processes"):
        extract_all(folder, cache=tmp_path, processes=2)


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_device_or_a_pipe_is_no_song(tmp_path):
    (tmp_path / "1.wav").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "2.wav")
    _, failures = extract_all(tmp_path, cache=tmp_path / "cache", processes=1)
    assert all("found a folder or a device" in why for why in failures)
    assert len(failures) == 2


def test_a_folder_without_audio_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"audio files .* found none"):
        extract_all(tmp_path, cache=tmp_path)


def test_saved_as_deam_has_it_and_as_parquet(extraction, tmp_path):
    features = extraction.features.loc[[3, 9, 10]]
    save(features, tmp_path / "features")
    again = read_features(tmp_path / "features", [3, 9, 10])
    pd.testing.assert_frame_equal(features, again, rtol=1e-6, check_index_type=False)
    save(extraction.features, tmp_path, format="parquet")
    table = pd.read_parquet(tmp_path / "features.parquet")
    assert table.index.unique("song_id").tolist() == ["3", "9", "10", "my song"]
    assert np.array_equal(table.to_numpy(), extraction.features.to_numpy())


@pytest.mark.parametrize("ids", [["../evil"], ["a/b"], ["a\\b"], [".."], [1, "1"]])
def test_what_is_saved_stays_in_its_folder_one_file_a_song(tmp_path, ids):
    track = pd.DataFrame({"x": [0.0]}, pd.Index([0.0], name="time"))
    features = pd.concat(dict.fromkeys(ids, track), names=["song_id"])
    with pytest.raises(ValueError, match="song_id: expected a file's name for each song"):
        save(features, tmp_path / "in")
    assert list(tmp_path.iterdir()) == []


def test_one_file_of_all_songs_takes_any_name(extraction, tmp_path):
    features = extraction.features.loc[[3]].rename(index={3: "AC/DC"}, level="song_id")
    save(features, tmp_path, format="parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["features.parquet"]
    with pytest.raises(ValueError, match="format: expected 'csv' or 'parquet', found 'xls'"):
        save(features, tmp_path, format="xls")


@pytest.mark.parametrize(
    "settings",
    [{"sets": ["nosuch"]}, {"sets": ["mel", "mel"]}, {"window": np.inf}, {"window": 0.0}],
)
def test_settings_are_checked_before_any_song(folder, tmp_path, settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))}: expected"):
        extract_all(folder, cache=tmp_path / "cache", processes=1, **settings)
    assert not (tmp_path / "cache").exists()


def test_a_kill_costs_only_the_current_song(tmp_path):
    music, cache = tmp_path / "music", tmp_path / "cache"
    music.mkdir()
    for number in range(8):
        soundfile.write(music / f"{number}.wav", np.tile(noise(number), 4), RATE)
    code = (
        "import sys; from mer_core.features import extract_all;"
        "extract_all(sys.argv[1], cache=sys.argv[2], processes=1)"
    )
    run = subprocess.Popen([sys.executable, "-c", code, music, cache], stderr=subprocess.DEVNULL)
    deadline = time.time() + 60
    while len(kept_in(cache)) < 2 and time.time() < deadline:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    before = kept_in(cache)
    assert 2 <= len(before) < 8
    after_kill = extract_all(music, cache=cache, processes=1)
    undisturbed = extract_all(music, cache=tmp_path / "calm", processes=1)
    pd.testing.assert_frame_equal(after_kill.features, undisturbed.features)
    assert {path: kept_in(cache)[path] for path in before} == before

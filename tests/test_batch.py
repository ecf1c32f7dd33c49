"""Many songs: the cache, a kill, what failed, all cores."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from mer_core.__main__ import main
from mer_core.datasets.deam.feature_files import read_features
from mer_core.features import batch, extract, extract_all, save
from mer_core.files import DataError, DataWarning

RATE = 44_100


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


def test_every_song_is_there_or_told(extraction):
    features, failures = extraction
    assert features.index.unique("song_id").tolist() == [3, 9, 10, "my song"]
    assert list(failures.index) == [5]
    assert "5.mp3: expected audio" in failures[5]


def test_values_are_those_of_one_song_alone(extraction, folder):
    alone = extract(folder / "9.flac")
    pd.testing.assert_frame_equal(extraction.features.loc[[9]], alone, check_index_type=False)


def test_two_processes_give_the_same(extraction, folder, tmp_path):
    again = extract_all(folder, cache=tmp_path, processes=2)
    pd.testing.assert_frame_equal(extraction.features, again.features)
    pd.testing.assert_series_equal(extraction.failures, again.failures)


def test_what_is_kept_is_not_computed_again(folder, tmp_path, monkeypatch):
    first = extract_all(folder, cache=tmp_path, processes=1)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.kept")}
    assert len(kept) == 4
    computed = []
    monkeypatch.setattr(batch, "extract", lambda path, *_, **__: computed.append(path.name))
    again = extract_all(folder, cache=tmp_path, processes=1)
    assert computed == ["5.mp3"]
    pd.testing.assert_frame_equal(first.features, again.features)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.kept")} == kept


def test_other_audio_and_other_settings_are_computed_anew(tmp_path):
    song = tmp_path / "1.wav"
    for number, seed in enumerate((0, 1, 0)):
        soundfile.write(song, np.random.default_rng(seed).normal(0, 0.1, RATE), RATE)
        extract_all([song], cache=tmp_path / "cache", processes=1)
        assert len(list((tmp_path / "cache").rglob("*.kept"))) == min(number + 1, 2)
    extract_all([song], cache=tmp_path / "cache", window=0.5, processes=1)
    assert len(list((tmp_path / "cache").rglob("*.kept"))) == 3


def test_songs_of_a_corpus_keep_their_ids(folder, tmp_path):
    audio = pd.Series({2001: str(folder / "3.wav")})
    features, failures = extract_all(audio, cache=tmp_path, processes=1)
    assert features.index.unique("song_id").tolist() == [2001]
    assert failures.empty


def test_only_failures(tmp_path):
    (tmp_path / "1.wav").write_text("")
    features, failures = extract_all(tmp_path, cache=tmp_path / "cache", processes=1)
    assert features.empty
    assert features.index.names == ["song_id", "time"]
    assert list(failures.index) == [1]


def test_only_failures_on_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "1.wav").write_text("")
    command = ["extract", str(tmp_path / "1.wav"), "--out", str(tmp_path / "out")]
    assert main([*command, "--format", "parquet", "--processes", "1"]) == 1
    assert "failed: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*command, "--window", "0"]) == 1
    assert "window: expected 0.01 s" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["empty", "cut", "page", "footer", "no table"])
def test_a_damaged_file_of_the_cache_is_told_and_computed_anew(folder, tmp_path, damage):
    first = extract_all([folder / "3.wav"], cache=tmp_path, processes=1)
    (kept,) = tmp_path.rglob("*.kept")
    content = bytearray(kept.read_bytes())
    spoiled = {"empty": b"", "cut": content[:999], "no table": b"la la"}
    content[-100 if damage == "footer" else 100] ^= 1
    kept.write_bytes(spoiled.get(damage, content))
    with pytest.warns(DataWarning, match=r"\.kept: damaged, so computed anew"):
        again = extract_all([folder / "3.wav"], cache=tmp_path, processes=1)
    pd.testing.assert_frame_equal(first.features, again.features)
    assert again.failures.empty
    third = extract_all([folder / "3.wav"], cache=tmp_path, processes=1)
    pd.testing.assert_frame_equal(first.features, third.features)


def test_a_folder_in_a_files_place_fails_aloud(folder, tmp_path):
    extract_all([folder / "3.wav"], cache=tmp_path, processes=1)
    (kept,) = tmp_path.rglob("*.kept")
    kept.unlink()
    kept.mkdir()
    features, failures = extract_all([folder / "3.wav"], cache=tmp_path, processes=1)
    assert features.empty
    assert list(failures.index) == [3]


def test_a_device_or_a_pipe_is_no_song(tmp_path):
    (tmp_path / "1.wav").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "2.wav")
    _, failures = extract_all(tmp_path, cache=tmp_path / "cache", processes=1)
    assert all("found a folder or a device" in why for why in failures)
    assert len(failures) == 2


def test_nothing_to_do_and_names_twice_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"audio files .* found none"):
        extract_all(tmp_path, cache=tmp_path)
    with pytest.raises(DataError, match="a name of its own"):
        extract_all([tmp_path / "1.wav", tmp_path / "1.mp3"], cache=tmp_path)


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


def test_another_format_is_refused(extraction, tmp_path):
    with pytest.raises(ValueError, match="format: expected 'csv' or 'parquet', found 'xls'"):
        save(extraction.features, tmp_path, format="xls")


@pytest.mark.parametrize(
    "settings",
    [{"sets": ["nosuch"]}, {"sets": ["mel", "mel"]}, {"window": np.inf}, {"window": 0.0}],
)
def test_settings_are_checked_before_any_song(folder, tmp_path, settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))}: expected"):
        extract_all(folder, cache=tmp_path / "cache", processes=1, **settings)
    assert not (tmp_path / "cache").exists()


def test_the_command_line(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "DEAM" / "features"
    assert main(["extract", str(folder), "--out", str(out), "--processes", "1"]) == 1
    printed = capsys.readouterr()
    assert "4 songs" in printed.out
    assert "failed: " in printed.err
    assert "5.mp3: expected audio" in printed.err
    assert sorted(path.name for path in out.iterdir()) == [
        "10.csv",
        "3.csv",
        "9.csv",
        "my song.csv",
    ]
    again = ["extract", str(folder / "3.wav"), "--out", str(tmp_path / "p"), "--format", "parquet"]
    assert main(again) == 0
    assert list(pd.read_parquet(tmp_path / "p" / "features.parquet").index.names) == [
        "song_id",
        "time",
    ]


def test_a_kill_costs_only_what_was_under_way(tmp_path):
    music, kept, calm = tmp_path / "music", tmp_path / "kept", tmp_path / "calm"
    music.mkdir()
    for number in range(8):
        noise = np.random.default_rng(number).normal(0, 0.1, 4 * RATE)
        soundfile.write(music / f"{number}.wav", noise, RATE)
    code = (
        "import sys; from mer_core.features import extract_all;"
        "extract_all(sys.argv[1], cache=sys.argv[2], processes=1)"
    )
    run = subprocess.Popen([sys.executable, "-c", code, music, kept], stderr=subprocess.DEVNULL)
    deadline = time.time() + 60
    while len(finished(kept)) < 2 and time.time() < deadline:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    before = finished(kept)
    assert 2 <= len(before) < 8
    after_kill = extract_all(music, cache=kept, processes=1)
    undisturbed = extract_all(music, cache=calm, processes=1)
    pd.testing.assert_frame_equal(after_kill.features, undisturbed.features)
    assert {p: finished(kept)[p] for p in before} == before


def finished(cache: Path) -> dict[Path, int]:
    paths = [path for path in cache.rglob("*.kept") if not path.name.startswith(".part-")]
    return {path: path.stat().st_mtime_ns for path in paths}

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import ROOT
from layout import SONGS, make_deam
from mer_core.__main__ import main


def test_check_describes_a_folder_and_reports_repairs(deam, capsys):
    (deam / "metadata" / "metadata_2015.csv").write_text("song_id,title\n2001,\tA\t\n")
    assert main(["check", str(deam)]) == 0
    printed = capsys.readouterr()
    assert "r(valence, arousal) over song means" in printed.out
    assert "DEAM's list of 431 ids, which contains 4 of 11 songs" in printed.out
    assert "note:" in printed.err
    assert "tabs" in printed.err


def test_scoreboard_prints_both_protocols_and_aggregations(deam, capsys):
    ids = "song_id,certain\n" + "".join(f"{k},True\n" for k in (3, 4, 17, 20, 25, 1001, 1005, 1010))
    (deam / "mediaeval2015_development_ids.csv").write_text(ids)
    assert main(["scoreboard", str(deam), "--folds", "4"]) == 0
    printed = capsys.readouterr().out
    words = "constant, linear, delayed linear, SVR, smoothed, pooled, sd, CV, test, CCC"
    for word in words.split(", "):
        assert word in printed


def test_scoreboard_of_a_copy_without_features_has_what_needs_none(real_deam, capsys, monkeypatch):
    seen = {}
    index = pd.MultiIndex.from_tuples([("SVM", "valence")], names=["system", "dimension"])
    table = pd.DataFrame({"r2": [0.3]}, index)
    monkeypatch.setattr(
        "workbook.studies.songs.static_scores", lambda corpus: seen.update(corpus=corpus) or table
    )
    assert main(["scoreboard", str(real_deam), "--folds", "3"]) == 0
    printed = capsys.readouterr().out
    assert "only the constant is scored" in printed
    assert "mer_core.datasets.songs_with_audio" in printed
    assert "constant" in printed
    assert "linear" not in printed
    assert "SVM    valence   0.300  0.347" in printed
    assert seen["corpus"].features.shape == (1802, 167)


def test_static_systems_are_scored_with_an_interval(monkeypatch):
    from workbook.studies import songs

    corpus = songs.mini_songs()
    predicted = corpus.labels.droplevel("time") * 0.9
    monkeypatch.setattr(songs, "predict_songs", lambda *_, **__: predicted)
    table = songs.static_scores(corpus)
    assert list(table.index.unique("system")) == ["constant", "ridge", "SVM", "PCA-SVM", "TNN-SVM"]
    assert ((table["low"] <= table["r2"]) & (table["r2"] <= table["high"])).all()
    assert table["r2"].between(0.9, 1).all()


def test_scoreboard_alone_fits_on_one_screen(capsys):
    assert main(["scoreboard"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100
    for word in ("Real music", "SYNTHETIC", "Whole songs", "delayed linear", "--all"):
        assert any(word in line for line in lines)


def test_all_stored_results_are_beside_the_papers(capsys):
    assert main(["scoreboard", "--all"]) == 0
    printed = capsys.readouterr().out
    ours, theirs = printed.split("The papers' rows")
    for word in ("synthetic", "constant", "linear, no penalty", "SVR", "FS1", "FS2", "268"):
        assert word in ours
    for word in ("irit_2015", "munich_2015", "[1] ", "computed on synthetic songs"):
        assert word in theirs


def test_the_page_of_results_holds_the_scoreboard_of_the_store(capsys):
    """If not: python -m mer_core scoreboard --markdown, into docs/results.md."""
    assert main(["scoreboard", "--markdown"]) == 0
    half_seconds, whole_songs = capsys.readouterr().out.strip().split("\n\n")
    page = (ROOT / "docs" / "results.md").read_text()
    assert half_seconds in page
    assert whole_songs in page
    assert "| linear, no penalty, FS1, raw | paper | 0.366 | " in half_seconds


def test_bad_input_is_reported_in_one_line(tmp_path, capsys):
    assert main(["check", str(tmp_path / "nowhere")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "nowhere" in error


def test_ablation_names_every_choice(tmp_path, capsys, monkeypatch):
    make_deam(tmp_path / "DEAM")
    for path in (tmp_path / "DEAM" / "features").iterdir():
        table = pd.read_csv(path, sep=";", index_col=0)
        rng = np.random.default_rng(len(path.name))
        table[["roughness", "flatness_db_bark"]] = rng.normal(size=(len(table), 2))
        table.to_csv(path, sep=";")
    ids = "song_id,certain\n" + "".join(f"{k},True\n" for k in SONGS[:-1])
    (tmp_path / "DEAM" / "mediaeval2015_development_ids.csv").write_text(ids)
    assert main(["ablation", str(tmp_path / "DEAM")]) == 0
    printed = capsys.readouterr().out
    for word in ("FS1", "FS2", "IRIT", "FS1 + roughness", "flatness_db_bark alone", "RMSE"):
        assert word in printed


def test_a_set_that_the_features_lack_is_named(deam, capsys):
    assert main(["scoreboard", str(deam), "--sets", "mel"]) == 1
    assert "found none of ['mel']" in capsys.readouterr().err
    assert main(["scoreboard", "--folds", "4"]) == 1
    assert "expected a corpus for --folds and --sets" in capsys.readouterr().err


def test_predict_writes_the_curve_of_a_song(tmp_path, capsys):
    song = next((ROOT / "data" / "mini" / "MEMD_audio").iterdir())
    out = tmp_path / "new" / "curve.csv"
    assert main(["predict", str(song), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "89 (0:45): valence +" in printed.out
    assert "Trained on real music (DEAM, VGMIDI)." in printed.out
    curve = pd.read_csv(out, index_col=["song_id", "time"])
    for name in ("valence", "arousal"):
        assert curve[f"{name}_low"].ge(-1).all()
        assert curve[f"{name}_high"].le(1).all()
        assert curve[name].between(curve[f"{name}_low"], curve[f"{name}_high"]).all()
    assert curve.loc[89].index.tolist() == [k / 2 for k in range(90)]


def test_predict_does_not_learn_from_other_songs_than_it_was_told(tmp_path, capsys):
    make_deam(tmp_path / "DEAM")
    shutil.rmtree(tmp_path / "DEAM" / "features")
    song, out = str(ROOT / "data/mini/MEMD_audio/89.ogg"), tmp_path / "curve.csv"
    command = ["predict", song, "--out", str(out), "--train", str(tmp_path / "DEAM")]
    assert main(command) == 1
    assert (
        "songs or more with labels and features, found no features in its folder"
        in capsys.readouterr().err
    )
    assert not out.exists()


def test_predict_of_what_is_no_song_writes_nothing(tmp_path, capsys):
    (tmp_path / "song.mp3").write_text("not music")
    out = tmp_path / "curve.csv"
    assert main(["predict", str(tmp_path / "song.mp3"), "--out", str(out)]) == 1
    assert "song.mp3" in capsys.readouterr().err
    assert not out.exists()


def song(place: Path) -> Path:
    soundfile.write(place, np.random.default_rng(0).normal(0, 0.1, 44_100), 44_100)
    return place


def link(place: Path, target: Path) -> Path:
    place.symlink_to(target)
    return place


def hard_link(place: Path, target: Path) -> Path:
    place.hardlink_to(target)
    return place


def written(place: Path, text: str) -> Path:
    place.write_text(text)
    return place


BAD_CURVES: dict[str, tuple[Callable[[Path], object], str]] = {
    "the song itself": (lambda p: p / "song.wav", "found the input itself"),
    "the song in another spelling": (lambda p: f"{mkdir(p / 'a')}/../song.wav", "input itself"),
    "a link to the song": (lambda p: link(p / "l.csv", p / "song.wav"), "found the input itself"),
    "a hard link to the song": (lambda p: hard_link(p / "h.csv", p / "song.wav"), "input itself"),
    "a folder": (lambda p: p, "expected a file to write, found a folder"),
    "a folder that does not exist": (lambda p: f"{p}/new/", "a file to write, found a folder"),
    "another song": (lambda p: song(p / "other.wav"), "found a file of another kind"),
    "notes": (lambda p: written(p / "notes.txt", "my notes"), "found a file of another kind"),
    "another table": (lambda p: written(p / "t.csv", "song_id,x\n1,2\n"), "of another kind"),
    "a device": (lambda p: "/dev/null", "found a device or a pipe"),
    "below a file": (lambda p: p / "song.wav" / "c.csv", "expected a folder to write to, found a"),
}


@pytest.mark.parametrize("kind", BAD_CURVES)
def test_predict_refuses_to_destroy_a_file_before_any_work(tmp_path, capsys, monkeypatch, kind):
    monkeypatch.setattr("mer_core.load_corpus", lambda *_: pytest.fail("work has begun"))
    made, expected = BAD_CURVES[kind]
    song(tmp_path / "song.wav")
    out = made(tmp_path)
    before = contents(tmp_path)
    assert main(["predict", str(tmp_path / "song.wav"), "--out", str(out)]) == 1
    assert expected in capsys.readouterr().err
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OLD, NEW = (b"time,valence,arousal\n0.0,0.1,0.2\n", b"song_id,time,valence,valence_low\n")


@pytest.mark.parametrize("earlier", [b"", OLD, NEW])
def test_predict_replaces_an_earlier_curve_also_through_a_link(tmp_path, monkeypatch, earlier):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    curve = tmp_path / "curve.csv"
    curve.write_bytes(earlier)
    out = link(tmp_path / "link.csv", curve)
    assert main(["predict", str(song(tmp_path / "song.wav")), "--out", str(out)]) == 0
    assert out.is_symlink()
    assert curve.read_text().startswith("song_id,time,valence,valence_low,valence_high,arousal")


def test_predict_describes_several_songs_and_reports_failures(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("a.wav", "b.wav"):
        song(tmp_path / name)
    written(tmp_path / "c.wav", "no audio")
    command = ["predict", str(tmp_path), "--plot", str(tmp_path / "figures")]
    assert main([*command, "--out", str(tmp_path / "all.json")]) == 1
    printed = capsys.readouterr()
    assert [line.split(" ")[0] for line in printed.out.splitlines()[:3:2]] == ["a", "b"]
    assert "c.wav" in printed.err
    assert len(json.loads((tmp_path / "all.json").read_text())["songs"]) == 2
    assert sorted(p.name for p in (tmp_path / "figures").iterdir()) == ["a.png", "b.png"]
    assert main([*command[:2], "--plot", str(tmp_path / "one.png")]) == 1
    assert "expected a folder for the figures of several songs" in capsys.readouterr().err


def test_predict_trains_on_another_corpus(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["predict", str(song(tmp_path / "a.wav")), "--train", "mini"]) == 0
    assert "Trained on mini." in capsys.readouterr().out


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], str, list[str]]] = {
    "a song": (lambda p: p / "1.wav", "expected a folder to write to, found a file", []),
    "a file of the user's": (lambda p: written(p / "notes", "x"), "expected a folder", []),
    "other tables": (lambda p: written(p / "1.csv", "a,b\n1,2\n").parent, "another kind", []),
    "folders with the names": (lambda p: mkdir(p / "1.csv").parent, "found a folder", []),
    "a link to the song": (
        lambda p: link(p / "1.csv", p / "1.wav").parent, "found the input itself", []
    ),
    "no features in the Parquet file": (
        lambda p: written(p / "features.parquet", "x").parent, "kind", ["--format", "parquet"]
    ),
}  # fmt: skip


def mkdir(place: Path) -> Path:
    place.mkdir()
    return place


@pytest.mark.parametrize("kind", BAD_FOLDERS)
def test_extract_refuses_to_destroy_a_file_before_any_work(tmp_path, capsys, monkeypatch, kind):
    monkeypatch.setattr("mer_core.features.extract_all", lambda *_, **__: pytest.fail("begun"))
    made, expected, more = BAD_FOLDERS[kind]
    song(tmp_path / "1.wav")
    out = made(tmp_path)
    before = contents(tmp_path)
    assert main(["extract", str(tmp_path / "1.wav"), "--out", str(out), *more]) == 1
    assert expected in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_extract_never_writes_over_a_song_that_is_called_csv(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    song(tmp_path / "1.wav").rename("1.csv")
    assert main(["extract", "1.csv", "--out", "."]) == 1
    assert "1.csv: expected a file other than the input" in capsys.readouterr().err


def test_extract_replaces_its_earlier_files(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    song(tmp_path / "1.wav")
    for format in ("csv", "csv", "parquet", "parquet"):
        command = ["extract", str(tmp_path / "1.wav"), "--out", str(tmp_path / "out")]
        assert main([*command, "--format", format]) == 0


def test_a_name_that_no_csv_file_can_have_fails_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("a\\b.wav", "1.wav"):
        song(tmp_path / name)
    command = ["extract", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(command) == 1
    printed = capsys.readouterr()
    assert "a\\b.wav: expected a valid name of a CSV file" in printed.err
    assert "1 song, 2 rows" in printed.out
    assert main([*command, "--format", "parquet"]) == 0


def test_an_output_folder_that_cannot_be_written_is_reported_at_once(tmp_path, capsys, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    monkeypatch.setattr("mer_core.load_corpus", lambda *_: pytest.fail("work has begun"))
    for command in ("predict", "extract"):
        out = str(tmp_path / "new" / "out.csv")
        assert main([command, str(song(tmp_path / "1.wav")), "--out", out]) == 1
        assert "expected a folder that can be written, found Read-only" in capsys.readouterr().err


EXTRACT = ["extract", "x.wav", "--out", "o", "--processes"]
BAD_NUMBERS = [
    *((EXTRACT, number, "1 or more, or -1 for all") for number in ("0", "-0", "-2", "two", "٢")),
    (["results", "--processes"], "0", "1 or more, or -1 for all"),
    *((["scoreboard", "mini", "--folds"], k, "2 or more folds") for k in ("0", "1", "-5", "1e3")),
    (["scoreboard", "--folds"], "0", "2 or more folds"),
]


@pytest.mark.parametrize(("command", "number", "expected"), BAD_NUMBERS)
def test_numbers_that_make_no_sense_are_refused_before_any_work(capsys, command, number, expected):
    with pytest.raises(SystemExit, match="2"):
        main([*command, number])
    error = capsys.readouterr().err
    assert f"argument {command[-1]}: expected {expected}, found '{number}'" in error


def test_more_folds_than_songs_are_refused_before_any_training(capsys, monkeypatch):
    monkeypatch.setattr("mer_core.evaluation.scoreboard", lambda *_, **__: pytest.fail("begun"))
    assert main(["scoreboard", "mini", "--folds", "1000"]) == 1
    error = capsys.readouterr().err
    assert "expected 2 to 96 folds for as many songs, found 1000" in error


def command_line(*arguments: object, **env: str) -> dict:
    return {
        "args": [sys.executable, "-m", "mer_core", *map(str, arguments)],
        "env": os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | env,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }


@pytest.mark.parametrize(("arguments", "status"), [(["scoreboard"], 141), (["--help"], 0)])
def test_a_broken_pipe_is_quiet(arguments, status):
    given = command_line(*arguments)
    read, write = os.pipe()
    os.close(read)
    run = subprocess.Popen(**given | {"stdout": write})
    os.close(write)
    assert run.communicate()[1] == b""
    assert run.returncode == status


def test_a_broken_pipe_of_both_outputs_ends_the_work(tmp_path):
    """As `2>&1 | head` leaves it."""
    given = command_line("extract", song(tmp_path / "1.wav"), "--out", tmp_path / "out")
    read, write = os.pipe()
    os.close(read)
    run = subprocess.Popen(**given | {"stdout": write, "stderr": write})
    os.close(write)
    assert run.wait(timeout=60) == 141


def test_a_broken_pipe_elsewhere_is_an_error(capsys, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe of a process")

    monkeypatch.setattr("workbook.commands.stored_board", fail)
    assert main(["scoreboard", "--markdown"]) == 1
    assert "Broken pipe of a process" in capsys.readouterr().err


def test_a_full_disk_behind_the_output_is_reported_in_one_line(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        run = subprocess.run(**command_line("scoreboard", "--markdown") | {"stdout": full})
    assert (run.returncode, run.stderr.count(b"\n")) == (1, 1)
    assert run.stderr.startswith(b"error: ")


@pytest.mark.parametrize(
    "env",
    [{"PYTHONIOENCODING": name} for name in ("cp1252", "ascii", "latin-1", "cp932", "utf-8")]
    + [{"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "1"}],
    ids=str,
)
def test_any_encoding_of_the_console_will_do(tmp_path, env):
    song(tmp_path / "夜 café ☕.wav")
    (tmp_path / "broken ♫.wav").write_text("no music")
    (tmp_path / "out ☕").mkdir()
    given = command_line(
        "extract", tmp_path, "--out", tmp_path / "out ☕", "--processes", 1,
        XDG_CACHE_HOME=str(tmp_path / ".cache"), **env,
    )  # fmt: skip
    run = subprocess.run(**given)
    assert run.returncode == 1, "of the broken one"
    assert b"1 song, 2 rows" in run.stdout
    assert run.stderr.count(b"failed: ") == 1
    assert b"error: " not in run.stderr
    assert b"Traceback" not in run.stderr
    assert (tmp_path / "out ☕" / "夜 café ☕.csv").is_file()


@pytest.mark.parametrize("seconds", [0.3, 0.9, 2.0, 5.0])
def test_an_interrupt_is_quiet_and_stops_every_process(tmp_path, seconds):
    """Ctrl-C reaches every process of the terminal's group."""
    for number in range(40):
        noise = np.random.default_rng(number).normal(0, 0.1, 20 * 44_100)
        soundfile.write(tmp_path / f"{number}.wav", noise, 44_100)
    cache = tmp_path / "cache"
    given = command_line(
        "extract", tmp_path, "--out", tmp_path / "out", "--sets", "compare", "psychoacoustic",
        "--processes", 2, XDG_CACHE_HOME=str(cache),
    )  # fmt: skip
    run = subprocess.Popen(**given, start_new_session=True)
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGINT)
    error = run.communicate(timeout=60)[1].decode()
    assert run.returncode == 130
    assert "Traceback" not in error
    assert "Error" not in error
    assert [k for k in error.splitlines() if k and "features:" not in k] == ["interrupted"]
    deadline = time.time() + 10
    while alive(run.pid) and time.time() < deadline:
        time.sleep(0.1)
    assert not alive(run.pid)
    assert not list(cache.rglob(".part-*"))


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True

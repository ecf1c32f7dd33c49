from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from layout import SONGS, make_deam
from mer_core.__main__ import main


def test_check_describes_a_folder_and_tells_repairs(deam, capsys):
    (deam / "metadata" / "metadata_2015.csv").write_text("song_id,title\n2001,\tA\t\n")
    assert main(["check", str(deam)]) == 0
    printed = capsys.readouterr()
    assert "r(valence, arousal) over song means" in printed.out
    assert "note:" in printed.err
    assert "tabs" in printed.err


def test_scoreboard_prints_both_protocols_and_aggregations(deam, capsys):
    ids = "song_id,certain\n" + "".join(f"{k},True\n" for k in (3, 4, 17, 20, 25, 1001, 1005, 1010))
    (deam / "mediaeval2015_development_ids.csv").write_text(ids)
    assert main(["scoreboard", str(deam), "--folds", "4"]) == 0
    printed = capsys.readouterr().out
    for word in (
        "constant",
        "linear",
        "SVR",
        "smoothed",
        "pooled",
        "mean",
        "sd",
        "CV",
        "test",
        "CCC",
    ):
        assert word in printed


def test_scoreboard_of_a_copy_without_features_has_what_needs_none(real_deam, capsys, monkeypatch):
    seen = {}
    table = pd.DataFrame(
        {"r2": [0.3]},
        pd.MultiIndex.from_tuples([("SVM", "valence")], names=["system", "dimension"]),
    )
    monkeypatch.setattr(
        "workbook.studies.songs.static_scores",
        lambda corpus: seen.update(corpus=corpus) or table,
    )
    assert main(["scoreboard", str(real_deam), "--folds", "3"]) == 0
    printed = capsys.readouterr().out
    assert "needs none, alone" in printed
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


def test_scoreboard_alone_shows_stored_results_beside_the_papers(capsys):
    assert main(["scoreboard"]) == 0
    printed = capsys.readouterr().out
    ours, theirs = printed.split("The papers' rows")
    for word in ("synthetic", "constant", "linear, no penalty", "SVR", "FS1", "FS2", "268"):
        assert word in ours
    for word in ("irit_2015", "munich_2015", "[1] ", "computed on synthetic songs"):
        assert word in theirs


def test_the_readme_holds_the_scoreboard_of_the_store(capsys):
    """If not: python -m mer_core scoreboard --markdown, into the README."""
    assert main(["scoreboard", "--markdown"]) == 0
    half_seconds, whole_songs = capsys.readouterr().out.strip().split("\n\n")
    readme = (ROOT / "README.md").read_text()
    assert half_seconds in readme
    assert whole_songs in readme
    assert "| linear, no penalty, FS1, raw | 0.366 | " in half_seconds


def test_bad_input_is_told_in_one_line(tmp_path, capsys):
    assert main(["check", str(tmp_path / "nowhere")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "nowhere" in error


def test_commands_are_listed(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "scoreboard" in capsys.readouterr().out


def test_the_real_slice(real_deam, capsys, monkeypatch):
    monkeypatch.setattr(
        "mer_core.datasets.deam.compare_features", lambda *_: pytest.fail("too slow here")
    )
    monkeypatch.setattr("mer_core.datasets.deam.SONG_LEVEL_FEATURES", "absent.csv")
    assert main(["check", str(real_deam)]) == 0
    printed = capsys.readouterr()
    assert "0.617" in printed.out
    assert "0.035" in printed.out
    assert printed.err.count("swapped back in 744 songs") == 1


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
    assert "half seconds, mean valence" in printed.out
    assert "synthetic" in printed.err
    curve = pd.read_csv(out, index_col="time")
    assert list(curve) == ["valence", "arousal", "valence_spread", "arousal_spread"]
    assert curve[["valence", "arousal"]].abs().to_numpy().max() <= 1
    assert (curve.filter(like="spread") > 0).to_numpy().all()
    assert curve.index[1] - curve.index[0] == 0.5


def test_predict_does_not_learn_from_other_songs_than_it_was_told(tmp_path, capsys):
    make_deam(tmp_path / "DEAM")
    shutil.rmtree(tmp_path / "DEAM" / "features")
    song, out = str(ROOT / "data/mini/MEMD_audio/89.ogg"), tmp_path / "curve.csv"
    command = ["predict", song, "--out", str(out), "--train", str(tmp_path / "DEAM")]
    assert main(command) == 1
    assert "DEAM: expected features to learn from" in capsys.readouterr().err
    assert not out.exists()


def test_predict_of_what_is_no_song_writes_nothing(tmp_path, capsys):
    (tmp_path / "song.mp3").write_text("not music")
    out = tmp_path / "curve.csv"
    assert main(["predict", str(tmp_path / "song.mp3"), "--out", str(out)]) == 1
    assert "song.mp3" in capsys.readouterr().err
    assert not out.exists()

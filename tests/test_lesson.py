from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from layout import FEATURES, SONGS
from mer_core.datasets.deam import chosen_data
from mer_core.files import DataError
from workbook import explore, lesson
from workbook.studies.songs import deam_folder


@pytest.fixture
def answers(monkeypatch):
    monkeypatch.setattr(lesson, "_answers", {})


@pytest.mark.parametrize(
    ("answer", "expected", "comment"),
    [
        (..., 1.0, "not answered yet"),
        (1.0005, 1.0, "right"),
        (1.1, 1.0, "1.1 is not it. That is too much. Look again."),
        (np.float64(0.9), 1.0, "0.9 is not it. That is too little."),
        (-1.0, 1.0, "The sign is wrong."),
        (2.0, 1.0, "2 is not it. That is twice it. Look"),
        (np.nan, 1.0, "That is not a number."),
        ([1, 3], [1.0, 2.0], "1 of 2 numbers differ."),
        ("1.0", 1.0, "right"),
        ("one", 1.0, "Wanted: float; found: str."),
        ([1.0, 1.0], 1.0, "Wanted: one number; found: numbers of shape (2,)."),
        ([1, 2], [1.0, 2.0], "right"),
        ("F0", "F0", "right"),
        (True, "F0", "not it"),
        (1, True, "Wanted: bool; found: int."),
        (np.str_("F0"), "F0", "right"),
        (["a", "b"], ["a", "b"], "right"),
        (["a"], ["a", "b"], "not it"),
        (2, ["a", "b"], "not it"),
        (np.True_, True, "right"),
    ],
)
def test_answers(answers, capsys, answer, expected, comment):
    twice = {"That is twice it.": 2.0}
    lesson.check_answer("1", answer, expected, tolerance=0.001, hint="Look again.", mistakes=twice)
    assert comment in capsys.readouterr().out


def test_a_long_answer_is_shortened_and_a_right_one_is_never_called_a_mistake(answers, capsys):
    lesson.check_answer("1", ["name"] * 264, "name")
    assert len(capsys.readouterr().out) < 120
    lesson.check_answer("1", 4, 4, mistakes={"No.": 4})
    assert capsys.readouterr().out == "Exercise 1: right.\n"


def test_sets_that_deam_lacks_are_extracted_from_its_audio(deam, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MER_DATA", str(deam))
    with pytest.raises(DataError, match=r"a complete copy .* no MEMD_audio"):
        lesson.corpus()
    (deam / "MEMD_audio").mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 25 * 44_100)
    for song_id in SONGS:
        soundfile.write(deam / "MEMD_audio" / f"{song_id}.wav", noise, 44_100)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    corpus = lesson.corpus(("compare", "spectral"))
    corpus.validate()
    assert corpus.features.shape[1] == len(FEATURES) + 8
    assert "DEAM, from MER_DATA" in capsys.readouterr().out


def test_solutions_have_to_answer_everything(answers):
    with pytest.raises(AssertionError):
        lesson.require_answers()
    lesson.check_answer("1", 2, 2)
    lesson.require_answers()
    lesson.check_answer("2", 3, 2)
    with pytest.raises(AssertionError, match="'2'"):
        lesson.require_answers()


@pytest.fixture
def expected(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "EXPECTED", tmp_path / "expected.json")
    monkeypatch.delenv("MER_DATA", raising=False)
    monkeypatch.setenv("MER_EXPECTED", "write")
    lesson.check_numbers("02", {"r": (0.5, 0.01), "songs": (96, 0)})
    monkeypatch.delenv("MER_EXPECTED")
    return tmp_path / "expected.json"


def test_key_numbers_are_stored_and_checked_within_the_stored_tolerance(expected, capsys):
    assert json.loads(expected.read_text())["02"]["songs"] == {"value": 96.0, "tolerance": 0}
    lesson.check_numbers("02", {"r": (0.5099, 0.0), "songs": (96, 9)})
    assert "All 2 key numbers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"r": (0.52, 1.0), "songs": (96, 0)}, "r: expected 0.5 .* found 0.52"),
        ({"r": (np.nan, 1.0), "songs": (96, 0)}, "found nan"),
        ({"r": (0.5, 0.01)}, "difference in songs"),
        ({"r": (0.5, 0.01), "songs": (96, 0), "new": (1, 0)}, "difference in new"),
    ],
)
def test_other_numbers_fail(expected, numbers, message):
    with pytest.raises(AssertionError, match=message):
        lesson.check_numbers("02", numbers)
    with pytest.raises(AssertionError, match="notebook 03"):
        lesson.check_numbers("03", numbers)


def test_other_data_has_no_expected_numbers(expected, monkeypatch, capsys):
    monkeypatch.setenv("MER_DATA", "elsewhere")
    lesson.check_numbers("02", {"r": (7, 0)})
    assert "no expected numbers" in capsys.readouterr().out


@pytest.mark.parametrize("named", [None, "", " ", "mini"])
def test_an_empty_variable_and_mini_name_the_embedded_corpus(named, expected, monkeypatch, capsys):
    if named is not None:
        monkeypatch.setenv("MER_DATA", named)
    assert chosen_data() == "mini"
    assert lesson.corpus().features.shape[1] == 260
    lesson.check_numbers("02", {"r": (0.5, 0.01), "songs": (96, 0)})
    printed = capsys.readouterr().out
    assert "SYNTHETIC" in printed
    assert "All 2 key numbers" in printed
    explore.library()
    assert "SYNTHETIC" in capsys.readouterr().out
    with pytest.raises(DataError, match="MER_DATA: expected the name of a folder"):
        deam_folder()


@pytest.mark.parametrize("named", ["~/my data/$1 #2", "my data/$1 #2", "{}/my data/$1 #2"])
def test_a_named_folder_may_be_relative_or_at_home_and_have_blanks(named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("MER_DATA", named.format(tmp_path))
    assert chosen_data() == str(tmp_path / "my data" / "$1 #2")


def test_differences_are_those_of_each_songs_scores_over_the_seeds_that_both_have(monkeypatch):
    levels = ["system", "features", "output", "protocol", "seed", "song_id", "dimension"]
    rows = {
        (system, "FS1", "raw", "CV", seed, song, dimension): value + song / 10
        for system, seeds in {"a": (0, 1, 2), "b": (0, 1)}.items()
        for seed in seeds
        for song in (1, 2, 3)
        for dimension, value in {"valence": seed + (system == "a") * song, "arousal": 0.0}.items()
    }
    scores = pd.Series(rows).rename_axis(levels).to_frame("rmse")
    monkeypatch.setattr(lesson, "_songs_of", lambda data: scores)
    table = lesson.differences({"a - b": (("a", "raw"), ("b", "raw"))})
    assert table["value"].round(10).tolist() == [2.0, 0.0]
    assert table["group"].tolist() == ["valence", "arousal"]
    assert table["songs"].tolist() == [3, 3]
    assert table["low"].iloc[0] < 2 < table["high"].iloc[0]


THREADS = """
import torch
from threadpoolctl import threadpool_info
from workbook import lesson
lesson.kind()
print(torch.get_num_threads(), max(pool["num_threads"] for pool in threadpool_info()))
"""


@pytest.mark.parametrize(("chosen", "printed"), [(None, "1 1"), ("2", "2 2")])
def test_lessons_compute_on_one_thread_unless_the_reader_chose_a_number(chosen, printed):
    if chosen and os.cpu_count() < 2:
        pytest.skip("this machine has one core")
    others = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    chosen = {"OMP_NUM_THREADS": chosen} if chosen else {}
    command = [sys.executable, "-c", THREADS]
    done = subprocess.run(command, env=others | chosen, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed

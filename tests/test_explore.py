"""The explorer's logic, and its page of widgets without a browser."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import replace

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import soundfile
from matplotlib import pyplot as plt

from conftest import ROOT
from mer_core import load_corpus
from mer_core.files import DataError
from mer_core.retrieval import search_profile
from workbook import explore
from workbook.explore import page
from workbook.widgets import FileDrop, Player

RATE = 44_100


def a_file(samples: np.ndarray, kind: str = "WAV", *, rate: int = RATE) -> bytes:
    with io.BytesIO() as file:
        soundfile.write(file, samples, rate, format=kind)
        return file.getvalue()


def a_tone(seconds: float = 1.0) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)


@pytest.fixture(scope="module")
def corpus():
    """Twelve songs of each split: enough to search and to train on."""
    mini = load_corpus("mini")
    return mini.select(mini.songs.groupby("split").head(12).index)


@pytest.fixture
def opened(corpus):
    return page.Page(corpus)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where temporary files go, so that what is left of them can be seen."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def send(drop: FileDrop, name: str, data: bytes, *, piece: int = 2**20) -> str:
    drop._take(drop, {"name": name, "size": len(data)}, [])
    for start in range(0, len(data), piece):
        drop._take(drop, {}, [memoryview(data[start : start + piece])])
    return drop.message


def test_audio_files_are_read_and_leave_nothing_behind(folder):
    for kind in ("WAV", "FLAC", "OGG", "MP3"):
        samples, rate = explore.read_upload(f"a tone.{kind}", a_file(a_tone(), kind))
        assert rate == RATE
        assert np.abs(samples).max() == pytest.approx(0.3, abs=0.02)
    assert not list(folder.iterdir())


tone = a_file(a_tone())
BAD = {
    "text": ("notes.txt", b"la la la", r"an audio file .* found \.txt"),
    "no suffix": ("song", tone, "a name without a suffix"),
    "empty": ("song.wav", b"", "an empty file"),
    "garbage": ("song.mp3", bytes(range(256)) * 20, "can't be decoded"),
    "another kind": ("song.wav", b"%PDF-1.7 " + bytes(5000), "can't be decoded"),
    "cut": ("song.ogg", a_file(a_tone(3), "OGG")[:6000], "breaks off"),
    "cut wav": ("song.wav", tone[:20_000], "breaks off"),
    "silence": ("song.wav", a_file(np.zeros(RATE)), "silence from start to end"),
    "almost silence": ("song.wav", a_file(1e-5 * a_tone()), "silence"),
    "too short": ("song.wav", a_file(a_tone(0.03)), "at least 0.06 s"),
    "too long": ("song.flac", a_file(np.zeros(RATE * 700), "FLAC"), "found 11.7 minutes"),
    "a path": ("../../etc/passwd", tone, "a name without a suffix"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_song_is_told_in_words(case, folder):
    name, data, message = BAD[case]
    with pytest.raises(DataError, match=message) as error:
        explore.read_upload(name, data)
    assert str(error.value).startswith(name)
    assert str(folder) not in str(error.value)
    assert not list(folder.iterdir())


def test_what_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("workbook.explore.own_song.MOST_BYTES", len(tone) - 1)
    with pytest.raises(DataError, match=r"up to 0 MB of audio, found 0\.1 MB"):
        explore.read_upload("song.wav", tone)
    drop = FileDrop(lambda *_: pytest.fail("not to be taken"), suffixes=[], limit=2**20)
    drop._take(drop, {"name": "long.wav", "size": 5 * 2**20}, [])
    assert drop.message.startswith("long.wav: expected at most 1 MB, found 5 MB")
    drop._take(drop, {"name": "liar.wav", "size": 3}, [b"more than three"])
    drop._take(drop, {}, [b"a piece without a file"])
    assert drop.message == "Listening to liar.wav ..."


def test_a_dropped_file_arrives_whole_whatever_the_pieces():
    heard = []
    drop = FileDrop(lambda name, data: heard.append((name, data)) or "good", suffixes=[], limit=100)
    for piece in (1, 30, 100):
        assert send(drop, "a.wav", bytes(range(100)), piece=piece) == "good"
    assert heard == [("a.wav", bytes(range(100)))] * 3
    assert send(drop, "b.wav", b"") == "good"


def test_whatever_reading_raises_becomes_a_message():
    def fail(name: str, data: bytes) -> str:
        raise {"a": DataError("a", "sound", "none"), "b": MemoryError("secret")}[name]

    drop = FileDrop(fail, suffixes=[".wav"], limit=9)
    assert send(drop, "a", b"x") == "a: expected sound, found none"
    assert send(drop, "b", b"x") == "b can't be used (MemoryError). Try another file."


def test_the_library_says_what_it_is(monkeypatch, capsys, deam):
    monkeypatch.setenv("MER_DATA", str(deam))
    assert len(explore.library().songs) == 11
    assert "DEAM, from MER_DATA; 11 songs, " in capsys.readouterr().out


@pytest.mark.parametrize("band", [None, 0.1])
def test_a_match_is_drawn_moment_by_moment_and_warped(corpus, band):
    labels = corpus.labels
    profile = labels.loc[labels.index[0][0]].iloc[4:24][["arousal"]]
    profile.index = 0.5 * np.arange(20)
    piece = search_profile(labels, profile, 2, method="dtw").iloc[1]
    curve = explore.piece_of(labels, piece)
    assert len(curve) == len(profile)
    assert explore.shifted(profile, piece["start"]).index.equals(curve.index)
    figure = explore.draw_match(profile, curve, band=band)
    (ax,) = figure.axes
    assert ax.get_title() == "arousal"
    assert np.allclose(ax.lines[-2].get_ydata(), profile["arousal"])
    assert np.allclose(ax.lines[-1].get_ydata(), curve["arousal"])
    assert len(ax.lines) - 2 >= len(profile)
    plt.close(figure)


def test_pointing_lists_the_nearest_songs_and_plays_the_chosen_one(opened, corpus):
    means = corpus.labels.groupby("song_id").mean()
    opened.picker.set_trait("valence", 0.4)
    opened.picker.set_trait("arousal", -0.3)
    distance = np.hypot(means["valence"] - 0.4, means["arousal"] + 0.3)
    answer = opened.answers["point"]
    assert answer.rows["song_id"].tolist() == distance.nsmallest(8).index.tolist()
    assert corpus.songs.title[distance.idxmin()] in answer.list.options[0][0]
    answer.list.value = 0
    (player,) = answer.shown.children
    assert isinstance(player, Player)
    assert player.title == corpus.songs.title[distance.idxmin()]
    opened.kind.value = page.MOMENTS
    assert answer.list.value is None
    assert answer.rows["song_id"].is_unique
    assert answer.rows["start"].min() >= 15


@pytest.mark.parametrize("method", page.METHODS.values())
def test_drawing_lists_the_songs_that_follow_and_shows_why(opened, corpus, method):
    song_id = corpus.labels.index[0][0]
    opened.method.value, opened.length.value = method, 10
    opened.drawing.profile = corpus.labels.loc[song_id].iloc[5:25].set_axis(np.arange(20) / 2)
    answer = opened.answers["draw"]
    assert answer.rows.loc[0, ["song_id", "start", "distance"]].tolist() == [song_id, 17.5, 0]
    answer.list.value = 0
    picture, player = answer.shown.children
    assert bytes(picture.value).startswith(b"\x89PNG")
    assert (player.start, player.end) == (17.5, 27.5)
    assert [track["name"] for track in player.tracks] == ["rated", "drawn"]


def test_one_dimension_is_enough_and_a_text_explains_what_cannot_be_listed(opened, corpus):
    answer = opened.answers["draw"]
    assert "Draw valence" in answer.children[0].value
    opened.drawing.arousal = [0.5] * 30
    answer.list.value = 0
    assert [track["name"] for track in answer.shown.children[1].tracks] == ["rated"]
    short = corpus.labels[corpus.labels.groupby("song_id").cumcount() < 20]
    opened.curves = page.Curves.of(short)
    opened.drawing.arousal = [0.4] * 30
    assert "a song of 30 frames or more" in answer.children[0].value


def test_a_song_of_ones_own_gets_a_curve_and_neighbours_and_the_page_outlives_bad_ones(opened):
    assert "found .txt" in send(opened.drop, "<script>.txt", b"x")
    assert "can't be decoded" in send(opened.drop, "a.mp3", bytes(3000))
    message = send(opened.drop, "a tone.wav", a_file(a_tone(3)))
    assert message.startswith("a tone.wav (0:03): valence ")
    assert "note: unlike the training songs" in message
    picture, player, *_ = opened.answers["own"].children
    assert player.tracks[0]["name"] == "predicted"
    images = [column.children[0] for column in picture.children]
    assert all(isinstance(image, ipywidgets.Image) for image in images)
    assert len(opened.answers["own"].rows) == 8


def test_a_song_without_audio_is_shown_without_sound_and_text_is_no_markup(opened, monkeypatch):
    monkeypatch.setitem(opened.corpus.songs, "audio", None)
    opened.answers["point"].list.value = 0
    (text,) = opened.answers["point"].shown.children
    assert "no audio" in text.value
    assert page._text("<b>a & b</b>").value == "&lt;b&gt;a &amp; b&lt;/b&gt;"


def test_the_page_is_set_up_for_this_machine_alone():
    settings = json.loads((ROOT / "app" / "voila.json").read_text())
    assert settings["Voila"]["ip"] == "127.0.0.1"
    assert settings["VoilaConfiguration"]["file_allowlist"] == []
    notebook = json.loads((ROOT / "app" / "explore.ipynb").read_text())
    assert not any(cell.get("outputs") for cell in notebook["cells"])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, ""])
def test_songs_without_title_and_artist_are_listed_by_their_id(corpus, missing):
    songs = corpus.songs.assign(title=missing, artist=None)
    shown = page.Page(replace(corpus, songs=songs))
    first, ids = songs.index[0], set(songs.index.astype(str))
    found = explore.describe_pieces(pd.DataFrame({"song_id": [first]}), shown.corpus)
    assert found.loc[0, ["title", "artist"]].tolist() == [str(first), "artist unknown"]
    options = shown.answers["point"].list.options
    listed = [label.split(": ")[1].split(", ")[:2] for label, _ in options]
    assert len(listed) == 8
    assert all(title in ids and artist == "artist unknown" for title, artist in listed)
    assert shown._play(pd.Series({"song_id": first, "start": 0.0}))[-1].title == str(first)

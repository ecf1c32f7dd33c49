"""VGMIDI: labels and ratings from JSON, audio from MIDI, and what can be wrong with them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conftest import SHARED
from mer_core import load_corpus
from mer_core.datasets import vgmidi
from mer_core.files import DataError

MIDI = b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\x0d\0\x90\x3c\x64\x83\0\x80\x3c\0\0\xff\x2f\0"
"""One note of 2 s."""
NAMES = ["Series_PC_Some Game_First.mid", "Other_PC_Second.mid"]
FILE = "labelled/annotations/vgmidi_raw_1.json"


def content() -> dict[str, dict]:
    """Two pieces of 3 s with three and two measures, two raters each."""
    pieces = {
        f"piece{k}": {"name": f"Title {k}", "midi": name, "duration": 3, "measures": measures}
        for k, name, measures in zip((4, 7), NAMES, (3, 2))
    }
    rating = {"valence": [0.5, -0.5, 0.1], "arousal": [0, 1, -1]}
    other = {"valence": [0.1, -0.1, 0.3], "arousal": [0.2, 0, 0]}
    short = {name: values[:2] for name, values in rating.items()}
    annotations = {"piece4_1": rating, "piece4_12": other, "piece7_1": short, "piece7_2": short}
    return {"pieces": pieces, "annotations": annotations}


def make_vgmidi(folder: Path) -> None:
    for name in ("annotations", "midi"):
        (folder / "labelled" / name).mkdir(parents=True)
    for name in NAMES:
        (folder / "labelled/midi" / name).write_bytes(MIDI)
    (folder / FILE).write_text(json.dumps(content()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_vgmidi(tmp_path)
    return tmp_path


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_labels_are_means_over_raters_of_each_measure(folder, cached):
    corpus = load_corpus(folder)
    assert list(corpus.songs.index) == [1004, 1007]
    assert list(corpus.ratings.index.unique("rater")) == [1, 12, 2]
    first = corpus.labels.loc[1004]
    assert list(first.index) == [0, 0.5, 1, 1.5, 2, 2.5]
    np.testing.assert_allclose(first["valence"], np.repeat([0.3, -0.3, 0.2], 2))
    np.testing.assert_allclose(first["arousal"], np.repeat([0.1, 0.5, -0.5], 2))
    assert list(corpus.labels.loc[1007, "valence"]) == 3 * [0.5] + 3 * [-0.5]
    assert corpus.songs.loc[1004, "valence"] == pytest.approx(0.2 / 3)
    assert corpus.songs.loc[1004, "artist"] == "Some Game"
    assert corpus.songs["artist"].isna().tolist() == [False, True]
    assert corpus.songs["audio"].isna().all()


@pytest.mark.skipif(not all(map(shutil.which, ("fluidsynth", "ffmpeg"))), reason="needs FluidSynth")
def test_features_are_rendered_once_when_they_are_used(folder, cached, monkeypatch):
    corpus = load_corpus(folder)
    assert not cached.exists()
    features = corpus.select([1007]).features
    assert features.loc[1007].shape == (6, 260)
    assert len(list((cached / "mer_core/rendered").iterdir())) == 1
    assert len(corpus.features) == 12
    corpus.validate()
    monkeypatch.setattr(vgmidi.render, "render", lambda *_, **__: pytest.fail("rendered again"))
    again = load_corpus(folder)
    assert again.songs["audio"].notna().all()
    assert again.features.equals(corpus.features)


def test_without_fluidsynth_labels_load_and_features_say_what_is_missing(
    folder, cached, monkeypatch
):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("SOUND_FONT", str(folder / FILE))
    corpus = load_corpus(folder)
    assert len(corpus.labels) == 12
    with pytest.raises(DataError, match="fluidsynth: expected the program fluidsynth"):
        _ = corpus.features


@pytest.mark.skipif(not all(map(shutil.which, ("fluidsynth", "ffmpeg"))), reason="needs FluidSynth")
def test_a_file_that_is_not_midi_is_reported_and_the_others_are_kept(folder, cached):
    (folder / "labelled/midi" / NAMES[0]).write_text("no MIDI")
    with pytest.warns(UserWarning, match=r"1 of 2 pieces can't be rendered: .*First.mid"):
        features = load_corpus(folder).features
    assert list(features.index.unique("song_id")) == [1007]


def piece(**values: object) -> Callable[[dict], object]:
    return lambda data: data["pieces"]["piece4"].update(values)


def rating(name: str, values: object) -> Callable[[dict], object]:
    return lambda data: data["annotations"]["piece4_1"].update({name: values})


CHANGES: dict[str, tuple[Callable[[dict], object], list[str]]] = {
    "a path that leaves the folder": (
        piece(midi="../x.mid"),
        ["piece4", "the name of a file", "'../x.mid'"],
    ),
    "a piece without its MIDI file": (piece(midi="lost.mid"), ["piece4", "'lost.mid'", "none"]),
    "a rater without a measure": (
        rating("arousal", [0, 1]),
        ["piece4_1", "3 values of arousal", "found 2"],
    ),
    "a rater without arousal": (rating("arousal", None), ["piece4_1", "arousal", "none"]),
    "a value beyond 1": (rating("valence", [0, 0, 1.5]), ["piece4_1, valence", "[-1, 1]", "1.5"]),
    "a missing value": (rating("valence", [0, 0, None]), ["piece4_1, valence", "finite numbers"]),
    "a value as text": (rating("valence", [0, 0, "1"]), ["piece4_1, valence", "numbers"]),
    "no duration": (piece(duration=None), ["piece4", "duration", "None"]),
    "half a measure": (piece(measures=2.5), ["piece4", "whole number of measures", "2.5"]),
    "no name": (piece(name=7), ["piece4", "name and midi as text", "7"]),
    "a rater twice": (
        lambda data: data["annotations"].update({"piece4_01": data["annotations"]["piece4_1"]}),
        ["every rater of a piece once", "piece4_01"],
    ),
    "a piece twice": (
        lambda data: (
            data["pieces"].update({"piece04": data["pieces"]["piece4"]})
            or data["annotations"].update({"piece04_1": data["annotations"]["piece4_1"]})
        ),
        ["every piece once", "two of number 4"],
    ),
    "a rater of no piece": (
        lambda data: data["annotations"].update({"piece9_1": {}}),
        ["annotations '<piece>_<rater>'", "'piece9_1'"],
    ),
    "a piece without raters": (
        lambda data: [data["annotations"].pop(f"piece7_{k}") for k in (1, 2)],
        ["piece7", "raters", "none"],
    ),
    "a piece by another name": (
        lambda data: data["pieces"].update({"song": {}}),
        ["'piece<n>'", "'song'"],
    ),
    "no pieces": (lambda data: data.pop("pieces"), ["'pieces'"]),
    "an empty object": (
        lambda data: [data[name].clear() for name in ("pieces", "annotations")],
        ["pieces in vgmidi_raw_<n>.json", "none"],
    ),
}
BAD: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "JSON that ends early": (
        lambda folder: (folder / FILE).write_text((folder / FILE).read_text()[:-20]),
        ["vgmidi_raw_1.json", "annotations as JSON"],
    ),
    "a key twice": (
        lambda folder: (folder / FILE).write_text(
            (folder / FILE).read_text().replace("piece4_12", "piece4_1")
        ),
        ["vgmidi_raw_1.json", "annotations as JSON", "'piece4_1' more than once"],
    ),
    **{
        name: (lambda folder, change=change: rewrite(folder / FILE, change), words)
        for name, (change, words) in CHANGES.items()
    },
}
"""Held to their messages in test_datasets."""


def rewrite(path: Path, change: Callable[[dict], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_the_real_pieces_have_about_thirty_raters_and_unrelated_dimensions():
    if not (SHARED / "vgmidi/labelled").is_dir():
        pytest.skip("needs VGMIDI in ../shared/vgmidi, which is not part of the repository")
    corpus = load_corpus(SHARED / "vgmidi")
    raters = corpus.ratings.groupby(level=["song_id", "rater"]).size().groupby("song_id").size()
    assert (len(corpus.songs), raters.min(), raters.max()) == (160, 28, 32)
    assert abs(corpus.songs["valence"].corr(corpus.songs["arousal"])) < 0.1

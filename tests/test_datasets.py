"""Data sets recognised by layout: PMEmo, emoMusic, the task's labels, a folder of one's own."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import test_vgmidi
from conftest import ROOT, SHARED
from layout import SONGS
from mer_core import evaluation, load_corpus, models
from mer_core.__main__ import main
from mer_core.corpus import Corpus
from mer_core.datasets import emomusic, pmemo, recognise
from mer_core.files import DataError, DataWarning
from mer_core.metrics import rmse
from test_vgmidi import make_vgmidi


def make_pmemo(folder: Path) -> None:
    """Two songs; the static labels as released, from 0 to 1."""
    (folder / "annotations").mkdir(parents=True)
    for kind, name in {"mean": "", "std": "_std"}.items():
        rows = [f"{k},{t},0.{k},0.75" for k in (1, 4) for t in (15.5, 16.0, 16.5)]
        head = f"musicId,frameTime,Arousal({kind}),Valence({kind})"
        write(folder / f"annotations/dynamic_annotations{name}.csv", head, *rows)
    static = "musicId,Arousal(mean),Valence(mean)"
    write(folder / "annotations/static_annotations.csv", static, "1,0.5,1", "4,0,0.25")
    head = "musicId,fileName,title,artist,album,duration"
    write(folder / "metadata.csv", head, '1,1.mp3,"One, two",A,B,32.1', "9,9.mp3,C,D,,30")


def make_emomusic(folder: Path) -> None:
    """Songs 2 and 3 as released."""
    (folder / "annotations").mkdir(parents=True)
    for dimension, value in {"valence": 0.5, "arousal": -0.25}.items():
        for kind in ("average", "std"):
            rows = [f"{k},{abs(value) if kind == 'std' else value},0.125" for k in (2, 3)]
            head = "song_id,sample_15000ms,sample_15500ms"
            write(folder / f"annotations/{dimension}_cont_{kind}.csv", head, *rows)
    head = "song_id,mean_arousal,std_arousal,mean_valence,std_valence"
    write(folder / "annotations/static_annotations.csv", head, "2,1,0,9,0", "3,5,0,7,0")
    head = '"song_id","file_name","Artist","Song title","Genre","Mediaeval 2013 set"'
    rows = ['2,"\t2.mp3","A\t","\tB","\tBlues\t","development"', "3,3.mp3,A,C,Pop,evaluation"]
    write(folder / "songs_info.csv", head, *rows)


def make_own(folder: Path, *, seconds: float = 2.0) -> None:
    """Audio of two songs and labels of 2 s."""
    folder.mkdir()
    for seed, name in enumerate(("1", "my song")):
        noise = 0.1 * np.random.default_rng(seed).normal(size=int(44100 * seconds))
        soundfile.write(folder / f"{name}.wav", noise, 44100)
    rows = [
        f"{k},{t},{v},0.5" for k, v in (("1", -0.5), ("my song", 0.5)) for t in (0, 0.5, 1, 1.5)
    ]
    write(folder / "labels.csv", "song_id,time,valence,arousal", *rows)


def write(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return tmp_path / "data"


def load_noted(folder: Path, *notes: str) -> Corpus:
    """Load a corpus; each of these notes is given, and no other."""
    with pytest.warns(DataWarning) as caught:
        corpus = load_corpus(folder)
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == len(notes)
    assert all(any(re.search(note, text) for text in texts) for note in notes), texts
    return corpus


def test_pmemo_is_converted_from_0_to_1(made):
    make_pmemo(made)
    corpus = load_noted(made, "dynamic.*converted from .0, 1.", "static.*converted from .0, 1.")
    assert recognise(made) == "PMEmo"
    np.testing.assert_allclose(corpus.labels.loc[(4, 15.5)], [0.5, -0.2])
    np.testing.assert_allclose(
        corpus.songs.loc[4, ["valence", "arousal"]].astype(float), [-0.5, -1]
    )
    assert corpus.songs.loc[1, "title"] == "One, two"
    assert corpus.songs.loc[1, "duration"] == 32.1
    assert list(corpus.songs.index) == [1, 4]
    np.testing.assert_allclose(pmemo.deviations(made).loc[(1, 16.0)], [1.5, 0.2])


def test_emomusic_has_its_own_division(made):
    make_emomusic(made)
    corpus = load_noted(made, r"converted from \[1, 9\]")
    assert list(corpus.songs["split"]) == ["dev", "test"]
    assert list(corpus.songs.loc[2, ["title", "artist", "genre"]]) == ["B", "A", "Blues"]
    assert list(corpus.songs.loc[2, ["valence", "arousal"]]) == [1, -1]
    assert list(corpus.labels.loc[(3, 15.0)]) == [0.5, -0.25]
    assert list(emomusic.deviations(made).loc[(2, 15.0)]) == [0.5, 0.25]


def test_emomusic_without_averages_has_labels_of_whole_songs(made):
    make_emomusic(made)
    for name in ("valence", "arousal"):
        (made / f"annotations/{name}_cont_average.csv").unlink()
    corpus = load_noted(made, r"converted from \[1, 9\]", "no labels over time")
    assert corpus.labels.empty
    assert corpus.songs["valence"].notna().all()


def test_two_wide_files_are_enough(deam, made):
    made.mkdir()
    for path in deam.glob("annotations/annotations averaged*/dynamic*/*.csv"):
        shutil.copy(path, made)
    corpus = load_corpus(made)
    assert recognise(made) == "labels of MediaEval 2015"
    assert list(corpus.songs.index) == SONGS
    assert corpus.labels.equals(load_corpus(deam).labels)


def test_features_of_audio_are_extracted_once(deam, cached, monkeypatch):
    shutil.rmtree(deam / "features")
    (deam / "MEMD_audio").mkdir()
    noise = 0.1 * np.random.default_rng(0).normal(size=round(24.4 * 44100))
    for song_id in SONGS[:9]:
        soundfile.write(deam / f"MEMD_audio/{song_id}.wav", noise, 44100)
    with pytest.warns(DataWarning, match="9 labels at the end of 9 songs"):
        corpus = load_corpus(deam)
    assert "features" not in vars(corpus.split("dev"))
    assert set(corpus.split("test").features.index.unique("song_id")) == {2001}
    corpus.features  # noqa: B018 - extracts
    corpus.validate()
    monkeypatch.setattr("mer_core.features.batch._extract", lambda *_: pytest.fail("not cached"))
    with pytest.warns(DataWarning, match="labels at the end"):
        assert load_corpus(deam).features.equals(corpus.features)


def test_the_page_shows_how_to_load_a_folder_of_ones_own(made, cached, monkeypatch, capsys):
    make_own(made)
    page = (ROOT / "docs/datasets.md").read_text()
    code = re.search(r"```python\n(from mer_core.*?)```", page, re.DOTALL)[1]
    assert code.count("\n") <= 10
    monkeypatch.chdir(made.parent)
    made.rename("my music")
    exec(code, {})
    assert "my song" in capsys.readouterr().out


def test_labels_of_whole_songs_need_no_time(made, cached):
    make_own(made)
    write(made / "labels.csv", "song_id,valence,arousal", "1,0.5,-0.5", "my song,-1,1")
    corpus = load_corpus(made)
    assert corpus.labels.empty
    assert corpus.songs.loc["my song", "arousal"] == 1
    assert set(corpus.features.index.unique("song_id")) == {"1", "my song"}


def test_audio_that_ends_before_its_labels_is_left_out(made, cached):
    make_own(made)
    soundfile.write(made / "1.wav", np.full(4410, 0.1), 44100)
    with pytest.warns(DataWarning, match="left out the audio of 1 songs, which ends before"):
        corpus = load_corpus(made)
    assert len(corpus.labels) == 8
    assert list(corpus.features.index.unique("song_id")) == ["my song"]


def edited(name: str, *changes: tuple[str, str]) -> Callable[[Path], None]:
    """Replaces text in a file of a folder."""

    def change(folder: Path) -> None:
        for old, new in changes:
            text = (folder / name).read_text()
            assert old in text
            (folder / name).write_text(text.replace(old, new))

    return change


LABELS = "labels.csv"
BAD_OWN: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a value beyond 1": (edited(LABELS, ("-0.5", "-1.5")), ["labels", "[-1, 1]", "-1.5"]),
    "labels from 1 to 9": (
        edited(LABELS, (",-0.5,0.5", ",2,2"), (",0.5,0.5", ",8,8")),
        ["look like 1 to 9"],
    ),
    "a word for a value": (edited(LABELS, ("-0.5", "low")), [LABELS, "number", "'low'"]),
    "an infinite value": (edited(LABELS, ("-0.5", "inf")), [LABELS, "number", "'inf' in row 1"]),
    "an empty cell": (edited(LABELS, ("-0.5", "")), [LABELS, "number", "None in row 1"]),
    "a row twice": (edited(LABELS, ("1,0.5,", "1,0,")), ["song_id and time once"]),
    "a row without a song": (edited(LABELS, ("my song,", ",")), ["song_id in every row"]),
    "a row with a cell too many": (
        edited(LABELS, ("-0.5,", "-0,5,")),
        [LABELS, "4 cells in every row", "5 in row 1"],
    ),
    "times on another grid": (edited(LABELS, (",1.5,", ",1.3,")), ["grid of 0.5 s"]),
    "songs by other names": (
        edited(LABELS, ("my song", "a"), ("\n1,", "\n2,")),
        ["song_ids that are names of audio files", "'1'"],
    ),
    "two tables": (lambda d: write(d / "more.csv", "a", "1"), ["VGMIDI", "PMEmo", "one CSV file"]),
    "a table without arousal": (edited(LABELS, ("arousal", "a")), ["song_id, time, val"]),
}
DYNAMIC, STATIC = "annotations/dynamic_annotations.csv", "annotations/static_annotations.csv"
BAD_PMEMO: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a value beyond 1": (edited(DYNAMIC, ("0.75", "1.75")), [DYNAMIC, "[0, 1]", "1.75"]),
    "a gap": (edited(DYNAMIC, (",16.0,", ",15.0,")), [DYNAMIC, "a row every 0.5 s"]),
    "a frame twice": (edited(DYNAMIC, (",16.0,", ",15.5,")), [DYNAMIC, "every row once"]),
    "no arousal": (edited(DYNAMIC, ("Arousal", "A")), [DYNAMIC, "Arousal(mean)"]),
    "an empty cell": (edited(DYNAMIC, ("0.75", "")), [DYNAMIC, "no empty cell"]),
    "static labels from 1 to 9": (edited(STATIC, ("0.5", "7")), [STATIC, "[0, 1]", "7"]),
    "a song twice in the metadata": (
        edited("metadata.csv", ("\n9,", "\n1,")),
        ["metadata.csv", "every musicId once"],
    ),
    "a song by name in the metadata": (
        edited("metadata.csv", ("\n9,", "\nx,")),
        ["metadata.csv", "whole number as musicId", "'x'"],
    ),
}
AVERAGE = "annotations/valence_cont_average.csv"
BAD_EMOMUSIC: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a song in one dimension": (
        edited(AVERAGE, ("\n3,", "\n4,")),
        ["both valence and arousal", "one of them in song 3"],
    ),
    "a mean of 0": (edited(STATIC, ("2,1,", "2,0,")), [STATIC, "[1, 9]", "song 2"]),
    "no curve of arousal": (
        lambda d: (d / AVERAGE.replace("valence", "arousal")).unlink(),
        ["arousal_cont_average.csv", "a file"],
    ),
}
BAD = {
    **{f"own folder: {k}": (make_own, *v) for k, v in BAD_OWN.items()},
    **{f"PMEmo: {k}": (make_pmemo, *v) for k, v in BAD_PMEMO.items()},
    **{f"emoMusic: {k}": (make_emomusic, *v) for k, v in BAD_EMOMUSIC.items()},
    **{f"VGMIDI: {k}": (make_vgmidi, *v) for k, v in test_vgmidi.BAD.items()},
}


@pytest.mark.filterwarnings("ignore::mer_core.files.DataWarning")
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(made, name):
    make, breaks, words = BAD[name]
    make(made)
    breaks(made)
    with pytest.raises(DataError) as caught:
        load_corpus(made)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.filterwarnings("ignore::mer_core.files.DataWarning")
@pytest.mark.parametrize(("make", "name"), [(make_pmemo, "PMEmo"), (make_emomusic, "emoMusic")])
def test_check_describes_any_data_set(made, make, name, capsys):
    make(made)
    assert main(["check", str(made)]) == 0
    printed = capsys.readouterr().out
    assert f"data: {name}\n  songs: 2, 2 of them with curves\n  songs with audio: 0\n" in printed
    assert "from 15" in printed
    assert "Task 2015" not in printed


def test_the_constant_on_the_tasks_labels_in_irits_folds():
    folder = SHARED / "mediaeval2015_task"
    if not folder.is_dir():
        pytest.skip("needs the task's labels in ../shared, which are not part of the repository")
    corpus = load_corpus(folder)
    blank = pd.DataFrame({"none": 0.0}, corpus.labels.index)
    corpus = Corpus(corpus.songs, corpus.labels, blank)
    folds = evaluation.irit_folds()
    predictions = evaluation.cross_validate(models.Constant(), corpus, folds)
    labels = corpus.labels.loc[predictions.index]
    found = [rmse(labels[k], predictions[k]) for k in ("arousal", "valence")]
    assert np.round(found, 3).tolist() == [0.331, 0.352]

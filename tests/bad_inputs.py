"""Every named bad input of the tests, with what a user sees, as a page.

    python tests/bad_inputs.py

writes docs/bad_input.md. The cases stand in the tests that hold each of them to its message.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

import test_datasets
import test_deam
import test_features
import test_fetch
import test_main
import test_saved
from layout import make_deam
from mer_core import Corpus, agreement, evaluation, load_corpus, metrics, models
from mer_core.__main__ import _run
from mer_core.datasets.deam import unpack
from mer_core.features import extract, extract_all, read_audio
from mer_core.files import DataWarning
from mer_core.models.triplet import triplet_loss
from mer_core.smoothing import moving_average

PAGE = Path(__file__).parents[1] / "docs" / "bad_input.md"
LONGEST = 600
HEAD = """# What bad input is told

Whatever is wrong with a file or an argument, the message says where, what was expected and what was
found; the command line shows it after `error:`. The {count} cases here are those of the tests, and
this page is written from them: `python tests/bad_inputs.py`. Paths are relative to the folder that
was read. What stands behind "found" may come from a library, and read otherwise in another version
of it. Thousands of generated inputs more (`make stress`) have to end like this or be read.
"""


class Bad(NamedTuple):
    """A bad input and what brings its message about, with a folder to work in."""

    group: str
    name: str
    provoke: Callable[[Path], object]


def cases() -> list[Bad]:
    """All that the tests name."""
    return [
        *(Bad("A folder with DEAM", k, _deam(*v[:1])) for k, v in test_deam.BAD.items()),
        *(Bad("Another data set", k, _made(*v[:2])) for k, v in test_datasets.BAD.items()),
        *(Bad("An archive of DEAM", k, _archive(v[0])) for k, v in test_fetch.BAD.items()),
        *(Bad("An audio file", k, _audio(*v[:2])) for k, v in test_features.BAD.items()),
        Bad("An audio file", "a folder without any", extract_all),
        *(Bad("A folder of songs", k, v) for k, v in FOLDERS.items()),
        *(
            Bad(
                "A file for the result", f"predict --out: {k}", _output("predict", v[0], "song.wav")
            )
            for k, v in test_main.BAD_CURVES.items()
        ),
        *(
            Bad(
                "A file for the result",
                f"extract --out: {k}",
                _output("extract", v[0], "1.wav", v[2]),
            )
            for k, v in test_main.BAD_FOLDERS.items()
        ),
        *(
            Bad("Audio as an array", k, lambda _, v=v: read_audio(v[:2]))
            for k, v in test_features.BAD_ARRAYS.items()
        ),
        *(Bad("A saved model", k, _model(v[0])) for k, v in test_saved.BAD.items()),
        *(Bad("A corpus made by hand", k, _corpus(v)) for k, v in CORPORA.items()),
        *(Bad("An argument", k, lambda _, v=v: v()) for k, v in ARGUMENTS.items()),
    ]


def message(case: Bad) -> str:
    """What a user sees."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            case.provoke(Path(folder))
        except ValueError as error:
            text = str(error).replace(f"{folder}/", "").replace(folder, "music")
            text = " ".join(text.split())
            return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    raise AssertionError(f"{case.group}, {case.name}: expected to be refused, found accepted")


def page() -> str:
    """All groups as tables."""
    known, parts = cases(), []
    for group in dict.fromkeys(case.group for case in known):
        parts += [f"\n## {group}\n", "| what is wrong | message |", "|---|---|"]
        for case in known:
            if case.group == group:
                parts.append(f"| {_cell(case.name)} | {_cell(message(case))} |")
    return HEAD.format(count=len(known)) + "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    text = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    for mark in "\\|<>*_`[]":
        text = text.replace(mark, f"\\{mark}")
    return text


def _deam(spoil: Callable[[Path], object]) -> Callable[[Path], object]:
    def provoke(folder: Path) -> None:
        make_deam(folder / "DEAM")
        spoil(folder / "DEAM")
        load_corpus(folder / "DEAM")

    return provoke


def _made(make: Callable[[Path], None], spoil: Callable[[Path], object]) -> Callable:
    def provoke(folder: Path) -> None:
        make(folder / "data")
        spoil(folder / "data")
        load_corpus(folder / "data")

    return provoke


def _archive(content: bytes) -> Callable[[Path], object]:
    def provoke(folder: Path) -> None:
        (folder / "metadata.zip").write_bytes(content)
        unpack(folder / "metadata.zip", folder, "metadata")

    return provoke


def _audio(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def provoke(folder: Path) -> None:
        make(folder / name)
        read_audio(folder / name)

    return provoke


def _model(spoil: Callable[[Path], object]) -> Callable[[Path], object]:
    def provoke(folder: Path) -> None:
        path = folder / "m.safetensors"
        models.save(_fitted(), path)
        spoil(path)
        models.load(path)

    return provoke


def _corpus(change: Callable[[Corpus], dict]) -> Callable[[Path], object]:
    return lambda _: Corpus(**(vars(_mini()) | change(_mini()))).validate()


def _output(
    command: str, make: Callable[[Path], object], song: str, more: Iterable[str] = ()
) -> Callable[[Path], object]:
    def provoke(folder: Path) -> None:
        test_main.song(folder / song)
        out = make(folder)
        _run([command, str(folder / song), "--out", str(out), *more])

    return provoke


def _failure(names: Iterable[str]) -> Callable[[Path], object]:
    """What is told of the one song that fails; the others are kept."""

    def provoke(folder: Path) -> None:
        for name in names:
            test_main.song(folder / name)
        (why,) = extract_all(folder, cache=folder / ".cache", processes=1).failures
        raise ValueError(why)

    return provoke


def _in_subfolder(folder: Path) -> None:
    (folder / "CD1").mkdir()
    test_main.song(folder / "CD1" / "1.wav")
    extract_all(folder)


@cache
def _mini() -> Corpus:
    return load_corpus("mini").split("test")


@cache
def _fitted() -> models.Linear:
    return models.Linear().fit(_mini().features.iloc[:, :6], _mini().labels)


def _turned(frame: pd.DataFrame, value: object) -> pd.DataFrame:
    frame = frame.copy()
    frame.iloc[5, 1] = value
    return frame


def _fit(model: object, **changed: pd.DataFrame) -> object:
    given = {"features": _mini().features.iloc[:, :6], "labels": _mini().labels} | changed
    return model.fit(**given)


FOLDERS: dict[str, Callable[[Path], object]] = {
    "two files with the same name": _failure(["a.wav", "a.flac", "b.wav"]),
    "songs in subfolders alone": _in_subfolder,
    "no process": lambda folder: extract_all([folder / "1.wav"], processes=0),
}
CORPORA: dict[str, Callable[[Corpus], dict]] = {
    "another column among the songs": lambda c: {"songs": c.songs.assign(mood="sad")},
    "a song twice": lambda c: {"songs": pd.concat([c.songs, c.songs.iloc[:1]])},
    "a split of another name": lambda c: {"songs": c.songs.assign(split="train")},
    "labels from 1 to 9": lambda c: {"labels": 4 * c.labels + 5},
    "arousal before valence": lambda c: {"labels": c.labels[["arousal", "valence"]]},
    "labels that are text": lambda c: {"labels": c.labels.astype(str)},
    "features that are text": lambda c: {"features": c.features.astype(str)},
    "a label of NaN": lambda c: {"labels": _turned(c.labels, np.nan)},
    "an infinite feature": lambda c: {"features": _turned(c.features, np.inf)},
    "a label twice": lambda c: {"labels": pd.concat([c.labels, c.labels.iloc[:1]])},
    "labels of songs that aren't there": lambda c: {"songs": c.songs.iloc[1:]},
    "labels in another order": lambda c: {"labels": c.labels[::-1]},
    "index levels of other names": lambda c: {"labels": c.labels.rename_axis(["song", "t"])},
    "times between the half seconds": lambda c: {
        "labels": c.labels.rename(index=lambda time: time + 0.1, level="time")
    },
    "labels without features": lambda c: {"features": c.features.iloc[:-9]},
}
ARGUMENTS: dict[str, Callable[[], object]] = {
    "a task of another year": lambda: load_corpus("mini", task="2016"),
    "a side of another name": lambda: _mini().split("train"),
    "a side without songs": lambda: _mini().split("dev"),
    "a feature set of another name": lambda: extract((np.zeros(44_100), 44_100), ["chroma"]),
    "a window too short": lambda: extract((np.zeros(44_100), 44_100), window=0.004),
    "an even window of smoothing": lambda: moving_average(_mini().labels, 12),
    "smoothing of NaN": lambda: moving_average(_turned(_mini().labels, np.nan)),
    "smoothing of rows that stand twice": lambda: moving_average(
        pd.concat([_mini().labels] * 2), 13
    ),
    "arrays of unequal length": lambda: metrics.rmse([0.1, 0.2], [0.1]),
    "a metric of NaN": lambda: metrics.ccc([0.1, 0.2], [0.1, np.nan]),
    "labels without a prediction": lambda: metrics.score(_mini().labels, _mini().labels.iloc[1:]),
    "predictions without arousal": lambda: metrics.score(
        _mini().labels, _mini().labels[["valence"]]
    ),
    "predictions that stand twice": lambda: metrics.score(
        _mini().labels, pd.concat([_mini().labels] * 2)
    ),
    "ratings of NaN": lambda: agreement.cronbach_alpha(np.full((9, 3), np.nan)),
    "more folds than songs": lambda: evaluation.k_folds([1, 2, 3], k=10),
    "a single song to divide": lambda: evaluation.k_folds([1], k=2),
    "a scoreboard without development songs": lambda: evaluation.scoreboard({}, _mini(), folds=[]),
    "a model that isn't fitted": lambda: models.Linear().predict(_mini().features),
    "a network that isn't fitted": lambda: models.LSTM().predict(_mini().features),
    "saving what isn't fitted": lambda: models.save(models.Linear(), "m.safetensors"),
    "a column less than in training": lambda: _fitted().predict(_mini().features.iloc[:, :5]),
    "labels of songs without features": lambda: _fit(
        models.Linear(), features=_mini().features.iloc[:-9, :6]
    ),
    "a network trained on NaN": lambda: _fit(
        models.ElmanRNN(), features=_turned(_mini().features.iloc[:, :6], np.nan)
    ),
    "a network trained on rows that stand twice": lambda: _fit(
        models.ElmanRNN(), features=pd.concat([_mini().features.iloc[:, :6]] * 2)
    ),
    "a network trained on labels without valence": lambda: _fit(
        models.ElmanRNN(), labels=_mini().labels[["arousal"]]
    ),
    "songs to stop by without labels": lambda: models.LSTM().fit(
        _mini().features.iloc[:, :6], _mini().labels, validation=[-1]
    ),
    "a learning rate far too high": lambda: _fit(models.ElmanRNN(learning_rate=1e30, epochs=3)),
    "an output of another kind": lambda: models.ElmanRNN(output="tanh"),
    "pretraining of another kind": lambda: models.LSTM(pretrain="freeze"),
    "a paper of another year": lambda: models.LSTM.paper(2013),
    "an odd number of units both ways": lambda: models.BLSTM(hidden=(5,)),
    "pieces of no length": lambda: models.BLSTM(scale=0),
    "a fusion of another kind": lambda: models.MultiScaleBLSTM(fusion="vote"),
    "no triplets": lambda: triplet_loss(*(torch.zeros(0, 2) for _ in range(3))),
    "smoothing of one song's curve": lambda: moving_average(_mini().labels.loc[2001]),
    "a network trained on a song with a gap": lambda: _fit(
        models.ElmanRNN(), features=_mini().features.iloc[:, :6].drop((2001, 30.0))
    ),
    "features with pd.NA": lambda: _fit(
        models.Linear(),
        features=_turned(_mini().features.iloc[:, :6].astype("Float64"), pd.NA),
    ),
    "a feature twice": lambda: _fit(
        models.ElmanRNN(), features=_mini().features.iloc[:, [0, 1, 2, 0]]
    ),
    "audio that is missing": lambda: read_audio(np.nan),
    "labels that are True or False": lambda: metrics.score(_mini().labels > 0, _mini().labels),
    "masked values": lambda: metrics.rmse(np.ma.masked_less([0.1, 0.2], 0.15), [0.1, 0.2]),
    "times that are time differences": lambda: moving_average(
        _mini().labels.rename(index=lambda time: pd.Timedelta(time, "s"), level="time")
    ),
    "ranges of triplets that overlap": lambda: models.TripletNetwork(positive=0.4, negative=0.3),
}


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

"""Every named bad input of the tests, with what a user sees, as a page.

    python tests/bad_inputs.py

writes docs/bad_input.md. The tests define the cases and check that each is refused.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import test_corpus
import test_datasets
import test_deam
import test_features
import test_fetch
import test_main
import test_saved
import test_tracks
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
HEAD = """# Messages about bad input

If something is wrong with a file or an argument, the message has three parts: where, what was
expected, and what was found. The command line shows it after `error:`. The {count} cases here are
those of the tests; `python tests/bad_inputs.py` writes this page from them. Paths are relative to
the folder that was read. The words after "found" may come from a library and differ in another
version of it. Every function that takes a track checks it in the same way (here:
`moving_average`), and so does every metric with an array (here: `rmse`). Thousands of generated
inputs (`make stress`) are also read, or refused with such a message."""


def cases() -> dict[str, dict[str, Callable[[Path], object]]]:
    """What brings each message about, with a folder to work in, by group and name."""
    to_csv = {f"predict --out: {k}": v[0] for k, v in test_main.BAD_CURVES.items()}
    return {
        "A folder with DEAM": {k: _deam(v[0]) for k, v in test_deam.BAD.items()},
        "Another data set": {k: _made(*v[:2]) for k, v in test_datasets.BAD.items()},
        "An archive of DEAM": {k: _archive(v[0]) for k, v in test_fetch.BAD.items()},
        "An audio file": {k: _audio(*v[:2]) for k, v in test_features.BAD.items()}
        | {"a folder without any": extract_all},
        "A folder of songs": FOLDERS,
        "A file for the result": {k: _output("predict", v, "song.wav") for k, v in to_csv.items()}
        | {
            f"extract --out: {k}": _output("extract", v[0], "1.wav", v[2])
            for k, v in test_main.BAD_FOLDERS.items()
        },
        "Audio as an array": {
            k: lambda _, v=v: read_audio(v[:2]) for k, v in test_features.BAD_ARRAYS.items()
        },
        "A saved model": {k: _model(v[0]) for k, v in test_saved.BAD.items()},
        "A corpus made by hand": {k: _corpus(v[0]) for k, v in test_corpus.BROKEN.items()},
        "A track": {
            k: lambda _, change=change: moving_average(change(test_tracks.plain_track()), 3)
            for k, change in test_tracks.WRONG.items()
        },
        "An array": {
            k: lambda _, change=change: metrics.rmse(test_tracks.VALUES, change(test_tracks.VALUES))
            for k, change in test_tracks.WRONG_ARRAYS.items()
        },
        "An argument": {k: lambda _, v=v: v() for k, v in ARGUMENTS.items()},
    }


def message(provoke: Callable[[Path], object]) -> str:
    """What a user sees."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        with pytest.raises(ValueError, match="expected") as error:
            provoke(Path(folder))
        text = str(error.value).replace(f"{folder}/", "").replace(folder, "music")
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def page() -> str:
    """All groups as tables."""
    parts = [HEAD.format(count=sum(map(len, cases().values())))]
    for group, known in cases().items():
        rows = [f"| {_cell(name)} | {_cell(message(case))} |" for name, case in known.items()]
        parts.append(
            "\n".join([f"## {group}\n", "| what is wrong | message |", "|---|---|", *rows])
        )
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    text = "".join(k if k.isprintable() else "\N{REPLACEMENT CHARACTER}" for k in text)
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", text)


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


def _corpus(change: Callable[[Corpus], Corpus]) -> Callable[[Path], object]:
    def provoke(folder: Path) -> None:
        make_deam(folder / "DEAM")
        change(load_corpus(folder / "DEAM")).validate()

    return provoke


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


def _fit(model: object, **changed: pd.DataFrame) -> object:
    given = {"features": _mini().features.iloc[:, :6], "labels": _mini().labels} | changed
    return model.fit(**given)


FOLDERS: dict[str, Callable[[Path], object]] = {
    "two files with the same name": _failure(["a.wav", "a.flac", "b.wav"]),
    "songs in subfolders alone": _in_subfolder,
    "no process": lambda folder: extract_all([folder / "1.wav"], processes=0),
}
ARGUMENTS: dict[str, Callable[[], object]] = {
    "a task of another year": lambda: load_corpus("mini", task="2016"),
    "a side of another name": lambda: _mini().split("train"),
    "a side without songs": lambda: _mini().split("dev"),
    "a feature set of another name": lambda: extract((np.zeros(44_100), 44_100), ["chroma"]),
    "a window too short": lambda: extract((np.zeros(44_100), 44_100), window=0.004),
    "an even window of smoothing": lambda: moving_average(_mini().labels, 12),
    "arrays of unequal length": lambda: metrics.rmse([0.1, 0.2], [0.1]),
    "labels without a prediction": lambda: metrics.score(_mini().labels, _mini().labels.iloc[1:]),
    "predictions without arousal": lambda: metrics.score(
        _mini().labels, _mini().labels[["valence"]]
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
    "a network trained on a song with a gap": lambda: _fit(
        models.ElmanRNN(), features=_mini().features.iloc[:, :6].drop((2001, 30.0))
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
    "audio that is missing": lambda: read_audio(np.nan),
    "ranges of triplets that overlap": lambda: models.TripletNetwork(positive=0.4, negative=0.3),
}


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

"""A song of one's own: a file is read with care, an ensemble says how it feels."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core import features, models
from mer_core.corpus import Corpus
from mer_core.deam import load_corpus
from mer_core.evaluation import Regressor
from mer_core.features.audio import SAMPLE_RATE, SUFFIXES, duration, read_audio
from mer_core.features.levels import QUIETEST
from mer_core.files import DataError
from mer_core.metrics import DIMENSIONS
from mer_core.training import Job

MOST_BYTES = 50 * 2**20
"""Of a file that is dropped: some eight minutes of WAV, half an hour of MP3."""
LONGEST = 600.0
"""s that are listened to; features take about a tenth of it."""
EPOCHS = 20
"""Of each network: fewer than in lesson 03, so that nobody has to wait."""
WINDOW = 13
"""Frames of the running median of a model's answers."""


def read_upload(name: str, data: bytes) -> tuple[np.ndarray, int]:
    """Read a stranger's file as audio, or say in words what is wrong with it.

    Parameters
    ----------
    name : str
        The file's; its suffix says what it is.
    data : bytes
        Its contents. They lie on disk, in a folder that is removed, only while they are decoded.

    Returns
    -------
    samples, sample_rate
        As :func:`mer_core.features.extract` takes them.

    Raises
    ------
    DataError
        If it is too large, of another kind, no audio, damaged, longer than 10 minutes or silent.

    Warns
    -----
    DataWarning
        As :func:`mer_core.features.read_audio`, under the file's own name.

    Examples
    --------
    >>> read_upload("notes.txt", b"la la la")
    Traceback (most recent call last):
    mer_core.files.DataError: notes.txt: expected an audio file (.wav .flac .ogg ...), found .txt
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        kinds = f"an audio file ({' '.join(SUFFIXES[:3])} ...)"
        raise DataError(name, kinds, suffix or "a name without a suffix")
    if not 0 < len(data) <= MOST_BYTES:
        size = f"{len(data) / 2**20:.1f} MB" if data else "an empty file"
        raise DataError(name, f"up to {MOST_BYTES / 2**20:.0f} MB of audio", size)
    samples = _decoded(name, suffix, data)
    if np.abs(samples).max() < QUIETEST:
        raise DataError(name, "something to hear", "silence from start to end")
    return samples, SAMPLE_RATE


def _decoded(name: str, suffix: str, data: bytes) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"song{suffix}"
        path.write_bytes(data)
        try:
            seconds = duration(path)
            if not seconds <= LONGEST:
                length = f"{seconds / 60:.1f} minutes"
                raise DataError(name, f"up to {LONGEST / 60:.0f} minutes", length)
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always")
                samples = read_audio(path)
        except DataError as error:
            expected, found = (text.replace(str(path), name) for text in error.args[1:])
            raise DataError(name, expected, found) from None
    for note in notes:
        warnings.warn(str(note.message).replace(str(path), name), note.category, stacklevel=3)
    return samples


def teachers(corpus: Corpus) -> str:
    """Whose songs :func:`ensemble` learns from: "synthetic" ones, or "DEAM's"."""
    embedded = corpus.features.empty or "MER_DATA" not in os.environ
    return "synthetic" if embedded else "DEAM's"


def ensemble(corpus: Corpus, *, seeds: int = 5) -> list[Regressor]:
    """Train the models that listen to a song which nobody has rated: a few seconds.

    Parameters
    ----------
    corpus : Corpus
        Development songs with the features "compare" are trained on. A corpus without features is
        replaced by the embedded one.
    seeds : int
        Elman networks, which differ in first weights and order of songs; a linear model is added.

    Returns
    -------
    list of regressors
        seeds + 1 of them.

    References
    ----------
    Pellegrini and Barriere (2015). Notebooks 03 and 10.
    """
    known = load_corpus("mini") if corpus.features.empty else corpus
    dev = known.split("dev")
    inputs = features.choose(dev.features, ["compare"])
    jobs = [Job(inputs, dev.labels, seed=seed) for seed in range(seeds)]
    linear = models.Linear().fit(inputs, dev.labels)
    return [linear, *models.ElmanRNN(epochs=EPOCHS).fit_many(jobs)]


def predict_curve(
    members: Sequence[Regressor], track: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the members of an ensemble say of one song, and how far they disagree.

    Parameters
    ----------
    members : sequence of regressors
    track : DataFrame
        Features of one song.

    Returns
    -------
    curve, spread : DataFrame
        Index time in s, columns valence, arousal: the members' mean and standard deviation. Each
        answer is cut at -1 and 1 and is the median of the 13 frames around: no model has learned
        how songs begin, and what it says there is wild. A small spread says that they agree, not
        that they are right: all learned from the same songs.

    References
    ----------
    Notebook 10.
    """
    answers = [model.predict(track)[DIMENSIONS].clip(-1, 1) for model in members]
    calm = [answer.rolling(WINDOW, min_periods=1, center=True).median() for answer in answers]
    values, rows = (
        np.stack([answer.to_numpy() for answer in calm]),
        track.index.droplevel("song_id"),
    )
    parts = values.mean(axis=0), values.std(axis=0, ddof=1)
    return tuple(pd.DataFrame(part, rows, DIMENSIONS) for part in parts)

"""Several models that were trained on the same songs, for a song that nobody has rated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.datasets import load_corpus
from mer_core.features.sets import choose
from mer_core.metrics import DIMENSIONS
from mer_core.models.baselines import Linear
from mer_core.models.irit import ElmanRNN
from mer_core.training import Job

EPOCHS = 20
"""Of each network: fewer than in lesson 03, so that nobody has to wait."""
WINDOW = 13
"""Frames of the running median of a model's predictions."""


def ensemble(corpus: Corpus, *, seeds: int = 5) -> list:
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
    inputs = choose(dev.features, ["compare"])
    jobs = [Job(inputs, dev.labels, seed=seed) for seed in range(seeds)]
    linear = Linear().fit(inputs, dev.labels)
    return [linear, *ElmanRNN(epochs=EPOCHS).fit_many(jobs)]


def predict_curve(
    members: Sequence[object], track: pd.DataFrame
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

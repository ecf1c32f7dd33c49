"""Several models that are trained on the same songs, for a song without ratings."""

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
from mer_core.training import Dataset, Job

EPOCHS = 20
"""Of each network: fewer than in lesson 03, to be quick."""
WINDOW = 13
"""Frames of the running median of a model's predictions."""


def ensemble(corpus: Corpus, *, seeds: int = 5) -> list:
    """Train a linear model and several Elman networks, which takes a few seconds.

    Parameters
    ----------
    corpus : Corpus
        The development songs with the features "compare" are the training songs. A corpus without
        features is replaced by the embedded one.
    seeds : int
        Number of Elman networks, which differ in first weights and order of songs.
    """
    dev = (load_corpus("mini") if corpus.features.empty else corpus).split("dev")
    data = Dataset(choose(dev.features, ["compare"]), dev.labels)
    networks = ElmanRNN(epochs=EPOCHS).fit_many([Job(data, seed=seed) for seed in range(seeds)])
    return [Linear().fit(data.features, data.labels), *networks]


def predict_curve(
    members: Sequence[object], track: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean and standard deviation of the members' predictions of one song.

    Returns
    -------
    curve, spread : DataFrame
        Index time in s, columns valence, arousal. Each prediction is limited to -1 and 1 and is the
        median of the 13 frames around, since no model has learned how songs begin. A small spread
        says that the members agree, not that they are right: all learned from the same songs.
    """
    predictions = [model.predict(track)[DIMENSIONS].clip(-1, 1) for model in members]
    smooth = [p.rolling(WINDOW, min_periods=1, center=True).median() for p in predictions]
    values, rows = np.stack(smooth), track.index.droplevel("song_id")
    parts = values.mean(axis=0), values.std(axis=0, ddof=1)
    return tuple(pd.DataFrame(part, rows, DIMENSIONS) for part in parts)

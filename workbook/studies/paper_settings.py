"""The papers' own settings, as far as two cores compute them; docs/papers.md has the times."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.models import AELSTM, LSTM, VAELSTM, ElmanRNN, FoldEnsemble, SecondNetwork
from workbook.studies.regressors import (
    LEVELS,
    held_out_scores,
    predict,
    scores,
    with_features,
)
from workbook.studies.study import Frames, Levels, Study, Tables, labelled

WIDE = {"hidden": (200, 5), "noise": 0.5**0.5, "pretrain": "keep"}
NARROW = WIDE | {"hidden": (24, 5)}
DEEP = {"hidden": (200, 150, 25), "noise": 0.3, "pretrain": "retrain"}
PAPER_2014 = replace(LSTM.paper(2014), pretrain_epochs=10)
"""Neither paper says how long it pretrained; 100 epochs would take as long as the training."""
ENSEMBLES = {
    "LSTM 2014 run 4, five trials": (FoldEnsemble(network=LSTM(**NARROW)), "FS2"),
    "LSTM 2014 run 4, paper's size": (FoldEnsemble(network=LSTM(**WIDE)), "FS2"),
    "LSTM 2015 run 3, paper's size": (FoldEnsemble(network=LSTM(**DEEP), by="ccc", keep=2), "FS1"),
    "LSTM 2014 run 4, paper's setting": (FoldEnsemble(network=PAPER_2014), "FS2"),
}
"""The last has the paper's learning rate as well, the others those of class; five trials each."""
TRIALS = 5
NETWORKS = {
    "Elman, second network, paper's setting": (SecondNetwork.paper(), "FS1", ("all", "test")),
    "Elman, paper's setting": (ElmanRNN.paper(), "268", ("all", "test")),
    "VAE-LSTM, paper's setting": (VAELSTM.paper(), "mel", ("test",)),
    "AE-LSTM, paper's setting": (AELSTM.paper(), "mel", ("test",)),
}
"""Model, features, folds."""


def predict_trial(
    corpus: Corpus, *, setting: FoldEnsemble, features: str, trial: int
) -> pd.DataFrame:
    """Predict the held-out and the test songs by each of the ten networks of one trial.

    All are pretrained on the test songs' audio as well, and judged on the held-out songs, as in
    Coutinho et al. (2014, 2015), section 2. The index starts with a network's error.
    """
    corpus = with_features(corpus, features)
    dev, test = corpus.split("dev"), corpus.split("test")
    model = replace(setting, trials=1, keep=10, select="held-out", seed=trial)
    model.fit(dev.features, dev.labels, unlabelled=test.features)
    scored = pd.concat([dev.select(model.held_out_).features, test.features])
    errors = model.networks_[setting.by].sort_values(kind="stable")
    tracks = dict(zip(errors, (network.predict(scored) for network in model.members_)))
    return pd.concat(tracks, names=["error"])


def best_of_trials(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of the mean of the best networks of all trials."""
    groups: dict[tuple, list[pd.DataFrame]] = {}
    for (system, features, _), frame in frames.items():
        groups.setdefault((system, features, 0), []).append(frame)
    tracks = {}
    for label, parts in groups.items():
        networks = pd.concat(parts).sort_index(level="error", sort_remaining=False)
        best = networks.index.unique("error").sort_values()[: ENSEMBLES[label[0]][0].keep]
        tracks[label] = networks.loc[best].groupby(level=["song_id", "time"]).mean()
    return held_out_scores(corpus, tracks, levels)


def _networks() -> list:
    units = []
    for name, (setting, features, folds) in NETWORKS.items():
        for fold in folds:
            fixed = {"system": name, "protocol": "test" if fold == "test" else "CV"}
            lists = {"setting": [setting], "features": [features], "fold": [fold]}
            units += labelled(LEVELS, fixed, **lists, seed=range(3))
    return units


def _trials() -> list:
    units = []
    for name, (setting, features) in ENSEMBLES.items():
        lists = {"setting": [setting], "features": [features], "trial": range(TRIALS)}
        units += labelled(("system", "features", "trial"), {"system": name}, **lists)
    return units


STUDIES = {
    "paper_networks": Study(
        predict,
        _networks(),
        LEVELS,
        scores,
        ("paper_networks.csv", "paper_networks_songs.parquet"),
        cheapest=("Elman, paper's setting", "268", "test", 0),
    ),
    "paper_ensembles": Study(
        predict_trial,
        _trials(),
        ("system", "features", "trial"),
        best_of_trials,
        ("paper_ensembles.csv", "paper_ensembles_songs.parquet"),
    ),
}
"""On the embedded corpus, SYNTHETIC."""

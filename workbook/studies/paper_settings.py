"""The papers' own settings, as far as two cores compute them; docs/papers.md has the times."""

from __future__ import annotations

import copy
from dataclasses import replace

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.models import (
    AELSTM,
    CNNLSTM,
    LSTM,
    VAELSTM,
    Constant,
    DelayedLinear,
    ElmanRNN,
    FoldEnsemble,
    SecondNetwork,
)
from workbook.studies import real
from workbook.studies.regressors import (
    FILES,
    LEVELS,
    held_out_scores,
    predict,
    scores,
    with_features,
)
from workbook.studies.study import Frames, Levels, Study, Tables, Units, labelled

WIDE = {"hidden": (200, 5), "noise": 0.5**0.5, "pretrain": "keep"}
NARROW = WIDE | {"hidden": (24, 5)}
DEEP = {"hidden": (200, 150, 25), "noise": 0.3, "pretrain": "retrain"}
PAPERS = {year: replace(LSTM.paper(year), pretrain_epochs=10) for year in (2014, 2015)}
"""The papers do not say how long they pretrained; 100 epochs take half as long as training."""
ENSEMBLES = {
    "LSTM 2014 run 4": (FoldEnsemble(network=LSTM(**NARROW), trials=5), "FS2"),
    "LSTM 2014 run 4, paper's size": (FoldEnsemble(network=LSTM(**WIDE), trials=5), "FS2"),
    "LSTM 2014 run 4, paper's setting": (FoldEnsemble(network=PAPERS[2014], trials=5), "FS2"),
    "LSTM 2015 run 3, paper's size": (
        FoldEnsemble(network=LSTM(**DEEP), trials=5, by="ccc"),
        "FS1",
    ),
    "LSTM 2015 run 3, paper's setting": (
        FoldEnsemble(network=PAPERS[2015], trials=1, by="ccc"),
        "FS1",
    ),
}
"""The papers' settings with the papers' learning rates, the others at that of class."""
NETWORKS = {
    "Elman, second network, paper's setting": (SecondNetwork.paper(), "FS1", ("all", "test"), 3),
    "Elman, paper's setting": (ElmanRNN.paper(), "268", ("all", "test"), 3),
    "VAE-LSTM, paper's setting": (VAELSTM.paper(), "mel", ("test",), 1),
    "AE-LSTM, paper's setting": (AELSTM.paper(), "mel", ("test",), 1),
    "CNN-LSTM, paper's setting": (CNNLSTM.paper(), "mel", ("test",), 1),
}
"""Model, features, folds, seeds."""
ON_DEAM = {
    "constant": (Constant(), "FS1", ("all",)),
    real.BASE: (DelayedLinear(), "FS1", ("all",)),
    "Elman, paper's setting": (ElmanRNN.paper(), "FS1", ("all",)),
    "Elman, second network, paper's setting": (SecondNetwork.paper(), "FS1", ("all",)),
}
"""On DEAM's excerpts, REAL music: two simple systems, and networks in the paper's setting."""
WIDE_ON_DEAM = {
    "fold ensemble, paper's size": (
        FoldEnsemble(network=LSTM(**WIDE), trials=1),
        "FS2",
        range(10),
    ),
}
"""There too, with one seed."""


def predict_trial(
    corpus: Corpus, *, setting: FoldEnsemble, features: str, trial: int
) -> pd.DataFrame:
    """Predict the held-out and the test songs by each of the ten networks of one trial.

    They are pretrained on the test songs' audio too, and judged on the held-out songs (Coutinho et
    al., 2014, 2015, section 2). The index starts with a network's error.
    """
    corpus = with_features(corpus, features)
    dev, test = corpus.split("dev"), corpus.split("test")
    # A copy, since a network keeps the history of its pretraining.
    options = {"trials": 1, "keep": 10, "select": "held-out", "seed": trial}
    model = replace(copy.deepcopy(setting), **options)
    model.fit(dev.features, dev.labels, unlabelled=test.features)
    scored = pd.concat([dev.select(model.held_out_).features, test.features])
    errors = model.networks_[setting.by].sort_values(kind="stable")
    tracks = dict(zip(errors, (network.predict(scored) for network in model.members_)))
    return pd.concat(tracks, names=["error"])


def best_networks(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of the mean of the best networks: of the ten of each trial, and of all trials."""
    groups: dict[tuple, dict[int, pd.DataFrame]] = {}
    for (system, features, trial), frame in frames.items():
        groups.setdefault((system, features), {})[trial] = frame
    tracks = {}
    for (system, features), trials in groups.items():
        setting = ENSEMBLES[system][0]
        for trial, frame in trials.items():
            tracks[f"{system}, ten networks", features, trial] = _mean_of_best(frame, setting.keep)
        if len(trials) == setting.trials > 1:
            every = _mean_of_best(pd.concat(trials.values()), setting.keep)
            tracks[f"{system}, fifty networks", features, 0] = every
    return held_out_scores(corpus, tracks, levels)


def _mean_of_best(networks: pd.DataFrame, keep: int) -> pd.DataFrame:
    best = networks.index.unique("error").sort_values()[:keep]
    chosen = networks[networks.index.isin(best, level="error")]
    return chosen.groupby(level=["song_id", "time"]).mean()


def _networks() -> Units:
    units = []
    for name, (setting, features, folds, seeds) in NETWORKS.items():
        for fold in folds:
            fixed = {"system": name, "protocol": "test" if fold == "test" else "CV"}
            lists = {"setting": [setting], "features": [features], "fold": [fold]}
            units += labelled(LEVELS, fixed, **lists, seed=range(seeds))
    return units


def _trials() -> Units:
    units = []
    for name, (setting, features) in ENSEMBLES.items():
        lists = {"setting": [setting], "features": [features], "trial": range(setting.trials)}
        units += labelled(TRIALS, {"system": name}, **lists)
    return units


TRIALS = ("system", "features", "trial")
STUDIES = {
    "paper_networks": Study(
        predict,
        _networks(),
        LEVELS,
        scores,
        FILES,
        cheapest=("Elman, paper's setting", "268", "test", 0),
    ),
    "paper_ensembles": Study(
        predict_trial,
        _trials(),
        TRIALS,
        best_networks,
        FILES,
        cheapest=("LSTM 2014 run 4", "FS2", 0),
    ),
    "paper_deam": real.real_study(
        real.deam_excerpts,
        [*real.units_of(ON_DEAM), *real.units_of(WIDE_ON_DEAM, seeds=1)],
        cheapest=("constant", "FS1", 0),
    ),
}
"""On the embedded corpus, SYNTHETIC, and "paper_deam" on real music."""

"""Train on one data set, test on another; which rules of the composed corpus hold in both."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from mer_core.corpus import Corpus
from mer_core.features.sets import choose
from mer_core.metrics import DIMENSIONS
from mer_core.models import SVR, Constant, DelayedLinear, ElmanRNN
from mer_core.smoothing import moving_average
from workbook.intervals import intervals, metric_draws
from workbook.studies.real import CUES, DATA, all_music, joint_study, of_data
from workbook.studies.regressors import with_seed
from workbook.studies.study import (
    FEATURE_SETS,
    Frames,
    Levels,
    Tables,
    Units,
    by_seed,
    framed,
    labelled,
    study_of,
)
from workbook.valence import correlation, interval, moments, song_counts

SYSTEMS = {
    "constant": Constant(),
    "linear": DelayedLinear(delays=(0,), windows=(1,)),
    "delayed linear": DelayedLinear(),
    "SVR": SVR(),
    "Elman": ElmanRNN(),
}
REAL = [name for name in DATA if name != "mini"]


def predict_others(
    corpus: Corpus, *, system: str, train: str, ranks: bool, seed: int
) -> pd.DataFrame:
    """Predict all songs of the other real data sets by a model that was trained on one.

    If `ranks`, each feature is brought to a normal distribution by rank, in each data set by
    itself, which needs the features of all test songs, not their labels.
    """
    sides = [of_data(corpus, name) for name in dict.fromkeys((train, *REAL))]
    features = [choose(side.features, FEATURE_SETS["FS1"]) for side in sides]
    if ranks:
        features = [normal_scores(one) for one in features]
    fitted = with_seed(SYSTEMS[system], seed).fit(features[0], sides[0].labels)
    return pd.concat([fitted.predict(one) for one in features[1:]])


def normal_scores(features: pd.DataFrame) -> pd.DataFrame:
    """Each feature as quantiles of a normal distribution, by its rank among all rows."""
    ranks = (features.rank() - 0.5) / len(features)
    return pd.DataFrame(norm.ppf(ranks), features.index, features.columns)


def transfer_tables(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of smoothed predictions with intervals over the test songs, means over seeds.

    Beside RMSE and r, pooled and per song: r over song means ("songs"), and RMSE after the best
    shift and stretch of the predictions ("rescaled").
    """
    labels, rows = {test: of_data(corpus, test).labels for test in REAL}, {}
    for label, tracks in by_seed(frames).items():
        for test, part in labels.items():
            if test != label[1]:
                draws = [transfer_draws(part, moving_average(t.loc[part.index])) for t in tracks]
                songs = part.index.unique("song_id").size
                row = intervals(sum(draws) / len(draws)).assign(songs=songs, seeds=len(draws))
                rows[*label, test] = row
    return (pd.concat(rows, names=[*levels[:-1], "test"]),)


def transfer_draws(labels: pd.DataFrame, track: pd.DataFrame) -> pd.DataFrame:
    """As :func:`workbook.intervals.metric_draws`, with r over songs and the rescaled RMSE."""
    counts = song_counts(labels.index.unique("song_id").size)
    drawn = metric_draws(labels, track, counts)
    for name in DIMENSIONS:
        pair = labels[name], track.loc[labels.index, name]
        means = moments(*(one.groupby(level="song_id").mean() for one in pair))
        drawn[name, "songs", "pearson"] = correlation(counts @ means)
        sums = counts @ moments(*pair).groupby(level="song_id").sum()
        variance = sums["xx"] / sums["n"] - (sums["x"] / sums["n"]) ** 2
        r = drawn[name, "pooled", "pearson"].fillna(0)
        drawn[name, "rescaled", "rmse"] = np.sqrt(variance * (1 - r**2))
    return drawn


def cue_correlations(corpus: Corpus, *, data: str) -> pd.DataFrame:
    """Correlations over songs of mean labels with ranks of mean cues, and of the labels.

    Index (cue, dimension). "valence beyond arousal" is the correlation after both are freed of
    arousal.
    """
    part = of_data(corpus, data)
    labels = part.labels.groupby(level="song_id").mean()
    cues = part.features[[*CUES.values()]].groupby(level="song_id").mean()
    cues = cues.loc[labels.index].rank().set_axis([*CUES], axis=1)
    counts = song_counts(len(labels))

    def drawn(x: pd.Series, y: pd.Series) -> np.ndarray:
        return correlation(counts @ moments(x - x.mean(), y - y.mean()))

    between, rows = drawn(labels["valence"], labels["arousal"]), {}
    for name in cues:
        valence, arousal = (drawn(cues[name], labels[k]) for k in DIMENSIONS)
        free = np.sqrt((1 - arousal**2) * (1 - between**2))
        found = valence, arousal, (valence - arousal * between) / free
        rows |= {(name, k): v for k, v in zip((*DIMENSIONS, "valence beyond arousal"), found)}
    rows["arousal", "valence"] = between
    rows = {key: interval(values) | {"songs": len(labels)} for key, values in rows.items()}
    return framed(rows, ["cue", "dimension"])


LEVELS = ("system", "train", "features", "seed")


def _units() -> Units:
    """Elman with three seeds, all else with one; a constant reads no features."""
    units = []
    for system in SYSTEMS:
        lists = {"system": [system], "train": DATA, "seed": range(3 if system == "Elman" else 1)}
        for ranks in (False, True)[: 1 if system == "constant" else 2]:
            fixed = {"features": "ranks" if ranks else "raw"}
            units += labelled(LEVELS, fixed, **lists, ranks=[ranks])
    return units


STUDIES = {
    "transfer": study_of(
        predict_others,
        LEVELS,
        ("linear", "mini"),
        units=_units(),
        tabulate=transfer_tables,
        corpus=all_music,
    ),
    "cues": joint_study(cue_correlations, "deam", data=DATA),
}
"""Of real music, and of the embedded corpus (`mini`), SYNTHETIC."""

"""Train on one data set, test on another; which rules of the composed corpus hold in both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from mer_core.corpus import Corpus
from mer_core.evaluation import Regressor
from mer_core.features.sets import choose
from mer_core.metrics import DIMENSIONS
from mer_core.models import SVR, Constant, DelayedLinear, ElmanRNN
from mer_core.smoothing import moving_average
from workbook.intervals import as_rows, draws, interval, metric_draws
from workbook.studies.lag import lag_table
from workbook.studies.real import DATA, all_music, of_data
from workbook.studies.regressors import with_seed
from workbook.studies.study import FEATURE_SETS, Study, labelled, product

SYSTEMS = {
    "constant": Constant(),
    "linear": DelayedLinear(delays=(0,), windows=(1,)),
    "delayed linear": DelayedLinear(),
    "SVR": SVR(),
    "Elman": ElmanRNN(),
}
SEEDED = ("Elman",)
REAL = [name for name in DATA if name != "mini"]
CUES = {
    "loudness": "audspec_lengthL1norm_sma_amean",
    "spectral flux": "pcm_fftMag_spectralFlux_sma_amean",
    "brightness (spectral centroid)": "pcm_fftMag_spectralCentroid_sma_amean",
    "pitch (F0)": "F0final_sma_amean",
    "event density": "event_density",
    "tempo": "tempo",
    "dissonance": "sensory_dissonance",
    "roughness": "roughness",
}
"""Columns; means over a song."""


def predict_others(
    corpus: Corpus, *, system: str, train: str, ranks: bool, seed: int
) -> pd.DataFrame:
    """Predict all songs of the other real data sets by a model that was trained on one.

    Parameters
    ----------
    corpus : Corpus
        From :func:`workbook.studies.real.all_music`.
    system : str
        A name of `SYSTEMS`.
    train : str
        A name of `DATA`.
    ranks : bool
        Whether each feature is brought to a normal distribution by rank, in each data set by
        itself. That needs the features of all test songs, not their labels.
    seed : int

    Returns
    -------
    DataFrame
        A track with the columns valence, arousal.
    """
    names = [train, *(name for name in REAL if name != train)]
    sides = [of_data(corpus, name) for name in names]
    features = [choose(side.features, FEATURE_SETS["FS1"]) for side in sides]
    if ranks:
        features = [by_rank(one) for one in features]
    model: Regressor = with_seed(SYSTEMS[system], seed)
    fitted = model.fit(features[0], sides[0].labels)
    return pd.concat([fitted.predict(one) for one in features[1:]])


def by_rank(features: pd.DataFrame) -> pd.DataFrame:
    """Each feature as quantiles of a normal distribution, by its rank among all rows."""
    ranks = (features.rank() - 0.5) / len(features)
    return pd.DataFrame(norm.ppf(ranks), features.index, features.columns)


def transfer_tables(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame]:
    """Scores of smoothed predictions with intervals over the test songs, means over seeds.

    Beside RMSE and r, pooled and per song: r over song means ("songs", pearson), and RMSE after the
    predictions got the mean and the slope that suit the test labels best ("rescaled", rmse).
    """
    grouped: dict[tuple, list[pd.DataFrame]] = {}
    for (*label, _), track in frames.items():
        for test in REAL:
            labels = of_data(corpus, test).labels
            if test != label[1]:
                drawn = transfer_draws(labels, moving_average(track.loc[labels.index]))
                grouped.setdefault((*label, test), []).append(drawn)
    rows = {
        label: interval(sum(drawn) / len(drawn)).assign(
            songs=len(of_data(corpus, label[-1]).songs), seeds=len(drawn)
        )
        for label, drawn in grouped.items()
    }
    return (pd.concat(rows, names=[*levels[:-1], "test"]),)


def transfer_draws(labels: pd.DataFrame, track: pd.DataFrame) -> pd.DataFrame:
    """As :func:`workbook.intervals.metric_draws`, with r over songs and the rescaled RMSE."""
    counts = draws(labels.index.unique("song_id").size)
    drawn = metric_draws(labels, track, counts)
    means = [part.groupby(level="song_id").mean() for part in (labels, track.loc[labels.index])]
    frames = labels.groupby(level="song_id").size().to_numpy()
    for name in DIMENSIONS:
        own = [part[[name]].assign(other=part[name])[name] for part in means]
        single = metric_draws(*(_as_track(part, name) for part in own), counts)
        drawn[name, "songs", "pearson"] = single[name, "pooled", "pearson"]
        y = labels[name]
        sums = pd.DataFrame({"y": y, "yy": y * y}).groupby(level="song_id").sum()
        n, total = counts @ frames, counts @ sums.to_numpy()
        spread = np.sqrt(total[:, 1] / n - (total[:, 0] / n) ** 2)
        r = drawn[name, "pooled", "pearson"].fillna(0)
        drawn[name, "rescaled", "rmse"] = spread * np.sqrt(1 - r**2)
    return drawn


def _as_track(means: pd.Series, name: str) -> pd.DataFrame:
    """Song means as a track of one frame a song; the other dimension is the same."""
    index = pd.MultiIndex.from_product([means.index, [0.0]], names=["song_id", "time"])
    return pd.DataFrame(np.column_stack([means, means]), index, DIMENSIONS)


def cue_correlations(corpus: Corpus, *, data: str) -> pd.DataFrame:
    """Correlations over songs of mean labels with mean cues, and of the labels with each other.

    Parameters
    ----------
    corpus : Corpus
        From :func:`workbook.studies.real.all_music`.
    data : str
        A name of `DATA`.

    Returns
    -------
    DataFrame
        Index (cue, dimension); columns value, low, high (95 % over songs) and songs. Cues are ranks
        over the songs. "valence beyond arousal" is the correlation after both are freed of arousal.
    """
    part = of_data(corpus, data)
    labels = part.labels.groupby(level="song_id").mean()
    cues = part.features[[*CUES.values()]].groupby(level="song_id").mean()
    cues = cues.loc[labels.index].rank().set_axis([*CUES], axis=1)
    rows = {}
    for name in cues:
        table = np.column_stack([cues[name], labels["valence"], labels["arousal"]])
        drawn = np.array([_three(table, row) for row in draws(len(table))])
        for key, values in zip((*DIMENSIONS, "valence beyond arousal"), drawn.T):
            rows[name, key] = values[0], *np.percentile(values[1:], [2.5, 97.5]), len(table)
    table = labels.to_numpy()
    drawn = np.array([_weighted(table, row)[0, 1] for row in draws(len(table))])
    rows["arousal", "valence"] = drawn[0], *np.percentile(drawn[1:], [2.5, 97.5]), len(table)
    return as_rows(rows, ["cue", "dimension"])


def _weighted(table: np.ndarray, counts: np.ndarray) -> np.ndarray:
    covariance = np.cov(table.T, fweights=counts)
    spread = np.sqrt(np.diag(covariance))
    return covariance / np.outer(spread, spread)


def _three(table: np.ndarray, counts: np.ndarray) -> tuple[float, float, float]:
    r = _weighted(table, counts)
    beyond = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    return r[0, 1], r[0, 2], beyond


def _units() -> list[tuple[tuple, dict]]:
    found = []
    for unit in product(system=SYSTEMS, train=DATA, ranks=[False, True], seed=range(3)):
        features = "ranks" if unit["ranks"] else "raw"
        seeds = 3 if unit["system"] in SEEDED else 1
        if unit["seed"] < seeds and not (unit["system"] == "constant" and unit["ranks"]):
            found.append(((unit["system"], unit["train"], features, unit["seed"]), unit))
    return found


STUDIES = {
    "transfer": Study(
        predict_others,
        _units(),
        ("system", "train", "features", "seed"),
        transfer_tables,
        ("transfer.csv",),
        all_music,
        cheapest=("linear", "mini"),
    ),
    "cues": Study(
        cue_correlations,
        labelled(("data",), data=DATA),
        ("data",),
        lag_table,
        ("cues.csv",),
        all_music,
        cheapest=("deam",),
    ),
}
"""Of real music, and of the embedded corpus (`mini`), SYNTHETIC."""

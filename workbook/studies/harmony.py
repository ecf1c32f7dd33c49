"""What six features of harmony add to MediaEval's 260: whole songs, and every half second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVR

from mer_core import evaluation, load_corpus
from mer_core.corpus import Corpus
from mer_core.datasets.deam.read import MINI
from mer_core.evaluation import Regressor
from mer_core.features import choose, extract_all, song_level
from mer_core.features.tonal import NAMES
from mer_core.metrics import DIMENSIONS
from mer_core.models import BLSTM, LSTM, DelayedLinear, ElmanRNN
from mer_core.models.delayed import CLIP
from mer_core.models.triplet import by_rank
from mer_core.smoothing import moving_average
from workbook.intervals import holm, paired
from workbook.studies.real import deam_excerpts, vgmidi_pieces
from workbook.studies.regressors import with_seed
from workbook.studies.song_systems import UnitSpread
from workbook.studies.study import Frames, Levels, Study, Tables, by_seed, labelled
from workbook.studies.transfer import transfer_draws
from workbook.valence import song_counts, weighted_scores

BASELINES = ("260", "260, sd")
"""Feature sets without harmony: means over the song; means and standard deviations."""
BOTH = "260 and tonal"
WEIGHTED = "260 and tonal, weighted"
"""With a weight of the six that is chosen in inner folds."""
SETS = {
    "260": ("compare",),
    "260, sd": ("compare",),
    "FS2's four": ("psychoacoustic",),
    "IRIT's eight": ("spectral",),
    "tonal": ("tonal",),
    BOTH: ("compare", "tonal"),
    WEIGHTED: ("compare", "tonal"),
    "all sets": ("compare", "psychoacoustic", "spectral", "tonal"),
}
"""The sets of `mer_core.features` in each; means over the song but for "260, sd"."""
FACTORS = (1.0, 4.0, 16.0)
PENALTIES = np.logspace(-1, 5, 13)


def with_all_sets(corpus: Corpus) -> Corpus:
    """The corpus with IRIT's eight and the six tonal features of its audio."""
    features = corpus.features
    for name in ("spectral", "tonal"):
        more, _ = extract_all(dict(corpus.songs["audio"]), (name,))
        features = features.join(more.astype(float), how="inner")
    return replace(corpus, features=features)


def deam() -> Corpus:
    """The songs of DEAM whose audio is there, however many."""
    return with_all_sets(deam_excerpts())


def vgmidi() -> Corpus:
    """The pieces of VGMIDI."""
    return with_all_sets(vgmidi_pieces())


def mini() -> Corpus:
    """The development songs of the embedded corpus, SYNTHETIC."""
    corpus = load_corpus("mini").split("dev")
    more = pd.read_parquet(MINI / "tonal.parquet").set_index(["song_id", "time"]).astype(float)
    return replace(corpus, features=corpus.features.join(more, how="inner"))


class GroupWeight(TransformerMixin, BaseEstimator):
    """Multiply the last columns, the tonal features, by a factor.

    Ridge then divides the penalty of these features by the factor's square.
    """

    def __init__(self, *, factor: float = 1.0, columns: int = len(NAMES)) -> None:
        self.factor = factor
        self.columns = columns

    def fit(self, x: np.ndarray, y: object = None) -> Self:
        """Nothing is learned."""
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Multiply."""
        return np.hstack([x[:, : -self.columns], self.factor * x[:, -self.columns :]])


def _cut(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -CLIP, CLIP)


def _ridge(*before: TransformerMixin) -> BaseEstimator:
    return make_pipeline(*before, FunctionTransformer(_cut), GroupWeight(), RidgeCV(PENALTIES))


def _machine() -> BaseEstimator:
    scaled = TransformedTargetRegressor(SVR(epsilon=0.2), transformer=StandardScaler())
    steps = StandardScaler(), FunctionTransformer(_cut), GroupWeight(), UnitSpread(), scaled
    return make_pipeline(*steps)


def _trees() -> BaseEstimator:
    options = {"min_samples_leaf": 2, "max_features": 0.33, "random_state": 0}
    return make_pipeline(GroupWeight(), ExtraTreesRegressor(150, **options))


MACHINE = {
    f"transformedtargetregressor__regressor__{name}": values
    for name, values in {"C": [0.3, 1, 3], "gamma": [0.05, 0.15, 0.5]}.items()
}
LEARNERS = {
    "ridge": (partial(_ridge, StandardScaler()), {}),
    "ridge on ranks": (partial(_ridge, by_rank()), {}),
    "SVR": (_machine, MACHINE),
    "extra trees": (_trees, {}),
}
"""Pipelines, and what is chosen in inner folds beside the penalty of ridge."""


def tuned(learner: str, *, weighted: bool) -> BaseEstimator:
    """A learner of `LEARNERS` whose settings are chosen by squared error in five inner folds."""
    make, grid = LEARNERS[learner]
    if weighted:
        grid = grid | {"groupweight__factor": FACTORS}
    if not grid:
        return make()
    inner = KFold(5, shuffle=True, random_state=0)
    return GridSearchCV(make(), grid, cv=inner, scoring="neg_mean_squared_error")


def song_table(corpus: Corpus, features: str) -> pd.DataFrame:
    """One of `SETS` for each song, index song_id; the tonal features are the last columns."""
    table = song_level(choose(corpus.features, SETS[features]))
    return table if features == "260, sd" else table.filter(regex="_mean$")


def song_targets(corpus: Corpus) -> pd.DataFrame:
    """Mean label of each song, and its mean mode over 16 s: do other features measure it?"""
    mode = corpus.features["mode_long"].groupby(level="song_id").mean().rename("mode")
    return corpus.labels[DIMENSIONS].groupby(level="song_id").mean().join(mode)


def predict_songs(corpus: Corpus, *, learner: str, features: str, seed: int) -> pd.DataFrame:
    """Predict `song_targets` in ten folds of songs; index song_id. The seed draws the folds."""
    y = song_targets(corpus)
    if "tonal" in SETS[features]:
        y = y[DIMENSIONS]
    model = tuned(learner, weighted=features == WEIGHTED)
    return predict_table(song_table(corpus, features), y, model, seed=seed)


def predict_table(
    x: pd.DataFrame, y: pd.DataFrame, model: BaseEstimator, *, seed: int
) -> pd.DataFrame:
    """Predict each column of y in ten folds of songs by copies of a model; index song_id."""
    x, parts = x.loc[y.index].to_numpy(), []
    for train, test in evaluation.k_folds(y.index, k=10, seed=seed):
        seen, asked = (y.index.get_indexer(songs) for songs in (train, test))
        own = {k: clone(model).fit(x[seen], y[k].iloc[seen]).predict(x[asked]) for k in y}
        parts.append(pd.DataFrame(own, test))
    return pd.concat(parts).rename_axis("song_id").sort_index()


def song_draws(targets: pd.DataFrame, predicted: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """RMSE and r over songs in each bootstrap sample; columns (dimension, metric)."""
    columns = {}
    for name in predicted:
        found = weighted_scores(targets[name], predicted.loc[targets.index, name], counts)
        columns |= {(name, metric): found[metric] for metric in ("rmse", "pearson")}
    return pd.DataFrame(columns).rename_axis(columns=["dimension", "metric"])


def song_tables(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of whole songs with differences; and the songs: labels and means of the six.

    Index (learner, features, against, dimension, metric); see :func:`compared`. Means over seeds.
    """
    targets = song_targets(corpus)
    counts = song_counts(len(targets))
    draws = {
        label: sum(song_draws(targets, frame, counts) for frame in parts) / len(parts)
        for label, parts in by_seed(frames).items()
    }
    points = targets[DIMENSIONS].join(corpus.features[[*NAMES]].groupby(level="song_id").mean())
    return compared(draws, songs=len(targets), levels=levels[:-1]), points


def compared(
    draws: Mapping[tuple[str, str], pd.DataFrame], *, songs: int, levels: Levels
) -> pd.DataFrame:
    """Scores of each system and feature set, and their differences to sets without harmony.

    `draws` has bootstrap draws of scores for each (system, features), whose names are `levels`.
    Index (system, features, against, dimension, ..., metric); columns of
    :func:`workbook.intervals.paired`, p_holm and songs. `against` is "260", the same system on the
    260, or "best without harmony", the system and set of `BASELINES` that is best by this very
    score, which favours it.
    """
    baselines = {label: own for label, own in draws.items() if label[1] in BASELINES}
    best = best_of(baselines) if baselines else None
    rows = {}
    for (system, features), own in draws.items():
        bases = {"260": draws.get((system, "260")), "best without harmony": best}
        for against, base in bases.items():
            base = own * np.nan if base is None else base[list(own)]  # only some were computed
            rows[system, features, against] = paired(own, base, songs=songs).assign(songs=songs)
    table = pd.concat(rows, names=[*levels, "against"])
    family = table.groupby(["against", *own.columns.names])["p"]
    return table.assign(p_holm=family.transform(holm))


def best_of(draws: Mapping[tuple, pd.DataFrame]) -> pd.DataFrame:
    """For each score the draws of the system whose score is best."""
    found = {}
    for column in next(iter(draws.values())):
        sign = 1 if column[-1] == "rmse" else -1
        label = min(draws, key=lambda k: np.nan_to_num(sign * draws[k][column].iloc[0], nan=9.0))
        found[column] = draws[label][column]
    return pd.DataFrame(found)


@dataclass(kw_only=True)
class WeightedLinear(DelayedLinear):
    """A delayed linear model whose tonal features are multiplied by a factor."""

    factor: float = 1.0

    def _scale(self, features: pd.DataFrame) -> pd.DataFrame:
        scaled = super()._scale(features)
        return scaled.assign(**{k: self.factor * scaled[k] for k in NAMES})


@dataclass(kw_only=True)
class GroupLinear:
    """The delayed linear model with the factor of the tonal features that has the least error.

    It is chosen for each dimension, in the inner folds of :class:`DelayedLinear`.
    """

    linear: WeightedLinear = field(default_factory=WeightedLinear)
    factors: tuple[float, ...] = FACTORS

    def fit(self, features: pd.DataFrame, labels: pd.DataFrame, **_: object) -> Self:
        """Fit with each factor."""
        each = [replace(self.linear, factor=k).fit(features, labels) for k in self.factors]
        self.chosen_ = {k: min(each, key=lambda m: m.search_[k].min()) for k in DIMENSIONS}
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""
        return pd.DataFrame({k: m.predict(features)[k] for k, m in self.chosen_.items()})


DELAYED = {"delays": (6,), "windows": (13, 41)}
"""Few, since each is tried with each factor."""
SYSTEMS: dict[str, Regressor] = {
    "delayed linear": DelayedLinear(**DELAYED),
    "Elman": ElmanRNN(),
    "LSTM": LSTM(),
    "BLSTM": BLSTM(),
}
FRAME_SETS = ("260", "tonal", BOTH, WEIGHTED)


def predict_frames(corpus: Corpus, *, system: str, features: str, seed: int) -> pd.DataFrame:
    """Predict every half second in ten folds of songs; the seed draws folds and first weights."""
    model = SYSTEMS[system]
    if features == WEIGHTED:
        model = GroupLinear(linear=WeightedLinear(**DELAYED))
    corpus = replace(corpus, features=choose(corpus.features, SETS[features]))
    folds = evaluation.k_folds(corpus.songs.index, k=10, seed=seed)
    return evaluation.cross_validate(with_seed(model, seed), corpus, folds)


def frame_tables(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of smoothed predictions with differences, see :func:`compared`; means over seeds.

    Aggregations: pooled; "songs", over song means; "mean", within songs.
    """
    draws = {}
    for label, parts in by_seed(frames).items():
        each = [transfer_draws(corpus.labels, moving_average(track)) for track in parts]
        draws[label] = (sum(each) / len(each)).drop(columns="rescaled", level="aggregation")
    songs = corpus.labels.index.unique("song_id").size
    return (compared(draws, songs=songs, levels=levels[:-1]),)


def song_study(corpus: Callable[[], Corpus], seeds: int) -> Study:
    """All learners and sets on whole songs; weights for two of them."""
    levels, lists = ("learner", "features", "seed"), {"learner": LEARNERS, "features": SETS}
    units = labelled(levels, **lists, seed=range(seeds))
    units = [(k, unit) for k, unit in units if k[0] in ("ridge", "SVR") or k[1] != WEIGHTED]
    files = "{}.csv", "{}_points.csv"
    return Study(predict_songs, units, levels, song_tables, files, corpus, ("ridge", "tonal"))


def frame_study(corpus: Callable[[], Corpus]) -> Study:
    """Systems and sets every half second; a weight is for the linear model alone."""
    levels, units = ("system", "features", "seed"), []
    for system in SYSTEMS:
        sets = [k for k in FRAME_SETS if k != WEIGHTED or system == "delayed linear"]
        units += labelled(levels, system=[system], features=sets, seed=[0])
    cheapest = ("delayed linear", "tonal")
    return Study(predict_frames, units, levels, frame_tables, corpus=corpus, cheapest=cheapest)


STUDIES = {
    "harmony_deam": song_study(deam, seeds=2),
    "harmony_vgmidi": song_study(vgmidi, seeds=2),
    "harmony_mini": song_study(mini, seeds=1),
    "harmony_frames_deam": frame_study(deam),
    "harmony_frames_vgmidi": frame_study(vgmidi),
    "harmony_frames_mini": frame_study(mini),
}
"""Of real music, and of the embedded corpus (`mini`), SYNTHETIC."""

"""Lesson 02: the baselines on every feature set, and those that are tuned in inner folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Self

import pandas as pd

from mer_core.evaluation import Regressor
from mer_core.folds import k_folds
from mer_core.models import SVR, Constant, DelayedLinear, Linear
from mer_core.tracks import DIMENSIONS
from workbook.studies.regressors import regressors, with_seed


@dataclass(kw_only=True)
class Tuned:
    """The best of several models for each dimension, by squared error in inner folds of songs."""

    choices: Sequence[Regressor]
    folds: int = 3
    seed: int = 0

    def fit(self, features: pd.DataFrame, labels: pd.DataFrame, **_: object) -> Self:
        """Choose, then fit the chosen models to all songs; see :meth:`mer_core.models.SVR.fit`."""
        parts = k_folds(labels.index.unique("song_id"), k=self.folds, seed=self.seed)
        songs = features.index.get_level_values("song_id")
        errors = []
        for model in self.choices:
            tracks = []
            for train, test in parts:
                known = labels[labels.index.get_level_values("song_id").isin(train)]
                fitted = with_seed(model, self.seed).fit(features[songs.isin(train)], known)
                tracks.append(fitted.predict(features[songs.isin(test)]))
            errors.append(((pd.concat(tracks).loc[labels.index] - labels) ** 2).mean())
        best = pd.DataFrame(errors).idxmin()
        self.chosen_ = {name: self.choices[best[name]] for name in DIMENSIONS}
        self.fitted_ = {
            name: with_seed(model, self.seed).fit(features, labels)
            for name, model in self.chosen_.items()
        }
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row."""
        return pd.DataFrame({k: model.predict(features)[k] for k, model in self.fitted_.items()})


MACHINES = [SVR(C=c, gamma=g) for c, g in product((0.3, 1, 3), (3e-4, 1e-3, 3e-3))]
TUNED = {
    "linear, tuned": DelayedLinear(delays=(0,), windows=(1,)),
    "delayed linear": DelayedLinear(),
    "delayed linear, ranks": DelayedLinear(ranks=True),
    "SVR, tuned": Tuned(choices=MACHINES),
}
"""Penalties, delays, lengths of averages, C and gamma are chosen for each dimension."""

STUDIES = {
    "baselines": regressors(
        {
            "constant": Constant(),
            "linear, no penalty": Linear(ridge=0),
            "linear": Linear(),
            "SVR": SVR(),
        },
        features=("FS1", "FS2", "268"),
        seeded=False,
        cheapest=("linear", "FS1", "test", 0),
    ),
    "baselines_tuned": regressors(
        TUNED,
        seeds=range(2),
        folds=("all",),
        seeded=False,
        cheapest=("linear, tuned", "FS1", "test", 0),
    ),
}
"""On the embedded corpus, SYNTHETIC."""

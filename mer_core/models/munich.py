"""Coutinho et al. (2014, 2015), Munich: the LSTM, and the best of many on ten folds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from mer_core.folds import modulus_folds
from mer_core.metrics import METRICS
from mer_core.models.base import check_choice
from mer_core.models.network import Network
from mer_core.models.recurrent import BatchModel, RecurrentRegressor
from mer_core.tracks import DIMENSIONS, rows_of
from mer_core.training import Job, Songs, Task, concatenate, pad, unsupervised


@dataclass(kw_only=True)
class LSTM(RecurrentRegressor):
    """Munich's network: stacked long short-term memories, valence and arousal learned together.

    Further settings are those of :class:`mer_core.models.recurrent.RecurrentRegressor`.
    Source: Coutinho et al. (2014, 2015), section 2; notebook 04.

    Parameters
    ----------
    songs_per_update : int
        Songs whose errors make one step; more are faster and allow a higher learning rate.
    pretrain : {None, "keep", "retrain"}
        Whether the first layer is trained beforehand as a denoising autoencoder (on the training
        songs and `unlabelled`), and whether it is then kept as it is or trained further.
    pretrain_epochs, pretrain_learning_rate : int, float
        Times through all songs in pretraining, and its learning rate.
    """

    hidden: tuple[int, ...] = (24, 5)
    learning_rate: float = 2e-2
    epochs: int = 40
    patience: int | None = 10
    noise: float = 0.6
    songs_per_update: int = 4
    pretrain: str | None = None
    pretrain_epochs: int = 10
    pretrain_learning_rate: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("pretrain", self.pretrain, (None, "keep", "retrain"))

    @classmethod
    def paper(cls, year: int = 2015) -> Self:
        """The architecture of 2014 (200 + 5 units) or 2015 (200 + 150 + 25), pretrained.

        The first layer is kept in 2014 (run 4 was the best) and retrained in 2015, which the paper
        leaves open. CURRENNT's learning rates of 1e-6 and 5e-6 belong to half the sum of squared
        errors over a song; with the mean over 60 frames and two targets they are 60 times as much.
        Neither paper gives a largest number of epochs, or a rate for pretraining.
        """
        check_choice("year", year, (2014, 2015))
        options = {"epochs": 1000, "patience": 20, "songs_per_update": 1, "clip": float("inf")}
        options |= {"pretrain_epochs": 100, "pretrain_learning_rate": 0.5}
        if year == 2014:
            options |= {"hidden": (200, 5), "learning_rate": 6e-5, "noise": 0.5**0.5}
            return cls(pretrain="keep", **options)
        options |= {"hidden": (200, 150, 25), "learning_rate": 3e-4, "noise": 0.3}
        return cls(pretrain="retrain", **options)

    def _prepare(self, network: Network, jobs: list[Job], songs: Songs, tasks: list[Task]) -> None:
        """Pretrain the first layer: noisy inputs in, clean inputs out."""
        if not self.pretrain:
            return
        parts = {"labelled": (unsupervised(songs), pd.RangeIndex(len(songs.lengths)))}
        for data in dict.fromkeys(job.data for job in jobs):
            if data.unlabelled is not None:
                more, song_ids = pad(data.unlabelled)
                parts[data] = unsupervised(more), song_ids
        pool, rows = concatenate(parts)
        further = [rows[job.data].tolist() if job.data in rows else [] for job in jobs]
        tasks = [task._replace(train=task.train + more) for task, more in zip(tasks, further)]
        encoder = self._autoencoder(1, pool, tasks)
        network.layers[0].load_state_dict(encoder.layers[0].state_dict())
        network.layers[0].requires_grad_(self.pretrain == "retrain")


@dataclass(kw_only=True)
class FoldEnsemble(BatchModel):
    """Munich's ensemble: many networks on ten folds, the average of the best.

    Songs are divided by song_id modulo 11. Those of remainder 10 are held out; each network is
    trained on nine of the other ten parts and stopped early by the tenth. (The papers had
    five trials, fifty networks, and used the test songs' audio in pretraining.)
    Source: Coutinho et al. (2014, 2015), section 2; notebook 04.

    Parameters
    ----------
    network : RecurrentRegressor
        With early stopping.
    trials, keep : int
        Networks for each fold, of different seeds; how many of all are averaged.
    by : {"rmse", "ccc"}
        The best have the lowest RMSE or the highest CCC, averaged over valence and arousal.
    select : {"validation", "held-out"}
        Where they are measured: each on the part that stopped it, or all on the held-out songs, as
        the papers seem to. The latter makes a score on the held-out songs optimistic.
    seed : int
        The first of the seeds.
    """

    network: RecurrentRegressor
    trials: int = 2
    keep: int = 5
    by: str = "rmse"
    select: str = "validation"
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("by", self.by, ("rmse", "ccc"))
        check_choice("select", self.select, ("validation", "held-out"))

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job."""
        return [self._fit(job.with_seed(self.seed)) for job in jobs]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row: the mean of the chosen networks."""
        return sum(member.predict(features) for member in self.members_) / len(self.members_)

    def _fit(self, job: Job) -> Self:
        job.data.select(job.songs)  # raises if a label has no features
        folds, held_out = modulus_folds(job.songs)
        first = job.seed * self.trials
        inner = [
            job._replace(train=fold.train, validation=fold.test, seed=first + trial)
            for trial in range(self.trials)
            for fold in folds
        ]
        networks = self.network.fit_many(inner)
        judged = [held_out if self.select == "held-out" else part.validation for part in inner]
        values = [self._error(*pair, job) for pair in zip(networks, judged)]
        order = np.argsort(values, kind="stable")
        table = pd.DataFrame({"trial": [part.seed for part in inner], self.by: values})
        chosen = [networks[number] for number in order[: self.keep]]
        return self._with(members_=chosen, networks_=table, held_out_=held_out)

    def _error(self, network: RecurrentRegressor, songs: Iterable[int], job: Job) -> float:
        """RMSE, or CCC with the sign changed, of a network on some songs."""
        features, labels = (rows_of(part, songs) for part in (job.data.features, job.data.labels))
        predicted = network.predict(features).loc[labels.index]
        values = [METRICS[self.by](labels[name], predicted[name]) for name in DIMENSIONS]
        return np.mean(values) * (1 if self.by == "rmse" else -1)

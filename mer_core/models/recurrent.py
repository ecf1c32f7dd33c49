"""Recurrent regressors: IRIT's Elman network and Munich's LSTM, one or many in one computation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from torch import Tensor

from mer_core.models.base import BatchModel, check_fitted
from mer_core.models.network import Network
from mer_core.tracks import DIMENSIONS, as_track, check_covered
from mer_core.training import (
    Job,
    Schedule,
    Songs,
    Task,
    checked,
    concatenate,
    mean_and_std,
    pad,
    train,
    unsupervised,
)

WIDE = 48
"""Units of a layer above which torch's kernel, one model a process, beats one computation."""
TOGETHER = 64
"""Models of one computation at most, for the sake of memory."""


class RecurrentRegressor(BatchModel):
    """What recurrent regressors share: whole songs from time 0 go in, every frame gets an answer.

    Networks are trained on labelled frames only. Inputs (and an LSTM's targets) are standardised
    by the labelled frames of the training songs.
    """

    cell: str
    standardise_targets: bool
    hidden: tuple[int, ...]
    clip: float
    seed: int

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy of the model to each job, narrow networks in one computation.

        Parameters
        ----------
        jobs : sequence of Job
            With the same columns of features.

        Returns
        -------
        list of models
            Each as if it had been fitted alone.

        Raises
        ------
        ValueError
            As :meth:`fit`.
        """
        jobs = [self._divided(job) for job in self._checked(jobs)]
        size = 1 if max(self.hidden) > WIDE else TOGETHER
        parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
        processes = -1 if size == 1 and len(parts) > 1 else 1
        fitted = Parallel(processes)(delayed(self._fit_together)(part) for part in parts)
        return [model for part in fitted for model in part]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row.

        Parameters
        ----------
        features : DataFrame
            A track of whole songs with the columns of the training features.

        Returns
        -------
        DataFrame
            A track with the columns valence, arousal.

        Raises
        ------
        ValueError
            If the model is not fitted.
        DataError
            If a column is missing, or the features are not a track of finite numbers without a gap
            in any song; see :func:`mer_core.tracks.as_track`.
        """
        outputs = self._run(features, Network.forward)
        mean, spread = (part.cpu().numpy() for part in self.standard_[2:])
        return pd.DataFrame(outputs * spread + mean, features.index, DIMENSIONS)

    def states(self, features: pd.DataFrame) -> pd.DataFrame:
        """What the units of the topmost hidden layer say at every row, each in [-1, 1].

        Parameters
        ----------
        features : DataFrame
            As for :meth:`predict`.

        Returns
        -------
        DataFrame
            A track with a column for each unit, `unit_0` and so on.

        References
        ----------
        Notebooks 03 and 08.
        """
        states = self._run(features, Network.hidden)
        return pd.DataFrame(states, features.index).add_prefix("unit_")

    def _schedule(self) -> Schedule:
        """Those of the model's settings that are a schedule's."""
        settings = {name: getattr(self, name) for name in Schedule._fields if hasattr(self, name)}
        return Schedule(**settings)

    def _pretraining_schedule(self) -> Schedule:
        rate, epochs = self.pretrain_learning_rate, self.pretrain_epochs
        return self._schedule()._replace(learning_rate=rate, epochs=epochs, patience=None)

    def _make_network(self, inputs: int, seeds: Sequence[int]) -> Network:
        return Network(self.cell, inputs, self.hidden, len(DIMENSIONS), seeds=seeds)

    def _prepare(self, network: Network, jobs: list[Job], songs: Songs, tasks: list[Task]) -> None:
        """Whatever comes before training; nothing here."""

    def _checked(self, jobs: Sequence[Job]) -> list[Job]:
        return checked(jobs)

    def _divided(self, job: Job) -> Job:
        """The job with its songs named: those to train on and those to stop by."""
        seed = self.seed if job.seed is None else job.seed
        songs = job.labels.index.unique("song_id").sort_values()
        songs = songs if job.train is None else songs.intersection(pd.Index(job.train))
        held = pd.Index([] if job.validation is None else list(job.validation), dtype=songs.dtype)
        unknown = list(held.difference(job.labels.index.unique("song_id")))
        if unknown:
            raise ValueError(f"validation: expected songs with labels, found none for {unknown}")
        if self._schedule().patience is not None and held.empty and len(songs) > 1:
            held = pd.Series(songs).sample(max(1, len(songs) // 10), random_state=seed)
        chosen = songs.difference(pd.Index(held))
        if chosen.empty or (self._schedule().patience is not None and not len(held)):
            wanted = "songs to train on" + (" and to stop by" if len(songs) else "")
            raise ValueError(f"labels: expected {wanted}, found {len(songs)} with labels")
        return job._replace(train=list(chosen), validation=sorted(held), seed=seed)

    def _fit_together(self, jobs: list[Job]) -> list[Self]:
        songs, tasks = self._pool(jobs)
        columns = list(jobs[0].features)
        network = self._make_network(len(columns), [task.seed for task in tasks])
        self._prepare(network, jobs, songs, tasks)
        history = train(network, songs, tasks, self._schedule(), clip=self.clip)
        weights = network.state_dict()
        return [
            self._with(
                columns_=columns,
                standard_=task.standard,
                trained_on_=job.train,
                weights_={name: w[number : number + 1].clone() for name, w in weights.items()},
                history_=history.loc[number],
            )
            for number, (job, task) in enumerate(zip(jobs, tasks))
        ]

    def _pool(self, jobs: list[Job]) -> tuple[Songs, list[Task]]:
        """All songs of the jobs as one padded whole, each frame of features once, and the tasks."""
        kinds = {(id(job.features), id(job.labels)): job for job in jobs}
        pools, places, start = [], {}, 0
        for key, job in kinds.items():
            same = [other for other in jobs if (id(other.features), id(other.labels)) == key]
            used = sorted({song for other in same for song in (*other.train, *other.validation)})
            features, labels = (rows_of(part, used) for part in (job.features, job.labels))
            check_covered(labels, features)
            songs, song_ids = pad(features, labels)
            places[key] = dict(zip(song_ids, range(start, start + len(song_ids))))
            pools, start = [*pools, songs], start + len(song_ids)
        whole, known, tasks = concatenate(pools), {}, []
        for job in jobs:
            place = places[id(job.features), id(job.labels)]
            rows = [[place[song] for song in part] for part in (job.train, job.validation)]
            if tuple(rows[0]) not in known:
                known[tuple(rows[0])] = self._standard_of(whole, rows[0])
            tasks.append(Task(*rows, known[tuple(rows[0])], job.seed))
        return whole, tasks

    def _standard_of(self, songs: Songs, rows: list[int]) -> tuple[Tensor, ...]:
        mean, spread, *targets = mean_and_std(songs, rows)
        plain = torch.zeros_like(targets[0]), torch.ones_like(targets[0])
        return mean, spread, *(targets if self.standardise_targets else plain)

    def _run(self, features: pd.DataFrame, function: Callable[..., Tensor]) -> np.ndarray:
        network = self._network()
        features = self._pieces(as_track(features, "features", columns=self.columns_, gapless=True))
        songs, song_ids = pad(features)
        mean, spread = self.standard_[:2]
        inputs = ((songs.inputs - mean) / spread).clamp_(-self.clip, self.clip)
        with torch.no_grad():
            outputs = self._outputs(function, network, inputs, torch.tensor([songs.lengths]))
        outputs = outputs.cpu().numpy().astype(float)
        row = song_ids.get_indexer(features.index.get_level_values("song_id"))
        step = features.groupby(level="song_id", sort=False).cumcount().to_numpy()
        return outputs[row, step]

    def _pieces(self, features: pd.DataFrame) -> pd.DataFrame:
        """What the network reads as songs: here, whole songs."""
        return features

    def _outputs(self, function: Callable, network: Network, x: Tensor, lengths: Tensor) -> Tensor:
        """What a fitted network says to songs (songs, time, features): (songs, time, columns)."""
        return function(network, x[None], lengths)[0]

    def _network(self) -> Network:
        check_fitted(self, "weights_")
        network = self._make_network(len(self.columns_), [0] * len(self.weights_["d"]))
        network.load_state_dict(self.weights_)
        return network


@dataclass(kw_only=True)
class ElmanRNN(RecurrentRegressor):
    """IRIT's network: one hidden layer with feedback, tanh, trained one song at a time.

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer.
    output : {"linear", "softmax"}
        The paper says softmax, which ties valence + arousal to 1 at every moment and can't follow
        labels; linear is what works.
    learning_rate, momentum : float
        The paper does not say how much momentum.
    l1, l2 : float
        Weights of the sums of absolute and of squared weights.
    epochs : int
        Times through all songs. The paper calls the fixed number early stopping.
    clip : float
        Standardised inputs are cut at plus and minus this.
    seed : int
        Of first weights and order of songs.

    References
    ----------
    Pellegrini and Barriere (2015), section 2. Notebook 03.
    """

    cell = "elman"
    standardise_targets = False

    hidden: tuple[int, ...] = (10,)
    output: str = "linear"
    learning_rate: float = 5e-3
    momentum: float = 0.9
    l1: float = 3e-4
    l2: float = 3e-3
    epochs: int = 50
    clip: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.output not in ("linear", "softmax"):
            raise ValueError(f"output: expected 'linear' or 'softmax', found {self.output!r}")
        self.hidden = tuple(self.hidden)

    @classmethod
    def paper(cls) -> Self:
        """Learning rate 1e-3, L1 and L2 of 1e-2, 50 epochs, no clipping."""
        return cls(learning_rate=1e-3, l1=1e-2, l2=1e-2, clip=float("inf"))

    def _make_network(self, inputs: int, seeds: Sequence[int]) -> Network:
        softmax = self.output == "softmax"
        options = {"seeds": seeds, "softmax": softmax}
        return Network(self.cell, inputs, self.hidden, len(DIMENSIONS), **options)


@dataclass(kw_only=True)
class LSTM(RecurrentRegressor):
    """Munich's network: stacked long short-term memories, valence and arousal learned together.

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer, from the input up.
    learning_rate, momentum : float
        Of the mean squared error of standardised targets over the frames of an update's songs.
    songs_per_update : int
        Songs whose errors make one step; more are faster, and allow a higher learning rate.
    epochs, patience : int
        At most so many times through all songs; stop after `patience` without a new best on
        validation songs, and go back to it. A patience of None goes through all epochs.
    noise : float
        Standard deviation of the noise on standardised inputs, in training only.
    pretrain : {None, "keep", "retrain"}
        Whether the first layer is trained beforehand as a denoising autoencoder (on the training
        songs and `unlabelled`), and whether it is kept as it is from then on.
    pretrain_epochs : int
        Times through all songs in pretraining.
    pretrain_learning_rate : float
        In pretraining.
    clip : float
        Standardised inputs are cut at plus and minus this.
    seed : int
        Of first weights, order of songs, noise and the choice of validation songs.

    References
    ----------
    Coutinho et al. (2014), section 2; Coutinho et al. (2015), section 2. Notebook 04.
    """

    cell = "lstm"
    standardise_targets = True

    hidden: tuple[int, ...] = (24, 5)
    learning_rate: float = 2e-2
    momentum: float = 0.9
    songs_per_update: int = 4
    epochs: int = 40
    patience: int | None = 10
    noise: float = 0.6
    pretrain: str | None = None
    pretrain_epochs: int = 10
    pretrain_learning_rate: float = 2.0
    clip: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.pretrain not in (None, "keep", "retrain"):
            expected = "expected None, 'keep' or 'retrain'"
            raise ValueError(f"pretrain: {expected}, found {self.pretrain!r}")
        self.hidden = tuple(self.hidden)

    @classmethod
    def paper(cls, year: int = 2015) -> Self:
        """The architecture of 2014 (200 + 5 units) or 2015 (200 + 150 + 25), pretrained.

        The first layer is kept in 2014 (run 4 was the best) and retrained in 2015, which the paper
        leaves open. CURRENNT's learning rates of 1e-6 and 5e-6 belong to half the sum of squared
        errors over a song; with the mean over 60 frames and two targets they are 60 times as much.
        Neither paper gives a largest number of epochs, or a rate for pretraining.
        """
        shared = {
            "epochs": 1000,
            "pretrain_epochs": 100,
            "pretrain_learning_rate": 0.5,
            "clip": float("inf"),
            "songs_per_update": 1,
            "patience": 20,
        }
        if year == 2014:
            noise, kept = 0.5**0.5, "keep"
            return cls(hidden=(200, 5), learning_rate=6e-5, noise=noise, pretrain=kept, **shared)
        if year == 2015:
            sizes = (200, 150, 25)
            return cls(hidden=sizes, learning_rate=3e-4, noise=0.3, pretrain="retrain", **shared)
        raise ValueError(f"year: expected 2014 or 2015, found {year!r}")

    def _prepare(self, network: Network, jobs: list[Job], songs: Songs, tasks: list[Task]) -> None:
        if self.pretrain:
            self._pretrain(network, jobs, songs, tasks)
            network.layers[0].requires_grad_(self.pretrain == "retrain")

    def _pretrain(self, network: Network, jobs: list[Job], songs: Songs, tasks: list[Task]) -> None:
        """Learn the first layer from inputs alone: noisy in, clean out."""
        pools, more = [unsupervised(songs)], {None: []}
        for job in jobs:
            if job.unlabelled is not None and id(job.unlabelled) not in more:
                start = sum(len(pool.lengths) for pool in pools)
                pools.append(unsupervised(pad(job.unlabelled[list(job.features)])[0]))
                more[id(job.unlabelled)] = list(range(start, start + len(pools[-1].lengths)))
        keys = [None if job.unlabelled is None else id(job.unlabelled) for job in jobs]
        tasks = [task._replace(train=task.train + more[key]) for task, key in zip(tasks, keys)]
        inputs, seeds = songs.inputs.shape[-1], [task.seed for task in tasks]
        encoder = Network(self.cell, inputs, self.hidden[:1], inputs, seeds=seeds)
        schedule = self._pretraining_schedule()
        self.pretraining_ = train(encoder, concatenate(pools), tasks, schedule, clip=self.clip)
        network.layers[0].load_state_dict(encoder.layers[0].state_dict())


def rows_of(track: pd.DataFrame, songs: Sequence[int]) -> pd.DataFrame:
    """Rows of these songs."""
    return track[track.index.get_level_values("song_id").isin(songs)]

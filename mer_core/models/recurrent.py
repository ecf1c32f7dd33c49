"""What recurrent regressors share: many in one computation, whole songs, every frame predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def rows_of(track: pd.DataFrame, songs: Sequence[int]) -> pd.DataFrame:
    """Rows of these songs."""
    return track[track.index.get_level_values("song_id").isin(songs)]


def songs_of(job: Job) -> pd.Index:
    """The songs that a job trains on, before any are taken out for validation."""
    songs = job.labels.index.unique("song_id").sort_values()
    return songs if job.train is None else songs.intersection(pd.Index(job.train))

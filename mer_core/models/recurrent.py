"""The recurrent regressor, and `BatchModel`, the interface of models that are trained together.

A job (:class:`mer_core.training.Job`) is what one model is fitted to; `fit` is a batch of one job.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from torch import Tensor

from mer_core import training
from mer_core.models.base import check_fitted
from mer_core.models.network import Network
from mer_core.tracks import DIMENSIONS, as_track
from mer_core.training import Dataset, Job, Schedule, Songs, Task

WIDE = 48  # Units of a layer above which torch's kernel, one model a process, beats one computation
TOGETHER = 64  # Models of one computation at most, to limit memory


class BatchModel:
    """A model that is fitted to many jobs in one computation.

    A subclass is a dataclass of settings with :meth:`fit_many` and `predict`. What it learns is in
    attributes whose names end with `_`.
    """

    def fit(
        self,
        features: pd.DataFrame,
        labels: pd.DataFrame,
        *,
        validation: Iterable[int] | None = None,
        unlabelled: pd.DataFrame | None = None,
    ) -> Self:
        """Fit to the labelled songs.

        Parameters
        ----------
        features, labels : DataFrame
            A track of whole songs; a track with the columns valence, arousal in [-1, 1].
        validation : iterable of int, optional
            Labelled songs for early stopping. By default one in ten is drawn by the seed.
        unlabelled : DataFrame, optional
            Features of further songs, for pretraining.

        Raises
        ------
        ValueError
            If there are too few songs, a validation song has no labels, or a loss is not finite.
        DataError
            If a label has no features; or see :class:`mer_core.training.Dataset`.
        """
        data = Dataset(self._inputs(features), labels, unlabelled)
        (fitted,) = self.fit_many([Job(data, validation=validation)])
        vars(self).update(vars(fitted))
        return self

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy of the model to each job, all with the same columns, as if it were alone."""
        raise NotImplementedError

    def _inputs(self, features: pd.DataFrame) -> pd.DataFrame:
        """The columns that the model reads; here all of them."""
        return features

    def _with(self, **attributes: object) -> Self:
        """A copy that shares everything but these attributes."""
        model = copy.copy(self)
        vars(model).update(attributes)
        return model


@dataclass(kw_only=True)
class RecurrentRegressor(BatchModel):
    """A recurrent network that reads whole songs from time 0 and predicts every frame.

    It is trained on labelled frames only. Inputs (and an LSTM's targets) are standardised by the
    labelled frames of the training songs.

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer, from the input up.
    learning_rate, momentum, epochs, patience, noise
        See :class:`mer_core.training.Schedule`.
    clip : float
        Standardised inputs are limited to plus and minus this.
    seed : int
        Of first weights, order of songs, noise and the choice of validation songs.
    """

    cell: ClassVar[str] = "lstm"
    standardise_targets: ClassVar[bool] = True

    hidden: tuple[int, ...]
    learning_rate: float
    momentum: float = 0.9
    epochs: int
    patience: int | None = None
    noise: float = 0.0
    clip: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        self.hidden = tuple(self.hidden)

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy of the model to each job; narrow networks in one computation."""
        jobs = [self._divide(job) for job in jobs]
        size = 1 if max(self.hidden) > WIDE else TOGETHER
        parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
        processes = -1 if size == 1 and len(parts) > 1 else 1
        fitted = Parallel(processes)(delayed(self._fit_together)(part) for part in parts)
        return [model for part in fitted for model in part]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict valence and arousal for every row of a track of whole songs.

        Raises a ValueError if the model is not fitted, and a DataError if a column is missing, or a
        row of a song; see :func:`mer_core.tracks.as_track`.
        """
        outputs = self._run(features, "forward")
        mean, spread = (part.cpu().numpy() for part in self.standard_[2:])
        return pd.DataFrame(outputs * spread + mean, features.index, DIMENSIONS)

    def states(self, features: pd.DataFrame) -> pd.DataFrame:
        """Outputs of the units of the topmost hidden layer, each in [-1, 1].

        A track with the same rows and the columns `unit_0`, `unit_1`, ... Notebooks 03 and 08.
        """
        return pd.DataFrame(self._run(features, "hidden"), features.index).add_prefix("unit_")

    def _schedule(self) -> Schedule:
        settings = {name: getattr(self, name) for name in Schedule._fields if hasattr(self, name)}
        return Schedule(**settings)

    def _make_network(self, inputs: int, seeds: Sequence[int]) -> Network:
        return Network(self.cell, inputs, self.hidden, len(DIMENSIONS), seeds=seeds)

    def _prepare(self, network: Network, jobs: list[Job], songs: Songs, tasks: list[Task]) -> None:
        """Pretraining; none here."""

    def _autoencoder(
        self, layers: int, songs: Songs, tasks: Sequence[Task], **options: bool
    ) -> Network:
        """The first layers and a linear output, trained to reconstruct the inputs."""
        inputs, seeds = songs.inputs.shape[-1], [task.seed for task in tasks]
        encoder = Network(self.cell, inputs, self.hidden[:layers], inputs, seeds=seeds, **options)
        rate, epochs = self.pretrain_learning_rate, self.pretrain_epochs
        schedule = self._schedule()._replace(learning_rate=rate, epochs=epochs, patience=None)
        self.pretraining_ = training.train(encoder, songs, tasks, schedule, clip=self.clip)
        return encoder

    def _divide(self, job: Job) -> Job:
        """The job with lists of the songs to train on and of those for early stopping."""
        job, songs = job.with_seed(self.seed), job.songs
        held = pd.Index([] if job.validation is None else list(job.validation), dtype=songs.dtype)
        unknown = list(held.difference(job.data.labels.index.unique("song_id")))
        if unknown:
            raise ValueError(f"validation: expected songs with labels, found none for {unknown}")
        if self.patience is not None and held.empty and len(songs) > 1:
            held = pd.Series(songs).sample(max(1, len(songs) // 10), random_state=job.seed)
        chosen = songs.difference(pd.Index(held))
        if chosen.empty or (self.patience is not None and not len(held)):
            wanted = "songs to train on" + (" and to stop by" if len(songs) else "")
            raise ValueError(f"labels: expected {wanted}, found {len(songs)} with labels")
        return job._replace(train=list(chosen), validation=sorted(held))

    def _fit_together(self, jobs: list[Job]) -> list[Self]:
        songs, tasks = self._pool(jobs)
        columns = list(jobs[0].data.features)
        network = self._make_network(len(columns), [task.seed for task in tasks])
        self._prepare(network, jobs, songs, tasks)
        history = training.train(network, songs, tasks, self._schedule(), clip=self.clip)
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
        """The songs of all jobs as one set of padded songs, each once, and each job's task."""
        used, parts = training.used_songs(jobs), {}
        for data, targets in dict.fromkeys((job.data, job.targets) for job in jobs):
            features, labels = data.select(used[data])
            parts[data, targets] = self._pad(features, labels[list(targets)])
        pool, rows = training.concatenate(parts)
        tasks, known = [], {}
        for job in jobs:
            own, sides = rows[job.data, job.targets], (job.train, job.validation)
            train, validation = (own[own.index.isin(side)].tolist() for side in sides)
            if tuple(train) not in known:
                known[tuple(train)] = self._standard_of(pool, train)
            tasks.append(Task(train, validation, known[tuple(train)], job.seed))
        return pool, tasks

    def _pad(self, features: pd.DataFrame, labels: pd.DataFrame) -> tuple[Songs, pd.Index]:
        """What the network is trained on as songs, and their song_ids; here, whole songs."""
        return training.pad(features, labels)

    def _standard_of(self, songs: Songs, rows: list[int]) -> tuple[Tensor, ...]:
        mean, spread, *targets = training.mean_and_std(songs, rows)
        plain = torch.zeros_like(targets[0]), torch.ones_like(targets[0])
        return mean, spread, *(targets if self.standardise_targets else plain)

    def _run(self, features: pd.DataFrame, method: str) -> np.ndarray:
        """Outputs of a method of the fitted network for every row, shape (rows, columns)."""
        check_fitted(self, "weights_")
        network = self._make_network(len(self.columns_), [0] * len(self.weights_["d"]))
        network.load_state_dict(self.weights_)
        features = as_track(features, "features", columns=self.columns_, gapless=True)
        features = self._segments(features)
        mean, spread = self.standard_[:2]
        songs, _ = training.pad(features)
        inputs = ((songs.inputs - mean) / spread).clamp_(-self.clip, self.clip)
        with torch.no_grad():
            lengths = torch.tensor([songs.lengths])
            outputs = self._outputs(getattr(network, method), inputs, lengths)
        row, step, _ = training.positions(features)
        return outputs.cpu().numpy().astype(float)[row, step]

    def _segments(self, features: pd.DataFrame) -> pd.DataFrame:
        """What a fitted network reads as songs; here, whole songs."""
        return features

    def _outputs(self, function: Callable[..., Tensor], x: Tensor, lengths: Tensor) -> Tensor:
        """Outputs (songs, time, columns) for songs (songs, time, features)."""
        return function(x[None], lengths)[0]

"""Training of many networks at once: data, standardisation, noise, early stopping, the loop.

The models of one computation share nothing but the songs: each has its own training songs, order,
noise and best weights, from its own seed, so that its weights are those of a model trained alone.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from mer_core.files import DataError
from mer_core.tracks import DIMENSIONS, as_track, check_covered, rows_of


class Schedule(NamedTuple):
    """How to train.

    The cost is the mean squared error over the labelled frames of `songs_per_update` songs, plus
    `l1` and `l2` times the sums of absolute and squared weights (not biases). An update is
    v <- momentum v - learning_rate gradient; weights <- weights + v. `noise` is the standard
    deviation of Gaussian noise on the standardised inputs, drawn anew at each update. Training goes
    through all songs at most `epochs` times. With a `patience` it stops after so many epochs
    without a new best on the validation songs, and goes back to the best.
    """

    learning_rate: float
    momentum: float
    epochs: int
    patience: int | None = None
    noise: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    songs_per_update: int = 1


@dataclass(eq=False)
class Dataset:
    """The songs that jobs share, checked once and sorted by song and time.

    `features` and `labels` are tracks of finite numbers: whole songs without gaps, and the columns
    valence, arousal. `unlabelled` are features of further songs, for pretraining. A DataError is
    raised if one of them is not such a track; see :func:`mer_core.tracks.as_track`.
    """

    features: pd.DataFrame
    labels: pd.DataFrame
    unlabelled: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        whole = {"gapless": True, "sort": True}
        self.features = as_track(self.features, "features", **whole)
        self.labels = as_track(self.labels, "labels", ordered=True, sort=True)
        if list(self.labels) != DIMENSIONS:
            raise DataError("labels", f"the columns {DIMENSIONS}", f"{list(self.labels)}")
        if self.unlabelled is not None:
            columns = list(self.features)
            self.unlabelled = as_track(self.unlabelled, "unlabelled", columns=columns, **whole)

    def select(self, songs: Iterable[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Features and labels of some songs; raises a DataError if a label has no features."""
        features, labels = rows_of(self.features, songs), rows_of(self.labels, songs)
        check_covered(labels, features)
        return features, labels


class Job(NamedTuple):
    """What one model of many is fitted to; jobs of one computation usually share the data.

    `train` holds the song_ids to train on (all songs with labels by default), `validation` those
    for early stopping, which are left out of `train`. A `seed` replaces the model's. `targets`,
    columns of the labels, is set by models that learn valence and arousal separately.
    """

    data: Dataset
    train: Iterable[int] | None = None
    validation: Iterable[int] | None = None
    seed: int | None = None
    targets: tuple[str, ...] = tuple(DIMENSIONS)

    @property
    def songs(self) -> pd.Index:
        """Songs with labels among those to train on, before any are taken out for validation."""
        songs = self.data.labels.index.unique("song_id").sort_values()
        return songs if self.train is None else songs.intersection(pd.Index(self.train))

    @property
    def features(self) -> pd.DataFrame:
        """Features of these songs and of the validation songs."""
        further = () if self.validation is None else self.validation
        return rows_of(self.data.features, {*self.songs, *further})

    def with_features(self, features: pd.DataFrame, unlabelled: pd.DataFrame | None = None) -> Self:
        """The job with other features of the same songs."""
        return self._replace(data=replace(self.data, features=features, unlabelled=unlabelled))

    def with_seed(self, default: int) -> Self:
        """The job with its own seed, or with this one if it has none."""
        return self._replace(seed=default if self.seed is None else self.seed)


class Songs(NamedTuple):
    """Songs as padded tensors: inputs (songs, time, features), targets (songs, time, targets).

    `labelled` (songs, time) is 1 where a frame has targets, else 0, and the targets are 0. If
    targets are None, a network learns to reconstruct its inputs as they were before the noise.
    """

    inputs: Tensor
    targets: Tensor | None
    labelled: Tensor
    lengths: list[int]


class Task(NamedTuple):
    """What one model is trained on: rows of :class:`Songs`, and the seed of their order and noise.

    Early stopping needs validation songs. `standard` holds mean and standard deviation of inputs,
    then of targets, each of shape (columns,).
    """

    train: list[int]
    validation: list[int]
    standard: tuple[Tensor, ...]
    seed: int


def used_songs(jobs: Iterable[Job]) -> dict[Dataset, set[int]]:
    """The songs of each dataset that jobs train on or stop by."""
    used: dict[Dataset, set[int]] = {}
    for job in jobs:
        used.setdefault(job.data, set()).update(job.train, job.validation)
    return used


def positions(track: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    """For each row the number of its song and of its frame in the song; the songs' ids."""
    song, song_ids = pd.factorize(track.index.get_level_values("song_id"))
    step = track.groupby(level="song_id", sort=False).cumcount().to_numpy()
    return song, step, pd.Index(song_ids, name="song_id")


def pad(features: pd.DataFrame, labels: pd.DataFrame | None = None) -> tuple[Songs, pd.Index]:
    """Convert tracks to padded tensors: each song from its first frame, zeros after its last.

    Frames that `labels` lacks are unlabelled. Also returns the song_id of each row of the tensors.
    """
    song, step, song_ids = positions(features)
    labels = pd.DataFrame(index=features.index[:0]) if labels is None else labels
    targets = np.nan_to_num(labels.reindex(features.index).to_numpy(dtype=float))
    padded = []
    for values in (features.to_numpy(), targets, features.index.isin(labels.index)):
        whole = np.zeros((len(song_ids), step.max() + 1, *values.shape[1:]))
        whole[song, step] = values
        padded.append(torch.tensor(whole, dtype=torch.get_default_dtype()))
    return Songs(*padded, np.bincount(song).tolist()), song_ids


def concatenate(
    parts: Mapping[Hashable, tuple[Songs, pd.Index]],
) -> tuple[Songs, dict[Hashable, pd.Series]]:
    """Join sets of padded songs into one; returns it and each set's row numbers by song_id."""
    pools = [songs for songs, _ in parts.values()]
    longest = max(pool.inputs.shape[1] for pool in pools)

    def join(tensors: Sequence[Tensor | None]) -> Tensor | None:
        if tensors[0] is None:
            return None
        missing = [(0, 0) * (t.dim() - 2) + (0, longest - t.shape[1]) for t in tensors]
        return torch.cat([nn.functional.pad(t, gap) for t, gap in zip(tensors, missing)])

    rows, start = {}, 0
    for key, (songs, song_ids) in parts.items():
        rows[key] = pd.Series(range(start, start + len(songs.lengths)), song_ids)
        start += len(songs.lengths)
    lengths = [length for pool in pools for length in pool.lengths]
    return Songs(*map(join, list(zip(*pools))[:3]), lengths), rows


def unsupervised(songs: Songs) -> Songs:
    """The same songs with the task of reconstructing the inputs in every frame of each song."""
    steps = torch.arange(songs.inputs.shape[1])
    present = steps < torch.tensor(songs.lengths)[:, None]
    return Songs(songs.inputs, None, present.to(songs.inputs.dtype), songs.lengths)


def mean_and_std(songs: Songs, rows: Sequence[int]) -> tuple[Tensor, ...]:
    """Mean and standard deviation over labelled frames of some rows: of inputs, then of targets.

    Each has the shape (columns,). A column without variance gets the standard deviation 1.
    """
    known, found = songs.labelled[rows] > 0, []
    for values in (songs.inputs, songs.targets):
        if values is not None:
            values = values[rows][known]
            spread = values.std(0, correction=0)
            flat = spread <= 1e-6 * values.abs().amax(0).clamp_min(1e-12)
            found += [values.mean(0), spread.masked_fill(flat, 1.0)]
    return tuple(found)


def generator(seed: int) -> torch.Generator:
    """A source of random numbers on the device that torch makes tensors on by default."""
    return torch.Generator(torch.empty(0).device).manual_seed(seed)


def train(
    network: nn.Module, songs: Songs, tasks: Sequence[Task], schedule: Schedule, *, clip: float
) -> pd.DataFrame:
    """Train each model of a network on its own task.

    The network (:class:`mer_core.models.network.Network`) is changed in place; of each model the
    best weights (or the last, without patience) remain. Standardised inputs are limited to plus
    and minus `clip`. A ValueError is raised if a loss or, at the end, a weight is not finite.
    Returns a table with the index (model, epoch) and the columns `train`, the mean squared error of
    standardised targets over the updates of an epoch, with noise, and `validation`, after the
    epoch, without noise.
    """
    trainer = _Trainer(network, songs, list(tasks), schedule, clip)
    rows = []
    # A progress bar on a terminal, once training takes long; none in a notebook or a file.
    options = {"unit": "epoch", "leave": False, "delay": 5, "disable": None}
    for epoch in tqdm(range(schedule.epochs), "training", **options):
        rows += trainer.epoch(epoch)
        if not trainer.active:
            break
    trainer.finish()
    columns = ["model", "epoch", "train", "validation"]
    return pd.DataFrame(rows, columns=columns).set_index(columns[:2]).sort_index()


class _Trainer:
    """The state of training; entry k of `active`, `tasks`, `rngs` is of model k of the network."""

    def __init__(
        self, network: nn.Module, songs: Songs, tasks: list[Task], schedule: Schedule, clip: float
    ) -> None:
        self.network, self.songs, self.schedule, self.clip = network, songs, schedule, clip
        self.active, self.tasks = list(range(len(tasks))), tasks
        self.lengths = torch.tensor(songs.lengths)
        self.rngs = [generator(task.seed) for task in tasks]
        self.parameters, self.penalised = list(network.parameters()), set(network.weights())
        self.velocity = [torch.zeros_like(weight) for weight in self.parameters]
        standards = zip(*(task.standard for task in tasks))
        self.standard = [torch.stack(part)[:, None, None] for part in standards]
        self.best = [weight.detach().clone() for weight in self.parameters]
        self.least, self.waited = torch.full((len(tasks),), torch.inf), torch.zeros(len(tasks))

    def epoch(self, number: int) -> list[tuple[int, int, float, float]]:
        """One pass through all training songs, then early stopping; a row for each active model."""
        losses = torch.stack([self._train(), self._validate()])
        checked = losses if all(task.validation for task in self.tasks) else losses[:1]
        if not checked.isfinite().all() or losses.isinf().any():
            raise self._not_finite("loss", f" in epoch {number}")
        rows = [(model, number, *pair) for model, pair in zip(self.active, losses.T.tolist())]
        if self.schedule.patience is not None:
            self._stop_early(losses[1])
        return rows

    def _train(self) -> Tensor:
        orders = [torch.randperm(len(t.train), generator=r) for t, r in zip(self.tasks, self.rngs)]
        rows = _as_matrix(torch.tensor(t.train)[order] for t, order in zip(self.tasks, orders))
        losses = [self._update(part) for part in rows.split(self.schedule.songs_per_update, 1)]
        return torch.stack(losses).nanmean(0)

    def _update(self, rows: Tensor) -> Tensor:
        present = rows >= 0
        clean = self._inputs(rows.clamp_min(0))
        loss = self._loss(self._with_noise(clean, rows), clean, rows.clamp_min(0), present)
        loss.sum().backward()
        self._step(present.any(1))
        return torch.where(present.any(1), loss.detach(), torch.nan)

    @torch.no_grad()
    def _validate(self) -> Tensor:
        if not all(task.validation for task in self.tasks):
            return torch.full((len(self.tasks),), torch.nan)
        rows = _as_matrix(torch.tensor(task.validation) for task in self.tasks)
        clean = self._inputs(rows.clamp_min(0))
        return self._loss(clean, clean, rows.clamp_min(0), rows >= 0)

    def _inputs(self, rows: Tensor) -> Tensor:
        mean, spread = self.standard[:2]
        longest = int(self.lengths[rows].max())  # what lies behind it is padding
        inputs = torch.addcmul(-mean / spread, self.songs.inputs[:, :longest][rows], 1 / spread)
        return inputs.clamp_(-self.clip, self.clip) if self.clip < torch.inf else inputs

    def _with_noise(self, inputs: Tensor, rows: Tensor) -> Tensor:
        if not self.schedule.noise:
            return inputs
        inputs = inputs.clone()
        lengths = torch.where(rows >= 0, self.lengths[rows.clamp_min(0)], 0)
        present = torch.arange(inputs.shape[2]) < lengths[..., None]
        for model, rng in enumerate(self.rngs):
            shape = (int(lengths[model].sum()), inputs.shape[-1])
            noise = torch.randn(shape, generator=rng).mul_(self.schedule.noise)
            if present[model].all():
                inputs[model].add_(noise.view_as(inputs[model]))
            else:
                inputs[model][present[model]] += noise
        return inputs

    def _loss(self, inputs: Tensor, clean: Tensor, rows: Tensor, present: Tensor) -> Tensor:
        targets, steps = clean, inputs.shape[2]
        if self.songs.targets is not None:
            mean, spread = self.standard[2:]
            targets = (self.songs.targets[:, :steps][rows] - mean) / spread
        weights = self.songs.labelled[:, :steps][rows] * present[..., None]
        errors = (self.network(inputs, self.lengths[rows]) - targets).square().mean(-1) * weights
        return errors.sum((1, 2)) / weights.sum((1, 2)).clamp_min(1)

    @torch.no_grad()
    def _step(self, present: Tensor) -> None:
        schedule, everyone = self.schedule, bool(present.all())
        for weight, velocity in zip(self.parameters, self.velocity):
            gradient, weight.grad = weight.grad, None
            if gradient is None:
                continue
            if schedule.l1 + schedule.l2 and weight in self.penalised:
                gradient = gradient.add(weight.sign(), alpha=schedule.l1)
                gradient.add_(weight, alpha=2 * schedule.l2)
            if everyone:
                velocity.mul_(schedule.momentum).sub_(gradient, alpha=schedule.learning_rate)
                weight.add_(velocity)
            else:  # some have fewer songs: for them nothing happens, momentum included
                faster = schedule.momentum * velocity - schedule.learning_rate * gradient
                velocity[present] = faster[present]
                weight[present] += velocity[present]

    def _stop_early(self, validation: Tensor) -> None:
        active = torch.tensor(self.active)
        better = validation < self.least[active]
        self.waited[active] = torch.where(better, 0, self.waited[active] + 1)
        self.least[active[better]] = validation[better]
        for best, weight in zip(self.best, self.parameters):
            best[active[better]] = weight.detach()[better]
        going_on = self.waited[active] < self.schedule.patience
        if going_on.all():
            return
        self._set_parameters([weight.data[going_on] for weight in self.parameters])
        self.velocity = [velocity[going_on] for velocity in self.velocity]
        self.standard = [part[going_on] for part in self.standard]
        for name in ("active", "tasks", "rngs"):
            kept = [item for item, on in zip(getattr(self, name), going_on.tolist()) if on]
            setattr(self, name, kept)

    def finish(self) -> None:
        """Put each model's best weights into the network."""
        if self.schedule.patience is not None:
            self._set_parameters(self.best)
        if not all(weight.isfinite().all() for weight in self.parameters):
            raise self._not_finite("weights")

    def _set_parameters(self, values: Sequence[Tensor]) -> None:
        for parameter, value in zip(self.parameters, values):
            parameter.data, parameter.grad = value, None

    def _not_finite(self, what: str, when: str = "") -> ValueError:
        hint = f"a smaller learning rate than {self.schedule.learning_rate} may help"
        return ValueError(f"{what}: expected finite numbers, found NaN or infinity{when}; {hint}")


def _as_matrix(rows: Iterable[Tensor]) -> Tensor:
    """Rows of songs of each model, filled with -1 where a model has fewer."""
    return nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=-1)

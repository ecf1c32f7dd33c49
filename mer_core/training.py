"""Training of many networks at once: padding, standardisation, noise, early stopping, the loop.

The models of one computation share nothing but the songs: each has its own training and validation
songs, its own statistics, order of songs, noise and best weights, all from its own seed, so that it
comes out as if it had been trained alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from mer_core.files import DataError
from mer_core.tracks import DIMENSIONS, as_track, sorted_rows


class Schedule(NamedTuple):
    """How to train.

    Attributes
    ----------
    learning_rate, momentum : float
        v <- momentum v - learning_rate gradient; weights <- weights + v. The gradient is that of
        the mean squared error over the labelled frames of the songs of an update.
    epochs : int
        At most so many times through all training songs.
    patience : int or None
        Stop after so many epochs without a new best on the validation songs and go back to the
        best; None goes through all epochs and keeps what comes out.
    noise : float
        Standard deviation of Gaussian noise on the standardised inputs, drawn anew at each step.
    l1, l2 : float
        Weights of the sums of absolute and squared weights in the cost; biases are free.
    songs_per_update : int
        The last update of an epoch may have fewer.
    """

    learning_rate: float
    momentum: float
    epochs: int
    patience: int | None = None
    noise: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    songs_per_update: int = 1


class Job(NamedTuple):
    """What one model of many is fitted to.

    Attributes
    ----------
    features, labels : DataFrame
        Tracks. Jobs that pass the same objects share them.
    train : iterable of int, optional
        The song_ids to train on; all songs with labels by default.
    validation : iterable of int, optional
        Songs for early stopping; taken out of `train` if they are in it.
    unlabelled : DataFrame, optional
        Features of further songs, for pretraining.
    seed : int, optional
        In the place of the model's.
    """

    features: pd.DataFrame
    labels: pd.DataFrame
    train: Iterable[int] | None = None
    validation: Iterable[int] | None = None
    unlabelled: pd.DataFrame | None = None
    seed: int | None = None


class Songs(NamedTuple):
    """Songs as padded tensors.

    Attributes
    ----------
    inputs : Tensor, shape (songs, time, features)
    targets : Tensor, shape (songs, time, targets), or None
        0 where there is none. Without targets a network learns to give back its inputs as they
        were before the noise.
    labelled : Tensor, shape (songs, time)
        1 where a frame has a target, else 0.
    lengths : list of int
        Frames of each song.
    """

    inputs: Tensor
    targets: Tensor | None
    labelled: Tensor
    lengths: list[int]


class Task(NamedTuple):
    """What one model is trained on.

    Attributes
    ----------
    train, validation : list of int
        Rows of :class:`Songs`; without validation songs there can be no patience.
    standard : tuple of Tensor
        Mean and standard deviation of inputs, then of targets, each of shape (columns,).
    seed : int
        Of the order of songs and the noise.
    """

    train: list[int]
    validation: list[int]
    standard: tuple[Tensor, Tensor, Tensor, Tensor]
    seed: int


class ManyModels(Protocol):
    """What :func:`train` asks of a network; see :class:`mer_core.models.network.Network`."""

    def __call__(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Outputs (models, songs, time, targets) for (models, songs, time, features).

        Lengths (models, songs) say how many frames a song has.
        """

    def parameters(self) -> Sequence[nn.Parameter]:
        """All parameters, models in front."""

    def weights(self) -> list[nn.Parameter]:
        """Those that l1 and l2 hold small."""

    def apply_to_parameters(self, function: object) -> None:
        """Replace every parameter by a function of it."""


def pad(features: pd.DataFrame, labels: pd.DataFrame | None = None) -> tuple[Songs, pd.Index]:
    """Lay songs side by side, each from its first frame, zeros after its last.

    Parameters
    ----------
    features : DataFrame
        A track that :func:`checked` returned, or pieces of one; all rows are used.
    labels : DataFrame, optional
        Another one; frames that it lacks are unlabelled.

    Returns
    -------
    songs : Songs
    song_ids : Index
        In the order of the rows of `songs`.

    """
    song, song_ids = pd.factorize(features.index.get_level_values("song_id"))
    step = features.groupby(level="song_id", sort=False).cumcount().to_numpy()
    shape = (len(song_ids), step.max() + 1)
    wanted = labels if labels is not None else pd.DataFrame(index=features.index[:0])
    targets = wanted.reindex(features.index).to_numpy(dtype=float)
    known = features.index.isin(wanted.index)
    padded = []
    for values in (features.to_numpy(), np.nan_to_num(targets), known):
        whole = np.zeros(shape + values.shape[1:])
        whole[song, step] = values
        padded.append(torch.tensor(whole, dtype=torch.get_default_dtype()))
    return Songs(*padded, np.bincount(song).tolist()), pd.Index(song_ids, name="song_id")


def concatenate(pools: Sequence[Songs]) -> Songs:
    """Lay several sets of songs one after the other, padded to the longest of all."""
    longest = max(pool.inputs.shape[1] for pool in pools)

    def grown(tensors: Sequence[Tensor | None]) -> Tensor | None:
        if tensors[0] is None:
            return None
        missing = [(0, 0) * (t.dim() - 2) + (0, longest - t.shape[1]) for t in tensors]
        return torch.cat([nn.functional.pad(t, gap) for t, gap in zip(tensors, missing)])

    lengths = [length for pool in pools for length in pool.lengths]
    return Songs(*map(grown, list(zip(*pools))[:3]), lengths)


def unsupervised(songs: Songs) -> Songs:
    """The same songs as a task of giving back the inputs, at every frame that there is."""
    steps = torch.arange(songs.inputs.shape[1])
    heard = (steps < torch.tensor(songs.lengths)[:, None]).to(songs.inputs.dtype)
    return Songs(songs.inputs, None, heard, songs.lengths)


def checked(jobs: Sequence[Job], *, outputs: Sequence[str] = DIMENSIONS) -> list[Job]:
    """Check the tracks of jobs and convert their numbers to floats, shared tracks once.

    Parameters
    ----------
    jobs : sequence of Job
    outputs : sequence of str
        The columns that the labels must have, in this order.

    Returns
    -------
    list of Job
        With sorted rows. Jobs that shared a track share it still.

    Raises
    ------
    DataError
        If features, labels or unlabelled features are not tracks of finite numbers, see
        :func:`mer_core.tracks.as_track`; if features have a gap in a song, since a recurrent
        network would take the rows beside a gap for neighbours; or if the labels have other
        columns.
    """
    known: dict[int, pd.DataFrame] = {}

    def once(frame: pd.DataFrame, name: str, **options: object) -> pd.DataFrame:
        if id(frame) not in known:
            known[id(frame)] = sorted_rows(as_track(frame, name, **options), name)
        return known[id(frame)]

    converted = []
    for job in jobs:
        features = once(job.features, "features", gapless=True)
        labels = once(job.labels, "labels", ordered=True)
        if list(labels) != list(outputs):
            raise DataError("labels", f"the columns {list(outputs)}", f"{list(labels)}")
        more = job.unlabelled
        if more is not None:
            more = once(more, "unlabelled", columns=list(features), gapless=True)
        converted.append(job._replace(features=features, labels=labels, unlabelled=more))
    return converted


def mean_and_std(songs: Songs, rows: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Means and standard deviations over the labelled frames of some songs.

    Parameters
    ----------
    songs : Songs
    rows : sequence of int
        Training songs.

    Returns
    -------
    tuple of four Tensor
        Mean and standard deviation of inputs, mean and standard deviation of targets. A column
        without variance gets 1, so that it becomes 0 and nothing is divided by 0.
    """
    known = songs.labelled[rows] > 0
    found = []
    for values in (songs.inputs[rows][known], songs.targets[rows][known]):
        spread = values.std(0, correction=0)
        flat = spread <= 1e-6 * values.abs().amax(0).clamp_min(1e-12)
        found += [values.mean(0), spread.masked_fill(flat, 1.0)]
    return tuple(found)


def generator(seed: int) -> torch.Generator:
    """A source of random numbers on the device that torch makes tensors on by default."""
    return torch.Generator(torch.empty(0).device).manual_seed(seed)


def train(
    network: ManyModels, songs: Songs, tasks: Sequence[Task], schedule: Schedule, *, clip: float
) -> pd.DataFrame:
    """Train each model of a network on its own task.

    Parameters
    ----------
    network : ManyModels
        Changed in place; of each model the best weights (or the last, without patience) remain.
    songs : Songs
        Of all tasks.
    tasks : sequence of Task
        One for each model.
    schedule : Schedule
        The same for all.
    clip : float
        Standardised inputs are cut at plus and minus this.

    Returns
    -------
    DataFrame
        Index (model, epoch), as far as each model was trained; columns `train`, the mean over the
        updates of an epoch, with noise, and `validation`, after it, over all labelled frames and
        without noise. Both are mean squared errors in standard deviations of the targets (in units
        of the targets, where they are not standardised); the cost of weights is left out.

    Raises
    ------
    ValueError
        If a loss or, at the end, a weight of any model is not finite.
    """
    trainer = _Trainer(network, songs, list(tasks), schedule, clip)
    rows = []
    # A bar on a terminal, once it takes long; none in a notebook or a file.
    options = {"unit": "epoch", "leave": False, "delay": 5, "disable": None}
    for epoch in tqdm(range(schedule.epochs), "training", **options):
        rows += trainer.epoch(epoch)
        if not trainer.alive:
            break
    trainer.finish()
    columns = ["model", "epoch", "train", "validation"]
    return pd.DataFrame(rows, columns=columns).set_index(columns[:2]).sort_index()


class _Trainer:
    def __init__(
        self, network: ManyModels, songs: Songs, tasks: list[Task], schedule: Schedule, clip: float
    ) -> None:
        self.network, self.songs, self.schedule, self.clip = network, songs, schedule, clip
        self.alive, self.tasks = list(range(len(tasks))), tasks
        self.lengths = torch.tensor(songs.lengths)
        self.rngs = [generator(task.seed) for task in tasks]
        self.velocity = [torch.zeros_like(weight) for weight in network.parameters()]
        self.standard = [
            torch.stack(part)[:, None, None] for part in zip(*(t.standard for t in tasks))
        ]
        self.best = [weight.detach().clone() for weight in network.parameters()]
        self.record, self.waited = torch.full((len(tasks),), torch.inf), torch.zeros(len(tasks))

    def epoch(self, number: int) -> list[tuple[int, int, float, float]]:
        """One pass through all training songs, then early stopping; a row for each live model."""
        train = self._pass()
        validation = self._validate()
        losses = torch.stack([train, validation])
        stopped_early = all(task.validation for task in self.tasks)
        checked = losses if stopped_early else losses[:1]
        if not checked.isfinite().all() or losses.isinf().any():
            raise ValueError(
                f"loss: expected finite numbers, found others in epoch {number}; {self._hint()}"
            )
        rows = [(model, number, *pair) for model, pair in zip(self.alive, losses.T.tolist())]
        self._remember(validation)
        return rows

    def _pass(self) -> Tensor:
        orders = [torch.randperm(len(t.train), generator=r) for t, r in zip(self.tasks, self.rngs)]
        longest, size = max(map(len, orders)), self.schedule.songs_per_update
        rows = torch.full((len(orders), longest), -1)
        for model, (task, order) in enumerate(zip(self.tasks, orders)):
            rows[model, : len(order)] = torch.tensor(task.train)[order]
        losses = [self._update(rows[:, start : start + size]) for start in range(0, longest, size)]
        return torch.stack(losses).nanmean(0)

    def _update(self, rows: Tensor) -> Tensor:
        present = rows >= 0
        clean = self._inputs(rows.clamp_min(0))
        loss = self._loss(self._with_noise(clean, rows), clean, rows.clamp_min(0), present)
        loss.sum().backward()
        self._step(present.any(1))
        return torch.where(present.any(1), loss.detach(), torch.nan)

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
        heard = torch.arange(inputs.shape[2]) < lengths[..., None]
        for model, rng in enumerate(self.rngs):
            shape = (int(lengths[model].sum()), inputs.shape[-1])
            noise = torch.randn(shape, generator=rng).mul_(self.schedule.noise)
            if heard[model].all():
                inputs[model].add_(noise.view_as(inputs[model]))
            else:
                inputs[model][heard[model]] += noise
        return inputs

    def _loss(self, inputs: Tensor, clean: Tensor, rows: Tensor, present: Tensor) -> Tensor:
        mean, spread = self.standard[2:]
        known, steps = self.songs.targets, inputs.shape[2]
        targets = clean if known is None else (known[:, :steps][rows] - mean) / spread
        weights = self.songs.labelled[:, :steps][rows] * present[..., None]
        errors = (self.network(inputs, self.lengths[rows]) - targets).square().mean(-1) * weights
        return errors.sum((1, 2)) / weights.sum((1, 2)).clamp_min(1)

    def _step(self, present: Tensor) -> None:
        schedule, free = self.schedule, {id(weight) for weight in self.network.weights()}
        everyone = bool(present.all())
        with torch.no_grad():
            for weight, velocity in zip(self.network.parameters(), self.velocity):
                gradient, weight.grad = weight.grad, None
                if gradient is None:
                    continue
                if id(weight) in free and schedule.l1 + schedule.l2:
                    gradient = gradient.add(weight.sign(), alpha=schedule.l1)
                    gradient.add_(weight, alpha=2 * schedule.l2)
                if everyone:
                    velocity.mul_(schedule.momentum).sub_(gradient, alpha=schedule.learning_rate)
                    weight.add_(velocity)
                else:  # some have fewer songs: for them nothing happens, momentum included
                    faster = schedule.momentum * velocity - schedule.learning_rate * gradient
                    velocity[present] = faster[present]
                    weight[present] += velocity[present]

    @torch.no_grad()
    def _validate(self) -> Tensor:
        counts = [len(task.validation) for task in self.tasks]
        if not all(counts):
            return torch.full((len(counts),), torch.nan)
        rows = torch.full((len(counts), max(counts)), -1)
        for model, task in enumerate(self.tasks):
            rows[model, : counts[model]] = torch.tensor(task.validation)
        clean = self._inputs(rows.clamp_min(0))
        return self._loss(clean, clean, rows.clamp_min(0), rows >= 0)

    def _remember(self, validation: Tensor) -> None:
        if self.schedule.patience is None:
            return
        better = validation < self.record[self.alive]
        indices = torch.tensor(self.alive)
        self.waited[indices] = torch.where(better, 0, self.waited[indices] + 1)
        self.record[indices[better]] = validation[better]
        for best, weight in zip(self.best, self.network.parameters()):
            best[indices[better]] = weight.detach()[better]
        going_on = self.waited[indices] < self.schedule.patience
        if not going_on.all():
            self._keep(going_on)

    def _keep(self, going_on: Tensor) -> None:
        self.network.apply_to_parameters(lambda parameter: parameter[going_on])
        self.velocity = [velocity[going_on] for velocity in self.velocity]
        self.standard = [part[going_on] for part in self.standard]
        for name in ("alive", "tasks", "rngs"):
            kept = [item for item, on in zip(getattr(self, name), going_on.tolist()) if on]
            setattr(self, name, kept)

    def finish(self) -> None:
        """Put each model's weights back into the network."""
        if self.schedule.patience is not None:
            best = iter(self.best)
            self.network.apply_to_parameters(lambda _: next(best))
        if not all(weight.isfinite().all() for weight in self.network.parameters()):
            raise ValueError(f"weights: expected finite numbers, found others; {self._hint()}")

    def _hint(self) -> str:
        return f"a smaller learning rate than {self.schedule.learning_rate} may help"

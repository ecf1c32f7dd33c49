"""Li et al. (2016), Tsinghua: bidirectional LSTMs on segments of several lengths, and their ELM."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Self

import numpy as np
import pandas as pd
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.pipeline import Pipeline
from torch import Tensor

from mer_core import training
from mer_core.metrics import rmse
from mer_core.models.base import check_choice
from mer_core.models.elm import ELM
from mer_core.models.network import Network
from mer_core.models.recurrent import BatchModel, RecurrentRegressor
from mer_core.smoothing import moving_average
from mer_core.tracks import DIMENSIONS, as_track, rows_of, stretches
from mer_core.training import Job, Songs, Task, pad, positions


@dataclass(kw_only=True)
class BLSTM(RecurrentRegressor):
    """Stacked bidirectional long short-term memories, one network for valence, one for arousal.

    Songs are split into segments of `scale` frames, in training and in prediction; the last one may
    be shorter. In training the first segment that counts starts with the first labelled frame. Each
    network has its own early stopping. Further settings are those of
    :class:`mer_core.models.recurrent.RecurrentRegressor`.
    Source: Li et al. (2016), sections 2.1 and 3.2; notebook 05.

    Parameters
    ----------
    hidden : sequence of int
        Units of each layer from the input up, both directions together (as CURRENNT counts), even.
        The paper searched 1 to 6 layers of 100 to 300 units.
    scale : int
        Frames of a segment, that is half-seconds: 10, 20, 30 and 60 in the paper.
    frames_per_update : int
        An update takes as many segments as have this many frames, at least one.
    pretrain_epochs, pretrain_learning_rate : int, float
        Of the first two layers as a denoising autoencoder, on training, validation and `unlabelled`
        songs, from the first to the last frame; 0 epochs: no pretraining.
    """

    hidden: tuple[int, ...] = (24, 12)
    learning_rate: float = 2e-2
    epochs: int = 6
    patience: int | None = 3
    noise: float = 0.6
    scale: int = 60
    frames_per_update: int = 240
    pretrain_epochs: int = 3
    pretrain_learning_rate: float = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.hidden or any(units < 2 or units % 2 for units in self.hidden):
            raise ValueError(f"hidden: expected even numbers of units, found {self.hidden!r}")
        if self.scale < 1:
            raise ValueError(f"scale: expected at least 1 frame, found {self.scale!r}")

    @property
    def songs_per_update(self) -> int:
        """Segments whose errors make one step: at least one, else `frames_per_update` frames."""
        return max(1, self.frames_per_update // self.scale)

    @classmethod
    def paper(cls, scale: int = 60) -> Self:
        """Five layers of 250 units, a segment an update, at most 100 epochs, 20 of patience.

        CURRENNT's learning rate of 5e-6 belongs to half the sum of squared errors over a segment;
        with the mean over `scale` frames and one target it is scale / 2 times as much. The paper
        gives neither the number of segments in an update nor rate and epochs of pretraining.
        CURRENNT's cells have peepholes, ours have none.
        """
        rates = {"learning_rate": 5e-6 * scale / 2, "epochs": 100, "patience": 20}
        pretraining = {"pretrain_epochs": 100, "clip": float("inf")}
        return cls(hidden=(250,) * 5, scale=scale, frames_per_update=scale, **rates, **pretraining)

    def with_scale(self, scale: int) -> Self:
        """The same fitted networks, but songs are split into segments of another length."""
        return self._with(scale=scale)

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy of the model to each job."""
        single = [job._replace(targets=(name,)) for job in jobs for name in DIMENSIONS]
        fitted = super().fit_many(single)
        return [self._pair(*pair) for pair in zip(fitted[::2], fitted[1::2])]

    def _pair(self, valence: Self, arousal: Self) -> Self:
        """One model of two networks: weights have an axis of the two in front."""
        both = (valence, arousal)
        targets = (torch.cat(part) for part in zip(*(one.standard_[2:] for one in both)))
        histories = [one.history_ for one in both]
        return valence._with(
            standard_=(*valence.standard_[:2], *targets),
            weights_={k: torch.cat([one.weights_[k] for one in both]) for k in valence.weights_},
            history_=pd.concat(histories, keys=DIMENSIONS, names=["dimension"]),
        )

    def _make_network(self, inputs: int, seeds: Sequence[int]) -> Network:
        return Network(self.cell, inputs, self.hidden, 1, seeds=seeds, bidirectional=True)

    def _segments(self, features: pd.DataFrame) -> pd.DataFrame:
        return split_into_segments(features, self.scale)[0]

    def _outputs(self, function: Callable[..., Tensor], x: Tensor, lengths: Tensor) -> Tensor:
        """Outputs of both networks side by side: valence's columns, then arousal's."""
        both = function(x.expand(len(DIMENSIONS), *x.shape), lengths)
        return both.permute(1, 2, 0, 3).flatten(2)

    def _pad(self, features: pd.DataFrame, labels: pd.DataFrame) -> tuple[Songs, pd.Index]:
        """The segments that have a label, and the song_id of each."""
        step = pd.Series(positions(features)[1], features.index)
        first = step.loc[labels.index].groupby(level="song_id").min()
        segments, songs = split_into_segments(features, self.scale, start=first)
        labels = labels.set_axis(segments.index[features.index.get_indexer(labels.index)])
        padded, numbers = pad(rows_of(segments, labels.index.unique("song_id")), labels)
        return padded, songs[numbers]

    def _prepare(self, network: Network, jobs: list[Job], songs: Songs, tasks: list[Task]) -> None:
        """Pretrain the first two layers on whole songs; jobs of same songs and seed share one."""
        if not self.pretrain_epochs:
            return
        pool, rows = self._pool_unsupervised(jobs)
        known, model = {}, []
        for job in jobs:
            used = frozenset((*job.train, *job.validation))
            key = (job.data, used, job.seed)
            if key not in known:
                own = rows[job.data, "features"]
                own = own[own.index.isin(used)].tolist()
                more = rows.get((job.data, "unlabelled"), pd.Series(dtype=int)).tolist()
                known[key] = Task([*own, *more], [], training.mean_and_std(pool, own), job.seed)
            model.append(list(known).index(key))
        encoder = self._autoencoder(2, pool, [*known.values()], bidirectional=True)
        for layer, learned in zip(network.layers, encoder.layers):
            for weight, other in zip(layer.parameters(), learned.parameters()):
                weight.data.copy_(other.data[model])

    def _pool_unsupervised(self, jobs: list[Job]) -> tuple[Songs, dict]:
        """Whole songs in segments, and rows of them by song_id, for each kind of features."""
        parts = {}
        for data, used in training.used_songs(jobs).items():
            tracks = {"features": rows_of(data.features, used), "unlabelled": data.unlabelled}
            for name, track in tracks.items():
                if track is not None:
                    segments, songs = split_into_segments(track, self.scale)
                    parts[data, name] = training.unsupervised(pad(segments)[0]), songs
        return training.concatenate(parts)


def split_into_segments(
    track: pd.DataFrame, scale: int, *, start: pd.Series | None = None
) -> tuple[pd.DataFrame, pd.Index]:
    """Split songs into segments of `scale` frames; the last segment of a song may be shorter.

    `start` holds, by song_id, the number of a frame with which a segment begins (0 by default);
    earlier frames are split backwards from there. Returns the same rows with the number of the
    segment as song_id, and the song_id of each segment. (Li et al. 2016, section 3.5; notebook 05.)

    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5, 1.0]], names=["song_id", "time"])
    >>> segments, songs = split_into_segments(pd.DataFrame({"f": [1, 2, 3]}, index), 2)
    >>> segments.index.tolist(), list(songs)
    ([(0, 0.0), (0, 0.5), (1, 1.0)], [7, 7])
    """
    song, step, song_ids = positions(track)
    if start is not None:
        step = step - start.reindex(song_ids, fill_value=0).to_numpy()[song]
    part = step // scale - step.min(initial=0) // scale
    most = part.max(initial=0) + 1
    segment, kinds = pd.factorize(song * most + part)
    index = pd.MultiIndex.from_arrays([segment, track.index.get_level_values("time")])
    return track.set_axis(index.set_names(track.index.names)), song_ids[kinds // most]


@dataclass(kw_only=True)
class MultiScaleBLSTM(BatchModel):
    """Deep BLSTMs on segments of 10, 20, 30 and 60 frames, their outputs fused by an ELM.

    For each scale, `trials` networks are trained on each partition of the songs, stopped by its
    validation songs. The best trial of each partition and scale predicts these; from the
    predictions the ELM learns. For new songs, one network of each scale is selected, twice: by its
    error alone, and so that all come from different partitions. The ELM fuses both groups, and the
    two curves are averaged. All that for valence and for arousal. Validation songs are used for
    early stopping, selection and the ELM, as in the paper: scores on them are optimistic.
    Source: Li et al. (2016), sections 2.3 and 3.2 to 3.5; notebook 05.

    Parameters
    ----------
    network, elm : BLSTM, ELM
        Their seeds and the network's scale are not used.
    scales : sequence of int
        Frames of a segment.
    partitions, held_out, trials : int
        Number of partitions, of validation songs in each (drawn at random unless `fit` is given
        any) and of networks for each. The paper held out 20 of 431 songs.
    window : int
        Frames of the moving average in the supervector; the paper does not say how it smoothed.
    fusion : {"elm", "average"}
        "average" is the mean of all selected networks.
    seed : int
        Of networks (seed * trials, seed * trials + 1, ...), ELM and random partitions.
    """

    network: BLSTM = field(default_factory=BLSTM)
    elm: ELM = field(default_factory=lambda: ELM(units=20))
    scales: tuple[int, ...] = (10, 20, 30, 60)
    partitions: int = 5
    held_out: int = 8
    trials: int = 3
    window: int = 13
    fusion: str = "elm"
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("fusion", self.fusion, ("elm", "average"))
        self.scales = tuple(sorted(self.scales))

    @classmethod
    def paper(cls) -> Self:
        """Sixty networks a dimension, each of five layers with 250 units; 20 songs held out."""
        return cls(network=BLSTM.paper(), elm=ELM.paper(), held_out=20)

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job.

        `validation` may hold the song_ids of each partition's validation songs, for instance those
        of :func:`mer_core.folds.genre_folds`; its networks are trained on all other songs. Raises a
        ValueError if partitions share a song, one is empty, or there are too few songs, and a
        DataError if the labels have a gap.
        """
        for data in dict.fromkeys(job.data for job in jobs):
            as_track(data.labels, "labels", gapless=True)  # networks predict these rows as songs
        return [self._fit(job.with_seed(self.seed)) for job in jobs]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row, by the model's fusion."""
        outputs, machines = self.outputs(features), self.machines_
        if self.fusion == "average":
            return pd.DataFrame({name: self._average(outputs, name) for name in DIMENSIONS})
        return pd.DataFrame({k: self.fuse(outputs, k, machines[k]) for k in DIMENSIONS})

    def with_fusion(self, fusion: str) -> Self:
        """The same fitted networks with another fusion."""
        return self._with(fusion=fusion)

    def outputs(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predictions of all selected networks: columns (dimension, group 0 or 1, scale)."""
        predictions, columns = {}, {}
        for name, number, place in self._selected():
            if place not in predictions:
                predictions[place] = self.networks_[place].predict(features)
            columns[name, number, place[0]] = predictions[place][name]
        return pd.DataFrame(columns, features.index).sort_index(axis=1)

    def _selected(self) -> Iterator[tuple[str, int, tuple[int, int, int]]]:
        """Dimension, group and (scale, partition, trial) of each selected network."""
        for name in DIMENSIONS:
            for number, group in enumerate(self.groups_[name]):
                for scale, place in group.items():
                    yield name, number, (scale, *place)

    def _fit(self, job: Job) -> Self:
        songs = job.songs
        parts = self._partitions(job.validation, songs, job.seed)
        songs = songs.union(pd.Index(np.concatenate(parts)))
        inner = {
            (part, trial): job._replace(
                train=songs.difference(held), validation=held, seed=job.seed * self.trials + trial
            )
            for part, held in enumerate(parts)
            for trial in range(self.trials)
        }
        networks = {}
        for scale in self.scales:
            fitted = replace(self.network, scale=scale).fit_many(list(inner.values()))
            networks |= {(scale, *place): one for place, one in zip(inner, fitted)}
        return self._with(networks_=networks, parts_=parts)._select(job)

    def _partitions(self, given: Iterable | None, songs: pd.Index, seed: int) -> list[list[int]]:
        """Validation songs of each partition."""
        given = [] if given is None else list(given)
        if not all(isinstance(part, Iterable) for part in given):
            raise ValueError("validation: expected song_ids for each partition, found one list")
        parts = [list(part) for part in given]
        if not parts and len(songs) > self.partitions * self.held_out:
            order = np.random.default_rng(seed).permutation(songs)
            parts = np.array_split(order[: self.partitions * self.held_out], self.partitions)
            parts = [part.tolist() for part in parts]
        drawn = [song for part in parts for song in part]
        if not all(parts) or not parts or len(set(drawn)) < len(drawn):
            wanted = f"more than {self.partitions} x {self.held_out} songs, or disjoint partitions"
            raise ValueError(f"validation: expected {wanted}, found {len(songs)} songs, {parts}")
        return parts

    def _select(self, job: Job) -> Self:
        """Choose the groups, and fit the ELM to the best predictions of each partition."""
        predictions, labels = {}, rows_of(job.data.labels, np.concatenate(self.parts_))
        for (scale, part, trial), network in self.networks_.items():
            rows = rows_of(labels, self.parts_[part])
            predictions[scale, part, trial] = network.predict(job.data.features.loc[rows.index])
        errors = {
            place: {name: rmse(labels.loc[p.index, name], p[name]) for name in DIMENSIONS}
            for place, p in predictions.items()
        }
        names = ["scale", "partition", "trial"]
        errors = pd.DataFrame(errors).T.rename_axis(names).astype(float)
        best = errors.groupby(level=names[:2]).idxmin()
        outputs = {
            (name, scale): pd.concat([predictions[place][name] for place in best.loc[scale, name]])
            for name, scale in product(DIMENSIONS, self.scales)
        }
        chosen = {name: groups(errors[name]) for name in DIMENSIONS}
        outputs = pd.DataFrame(outputs)
        model = self._with(errors_=errors, groups_=chosen, validation_outputs_=outputs)
        model.machines_ = {name: model.machine(name, labels) for name in DIMENSIONS}
        return model

    def machine(self, dimension: str, labels: pd.DataFrame, *, elm: ELM | None = None) -> Pipeline:
        """An ELM (the model's own by default) fitted to labelled frames of the validation songs.

        It is for arrays of supervectors. Validation songs without labels are left out.
        """
        outputs = self.validation_outputs_[dimension]
        rows = outputs.index[outputs.index.isin(labels.index)]
        x = supervector(outputs.loc[rows], window=self.window)
        y = labels.loc[rows, [dimension]]
        machine = (elm or replace(self.elm, seed=self.seed)).make_estimator()
        return machine.fit(x.to_numpy(), y.to_numpy())

    def fuse(self, outputs: pd.DataFrame, dimension: str, machine: Pipeline) -> pd.Series:
        """The mean of a machine's predictions from each group's outputs."""
        groups = [supervector(outputs[dimension, k], window=self.window) for k in (0, 1)]
        fused = sum(machine.predict(x.to_numpy())[:, 0] for x in groups) / len(groups)
        return pd.Series(fused, outputs.index)

    def _average(self, outputs: pd.DataFrame, dimension: str) -> pd.Series:
        """The mean of the selected networks, each counted once."""
        selected = [part[1:] for part in self._selected() if part[0] == dimension]
        unique = {place: outputs[dimension, number, place[0]] for number, place in selected}
        return sum(unique.values()) / len(unique)


def groups(errors: pd.Series) -> list[dict[int, tuple[int, int]]]:
    """Select a network of each scale by the paper's two criteria: scale -> (partition, trial).

    The first group has the least error of each scale, the second the least sum of errors of all
    selections in which no partition comes twice (Li et al. 2016, section 3.3). `errors`, the RMSE
    on the partition's validation songs, has the index (scale, partition, trial).
    """
    best = errors.groupby(level=["scale", "partition"]).idxmin().unstack("partition")
    least = errors.groupby(level=["scale", "partition"]).min().unstack("partition")
    if len(best) > best.shape[1]:
        raise ValueError(f"partitions: expected {len(best)} or more, found {best.shape[1]}")
    rows, columns = linear_sum_assignment(least)
    choices = (least.to_numpy().argmin(1), columns[np.argsort(rows)])
    return [
        {scale: best.loc[scale].iloc[part][1:] for scale, part in zip(best.index, choice)}
        for choice in choices
    ]


def supervector(outputs: pd.DataFrame, *, window: int = 13) -> pd.DataFrame:
    """The inputs of the ELM: each network's output, its change since the last frame, its average.

    `outputs` is a track with a column for each scale. Returns a track with the columns `10 output`,
    `10 delta`, `10 smoothed`, `20 output`, ...; the first delta of a song, and after a gap, is 0.
    The paper defines neither smoothing nor delta (Li et al. 2016, sections 2.3, 3.4; notebook 05).

    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5, 1.0]], names=["song_id", "time"])
    >>> supervector(pd.DataFrame({10: [0.0, 0.3, 0.0]}, index), window=3).round(1).values.tolist()
    [[0.0, 0.0, 0.0], [0.3, 0.3, 0.1], [0.0, -0.3, 0.0]]
    """
    outputs = as_track(outputs, "outputs", ordered=True)
    deltas = outputs.groupby(stretches(outputs), sort=False).diff().fillna(0.0)
    parts = {"output": outputs, "delta": deltas, "smoothed": moving_average(outputs, window)}
    columns = {f"{scale} {k}": part[scale] for scale in outputs for k, part in parts.items()}
    return pd.DataFrame(columns)

"""Tsinghua's deep bidirectional LSTM: past and future of every frame, in pieces of one length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import pandas as pd
import torch
from torch import Tensor

from mer_core.models.network import Network
from mer_core.models.recurrent import RecurrentRegressor
from mer_core.tracks import DIMENSIONS, check_covered
from mer_core.training import (
    Job,
    Songs,
    Task,
    checked,
    concatenate,
    mean_and_std,
    pad,
    train,
    unsupervised,
)


@dataclass(kw_only=True)
class BLSTM(RecurrentRegressor):
    """Stacked bidirectional long short-term memories, one network for valence, one for arousal.

    A song is cut into pieces of `scale` frames, in training and in prediction; the last piece is
    what remains. In training the first piece that counts starts with the first labelled frame.
    The two networks are trained in the same computation and stopped each for itself.

    Parameters
    ----------
    hidden : sequence of int
        Units of each layer from the input up, both directions together (as CURRENNT counts), even.
        The paper searched 1 to 6 layers of 100 to 300 units.
    scale : int
        Frames of a piece, that is half-seconds: 10, 20, 30 and 60 in the paper.
    frames_per_update : int
        An update takes as many pieces as have this many frames, at least one.
    learning_rate, momentum : float
        Of the mean squared error of standardised targets over the frames of an update.
    epochs, patience : int
        At most so many times through all pieces; stop after `patience` without a new best on
        validation songs, and go back to it.
    noise : float
        Standard deviation of the noise on standardised inputs, in training only.
    pretrain_epochs : int
        How many times the first two layers go through all songs beforehand (those to train on,
        those to stop by and `unlabelled` ones, from their first frame to their last) to learn, as
        a denoising autoencoder, what they sound like; 0: not at all.
    pretrain_learning_rate : float
        In pretraining.
    clip : float
        Standardised inputs are cut at plus and minus this.
    seed : int
        Of first weights, order of pieces, noise and the choice of validation songs.

    References
    ----------
    Li et al. (2016), sections 2.1 and 3.2. Notebook 05.
    """

    cell = "lstm"
    standardise_targets = True

    hidden: tuple[int, ...] = (24, 12)
    scale: int = 60
    frames_per_update: int = 240
    learning_rate: float = 2e-2
    momentum: float = 0.9
    epochs: int = 6
    patience: int | None = 3
    noise: float = 0.6
    pretrain_epochs: int = 3
    pretrain_learning_rate: float = 0.03
    clip: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.hidden or any(units < 2 or units % 2 for units in self.hidden):
            raise ValueError(f"hidden: expected even numbers of units, found {self.hidden!r}")
        if self.scale < 1:
            raise ValueError(f"scale: expected at least 1 frame, found {self.scale!r}")
        self.hidden = tuple(self.hidden)

    @property
    def songs_per_update(self) -> int:
        """Pieces whose errors make one step: at least one, else `frames_per_update` frames."""
        return max(1, self.frames_per_update // self.scale)

    @classmethod
    def paper(cls, scale: int = 60) -> Self:
        """Five layers of 250 units, a piece an update, at most 100 epochs, 20 of patience.

        CURRENNT's learning rate of 5e-6 belongs to half the sum of squared errors over a piece;
        with the mean over `scale` frames and one target it is scale / 2 times as much. The paper
        gives neither the number of pieces in an update nor rate and epochs of pretraining.
        CURRENNT's cells have peepholes, ours have none.
        """
        rates = {"learning_rate": 5e-6 * scale / 2, "epochs": 100, "patience": 20}
        pretraining = {"pretrain_epochs": 100, "clip": float("inf")}
        return cls(hidden=(250,) * 5, scale=scale, frames_per_update=scale, **rates, **pretraining)

    def with_scale(self, scale: int) -> Self:
        """The same fitted networks, but songs are split into segments of another length."""
        return self._with(scale=scale)

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy of the model to each job; see :meth:`LSTM.fit_many`."""
        jobs = checked(jobs)
        apart = {id(job.labels): [job.labels[[name]] for name in DIMENSIONS] for job in jobs}
        single = [job._replace(labels=one) for job in jobs for one in apart[id(job.labels)]]
        fitted = super().fit_many(single)
        return [self._pair(*fitted[k : k + 2]) for k in range(0, len(fitted), 2)]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row once; see :meth:`LSTM.predict`."""
        return super().predict(features)

    def states(self, features: pd.DataFrame) -> pd.DataFrame:
        """Units of the topmost layer: the valence network's, then the arousal network's.

        In each, the first half hears the past, the second half the future.
        """
        return super().states(features)

    def _checked(self, jobs: Sequence[Job]) -> list[Job]:
        return list(jobs)  # by `fit_many`, before valence and arousal were divided

    def _pieces(self, features: pd.DataFrame) -> pd.DataFrame:
        return split_into_segments(features, self.scale)[0]

    def _pair(self, valence: Self, arousal: Self) -> Self:
        """One model of two networks: weights have the two in front."""
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

    def _outputs(self, function: Callable, network: Network, x: Tensor, lengths: Tensor) -> Tensor:
        both = function(network, x.expand(len(DIMENSIONS), *x.shape), lengths)
        return both.permute(1, 2, 0, 3).flatten(2)

    def _pool(self, jobs: list[Job]) -> tuple[Songs, list[Task]]:
        """As for whole songs, but songs are pieces, and those without a label are left out."""
        known, cut_jobs = {}, []
        for job in jobs:
            key = id(job.features), id(job.labels)
            if key not in known:
                known[key] = _labelled_pieces(job.features, job.labels, self.scale)
            features, labels, pieces = known[key]
            sides = (list(pieces[pieces.isin(side)].index) for side in (job.train, job.validation))
            cut_jobs.append(Job(features, labels, *sides, seed=job.seed))
        return super()._pool(cut_jobs)

    def _prepare(self, network: Network, jobs: list[Job], songs: Songs, tasks: list[Task]) -> None:
        if self.pretrain_epochs:
            encoder, which = self._autoencoder(jobs)
            with torch.no_grad():
                for layer, learned in zip(network.layers, encoder.layers):
                    for weight, other in zip(layer.parameters(), learned.parameters()):
                        weight.copy_(other[which])

    def _autoencoder(self, jobs: list[Job]) -> tuple[Network, list[int]]:
        """Layers that hear noisy songs and give them back clean, and which of them is a job's.

        Jobs of the same songs and seed share one, whatever they predict and are stopped by.
        """
        whole, rows = self._sounds(jobs)
        tasks, which = {}, []
        for job in jobs:
            songs = frozenset((*job.train, *job.validation))
            key = (id(job.features), id(job.unlabelled), songs, job.seed)
            if key not in tasks:
                own = rows[id(job.features)]
                own = list(own[own.index.isin(songs)])
                more = [] if job.unlabelled is None else rows[id(job.unlabelled)]
                numbers = mean_and_std(whole._replace(targets=whole.inputs[..., :1]), own)
                tasks[key] = Task([*own, *more], [], numbers, job.seed)
            which.append(list(tasks).index(key))
        inputs, seeds = whole.inputs.shape[-1], [task.seed for task in tasks.values()]
        encoder = Network(
            self.cell, inputs, self.hidden[:2], inputs, seeds=seeds, bidirectional=True
        )
        schedule = self._pretraining_schedule()
        self.pretraining_ = train(encoder, whole, [*tasks.values()], schedule, clip=self.clip)
        return encoder, which

    def _sounds(self, jobs: list[Job]) -> tuple[Songs, dict[int, pd.Series]]:
        """Whole songs in pieces, and for each track (by its id) rows of them by song_id."""
        tracks = {id(track): track for job in jobs for track in (job.features, job.unlabelled)}
        pools, rows, start = [], {}, 0
        for track in tracks.values():
            if track is not None:
                pieces, songs = split_into_segments(track[list(jobs[0].features)], self.scale)
                pools.append(unsupervised(pad(pieces)[0]))
                rows[id(track)] = pd.Series(range(start, start + len(songs)), songs)
                start += len(songs)
        return concatenate(pools), rows


def split_into_segments(
    track: pd.DataFrame, scale: int, *, start: pd.Series | None = None
) -> tuple[pd.DataFrame, pd.Index]:
    """Cut songs into pieces of so many frames; the last piece of a song is what remains.

    Parameters
    ----------
    track : DataFrame
        MultiIndex (song_id, time).
    scale : int
        Frames of a piece.
    start : Series, optional
        Number of a frame of each song, by song_id, with which a piece begins; what lies before it
        is cut backwards from there. 0 by default.

    Returns
    -------
    pieces : DataFrame
        The same rows in the same order, with the number of the piece in the place of song_id.
    songs : Index
        The song_id of each piece.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5, 1.0]], names=["song_id", "time"])
    >>> pieces, songs = split_into_segments(pd.DataFrame({"f": [1, 2, 3]}, index), 2)
    >>> pieces.index.tolist(), list(songs)
    ([(0, 0.0), (0, 0.5), (1, 1.0)], [7, 7])

    References
    ----------
    Li et al. (2016), section 3.5. Notebook 05.
    """
    song, song_ids = pd.factorize(track.index.get_level_values("song_id"))
    step = track.groupby(level="song_id", sort=False).cumcount().to_numpy()
    if start is not None:
        step = step - start.reindex(song_ids, fill_value=0).to_numpy()[song]
    part = step // scale - step.min(initial=0) // scale
    most = part.max(initial=0) + 1
    piece, kinds = pd.factorize(song * most + part)
    index = pd.MultiIndex.from_arrays([piece, track.index.get_level_values("time")])
    return track.set_axis(index.set_names(track.index.names)), song_ids[kinds // most]


def _labelled_pieces(
    features: pd.DataFrame, labels: pd.DataFrame, scale: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Both tracks in pieces, from the first labelled frame on; songs of the labelled pieces."""
    check_covered(labels, features)
    step = features.groupby(level="song_id", sort=False).cumcount()
    first = step.loc[labels.index].groupby(level="song_id").min()
    pieces, songs = split_into_segments(features, scale, start=first)
    known = labels.set_axis(pieces.index[features.index.get_indexer(labels.index)])
    heard = known.index.unique("song_id")
    return pieces, known, pd.Series(songs[heard], heard)

"""Li et al. (2016), Tsinghua: bidirectional LSTMs on segments of several lengths, and the ELM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
import torch
from scipy import linalg
from scipy.linalg.lapack import dpocon, dpotrf, dpotrs
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from mer_core.metrics import rmse
from mer_core.models.base import BatchModel
from mer_core.models.baselines import Framewise
from mer_core.models.network import Network
from mer_core.models.recurrent import RecurrentRegressor, rows_of, songs_of
from mer_core.smoothing import moving_average
from mer_core.tracks import DIMENSIONS, as_track, check_covered, stretches
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

WELL_CONDITIONED = 1e-9
"""Below this reciprocal condition of H'H the normal equations would cost digits."""

WEIGHT_SD = 2.0
"""Of a unit's input, when the inputs have unit variance: of 1, 2, 3, 4 and 6 the best for songs of
mini that were left out, at 100 and at 500 units. Narrower, tanh is nearly a line and the units of H
nearly alike."""


@dataclass(kw_only=True)
class ELM(Framewise):
    """Extreme learning machine on standardised features, each frame by itself.

    H = tanh(X W + b) with random W and b, that are never trained; the output weights are
    the pseudo-inverse of H times the targets.

    Parameters
    ----------
    units : int
        Of the hidden layer. The paper does not say how many.
    ridge : float
        Weight of the sum of squared output weights; 0 is the paper's Moore-Penrose inverse.
    seed : int
        Of the hidden layer.

    References
    ----------
    Huang, Zhu and Siew (2006); Li et al. (2016), section 2.2. Notebook 05.
    """

    units: int = 100
    ridge: float = 0.0
    seed: int = 0

    def make_estimator(self) -> BaseEstimator:
        """Standardisation and a random layer, for arrays."""
        layer = RandomLayer(units=self.units, ridge=self.ridge, seed=self.seed)
        return make_pipeline(StandardScaler(), layer)

    @classmethod
    def paper(cls) -> Self:
        """No ridge; the paper gives no other setting."""
        return cls(ridge=0.0)


class RandomLayer(RegressorMixin, BaseEstimator):
    """The machine itself, for arrays, as scikit-learn's estimators.

    Parameters
    ----------
    units, ridge, seed
        As for :class:`ELM`.

    Attributes
    ----------
    weights_, biases_ : ndarray, shape (inputs, units) and (units,)
        Drawn from normal distributions: weights with the standard deviation :data:`WEIGHT_SD` /
        sqrt(inputs), biases with 1.
    outputs_ : ndarray, shape (units, targets)
    """

    def __init__(self, *, units: int = 100, ridge: float = 0.0, seed: int = 0) -> None:
        self.units, self.ridge, self.seed = units, ridge, seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        """Draw the hidden layer and solve for the output weights.

        Parameters
        ----------
        x : ndarray, shape (frames, inputs)
            Of about unit variance, so that tanh is neither a line nor a step.
        y : ndarray, shape (frames, targets)
        """
        rng, inputs = np.random.default_rng(self.seed), x.shape[1]
        self.weights_ = rng.normal(size=(inputs, self.units)) * WEIGHT_SD / np.sqrt(inputs)
        self.biases_ = rng.normal(size=self.units)
        self.outputs_ = least_squares(self.hidden(x), y, ridge=self.ridge)
        return self

    def hidden(self, x: np.ndarray) -> np.ndarray:
        """H, shape (frames, units), each in [-1, 1]."""
        h = x @ self.weights_
        h += self.biases_
        return np.tanh(h, out=h)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """H times the output weights."""
        return self.hidden(x) @ self.outputs_


def least_squares(h: np.ndarray, y: np.ndarray, *, ridge: float = 0.0) -> np.ndarray:
    """The weights w of least |h w - y|^2 + ridge |w|^2, among equals the shortest.

    Without a ridge: the Moore-Penrose inverse of h, times y. The normal equations give the same,
    many times as fast; where h is too ill-conditioned for them, singular values are taken.

    Parameters
    ----------
    h : ndarray, shape (rows, columns)
    y : ndarray, shape (rows, targets)
    ridge : float

    Returns
    -------
    ndarray, shape (columns, targets)

    Examples
    --------
    >>> h = np.array([[1.0, 1.0], [1.0, 1.0]])
    >>> least_squares(h, np.array([[1.0], [3.0]])).round(6).tolist()
    [[1.0], [1.0]]

    References
    ----------
    Huang, Zhu and Siew (2006), section 3. Notebook 05.
    """
    gram = h.T @ h
    gram.flat[:: len(gram) + 1] += ridge
    largest = np.abs(gram).sum(0).max()
    factor, failed = dpotrf(gram, lower=1)
    if not failed and dpocon(factor, largest, uplo="L")[0] > WELL_CONDITIONED:
        return dpotrs(factor, h.T @ y, lower=1)[0]
    if ridge:  # as further rows, which ask for weights of 0
        h = np.vstack([h, np.sqrt(ridge) * np.eye(len(gram))])
        y = np.vstack([y, np.zeros((len(gram), y.shape[1]))])
    # SciPy's own limit is so low that a column that stands twice gets weights of 1e13.
    return linalg.lstsq(h, y, cond=max(h.shape) * np.finfo(float).eps)[0]


def nested(h: np.ndarray, y: np.ndarray, sizes: Iterable[int]) -> dict[int, np.ndarray]:
    """The weights for the first n columns of h, for several n, at the price of the largest.

    The Cholesky factor L of H'H holds that of every smaller machine in its corner, and solving
    L z = H'y from above gives their z as well: what is left for each is one triangular solution.

    Parameters
    ----------
    h : ndarray, shape (rows, columns)
    y : ndarray, shape (rows, targets)
    sizes : iterable of int
        From 1 to the number of columns.

    Returns
    -------
    dict
        The weights, shape (n, targets), for each n, as :func:`least_squares` gives them.

    Examples
    --------
    >>> h, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[3.0], [4.0]])
    >>> {n: weights.ravel().tolist() for n, weights in nested(h, y, [1, 2]).items()}
    {1: [3.0], 2: [3.0, 2.0]}

    References
    ----------
    Golub and Van Loan, "Matrix Computations", section 4.2. Notebook 05.
    """
    gram = h.T @ h
    factor, failed = dpotrf(gram, lower=1)
    if failed or dpocon(factor, np.abs(gram).sum(0).max(), uplo="L")[0] <= WELL_CONDITIONED:
        return {n: least_squares(h[:, :n], y) for n in sizes}
    z = linalg.solve_triangular(factor, h.T @ y, lower=True)
    return {n: linalg.solve_triangular(factor[:n, :n].T, z[:n]) for n in sizes}


KINDS = ("output", "delta", "smoothed")
"""What the ELM hears of each network."""


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


@dataclass(kw_only=True)
class MultiScaleBLSTM(BatchModel):
    """Deep BLSTMs on pieces of 10, 20, 30 and 60 frames, their outputs fused by an ELM.

    For each scale, `trials` networks are trained on each of five partitions of the songs, stopped
    by the partition's validation songs. The best trial of each partition and scale predicts its
    validation songs; from these predictions the ELM learns. For songs that are new, one network
    of each scale is selected, twice: by its error alone, and so that all come from different
    partitions. The ELM fuses both groups, and the two curves are averaged. All that for valence
    and for arousal.

    Validation songs stop, select and teach the ELM, as in the paper: their own scores are
    optimistic.

    Parameters
    ----------
    network : BLSTM
        Of any scale; its seed is not used.
    elm : ELM
        What fuses; its seed is not used.
    scales : sequence of int
        Frames of a piece.
    partitions, held_out, trials : int
        So many partitions with so many validation songs, drawn at random unless `fit` is given
        any; so many networks for each. The paper held out 20 of 431 songs.
    window : int
        Frames of the moving average in the supervector; the paper does not say how it smoothed.
    fusion : {"elm", "average"}
        "average" is the mean of all selected networks.
    seed : int
        The networks' seeds are seed * trials, seed * trials + 1, ...; also of the ELM and of
        partitions drawn at random.

    References
    ----------
    Li et al. (2016), sections 2.3 and 3.2 to 3.5. Notebook 05.
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
        if self.fusion not in ("elm", "average"):
            raise ValueError(f"fusion: expected 'elm' or 'average', found {self.fusion!r}")
        self.scales = tuple(sorted(self.scales))

    @classmethod
    def paper(cls) -> Self:
        """Sixty networks a dimension, each of five layers with 250 units; 20 songs held out."""
        return cls(network=BLSTM.paper(), elm=ELM.paper(), held_out=20)

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job.

        A job's `validation`, like that of `fit`, may hold the song_ids of each partition's
        validation songs, for instance those of :func:`mer_core.folds.genre_folds`; all networks
        are trained on the job's other songs, those of other partitions included.

        Raises
        ------
        ValueError
            If partitions share a song, one is empty, or there are too few songs.
        DataError
            If features or labels are not as they must be, see :func:`mer_core.training.checked`,
            or the labels of a song have a gap.
        """
        jobs = checked(jobs)
        for labels in {id(job.labels): job.labels for job in jobs}.values():
            as_track(labels, "labels", gapless=True)  # the networks hear these rows as songs
        return [self._fitted(job) for job in jobs]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row, by the fusion that was asked for."""
        fuse = {"elm": self._fused, "average": self._average}[self.fusion]
        return fuse(self.outputs(features))

    def with_fusion(self, fusion: str) -> Self:
        """The same fitted networks with another fusion."""
        return self._with(fusion=fusion)

    def outputs(self, features: pd.DataFrame) -> pd.DataFrame:
        """What all selected networks say of each row.

        Returns
        -------
        DataFrame
            A track; columns (dimension, group, scale), group 0 or 1.
        """
        predictions, columns = {}, {}
        for name in DIMENSIONS:
            for number, group in enumerate(self.groups_[name]):
                for scale, place in group.items():
                    key = (scale, *place)
                    if key not in predictions:
                        predictions[key] = self.networks_[key].predict(features)
                    columns[name, number, scale] = predictions[key][name]
        return pd.DataFrame(columns, features.index).sort_index(axis=1)

    def _fitted(self, job: Job) -> Self:
        seed, songs = self.seed if job.seed is None else job.seed, songs_of(job)
        parts = self._parts(job.validation, songs, seed)
        songs = songs.union(pd.Index(np.concatenate(parts)))
        inner = {
            (part, trial): job._replace(
                train=songs.difference(held), validation=held, seed=seed * self.trials + trial
            )
            for part, held in enumerate(parts)
            for trial in range(self.trials)
        }
        networks = {}
        for scale in self.scales:
            fitted = replace(self.network, scale=scale).fit_many(list(inner.values()))
            networks |= {(scale, *place): one for place, one in zip(inner, fitted)}
        return self._with(networks_=networks, parts_=parts)._selected(job)

    def _parts(self, given: Iterable | None, songs: pd.Index, seed: int) -> list[list[int]]:
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
            wanted = f"more than {self.partitions} x {self.held_out} songs, or partitions apart"
            raise ValueError(f"validation: expected {wanted}, found {len(songs)} songs, {parts}")
        return parts

    def _selected(self, job: Job) -> Self:
        """With groups chosen, and the ELM fitted to what the best of each partition predict."""
        predictions, labels = {}, rows_of(job.labels, np.concatenate(self.parts_))
        for (scale, part, trial), network in self.networks_.items():
            rows = rows_of(labels, self.parts_[part])
            predictions[scale, part, trial] = network.predict(job.features.loc[rows.index])
        errors = {
            place: {name: rmse(labels.loc[p.index, name], p[name]) for name in DIMENSIONS}
            for place, p in predictions.items()
        }
        names = ["scale", "partition", "trial"]
        errors = pd.DataFrame(errors).T.rename_axis(names).astype(float)
        best = errors.groupby(level=names[:2]).idxmin()
        validation_outputs = {
            (name, scale): pd.concat([predictions[place][name] for place in best.loc[scale, name]])
            for name in DIMENSIONS
            for scale in self.scales
        }
        model = self._with(
            errors_=errors,
            groups_={name: groups(errors[name]) for name in DIMENSIONS},
            validation_outputs_=pd.DataFrame(validation_outputs),
        )
        model.machines_ = {name: model.machine(name, labels) for name in DIMENSIONS}
        return model

    def machine(self, dimension: str, labels: pd.DataFrame, *, elm: ELM | None = None) -> Pipeline:
        """An ELM (the model's own by default) fitted to labelled frames of the validation songs.

        Parameters
        ----------
        dimension : str
        labels : DataFrame
            A track; what it lacks of the validation songs is left out.
        elm : ELM, optional
            In the place of the model's.

        Returns
        -------
        Pipeline
            For arrays of supervectors.
        """
        outputs = self.validation_outputs_[dimension]
        rows = outputs.index[outputs.index.isin(labels.index)]
        x = supervector(outputs.loc[rows], window=self.window)
        y = labels.loc[rows, [dimension]]
        machine = (elm or replace(self.elm, seed=self.seed)).make_estimator()
        return machine.fit(x.to_numpy(), y.to_numpy())

    def fuse(self, outputs: pd.DataFrame, dimension: str, machine: Pipeline) -> pd.Series:
        """Mean over the groups of what a machine makes of each group's outputs."""
        groups = [supervector(outputs[dimension, k], window=self.window) for k in (0, 1)]
        fused = sum(machine.predict(x.to_numpy())[:, 0] for x in groups) / len(groups)
        return pd.Series(fused, outputs.index)

    def _fused(self, outputs: pd.DataFrame) -> pd.DataFrame:
        machines = self.machines_.items()
        return pd.DataFrame({name: self.fuse(outputs, name, one) for name, one in machines})

    def _average(self, outputs: pd.DataFrame) -> pd.DataFrame:
        curves = {}
        for name in DIMENSIONS:
            unique = {
                (scale, *place): outputs[name, number, scale]
                for number, group in enumerate(self.groups_[name])
                for scale, place in group.items()
            }
            curves[name] = sum(unique.values()) / len(unique)
        return pd.DataFrame(curves)


def groups(errors: pd.Series) -> list[dict[int, tuple[int, int]]]:
    """Select a network of each scale by the paper's two criteria.

    Parameters
    ----------
    errors : Series
        Index (scale, partition, trial): RMSE on the partition's validation songs.

    Returns
    -------
    list of two dict
        Scale -> (partition, trial). The first has the least error of each scale; the second the
        least sum of errors of all selections in which no partition comes twice.

    Raises
    ------
    ValueError
        If there are fewer partitions than scales.

    References
    ----------
    Li et al. (2016), section 3.3; how the second group was found is not said. Notebook 05.
    """
    best = errors.groupby(level=["scale", "partition"]).idxmin().unstack("partition")
    least = errors.groupby(level=["scale", "partition"]).min().unstack("partition")
    if len(best) > best.shape[1]:
        raise ValueError(f"partitions: expected {len(best)} or more, found {best.shape[1]}")
    rows, columns = linear_sum_assignment(least)
    choices = (least.to_numpy().argmin(1), columns[np.argsort(rows)])
    return [
        {
            scale: best.iloc[row, column][1:]
            for row, (scale, column) in enumerate(zip(best.index, choice))
        }
        for choice in choices
    ]


def supervector(outputs: pd.DataFrame, *, window: int = 13) -> pd.DataFrame:
    """What the ELM hears: each network's output, its change since the frame before, its average.

    Parameters
    ----------
    outputs : DataFrame
        A track with a column for each scale.
    window : int
        Frames of the moving average; the paper says neither how it smoothed nor how it differed.

    Returns
    -------
    DataFrame
        A track with the columns `10 output`, `10 delta`, `10 smoothed`, `20 output`, ...; the first
        delta of a song, and the first after a gap in it, is 0.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5, 1.0]], names=["song_id", "time"])
    >>> heard = supervector(pd.DataFrame({10: [0.0, 0.3, 0.0]}, index), window=3)
    >>> heard.round(1).to_numpy().tolist()
    [[0.0, 0.0, 0.0], [0.3, 0.3, 0.1], [0.0, -0.3, 0.0]]

    References
    ----------
    Li et al. (2016), sections 2.3 and 3.4. Notebook 05.
    """
    outputs = as_track(outputs, "outputs", ordered=True)
    deltas = outputs.groupby(stretches(outputs), sort=False).diff().fillna(0.0)
    parts = dict(zip(KINDS, (outputs, deltas, moving_average(outputs, window))))
    columns = {f"{scale} {kind}": parts[kind][scale] for scale in outputs for kind in KINDS}
    return pd.DataFrame(columns)

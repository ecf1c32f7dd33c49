"""Tsinghua's system: bidirectional LSTMs that hear pieces of several lengths, fused by an ELM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.pipeline import Pipeline

from mer_core.metrics import rmse
from mer_core.models.base import BatchModel
from mer_core.models.bidirectional import BLSTM
from mer_core.models.combined import songs_of
from mer_core.models.elm import ELM
from mer_core.models.recurrent import rows_of
from mer_core.smoothing import moving_average
from mer_core.tracks import DIMENSIONS, as_track, stretches
from mer_core.training import Job, checked

KINDS = ("output", "delta", "smoothed")
"""What the ELM hears of each network."""


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

"""A linear model of whole songs that predicts curves with intervals, and the one in the package."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import RidgeCV

from mer_core.features.sets import columns_of
from mer_core.models.base import check_fitted
from mer_core.tracks import DIMENSIONS, HOP, as_track, check_covered

WEIGHTS = Path(__file__).with_name("real_music.safetensors")
CARD = Path(__file__).with_name("model_card.md")
ENERGY = "pcm_RMSenergy_sma_amean"
UNSTABLE = re.compile(r"Rfilt|Rasta|_de(\[\d+\])?_amean")
"""RASTA-filtered spectra and means of deltas: they depend on how the audio begins and ends."""
POWERS = {"lengthL1norm": 0.66, "RMSenergy|Flux": 1, "fband|Slope|Harmonicity": 2}
"""A gain multiplies these features by its power; openSMILE's others do not depend on the level."""
SILENT = 1e-4, 0.003
"""A row is silent if its RMS energy is below -80 dB of full scale, or -50 dB of the song's maximum;
means leave it out."""
KNOTS = np.linspace(0.001, 0.999, 101)
PERCENT = np.linspace(0, 1, 101)
KINDS = ("song", "half second")


@dataclass(kw_only=True)
class WindowedRidge:
    """Ridge regression of means of features over the music before each half second.

    It is trained on one row a song, the mean of its features, and so can learn from songs whose
    features over time are not known. Three steps make it robust: features that depend on how the
    audio was cut are left out; the level is limited to that of most training songs; each feature is
    brought to a normal distribution by its rank among the training songs.

    Parameters
    ----------
    window : float
        Length in s of the music before the end of each row over which features are averaged.
    penalties : sequence of float
        Of the ridge; one is chosen for each dimension by generalised cross-validation.
    level : pair of float
        Quantiles of the training songs' levels. The features of a quieter or louder song are
        changed to those that it would have with a gain that brings it to the nearest.

    Notes
    -----
    Features are "compare", of :func:`mer_core.features.extract`, or DEAM's means of them.
    """

    window: float = 30.0
    penalties: Sequence[float] = tuple(float(p) for p in np.logspace(1, 4, 13).round(1))
    level: tuple[float, float] = (0.1, 0.9)

    def fit(
        self,
        features: pd.DataFrame,
        labels: pd.DataFrame,
        *,
        validation: object = None,
        unlabelled: object = None,
    ) -> Self:
        """Fit to the mean features and mean labels of each song; the rest is not used."""
        labels = as_track(labels, "labels", columns=DIMENSIONS)
        columns = columns_of(features, "compare")
        self.columns_ = [name for name in columns if not UNSTABLE.search(name)]
        if ENERGY not in self.columns_:
            raise ValueError(f"features: expected the set compare, found no column {ENERGY}")
        features = as_track(features, "features", columns=self.columns_)
        means = features.groupby(level="song_id").mean()
        targets = labels.groupby(level="song_id")[DIMENSIONS].mean()
        check_covered(targets, means)
        means = means.loc[targets.index]
        self.loudness_ = np.quantile(means[ENERGY], self.level)
        means = with_gain(means, self._gain(means[ENERGY]))
        self.knots_ = np.quantile(means, KNOTS, axis=0)
        scores = self._normal_scores(means)
        ridges = [RidgeCV(self.penalties).fit(scores, targets[name]) for name in DIMENSIONS]
        self.penalties_ = [float(ridge.alpha_) for ridge in ridges]
        self.coefficients_ = np.stack([ridge.coef_ for ridge in ridges], axis=1)
        self.intercepts_ = np.array([ridge.intercept_ for ridge in ridges])
        self.centre_ = scores.mean(axis=0)
        self.precision_ = np.linalg.pinv(ledoit_wolf(scores)[0])
        self.unlike_ = float(np.quantile(self._distance(scores), 0.99))
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row from the `window` s of music that end with it."""
        features = self._with_sound(features)
        songs, rows = features.groupby(level="song_id", sort=False), round(self.window / HOP)
        means = songs.rolling(max(1, rows), min_periods=1).mean().droplevel(0)
        filled = means.groupby(level="song_id", sort=False).ffill()
        return self._predict(filled.groupby(level="song_id", sort=False).bfill(), features)

    def predict_songs(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict each song from the mean of its features: index song_id, columns in [-1, 1]."""
        features = self._with_sound(features)
        return self._predict(features.groupby(level="song_id", sort=False).mean(), features)

    def unlikeness(self, features: pd.DataFrame) -> pd.Series:
        """Distance of each song from the training songs: above 1 is farther than 99 % of them.

        The Mahalanobis distance of the song's mean features, in normal scores, by the distance that
        99 % of the training songs do not exceed; infinite for silence. Index song_id.
        """
        features = self._with_sound(features)
        means = features.groupby(level="song_id", sort=False).mean()
        distance = self._distance(self._scores(means, features)) / self.unlike_
        distance = np.where(means[ENERGY].isna(), np.inf, distance)
        return pd.Series(distance, means.index, name="unlikeness")

    def calibrated(
        self,
        predictions: pd.DataFrame,
        labels: pd.DataFrame,
        *,
        collections: pd.Series | None = None,
    ) -> Self:
        """Return a copy that knows its errors, from predictions of songs it was not trained on.

        `predictions` are a track, for each labelled row by models that did not see the song.
        `collections` names by song_id the collection that a song is from: errors are those of the
        collection where they are largest, as a new song may be from any. Each song counts the same,
        however long it is (Dunn, Wasserman and Ramdas 2023, "Distribution-free prediction sets for
        two-layer hierarchical models").
        """
        check_covered(labels, predictions)
        error = (predictions.loc[labels.index, DIMENSIONS] - labels).groupby(level="song_id")
        each = error.apply(lambda song: song.abs().quantile(PERCENT)).droplevel(1)
        songs = each.index.unique()
        of = pd.Series(0, songs) if collections is None else collections.loc[songs]
        tables = error.mean().abs(), each
        quantiles = [_quantiles(t.groupby(of.loc[t.index].to_numpy())) for t in tables]
        model = copy.copy(self)
        model.songs_, model.errors_ = int(of.value_counts().min()), np.stack(quantiles)
        return model

    def half_widths(self, *, coverage: float = 0.8) -> pd.DataFrame:
        """Half the width of the intervals that hold the labels of new songs with a probability.

        Returns
        -------
        DataFrame
            Index "song", for the mean label of a song, and "half second", for the label of a moment
            that is drawn from a song; columns valence, arousal.

        Raises
        ------
        ValueError
            If the coverage is not between 0 and 1, or needs more songs than were used, or the model
            is not calibrated.

        References
        ----------
        Vovk (2015), "Cross-conformal predictors": the errors are those of songs left out.
        """
        check_fitted(self, "errors_")
        share = coverage * (1 + 1 / self.songs_)
        if not 0 < coverage < 1 or share > 1:
            expected = f"above 0 and at most {self.songs_ / (self.songs_ + 1):.3f}"
            raise ValueError(f"coverage: expected {expected}, found {coverage}")
        widths = self.errors_[:, int(np.ceil(share * 100 - 1e-9))]
        return pd.DataFrame(widths, pd.Index(KINDS, name="of"), DIMENSIONS)

    def _with_sound(self, features: pd.DataFrame) -> pd.DataFrame:
        """The columns of the model, sorted; rows without sound are missing values."""
        check_fitted(self, "knots_")
        options = {"columns": self.columns_, "gapless": True, "sort": True}
        features = as_track(features, "features", **options)
        energy = features[ENERGY]
        loudest = energy.groupby(level="song_id").transform("max")
        return features.where(energy >= np.maximum(SILENT[0], SILENT[1] * loudest))

    def _predict(self, means: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
        values = self._scores(means, features) @ self.coefficients_ + self.intercepts_
        return pd.DataFrame(values.clip(-1, 1), means.index, DIMENSIONS)

    def _scores(self, means: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
        """Normal scores of mean features, after the level of each whole song is limited."""
        levels = features[ENERGY].groupby(level="song_id").mean()
        levels = levels.reindex(means.index.get_level_values("song_id"))
        return self._normal_scores(with_gain(means, self._gain(levels)))

    def _gain(self, levels: pd.Series) -> np.ndarray:
        """The gain that brings each level to the nearest of most training songs."""
        return (levels.clip(*self.loudness_) / levels).to_numpy()

    def _normal_scores(self, means: pd.DataFrame) -> np.ndarray:
        """Each feature by its rank among the training songs; 0, their median, without sound."""
        values = means.to_numpy()
        ranks = [np.interp(x, knots, KNOTS) for x, knots in zip(values.T, self.knots_.T)]
        return np.nan_to_num(norm.ppf(np.stack(ranks, axis=1)))

    def _distance(self, scores: np.ndarray) -> np.ndarray:
        off = scores - self.centre_
        return np.sqrt(((off @ self.precision_) * off).sum(axis=1))


def pretrained() -> WindowedRidge:
    """Load the model in the package: trained on DEAM and VGMIDI, calibrated on songs left out.

    For research and teaching; `model_card.md` beside it has its data, errors and limits.

    Examples
    --------
    >>> pretrained().half_widths(coverage=0.8).shape
    (2, 2)
    """
    from mer_core.models.saved import load

    with warnings.catch_warnings(action="ignore"):  # it holds no estimator of scikit-learn
        return load(WEIGHTS)


def _quantiles(groups: object) -> np.ndarray:
    """Each per cent of the absolute errors, the largest of all groups: shape (101, 2)."""
    each = [group.quantile(PERCENT, interpolation="higher") for _, group in groups]
    return np.maximum.reduce([table.to_numpy() for table in each])


def with_gain(features: pd.DataFrame, gain: float | np.ndarray) -> pd.DataFrame:
    """Features of audio that was multiplied by a gain, one for all rows or one for each.

    Examples
    --------
    >>> with_gain(pd.DataFrame({"pcm_RMSenergy_sma_amean": [0.1], "tempo": [90]}), 2.0)
       pcm_RMSenergy_sma_amean  tempo
    0                      0.2   90.0
    """
    powers = [
        next((power for part, power in POWERS.items() if re.search(part, name)), 0)
        for name in features
    ]
    return features * np.power.outer(np.broadcast_to(gain, len(features)), powers)

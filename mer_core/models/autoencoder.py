"""Features that are learned: autoencoders of half seconds of sound in front of an LSTM.

An autoencoder squeezes a log-mel patch of 1,024 numbers through a few, the latents, and gives the
patch back. It learns from audio alone; an LSTM then predicts valence and arousal from the latents.
A convolutional network in the autoencoder's place is trained by the labels, with the LSTM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from mer_core.features.mel import BANDS, FRAMES, patches
from mer_core.features.sets import columns_of
from mer_core.models.base import BatchModel, check_fitted
from mer_core.models.munich import LSTM
from mer_core.models.network import Network
from mer_core.models.recurrent import RecurrentRegressor, rows_of, songs_of
from mer_core.tracks import DIMENSIONS, as_table, as_track, check_columns
from mer_core.training import Job, checked, generator

COLUMNS = BANDS * FRAMES
IN_CLASS = {"hidden": (16,), "learning_rate": 4e-2, "noise": 0.3}
"""Of the LSTM on latents; chosen in ten folds of the embedded corpus's development songs."""


class Bottleneck(nn.Module):
    """Encoder and decoder with one hidden layer each; AE and VAE differ in how it is trained.

    Parameters
    ----------
    columns, hidden, latent : int
        Numbers in a patch, in the hidden layers and in the code.

    References
    ----------
    Kingma and Welling (2014), appendix C. Notebook 07.
    """

    def __init__(self, columns: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(columns, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, columns)
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the code q(z|x) of each patch, (patches, latent) both."""
        mean, log_variance = self.encoder(x).chunk(2, dim=-1)
        return mean, log_variance

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Both costs of each patch: the reconstruction error and the divergence of its code.

        Parameters
        ----------
        x : Tensor, shape (patches, columns)
            Standardised.
        noise : Tensor, shape (patches, latent)
            From a standard normal distribution; 0 takes the mean for the code.

        Returns
        -------
        tuple of Tensor, each of shape (patches,)
            Half the squared error, which is -log p(x|z) without its constant, for a decoder whose
            error has unit variance; and the divergence of q(z|x) from a standard normal, in nats.
            The negative sum of both is the ELBO, without that constant.
        """
        mean, log_variance = self.encode(x)
        z = mean + noise * (log_variance / 2).exp()
        reconstruction = (x - self.decoder(z)).square().sum(-1) / 2
        kl = (mean.square() + log_variance.exp() - log_variance - 1).sum(-1) / 2
        return reconstruction, kl


@dataclass(kw_only=True)
class AE:
    """An autoencoder of half seconds: learns from audio, without labels, what sound looks like.

    Patches are standardised band by band, with the statistics of those that it learns from.

    Parameters
    ----------
    latent : int
        Numbers that a patch is squeezed into.
    hidden : int
        Rectified units of encoder and decoder.
    steps, batch : int
        Updates by Adam, and patches in each, drawn from all songs.
    learning_rate : float
        Of Adam.
    seed : int
        Of first weights and batches (and, in a `VAE`, of the codes that are drawn).

    References
    ----------
    Herremans et al. (2019), "Dynamic emotion prediction", which gives no layers. Notebook 07.
    """

    noise, beta = 0.0, 0.0

    latent: int = 32
    hidden: int = 128
    steps: int = 1000
    batch: int = 64
    learning_rate: float = 2e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.latent < 1 or self.steps < 1:
            found = f"latent={self.latent!r}, steps={self.steps!r}"
            raise ValueError(f"latent, steps: expected at least 1, found {found}")

    def fit(self, features: pd.DataFrame, *, unlabelled: pd.DataFrame | None = None) -> Self:
        """Learn from every patch that there is.

        Parameters
        ----------
        features : DataFrame
            A track with the columns of the set "mel", see :func:`mer_core.features.extract`.
        unlabelled : DataFrame, optional
            Another one.

        Raises
        ------
        ValueError
            If mel columns are missing, a number is not finite, or the loss stops being finite.
        """
        tracks = [features] if unlabelled is None else [features, unlabelled]
        pictures = np.concatenate([_patches(track) for track in tracks])
        self.columns_ = columns_of(features, "mel")
        self.scale_ = Scale.of(pictures)
        network = self._drawn()
        self.history_ = self._learn(network, self.scale_.standardised(pictures))
        self.weights_ = network.state_dict()
        return self

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        """The code of every row: its latents.

        Parameters
        ----------
        features : DataFrame
            A track with mel columns.

        Returns
        -------
        DataFrame
            The same rows; columns latent_0, latent_1, ..., in float32. For a `VAE`, the means.

        Raises
        ------
        ValueError
            If the model is not fitted, mel columns are missing or a number is not finite.
        """
        network = self._network()
        with torch.no_grad():
            codes = network.encode(self.scale_.standardised(_patches(features)))[0]
        return pd.DataFrame(codes.cpu().numpy(), features.index).add_prefix("latent_")

    def decode(self, latents: pd.DataFrame) -> pd.DataFrame:
        """What latents sound like.

        Parameters
        ----------
        latents : DataFrame
            As from :meth:`transform`, or made up.

        Returns
        -------
        DataFrame
            The same rows, mel columns in dB; see :func:`mer_core.features.mel.patches`.
        """
        network = self._network()
        latents = as_table(latents, "latents", columns=[f"latent_{k}" for k in range(self.latent)])
        with torch.no_grad():
            codes = torch.tensor(latents.to_numpy(), dtype=torch.float32)
            pictures = self.scale_.decibel(network.decoder(codes))
        return pd.DataFrame(pictures, latents.index, self.columns_)

    def reconstruct(self, features: pd.DataFrame) -> pd.DataFrame:
        """Rows squeezed through the latents and given back, mel columns in dB."""
        return self.decode(self.transform(features))

    def costs(self, features: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
        """Both costs of every row, see :meth:`Bottleneck.forward`.

        Parameters
        ----------
        features : DataFrame
            A track with mel columns.
        seed : int
            Of the codes that a `VAE` draws.

        Returns
        -------
        DataFrame
            The same rows; columns `reconstruction` and `divergence`, in nats.
        """
        network = self._network()
        x = self.scale_.standardised(_patches(features))
        with torch.no_grad():
            costs = network(x, self._noise(len(x), generator(seed)))
        pairs = torch.stack(costs, dim=1).cpu().numpy()
        return pd.DataFrame(pairs, features.index, ["reconstruction", "divergence"])

    def _drawn(self) -> Bottleneck:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return Bottleneck(COLUMNS, self.hidden, self.latent).to(torch.float32)

    def _learn(self, network: Bottleneck, x: Tensor) -> pd.DataFrame:
        rng = generator(self.seed)
        optimiser = torch.optim.Adam(network.parameters(), lr=self.learning_rate)
        costs = []
        for _ in range(self.steps):
            chosen = torch.randint(len(x), (self.batch,), generator=rng)
            reconstruction, kl = network(x[chosen], self._noise(self.batch, rng))
            cost = reconstruction.mean() + self.beta * kl.mean()
            optimiser.zero_grad()
            cost.backward()
            optimiser.step()
            costs.append((reconstruction.mean().item(), kl.mean().item()))
        history = pd.DataFrame(costs, columns=["reconstruction", "divergence"])
        if not np.isfinite(history.to_numpy()).all():
            rate = f"a smaller learning rate than {self.learning_rate} may help"
            raise ValueError(f"loss: expected finite numbers, found others; {rate}")
        return history.rename_axis("step")

    def _noise(self, rows: int, rng: torch.Generator) -> Tensor:
        noise = torch.randn(rows, self.latent, generator=rng, dtype=torch.float32)
        return noise * self.noise

    def _network(self) -> Bottleneck:
        check_fitted(self, "weights_")
        network = self._drawn()
        network.load_state_dict(self.weights_)
        return network


@dataclass(kw_only=True)
class VAE(AE):
    """A variational autoencoder: a patch's code is a cloud, and clouds have to lie near the origin.

    Parameters
    ----------
    beta : float
        Weight of the divergence in the cost; 1 is the VAE proper, more a beta-VAE, 0 leaves the
        clouds without anything that holds them together.
    latent, hidden, steps, batch, learning_rate, seed
        As in :class:`AE`.

    References
    ----------
    Kingma and Welling (2014); Higgins et al. (2017) for beta; Herremans et al. (2019). Notebook 07.
    """

    noise = 1.0

    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta >= 0:
            raise ValueError(f"beta: expected 0 or more, found {self.beta!r}")


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of each band, in dB, shape (64, 1)."""

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, pictures: np.ndarray) -> Self:
        """Those of some patches; a band without variance gets 1, so that it becomes 0."""
        mean, spread = pictures.mean((0, 2), dtype=float), pictures.std((0, 2), dtype=float)
        spread = np.where(spread > 1e-3, spread, 1.0)
        return cls(*(part.astype(np.float32)[:, None] for part in (mean, spread)))

    def standardised(self, pictures: np.ndarray) -> Tensor:
        """Patches as rows that a network hears."""
        scaled = (pictures - self.mean) / self.spread
        return torch.tensor(scaled.reshape(len(pictures), -1), dtype=torch.float32)

    def decibel(self, rows: Tensor) -> np.ndarray:
        """The way back, to rows of dB."""
        pictures = rows.cpu().numpy().reshape(-1, BANDS, FRAMES) * self.spread + self.mean
        return pictures.reshape(len(pictures), -1)


class EncodedLSTM(BatchModel):
    """An LSTM on the latents of an autoencoder that was trained before it, without labels.

    The autoencoder hears the songs that the model is fitted to (those kept for early stopping too)
    and `unlabelled` ones: test songs only if they are among the latter. (The paper's autoencoder
    heard 1,313 songs of DEAM; that none of those it was scored on were among them, it does not
    say.) It never sees a label, and is not changed by the LSTM's training.
    """

    network: LSTM
    seed: int

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job: an autoencoder for each, then all LSTMs together."""
        encoders, derived = [], []
        for job in _checked(jobs):
            held = () if job.validation is None else job.validation
            heard = rows_of(job.features, {*songs_of(job), *held})
            seed = self.seed if job.seed is None else job.seed
            encoders.append(self._encoder(seed).fit(heard, unlabelled=job.unlabelled))
            codes = encoders[-1].transform(heard)
            derived.append(job._replace(features=codes, unlabelled=None, seed=seed))
        fitted = self.network.fit_many(derived)
        return [self._with(encoder_=e, network_=n) for e, n in zip(encoders, fitted)]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row; see :meth:`mer_core.models.LSTM.predict`."""
        check_fitted(self, "encoder_")
        return self.network_.predict(self.encoder_.transform(features))

    def _encoder(self, seed: int) -> AE:
        raise NotImplementedError


@dataclass(kw_only=True)
class AELSTM(EncodedLSTM):
    """An LSTM on the latents of an :class:`AE`.

    Parameters
    ----------
    latent, steps : int
        Of the autoencoder.
    network : LSTM, optional
        What is fitted to the latents.
    seed : int
        Of both.

    References
    ----------
    Herremans et al. (2019), "Dynamic emotion prediction" and figure 4. Notebook 07.
    """

    latent: int = 32
    steps: int = 1000
    network: LSTM = field(default_factory=lambda: LSTM(**IN_CLASS))
    seed: int = 0

    @classmethod
    def paper(cls, *, seed: int = 0) -> Self:
        """32 latents, longer pretraining. The paper says nothing of layers, steps or the LSTM."""
        return cls(steps=20_000, seed=seed)

    def _encoder(self, seed: int) -> AE:
        return AE(latent=self.latent, steps=self.steps, seed=seed)


@dataclass(kw_only=True)
class VAELSTM(EncodedLSTM):
    """An LSTM on the latents (the means) of a :class:`VAE`.

    Parameters
    ----------
    latent, steps : int
        Of the autoencoder.
    beta : float
        Weight of the divergence.
    network : LSTM, optional
        What is fitted to the latents.
    seed : int
        Of both.

    References
    ----------
    Herremans et al. (2019), "Dynamic emotion prediction" and figure 4. Notebook 07.
    """

    latent: int = 32
    beta: float = 1.0
    steps: int = 1000
    network: LSTM = field(default_factory=lambda: LSTM(**IN_CLASS))
    seed: int = 0

    @classmethod
    def paper(cls, *, seed: int = 0) -> Self:
        """32 latents, beta 1, longer pretraining. The paper says nothing of layers or steps."""
        return cls(steps=20_000, seed=seed)

    def _encoder(self, seed: int) -> VAE:
        return VAE(latent=self.latent, beta=self.beta, steps=self.steps, seed=seed)


class CNN(Network):
    """Two convolutional layers over each patch, a linear one into the latents, and an LSTM.

    The first layer looks at blocks of 4 bands and 4 frames, the second at 3 by 3 of them; both
    are rectified. As everywhere, all weights have an axis of models in front.

    Parameters
    ----------
    latent : int
        Numbers that the LSTM hears of a patch.
    hidden : sequence of int
        Units of its layers.
    seeds : sequence of int
        One for each model.
    """

    channels = (8, 16)

    def __init__(self, latent: int, hidden: Sequence[int], *, seeds: Sequence[int]) -> None:
        super().__init__("lstm", latent, hidden, len(DIMENSIONS), seeds=seeds)
        first, second = self.channels
        flat = second * (BANDS // 8) * (FRAMES // 8)
        shapes = {"blocks": (first, 1, 4, 4), "shapes": (second, first, 3, 3)}
        for name, shape in (shapes | {"code": (flat, latent)}).items():
            fan_in = flat if name == "code" else int(np.prod(shape[1:]))
            drawn = [_drawn(shape, fan_in, seed) for seed in seeds]
            setattr(self, name, nn.Parameter(torch.stack(drawn)))
            outputs = latent if name == "code" else shape[0]
            setattr(self, f"{name}_bias", nn.Parameter(torch.zeros(len(seeds), outputs)))

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Latents of standardised patches; both (models, songs, time, columns)."""
        pictures = x.flatten(1, 2).transpose(0, 1).unflatten(-1, (BANDS, FRAMES))
        groups = {"groups": len(x)}
        weights = [part.flatten(0, 1) for part in (self.blocks, self.blocks_bias)]
        seen = nn.functional.conv2d(pictures, *weights, stride=4, **groups).relu()
        weights = [part.flatten(0, 1) for part in (self.shapes, self.shapes_bias)]
        seen = nn.functional.conv2d(seen, *weights, stride=2, padding=1, **groups).relu()
        seen = seen.unflatten(1, (len(x), -1)).flatten(2).transpose(0, 1)
        return torch.baddbmm(self.code_bias[:, None], seen, self.code).unflatten(1, x.shape[1:3])

    def hidden(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """States of the LSTM's topmost layer, shape (models, songs, time, units)."""
        return super().hidden(self.encode(x), lengths)


@dataclass(kw_only=True)
class CNNLSTM(RecurrentRegressor):
    """An LSTM on what a convolutional network makes of each patch, both trained by the labels.

    Every one of a patch's 1,024 numbers is standardised by the labelled frames of the training
    songs. `unlabelled` songs are of no use here.

    Parameters
    ----------
    latent : int
        Numbers that the LSTM hears of a patch.
    hidden, learning_rate, momentum, songs_per_update, epochs, patience, noise, clip, seed
        As in :class:`LSTM`; noise and clip are those of the patches.

    References
    ----------
    Herremans et al. (2019), figure 4, which says no more of it than its name. Notebook 07.
    """

    cell = "lstm"
    standardise_targets = True

    latent: int = 32
    hidden: tuple[int, ...] = (24, 5)
    learning_rate: float = 2e-2
    momentum: float = 0.9
    songs_per_update: int = 4
    epochs: int = 20
    patience: int | None = 5
    noise: float = 0.6
    clip: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        self.hidden = tuple(self.hidden)

    @classmethod
    def paper(cls, *, seed: int = 0) -> Self:
        """32 latents, more epochs. The paper gives no layer, rate or size."""
        return cls(epochs=200, patience=20, seed=seed)

    def latents(self, features: pd.DataFrame) -> pd.DataFrame:
        """What the LSTM hears of every row: a track with the columns latent_0, latent_1, ..."""
        return pd.DataFrame(self._run(features, CNN.encode), features.index).add_prefix("latent_")

    def states(self, features: pd.DataFrame) -> pd.DataFrame:
        """What the units of the LSTM's topmost layer say; see :meth:`LSTM.states`."""
        return pd.DataFrame(self._run(features, CNN.hidden), features.index).add_prefix("unit_")

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy of the model to each job; see :meth:`LSTM.fit_many`."""
        return super().fit_many(_checked(jobs))

    def _make_network(self, inputs: int, seeds: Sequence[int]) -> CNN:
        return CNN(self.latent, self.hidden, seeds=seeds)


def _drawn(shape: tuple[int, ...], fan_in: int, seed: int) -> Tensor:
    edge = (6 / fan_in) ** 0.5  # keeps the variance through a rectified layer
    return torch.empty(shape).uniform_(-edge, edge, generator=generator(seed))


def _checked(jobs: Sequence[Job]) -> list[Job]:
    """Jobs with the mel columns alone, after the checks of training."""
    mel = {id(job.features): _mel(job.features) for job in jobs}
    return checked([job._replace(features=mel[id(job.features)]) for job in jobs])


def _mel(features: pd.DataFrame) -> pd.DataFrame:
    """The mel columns alone."""
    check_columns(features, "features")
    names = columns_of(features, "mel")
    if len(names) != COLUMNS:
        raise ValueError(f"features: expected {COLUMNS} mel columns, found {len(names)}")
    return as_track(features, "features", columns=names)


def _patches(features: pd.DataFrame) -> np.ndarray:
    return patches(_mel(features))

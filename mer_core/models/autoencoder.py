"""Herremans et al. (2019): an autoencoder of half seconds of sound in front of an LSTM.

An autoencoder compresses a log-mel patch of 1,024 numbers into a few, the latents, and
reconstructs it. It learns from audio alone; an LSTM predicts valence and arousal from the latents.
A convolutional network instead of the autoencoder is trained by the labels, with the LSTM.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from mer_core.features.mel import BANDS, FRAMES, patches
from mer_core.features.sets import columns_of
from mer_core.models.base import check_fitted
from mer_core.models.munich import LSTM
from mer_core.models.network import Network
from mer_core.models.recurrent import BatchModel, RecurrentRegressor
from mer_core.tracks import DIMENSIONS, as_table, as_track, check_columns
from mer_core.training import Job, generator

COLUMNS = BANDS * FRAMES
IN_CLASS = {"hidden": (16,), "learning_rate": 4e-2, "noise": 0.3}
"""Settings of the LSTM on latents, chosen in ten folds of the embedded development songs."""


def _mel(features: pd.DataFrame) -> pd.DataFrame:
    """The mel columns alone."""
    check_columns(features, "features")
    names = columns_of(features, "mel")
    if len(names) != COLUMNS:
        raise ValueError(f"features: expected {COLUMNS} mel columns, found {len(names)}")
    return as_track(features, "features", columns=names)


def _with_mel(jobs: Sequence[Job]) -> list[Job]:
    used = dict.fromkeys(job.data for job in jobs)
    data = {one: replace(one, features=_mel(one.features)) for one in used}
    return [job._replace(data=data[job.data]) for job in jobs]


class Bottleneck(nn.Module):
    """Encoder and decoder with one hidden layer each, for AE and VAE (notebook 07)."""

    def __init__(self, columns: int, hidden: int, latent: int) -> None:
        super().__init__()
        sizes = (columns, hidden, 2 * latent), (latent, hidden, columns)
        self.encoder, self.decoder = (
            nn.Sequential(nn.Linear(a, b), nn.ReLU(), nn.Linear(b, c)) for a, b, c in sizes
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the code q(z|x) of each patch, (patches, latent) both."""
        mean, log_variance = self.encoder(x).chunk(2, dim=-1)
        return mean, log_variance

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruction error and KL divergence of each patch; the negative sum is the ELBO.

        The error is half the squared error: -log p(x|z) of a decoder of unit variance, without its
        constant. The divergence is that of q(z|x) from a standard normal, in nats. x (patches,
        columns) is standardised; noise (patches, latent) is standard normal, or 0 for the mean.
        """
        mean, log_variance = self.encode(x)
        z = mean + noise * (log_variance / 2).exp()
        reconstruction = (x - self.decoder(z)).square().sum(-1) / 2
        kl = (mean.square() + log_variance.exp() - log_variance - 1).sum(-1) / 2
        return reconstruction, kl


@dataclass(kw_only=True)
class AE:
    """An autoencoder of half seconds of sound, trained on audio without labels.

    Patches are standardised band by band, with the statistics of the training patches. `latent` is
    the size of a patch's code, `hidden` the number of rectified units of encoder and of decoder.
    Adam makes `steps` updates, each from a `batch` of patches of all songs. The seed is that of
    first weights and batches (and, in a `VAE`, of the codes that are drawn).
    Source: Herremans et al. (2019), "Dynamic emotion prediction", which gives no layers.
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
        """Learn from every patch of one or two tracks with the columns of the set "mel"."""
        tracks = [features] if unlabelled is None else [features, unlabelled]
        pictures = np.concatenate([patches(_mel(track)) for track in tracks])
        self.columns_ = columns_of(features, "mel")
        self.scale_ = Scale.of(pictures)
        network = self._drawn()
        self.history_ = self._learn(network, self.scale_.standardised(pictures))
        self.weights_ = network.state_dict()
        return self

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        """The latents of every row: latent_0, latent_1, ..., in float32 (of a `VAE`, the means)."""
        network = self._network()
        with torch.no_grad():
            codes = network.encode(self._standardised(features))[0]
        return pd.DataFrame(codes.cpu().numpy(), features.index).add_prefix("latent_")

    def decode(self, latents: pd.DataFrame) -> pd.DataFrame:
        """Mel columns in dB for rows of latents; see :func:`mer_core.features.mel.patches`."""
        network = self._network()
        latents = as_table(latents, "latents", columns=[f"latent_{k}" for k in range(self.latent)])
        with torch.no_grad():
            codes = torch.tensor(latents.to_numpy(), dtype=torch.float32)
            pictures = self.scale_.decibel(network.decoder(codes))
        return pd.DataFrame(pictures, latents.index, self.columns_)

    def reconstruct(self, features: pd.DataFrame) -> pd.DataFrame:
        """Encode and decode every row; mel columns in dB."""
        return self.decode(self.transform(features))

    def costs(self, features: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
        """Both costs of every row, see `Bottleneck`; the seed is that of a VAE's codes."""
        network = self._network()
        x = self._standardised(features)
        with torch.no_grad():
            costs = network(x, self._noise(len(x), generator(seed)))
        pairs = torch.stack(costs, dim=1).cpu().numpy()
        return pd.DataFrame(pairs, features.index, ["reconstruction", "divergence"])

    def _standardised(self, features: pd.DataFrame) -> Tensor:
        return self.scale_.standardised(patches(_mel(features)))

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
            raise ValueError(f"loss: expected finite numbers, found NaN or infinity; {rate}")
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
    """A variational autoencoder: the code of a patch is a normal distribution near the origin.

    `beta` is the weight of the divergence in the cost: 1 is the VAE proper, more a beta-VAE, 0
    leaves the distributions unconstrained. For the other settings see :class:`AE`.
    Source: Kingma and Welling (2014); Higgins et al. (2017) for beta; Herremans et al. (2019).
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
        """Patches as standardised rows, the inputs of a network."""
        scaled = (pictures - self.mean) / self.spread
        return torch.tensor(scaled.reshape(len(pictures), -1), dtype=torch.float32)

    def decibel(self, rows: Tensor) -> np.ndarray:
        """Standardised rows converted back to rows of dB."""
        pictures = rows.cpu().numpy().reshape(-1, BANDS, FRAMES) * self.spread + self.mean
        return pictures.reshape(len(pictures), -1)


@dataclass(kw_only=True)
class AELSTM(BatchModel):
    """An LSTM on the latents of an :class:`AE` that is trained before it, without labels.

    The autoencoder learns from the songs that the model is fitted to (validation songs too) and
    from `unlabelled` ones, never from labels. The LSTM's training does not change it. (The paper's
    was trained on 1,313 songs of DEAM; it does not say whether test songs were among them.)
    Source: Herremans et al. (2019), "Dynamic emotion prediction" and figure 4; notebook 07.

    Parameters
    ----------
    latent, steps : int
        Of the autoencoder.
    network : LSTM, optional
        Is fitted to the latents.
    seed : int
        Of both.
    """

    latent: int = 32
    steps: int = 1000
    network: LSTM = field(default_factory=lambda: LSTM(**IN_CLASS))
    seed: int = 0

    @classmethod
    def paper(cls, *, seed: int = 0) -> Self:
        """32 latents, longer pretraining. The paper gives no layers, steps or LSTM."""
        return cls(steps=20_000, seed=seed)

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy to each job: an autoencoder for each, then all LSTMs together."""
        encoders, derived = [], []
        for job in _with_mel([job.with_seed(self.seed) for job in jobs]):
            encoder = self._encoder(job.seed).fit(job.features, unlabelled=job.data.unlabelled)
            derived.append(job.with_features(encoder.transform(job.features)))
            encoders.append(encoder)
        fitted = self.network.fit_many(derived)
        return [self._with(encoder_=e, network_=n) for e, n in zip(encoders, fitted)]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict every row; see :meth:`mer_core.models.LSTM.predict`."""
        check_fitted(self, "encoder_")
        return self.network_.predict(self.encoder_.transform(features))

    _inputs = staticmethod(_mel)

    def _encoder(self, seed: int) -> AE:
        return AE(latent=self.latent, steps=self.steps, seed=seed)


@dataclass(kw_only=True)
class VAELSTM(AELSTM):
    """An LSTM on the latents (the means) of a :class:`VAE`; otherwise as :class:`AELSTM`.

    Parameters
    ----------
    beta : float
        Weight of the divergence.
    """

    beta: float = 1.0

    def _encoder(self, seed: int) -> VAE:
        return VAE(latent=self.latent, beta=self.beta, steps=self.steps, seed=seed)


class CNN(Network):
    """Two convolutional layers over each patch, a linear one into the latents, and an LSTM.

    The first layer reads blocks of 4 bands and 4 frames, the second 3 by 3 of them; both are
    rectified. As in every `Network`, all weights have an axis of models in front.
    """

    channels = (8, 16)

    def __init__(self, latent: int, hidden: Sequence[int], *, seeds: Sequence[int]) -> None:
        super().__init__("lstm", latent, hidden, len(DIMENSIONS), seeds=seeds)
        first, second = self.channels
        flat = second * (BANDS // 8) * (FRAMES // 8)
        shapes = {"blocks": (first, 1, 4, 4), "shapes": (second, first, 3, 3)}
        for name, shape in (shapes | {"code": (flat, latent)}).items():
            fan_in, outputs = shape if name == "code" else (int(np.prod(shape[1:])), shape[0])
            edge = (6 / fan_in) ** 0.5  # keeps the variance through a rectified layer
            weight = torch.zeros(len(seeds), *shape)
            for one, seed in zip(weight, seeds):
                one.uniform_(-edge, edge, generator=generator(seed))
            setattr(self, name, nn.Parameter(weight))
            setattr(self, f"{name}_bias", nn.Parameter(torch.zeros(len(seeds), outputs)))

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Latents of standardised patches; both (models, songs, time, columns)."""
        maps = x.flatten(1, 2).transpose(0, 1).unflatten(-1, (BANDS, FRAMES))
        layers = (self.blocks, self.blocks_bias, 4, 0), (self.shapes, self.shapes_bias, 2, 1)
        for weight, bias, stride, padding in layers:
            options = {"stride": stride, "padding": padding, "groups": len(x)}
            weights = weight.flatten(0, 1), bias.flatten()
            maps = nn.functional.conv2d(maps, *weights, **options).relu()
        maps = maps.unflatten(1, (len(x), -1)).flatten(2).transpose(0, 1)
        return torch.baddbmm(self.code_bias[:, None], maps, self.code).unflatten(1, x.shape[1:3])

    def hidden(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """States of the LSTM's topmost layer, shape (models, songs, time, units)."""
        return super().hidden(self.encode(x), lengths)


@dataclass(kw_only=True)
class CNNLSTM(RecurrentRegressor):
    """An LSTM on the latents of a convolutional network, both trained by the labels.

    Each of a patch's 1,024 numbers is standardised by the labelled frames of the training songs.
    `unlabelled` songs are not used. Further settings are those of :class:`LSTM`; noise and clip are
    those of the patches. Source: Herremans et al. (2019), figure 4, which gives no more than its
    name; notebook 07.

    Parameters
    ----------
    latent : int
        Inputs of the LSTM from each patch.
    """

    hidden: tuple[int, ...] = (24, 5)
    learning_rate: float = 2e-2
    epochs: int = 20
    patience: int | None = 5
    noise: float = 0.6
    latent: int = 32
    songs_per_update: int = 4

    @classmethod
    def paper(cls, *, seed: int = 0) -> Self:
        """32 latents, more epochs. The paper gives no layer, rate or size."""
        return cls(epochs=200, patience=20, seed=seed)

    def latents(self, features: pd.DataFrame) -> pd.DataFrame:
        """The inputs of the LSTM for every row: columns latent_0, latent_1, ..."""
        return pd.DataFrame(self._run(features, "encode"), features.index).add_prefix("latent_")

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy of the model to each job."""
        return super().fit_many(_with_mel(jobs))

    _inputs = staticmethod(_mel)

    def _make_network(self, inputs: int, seeds: Sequence[int]) -> CNN:
        return CNN(self.latent, self.hidden, seeds=seeds)

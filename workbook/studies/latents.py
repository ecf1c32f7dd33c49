"""Learned features of half seconds: the dynamic part of Herremans et al. (2019). Notebook 07."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.evaluation import Regressor
from mer_core.features import extract_all
from mer_core.features.mel import patches
from mer_core.files import DataError
from mer_core.metrics import score_songs
from mer_core.models import AELSTM, CNNLSTM, LSTM, VAELSTM, Linear, Preprocessed
from mer_core.models.autoencoder import AE, IN_CLASS
from workbook.studies.regressors import FILES, LEVELS, SCORED, predict, scores, with_seed
from workbook.studies.study import Frames, Levels, Study, Tables, Units, labelled

HELD_OUT, LABELLED = 24, 24
"""Development songs that :func:`predict_with_few` holds out, and that it trains on."""


def with_mel(corpus: Corpus) -> Corpus:
    """The corpus with log-mel half seconds for features, from its audio; kept once computed."""
    return replace(corpus, features=_mel_of(tuple(corpus.songs["audio"].dropna().items())))


@lru_cache(maxsize=1)
def _mel_of(audio: tuple[tuple[int, str], ...]) -> pd.DataFrame:
    features, failures = extract_all(dict(audio), ("mel",), processes=1)
    if len(failures):
        raise DataError("audio", "songs that can be read", failures.iloc[0])
    return features


def band_means(mel: pd.DataFrame) -> pd.DataFrame:
    """The mean of each band of a mel track over each half second, in dB: 64 features."""
    return pd.DataFrame(patches(mel).mean(axis=2), mel.index).add_prefix("band_")


def predict_with_few(
    corpus: Corpus, *, setting: Regressor, unlabelled: int, heard: bool = False, seed: int
) -> pd.DataFrame:
    """Scores of a model of few labelled songs and of `unlabelled` ones, for an autoencoder.

    The seed draws held-out, labelled and unlabelled development songs. If `heard`, the model also
    learns from the audio of the scored songs. A `Linear` gets :func:`band_means`. Index (protocol:
    held-out or test, song_id, dimension); columns rmse, pearson, and those of :func:`sound_lost`.
    """
    corpus = with_mel(corpus)
    drawn = np.random.default_rng(seed).permutation(corpus.split("dev").songs.index)
    held_out, labelled, rest = np.split(drawn, [HELD_OUT, HELD_OUT + LABELLED])
    scored = {"held-out": corpus.select(sorted(held_out)), "test": corpus.split("test")}
    more = [part.features for part in scored.values()] if heard else []
    more += [corpus.select(sorted(rest[:unlabelled])).features] if unlabelled else []
    train, model = corpus.select(sorted(labelled)), with_seed(setting, seed)
    form = band_means if isinstance(model, Linear) else lambda mel: mel
    model.fit(form(train.features), train.labels, unlabelled=pd.concat(more) if more else None)
    found = {}
    for protocol, part in scored.items():
        table = score_songs(part.labels, model.predict(form(part.features)))[[*SCORED]]
        encoder = getattr(model, "encoder_", None)
        lost = sound_lost(encoder, part.features) if encoder else NOTHING_LOST
        found[protocol] = table.join(lost, on="song_id")
    return pd.concat(found, names=["protocol"])


NOTHING_LOST = pd.DataFrame({"lost": [], "divergence": []}, dtype=float)


def sound_lost(encoder: AE, features: pd.DataFrame) -> pd.DataFrame:
    """Losses of a fitted autoencoder on each song of a mel track; index song_id.

    Columns: `lost`, the root mean square difference in dB; `divergence` of the codes in nats (of an
    `AE` it has no meaning).
    """
    left = patches(encoder.reconstruct(features)) - patches(features)
    rows = pd.Series(np.mean(left**2, axis=(1, 2)), features.index)
    divergence = encoder.costs(features)["divergence"]
    by_song = pd.DataFrame({"lost": rows, "divergence": divergence}).groupby("song_id").mean()
    return by_song.assign(lost=np.sqrt(by_song["lost"]))


def choice_tables(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Means and standard deviations over songs for each unit, and the songs."""
    songs = pd.concat(frames, names=[*levels])
    groups = songs.groupby([*levels, "protocol", "dimension"], sort=False)
    both = pd.concat({"mean": groups.mean(), "sd": groups.std()}, names=["aggregation"])
    order = [*levels, "protocol", "dimension", "aggregation"]
    return both.reorder_levels(order), songs


KINDS = {"AE-LSTM": AELSTM(), "VAE-LSTM": VAELSTM()}
ON_LATENTS = LSTM(**IN_CLASS)
SYSTEMS = {
    **{name: (kind, "mel") for name, kind in KINDS.items()},
    "CNN-LSTM": (CNNLSTM(), "mel"),
    "PCA-LSTM": (Preprocessed(network=ON_LATENTS, by="pca", components=32), "mel"),
    "LSTM on bands": (ON_LATENTS, "band means"),
    "ridge on bands": (Linear(), "band means"),
}


def _units() -> Units:
    units = []
    for name, (setting, features) in SYSTEMS.items():
        for protocol, fold, seeds in (("test", "test", 5), ("CV", "all", 2)):
            lists = {"setting": [setting], "features": [features], "fold": [fold]}
            fixed = {"system": name, "protocol": protocol}
            units += labelled(LEVELS, fixed, **lists, seed=range(seeds))
    return units


def _choices() -> Units:
    """32 latents, beta 1 and no further audio, unless the study is about it; five seeds."""
    found = {("unlabelled", "ridge on bands", 0): {"setting": Linear()}}
    for name, kind in KINDS.items():
        for size in (8, 16, 32, 64):
            found["latent", name, size] = {"setting": replace(kind, latent=size)}
        for songs in (0, 24, 48):
            found["unlabelled", name, songs] = {"setting": kind, "unlabelled": songs}
        found["heard", name, 48] = {"setting": kind, "unlabelled": 48, "heard": True}
    for beta in (0.1, 1, 4, 16, 64):
        found["beta", "VAE-LSTM", beta] = {"setting": VAELSTM(beta=beta)}
    return [
        ((*label, seed), {"unlabelled": 0} | unit | {"seed": seed})
        for label, unit in found.items()
        for seed in range(5)
    ]


CHOICES = ("study", "system", "value", "seed")
STUDIES = {
    "latents": Study(
        predict, _units(), LEVELS, scores, FILES, None, ("ridge on bands", "band means", "test", 0)
    ),
    "latent_choices": Study(
        predict_with_few,
        _choices(),
        CHOICES,
        choice_tables,
        ("{}.csv", "{}_each.parquet"),
        cheapest=("unlabelled", "ridge on bands", 0, 0),
    ),
}
"""Of the embedded corpus, SYNTHETIC."""

"""Learned features of half seconds: the dynamic part of Herremans et al. (2019), with controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from mer_core import evaluation
from mer_core.corpus import Corpus
from mer_core.evaluation import Regressor
from mer_core.features import extract_all
from mer_core.features.mel import patches
from mer_core.files import DataError
from mer_core.metrics import score_songs
from mer_core.models import AELSTM, CNNLSTM, LSTM, VAELSTM, Linear, Preprocessed
from mer_core.models.autoencoder import AE, IN_CLASS
from workbook.studies.regressors import scores, with_seed
from workbook.studies.study import Study, product

HELD_OUT, LABELLED = 24, 24
"""Development songs that :func:`predict_with_few` keeps apart, and that it trains on."""
NOTHING_LOST = {"lost": np.nan, "divergence": np.nan}


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
    """The mean of each band over each half second, in dB: 64 features that nobody had to learn.

    Parameters
    ----------
    mel : DataFrame
        A track with mel columns.

    References
    ----------
    Notebook 07.
    """
    return pd.DataFrame(patches(mel).mean(axis=2), mel.index).add_prefix("band_")


def predict_latents(
    corpus: Corpus, *, setting: Regressor, features: str, fold: int | str, seed: int
) -> pd.DataFrame:
    """Predict the songs of all ten folds, or of the test set, from mel features.

    Parameters
    ----------
    corpus : Corpus
        With audio and both splits.
    setting : regressor
        See :func:`workbook.studies.predict`.
    features : {"mel", "band means"}
        1,024 numbers a half second, or 64.
    fold : {"all", "test"}
        As for :func:`workbook.studies.predict`. What is trained without labels hears the songs
        that the model is fitted to, and no others.
    seed : int
        Of the division into folds, and of the model.

    Returns
    -------
    DataFrame
        A track with the columns valence, arousal.

    References
    ----------
    Herremans et al. (2019), figure 4. Notebook 07.
    """
    corpus = with_mel(corpus)
    if features == "band means":
        corpus = replace(corpus, features=band_means(corpus.features))
    dev, model = corpus.split("dev"), with_seed(setting, seed)
    if fold == "all":
        folds = evaluation.k_folds(dev.songs.index, k=10, seed=seed)
        return evaluation.cross_validate(model, dev, folds)
    return model.fit(dev.features, dev.labels).predict(corpus.split("test").features)


def predict_with_few(
    corpus: Corpus, *, setting: Regressor, unlabelled: int, heard: bool = False, seed: int
) -> pd.DataFrame:
    """Score a model that was fitted to few labelled songs, with and without further audio.

    Parameters
    ----------
    corpus : Corpus
        With audio and both splits. The seed draws from its development songs those that are held
        out, those with labels, and those without, each with the next seed others.
    setting : AELSTM, VAELSTM or Linear
        A `Linear` is given :func:`band_means`.
    unlabelled : int
        Further songs that the autoencoder hears.
    heard : bool
        Whether it also hears the songs that are scored: their audio, no label.
    seed : int
        Of the draw, and of the model.

    Returns
    -------
    DataFrame
        Index (protocol: held-out or test, song_id, dimension). Columns rmse, pearson, and, of an
        autoencoder, what it leaves of a song's sound: `lost`, the root mean square difference in
        dB, and `divergence` of the song's codes in nats, the mean over its rows (nothing holds that
        of an `AELSTM`).

    References
    ----------
    Notebook 07.
    """
    corpus = with_mel(corpus)
    drawn = np.random.default_rng(seed).permutation(corpus.split("dev").songs.index)
    held_out, labelled, rest = np.split(drawn, [HELD_OUT, HELD_OUT + LABELLED])
    scored = {"held-out": corpus.select(sorted(held_out)), "test": corpus.split("test")}
    more = [part.features for part in scored.values()] if heard else []
    more += [corpus.select(sorted(rest[:unlabelled])).features] if unlabelled else []
    train, model = corpus.select(sorted(labelled)), with_seed(setting, seed)
    form = band_means if isinstance(model, Linear) else _as_it_is
    model.fit(form(train.features), train.labels, unlabelled=pd.concat(more) if more else None)
    found = {}
    for protocol, part in scored.items():
        table = score_songs(part.labels, model.predict(form(part.features)))[["rmse", "pearson"]]
        encoder = getattr(model, "encoder_", None)
        lost = sound_lost(encoder, part.features) if encoder else None
        found[protocol] = table.assign(**NOTHING_LOST) if lost is None else table.join(lost)
    return pd.concat(found, names=["protocol"])


def _as_it_is(mel: pd.DataFrame) -> pd.DataFrame:
    return mel


def sound_lost(encoder: AE, features: pd.DataFrame) -> pd.DataFrame:
    """What an autoencoder loses of each song.

    Parameters
    ----------
    encoder : AE
        Fitted.
    features : DataFrame
        A track with mel columns.

    Returns
    -------
    DataFrame
        Index song_id; columns `lost`, the root mean square difference in dB, and `divergence`, the
        mean over rows in nats.
    """
    left = patches(encoder.reconstruct(features)) - patches(features)
    rows = pd.Series(np.mean(left**2, axis=(1, 2)), features.index)
    divergence = encoder.costs(features)["divergence"]
    by_song = pd.DataFrame({"lost": rows, "divergence": divergence}).groupby("song_id").mean()
    return by_song.assign(lost=np.sqrt(by_song["lost"]))


def mel_regressors(
    systems: Mapping[str, tuple[Regressor, str]], *, folds: Mapping[str, Iterable[int]]
) -> Study:
    """Systems x seeds, in ten folds and on the test songs.

    Parameters
    ----------
    systems : mapping of name to (setting, features)
    folds : mapping of fold to seeds
        "all" and "test", as for :func:`predict_latents`.
    """
    units = []
    for name, (setting, features) in systems.items():
        for fold, seeds in folds.items():
            protocol = {"all": "CV"}.get(fold, fold)
            for unit in product(setting=[setting], features=[features], fold=[fold], seed=seeds):
                units.append(((name, features, protocol, unit["seed"]), unit))
    levels = ("system", "features", "protocol", "seed")
    files = ("latents.csv", "latents_songs.parquet")
    cheapest = ("ridge on bands", "band means", "test", 0)
    return Study(predict_latents, units, levels, scores, files, cheapest=cheapest)


def latent_choices(
    choices: Mapping[tuple, tuple[Regressor, Mapping]], *, seeds: Iterable[int]
) -> Study:
    """What latents, beta and further audio change, of models with few labels.

    Parameters
    ----------
    choices : mapping of (study, system, value) to (setting, further arguments)
        See :func:`predict_with_few`.
    seeds : iterable of int
    """
    units = [
        ((*label, seed), {"setting": setting, **more, "seed": seed})
        for label, (setting, more) in choices.items()
        for seed in seeds
    ]
    levels = ("study", "system", "value", "seed")
    files = ("latent_choices.csv", "latent_choices_each.parquet")
    cheapest = ("unlabelled", "ridge on bands", 0, 0)
    return Study(predict_with_few, units, levels, choice_tables, files, cheapest=cheapest)


def choice_tables(
    corpus: Corpus, frames: dict[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Songs as they are, and their means and standard deviations for each unit."""
    songs = pd.concat(frames, names=[*levels])
    groups = songs.groupby([*levels, "protocol", "dimension"], sort=False)
    both = pd.concat({"mean": groups.mean(), "sd": groups.std()}, names=["aggregation"])
    order = [*levels, "protocol", "dimension", "aggregation"]
    return both.reorder_levels(order), songs


RIDGE = Linear()
KINDS = {"AE-LSTM": AELSTM(), "VAE-LSTM": VAELSTM()}
ON_LATENTS = LSTM(**IN_CLASS)
PCA = Preprocessed(network=ON_LATENTS, by="pca", components=32)


def _choices() -> dict[tuple, tuple[Regressor, dict]]:
    """32 latents, beta 1 and no further audio, unless the study is about it."""
    found = {("unlabelled", "ridge on bands", 0): (RIDGE, {"unlabelled": 0})}
    for name, kind in KINDS.items():
        for size in (8, 16, 32, 64):
            found["latent", name, size] = replace(kind, latent=size), {"unlabelled": 0}
        for songs in (0, 24, 48):
            found["unlabelled", name, songs] = kind, {"unlabelled": songs}
        found["heard", name, 48] = kind, {"unlabelled": 48, "heard": True}
    for beta in (0.1, 1, 4, 16, 64):
        found["beta", "VAE-LSTM", beta] = VAELSTM(beta=beta), {"unlabelled": 0}
    return found


STUDIES = {
    "latents": mel_regressors(
        {
            **{name: (kind, "mel") for name, kind in KINDS.items()},
            "CNN-LSTM": (CNNLSTM(), "mel"),
            "PCA-LSTM": (PCA, "mel"),
            "LSTM on bands": (ON_LATENTS, "band means"),
            "ridge on bands": (RIDGE, "band means"),
        },
        folds={"test": range(5), "all": range(2)},
    ),
    "latent_choices": latent_choices(_choices(), seeds=range(5)),
}
"""Of the embedded corpus, SYNTHETIC."""

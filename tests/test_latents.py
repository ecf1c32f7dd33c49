"""Studies of learned features: which songs the models learn from, and what is measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sweeps
from mer_core import load_corpus, models
from mer_core.features import extract
from mer_core.metrics import DIMENSIONS, score_songs
from mer_core.models.autoencoder import AE
from test_autoencoder import COLUMNS, SMALL
from workbook.studies import latents, predict

SETTING = models.AELSTM(**SMALL, network=models.LSTM(hidden=(3,), epochs=1))


@pytest.fixture
def corpus(monkeypatch):
    """Ten development songs and two test songs, three of the former held out, four labelled."""
    tiny = sweeps.tiny_corpus()
    sound = np.random.default_rng(1).normal(-40, 9, (len(tiny.features), len(COLUMNS)))
    mel = pd.DataFrame(sound.astype(np.float32), tiny.features.index, COLUMNS)
    monkeypatch.setattr(latents, "with_mel", lambda given: replace(given, features=mel))
    monkeypatch.setattr(latents, "HELD_OUT", 3)
    monkeypatch.setattr(latents, "LABELLED", 4)
    return replace(tiny, features=mel)


@pytest.fixture
def heard(monkeypatch):
    """Songs that each autoencoder learns from: those of the model, and others."""
    found, fit = [], AE.fit

    def noted(self, features, *, unlabelled=None):
        parts = [features] if unlabelled is None else [features, unlabelled]
        found.append([set(part.index.unique("song_id")) for part in parts])
        return fit(self, features, unlabelled=unlabelled)

    monkeypatch.setattr(AE, "fit", noted)
    return found


@pytest.mark.parametrize("unlabelled", [0, 2])
def test_scored_songs_are_not_used_in_training_unless_requested(corpus, heard, unlabelled):
    few = {"setting": SETTING, "unlabelled": unlabelled, "seed": 3}
    table = latents.predict_with_few(corpus, **few)
    scored = set(table.index.unique("song_id"))
    (own, *more) = heard[0]
    assert len(own) == 4
    assert len(scored) == 3 + 2
    assert {11, 12} <= scored
    assert [len(part) for part in more] == [unlabelled] * bool(unlabelled)
    assert not scored & set.union(own, *more)
    assert not any(own & part for part in more)
    latents.predict_with_few(corpus, **few, heard=True)
    assert heard[1][0] == own
    assert heard[1][1] == set.union(scored, *more)
    latents.predict_with_few(corpus, **few | {"seed": 4})
    assert heard[2][0] != own


def test_the_linear_model_gets_band_means_and_losses_are_in_decibel(corpus):
    table = latents.predict_with_few(corpus, setting=models.Linear(), unlabelled=0, seed=0)
    assert table[["lost", "divergence"]].isna().all(axis=None)
    assert np.isfinite(table["rmse"]).all()
    mean = corpus.features.filter(regex=r"mel_7_\d+$").mean(axis=1)
    np.testing.assert_allclose(latents.band_means(corpus.features)["band_7"], mean, rtol=1e-5)
    encoder, song = AE(**SMALL).fit(corpus.features), corpus.features.loc[[5]]
    lost = latents.sound_lost(encoder, corpus.features).loc[5, "lost"]
    left = (encoder.reconstruct(song) - song).to_numpy()
    assert lost == pytest.approx(np.sqrt((left**2).mean()), rel=1e-4)


@pytest.mark.parametrize("features", ["mel", "band means"])
def test_predictions_of_both_protocols(corpus, heard, features):
    setting = SETTING if features == "mel" else SETTING.network
    options = {"setting": setting, "features": features, "seed": 0}
    test = predict(corpus, fold="test", **options)
    assert set(test.index.unique("song_id")) == {11, 12}
    assert list(test) == DIMENSIONS
    cv = predict(corpus, fold="all", **options)
    assert set(cv.index.unique("song_id")) == set(range(1, 11))
    assert len(score_songs(corpus.split("dev").labels, cv)) == 20
    if features == "mel":
        assert heard[0] == [set(range(1, 11))]
        assert len(heard) == 11
        assert all(len(own) == 9 for (own,) in heard[1:])


def test_mel_of_a_corpus_is_extracted_from_its_audio(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    some = load_corpus("mini").select([1, 2])
    found = latents.with_mel(some).features
    expected = pd.concat([extract(path, ("mel",)) for path in some.songs["audio"]])
    pd.testing.assert_frame_equal(found, expected)

"""The model in the package: gains, silence, intervals, and what it was trained on."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from conftest import SHARED
from mer_core import load_corpus, models, own_songs
from mer_core.features import extract, read_audio
from mer_core.models.pretrained import ENERGY, POWERS, with_gain
from mer_core.tracks import DIMENSIONS
from test_saved import assert_same_after_a_round_trip
from test_studies import skip_without_data
from workbook import model_card, real_music
from workbook.studies import pretrained as study

RATE = 44_100


@pytest.fixture(scope="module")
def model():
    return models.pretrained()


@pytest.fixture(scope="module")
def song():
    path = load_corpus("mini").songs["audio"].iloc[0]
    return read_audio(path)[: 12 * RATE]


def frames(rows, *, song_id=1, columns=(), seed=0):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([[song_id], np.arange(rows) / 2], names=["song_id", "time"])
    values = rng.lognormal(size=(rows, len(columns)))
    return pd.DataFrame(values, index, columns)


def test_a_gain_multiplies_features_by_their_powers(song):
    """Audio that is four times quieter, against the formula; features of the level alone change."""
    loud, quiet = extract((song, RATE)), extract((song / 4, RATE))
    expected = with_gain(loud, 0.25)
    parts = [part for names in POWERS for part in names.split("|")]
    level = [name for name in loud if any(part in name for part in parts) and "_de" not in name]
    level = [name for name in level if "Rasta" not in name]
    assert len(level) >= 14
    assert np.allclose(quiet[level].mean() / expected[level].mean(), 1, rtol=0.02)
    rest = [k for k in models.pretrained().columns_ if k not in level and "_de" not in k]
    moved = (quiet[rest].mean() - loud[rest].mean()).abs() / loud[rest].std()
    assert moved.median() < 0.01


def test_a_louder_or_quieter_copy_gets_nearly_the_same_prediction(model, song):
    features = extract((song, RATE))
    middle = with_gain(features, 0.1 / features[ENERGY].mean())
    both = [model.predict_songs(with_gain(middle, gain)) for gain in (1, 4, 64)]
    assert (both[1] - both[0]).abs().to_numpy().max() < 0.2
    assert np.allclose(both[2], both[1], atol=1e-6)  # both are above the limit


def test_silence_around_a_song_changes_it_little(model, song):
    """Windows that are silent in part count, those that are silent as a whole do not."""
    silence = np.zeros(15 * RATE, np.float32)
    alone = extract((song, RATE))
    around = extract((np.concatenate([silence, song, silence]), RATE))
    assert np.allclose(model.predict_songs(around), model.predict_songs(alone), atol=0.08)
    assert model.predict(around).notna().all(axis=None)
    assert model.unlikeness(around).iloc[0] < 1.5


def test_each_row_is_the_mean_of_the_window_before_it(model):
    """Against an explicit loop, for a song at a level inside the limits."""
    features = frames(100, columns=model.columns_)
    features = features * 0.1 / features[ENERGY].mean()
    track = model.predict(features)
    for row in (0, 1, 59, 60, 99):
        part = features.iloc[max(0, row - 59) : row + 1]
        one = part.mean().to_frame().T.set_axis(part.index[:1])
        value = model._scores(one, features) @ model.coefficients_ + model.intercepts_
        assert np.allclose(track.iloc[row], value.clip(-1, 1)[0])


NOT_MUSIC = {
    "a sine": lambda t, rng: 0.5 * np.sin(2 * np.pi * 440 * t),
    "white noise": lambda t, rng: 0.1 * rng.normal(size=len(t)),
    "clicks": lambda t, rng: 0.9 * (np.arange(len(t)) % 22_050 == 0),
    "silence": lambda t, rng: 0 * t,
}


@pytest.mark.parametrize("kind", NOT_MUSIC)
def test_sound_that_is_no_music_gets_a_warning(model, kind):
    time = np.arange(10 * RATE) / RATE
    samples = NOT_MUSIC[kind](time, np.random.default_rng(0)).astype(np.float32)
    features = extract((samples, RATE))
    assert model.unlikeness(features).iloc[0] > 1.5
    text = own_songs.describe(own_songs.predict_songs(model, features))
    assert "note: unlike the training songs" in text


def test_most_songs_of_the_corpus_are_not_unlike(model):
    assert (model.unlikeness(load_corpus("mini").features) < 1).mean() > 0.9


def test_it_predicts_songs_of_another_corpus(model):
    """Songs that it was not trained on, by composers and raters that are simulated."""
    corpus = load_corpus("mini")
    labels = corpus.labels.groupby(level="song_id").mean()
    predictions = model.predict_songs(corpus.features).loc[labels.index]
    assert spearmanr(predictions["arousal"], labels["arousal"])[0] > 0.3


def planted(songs, *, seed):
    """Features of songs that explain the labels, with an error of 0.1."""
    rng = np.random.default_rng(seed)
    names = [ENERGY, *(f"pcm_fftMag_mfcc_sma[{k}]_amean" for k in range(1, 5))]
    index = pd.MultiIndex.from_product([range(songs), [0.0]], names=["song_id", "time"])
    features = pd.DataFrame(rng.normal(size=(songs, 5)), index, names)
    features[ENERGY] = 0.1
    labels = features.iloc[:, 1:3] * 0.15 + rng.normal(0, 0.1, (songs, 2))
    return features, labels.set_axis(DIMENSIONS, axis=1)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_intervals_hold_the_promised_share_of_new_songs(coverage):
    inside = []
    for seed in range(8):
        features, labels = planted(900, seed=seed)
        song = features.index.get_level_values("song_id")
        parts = [(features[song % 3 == k], labels[song % 3 == k]) for k in range(3)]
        model = models.WindowedRidge().fit(*parts[0])
        model = model.calibrated(model.predict(parts[1][0]), parts[1][1])
        error = (model.predict(parts[2][0]) - parts[2][1]).abs()
        inside.append((error <= model.half_widths(coverage=coverage).loc["half second"]).mean())
    assert np.mean(inside) == pytest.approx(coverage, abs=0.03)


def test_each_song_counts_the_same_however_long_it_is():
    """Nine short songs with an error of 0.1, a long one with 0.4."""
    rows = [(k, t / 2) for k in range(10) for t in range(500 if k == 9 else 5)]
    index = pd.MultiIndex.from_tuples(rows, names=["song_id", "time"])
    labels = pd.DataFrame(0.0, index, DIMENSIONS)
    predictions = labels + 0.1
    predictions.loc[9] = 0.4
    model = models.WindowedRidge().calibrated(predictions, labels)
    assert np.allclose(model.half_widths(coverage=0.8), 0.1)
    assert np.allclose(model.half_widths(coverage=0.9), 0.4)


def test_the_collection_with_the_largest_errors_gives_the_width():
    index = pd.MultiIndex.from_product([range(40), [0.0]], names=["song_id", "time"])
    labels = pd.DataFrame(0.0, index, DIMENSIONS)
    predictions = labels.assign(valence=np.where(np.arange(40) < 20, 0.1, 0.3))
    collections = pd.Series(["a"] * 20 + ["b"] * 20, range(40))
    model = models.WindowedRidge().calibrated(predictions, labels, collections=collections)
    widths = model.half_widths(coverage=0.5)
    assert np.allclose(widths["valence"], 0.3)
    assert np.allclose(widths["arousal"], 0)
    with pytest.raises(ValueError, match=r"coverage: expected above 0 and at most 0\.952"):
        model.half_widths(coverage=0.99)


def test_it_can_be_saved(tmp_path, monkeypatch):
    features, labels = planted(30, seed=0)
    model = models.WindowedRidge().fit(features, labels)
    assert_same_after_a_round_trip(model, features, tmp_path / "m.safetensors", monkeypatch)


def test_it_needs_the_features_compare(model):
    with pytest.raises(ValueError, match="expected the set compare"):
        models.WindowedRidge().fit(*[f.rename(columns={ENERGY: "x"}) for f in planted(30, seed=0)])
    with pytest.raises(ValueError, match="features: expected the columns"):
        model.predict(frames(3, columns=["tempo"]))


def test_a_model_trained_on_a_corpus_knows_its_errors():
    corpus = load_corpus("mini")
    model = own_songs.train(corpus)
    test = corpus.split("test")
    songs = own_songs.predict_songs(model, test.features)
    assert ((songs["valence_high"] - songs["valence_low"]) > 0.1).all()
    with pytest.raises(ValueError, match=r"expected 20 development songs .* found 12"):
        own_songs.train(corpus.select(corpus.split("dev").songs.index[:12]))


def test_json_has_what_the_tables_have(tmp_path, model, song):
    features = extract((song, RATE))
    songs = own_songs.predict_songs(model, features)
    curves = own_songs.predict_curves(model, features)
    assert songs["seconds"].iloc[0] == pytest.approx(12, abs=0.5)
    own_songs.write(tmp_path / "x.json", songs, curves)
    own_songs.write(tmp_path / "x.csv", songs, curves)
    (entry,) = pd.read_json(tmp_path / "x.json")["songs"]
    table = pd.read_csv(tmp_path / "x.csv")
    assert entry["valence"] == pytest.approx(songs["valence"].iloc[0], abs=1e-4)
    assert np.allclose(entry["curve"]["arousal_high"], table["arousal_high"])
    assert list(table)[:5] == ["song_id", "time", "valence", "valence_low", "valence_high"]
    own_songs.save_figures(tmp_path / "x.png", songs, curves)
    Figure().savefig(tmp_path / "photo.png")
    earlier = {path.name: own_songs.is_earlier_result(path) for path in tmp_path.iterdir()}
    assert earlier == {"x.json": True, "x.csv": True, "x.png": True, "photo.png": False}


def test_the_card_has_the_stored_numbers():
    text = model_card.CARD.read_text(encoding="utf-8")
    assert real_music.filled(text, model_card.tables()) == text


def test_the_weights_are_those_of_the_stored_study(monkeypatch):
    skip_without_data(study.real_songs)
    monkeypatch.setenv("MER_REAL", str(SHARED))
    corpus = study.real_songs()
    trained, shipped = study.train(corpus), models.pretrained()
    assert np.allclose(trained.coefficients_, shipped.coefficients_, atol=1e-6)
    assert np.allclose(trained.errors_, shipped.errors_, atol=1e-6)
    held_out = {int(k) for k in study.HELD_OUT.split()}
    assert not held_out & set(study.training_songs(corpus))
    assert len(held_out) == 36

"""Studies on real music: lag, raters, transfer and pages, on made-up data of known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from mer_core.corpus import SONG_COLUMNS, Corpus
from mer_core.metrics import DIMENSIONS
from mer_core.models import LSTM, Constant, FoldEnsemble, Linear
from workbook import real_music, results
from workbook.intervals import metric_draws
from workbook.studies import lag, listeners, real, transfer
from workbook.valence import song_counts, spearman_brown


def _corpus(songs: int = 24, frames: int = 80, late: int = 6, start: int = 0) -> Corpus:
    """Songs whose arousal follows loudness 3 s later, and whose raters follow arousal."""
    rng = np.random.default_rng(start)
    ids = range(start, start + songs)
    index = pd.MultiIndex.from_product([ids, 0.5 * np.arange(frames)], names=["song_id", "time"])
    names = dict.fromkeys([*lag.CUES.values(), *transfer.CUES.values(), "pcm_x_sma_amean"])
    features = pd.DataFrame(rng.normal(size=(len(index), len(names))), index, [*names])
    loud = features[lag.CUES["loudness"]].groupby(level="song_id").shift(late).fillna(0.0)
    noise = rng.normal(size=(2, len(index)))
    curves = np.column_stack([noise[0], loud + 0.3 * noise[1]])
    labels = pd.DataFrame(np.tanh(0.3 * curves), index, DIMENSIONS)
    raters = {str(k): labels + 0.2 * rng.normal(size=(1, 2)) for k in range(12)}
    ratings = pd.concat(raters, names=["rater"]).reorder_levels(["song_id", "rater", "time"])
    ratings = ratings.sort_index().clip(-1, 1)
    table = pd.DataFrame(index=pd.Index(ids, name="song_id"), columns=SONG_COLUMNS)
    return Corpus(table.assign(split="dev"), labels, features, ratings)


@pytest.fixture(scope="module")
def joint():
    parts = [_corpus(start=start) for start in real.DATA.values()]
    frames = zip(*(vars(part).values() for part in parts))
    return Corpus(*(pd.concat(list(kind)) for kind in frames))


def test_a_curve_that_follows_a_cue_late_correlates_best_at_its_delay(joint):
    cue = lag.of_data(joint, "vgmidi").features[lag.CUES["loudness"]]
    late = cue.groupby(level="song_id").shift(5).dropna()
    found = lag.by_delay(cue, late)
    assert list(found.index) == list(late.index.unique("song_id"))
    np.testing.assert_allclose(found[2.5], 1)
    assert (found.drop(columns=2.5) < 0.999).all(axis=None)
    flat = lag.by_delay(cue, late * 0)
    assert flat.isna().all(axis=None)


def test_the_planted_lag_is_found(joint):
    table = lag.lag_of_labels(joint, data="vgmidi")
    row = table.loc["loudness", "arousal", "best delay"]
    assert row[["value", "low", "high"]].tolist() == [3.0] * 3
    assert table.loc["loudness", "arousal", "r at 3 s"]["low"] > 0.9
    assert table.loc["loudness", "arousal", "r at 0 s"]["high"] < 0.2
    silent = table.loc["event density", "arousal", "r at 3 s"]
    assert silent["low"] < 0 < silent["high"]


def test_correlations_are_of_the_frames_after_8_s(joint):
    part = real.of_data(joint, "deam").select([10_003])
    found = lag.song_correlations(part.features, part.labels).sort_index()
    found = found.xs((10_003, "spectral flux"))
    x = part.features[lag.CUES["spectral flux"]].to_numpy()
    for dimension in DIMENSIONS:
        y = part.labels[dimension].to_numpy()[16:]
        for delay in (0, 5, 16):
            expected = np.corrcoef(x[16 - delay : len(x) - delay], y)[0, 1]
            assert found.loc[dimension, delay / 2] == pytest.approx(expected)


def test_single_raters_who_may_leave_out_songs_are_late_more_often_than_by_chance(joint):
    ratings = joint.ratings
    rater, song = (ratings.index.get_level_values(k) for k in ("rater", "song_id"))
    fewer = replace(joint, ratings=ratings[~((rater == "3") & (song % 2 == 0))])
    for corpus in (joint, fewer):
        table = lag.lag_of_raters(corpus, data="vgmidi").loc["loudness", "arousal"]
        assert table.loc["share, best at 2 to 4.5 s"]["low"] > 0.3
        assert table.loc["share, best at 0 to 1.5 s"]["high"] < 0


def test_reliabilities_are_those_of_the_planted_raters():
    rng = np.random.default_rng(3)
    songs, frames, raters = 60, 100, 20
    true = rng.normal(size=(songs, frames, 1))
    ratings = true + 2.0 * rng.normal(size=(songs, frames, raters))
    ratings += 0.5 * rng.normal(size=(songs, 1, raters))
    counts = song_counts(songs)
    expected = 1 / (1 + 4 / listeners.PANEL)  # of ten raters with an error variance of 4
    within = np.mean([listeners._within(one, np.random.default_rng(0)) for one in ratings])
    assert spearman_brown(within, 2) == pytest.approx(expected, abs=0.03)
    table = pd.DataFrame([listeners.song_statistics(one) for one in ratings]).mean()
    assert table["alpha"] == pytest.approx(1 / (1 + 4 / 20), abs=0.02)
    assert table["alpha of 10 raters"] == pytest.approx(expected, abs=0.03)
    halves = listeners._between(list(ratings), counts, seed=0)
    pooled = 1 / (1 + 4.25 / listeners.PANEL)
    assert halves["reliability, pooled"][0] == pytest.approx(pooled, abs=0.03)
    # Song means differ by 1/10 (100 frames), raters' own means by .5, over ten raters by .16.
    means = 0.01 / (0.01 + (0.25 + 0.04) / listeners.PANEL)
    assert halves["reliability between songs"][0] == pytest.approx(means, abs=0.2)


def test_still_raters_are_counted():
    ratings = np.random.default_rng(0).normal(size=(50, 10))
    ratings[:, :3] = 0.1
    assert listeners.song_statistics(ratings)["raters who do not move"] == 0.3


def test_ranks_are_of_each_data_set_by_itself(joint, monkeypatch):
    seen = []

    class Model(Constant):
        def fit(self, features, labels):
            seen.append(features)
            return super().fit(features, labels)

        def predict(self, features):
            seen.append(features)
            return super().predict(features)

    monkeypatch.setitem(transfer.SYSTEMS, "constant", Model())
    louder = joint.features.copy()
    there = louder.index.get_level_values(0) >= real.DATA["vgmidi"]
    louder[there] = np.exp(louder[there])
    unit = {"system": "constant", "train": "mini", "ranks": True, "seed": 0}
    for corpus in (joint, replace(joint, features=louder)):
        transfer.predict_others(corpus, **unit)
    pd.testing.assert_frame_equal(seen[2], seen[5])
    assert abs(seen[1].to_numpy().mean()) < 1e-9
    assert seen[1].to_numpy().std() == pytest.approx(1, abs=0.01)
    assert seen[0].index.get_level_values(0).max() < real.DATA["deam"]


def test_scores_of_transfer(joint):
    labels = real.of_data(joint, "deam").labels
    drawn = transfer.transfer_draws(labels, 0.5 * labels + 0.2).iloc[0]
    assert drawn["valence", "pooled", "pearson"] == pytest.approx(1)
    assert drawn["valence", "songs", "pearson"] == pytest.approx(1)
    assert drawn["valence", "rescaled", "rmse"] == pytest.approx(0, abs=1e-6)
    assert drawn["valence", "pooled", "rmse"] > 0.1
    flipped = transfer.transfer_draws(labels, labels * [-1, 1]).iloc[0]
    assert flipped["valence", "songs", "pearson"] == pytest.approx(-1)


def test_cues_over_songs(joint):
    mean = joint.features["tempo"].groupby(level="song_id").transform("mean")
    labels = joint.labels.assign(arousal=np.tanh(mean))
    row = transfer.cue_correlations(replace(joint, labels=labels), data="deam")
    assert row.loc[("tempo", "arousal"), "value"] > 0.95
    assert row.loc[("tempo", "arousal"), "songs"] == 24


def test_no_song_is_predicted_by_a_model_that_was_trained_on_it(joint):
    part = real.of_data(joint, "deam")
    part = replace(part, features=part.features[["pcm_x_sma_amean"]])
    unit = {"features": "FS1", "fold": "all", "seed": 1}
    track = real.predict_folds(part, setting=Constant(), **unit)
    folds = real.evaluation.k_folds(part.songs.index, k=10, seed=1)
    for fold in folds:
        for song in fold.test:
            expected = part.labels.loc[list(fold.train)].mean()
            np.testing.assert_allclose(track.loc[song].mean(), expected)


def test_a_fold_ensemble_gets_songs_by_number_and_predicts_by_song_id():
    part = _corpus(songs=36, frames=20, start=100)
    part = replace(part, features=part.features[["pcm_x_sma_amean"]])
    setting = FoldEnsemble(network=LSTM(hidden=(2,), epochs=1), trials=1, keep=1)
    track = real.predict_folds(part, setting=setting, features="FS1", fold="all", seed=0)
    pd.testing.assert_index_equal(track.index, part.features.index)


def test_differences_are_paired_over_seeds_and_songs(joint):
    part = real.of_data(joint, "deam")
    rng = np.random.default_rng(0)
    tracks = {
        (system, "FS1", seed): part.labels + rng.normal(0, sd, part.labels.shape)
        for system, sd, seeds in (("constant", 0.5, 3), (real.BASE, 0.2, 3), ("LSTM", 0.3, 2))
        for seed in range(seeds)
    }
    table = real.differences(part.labels, tracks)
    row = table.loc["LSTM", real.BASE, "arousal", "pooled", "rmse"]
    rmse = {
        key: metric_draws(part.labels, track, song_counts(24))["arousal", "pooled", "rmse"][0]
        for key, track in tracks.items()
    }
    each = [rmse["LSTM", "FS1", k] - rmse[real.BASE, "FS1", k] for k in range(2)]
    assert row["difference"] == pytest.approx(np.mean(each))
    assert (row["songs"], row["seeds"]) == (24, 2)
    assert row["p"] <= row["p_holm"] < 1e-3
    assert set(table.index.unique("against")) == {"constant", real.BASE}
    alone, levels = {("linear", "FS1", 0): part.labels * 0.5}, ("system", "features", "seed")
    _, table, _ = real.real_tables(part, alone, levels)
    assert table.empty
    assert table.index.names == ["system", "against", "dimension", "aggregation", "metric"]


def test_three_data_sets_share_no_song(monkeypatch):
    part = _corpus(songs=12)
    part = replace(part, ratings=part.ratings.rename(int, level="rater"))
    monkeypatch.setattr(real, "deam_excerpts", lambda: replace(part, ratings=None))
    monkeypatch.setattr(real, "vgmidi_pieces", lambda: part)
    monkeypatch.setattr(real, "load_corpus", lambda name: part)
    whole = real.all_music()
    whole.validate()
    assert len(whole.songs) == 36
    labels = real.of_data(whole, "vgmidi").labels
    np.testing.assert_array_equal(labels, part.labels)
    assert not len(real.of_data(whole, "deam").ratings)
    assert Linear().fit(whole.features, whole.labels)


# Pages


def test_the_pages_hold_what_the_stored_tables_say():
    """If not: python -m workbook.real_music."""
    for page, tables in real_music.pages().items():
        text = page.read_text()
        assert real_music.filled(text, tables) == text
        for name in tables:
            assert real_music.MARKS[0].format(name=name) in text
    text = (ROOT / "docs" / "results.md").read_text()
    assert text.index("## Real music") < text.index("## Synthetic music")


def test_stored_rows_name_songs_seeds_and_setting():
    for name in ("real_deam", "real_vgmidi"):
        table = results.table(name)
        paper = table["setting"] == "paper"
        assert set(table["setting"]) == {"class", "paper"}
        assert list(table[paper].index.unique("system")) == ["linear, no penalty"]
        assert set(table.index.names) >= {"system", "features", "seed", "output"}
        assert table["songs"].nunique() == 1


@pytest.mark.parametrize(
    ("value", "text"), [(0.2274, ".227"), (-0.45, "-.450"), (1.5, "1.500"), (np.nan, "–")]
)
def test_numbers(value, text):
    assert real_music.number(value) == text

"""Harmony: studies on made-up songs of known truth, keys that are known, the stored tables."""

from __future__ import annotations

from dataclasses import replace

import mido
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from mer_core.corpus import SONG_COLUMNS, Corpus
from mer_core.features import tonal
from mer_core.features.spectral import NAMES as SPECTRAL
from mer_core.features.tonal import NAMES
from mer_core.metrics import DIMENSIONS
from mer_core.models import DelayedLinear
from test_tonal import cadence, note
from workbook import harmony as page
from workbook import real_music
from workbook.intervals import holm
from workbook.studies import harmony, harmony_chroma, harmony_keys
from workbook.valence import song_counts

NOISE = 40


@pytest.fixture(scope="module")
def planted() -> Corpus:
    """Sixty songs whose valence is their mode, with forty features that know nothing of it."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(60), 0.5 * np.arange(30)], names=["song_id", "time"])
    song = index.get_level_values(0).to_numpy()
    names = [f"pcm_{k}_sma_amean" for k in range(NOISE)]
    noise = rng.normal(size=(60, NOISE))[song] + 0.1 * rng.normal(size=(len(index), NOISE))
    mode = 0.3 * rng.normal(size=60)
    six = pd.DataFrame(0.05 * rng.normal(size=(len(index), 6)), index, [*NAMES])
    six["mode_long"] += mode[song]
    labels = pd.DataFrame(0.0, index, DIMENSIONS)
    labels["valence"] = np.tanh(mode)[song]
    labels["arousal"] = 0.3 * np.tanh(noise[:, 0])
    features = pd.DataFrame(noise, index, names)
    for name in ("tempo", "roughness", *SPECTRAL):
        features[name] = rng.normal(size=60)[song]
    features = features.join(six)
    table = pd.DataFrame(index=pd.Index(range(60), name="song_id"), columns=SONG_COLUMNS)
    return Corpus(table.assign(split="dev"), labels, features)


LEVELS = ("learner", "features", "seed")


def test_sets_have_the_tonal_features_last(planted):
    sizes = {"260": NOISE, "260, sd": 2 * NOISE, "tonal": 6}
    sizes |= {harmony.BOTH: NOISE + 6, harmony.WEIGHTED: NOISE + 6}
    sizes |= {"FS2's four": 2, "IRIT's eight": 8, "all sets": NOISE + 16}
    assert set(sizes) == set(harmony.SETS)
    for name, size in sizes.items():
        columns = list(harmony.song_table(planted, name))
        assert len(columns) == size
        tonal_last = [k.removesuffix("_mean") for k in columns[-6:]] == [*NAMES]
        assert tonal_last == ("tonal" in harmony.SETS[name])


def test_the_planted_difference_is_found(planted):
    frames = {
        ("ridge", k, 0): harmony.predict_songs(planted, learner="ridge", features=k, seed=0)
        for k in harmony.SETS
    }
    table, points = harmony.song_tables(planted, frames, LEVELS)
    row = table.loc["ridge", "tonal", "best without harmony", "valence", "pearson"]
    assert (row["value"] > 0.95, row["difference_low"] > 0.5, row["songs"]) == (True, True, 60)
    arousal = table.loc["ridge", "tonal", "260", "arousal", "pearson"]
    assert arousal["difference_high"] < -0.3
    assert table.loc["ridge", "260", "260", "mode", "pearson"]["high"] < 0.5
    assert points.shape == (60, 8)
    # As when only the cheapest rows are computed again:
    few = {("ridge", "tonal", 0): harmony.song_targets(planted)[DIMENSIONS]}
    table, _ = harmony.song_tables(planted, few, LEVELS)
    assert table["value"].notna().all()
    assert table[["difference", "p", "p_holm"]].isna().all(axis=None)


def test_the_best_baseline_is_chosen_for_each_score(planted):
    targets = harmony.song_targets(planted)
    rng, counts = np.random.default_rng(1), song_counts(60, draws=50)
    predicted = {
        name: targets[DIMENSIONS] + rng.normal(size=(60, 2)) * spread
        for name, spread in {"a": (0.1, 0.9), "b": (0.9, 0.1)}.items()
    }
    draws = {(k, "260"): harmony.song_draws(targets, v, counts) for k, v in predicted.items()}
    best = harmony.best_of(draws)
    for dimension, name in zip(DIMENSIONS, "ab"):
        for column in ((dimension, "rmse"), (dimension, "pearson")):
            pd.testing.assert_series_equal(best[column], draws[name, "260"][column])
    table = harmony.compared(draws, songs=60, levels=("learner", "features"))
    family = table.xs(("260", "valence", "rmse"), level=("against", "dimension", "metric"))
    pd.testing.assert_series_equal(holm(family["p"]), family["p_holm"], check_names=False)


def test_no_song_is_predicted_by_a_model_that_was_trained_on_it():
    """A model that knows its training songs by heart knows nothing of the others."""
    y = pd.DataFrame({"valence": np.arange(30.0)}, index=pd.Index(range(100, 130), name="song_id"))
    x = pd.DataFrame(np.eye(30), y.index)
    predicted = harmony.predict_table(x, y, Ridge(alpha=1e-9), seed=0)
    assert predicted.index.equals(y.index)
    assert (predicted["valence"] - y["valence"]).abs().min() > 0.05


def test_the_factor_is_a_penalty_of_its_own():
    """Ridge on a group times f with penalty a is ridge with penalty a / f^2 of the group."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 9)), rng.normal(size=50)
    weighed = harmony.GroupWeight(factor=4.0).fit(x).transform(x)
    model = Ridge(alpha=3.0, fit_intercept=False).fit(weighed, y)
    penalty = np.diag([3.0] * 3 + [3.0 / 16] * 6)
    expected = np.linalg.solve(x.T @ x + penalty, x.T @ y)
    assert np.allclose(model.coef_ * ([1] * 3 + [4] * 6), expected)


def test_a_group_of_its_own_is_found_among_many(planted):
    """The factor is chosen for each dimension, in inner folds."""
    options = {"delays": (0,), "windows": (1,), "penalties": (1e3,)}
    few = planted.select(range(40))
    linear = harmony.WeightedLinear(**options)
    model = harmony.GroupLinear(linear=linear).fit(few.features, few.labels)
    assert model.chosen_["valence"].factor > 1
    plain = DelayedLinear(**options).fit(few.features, few.labels)
    rest = planted.select(range(40, 60))
    errors = [(m.predict(rest.features) - rest.labels).std()["valence"] for m in (model, plain)]
    assert errors[0] < 0.7 * errors[1]
    same = harmony.WeightedLinear(factor=1.0, **options).fit(few.features, few.labels)
    pd.testing.assert_frame_equal(same.predict(rest.features), plain.predict(rest.features))


def test_half_seconds_have_three_aggregations(planted):
    tracks = {("delayed linear", name, 0): planted.labels * 0.5 + 0.1 for name in ("260", "tonal")}
    [table] = harmony.frame_tables(planted, tracks, ("system", "features", "seed"))
    assert set(table.index.unique("aggregation")) == {"pooled", "songs", "mean"}
    row = table.loc["delayed linear", "tonal", "260", "valence", "songs", "pearson"]
    assert row["value"] == pytest.approx(1)
    assert row["difference"] == 0


# Keys


def _midi(pitches, *, seconds=1.0, channel=0) -> mido.MidiFile:
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    for chord in pitches:
        track += [mido.Message("note_on", note=p, velocity=80, channel=channel) for p in chord]
        ticks = round(960 * seconds)
        for number, pitch in enumerate(chord):
            time = 0 if number else ticks
            track.append(mido.Message("note_off", note=pitch, time=time, channel=channel))
    file.tracks.append(track)
    return file


MINOR = [(60, 63, 67), (65, 68, 72), (67, 70, 74), (60, 63, 67)]
MAJOR = [(60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67)]


def test_notes_are_counted_in_half_seconds():
    track = harmony_chroma.note_track(_midi(MAJOR, seconds=0.75), 6)
    assert track.sum() == pytest.approx(12 * 0.75)
    assert track[0, [0, 4, 7]].tolist() == [0.5] * 3
    assert track[1, 0] == pytest.approx(0.5)  # C as the root, then as the fifth of F
    assert track[1, 4] == pytest.approx(0.25)
    assert not harmony_chroma.note_track(_midi(MAJOR, channel=harmony_chroma.DRUMS), 6).any()


@pytest.mark.parametrize("profile", harmony_chroma.PROFILES)
def test_profiles_tell_major_from_minor_by_the_notes(profile):
    for chords, sign in ((MAJOR, 1), (MINOR, -1)):
        track = harmony_chroma.note_track(_midi(chords), 8)
        index = pd.MultiIndex.from_product([[1], 0.5 * np.arange(8)], names=["song_id", "time"])
        found = harmony_chroma.key_features(pd.DataFrame(track, index), profile)
        assert sign * found["mode_long"].iloc[-1] > 0
        assert found["key_clarity_long"].iloc[-1] > 0.6


def test_key_features_are_those_of_the_set(tmp_path):
    """But for the floor of noise, and for the half second at the start."""
    samples = np.concatenate([cadence(k, "minor") for k in (0, 7, 2)])
    expected = tonal.tonal(samples)
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "1.wav", samples, 44_100, subtype="FLOAT")
    track = harmony_chroma.audio_track(str(tmp_path / "1.wav"), len(expected))
    index = pd.MultiIndex.from_product([[1], expected.index], names=["song_id", "time"])
    found = harmony_chroma.key_features(pd.DataFrame(track, index), "Temperley").loc[1].shift(-1)
    for name in found:
        assert np.abs(found[name] - expected[name]).dropna().max() < 0.06


@pytest.mark.parametrize("name", harmony_chroma.CHROMAS)
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_every_chroma_finds_the_key_of_a_cadence(name, mode):
    """All have frames at the same times, so that they can be counted in half seconds."""
    samples = np.tile(cadence(2, mode), 2)
    frames = harmony_chroma.CHROMAS[name](samples)
    assert abs(len(frames) - len(tonal.chroma(samples))) <= 1
    r = np.corrcoef(frames.sum(0), tonal.key_profiles())[0, 1:]
    assert r.argmax() == 2 + 12 * (mode == "minor")


def test_a_beat_has_one_chroma():
    """Clicks every half second, over a chord that changes every two seconds."""
    samples = np.tile(cadence(0, "major"), 4)
    samples[:: 44_100 // 2] += 1
    frames = harmony_chroma.by_beats(samples)
    changes = np.flatnonzero((frames[1:] != frames[:-1]).any(1))
    assert len(changes) > 10
    assert np.median(np.diff(changes)) == pytest.approx(0.5 / 0.093, abs=1.1)


def test_the_bass_of_a_root_position_is_consonant():
    def of(*pitches):
        chord = sum(note(pitch, 2.0) for pitch in pitches)
        return harmony_chroma.bass_consonance(chord).mean()

    assert of(36, 64, 67) > of(36, 61, 66) + 0.2
    assert harmony_chroma.bass_consonance(np.zeros(44_100)).tolist() == [0] * 11


def test_the_other_mode_and_back():
    for chords, other in ((MAJOR, MINOR), (MINOR, MAJOR)):
        there, _ = harmony_keys.swapped(_midi(chords), "other mode")
        notes = [m.note for m in there.tracks[0] if m.type == "note_on"]
        assert notes == [p for chord in other for p in chord]
    up, mode = harmony_keys.swapped(_midi(MINOR), "a semitone up")
    assert mode == "minor"
    assert up.tracks[0][0].note == 61


def test_modes_drums_and_features_of_the_embedded_corpus():
    rows = [(2, 0.0), (2, 26.5), (2, 27.0), (2, 44.5)]
    index = pd.MultiIndex.from_tuples(rows, names=["song_id", "time"])
    found = harmony_keys.composed_modes(index)
    assert found.tolist() == ["major", "major", "mixolydian", "major"]
    file = _midi([(36,), (38,), (36,)], channel=harmony_chroma.DRUMS)
    silent = harmony_keys.without_drums(file)
    assert all(not m.velocity for m in silent.tracks[0] if m.type == "note_on")
    assert harmony_keys.strokes(20, np.array([10.0]))[0] > 0
    sung = harmony_keys.as_voices(mido.MidiFile(harmony_keys.MINI / "midi/20.mid")).tracks[0]
    programs = {m.channel: m.program for m in sung if m.type == "program_change"}
    assert {v for k, v in programs.items() if k != harmony_chroma.DRUMS} == {53}
    vibrato = [m.channel for m in sung if m.type == "control_change" and m.control == 1]
    assert sorted(vibrato) == sorted(set(programs) - {harmony_chroma.DRUMS})
    corpus = harmony.mini()
    assert list(corpus.features)[-6:] == [*NAMES]
    assert (corpus.features.shape[1], len(corpus.songs)) == (278, 96)


# Pages


def test_the_page_holds_what_the_stored_tables_say_and_never_mixes_real_and_synthetic_songs():
    """If not: python -m workbook.harmony."""
    text, tables = page.PAGE.read_text(), page.tables()
    assert real_music.filled(text, tables) == text
    for name, table in tables.items():
        assert real_music.MARKS[0].format(name=name) in text
        both = "mini" in table and ("VGMIDI" in table or "DEAM" in table)
        assert not both or name == "findings", name


def test_a_corpus_of_any_size_is_read(planted, monkeypatch):
    """What somebody with all of DEAM's audio runs."""
    more = {"spectral": planted.features[[*SPECTRAL]], "tonal": planted.features[[*NAMES]]}
    plain = planted.features.drop(columns=[*SPECTRAL, *NAMES])
    monkeypatch.setattr(harmony, "extract_all", lambda audio, sets: (more[sets[0]], None))
    monkeypatch.setattr(harmony, "deam_excerpts", lambda: replace(planted, features=plain))
    assert list(harmony.deam().features) == list(planted.features)

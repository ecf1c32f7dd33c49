"""Tonal features against keys that are known, and against librosa step by step."""

import librosa
import numpy as np
import pytest

from mer_core.features import tonal
from mer_core.features.audio import SAMPLE_RATE

CADENCES = {
    "major": [(0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)],
    "minor": [(0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)],
}
SCALES = {"major": [0, 2, 4, 5, 7, 9, 11, 12], "minor": [0, 2, 3, 5, 7, 8, 11, 12]}


def note(pitch, seconds, cents=0, vibrato=0):
    """Six partials that decay; vibrato in cents to each side, 5.5 times a second."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    frequency = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
    swing = (2 ** (vibrato / 1200) - 1) / (2 * np.pi * 5.5) * np.cos(2 * np.pi * 5.5 * time)
    cycles = frequency * (time - swing)
    partials = sum(np.sin(2 * np.pi * h * cycles) / h for h in range(1, 7))
    return 0.05 * partials * np.exp(-2 * time)


def cadence(tonic, mode, *, inversion=0, cents=0, vibrato=0):
    chords = [sorted((p + 12 * (k < inversion)) for k, p in enumerate(c)) for c in CADENCES[mode]]
    sounds = [sum(note(48 + tonic + p, 0.75, cents, vibrato) for p in chord) for chord in chords]
    return np.concatenate(sounds)


def scale(tonic, mode):
    return np.concatenate([note(60 + tonic + degree, 0.4) for degree in SCALES[mode]])


def drums(length, *, seed=0):
    rng, hits = np.random.default_rng(seed), np.zeros(length)
    for start in range(0, length - 6615, SAMPLE_RATE // 4):
        hits[start : start + 6615] += rng.normal(size=6615) * np.exp(-np.arange(6615) / 1500)
    return 0.1 * hits


MUSIC = {
    "cadence": cadence,
    "first inversion": lambda tonic, mode: cadence(tonic, mode, inversion=1),
    "second inversion": lambda tonic, mode: cadence(tonic, mode, inversion=2),
    "40 cents sharp": lambda tonic, mode: cadence(tonic, mode, cents=40),
    "vibrato": lambda tonic, mode: cadence(tonic, mode, vibrato=50),
    "scale": scale,
    "chord": lambda tonic, mode: sum(note(48 + tonic + p, 2) for p in CADENCES[mode][0]),
    "drums": lambda tonic, mode: cadence(tonic, mode) + drums(132300),
}


@pytest.mark.parametrize("music", MUSIC)
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_mode_and_key_are_found_in_every_key(music, mode):
    """All twelve keys; with drums, eleven of them."""
    keys, modes = [], []
    for tonic in range(12):
        chroma = tonal.chroma(MUSIC[music](tonic, mode)).sum(0)
        profiles = tonal.key_profiles()
        keys.append(np.corrcoef(chroma, profiles)[0, 1:].argmax() == tonic + 12 * (mode == "minor"))
        found = tonal.mode_and_clarity(chroma[None])[0][0]
        modes.append((found > 0) == (mode == "major"))
    least = 11 if music == "drums" else 12
    assert sum(keys) >= least
    assert sum(modes) >= least


def test_transposing_moves_the_chroma_and_nothing_else():
    low, high = tonal.tonal(cadence(0, "minor")), tonal.tonal(cadence(5, "minor"))
    assert np.allclose(low, high, atol=0.12)


def test_windows_are_the_sums_that_a_loop_takes():
    song = np.concatenate([cadence(tonic, "major") for tonic in (0, 6, 2, 9, 4, 11, 7)])
    features, frames = tonal.tonal(song), tonal.chroma(song)
    centres = np.arange(len(frames)) * tonal.HOP / tonal.RATE
    tonnetz = librosa.feature.tonnetz(chroma=frames.T)
    moved = np.r_[0, np.linalg.norm(np.diff(tonnetz), axis=0)]
    profiles = tonal.key_profiles()
    for time, row in features.iloc[[0, 7, 33, 40]].iterrows():
        near = (centres >= time) & (centres < time + 1)
        far = (centres >= time - 15) & (centres < time + 1)
        for suffix, rows in (("", near), ("_long", far)):
            r = np.corrcoef(frames[rows].sum(0), profiles)[0, 1:]
            assert row["key_clarity" + suffix] == pytest.approx(r.max())
            assert row["mode" + suffix] == pytest.approx(r[:12].max() - r[12:].max())
        shares = frames[near].sum(0) / frames[near].sum()
        assert row["tonal_entropy"] == pytest.approx(-(shares @ np.log(shares)) / np.log(12))
        assert row["harmonic_change"] == pytest.approx(moved[near].mean())


def test_a_row_does_not_depend_on_what_follows():
    """But for the tuning and the filters' own length, 1.6 s."""
    song = cadence(0, "major")
    longer = np.concatenate([song, np.zeros(3 * SAMPLE_RATE), cadence(6, "minor")])
    some = tonal.tonal(longer).loc[:2.0]
    assert np.allclose(some, tonal.tonal(song).loc[:2.0], atol=0.02)


@pytest.mark.parametrize("seconds", [0.06, 0.7, 3.0])
def test_silence_has_no_key(seconds):
    features = tonal.tonal(np.zeros(int(seconds * SAMPLE_RATE) + 1))
    assert np.allclose(features, [0, 0, 0, 0, 0, 1], atol=1e-12)


def test_noise_has_no_key_and_the_largest_entropy():
    noise = np.random.default_rng(0).normal(scale=0.1, size=20 * SAMPLE_RATE)
    rest = tonal.tonal(noise).iloc[-1]
    assert abs(rest["mode_long"]) < 0.1
    assert rest["key_clarity_long"] < 0.15
    assert rest["tonal_entropy"] > 0.99


@pytest.mark.parametrize("gain", [1e-3, 3.0])
def test_loudness_does_not_matter(gain):
    song = cadence(2, "minor")
    assert np.allclose(tonal.tonal(song), tonal.tonal(gain * song), atol=1e-3)

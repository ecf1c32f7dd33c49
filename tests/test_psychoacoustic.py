"""Munich's four against their formulas, the published curves and rendered sounds and clicks."""

import math

import numpy as np
import pytest

from mer_core.features import psychoacoustic as module
from mer_core.features.audio import SAMPLE_RATE as RATE
from mer_core.features.grid import grid
from mer_core.features.psychoacoustic import dissonance_of, psychoacoustic, roughness_of

HARMONICS = np.arange(1, 7)
FADING = 0.88**HARMONICS
SEMITONE = 2 ** (1 / 12)
MEASURES = pytest.mark.parametrize("measure", [dissonance_of, roughness_of])


def tones(frequencies, amplitudes=0.3, *, seconds: float = 1.5) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, len(frequencies))
    waves = np.sin(2 * np.pi * np.outer(time, frequencies) + phases)
    return (waves * amplitudes).sum(axis=1).astype(np.float32)


def clicks(times, *, seconds: float, noise: float = 0.0) -> np.ndarray:
    """Decaying 5 ms bursts of 1 kHz."""
    samples = np.random.default_rng(0).normal(0, noise, round(seconds * RATE) + 220)
    ticks = np.arange(220)
    click = 0.8 * np.sin(2 * np.pi * 1000 * ticks / RATE) * np.exp(-ticks / 80)
    for start in np.round(np.asarray(times) * RATE).astype(int):
        samples[start : start + 220] += click
    return samples[:-220].astype(np.float32)


def harmonic_dyad(interval: float, base: float = 261.63) -> tuple[np.ndarray, np.ndarray]:
    partials = base * HARMONICS
    return np.r_[partials, interval * partials], np.r_[FADING, FADING]


# --- formulas ------------------------------------------------------------------------------------


def beating(low: float, high: float) -> float:
    scaled = 0.24 / (0.0207 * low + 18.96) * (high - low)
    return math.exp(-3.5 * scaled) - math.exp(-5.75 * scaled)


def test_both_formulas_equal_a_double_loop():
    rng = np.random.default_rng(0)
    frequencies, amplitudes = rng.uniform(50, 3000, 12), rng.uniform(0.01, 1, 12)
    dissonance = roughness = 0.0
    for i, (f, a) in enumerate(zip(frequencies, amplitudes)):
        for g, b in list(zip(frequencies, amplitudes))[:i]:
            z = beating(min(f, g), max(f, g))
            dissonance += a * b * z
            roughness += (a * b) ** 0.1 * 0.5 * (2 * min(a, b) / (a + b)) ** 3.11 * z
    assert dissonance_of(frequencies, amplitudes) == pytest.approx(dissonance)
    assert roughness_of(frequencies, amplitudes) == pytest.approx(roughness)


@MEASURES
def test_unison_single_and_absent_partials_are_zero(measure):
    assert measure([440, 440], [1, 0.5]) == 0
    assert measure([440], [1]) == 0
    assert measure([], []) == 0
    assert measure([440, 450, 460], [0, 0, 1]) == 0


@MEASURES
def test_order_of_the_partials_does_not_matter(measure):
    frequencies, amplitudes = harmonic_dyad(1.2)
    backwards = measure(frequencies[::-1], amplitudes[::-1])
    assert backwards == pytest.approx(measure(frequencies, amplitudes))


def test_how_loudness_counts():
    frequencies, amplitudes = harmonic_dyad(1.2)
    ratio = dissonance_of(frequencies, 3 * amplitudes) / dissonance_of(frequencies, amplitudes)
    assert ratio == pytest.approx(3**2)
    ratio = roughness_of(frequencies, 3 * amplitudes) / roughness_of(frequencies, amplitudes)
    assert ratio == pytest.approx(3**0.2)


# --- published curves ----------------------------------------------------------------------------


@MEASURES
@pytest.mark.parametrize("low", [250, 500, 1000, 2000])
def test_two_pure_tones_are_worst_near_a_quarter_of_the_critical_band(measure, low):
    """Plomp and Levelt (1965); critical bandwidth after Zwicker and Terhardt (1980)."""
    critical_band = 25 + 75 * (1 + 1.4 * (low / 1000) ** 2) ** 0.69
    distances = np.arange(0, 2 * critical_band, 0.25)
    curve = np.array([measure([low, low + distance], [1, 1]) for distance in distances])
    worst = distances[curve.argmax()] / critical_band
    assert 0.15 < worst < 0.35
    assert curve[0] == 0
    assert (np.diff(curve[: curve.argmax() + 1]) > 0).all()
    assert (np.diff(curve[curve.argmax() :]) < 0).all()
    assert curve[-1] < 0.1 * curve.max()


@MEASURES
@pytest.mark.parametrize("base", [261.63, 440.0, 500.0])
def test_harmonic_tones_have_their_minima_at_simple_ratios(measure, base):
    """Sethares (1993): six partials, amplitudes falling by 0.88."""
    cents = np.arange(20, 1300)
    curve = np.array([measure(*harmonic_dyad(2 ** (c / 1200), base)) for c in cents])
    minima = cents[1:-1][(curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:])]
    for ratio in (2 / 1, 3 / 2, 4 / 3, 5 / 3, 5 / 4):
        assert np.abs(minima - 1200 * np.log2(ratio)).min() <= 2


@MEASURES
def test_order_of_intervals(measure):
    names = ("minor second", "major second", "major third", "fourth", "fifth", "octave")
    steps = (1, 2, 4, 5, 7, 12)
    values = [measure(*harmonic_dyad(SEMITONE**step)) for step in steps]
    assert values == sorted(values, reverse=True), dict(zip(names, values))
    assert measure(*harmonic_dyad(SEMITONE**6)) > measure(*harmonic_dyad(SEMITONE**7))


# --- from audio ----------------------------------------------------------------------------------


def test_spectral_peaks_find_partials():
    frequencies, amplitudes = np.array([220.0, 331.3, 1234.5]), np.array([0.5, 0.02, 0.2])
    found, heights = module.spectral_peaks(tones(frequencies, amplitudes, seconds=0.2)[None])
    order = found[0].argsort()
    assert found[0][order] == pytest.approx(frequencies, abs=0.3)
    assert heights[0][order] == pytest.approx(amplitudes, rel=0.01)


@pytest.mark.parametrize("column", ["sensory_dissonance", "roughness"])
@pytest.mark.parametrize("low", [220, 440, 880])
def test_a_semitone_of_sines_is_rougher_than_fifth_octave_and_one_tone(column, low):
    pairs = [[low, low * interval] for interval in (SEMITONE, 1.5, 2)]
    semitone, fifth, octave, alone = (
        psychoacoustic(tones(pitches))[column].iloc[0] for pitches in (*pairs, [low])
    )
    assert semitone > 8 * fifth  # the formulas' own ratio is 8.9 at 220 Hz
    assert semitone > 20 * octave
    assert alone < 1e-3 * semitone


@pytest.mark.parametrize("interval", [SEMITONE, 9 / 8, 45 / 32, 7 / 4])
def test_a_rendered_dyad_agrees_with_the_formulas(interval):
    """Intervals none of whose partials fall together: those are one peak, but two partials."""
    frequencies, amplitudes = harmonic_dyad(interval, 220)
    row = psychoacoustic(tones(frequencies, 0.1 * amplitudes)).iloc[0]
    expected = [f(frequencies, 0.1 * amplitudes) for f in (dissonance_of, roughness_of)]
    assert row[["sensory_dissonance", "roughness"]].tolist() == pytest.approx(expected, rel=0.03)


def test_a_gain_counts_as_in_the_formulas():
    frequencies, amplitudes = harmonic_dyad(SEMITONE, 220)
    loud = tones(frequencies, 0.1 * amplitudes)
    ratio = psychoacoustic(loud).iloc[0] / psychoacoustic(loud / 4).iloc[0]
    assert ratio["sensory_dissonance"] == pytest.approx(16, rel=1e-3)
    assert ratio["roughness"] == pytest.approx(4**0.2, rel=1e-3)


# --- tempo ---------------------------------------------------------------------------------------

TEMPI = (50, 60, 66, 75, 90, 100, 110, 120, 128, 140, 155, 160, 175, 180, 190, 200)


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("tempo", TEMPI)
def test_tempo_of_clicks_within_two_percent(tempo, noise):
    track = clicks(np.arange(0.13, 14.9, 60 / tempo), seconds=15, noise=noise)
    estimates = psychoacoustic(track)["tempo"]
    assert estimates.to_numpy() == pytest.approx(np.full(30, tempo), rel=0.02)


@pytest.mark.parametrize("tempo", [60, 90, 120])
def test_weak_off_beats_do_not_double_the_tempo(tempo):
    beats = np.arange(0.1, 14.8, 60 / tempo)
    track = clicks(beats, seconds=15) + 0.01 * clicks(beats + 30 / tempo, seconds=16)[: 15 * RATE]
    assert psychoacoustic(track)["tempo"].to_numpy() == pytest.approx(np.full(30, tempo), rel=0.02)


def test_tempo_follows_a_change():
    track = np.concatenate([clicks(np.arange(0, 20, step), seconds=20) for step in (0.6, 0.4)])
    tempo = psychoacoustic(track)["tempo"]
    assert tempo.loc[:14].to_numpy() == pytest.approx(100, rel=0.02)
    assert tempo.loc[25:].to_numpy() == pytest.approx(150, rel=0.02)


def test_tempo_without_a_beat_is_zero():
    assert (psychoacoustic(tones([440], seconds=3))["tempo"] == 0).all()
    assert (psychoacoustic(clicks([1.2], seconds=3))["tempo"] == 0).all()


# --- event density -------------------------------------------------------------------------------


def expected_density(times, seconds: float, window: float) -> np.ndarray:
    starts = np.round(grid(seconds) * RATE).astype(int)
    ends = np.minimum(starts + round(window * RATE), round(seconds * RATE))
    onsets = np.round(np.asarray(times) * RATE).astype(int)
    inside = (onsets >= starts[:, None]) & (onsets < ends[:, None])
    return inside.sum(axis=1) / ((ends - starts) / RATE)


@pytest.mark.parametrize("noise", [0.0, 1e-4])
@pytest.mark.parametrize("window", [1.0, 0.5])
@pytest.mark.parametrize(
    "times",
    [
        np.arange(0, 5.9, 0.5),  # each on a border
        np.arange(0, 5.9, 0.125),
        np.arange(0, 5.9, 0.1),
        np.arange(0.03, 5.9, 0.33),
        np.array([0.2, 0.9, 0.96, 1.5, 1.72, 3.0, 4.99]),
    ],
)
def test_event_density_is_exact_on_clicks(times, window, noise):
    found = psychoacoustic(clicks(times, seconds=6.2, noise=noise), window=window)["event_density"]
    assert found.to_numpy() == pytest.approx(expected_density(times, 6.2, window))


def test_soft_clicks_count_over_a_loud_tone():
    times = np.arange(0.5, 5.9, 0.25)
    track = tones([330], 0.3, seconds=6.2) + 0.1 * clicks(times, seconds=6.2)
    found = psychoacoustic(track)["event_density"]
    assert found.to_numpy() == pytest.approx(expected_density([0, *times], 6.2, 1.0))


def test_event_density_of_single_samples_on_borders():
    track = np.zeros(4 * RATE, dtype=np.float32)
    track[:: RATE // 2] = 1
    density = psychoacoustic(track)["event_density"]
    assert density.to_numpy() == pytest.approx(np.full(8, 2.0))


def test_a_steady_tone_has_one_onset_and_its_cut_none():
    density = psychoacoustic(tones([440], seconds=3.3))["event_density"]
    assert density.tolist() == [1, 0, 0, 0, 0, 0, 0]


def test_values_are_the_same_in_pieces_of_any_size(monkeypatch):
    track = clicks(np.arange(0, 9, 0.3), seconds=9, noise=0.01)
    whole = psychoacoustic(track)
    for name, size in (("FRAMES_AT_ONCE", 7), ("ENVELOPE_AT_ONCE", 57), ("ROWS_AT_ONCE", 4)):
        monkeypatch.setattr(module, name, size)
        assert psychoacoustic(track).to_numpy() == pytest.approx(whole.to_numpy(), rel=1e-5)


# --- any audio -----------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1.0, 0.5])
@pytest.mark.parametrize(
    "seconds", [0.06, 0.1, 0.3, 0.57, 0.69, 1.25, 1.505, 1.515, 1.525, 3.62, 12.4]
)
def test_grid_columns_and_finite_values_at_any_length(seconds, window):
    noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)
    table = psychoacoustic(noise, window=window)
    assert list(table) == ["sensory_dissonance", "roughness", "tempo", "event_density"]
    assert table.index.name == "time"
    assert table.index.to_numpy() == pytest.approx(grid(len(noise) / RATE))
    assert (table.dtypes == np.float64).all()
    assert np.isfinite(table.to_numpy()).all()
    assert (table.to_numpy() >= 0).all()
    assert table["tempo"].between(39.8, 210.6).to_numpy()[table["tempo"] > 0].all()


@pytest.mark.parametrize("seconds", [0.06, 0.3, 3.0])
def test_silence_is_zero(seconds):
    table = psychoacoustic(np.zeros(round(seconds * RATE), dtype=np.float32))
    assert (table == 0).all(axis=None)


def test_a_row_describes_its_own_window():
    rough = tones([440, 440 * SEMITONE], seconds=2)
    table = psychoacoustic(np.r_[np.zeros(2 * RATE, dtype=np.float32), rough])
    assert (table.loc[:1.0].drop(columns="tempo") == 0).all(axis=None)
    assert (table.loc[1.5:, "roughness"] > 0.01).all()
    assert table.loc[2.0, "roughness"] == pytest.approx(table.loc[2.5, "roughness"], rel=0.05)
    half = psychoacoustic(np.r_[np.zeros(2 * RATE, dtype=np.float32), rough], window=0.5)
    assert half.loc[1.5, "roughness"] == 0


def test_the_last_row_describes_what_is_left():
    whole = tones([440, 440 * SEMITONE], seconds=1.57)
    assert psychoacoustic(whole)["roughness"].iloc[-1] > 0
    assert len(psychoacoustic(whole)) == 4

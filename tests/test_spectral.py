"""IRIT's eight against Essentia, frame by frame, and against what noise and tones must give."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import freqz, gammatone

from conftest import SHARED
from mer_core.features import read_audio
from mer_core.features.spectral import (
    FRAME,
    HOP,
    NAMES,
    SILENCE,
    erb_centres,
    erb_filters,
    flatness_db,
    frames,
    spectral,
    valley_edges,
)

RATE = 44_100
REAL = [
    *(f"audio/{name}.ogg" for name in ("hungarian_dance_5", "sugar_plum_fairy", "vibe_ace")),
    *(f"deam/MEMD_audio/{name}.mp3" for name in (2, 3, 4, 5, 7, 8)),
]


def noise(seconds: float, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def tone(seconds: float, *, pitch: float = 1000) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


# --- Essentia ------------------------------------------------------------------------------------


def by_essentia(samples: np.ndarray) -> np.ndarray:
    """The eight of each frame, shape (frames, 8), by Essentia's own algorithms."""
    pytest.importorskip("essentia", reason="the oracle is installed where there is a wheel of it")
    import essentia
    import essentia.standard as algorithms

    essentia.log.infoActive = False
    window = algorithms.Windowing(type="blackmanharris62", zeroPhase=False)
    spectrum, flatness = algorithms.Spectrum(size=FRAME), algorithms.FlatnessDB()
    bark, erb = algorithms.BarkBands(numberBands=25), algorithms.ERBBands()
    contrast = algorithms.SpectralContrast(sampleRate=RATE, frameSize=FRAME)
    rows = []
    for first in range(0, len(samples) - FRAME + 1, HOP):
        magnitude = spectrum(window(samples[first : first + FRAME]))
        valley = contrast(magnitude)[1]
        rows.append([flatness(bark(magnitude)), flatness(erb(magnitude)), *valley])
    return np.array(rows)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.filterwarnings("ignore::mer_core.files.DataWarning")
def test_real_music_frame_by_frame_against_essentia(name):
    if not (SHARED / name).is_file():
        pytest.skip(f"needs {Path('..') / 'shared' / name}, which is not part of the repository")
    samples = read_audio(SHARED / name)[: 45 * RATE]
    theirs, ours = by_essentia(samples), frames(samples)
    assert ours.shape == theirs.shape
    for column, feature in enumerate(NAMES):
        assert np.corrcoef(ours[:, column], theirs[:, column])[0, 1] > 0.999, feature
    assert np.abs(ours - theirs)[:, :2].max() < 1e-4
    assert np.median(np.abs(ours - theirs)[:, 2:]) < 1e-4


@pytest.mark.parametrize("samples", [noise(0.5), tone(0.5), np.zeros(RATE, dtype=np.float32)])
def test_noise_a_tone_and_silence_against_essentia(samples):
    assert frames(samples) == pytest.approx(by_essentia(samples), abs=2e-3)


def test_essentias_erb_filters_are_gammatones_with_the_pole_twice_for_its_conjugate():
    """Our filters times |u - p|^4 / |u - p*|^4 must be SciPy's gammatone filters."""
    unit = np.exp(1j * np.linspace(0, np.pi, FRAME // 2 + 1))
    for band in (15, 25, 39):  # SciPy's polynomials lose their digits in the lowest bands
        centre = erb_centres()[band]
        width = 1.019 * (centre / 9.26449 + 24.7)
        pole = np.exp(2 * np.pi * (-width + 1j * centre) / RATE)
        ratio = (np.abs(unit - pole) / np.abs(unit - pole.conj())) ** 4
        true = np.abs(freqz(*gammatone(centre, "iir", fs=RATE), worN=np.angle(unit))[1])
        assert erb_filters()[band] * ratio == pytest.approx(true, rel=1e-3, abs=1e-6)


# --- definitions ---------------------------------------------------------------------------------


def test_flatness_of_band_vectors():
    assert flatness_db(np.full(25, 3.7)) == pytest.approx(0, abs=1e-12)
    assert flatness_db(np.zeros(25)) == 1
    assert flatness_db(np.r_[np.ones(24), 0]) == 1
    assert flatness_db(np.r_[1.0, np.full(24, 1e-30)]) == 1
    geometric, arithmetic = np.sqrt(4 * 1), (4 + 1) / 2
    expected = -10 * np.log10(geometric / arithmetic) / 60
    assert flatness_db(np.array([4.0, 1.0])) == pytest.approx(expected)


def test_valley_edges_are_those_of_akkermans():
    assert valley_edges().tolist() == [1, 16, 33, 59, 108, 221, 512]


def test_a_tone_is_far_from_flat_and_noise_is_near():
    of_tone, of_noise = spectral(tone(2)).mean(), spectral(noise(2)).mean()
    for name in NAMES[:2]:
        assert of_noise[name] < 0.15
        assert of_tone[name] > 0.6


def test_noise_between_the_partials_fills_the_valley_of_its_own_band():
    partials = sum(tone(1, pitch=pitch) for pitch in (200, 500, 1000, 1800, 3500, 8000)) / 6
    spectrum = np.fft.rfft(noise(1))
    frequency = np.fft.rfftfreq(RATE, 1 / RATE)
    hiss = np.fft.irfft(spectrum * ((frequency > 5000) & (frequency < 10_900)))
    rise = (spectral(partials + 0.1 * hiss) - spectral(partials)).iloc[0, 2:]
    assert rise["spectral_valley_6"] > 1
    assert rise[:4].abs().max() < 0.3


def test_gain_moves_valleys_by_its_logarithm_and_flatness_not_at_all():
    loud, soft = spectral(noise(1)), spectral(noise(1) / np.float32(100))
    assert soft.iloc[:, :2].to_numpy() == pytest.approx(loud.iloc[:, :2].to_numpy(), abs=1e-6)
    assert (loud - soft).iloc[:, 2:].to_numpy() == pytest.approx(np.log(100), abs=1e-4)


# --- the grid ------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1.0, 0.5, 0.01])
def test_a_row_is_the_mean_of_the_frames_that_start_in_its_window(window):
    samples = noise(3.2)
    table, values = spectral(samples, window=window), frames(samples)
    assert tuple(table) == NAMES
    assert table.index.name == "time"
    assert table.index.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    begin = np.arange(len(values)) * HOP / RATE
    for time in (0.0, 1.5, 3.0):
        inside = (begin >= time) & (begin < time + window)
        inside |= begin == begin[begin >= time][0]
        assert table.loc[time].to_numpy() == pytest.approx(values[inside].mean(axis=0))


@pytest.mark.parametrize(
    ("seconds", "rows"), [(0.06, 1), (0.3, 1), (0.55, 1), (0.561, 2), (1.0601, 3), (25.07, 51)]
)
def test_every_row_has_a_frame_however_short_the_audio(seconds, rows):
    table = spectral(noise(seconds))
    assert table.shape == (rows, 8)
    assert (table.dtypes == np.float64).all()
    assert np.isfinite(table.to_numpy()).all()


def test_silence_is_finite_and_a_silent_frame_does_not_outweigh_the_music():
    silent = spectral(np.zeros(RATE))
    assert (silent.iloc[:, :2] == 1).all(axis=None)
    assert silent.iloc[:, 2:].to_numpy() == pytest.approx(SILENCE)
    samples = noise(1)
    samples[:FRAME] = 0
    moved = spectral(samples).iloc[0, 2:] - spectral(noise(1)).iloc[0, 2:]
    assert moved.abs().max() < 0.7


def test_chunks_leave_no_seam():
    samples = noise(60)
    middle = 2047 * HOP
    assert frames(samples)[2047:2050] == pytest.approx(
        frames(samples[middle : middle + 4096]), abs=1e-6
    )

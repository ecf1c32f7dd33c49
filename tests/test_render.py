"""Tone, level and length of rendered songs; FluidSynth's part is in test_vgmidi.py."""

import numpy as np
import pytest

from mer_core.render import PEAK, SAMPLE_RATE, Mix, cut, even_out, shelve


def sine(hertz: float, *, amplitude: float = 0.01, seconds: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE)


def decibels(sound: np.ndarray) -> float:
    return 10 * np.log10(np.mean(sound**2))


@pytest.mark.parametrize(
    ("hertz", "expected"), [(40, (6, 0)), (12_000, (0, 6))], ids=["low", "high"]
)
def test_the_mix_changes_the_tone_below_250_hz_and_above_3_khz(hertz, expected):
    sound = sine(hertz)
    for mix, gain in zip((Mix(low=6), Mix(high=6)), expected):
        assert decibels(shelve(sound, mix)) - decibels(sound) == pytest.approx(gain, abs=0.6)
    assert np.array_equal(shelve(sound, Mix()), sound)


def test_the_level_goes_a_part_of_the_way():
    sound = sine(440)  # 43 dB below full scale; with a gain of 13 dB, 8 dB below the mix's level
    evened = decibels(even_out(sound, Mix(level=-22, gain=13, evened=0.5)))
    assert evened == pytest.approx(decibels(sound) + 13 + 4, abs=0.1)


def test_peaks_bend_below_the_limit_and_keep_their_sign():
    sound = sine(440, amplitude=0.9)
    bent = even_out(sound, Mix(level=0, evened=0.0))
    assert np.abs(bent).max() <= PEAK
    assert np.array_equal(np.sign(bent), np.sign(sound))


@pytest.mark.parametrize(("whole", "fade"), [(True, 0.5), (False, 0.02)])
def test_a_cut_song_has_its_length_and_fades_out(whole, fade):
    song = cut(np.ones(2 * SAMPLE_RATE), 1.5, whole=whole)
    before = len(song) - round(fade * SAMPLE_RATE)
    assert len(song) == 1.5 * SAMPLE_RATE
    assert (song[: before + 1] == 1).all()
    assert (np.diff(song[before:]) < 0).all()
    assert song[-1] == 0


def test_a_short_song_is_padded_with_silence():
    song = cut(np.ones(SAMPLE_RATE), 1.5, whole=True)
    assert len(song) == 1.5 * SAMPLE_RATE
    assert not song[SAMPLE_RATE:].any()

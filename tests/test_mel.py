"""Log-mel half-seconds against librosa, and where in time each stands."""

import librosa
import numpy as np
import pandas as pd
import pytest

from mer_core.features.mel import (
    BANDS,
    FFT,
    FLOOR,
    FRAMES,
    FULL_SCALE,
    HOP,
    LEAD,
    RATE,
    SPECTROGRAM,
    mel,
    patches,
)


def tone(seconds: float, *, pitch: float = 1000) -> np.ndarray:
    return np.sin(2 * np.pi * pitch * np.arange(round(seconds * 44_100)) / 44_100)


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * 44_100)).astype(np.float32)


def spectrogram(table: pd.DataFrame) -> np.ndarray:
    return np.concatenate(list(patches(table)), axis=1)


def test_shape_names_and_type():
    table = mel(noise(2.2))
    assert table.shape == (5, 1024)
    assert table.index.tolist() == [0, 0.5, 1, 1.5, 2]
    assert table.index.name == "time"
    assert [*table][:17] == [*(f"mel_0_{frame}" for frame in range(16)), "mel_1_0"]
    assert table.columns[-1] == "mel_63_15"
    assert (table.dtypes == np.float32).all()


def test_rows_are_librosas_melspectrogram_of_the_song_cut_in_half_seconds():
    samples = noise(3)
    audio = librosa.resample(samples, orig_sr=44_100, target_sr=RATE)
    power = librosa.feature.melspectrogram(
        y=np.pad(audio, (LEAD, FFT)), sr=24_000, n_fft=2048, hop_length=750, n_mels=64,
        center=False, norm=None, window="hann", power=2.0, fmin=0.0, fmax=12_000.0,
    )  # fmt: skip
    expected = librosa.power_to_db(power / FULL_SCALE, top_db=80)
    ours = spectrogram(mel(samples))
    assert ours == pytest.approx(expected[:, : ours.shape[1]], abs=1e-3)


def test_chunks_leave_no_seam():
    samples = noise(64)
    part = mel(samples[59 * 44_100 :]).loc[0.5:1.5]  # around 60 s
    assert mel(samples).loc[59.5:60.5].to_numpy() == pytest.approx(part.to_numpy(), abs=0.02)


def test_a_click_stands_in_the_row_of_its_half_second_only():
    samples = np.zeros(3 * 44_100)
    samples[round(1.25 * 44_100)] = 1
    table = mel(samples)
    assert (table > FLOOR).any(axis=1).pipe(lambda rows: rows.index[rows].tolist()) == [1.0]
    loudness = patches(table)[2].mean(axis=0)
    middles = 1.0 + (np.arange(FRAMES) + 0.5) * HOP / RATE
    assert middles @ (loudness - FLOOR) / (loudness - FLOOR).sum() == pytest.approx(1.25, abs=0.001)


def test_decibels_are_relative_to_a_full_scale_sine_and_end_at_the_floor():
    spectrum = spectrogram(mel(tone(2)))[:, 2:-2]
    assert 10 * np.log10((10 ** (spectrum / 10)).sum(axis=0)) == pytest.approx(0, abs=0.05)
    softer = spectrogram(mel(tone(2) / 10))[:, 2:-2]
    assert spectrum.max() - softer.max() == pytest.approx(20, abs=0.01)
    assert spectrum.min() == FLOOR
    assert spectrogram(mel(np.sign(tone(2)))).max() < 3


def test_silence_is_the_floor():
    assert (mel(np.zeros(44_100)) == FLOOR).all(axis=None)


@pytest.mark.parametrize(("seconds", "rows"), [(0.06, 1), (0.3, 1), (0.55, 1), (0.561, 2)])
def test_short_audio_is_filled_with_silence(seconds, rows):
    table = mel(noise(seconds))
    assert len(table) == rows
    assert np.isfinite(table.to_numpy()).all()
    sound = (patches(table) > FLOOR).any(axis=1).ravel()
    assert sound.sum() == pytest.approx(min(seconds * 32, len(sound)), abs=1.5)


def test_patches_and_back():
    table = mel(noise(2.2))
    pictures = patches(table)
    assert pictures.shape == (5, BANDS, FRAMES)
    assert pictures[3, 40, 7] == table.loc[1.5, "mel_40_7"]
    again = pd.DataFrame(pictures.reshape(5, -1), index=table.index, columns=table.columns)
    pd.testing.assert_frame_equal(again, table)
    with_others = pd.concat([table[[]].assign(tempo=120.0), table], axis=1)
    assert (patches(with_others) == pictures).all()


def test_griffin_lim_gives_the_tone_back_at_its_place():
    samples = np.where(np.arange(44_100) < 22_050, 0, tone(1, pitch=440))
    power = FULL_SCALE * 10 ** (spectrogram(mel(samples)) / 10)
    audio = librosa.feature.inverse.mel_to_audio(power, n_iter=4, **SPECTROGRAM)[LEAD:-LEAD]
    assert len(audio) == RATE
    first, second = audio[:11_500], audio[12_500:]
    pitch = np.abs(np.fft.rfft(second)).argmax() * RATE / len(second)
    assert pitch == pytest.approx(440, abs=50)  # a mel band
    assert first.std() < 0.3 * second.std()

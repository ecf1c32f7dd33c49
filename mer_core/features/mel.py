"""Log-mel patches of half a second, the autoencoders' input."""

import numpy as np
import pandas as pd

from mer_core.features.audio import SAMPLE_RATE
from mer_core.features.grid import grid
from mer_core.features.librosa_loader import load_librosa

BANDS = 64  # Mel bands, from 0 to 12 kHz
FRAMES = 16  # Frames of a patch, half a second
RATE = 24_000  # Hz. Audio is resampled to it, so that half a second is a whole number of hops
HOP = 750  # Samples at RATE between two frames, 31 ms
FFT = 2048  # Samples at RATE of a frame's Hann window, 85 ms
FLOOR = -80.0  # dB re a full-scale sine. Lower levels are set to it
SPECTROGRAM = {"sr": RATE, "n_fft": FFT, "hop_length": HOP, "center": False, "norm": None}
"""Options of librosa's `melspectrogram` and `mel_to_audio`."""
LEAD = (FFT - HOP) // 2  # Samples at RATE by which the first frame starts before the audio
FULL_SCALE = 3 * FFT**2 / 32
"""Power of a sine of amplitude 1 in librosa's spectrogram, all bins together."""
_ROWS_AT_ONCE = 120


def mel(samples: np.ndarray) -> pd.DataFrame:
    r"""Log-mel spectrogram of the half second that starts at each time of the grid.

    .. math:: L = 10 \log_{10} \max(10^{-8}, M P / P_0)

    with P the power spectrogram, M triangular filters of height 1 whose sum is 1, evenly spaced on
    Slaney's mel scale, and :math:`P_0` the power of a full-scale sine. A half second has 16 cells
    of 31 ms, and a frame in the middle of each that reaches 27 ms beyond its borders. Consecutive
    rows are thus the spectrogram of the song, without seams; zeros are appended at the end.

    Columns (:class:`mer_core.features.sets.FeatureSet`): 1,024 in float32, `mel_<band>_<frame>`,
    both from 0, the frame running fastest: dB re a full-scale sine, from -80 to about 3.
    Source: Herremans et al. (2019); Slaney (1998), "Auditory Toolbox"; McFee et al. (2015),
    "librosa". Notebooks 01 and 07.

    Notes
    -----
    To invert, concatenate the frames of :func:`patches` to one spectrogram (bands, frames), call
    ``librosa.feature.inverse.mel_to_audio(FULL_SCALE * 10 ** (decibel / 10), **SPECTROGRAM)``
    (Griffin-Lim, slow), and cut :data:`LEAD` samples off both ends: 0.5 s for each row.
    """
    librosa = load_librosa()

    times = grid(len(samples) / SAMPLE_RATE)
    samples = samples.astype(np.float32, copy=False)
    audio = librosa.resample(samples, orig_sr=SAMPLE_RATE, target_sr=RATE)
    starts = range(0, len(times), _ROWS_AT_ONCE)
    parts = [_decibel(audio, k, min(k + _ROWS_AT_ONCE, len(times))) for k in starts]
    columns = [f"mel_{band}_{frame}" for band in range(BANDS) for frame in range(FRAMES)]
    index = pd.Index(times, name="time")
    return pd.DataFrame(np.concatenate(parts), index=index, columns=columns)


def patches(track: pd.DataFrame) -> np.ndarray:
    """Mel features in a track as pictures in dB, shape (rows, 64, 16): bands, then frames."""
    columns = track.columns[track.columns.str.fullmatch(r"mel_\d+_\d+")]
    return track[columns].to_numpy().reshape(len(track), BANDS, FRAMES)


def _decibel(audio: np.ndarray, first: int, last: int) -> np.ndarray:
    librosa = load_librosa()

    start = first * FRAMES * HOP - LEAD
    stop = start + (last * FRAMES - first * FRAMES - 1) * HOP + FFT
    piece = np.pad(audio[max(start, 0) : stop], (max(-start, 0), max(stop - len(audio), 0)))
    power = librosa.feature.melspectrogram(y=piece, n_mels=BANDS, **SPECTROGRAM) / FULL_SCALE
    decibel = np.maximum(librosa.power_to_db(power, top_db=None), FLOOR)
    pictures = decibel.reshape(BANDS, last - first, FRAMES).swapaxes(0, 1)
    return pictures.reshape(last - first, -1).astype(np.float32)

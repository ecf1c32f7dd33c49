"""Log-mel half-seconds, the autoencoders' input: what the ear hears, as a small picture."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mer_core.features.audio import SAMPLE_RATE
from mer_core.features.grid import grid
from mer_core.features.librosa_loader import load_librosa

BANDS = 64
"""Mel bands, from 0 to 12 kHz."""

FRAMES = 16
"""Frames of a patch, a half second."""

RATE = 24_000
"""Hz. Audio is brought to it, so that a half second has a whole number of hops."""

HOP = 750
"""Samples at :data:`RATE` between two frames, 31 ms."""

FFT = 2048
"""Samples at :data:`RATE` of a frame's Hann window, 85 ms."""

FLOOR = -80.0
"""dB re a full-scale sine. Everything softer counts as this."""

SPECTROGRAM = {"sr": RATE, "n_fft": FFT, "hop_length": HOP, "center": False, "norm": None}
"""What librosa's `melspectrogram` and `mel_to_audio` must both be told."""

LEAD = (FFT - HOP) // 2
"""Samples at :data:`RATE` by which the first frame starts before the audio."""

FULL_SCALE = 3 * FFT**2 / 32
"""Power of a sine of amplitude 1 in librosa's spectrogram, all bins together."""

_ROWS_AT_ONCE = 120


def mel(samples: np.ndarray) -> pd.DataFrame:
    r"""Log-mel spectrogram of the half second that starts at each time of the grid.

    .. math:: L = 10 \log_{10} \max(10^{-8}, M P / P_0)

    with P the power spectrogram, M triangular filters of height 1 whose sum is 1, evenly spaced on
    Slaney's mel scale, and :math:`P_0` the power of a full-scale sine. The half second is cut into
    16 cells of 31 ms, with a frame in the middle of each: frames reach 27 ms over its borders. So
    rows one after the other are the song's own spectrogram, without seams; zeros fill up the end.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        One channel at 44.1 kHz, at least 60 ms.

    Returns
    -------
    DataFrame, shape (rows, 1024)
        Index `time` in s. Columns `mel_<band>_<frame>`, both from 0, the frame running fastest, in
        float32: dB re a full-scale sine, from -80 to about 3.

    See Also
    --------
    patches : the same as pictures.

    Notes
    -----
    To hear a patch or a song, join the frames to one spectrogram (bands, frames) and give it to
    ``librosa.feature.inverse.mel_to_audio(FULL_SCALE * 10 ** (decibel / 10), **SPECTROGRAM)``
    (Griffin-Lim), then cut :data:`LEAD` samples off both ends: the audio, 0.5 s for each row. It
    solves for the power of all frequencies, which can take minutes for a few seconds of music;
    Notebook 07 spreads each band's power evenly over its frequencies instead, at once.

    References
    ----------
    Herremans et al. (2019), "Dynamic emotion prediction"; Slaney (1998), "Auditory Toolbox"; McFee
    et al. (2015), "librosa". Notebook 07; Notebook 01 shows it.
    """
    librosa = load_librosa()

    times = grid(len(samples) / SAMPLE_RATE)
    audio = librosa.resample(
        samples.astype(np.float32, copy=False), orig_sr=SAMPLE_RATE, target_sr=RATE
    )
    parts = [
        _decibel(audio, first, min(first + _ROWS_AT_ONCE, len(times)))
        for first in range(0, len(times), _ROWS_AT_ONCE)
    ]
    columns = [f"mel_{band}_{frame}" for band in range(BANDS) for frame in range(FRAMES)]
    index = pd.Index(times, name="time")
    return pd.DataFrame(np.concatenate(parts), index=index, columns=columns)


def patches(track: pd.DataFrame) -> np.ndarray:
    """Rows of mel features as pictures.

    Parameters
    ----------
    track : DataFrame
        Has the columns of :func:`mel`; others are left out.

    Returns
    -------
    ndarray, shape (rows, 64, 16)
        dB; band by band from low to high, frame by frame.

    References
    ----------
    Herremans et al. (2019). Notebook 07.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)
    >>> pictures = patches(mel(tone))
    >>> pictures.shape, int(pictures[0].mean(axis=1).argmax())
    ((2, 64, 16), 7)
    """
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

"""IRIT's eight extra features: flatness on Bark and ERB bands, and the spectral valley."""

from functools import cache

import numpy as np
import pandas as pd
import scipy

from mer_core.features.audio import SAMPLE_RATE
from mer_core.features.grid import grid

FRAME = 2048  # Samples of a spectral frame, 46 ms
HOP = 1024  # Samples between the starts of two frames, 23 ms
BARK_EDGES = (
    *(0, 50, 100, 150, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480),
    *(1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400, 7700, 9500, 12000),
)
"""Hz. Edges of the 25 Bark bands; the two lowest of Zwicker's bands are halved, as in Essentia."""
ERB_BANDS = 40
EAR_Q, MINIMUM_WIDTH = 9.26449, 24.7
"""Equivalent rectangular bandwidth of the ear's filter at f: f / EAR_Q + MINIMUM_WIDTH, in Hz."""
VALLEY_BANDS = 6
NEIGHBOURS = 0.4  # The valley of a sub-band is the mean of this share of its bins, the weakest ones
SILENCE = float(np.log(1e-8))  # Lowest valley in a row: -160 dB, below the noise of 24 bits
NAMES = (
    "flatness_db_bark",
    "flatness_db_erb",
    *(f"spectral_valley_{band}" for band in range(1, VALLEY_BANDS + 1)),
)
_FRAMES_AT_ONCE = 2048  # 48 s: an hour takes no more memory than a minute


def spectral(samples: np.ndarray, *, window: float = 1.0) -> pd.DataFrame:
    """Flatness on the Bark and ERB scales and the valley in six sub-bands, on the grid.

    The mean of :func:`frames` over those that start in the window. Valleys are first clipped at
    -18.4 (:data:`SILENCE`), so that a frame of digital silence does not dominate the mean.

    Columns (:class:`mer_core.features.sets.FeatureSet`): `flatness_db_bark`, `flatness_db_erb`, 0
    (flat, noise) to 1 (60 dB or more from flat, and silence); `spectral_valley_1` (20-340 Hz) to
    `_6` (4.8-11 kHz), ln of an amplitude whose full scale is 1, from -18.4 to about 0. IRIT used
    windows of 0.5 s.
    Source: Pellegrini and Barriere (2015), section 2, "268 feat."; Jiang et al. (2002); Akkermans,
    Serra and Herrera (2009). Notebook 01.
    """
    times = grid(len(samples) / SAMPLE_RATE)
    starts = np.ceil(times * SAMPLE_RATE / HOP).astype(int)
    values = frames(samples, at_least=starts[-1] + 1)
    values[:, 2:] = np.maximum(values[:, 2:], SILENCE)
    ends = np.ceil(np.round((times + window) * SAMPLE_RATE) / HOP).astype(int)
    means = [values[a : max(a + 1, b)].mean(axis=0) for a, b in zip(starts, ends)]
    return pd.DataFrame(means, index=pd.Index(times, name="time"), columns=list(NAMES))


def frames(samples: np.ndarray, *, at_least: int = 1) -> np.ndarray:
    """The eight features (:data:`NAMES`) of each spectral frame, as Essentia computes them.

    Frames of 2,048 samples every 1,024, the first at sample 0; Blackman-Harris window (three
    terms, 62 dB), scaled so that a sine of amplitude 1 has a peak of 1. Shape (frames, 8); zeros
    are appended if there are fewer than `at_least` frames. Valleys of digital silence are
    ln 1e-30 = -69.1. Bogdanov et al. (2013), "Essentia": the music extractor's low-level settings.
    """
    count = max(at_least, 1 + (len(samples) - FRAME) // HOP)
    parts = []
    for first in range(0, count, _FRAMES_AT_ONCE):
        magnitude = _spectrum(samples, first, min(first + _FRAMES_AT_ONCE, count))
        bands = np.square(magnitude) @ _bank().T
        bark, erb = np.split(bands, [len(BARK_EDGES) - 1], axis=1)
        parts.append(np.column_stack([flatness_db(bark), flatness_db(erb), valleys(magnitude)]))
    return np.concatenate(parts)


def flatness_db(bands: np.ndarray) -> np.ndarray:
    r"""Spectral flatness of band powers, in dB, as a share of 60 dB.

    .. math:: F = \min\left(1, -\frac{10}{60} \log_{10}
        \frac{(\prod_{k=1}^{K} b_k)^{1/K}}{\frac{1}{K} \sum_{k=1}^{K} b_k}\right)

    From powers (..., K), at least 0, in any unit, to values (...): 0 where all bands are equal; the
    more, the fewer bands have the power (a tone); 1 from 60 dB on, and where a band is empty. Note
    the direction: high is tonal. Peeters (2004), "A large set of audio features", section 6;
    Essentia's FlatnessDB. Notebook 01.
    """
    bands = np.asarray(bands, dtype=np.float64)
    full = bands.min(axis=-1, keepdims=True) > 0
    decibel = 10 * np.log10(np.where(full, bands, 1))
    arithmetic = 10 * np.log10(np.where(full, bands, 1).mean(axis=-1))
    share = (arithmetic - decibel.mean(axis=-1)) / 60
    return np.where(full[..., 0], np.clip(share, 0, 1), 1.0)


def valleys(magnitude: np.ndarray) -> np.ndarray:
    r"""Spectral valley: the level of the weakest bins of each of six sub-bands.

    .. math:: V_b = \ln\left(\frac{1}{\alpha N_b} \sum_{i=1}^{\alpha N_b} x_{b,i} + 10^{-30}\right)

    where :math:`x_{b,1} \le x_{b,2} \le \dots` are the sorted magnitudes of the :math:`N_b` bins of
    sub-band b and :math:`\alpha` = 0.4. High where noise fills the gaps between the partials. From
    an amplitude spectrum (..., 1025), full scale 1, to values (..., 6). Jiang et al. (2002), "Music
    type classification by spectral contrast feature", section 2. Notebook 01.
    """
    weakest = []
    for start, stop in zip(valley_edges()[:-1], valley_edges()[1:]):
        few = max(1, round(NEIGHBOURS * (stop - start)))
        ascending = np.partition(magnitude[..., start:stop], few - 1, axis=-1)
        weakest.append(ascending[..., :few].mean(axis=-1, dtype=np.float64))
    return np.log(np.stack(weakest, axis=-1) + 1e-30)


def valley_edges() -> np.ndarray:
    """First bins of the six sub-bands of the valley, and the bin after the last, shape (7,).

    From 20 Hz to 11 kHz: 15 % of the bins are divided evenly, 85 % in steps of one ratio (about
    2.8), since octaves would leave a bin or two to the lowest. Akkermans et al. (2009),
    "Shape-based spectral contrast descriptor", section 3; Essentia's SpectralContrast.
    """
    width, low, high, even = SAMPLE_RATE / FRAME, 20.0, 11_000.0, 0.15
    bins = round(high / width)
    top = round((1 - even) * bins) * width
    ratios = np.geomspace(low, top, VALLEY_BANDS + 1) / width
    step = round(even * bins / VALLEY_BANDS)
    return np.round(ratios).astype(int) + step * np.arange(VALLEY_BANDS + 1)


def erb_centres() -> np.ndarray:
    r"""Centre frequencies (Hz) of the 40 ERB bands, ascending, evenly spaced on the ERB scale.

    .. math:: f_i = (22050 + c) \left(\frac{50 + c}{22050 + c}\right)^{i/40} - c,
        \quad c = 9.26449 \cdot 24.7 \text{ Hz}, \quad i = 40, 39, \dots, 1

    Moore and Glasberg (1983); Slaney (1993), "An efficient implementation of the
    Patterson-Holdsworth auditory filter bank", section 2.
    """
    offset = EAR_Q * MINIMUM_WIDTH
    return np.geomspace(50 + offset, SAMPLE_RATE / 2 + offset, ERB_BANDS + 1)[:-1] - offset


def erb_filters() -> np.ndarray:
    r"""Gain of each ERB band at each bin of the spectrum, as in Essentia.

    A fourth-order gammatone filter of centre :math:`\theta` (radians per sample) has a quadruple
    pole :math:`p = r e^{j \theta}`, :math:`r = e^{-2 \pi \cdot 1.019 \, ERB / 44100}`, its
    conjugate, and four real zeros :math:`z_m`. Slaney's is scaled to a gain of 1 at its centre:

    .. math:: G(u) = \frac{1}{g} \frac{\prod_m |u - z_m|}{|u - p|^4 \, |u - p^*|^4}, \quad
        z_m = r (\cos \theta \pm \sqrt{3 \pm 2^{3/2}} \sin \theta), \quad u = e^{j \omega}

    Essentia, and so IRIT, has :math:`|u - p|^8` in its place, with the same g: its bands are
    narrower, and louder by :math:`|u - p^*|^4 / |u - p|^4`: at 3.2 kHz, the most, 29 dB above the
    band at 50 Hz. So the flatness depends mostly on 0.8 to 8 kHz, and over the frames of DEAM
    excerpts it correlates with that of true gammatone bands by 0 to 0.7 only. It is kept because
    IRIT's results are based on it. Weights of the power spectrum, shape (40, 1025). Slaney (1993);
    Ellis (2009), "Gammatone-like spectrograms"; Essentia's ERBBands. Notebook 01.
    """
    centre = 2 * np.pi * erb_centres()[:, None] / SAMPLE_RATE
    width = 2 * np.pi * 1.019 * (erb_centres()[:, None] / EAR_Q + MINIMUM_WIDTH)
    radius = np.exp(-width / SAMPLE_RATE)
    pole, peak = radius * np.exp(1j * centre), np.exp(1j * centre)
    roots = np.sqrt(3 + 2**1.5 * np.array([1, 1, -1, -1])) * np.array([1, -1, 1, -1])
    zeros = radius * (np.cos(centre) + roots * np.sin(centre))
    unit = np.exp(1j * np.linspace(0, np.pi, FRAME // 2 + 1))[None, :]
    at_unit, at_peak = (np.abs(u[..., None] - zeros[:, None]).prod(axis=-1) for u in (unit, peak))
    gain = at_peak / np.abs((peak - pole) * (peak - pole.conj())) ** 4
    return at_unit / np.abs(unit - pole) ** 8 / gain


@cache
def _bank() -> np.ndarray:
    edges = (np.array(BARK_EDGES) * FRAME / SAMPLE_RATE + 0.5).astype(int)
    bins = np.arange(FRAME // 2 + 1)
    bark = (bins >= edges[:-1, None]) & (bins < edges[1:, None])
    return np.concatenate([bark, erb_filters()]).astype(np.float32)


@cache
def _window() -> np.ndarray:
    taper = scipy.signal.windows.general_cosine(FRAME, [0.44959, 0.49364, 0.05677])
    return (2 * taper / taper.sum()).astype(np.float32)


def _spectrum(samples: np.ndarray, first: int, last: int) -> np.ndarray:
    stop = (last - 1) * HOP + FRAME
    piece = samples[first * HOP : stop].astype(np.float32)
    piece = np.pad(piece, (0, max(0, stop - len(samples))))
    windows = np.lib.stride_tricks.sliding_window_view(piece, FRAME)[::HOP]
    return np.abs(scipy.fft.rfft(windows * _window()))

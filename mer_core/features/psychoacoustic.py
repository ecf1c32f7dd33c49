"""Munich's four: sensory dissonance, roughness, tempo and event density (feature set FS2)."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy
from numpy.lib.stride_tricks import sliding_window_view

from mer_core.features.audio import SAMPLE_RATE
from mer_core.features.grid import grid
from mer_core.features.librosa_loader import load_librosa

# --- dissonance and roughness --------------------------------------------------------------------

SLOW_DECAY, FAST_DECAY = 3.5, 5.75
"""b1 and b2: decay and rise of Plomp and Levelt's curve, as Sethares fitted them."""
WORST = 0.24  # d*: the position of the curve's maximum, on Sethares' scale of critical bandwidth
BAND_SLOPE, BAND_OFFSET = 0.0207, 18.96
"""s1 and s2 (Hz): how the critical bandwidth grows with frequency; 0.021 and 19 in 1993."""
FRAME = 0.2
"""s. MIR Toolbox takes 0.05 s, which does not resolve a semitone below A5 (50 Hz), where both
curves are near their maximum; 0.2 s resolves tones 13 Hz apart, a semitone down to A3."""
TAPER = "blackman"
"""Window of a frame. Its side lobes (0.0013) are below CONTRAST. Those of MIR Toolbox's Hamming
window (0.007) exceed it where two tones beat, and raise the roughness, which hardly depends on
loudness, up to 11 times for a low semitone."""
FRAME_HOP = 0.1  # s. Half overlapping, as in MIR Toolbox
SPECTRUM = 16_384
"""Points of the FFT: zero padding to 2.7 Hz, so that close tones have a valley between them."""
HIGHEST = 10_000.0  # Hz. Plomp and Levelt's curve is not measured above
CONTRAST = 0.01  # A peak's least amplitude as a share of the frame's largest, as in MIR Toolbox
QUIETEST = 1e-5  # Least amplitude of a peak (full scale = 1): below the last bit of a CD
MOST_PEAKS = 40
"""Strongest peaks of a frame that count: a chord of five tones with eight partials each."""
FRAMES_AT_ONCE = 100

# --- onsets --------------------------------------------------------------------------------------

ONSET_HOP, ONSET_FRAME = 441, 1024  # Samples: a value of the onset envelope each 10 ms, from 23 ms
ONSET_LAG = 2
"""Envelope frames over which a rise is taken: the time that an attack needs to fill a frame."""
ONSET_BANDS = 40  # Mel bands of the onset envelope
ONSET_FLOOR = -70.0
"""dB re full scale, per band: lower levels count as this. Hiss of -60 dB stays below it."""
ONSET_RISE = 0.6
"""dB, mean over the bands, by which an onset exceeds its surroundings of 0.2 s. Chosen on 24 pieces
of the embedded corpus: precision 0.92, recall 0.79 within 50 ms of the written notes."""
ONSET_GAP = 5  # Envelope frames: two onsets within 50 ms count as one
ATTACK_LEAD, ATTACK_SHARE = 256, 0.3
"""Samples before an onset's frame with which its attack is compared, and the attack's threshold: a
share of the way from the largest step there to the largest in the frame."""
ENVELOPE_AT_ONCE = 3000

# --- tempo ---------------------------------------------------------------------------------------

CONTEXT = 10.0
"""s of audio around a row's middle that its tempo is estimated from: eight beats at 50 BPM."""
SLOWEST, FASTEST = 40.0, 210.0  # BPM. MIR Toolbox's 40 to 200, with a margin for a peak at 200
PULSE = 0.5
"""The shortest lag whose autocorrelation peak reaches this share of the highest is the beat, since
clicks correlate as well at every multiple of their distance. Chosen on the same pieces: the written
tempo in 70 % of the rows, half or double in 25 %."""
BLUR = 2.0  # Envelope frames (sd of a Gaussian): a beat may be a little early or late
ROWS_AT_ONCE = 500


def psychoacoustic(samples: np.ndarray, *, window: float = 1.0) -> pd.DataFrame:
    """Sensory dissonance, roughness, tempo and event density in each window.

    Dissonance and roughness: means of :func:`dissonance_of` and :func:`roughness_of` of the
    spectral peaks, over the half overlapping frames of 0.2 s in the window (at least one). Tempo: a
    lag of the onset envelope's autocorrelation over the 10 s around the window's middle (moved
    inwards at the song's ends), since a second has too few beats: it includes later audio. Event
    density: the number of onsets in [time, time + window) over that window's length.

    Columns (:class:`mer_core.features.sets.FeatureSet`): `sensory_dissonance` and `roughness`, at
    least 0; `tempo` in BPM, 40 to 210, 0 where the context has fewer than two onsets or no period,
    and in audio under 1.52 s (the longest lag); `event_density` in onsets per second. Silence is 0
    everywhere. Munich used windows of 1 s (half overlapping).
    Source: Coutinho et al. (2014, 2015), section 2, "FS2", who used MIR Toolbox (Lartillot and
    Toiviainen, 2007). Notebook 01.

    Examples
    --------
    >>> clicks = np.zeros(4 * 44_100, dtype=np.float32)
    >>> clicks[::22_050] = 1
    >>> psychoacoustic(clicks).loc[1.0, ["tempo", "event_density"]].round().tolist()
    [120.0, 2.0]
    """
    times = grid(len(samples) / SAMPLE_RATE)
    envelope = onset_envelope(samples)
    onsets = _onsets(samples, envelope)
    dissonance, roughness = _means_in_windows(samples, times, window)
    columns = {
        "sensory_dissonance": dissonance,
        "roughness": roughness,
        "tempo": _tempo(envelope, onsets, times + window / 2),
        "event_density": _event_density(onsets, times, window, len(samples)),
    }
    return pd.DataFrame(columns, index=pd.Index(times, name="time"), dtype=np.float64)


def dissonance_of(frequencies: np.ndarray, amplitudes: np.ndarray) -> float:
    r"""Sensory dissonance of a sound from its partials, by Sethares.

    .. math::

        D = \sum_{i<j} a_i a_j \left(e^{-b_1 s |f_j - f_i|} - e^{-b_2 s |f_j - f_i|}\right),
        \qquad s = \frac{d^*}{s_1 \min(f_i, f_j) + s_2}

    with b1 = 3.5, b2 = 5.75, d* = 0.24, s1 = 0.0207 and s2 = 18.96 Hz. The weight is the product
    of the amplitudes, as in 1993 and in MIR Toolbox's default, which Munich used; it is the smaller
    of the two in Sethares' second edition (2005). D is at least 0; two pure tones of amplitude 1
    reach 0.18 at most.
    Source: Sethares (1993), "Local consonance and the relationship between timbre and scale";
    Sethares (1998), "Tuning, Timbre, Spectrum, Scale", appendix E, for the constants; Plomp and
    Levelt (1965) for the curve. Notebook 01.

    Parameters
    ----------
    frequencies, amplitudes : array_like, shape (partials,)
        Hz, in any order; linear, at least 0, 1 for a sine at full scale.

    Examples
    --------
    >>> round(dissonance_of([440, 466.2], [1, 1]), 3), round(dissonance_of([440, 880], [1, 1]), 3)
    (0.181, 0.0)
    """
    return float(_dissonance(*_beating_and_pairs(frequencies, amplitudes)))


def roughness_of(frequencies: np.ndarray, amplitudes: np.ndarray) -> float:
    r"""Roughness of a sound from its partials, by Vassilakis; arguments of :func:`dissonance_of`.

    .. math::

        R = \sum_{i<j} \frac{X^{0.1} Y^{3.11} Z}{2}, \quad X = a_i a_j, \quad
        Y = \frac{2 \min(a_i, a_j)}{a_i + a_j}, \quad
        Z = e^{-b_1 s |f_j - f_i|} - e^{-b_2 s |f_j - f_i|}

    with s and the constants of :func:`dissonance_of`. Loudness (X) counts little, the depth of the
    beating (Y) much. As in the source, Y has the smaller amplitude of a pair, where MIR Toolbox has
    the second one. R is at least 0; two pure tones of amplitude 1 reach 0.09 at most.
    Source: Vassilakis (2001), "Perceptual and physical properties of amplitude fluctuation and
    their musical significance", eq. 6.23. Notebook 01.

    Examples
    --------
    >>> round(roughness_of([440, 466.2], [1, 1]), 3), round(roughness_of([440, 466.2], [1, 0.1]), 3)
    (0.09, 0.0)
    """
    return float(_roughness(*_beating_and_pairs(frequencies, amplitudes)))


def _beating_and_pairs(
    frequencies: np.ndarray, amplitudes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # From arrays (..., partials) to arrays (..., pairs): beating, and the two amplitudes.
    i, j = np.triu_indices(np.shape(frequencies)[-1], 1)
    frequencies, amplitudes = np.asarray(frequencies), np.asarray(amplitudes)
    first, second = frequencies[..., i], frequencies[..., j]
    scale = WORST / (BAND_SLOPE * np.minimum(first, second) + BAND_OFFSET)
    distance = scale * np.abs(first - second)
    beating = np.exp(-SLOW_DECAY * distance) - np.exp(-FAST_DECAY * distance)
    return beating, amplitudes[..., i], amplitudes[..., j]


def _dissonance(beating: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first * second * beating).sum(axis=-1)


def _roughness(beating: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    total = np.maximum(first + second, np.finfo(np.float32).tiny)  # two absent partials: 0 / 0
    depth = 2 * np.minimum(first, second) / total
    return ((first * second) ** 0.1 * depth**3.11 * beating).sum(axis=-1) / 2


def _means_in_windows(
    samples: np.ndarray, times: np.ndarray, window: float
) -> tuple[np.ndarray, np.ndarray]:
    parts = []
    for block in _blocks(samples, times):
        pairs = _beating_and_pairs(*spectral_peaks(block))
        parts.append(np.stack([_dissonance(*pairs), _roughness(*pairs)], axis=1))
    values = np.concatenate(parts)
    starts = np.minimum(np.round(times / FRAME_HOP).astype(int), len(values) - 1)
    left = np.minimum(window, len(samples) / SAMPLE_RATE - times) - FRAME
    ends = starts + 1 + np.maximum(0, np.floor(left / FRAME_HOP + 1e-6)).astype(int)
    return tuple(np.stack([values[a:b].mean(axis=0) for a, b in zip(starts, ends)], axis=1))


def _blocks(samples: np.ndarray, times: np.ndarray) -> Iterator[np.ndarray]:
    # Arrays (frames, length): whole frames, then the rest if the last row has no whole frame.
    length, hop = round(FRAME * SAMPLE_RATE), round(FRAME_HOP * SAMPLE_RATE)
    if len(samples) >= length:
        frames = sliding_window_view(samples, length)[::hop]
        for start in range(0, len(frames), FRAMES_AT_ONCE):
            yield frames[start : start + FRAMES_AT_ONCE]
    rest = samples[round(times[-1] * SAMPLE_RATE) :]
    if len(rest) < length:
        yield rest[None]


def spectral_peaks(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (Hz) and amplitudes of the strongest spectral peaks of frames (frames, length).

    Blackman window, FFT with zero padding, and a parabola through the log amplitudes around each
    local maximum up to 10 kHz (Smith and Serra, 1987, "PARSHL"). Both results have the shape
    (frames, peaks); missing peaks have amplitude 0, a sine at full scale 1.
    """
    taper = scipy.signal.get_window(TAPER, frames.shape[1]).astype(frames.dtype)
    highest = round(HIGHEST / SAMPLE_RATE * SPECTRUM)
    spectrum = scipy.fft.rfft(frames * taper, n=SPECTRUM, axis=1)[:, : highest + 2]
    magnitude = np.abs(spectrum) * (2 / taper.sum())
    bins, found = _strongest(magnitude)
    around = [np.take_along_axis(magnitude, bins + k, axis=1) for k in (-1, 0, 1)]
    shift, top = _vertex(*np.log(np.maximum(around, np.float32(1e-12))))
    return (bins + shift) * np.float32(SAMPLE_RATE / SPECTRUM), np.where(found, np.exp(top), 0)


def _strongest(magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Bins (frames, peaks) of the highest local maxima, and which of them are peaks.
    inner = magnitude[:, 1:-1]
    least = np.maximum(CONTRAST * inner.max(axis=1, keepdims=True), QUIETEST)
    peak = (inner > magnitude[:, :-2]) & (inner >= magnitude[:, 2:]) & (inner >= least)
    most = int(np.clip(peak.sum(axis=1).max(), 1, MOST_PEAKS))
    heights = np.where(peak, inner, 0)
    bins = np.argpartition(heights, -most, axis=1)[:, -most:]
    return bins + 1, np.take_along_axis(heights, bins, axis=1) > 0


def _vertex(
    left: np.ndarray, middle: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    # Position (in steps from the middle) and height of the parabola's vertex.
    bend = left - 2 * middle + right
    shift = np.divide((left - right) / 2, bend, out=np.zeros_like(bend), where=bend < 0)
    shift = shift.clip(-0.5, 0.5)
    return shift, middle - (left - right) * shift / 4


def onset_envelope(samples: np.ndarray) -> np.ndarray:
    """Spectral flux of mel bands, every 10 ms: mean rise over the bands in dB, shape (frames,).

    The signal is zero before the song, so that a song can begin with an onset. Nothing is added at
    its end: a cut is no onset. A sound at time t causes a peak within 10 ms of t, unless it begins
    in the last 20 ms. Böck and Widmer (2013), "Maximum filter vibrato suppression for onset
    detection", as in librosa.
    """
    frames = len(samples) // ONSET_HOP
    starts = range(0, frames, ENVELOPE_AT_ONCE)
    return np.concatenate([_rises(samples, a, min(a + ENVELOPE_AT_ONCE, frames)) for a in starts])


def _rises(samples: np.ndarray, first: int, last: int) -> np.ndarray:
    librosa = load_librosa()

    start, stop = (_frame_start(frame) for frame in (first - ONSET_LAG, last - 1))
    options = {"sr": SAMPLE_RATE, "n_fft": ONSET_FRAME, "hop_length": ONSET_HOP, "norm": None}
    power = librosa.feature.melspectrogram(
        y=_padded(samples, start, stop + ONSET_FRAME), n_mels=ONSET_BANDS, center=False, **options
    )
    full_scale = (ONSET_FRAME / 4) ** 2
    floor = full_scale * 10 ** (ONSET_FLOOR / 10)
    level = librosa.power_to_db(power, ref=full_scale, amin=floor, top_db=None)
    flux = librosa.onset.onset_strength(S=level, lag=ONSET_LAG, max_size=3, center=False)
    return flux[ONSET_LAG:]


def _frame_start(frame: int) -> int:
    return (frame + 1) * ONSET_HOP - ONSET_FRAME


def _padded(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    return np.pad(samples[max(start, 0) : stop], (max(-start, 0), 0))


def _onsets(samples: np.ndarray, envelope: np.ndarray) -> np.ndarray:
    # Sample numbers in ascending order.
    around = scipy.ndimage.uniform_filter1d(envelope, round(0.2 * SAMPLE_RATE / ONSET_HOP))
    envelope, least = np.pad(envelope, 1), np.pad(around + ONSET_RISE, 1)
    frames, _ = scipy.signal.find_peaks(envelope, height=least, distance=ONSET_GAP)
    return np.unique([_attack(samples, frame - 1) for frame in frames]).astype(int)


def _attack(samples: np.ndarray, frame: int) -> int:
    # The first sample whose step from the last exceeds all steps just before the frame: onsets
    # have to be on the right side of [time, time + window).
    start = _frame_start(frame) - ATTACK_LEAD
    steps = np.abs(np.diff(_padded(samples, start - 1, start + ATTACK_LEAD + ONSET_FRAME)))
    before = steps[:ATTACK_LEAD].max()
    loud = steps > before + ATTACK_SHARE * (steps.max() - before)
    return max(start + int(np.argmax(loud)), 0)


def _event_density(onsets: np.ndarray, times: np.ndarray, window: float, n: int) -> np.ndarray:
    starts = np.round(times * SAMPLE_RATE).astype(int)
    ends = np.minimum(starts + round(window * SAMPLE_RATE), n)
    before, until = (np.searchsorted(onsets, k) for k in (starts, ends))
    return (until - before) * SAMPLE_RATE / (ends - starts)


def _tempo(envelope: np.ndarray, onsets: np.ndarray, middles: np.ndarray) -> np.ndarray:
    rate = SAMPLE_RATE / ONSET_HOP
    blurred = scipy.ndimage.gaussian_filter1d(envelope, BLUR, mode="constant")
    length = min(round(CONTEXT * rate), len(envelope))
    starts = np.round(middles * rate - length / 2).astype(int).clip(0, len(envelope) - length)
    contexts = sliding_window_view(blurred, length)
    parts = np.array_split(starts, -(-len(starts) // ROWS_AT_ONCE))
    periods = np.concatenate([_period(contexts[part]) for part in parts])
    before, until = (np.searchsorted(onsets, k * ONSET_HOP) for k in (starts, starts + length))
    has_beat = (until - before > 1) & (periods > 0)
    return np.divide(60 * rate, periods, out=np.zeros_like(periods), where=has_beat)


def _period(contexts: np.ndarray) -> np.ndarray:
    # Lag of the beat in envelope frames for each row of (rows, frames); 0 where there is none.
    librosa = load_librosa()

    rate = SAMPLE_RATE / ONSET_HOP
    shortest, longest = int(np.ceil(60 * rate / FASTEST)), int(60 * rate / SLOWEST)
    if contexts.shape[1] < longest + 2:
        return np.zeros(len(contexts))
    centred = contexts - contexts.mean(axis=1, keepdims=True)
    alike = librosa.autocorrelate(centred, max_size=longest + 2, axis=1)
    before, here, after = (alike[:, shortest + k : longest + k + 1] for k in (-1, 0, 1))
    heights = np.where((here > before) & (here >= after), here, 0)
    lag = np.argmax(heights >= PULSE * heights.max(axis=1, keepdims=True), axis=1)[:, None]
    shift, _ = _vertex(*(np.take_along_axis(part, lag, axis=1) for part in (before, here, after)))
    return np.where(heights.max(axis=1) > 0, (shortest + lag + shift)[:, 0], 0)

"""Checks of the level of a recording: silence, dead channels, offset, clipping."""

import numpy as np

from mer_core.files import DataError

LOUDEST = 4.0  # Times full scale. Lossy files exceed 1 somewhat; larger floats have another scale
QUIETEST = 1e-4  # Times full scale, -80 dB: a lower peak is silence, or integers in too wide a type
DEAD = 1e-6  # Power of a channel relative to the loudest, -60 dB, below which it is dead
CANCELLED = 0.3
"""Power of the channels' mean relative to that of uncorrelated channels; below, they cancel."""
OFFSET = 0.1  # Mean of all samples, times full scale
FULL = 0.99  # Times full scale: three consecutive samples above it are clipped
CLIPPED = 0.002  # Share of the samples of a channel


class Levels:
    """Sums over the blocks of a recording; :meth:`problems` lists its problems."""

    def __init__(self) -> None:
        self.seconds, self.peak = 0.0, 0.0
        self._layouts: dict[int, np.ndarray] = {}

    def add(self, samples: np.ndarray, rate: int, name: str) -> np.ndarray:
        """Add a block of shape (n, channels); returns the mean of its channels.

        Raises a DataError if a sample is not finite, or far above full scale.
        """
        with np.errstate(invalid="ignore", over="ignore"):  # a DataError below
            mono = samples.mean(axis=1, dtype=np.float32)
        if not np.isfinite(mono).all():
            bad = self.seconds + int(np.flatnonzero(~np.isfinite(mono))[0]) / rate
            raise DataError(name, "finite samples", f"NaN or infinity at {bad:.3f} s")
        self.peak = max(self.peak, float(np.abs(mono).max(initial=0.0)))
        if self.peak > LOUDEST:
            found = f"floats up to {self.peak:.4g}"
            raise DataError(name, "samples in [-1, 1], or integers", found)
        sums = self._layouts.setdefault(samples.shape[1], np.zeros((5, samples.shape[1])))
        sums += _sums(samples, mono)
        self.seconds += len(samples) / rate
        return mono

    def problems(self) -> list[str]:
        """Problems of the level and their effect on features, a note for each."""
        sums = max(self._layouts.values(), key=lambda sums: sums[0, 0])
        total, power, mixed, clipped = sums[1:] / sums[0]
        if power.max() < QUIETEST**2 and self.peak < QUIETEST:
            nearly = f"nearly silent, or integers in too wide a type: a peak of {self.peak:.1g}"
            return [nearly if self.peak else "silence from start to end"]
        dead = np.flatnonzero(power < DEAD * power.max())
        alive, notes = np.delete(power, dead), []
        if mixed[0] < CANCELLED * alive.sum() / len(power) ** 2:
            notes.append(_cancelling(mixed[0] / power.mean()))
        if len(dead):
            notes.append(_dead(dead, len(power)))
        if abs(offset := total.mean()) > OFFSET:
            effect = "it raises the energy and lowers the zero crossings; predictions change"
            notes.append(f"a DC offset of {offset:+.2f} of full scale; {effect}")
        if (part := clipped.max()) > CLIPPED:
            found = f"clipping: {part:.1%} of the samples are at full scale, three or more in a row"
            notes.append(f"{found}; the distortion adds high frequencies")
        return notes


def _sums(samples: np.ndarray, mono: np.ndarray) -> np.ndarray:
    """Number, sum and power of each channel's samples, power of their mean, clipped samples."""
    full = np.abs(samples) >= FULL
    clipped = full[:-2] & full[1:-1] & full[2:] if full.any() else full[:0]
    count, power = len(samples), [np.dot(channel, channel) for channel in samples.T]
    rows = (count, samples.sum(axis=0), power, np.dot(mono, mono), clipped.sum(axis=0))
    return np.stack([np.broadcast_to(row, samples.shape[1]) for row in rows]).astype(np.float64)


def _cancelling(part: float) -> str:
    weaker = f"{-10 * np.log10(part):.0f} dB weaker than they are" if part > 1e-12 else "silent"
    effect = f"their mean, which features describe, is {weaker}"
    return f"the channels cancel: {effect}; one of them may be inverted (wrong polarity)"


def _dead(dead: np.ndarray, channels: int) -> str:
    names = " and ".join(str(channel + 1) for channel in dead)
    decibels = 20 * np.log10(channels / (channels - len(dead)))
    effect = f"their mean is {decibels:.0f} dB too quiet; loudness and arousal are too low"
    return f"channel {names} of {channels} is silent: {effect}"

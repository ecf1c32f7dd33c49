"""The level of a recording while it streams by, and what is wrong with it."""

from __future__ import annotations

import numpy as np

from mer_core.files import DataError

LOUDEST = 4.0
"""Times full scale. Lossy files swing somewhat beyond 1; floats further out have another scale."""
QUIETEST = 1e-4
"""Times full scale, -80 dB: a peak below is silence, or integers in a type too wide for them."""
DEAD = 1e-6
"""Power of a channel as a part of the loudest one's, -60 dB: below it is dead."""
CANCELLED = 0.3
"""Power of the mean of two channels as a part of 1 / 2 (uncorrelated channels); below, they
cancel."""
OFFSET = 0.1
"""Mean of all samples, times full scale."""
FULL = 0.99
"""Times full scale: three samples in a row above are clipped."""
CLIPPED = 0.002
"""Part of the samples of a channel."""


class Levels:
    """Sums over the blocks of a recording, from which :meth:`notes` tells its faults."""

    def __init__(self) -> None:
        self.seconds, self.peak = 0.0, 0.0
        self._layouts: dict[int, np.ndarray] = {}

    def add(self, samples: np.ndarray, rate: int, name: str) -> np.ndarray:
        """Take a block of shape (n, channels) into account and return the mean of its channels.

        Raises
        ------
        DataError
            If a sample is not finite, or far above full scale.
        """
        with np.errstate(invalid="ignore", over="ignore"):  # told below
            mono = samples.mean(axis=1, dtype=np.float32)
        if not np.isfinite(mono).all():
            bad = self.seconds + int(np.flatnonzero(~np.isfinite(mono))[0]) / rate
            raise DataError(name, "finite samples", f"NaN or infinity at {bad:.3f} s")
        self.peak = max(self.peak, float(np.abs(mono).max(initial=0.0)))
        if self.peak > LOUDEST:
            raise DataError(
                name, "samples in [-1, 1], or integers", f"floats up to {self.peak:.4g}"
            )
        sums = self._layouts.setdefault(samples.shape[1], np.zeros((5, samples.shape[1])))
        sums += _sums(samples, mono)
        self.seconds += len(samples) / rate
        return mono

    def notes(self) -> list[str]:
        """What is wrong with the level, and what follows for features: a note for each fault."""
        count, total, power, mixed, clipped = max(
            self._layouts.values(), key=lambda sums: sums[0, 0]
        )
        total, power, clipped = total / count, power / count, clipped / count
        if power.max() < QUIETEST**2 and self.peak < QUIETEST:
            return [self._silence()]
        dead = np.flatnonzero(power < DEAD * power.max())
        alive = np.delete(power, dead)
        notes = []
        if mixed[0] / count[0] < CANCELLED * alive.sum() / len(power) ** 2:
            notes.append(_cancel(mixed[0] / count[0] / power.mean()))
        if len(dead):
            notes.append(_dead(dead, len(power)))
        if abs(total.mean()) > OFFSET:
            notes.append(_offset(total.mean()))
        if clipped.max() > CLIPPED:
            notes.append(_clipping(clipped.max()))
        return notes

    def _silence(self) -> str:
        if not self.peak:
            return "silence from start to end"
        found = f"a peak of {self.peak:.1g} of full scale"
        return f"{found}: nearly silent, or integers in too wide a type"


def _sums(samples: np.ndarray, mono: np.ndarray) -> np.ndarray:
    """Number, sum and power of each channel's samples, power of their mean, clipped samples."""
    full = np.abs(samples) >= FULL
    clipped = full[:-2] & full[1:-1] & full[2:] if full.any() else full[:0]
    channels = samples.shape[1]
    power = [np.dot(channel, channel) for channel in samples.T]
    return np.array(
        [
            np.full(channels, len(samples)),
            samples.sum(axis=0),
            power,
            np.full(channels, np.dot(mono, mono)),
            clipped.sum(axis=0),
        ],
        dtype=np.float64,
    )


def _cancel(part: float) -> str:
    weaker = f"{-10 * np.log10(part):.0f} dB weaker than they are" if part > 1e-12 else "silent"
    return (
        f"the channels cancel: their mean, which is what features describe, is {weaker}; one of "
        "them may be inverted (wrong polarity)"
    )


def _dead(dead: np.ndarray, channels: int) -> str:
    names = " and ".join(str(channel + 1) for channel in dead)
    lost = 20 * np.log10(channels / (channels - len(dead)))
    return (
        f"channel {names} of {channels} is silent, so the mean of the channels is {lost:.0f} dB "
        "too quiet; loudness and arousal come out too low"
    )


def _offset(offset: float) -> str:
    return (
        f"a DC offset of {offset:+.2f} of full scale; it raises the energy and lowers the number "
        "of zero crossings, and predictions change"
    )


def _clipping(part: float) -> str:
    return (
        f"clipping: {part:.1%} of the samples are at full scale, three or more in a row; the "
        "distortion adds high frequencies that are not in the music"
    )

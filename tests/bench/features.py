"""Speed and memory of the features, against what a user would otherwise do."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import essentia.standard
import joblib
import librosa
import numpy as np
import opensmile
import pandas as pd
import soundfile

from mer_core import load_corpus
from mer_core.features import SAMPLE_RATE, extract, extract_all, read_audio
from mer_core.features.compare import descriptors
from mer_core.features.grid import grid
from mer_core.features.spectral import frames
from mer_core.features.tonal import HOP, RATE, mode_and_clarity, tonal
from timing import PEAK, Figure, Row, compared

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_spectral import by_essentia

RUNS = 5


def by_the_package(samples: np.ndarray) -> np.ndarray:
    """The descriptors and deltas as the openSMILE package gives them: a pass for each level."""
    levels = [
        opensmile.Smile(opensmile.FeatureSet.ComParE_2016, level).process_signal(
            samples, SAMPLE_RATE
        )
        for level in ("lld", "lld_de")
    ]
    frames = min(map(len, levels))
    return np.hstack([level.to_numpy()[:frames] for level in levels])


def tempo_onsets_dissonance(samples: np.ndarray) -> list[np.ndarray]:
    """What libraries have of FS2's four features: roughness is missing."""
    onsets = librosa.onset.onset_strength(y=samples, sr=SAMPLE_RATE)
    tempo = librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE, aggregate=None)
    events = librosa.onset.onset_detect(onset_envelope=onsets, sr=SAMPLE_RATE, units="time")
    window, spectrum = (getattr(essentia.standard, k)() for k in ("Windowing", "Spectrum"))
    peaks = essentia.standard.SpectralPeaks(orderBy="frequency", minFrequency=30)
    dissonance, size = essentia.standard.Dissonance(), SAMPLE_RATE // 5 // 2 * 2
    starts = range(0, len(samples) - size, SAMPLE_RATE // 10)
    found = [dissonance(*peaks(spectrum(window(samples[k : k + size])))) for k in starts]
    return [tempo, events, np.array(found)]


def tonal_by_window(samples: np.ndarray) -> np.ndarray:
    """Mode over 1 s and 16 s from librosa's chroma, computed anew for each window."""
    audio = librosa.resample(samples.astype(np.float32), orig_sr=SAMPLE_RATE, target_sr=RATE)
    modes = []
    for time_ in grid(len(samples) / SAMPLE_RATE):
        ends = round((time_ + 1) * RATE)
        for start in (round(time_ * RATE), max(0, ends - 16 * RATE)):
            window = librosa.util.fix_length(audio[start:ends], size=max(4 * RATE, ends - start))
            options = {"sr": RATE, "hop_length": HOP, "bins_per_octave": 36}
            chroma = librosa.feature.chroma_cqt(y=window, **options)
            inside = chroma[:, : -(-(ends - start) // HOP)].sum(1).astype(float)
            modes.append(mode_and_clarity(inside[None])[0][0])
    return np.reshape(modes, (-1, 2))


def tonal_row(samples: np.ndarray, **on_cpu: object) -> Row:
    """The six tonal features against librosa's chroma of every window."""
    some = samples[: 20 * SAMPLE_RATE]
    ours = tonal(some)[["mode", "mode_long"]].to_numpy()
    r = [np.corrcoef(*pair)[0, 1] for pair in zip(ours.T, tonal_by_window(some).T)]
    assert min(r) > 0.8, "both sides have to follow the same mode"
    return compared("six tonal features, 20 s", "librosa's chroma_cqt for each window",
                    lambda: tonal_by_window(some), lambda: tonal(some), **on_cpu)  # fmt: skip


def rows(*, short: bool = False) -> Iterator[Row | Figure]:
    audio = load_corpus("mini").songs["audio"]
    samples = read_audio(audio.loc[1])
    same = np.array_equal(by_the_package(samples), descriptors(samples).to_numpy())
    assert same, "both sides have to give the same values"
    on_cpu = {"clock": time.process_time, "runs": 1 if short else RUNS}
    yield compared("65 descriptors and deltas, a song of 45 s",
                   "the openSMILE package, two feature levels",
                   lambda: by_the_package(samples), lambda: descriptors(samples),
                   **on_cpu)  # fmt: skip
    r = [np.corrcoef(*pair)[0, 1] for pair in zip(by_essentia(samples).T, frames(samples).T)]
    assert min(r) > 0.99, f"both sides have to give the same, r = {r}"
    yield compared("IRIT's eight features, a song of 45 s", "Essentia, frame by frame",
                   lambda: by_essentia(samples),
                   lambda: extract((samples, SAMPLE_RATE), ["spectral"]), **on_cpu)  # fmt: skip
    yield compared("FS2's four features, a song of 45 s",
                   "librosa's tempo and onsets, Essentia's dissonance; no roughness",
                   lambda: tempo_onsets_dissonance(samples),
                   lambda: extract((samples, SAMPLE_RATE), ["psychoacoustic"]),
                   **on_cpu)  # fmt: skip
    yield tonal_row(samples, **on_cpu)
    yield compared("six tonal features, a song of 45 s",
                   "the openSMILE package: descriptors of the 260, two feature levels",
                   lambda: by_the_package(samples), lambda: tonal(samples), **on_cpu)  # fmt: skip
    yield from of_many(audio.loc[1:4], runs=1 if short else RUNS)
    lengths = {"45 s": 45, "5 min": 300} | ({} if short else {"1 h": 3600})
    for name, seconds in lengths.items():
        cpu, memory = resources(seconds)
        text = f"{cpu:.1f} s of CPU, {memory:.0f} MB at most"
        yield Figure(f"all sets but mel, stereo, {name} of audio", text)


def of_many(four: pd.Series, *, runs: int) -> Iterator[Row]:
    """Four songs: on all cores, and once more from a cache."""
    with tempfile.TemporaryDirectory() as kept:

        def anew() -> None:
            with tempfile.TemporaryDirectory() as fresh:
                extract_all(four, cache=fresh)

        extract_all(four, cache=kept)
        theirs = joblib.Memory(kept, verbose=0).cache(by_the_package)
        yield compared("four songs, a process per core", "the package in a loop",
                       lambda: [by_the_package(read_audio(path)) for path in four], anew,
                       runs=runs)  # fmt: skip
        for path in four:
            theirs(read_audio(path))
        yield compared("four songs from the cache", "joblib.Memory around the package",
                       lambda: [theirs(read_audio(path)) for path in four],
                       lambda: extract_all(four, cache=kept), runs=runs)  # fmt: skip


def resources(seconds: float) -> tuple[float, float]:
    """Seconds of CPU and peak memory (MB) of extracting all sets from stereo audio of a length."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "1.wav"
        noise = np.random.default_rng(0)
        with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2) as file:
            for _ in range(round(seconds / 5)):
                file.write(noise.normal(0, 0.1, (5 * SAMPLE_RATE, 2)))
        code = (
            "import sys, resource; from mer_core.features import extract; extract(sys.argv[1],"
            "('compare', 'psychoacoustic', 'spectral')); u = resource.getrusage("
            f"resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime, {PEAK})"
        )
        run = [sys.executable, "-W", "ignore", "-c", code, str(path)]
        out = subprocess.run(run, capture_output=True, text=True, check=True).stdout
        cpu, memory = map(float, out.split())
        return cpu, memory

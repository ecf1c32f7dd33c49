"""`mer predict` for a song of three minutes, from a cold start, beside features alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from mer_core import load_corpus
from mer_core.features import SAMPLE_RATE, read_audio
from timing import PEAK, Figure, Row, compared, timed

RUNS = 3
OURS = f"""
import sys
from mer_core.__main__ import main
assert main(["predict", sys.argv[1]]) == 0
print({PEAK})
"""
BY_OPENSMILE = """
import sys, opensmile
for level in ("lld", "lld_de"):
    smile = opensmile.Smile(opensmile.FeatureSet.ComParE_2016, level)
    print(smile.process_file(sys.argv[1]).mean().shape)
"""
BY_LIBROSA = """
import sys, librosa
from librosa import feature
y, rate = librosa.load(sys.argv[1], sr=None)
for compute in (feature.mfcc, feature.spectral_centroid, feature.spectral_rolloff):
    print(compute(y=y, sr=rate).mean())
print(feature.spectral_contrast(y=y, sr=rate).mean(), feature.chroma_cqt(y=y, sr=rate).mean())
print(feature.tempo(y=y, sr=rate), feature.zero_crossing_rate(y).mean())
"""


def rows(*, short: bool = False) -> Iterator[Row | Figure]:
    what = "`mer predict` of a song of 3 min: features, curve, intervals"
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        four = [read_audio(path) for path in load_corpus("mini").songs["audio"].iloc[:4]]
        soundfile.write(song, np.concatenate(four)[: 180 * SAMPLE_RATE], SAMPLE_RATE)
        runs = 1 if short else RUNS
        others = {
            "the openSMILE package: ComParE's descriptors alone": BY_OPENSMILE,
            "librosa: MFCC, chroma, tempo and five more alone": BY_LIBROSA,
        }
        for name, code in others.items():
            yield compared(what, name, lambda code=code: run(code, song),
                           lambda: run(OURS, song), runs=runs)  # fmt: skip
        memory = run(OURS, song).split()[-1]
        yield Figure(f"{what}: memory", f"{float(memory):.0f} MB at most")
        run(OURS, song, cache=folder)
        seconds = min(timed(lambda: run(OURS, song, cache=folder)) for _ in range(runs))
        yield Figure(f"{what}: all but the features, with the start of Python", f"{seconds:.1f} s")


def run(code: str, song: Path, *, cache: str | None = None) -> str:
    """Output of a process; without a cache folder its cache is empty."""
    with tempfile.TemporaryDirectory() as fresh:
        kept = os.environ | {"XDG_CACHE_HOME": cache or fresh}
        command = [sys.executable, "-W", "ignore", "-c", code, str(song)]
        done = subprocess.run(command, env=kept, capture_output=True, text=True, check=True)
        return done.stdout

"""MediaEval's 260 baseline features: ComParE's 65 descriptors and deltas, mean and sd."""

import io
import os
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from mer_core.features.audio import BLOCK, SAMPLE_RATE, Audio, read_audio
from mer_core.features.grid import grid

CONFIGURATION = Path(__file__).with_name("compare.conf")
SINK = "extsink"  # openSMILE's name of the component that returns the frames
FRAMES_PER_SECOND = 100


def compare(samples: np.ndarray | Iterable[np.ndarray], *, window: float = 1.0) -> pd.DataFrame:
    """Mean and standard deviation of ComParE's low-level descriptors and deltas in each window.

    The population standard deviation and the mean of each of :func:`descriptors`, over the frames
    that start in the window. The 260 columns (:class:`mer_core.features.sets.FeatureSet`) are named
    and ordered as in DEAM: `F0final_sma_stddev`, `F0final_sma_amean`, ... Units are openSMILE's (Hz
    for F0, centroid and roll-off). MediaEval and Munich used windows of 1 s (half overlapping),
    IRIT of 0.5 s. The samples may come as an iterable of blocks.
    Source: Weninger et al. (2013), "On the acoustics of emotion in audio"; Coutinho et al. (2014),
    section 2, "FS1"; Pellegrini and Barriere (2015), section 2. Notebook 01.
    """
    frames, length = _describe([samples] if isinstance(samples, np.ndarray) else samples)
    times = grid(length / SAMPLE_RATE)
    starts = np.round(times * FRAMES_PER_SECOND).astype(int)
    ends = np.minimum(starts + round(window * FRAMES_PER_SECOND), len(frames))
    values = frames.to_numpy()
    parts = (values[a:b].astype(np.float64) for a, b in zip(starts, ends))
    rows = [np.stack([part.std(axis=0), part.mean(axis=0)], axis=1).ravel() for part in parts]
    names = [f"{name}_{kind}" for name in frames for kind in ("stddev", "amean")]
    return pd.DataFrame(np.stack(rows), index=pd.Index(times, name="time"), columns=names)


def descriptors(samples: np.ndarray) -> pd.DataFrame:
    """ComParE's 65 descriptors and their 65 deltas every 10 ms, by openSMILE in one pass.

    `compare.conf` joins the two levels, which openSMILE's Python package computes one at a time,
    and omits the functionals: half the time, the same numbers. openSMILE reads the samples from a
    temporary file, since the package would hold several copies of them in memory. Row i of 130
    columns describes the 20 or 60 ms that start at i * 10 ms. Names are DEAM's:
    `pcm_fftMag_mfcc_sma[1]` is `mfcc_sma[1]` in today's openSMILE.
    Source: Eyben et al. (2013), "Recent developments in openSMILE". Notebook 01.
    """
    return _describe([samples])[0]


def _describe(blocks: Iterable[np.ndarray]) -> tuple[pd.DataFrame, int]:
    """The descriptors, and the number of samples."""
    smile, frames = _opensmile().core.lib.OpenSMILE(), io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.wav"
        length = _write(blocks, path)
        smile.initialize(str(CONFIGURATION), options=_options(path), loglevel=0)
        columns = range(smile.external_sink_get_num_elements(SINK))
        names = [_as_deam(smile.external_sink_get_element_name(SINK, k)) for k in columns]
        smile.external_sink_set_callback_ex(SINK, lambda frame, _: frames.write(frame.tobytes()))
        smile.run()
        smile.free()
    table = np.frombuffer(frames.getbuffer(), np.float32).reshape(-1, len(names))
    return pd.DataFrame(table, columns=names), length


def _write(blocks: Iterable[np.ndarray], path: Path) -> int:
    import soundfile

    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        for samples in blocks:
            for start in range(0, len(samples), BLOCK):
                # Truncated as in the package, but there full scale wraps around.
                block = np.clip(samples[start : start + BLOCK] * 32768, -32768, 32767)
                file.write(block.astype(np.int16))
        return file.tell()


@cache
def _opensmile() -> ModuleType:
    # The package encodes paths as ASCII, and fails if the home folder's path has other letters.
    import opensmile.core.lib

    opensmile.core.lib.bytes = lambda text, _: os.fsencode(text)
    return opensmile


def _options(path: Path) -> dict[str, str]:
    folder = Path(_opensmile().__file__).parent / "core" / "config"
    parts = {
        "source": "shared/standard_wave_input.conf.inc",
        "sink": "shared/standard_external_data_output_single.conf.inc",
        "core": "compare/ComParE_2016_core.lld.conf.inc",
        "bufferModeRbConf": "shared/BufferModeRb.conf.inc",
        # The package keeps all frames for the functionals; fifteen seconds suffice here.
        "bufferModeConf": "shared/BufferModeRbMulti.conf.inc",
    }
    files = {name: str(folder / part) for name, part in parts.items()}
    return {**files, "sinkLevel": "descriptors", "filename": str(path)}


def functionals(audio: Audio) -> pd.Series:
    """ComParE's 6,373 functionals of a whole song, by openSMILE: float64, by DEAM's names.

    `audio` is a path or (samples, sample_rate), as in :func:`mer_core.features.read_audio`, which
    also gives the errors.
    Source: Weninger et al. (2013); Herremans et al. (2019) start from them for whole songs.
    Notebook 06.
    """
    opensmile = _opensmile()
    smile = opensmile.Smile(opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.Functionals)
    row = smile.process_signal(read_audio(audio), SAMPLE_RATE).iloc[0]
    return row.rename(index=_as_deam).astype(np.float64).rename(None)


def _as_deam(name: str) -> str:
    return name.replace("mfcc_sma", "pcm_fftMag_mfcc_sma")

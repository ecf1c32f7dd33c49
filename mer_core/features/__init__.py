"""Features of audio, every half second, on the one grid of the workbook."""

from mer_core.features.audio import SAMPLE_RATE, Audio, duration, read_audio
from mer_core.features.batch import Extraction, audio_files, extract_all, save
from mer_core.features.compare import functionals
from mer_core.features.sets import choose, extract, song_level

__all__ = [
    "SAMPLE_RATE",
    "Audio",
    "Extraction",
    "audio_files",
    "choose",
    "duration",
    "extract",
    "extract_all",
    "functionals",
    "read_audio",
    "save",
    "song_level",
]

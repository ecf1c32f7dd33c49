"""Features of a data set that comes with audio and without feature files."""

from __future__ import annotations

import warnings

import pandas as pd

from mer_core.corpus import NO_FEATURES
from mer_core.features import extract_all
from mer_core.files import DataWarning


def extract_songs(audio: pd.Series) -> pd.DataFrame:
    """The 260 features of all audio files (index song_id), from the user's cache or computed.

    Songs that fail have no features and are named in a warning.
    """
    audio = audio.dropna()
    if audio.empty:
        return NO_FEATURES
    features, failures = extract_all(dict(audio), ("compare",))
    if len(failures):
        warnings.warn(
            f"no features of {len(failures)} of {len(audio)} songs: {failures.iloc[0]}",
            DataWarning,
            stacklevel=2,
        )
    return features.astype(float).sort_index() if len(features) else NO_FEATURES

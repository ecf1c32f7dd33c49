"""Smoothing of predicted curves."""

from __future__ import annotations

import pandas as pd

from mer_core import checks


def moving_average(track: pd.DataFrame, window: int = 13) -> pd.DataFrame:
    """Centred moving average along each song, with IRIT's border rule.

    The first and last (window - 1) / 2 frames of a song, where the window does not fit, keep
    their unfiltered values; songs shorter than the window pass unsmoothed.

    Parameters
    ----------
    track : DataFrame
        MultiIndex (song_id, time), any columns; times rise within a song.
    window : int
        Frames in the window, odd; 13 frames are 6.5 s. 1 changes nothing.

    Returns
    -------
    DataFrame
        Same index and columns.

    Raises
    ------
    ValueError
        If the window is not an odd number of at least 1, or the track holds NaN or a row twice,
        or a song's times don't rise.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5, 1.0, 1.5]], names=["song_id", "time"])
    >>> moving_average(pd.DataFrame({"valence": [0.0, 3.0, 0.0, 3.0]}, index), window=3)
                  valence
    song_id time
    7       0.0       0.0
            0.5       1.0
            1.0       2.0
            1.5       3.0

    References
    ----------
    Pellegrini and Barriere (2015), section 2. Notebook 02.
    """
    if window != int(window) or window < 1 or window % 2 == 0:
        raise ValueError(f"window: expected an odd number of frames, found {window!r}")
    if track.isna().any(axis=None):
        raise ValueError("track: expected numbers in every row, found NaN")
    checks.once(track=track)
    checks.in_order(track=track)
    by_song = track.groupby(level="song_id", sort=False, group_keys=False)
    smoothed = by_song.rolling(int(window), center=True, min_periods=int(window)).mean()
    return smoothed.droplevel(0).reindex(track.index).fillna(track)

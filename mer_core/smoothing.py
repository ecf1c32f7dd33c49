"""The moving average of predicted curves, with IRIT's rule for the borders."""

import numpy as np
import pandas as pd

from mer_core.files import DataError
from mer_core.tracks import HOP, as_track, stretches


def moving_average(track: pd.DataFrame, window: int = 13) -> pd.DataFrame:
    """Centred moving average along each song, with IRIT's border rule.

    The first and last (window - 1) / 2 frames of a song, where the window does not fit, keep their
    unfiltered values. Each stretch without a gap is smoothed as if it were a song.
    Source: Pellegrini and Barriere (2015), section 2. Notebook 02.

    Parameters
    ----------
    track : DataFrame
        MultiIndex (song_id, time), any columns.
    window : int
        Frames in the window, odd; 13 frames are 6.5 s.

    Raises
    ------
    ValueError
        If the window is even or below 1, the track is not one of finite numbers with rising times
        within a song, or all of its rows are more than 0.5 s apart.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5, 1.0, 1.5]], names=["song_id", "time"])
    >>> track = pd.DataFrame({"valence": [0.0, 3.0, 0.0, 3.0]}, index)
    >>> moving_average(track, window=3)["valence"].tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    if not isinstance(window, (int, float, np.number)) or not window > 0 or window % 2 != 1:
        raise ValueError(f"window: expected an odd number of frames, found {window!r}")
    track = as_track(track, "track", ordered=True)
    stretch = stretches(track)
    if window > 1 and stretch[-1] + 1 == len(track) > track.index.unique("song_id").size:
        raise DataError("track", f"rows every {HOP} s", "rows that are all further apart")
    by_stretch = track.groupby(stretch, sort=False, group_keys=False)
    smoothed = by_stretch.rolling(int(window), center=True, min_periods=int(window)).mean()
    return smoothed.droplevel(0).reindex(track.index).fillna(track)

"""How far the raters of a song agree: Cronbach's alpha, number of raters and their spread.

Source: Cronbach (1951); Aljanaki, Yang, Soleymani (2017), "Developing a benchmark for emotional
analysis of music"; Coutinho et al. (2015), section 1: development songs have an alpha of at least
0.6, the test set has 0.29 for valence. Notebook 00.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mer_core.tracks import DIMENSIONS, RATING_LEVELS, as_array, as_track


def cronbach_alpha(ratings: ArrayLike) -> float:
    """Cronbach's alpha of one song: do the raters' curves rise and fall together?

    alpha = k / (k - 1) * (1 - sum of the raters' variances / variance of their sum). 1 is full
    agreement, about 0 none, below 0 (without bound) contradiction; NaN for a single rater, a
    single frame, or raters whose sum is constant.

    Parameters
    ----------
    ratings : array_like, shape (frames, raters)
        One dimension of one song, in any unit.

    Raises
    ------
    ValueError
        If the array is not 2-D, or a number is not finite.

    Examples
    --------
    >>> print(cronbach_alpha([[1, 2], [2, 3], [3, 4]]).round(4))
    1.0
    """
    ratings = as_array(ratings, "ratings", ndim=(2,))
    frames, raters = ratings.shape
    total = ratings.sum(axis=1)
    if raters < 2 or frames < 2 or np.ptp(total) <= 1e-12 * max(1.0, np.abs(total).max()):
        return np.nan
    return raters / (raters - 1) * (1 - ratings.var(axis=0, ddof=1).sum() / total.var(ddof=1))


def rater_statistics(ratings: pd.DataFrame) -> pd.DataFrame:
    """Number of raters, Cronbach's alpha and spread between raters, song by song.

    Parameters
    ----------
    ratings : DataFrame
        MultiIndex (song_id, rater, time), columns valence, arousal in [-1, 1]; else a DataError is
        raised. Frames that some rater of a song has not rated are left out.

    Returns
    -------
    DataFrame
        Index (song_id, dimension); columns `raters`, `alpha` and `spread`, the standard deviation
        between raters, averaged over frames.
    """
    ratings = as_track(ratings, "ratings", columns=DIMENSIONS, levels=RATING_LEVELS, missing=True)
    rows = {}
    for song_id, song in ratings.groupby(level="song_id"):
        for dimension in DIMENSIONS:
            curves = song[dimension].droplevel("song_id").dropna().unstack("rater").dropna()
            rows[song_id, dimension] = {
                "raters": curves.shape[1],
                "alpha": cronbach_alpha(curves),
                "spread": curves.std(axis=1, ddof=1).mean(),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["song_id", "dimension"])

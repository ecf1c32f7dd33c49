"""Columns of DEAM's song-level labels that were swapped: found by measuring, and repaired."""

from __future__ import annotations

import warnings

import pandas as pd
from scipy import stats

from mer_core.files import DataWarning
from mer_core.tracks import DIMENSIONS

SURE = 0.001
"""Two-tailed p below which a negative correlation is taken for a swap."""


def unswap(song_level: pd.DataFrame, labels: pd.DataFrame, year: pd.Series) -> pd.DataFrame:
    """Swap song-level valence and arousal back in the years found by :func:`find_swapped`.

    Parameters
    ----------
    song_level : DataFrame
        Index song_id, columns valence, arousal, in [-1, 1].
    labels : DataFrame
        A track with the dynamic labels.
    year : Series
        Index song_id, the year of the task that brought the song.

    Returns
    -------
    DataFrame
        As `song_level`, repaired; a warning names the years, the number of songs and r.
    """
    swapped = find_swapped(song_level, labels, year)
    repaired = song_level.copy()
    for which, row in swapped[swapped["swapped"]].iterrows():
        ids = repaired.index[year.reindex(repaired.index) == which]
        repaired.loc[ids, DIMENSIONS] = repaired.loc[ids, DIMENSIONS[::-1]].to_numpy()
        warnings.warn(
            f"song-level labels of {which}: valence and arousal were swapped back in {len(ids)} "
            f"songs (valence - arousal goes with the dynamic labels' at r = {row['r']:.2f})",
            DataWarning,
            stacklevel=2,
        )
    return repaired


def find_swapped(song_level: pd.DataFrame, labels: pd.DataFrame, year: pd.Series) -> pd.DataFrame:
    """Measure for each year whether the song-level columns are swapped.

    The difference valence - arousal of the song-level labels is correlated with that of the mean
    dynamic labels. Swapped columns turn the sign of the former, so r is clearly negative. The
    parameters are those of :func:`unswap`.

    Returns
    -------
    DataFrame
        Index year; columns `songs` (with both kinds of label), `r`, `p` (two-tailed), `swapped`
        (r < 0 and p < 0.001). Years with fewer than three songs are left out.

    References
    ----------
    Measured on DEAM: r is clearly negative for the 744 songs of 2013 and nowhere else. Notebook 00.
    """
    dynamic = labels.groupby(level="song_id").mean().reindex(song_level.index)
    sides = {"song_level": song_level, "dynamic": dynamic}
    differences = {name: side["valence"] - side["arousal"] for name, side in sides.items()}
    differences = pd.DataFrame(differences).dropna()
    rows = {}
    for which, group in differences.groupby(year.reindex(differences.index)):
        if len(group) > 2 and (group.nunique() > 1).all():
            r, p = stats.pearsonr(group["song_level"], group["dynamic"])
            rows[which] = {"songs": len(group), "r": r, "p": p, "swapped": r < 0 and p < SURE}
    columns = ["songs", "r", "p", "swapped"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("year")

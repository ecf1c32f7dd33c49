"""Features of a whole song: one row for each."""

from __future__ import annotations

import pandas as pd

from mer_core.files import DataError
from mer_core.tracks import as_table, as_track


def song_level(features: pd.DataFrame, functionals: pd.DataFrame | None = None) -> pd.DataFrame:
    """Mean and standard deviation of every feature over each song, behind the song's functionals.

    Parameters
    ----------
    features : DataFrame
        A track; every row counts, labelled or not.
    functionals : DataFrame, optional
        Index song_id, one column per functional, as :func:`mer_core.features.functionals` gives
        them for a song.

    Returns
    -------
    DataFrame
        Index song_id. The functionals first, then `<name>_mean` and `<name>_sd` (population
        standard deviation) of each feature: 6,373 + 2 x 260 = 6,893 columns with MediaEval's 260.

    Raises
    ------
    DataError
        If a song has no functionals, a column is in both, or either holds something else than
        finite numbers; see :func:`mer_core.tracks.as_track`.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[7], [0.0, 0.5]], names=["song_id", "time"])
    >>> song_level(pd.DataFrame({"tempo": [100.0, 120.0]}, index))
             tempo_mean  tempo_sd
    song_id
    7             110.0      10.0

    References
    ----------
    Herremans et al. (2019) count 6,669 features a song. 6,373 of them are the functionals; the 296
    that remain, or 148 pairs of mean and standard deviation, fit no set that the paper names (130
    descriptors with deltas make 260, MediaEval's 260 make 520). Notebook 06.
    """
    features = as_track(features, "features")
    by_song = features.groupby(level="song_id")
    means, spreads = by_song.mean().add_suffix("_mean"), by_song.std(ddof=0).add_suffix("_sd")
    moments = means.join(spreads)
    if functionals is None:
        return moments
    functionals = as_table(functionals, "functionals")
    missing = moments.index[~moments.index.isin(functionals.index)]
    if len(missing):
        raise DataError("functionals", "a row for every song", f"none for {list(missing[:5])}")
    both = list(functionals.columns.intersection(moments.columns))
    if both:
        raise DataError("functionals", "other columns than the features' moments", f"{both[:3]}")
    return functionals.loc[moments.index].join(moments)

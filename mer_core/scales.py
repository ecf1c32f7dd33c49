"""Labels on another scale than [-1, 1]: detected and reported, never converted."""

import numpy as np
import pandas as pd

from mer_core.files import note
from mer_core.tracks import DIMENSIONS

SCALES = [
    *((0, 1), (-1, 1), (1, 5), (1, 7), (1, 9), (0, 5), (0, 10), (0, 100)),
    *((-2, 2), (-3, 3), (-4, 4), (-5, 5), (-10, 10), (-100, 100)),
]
"""Scales in use; of two that cover the same values, the likelier is first."""
OUTSIDE = 0.1
"""Share of values out of range from which another scale is likelier than a few wrong values."""
FEW, MANY, RATED = 5, 20, 3
"""Songs without a negative value from which [0, 1] is suspected: in both dimensions, in one of
them, and with song-level means to compare. Cheerful songs have none either: 45 % of DEAM's in both
dimensions. Of 1500 random draws of songs from DEAM, five without song-level means were suspected
in 2.3 %, three with them in 0.7 %, ten in none; moved to [0, 1], all were."""


def probable_scale(values: np.ndarray, *, target: tuple[int, int] = (-1, 1)) -> str:
    """Name the scale that values out of range seem to have, and the formula for the target scale.

    The text is empty if few values are out of range or no usual scale covers them. NaN is ignored.

    >>> probable_scale(np.array([1.5, 4.0, 8.5]))
    '; the values look like 1 to 9, and (x - 5) / 4 converts them to -1 to 1'
    >>> probable_scale(np.array([0.2, 0.4, 1.01, *20 * [0.1]]))
    ''
    """
    values = values[~np.isnan(values)]
    low, high = target
    if not len(values) or ((values < low) | (values > high)).mean() < OUTSIDE:
        return ""
    covering = [(a, b) for a, b in SCALES if a <= values.min() and values.max() <= b]
    if not covering:
        return ""
    a, b = covering[0]
    centred = f"(x - {(a + b) / 2:g})" if a + b else "x"
    formula = f"{(low + high) / 2:g} + {centred} * {(high - low) / (b - a):g}"
    if target == (-1, 1):
        formula = f"{centred} / {(b - a) / 2:g}"
    return f"; the values look like {a} to {b}, and {formula} converts them to {low} to {high}"


def warn_of_unsigned(
    labels: pd.DataFrame, where: object, song_level: pd.DataFrame | None = None
) -> None:
    """Warn if labels look like [0, 1], as those of PMEmo, instead of [-1, 1].

    Labels on [0, 1] have no negative value. Neither have cheerful songs, hence the rule: a
    dimension is suspected if no value in it is negative and song-level means (index song_id; at
    least three songs) fit 2x - 1 better than x. Without song-level means it is suspected if there
    are at least five songs and neither dimension has a negative value, or at least twenty songs.
    """
    suspected = [name for name in DIMENSIONS if len(labels) and labels[name].min() >= 0]
    if not suspected:
        return
    means = labels[suspected].groupby(level="song_id").mean()
    songs = means.index[:0] if song_level is None else song_level.dropna().index
    songs = songs.intersection(means.index)
    evidence = ""
    if len(songs) >= RATED:
        # The mean over both dimensions stays the same if song-level columns are swapped.
        rated, x = (frame.loc[songs, suspected].mean(axis=1) for frame in (song_level, means))
        errors = [float(np.sqrt(((rated - guess) ** 2).mean())) for guess in (x, 2 * x - 1)]
        if errors[0] <= errors[1]:
            return
        evidence = (
            f"; the song-level means of {len(songs)} songs show this as well: they differ from the "
            f"curves x by {errors[0]:.2f}, and from 2x - 1 by {errors[1]:.2f} (RMS)"
        )
    elif len(means) < (FEW if len(suspected) == len(DIMENSIONS) else MANY):
        return
    found = f"no negative {' or '.join(suspected)} in {len(means)} songs"
    found = f"{found}, so they look like [0, 1]{evidence}"
    note(f"{where}: expected labels in [-1, 1], found {found}. {_remedy('they are on [0, 1]')}")


def warn_of_five_points(song_level: pd.DataFrame, labels: pd.DataFrame, where: object) -> None:
    """Warn if song-level means, read as 1 to 9 and brought to [-1, 1], look like 1 to 5.

    They do if no mean is above 5, and 2x + 1 (the reading of 1 to 5) fits the curves' means better
    than x over at least five songs.
    """
    rated = song_level.dropna()
    if len(rated) < FEW or rated.max(axis=None) > 0:
        return
    means = labels.groupby(level="song_id").mean().mean(axis=1)
    level = rated.mean(axis=1).reindex(means.index).dropna()
    if len(level) >= FEW:
        errors = [((guess - means[level.index]) ** 2).mean() for guess in (level, 2 * level + 1)]
        if errors[1] < errors[0]:
            found = "none above 5, so they look like 1 to 5"
            note(f"{where}: expected means from 1 to 9, found {found}. {_remedy('so')}")


def _remedy(condition: str) -> str:
    return f"Nothing was converted; if {condition}, replace each value x in the files by 2x - 1"

"""Figures of the explorer: a match and its profile, a curve and its spread."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from mer_core.metrics import DIMENSIONS
from mer_core.retrieval import alignment
from workbook.plots import GREY, PALETTE


def draw_match(profile: pd.DataFrame, curve: pd.DataFrame, *, band: float | None) -> Figure:
    """Draw a profile and the piece of a song that was found for it.

    Each grey line joins two moments that are compared; the longer the lines, the larger the
    distance.

    Parameters
    ----------
    profile : DataFrame
        Index time in s, one or both of the columns valence, arousal.
    curve : DataFrame
        The piece: as many rows, index time in s of the song, both columns.
    band : float or None
        Of dynamic time warping; None compares moment by moment.
    """
    asked = [dimension for dimension in DIMENSIONS if dimension in profile]
    time, step = curve.index.to_numpy(), np.arange(len(profile))
    pairs = np.c_[step, step]
    if band is not None:
        pairs = alignment(profile[asked], curve[asked], band=band)
    figure, axes = plt.subplots(1, len(asked), figsize=(4.8 * len(asked), 3.2), squeeze=False)
    for ax, dimension in zip(axes[0], asked):
        both = profile[dimension].to_numpy(), curve[dimension].to_numpy()
        sides = [values[rows] for values, rows in zip(both, pairs.T)]
        ax.plot(time[pairs.T], sides, color=GREY, lw=0.6, alpha=0.7)
        ax.plot(curve.index, profile[dimension], "k--", lw=1.6, label="asked for")
        ax.plot(curve.index, curve[dimension], color=PALETTE[dimension], lw=2.2, label="found")
        ax.set(ylim=(-1, 1), xlabel="time in the song (s)", ylabel=dimension, title=dimension)
        ax.legend(fontsize="small")
    return figure


def draw_spread(curve: pd.DataFrame, spread: pd.DataFrame) -> Figure:
    """Draw the mean and, as a band, the standard deviation of :func:`predict_curve`."""
    figure, ax = plt.subplots(figsize=(9, 3.2))
    for dimension, colour in PALETTE.items():
        middle, sd = curve[dimension], spread[dimension]
        ax.plot(curve.index, middle, color=colour, lw=2, label=f"{dimension}, predicted")
        ax.fill_between(curve.index, middle - sd, middle + sd, color=colour, alpha=0.2, lw=0)
    ax.set(ylim=(-1, 1), xlabel="time (s)", ylabel="-1 to 1")
    ax.legend(fontsize="small")
    ax.set_title("mean of the models, and one standard deviation of their answers")
    return figure

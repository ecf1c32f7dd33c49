"""Figures in one palette, safe for colour-blind readers."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from mer_core.own_songs import COLOURS

PALETTE = COLOURS
GREY = "#777777"
CORNERS = {
    (-1, 1): "angry, tense",
    (1, 1): "happy, excited",
    (-1, -1): "sad, bored",
    (1, -1): "calm, content",
}
"""Emotions at the corners of the plane of valence and arousal."""


def use_style() -> None:
    """Set the workbook's style for all figures that follow."""
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind")
    plt.rcParams.update({"figure.figsize": (9, 3.6), "figure.dpi": 90, "axes.titlesize": "medium"})
    plt.rcParams.update({"figure.constrained_layout.use": True, "savefig.dpi": 90})


def draw_curves(
    labels: pd.DataFrame, predictions: pd.DataFrame | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw valence and arousal of one song over time, and predictions dashed beside them.

    Parameters
    ----------
    labels, predictions : DataFrame
        Index time in s, columns valence, arousal in [-1, 1]: one song of a track.
    ax : Axes, optional
        A new figure by default.
    """
    ax = ax or plt.subplots()[1]
    for dimension, colour in PALETTE.items():
        ax.plot(labels.index, labels[dimension], color=colour, lw=2, label=f"{dimension}, rated")
        if predictions is not None:
            line, dashed = predictions[dimension], {"ls": "--", "lw": 1.2, "color": colour}
            ax.plot(line.index, line, label=f"{dimension}, predicted", **dashed)
    ax.set(xlabel="time (s)", ylabel="rating, -1 to 1", ylim=(-1, 1))
    ax.legend(fontsize="small", handlelength=1.5, labelspacing=0.3)  # where it hides least
    return ax


def draw_plane(
    points: pd.DataFrame, *, hue: pd.Series | None = None, ax: Axes | None = None, **style: object
) -> Axes:
    """Draw points on the plane of valence and arousal (Russell, 1980), with its corners named.

    Parameters
    ----------
    points : DataFrame
        Columns valence, arousal in [-1, 1].
    hue : Series, optional
        Same index as the points; the values that the colours show.
    ax : Axes, optional
        A new figure by default.
    **style
        Passed to :func:`seaborn.scatterplot`.
    """
    ax = ax or plt.subplots(figsize=(5.2, 5))[1]
    sns.scatterplot(points, x="valence", y="arousal", hue=hue, ax=ax, **style)
    ax.axhline(0, color=GREY, lw=0.8)
    ax.axvline(0, color=GREY, lw=0.8)
    for (x, y), name in CORNERS.items():
        side = "left" if x < 0 else "right"
        ax.text(0.96 * x, 0.92 * y, name, ha=side, va="center", color=GREY, fontsize="small")
    ticks = [-1, -0.5, 0, 0.5, 1]
    ax.set(xlim=(-1, 1), ylim=(-1, 1), xticks=ticks, yticks=ticks, aspect="equal")
    ax.set(xlabel="valence: unpleasant to pleasant", ylabel="arousal: calm to excited")
    return ax

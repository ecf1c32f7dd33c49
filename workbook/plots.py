"""Figures in one palette, safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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

    Both have the index time in s and columns valence, arousal in [-1, 1]: one song of a track.
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


def draw_differences(
    table: pd.DataFrame, *, ax: Axes | None = None, detectable: float | None = None, unit: str = ""
) -> Axes:
    """Draw a forest plot: a value and its interval for each row, beside a line at 0.

    The circle is filled if the interval excludes 0, and open if it contains 0 or is missing.

    Parameters
    ----------
    table : DataFrame
        One row a name, the first row at the top; columns value, low, high. An optional column
        `group` gives rows a colour and the legend an entry: valence, arousal, or any name.
    detectable : float, optional
        The smallest difference that so many songs show: a grey band from -detectable to it.
    unit : str
        What the values are, with their unit: the label of the axis.

    Examples
    --------
    >>> rows = {"ridge": {"value": -0.02, "low": -0.03, "high": -0.01}}
    >>> draw_differences(pd.DataFrame(rows).T, unit="difference in RMSE").get_yticklabels()
    [Text(0, 0, 'ridge')]
    """
    ax = ax or plt.subplots(figsize=(8, 0.9 + 0.3 * len(table)))[1]
    if detectable is not None:
        ax.axvspan(
            -detectable,
            detectable,
            color=GREY,
            alpha=0.2,
            lw=0,
            label="often missed with so few songs",
        )
    ax.axvline(0, color=GREY, lw=1)
    groups = dict.fromkeys(table.get("group", ()))
    hues = dict(zip(groups, sns.color_palette("colorblind", len(groups)))) | {
        name: PALETTE[name] for name in groups if name in PALETTE
    }
    for place, (_, row) in enumerate(table.iterrows()):
        sure = row["low"] > 0 or row["high"] < 0
        colour = hues.get(row.get("group"), "black")
        ax.plot([row["low"], row["high"]], [place, place], color=colour, lw=1.5)
        ax.plot(row["value"], place, "o", color=colour, mfc=colour if sure else "white")
    for group, hue in hues.items():
        ax.plot([], [], "o-", color=hue, label=group)
    ax.set(yticks=range(len(table)), yticklabels=table.index, xlabel=unit)
    ax.set_ylim(len(table) - 0.5, -0.5)
    if hues or detectable is not None:
        ax.legend(fontsize="small")
    return ax


def draw_panels(tables: Mapping[str, pd.DataFrame], *, height: float) -> Figure:
    """Draw forest plots of differences of RMSE, two in a row, with one axis; real music is tinted.

    `tables` maps a title, which has the word REAL for real music, to a table as of
    :func:`draw_differences` that also has the column `songs`; `height` is in inches.

    Examples
    --------
    >>> row = {"value": -0.02, "low": -0.03, "high": -0.01, "songs": 36}
    >>> figure = draw_panels({"REAL: DEAM": pd.DataFrame({"ridge": row}).T} , height=3)
    >>> figure.axes[0].get_title()
    'REAL: DEAM, 36 songs'
    """
    figure, axes = plt.subplots(-(-len(tables) // 2), 2, figsize=(12, height), sharex=True)
    for ax, (title, table) in zip(axes.flat, tables.items()):
        draw_differences(table, ax=ax, unit="difference of RMSE")
        ax.set_title(f"{title}, {table['songs'].iloc[0]:.0f} songs")
        ax.label_outer()
        if "REAL" in title:
            ax.set_facecolor("#F3F7EE")
    return figure

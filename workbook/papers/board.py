"""The scoreboard of the README, as Markdown made from stored results."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from mer_core.metrics import DIMENSIONS
from workbook.papers.comparison import compare
from workbook.papers.tables import published, systems

OPPONENTS = ["constant", "linear"]
"""Of ours, beside every network."""


def board(scores: pd.DataFrame, whole: pd.DataFrame) -> str:
    """Two tables: RMSE on the test songs, and R2 of whole songs; each paper's figure beside ours.

    Parameters
    ----------
    scores : DataFrame
        Of the embedded corpus, as for :func:`compare`.
    whole : DataFrame
        Of whole songs: levels system and dimension, columns r2, low, high.

    Returns
    -------
    str
        Markdown. A figure that a paper does not print, or that our copy has lost, is a dash.

    References
    ----------
    Notebook 11.
    """
    lesson = systems()["lesson"].to_dict() | dict.fromkeys(OPPONENTS, "02")
    head = [*(f"{k}, {side}" for k in DIMENSIONS for side in ("paper", "ours")), "lesson"]
    halves = [
        as_markdown(["system, features, output", *head], _half_seconds(scores, lesson)),
        as_markdown(["system", *head], _whole_songs(whole, lesson)),
    ]
    return "\n\n".join(halves)


def _half_seconds(scores: pd.DataFrame, lesson: dict[str, str]) -> Iterable[list[str]]:
    """Rows for the test songs of 2015: the papers' on theirs, ours on the embedded corpus's."""
    rows = compare(scores).query("protocol == 'test' and metric == 'rmse' and split != 'test 2014'")
    rows = rows.dropna(subset="ours_value")
    names = ["ours", "our_features", "output"]
    means = rows.groupby([*names, "dimension"], sort=False)[["value", "ours_value"]].mean()
    wide = means.unstack("dimension").dropna(axis=0, subset=[("ours_value", DIMENSIONS[0])])
    own = scores.xs(("FS1", "smoothed", "test", "mean"), level=[1, 2, 3, 6])["rmse"]
    own = own.groupby(["system", "dimension"]).mean()
    for name in OPPONENTS:
        yield [f"{name}, FS1, smoothed", *_pairs(lambda k: None, own[name].get), lesson[name]]
    for label in sorted(wide.index, key=lambda label: lesson[label[0]]):
        row = wide.loc[label]
        yield [
            ", ".join(filter(None, label)),
            *_pairs(row["value"].get, row["ours_value"].get),
            lesson[label[0]],
        ]


def _whole_songs(whole: pd.DataFrame, lesson: dict[str, str]) -> Iterable[list[str]]:
    printed = published().query("metric == 'r2' and table == 'table 1'")
    printed = printed.set_index(["ours", "dimension"])["value"]
    for name in ("constant", "ridge", "SVM", "PCA-SVM", "TNN-SVM", "average"):
        ours = whole["r2"][name].get
        theirs = printed[name].get if name in printed.index else lambda k: None
        yield [name, *_pairs(theirs, ours), lesson.get(name, "06")]


def _pairs(theirs: Callable, ours: Callable) -> list[str]:
    values = [side(k) for k in DIMENSIONS for side in (theirs, ours)]
    return ["–" if value is None or pd.isna(value) else f"{value:.3f}" for value in values]


def as_markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

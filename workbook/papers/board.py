"""The scoreboard of the README, as Markdown made from stored results."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from mer_core.metrics import DIMENSIONS
from workbook.papers.comparison import compare
from workbook.papers.tables import published, systems

BASELINES = ["constant", "linear"]


def board(scores: pd.DataFrame, whole: pd.DataFrame) -> str:
    """Two Markdown tables: RMSE on the test songs, and R2 of whole songs; the papers' beside ours.

    Parameters
    ----------
    scores : DataFrame
        Of the embedded corpus, as for :func:`compare`.
    whole : DataFrame
        Of whole songs: levels system and dimension, column r2.
    """
    lesson = systems()["lesson"].to_dict() | dict.fromkeys(BASELINES, "02")
    head = [*(f"{k}, {side}" for k in DIMENSIONS for side in ("paper", "ours")), "lesson"]
    half_seconds = _markdown(["system, features, output", *head], _half_seconds(scores, lesson))
    return half_seconds + "\n\n" + _markdown(["system", *head], _whole_songs(whole, lesson))


def _half_seconds(scores: pd.DataFrame, lesson: dict[str, str]) -> Iterable[list[str]]:
    """Rows for the test songs: those of 2015 in the papers, the embedded corpus's in ours."""
    rows = compare(scores).query("protocol == 'test' and metric == 'rmse' and split != 'test 2014'")
    rows = rows.dropna(subset="ours_value")
    names = ["ours", "our_features", "output"]
    means = rows.groupby([*names, "dimension"], sort=False)[["value", "ours_value"]].mean()
    wide = means.unstack("dimension").dropna(axis=0, subset=[("ours_value", DIMENSIONS[0])])
    own = scores.xs(("FS1", "smoothed", "test", "mean"), level=[1, 2, 3, 6])["rmse"]
    own = own.groupby(["system", "dimension"]).mean()
    for name in BASELINES:
        yield [f"{name}, FS1, smoothed", *_pairs({}.get, own[name].get), lesson[name]]
    for label in sorted(wide.index, key=lambda label: lesson[label[0]]):
        row, name = wide.loc[label], ", ".join(filter(None, label))
        yield [name, *_pairs(row["value"].get, row["ours_value"].get), lesson[label[0]]]


def _whole_songs(whole: pd.DataFrame, lesson: dict[str, str]) -> Iterable[list[str]]:
    printed = published().query("metric == 'r2' and table == 'table 1'")
    printed = printed.set_index(["ours", "dimension"])["value"]
    for name in ("constant", "ridge", "SVM", "PCA-SVM", "TNN-SVM", "average"):
        theirs = printed[name].get if name in printed.index else {}.get
        yield [name, *_pairs(theirs, whole["r2"][name].get), lesson.get(name, "06")]


def _pairs(theirs: Callable, ours: Callable) -> list[str]:
    """Cells of both sides and dimensions; a missing number is a dash."""
    values = [side(k) for k in DIMENSIONS for side in (theirs, ours)]
    return ["–" if value is None or pd.isna(value) else f"{value:.3f}" for value in values]


def _markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

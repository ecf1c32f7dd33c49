"""Our results beside the papers': whether the differences mean anything, and the scoreboard."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from mer_core.files import DataError
from mer_core.metrics import DIMENSIONS, METRICS
from mer_core.tracks import check_columns
from workbook.intervals import contributions, difference
from workbook.papers.tables import published, systems
from workbook.studies.study import setting_of

LEVELS = {
    "system": None,
    "features": None,
    "output": ["raw", "smoothed"],
    "protocol": ["CV", "validation", "held-out", "test"],
    "dimension": DIMENSIONS,
    "aggregation": ["pooled", "mean", "sd"],
}
"""Index levels of a result table, with their allowed values."""

SCALES = {
    "2015 task, development": "the labels of 2015 were averaged again before DEAM was published",
    "2015 task, test": "it is not known whether DEAM's test labels are those of 2015",
    "2014 task": "the labels of 2014 are not on DEAM's scale",
}
"""Why scores against the papers' labels differ from scores against DEAM's."""

BASELINES = {
    "constant": ("FS1", "smoothed"),
    "linear": ("FS1", "smoothed"),
    "linear, tuned": ("FS1", "smoothed"),
    "delayed linear": ("FS1", "smoothed"),
    "delayed linear, ranks": ("FS1", "smoothed"),
    "SVR, tuned": ("FS1", "smoothed"),
}
"""Features and output of the simple systems of every table."""
OPPONENT = ("delayed linear", *BASELINES["delayed linear"])
"""What every system's difference is measured to."""
OWN_SETTINGS = "paper's setting|fifty networks"
"""In the names of systems that were run in a paper's setting or size."""


def compare(ours: pd.DataFrame, *, corpus: str = "mini") -> pd.DataFrame:
    """Put our results beside the papers' rows and say whether the differences mean anything.

    Parameters
    ----------
    ours : DataFrame
        Index with the levels :data:`LEVELS` and, if there are several, seed; columns as of
        :func:`mer_core.metrics.score`. DataError if a level, metric or value is missing or unknown,
        or a row is there twice.
    corpus : str
        The data of ours; anything but the synthetic "mini" is taken for DEAM.

    Returns
    -------
    DataFrame
        The rows and columns of :func:`published`, and: ours_value (mean over seeds; the mean per
        song where the paper does not state its aggregation), ours_sd (over songs), ours_spread
        (over seeds), difference (ours minus the paper's), comparable (a sentence). Where
        `our_features` was empty, there is a row for each set of ours.

    Examples
    --------
    >>> from mer_core.metrics import METRICS
    >>> row = ("TNN-SVM", "functionals", "raw", "CV", "valence", "pooled")
    >>> index = pd.MultiIndex.from_tuples([row], names=list(LEVELS))
    >>> rows = compare(pd.DataFrame(0.4, index, list(METRICS)), corpus="DEAM")
    >>> rows.dropna(subset="difference")[["value", "ours_value"]].values.tolist()
    [[0.378, 0.4]]
    """
    rows = published()
    rows["our_aggregation"] = rows["aggregation"].where(rows["aggregation"] == "pooled", "mean")
    names = {"system": "ours", "aggregation": "our_aggregation", "features": "ours_features"}
    found = _cells(_checked(ours)).rename(columns=names)
    # Twice: for the rows that name our features, and for those that leave them open.
    both = [found.assign(our_features=features) for features in (found["ours_features"], "")]
    found = pd.concat(both).drop_duplicates()
    keys = ["ours", "our_features", "output", "protocol", "dimension", "our_aggregation", "metric"]
    rows = rows.merge(found, how="left", on=keys, indicator="side")
    rows["our_features"] = rows.pop("ours_features").fillna(rows["our_features"])
    rows["difference"] = rows["ours_value"] - rows["value"]
    rows["comparable"] = [_comparable(row, corpus) for row in rows.itertuples()]
    return rows.drop(columns=["our_aggregation", "side"])


def _checked(ours: pd.DataFrame) -> pd.DataFrame:
    """Return the metrics of ours with its index as columns; raise a DataError if it is invalid."""
    names = set(ours.index.names)
    if names - {"seed"} != set(LEVELS):
        raise DataError("ours", f"an index of {list(LEVELS)}", f"{list(ours.index.names)}")
    check_columns(ours, "ours", list(METRICS))
    text = list(ours[list(METRICS)].select_dtypes(exclude="number"))
    if text:
        raise DataError("ours", "numbers", f"something else in the columns {text}")
    if not ours.index.is_unique:
        twice = ours.index[ours.index.duplicated()][0]
        raise DataError("ours", "every row once", f"{twice} more than once")
    for level, known in LEVELS.items():
        values = ours.index.unique(level)
        unknown = [v for v in values if pd.isna(v) or (known and v not in known)]
        if unknown:
            expected = f"one of {known}" if known else "a name"
            raise DataError("ours", f"{level} to be {expected} in every row", f"{unknown}")
    return ours[list(METRICS)].reset_index()


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each number of ours: ours_value, ours_spread over seeds, ours_sd over songs."""
    levels = [*LEVELS, "metric"]
    index = [name for name in table if name not in METRICS]
    long = table.melt(index, list(METRICS), var_name="metric")
    groups = long.groupby(levels, sort=False)["value"]
    # Not skipping NaN: a seed without r must not drop out of the mean silently.
    value = groups.agg(lambda values: values.mean(skipna=False)).rename("ours_value")
    cells = pd.concat([value, groups.std().rename("ours_spread")], axis=1).reset_index()
    sd = cells[cells["aggregation"] == "sd"].assign(aggregation="mean")
    sd = sd.rename(columns={"ours_value": "ours_sd"}).drop(columns="ours_spread")
    return cells[cells["aggregation"] != "sd"].merge(sd, how="left", on=levels)


def _comparable(row: tuple, corpus: str) -> str:
    """Return a sentence on whether the difference to the paper means anything."""
    if row.source == "not in our source":
        return "Not in our source: our copy of the paper has lost the number."
    if not row.ours:
        return "We have no such system."
    if row.side == "left_only":
        return "Not run: our results do not contain it."
    if pd.isna(row.ours_value):
        return "Undefined in ours: a constant has no correlation."
    verdict = "Only the direction means something"
    if row.metric == "rmse":
        verdict = "The difference means nothing, only the order of systems does"
    return f"{verdict}: {'; '.join(_reasons(row, corpus))}."


def _reasons(row: tuple, corpus: str) -> list[str]:
    reasons = {
        "ours is computed on synthetic songs": corpus == "mini",
        "an RMSE is in the unit of its labels": row.metric == "rmse",
        SCALES.get(row.scale): row.scale in SCALES,
        "the paper does not state its aggregation": row.aggregation == "not stated",
        "the paper does not state its split": row.split == "not stated",
        "the paper scores the 1000 test songs of 2014": row.split == "test 2014",
        "the paper chose its models on these very songs": row.split in ("validation", "held-out"),
    }
    return [reason for reason, applies in reasons.items() if applies]


def board(scores: pd.DataFrame, songs: pd.DataFrame, whole: pd.DataFrame) -> str:
    """Two Markdown tables: RMSE on the test songs, and R2 of whole songs; the papers' beside ours.

    `scores` and `songs` are of the embedded corpus, as for :func:`compare` and `judge`; `whole` of
    whole songs: levels system and dimension, column r2.
    """
    sides = [f"{k}, {side}" for k in DIMENSIONS for side in ("paper", "ours", "detectable")]
    head = ["system, features, output", "setting", *sides, "lesson"]
    half_seconds = as_markdown(head, _half_seconds(scores, songs))
    sides = [f"{k}, {side}" for k in DIMENSIONS for side in ("paper", "ours")]
    head = ["system", "setting", *sides, "lesson"]
    return half_seconds + "\n\n" + as_markdown(head, _whole_songs(whole))


def lesson_of(system: str) -> str:
    """The number of the lesson that has a system."""
    lessons = systems()["lesson"]
    return next((lessons[name] for name in lessons.index if system.startswith(name)), "02")


def detectable(songs: pd.DataFrame, label: tuple[str, str, str]) -> list[float]:
    """Least differences of RMSE to `OPPONENT` that the test songs detect, for each dimension.

    `label` is system, features, output; 80 % power, 5 % (:func:`workbook.intervals.difference`).
    """
    if label == OPPONENT:
        return [np.nan] * len(DIMENSIONS)
    rmse = songs["rmse"].xs("test", level="protocol")
    levels = ["system", "features", "output", "dimension"]
    found = []
    for name in DIMENSIONS:
        sides = (rmse.xs((*one, name), level=levels) for one in (label, OPPONENT))
        found.append(difference(*map(contributions, sides))["detectable"])
    return found


def _half_seconds(scores: pd.DataFrame, songs: pd.DataFrame) -> Iterable[list[str]]:
    """Rows for the test songs: those of 2015 in the papers, the embedded corpus's in ours."""
    rows = compare(scores).query("protocol == 'test' and metric == 'rmse' and split != 'test 2014'")
    names = ["ours", "our_features", "output", "dimension"]
    printed = rows.dropna(subset="ours_value").groupby(names)["value"].mean()
    own = scores.xs(("test", "mean"), level=["protocol", "aggregation"])["rmse"]
    own = own.groupby(["system", "features", "output", "dimension"]).mean()
    labels = [(name, *rest) for name, rest in BASELINES.items() if name in own.index]
    settings = own.index[own.index.get_level_values(0).str.contains(OWN_SETTINGS)]
    settings = settings[settings.get_level_values("output") == "raw"].droplevel("dimension")
    further = dict.fromkeys([*printed.index.droplevel("dimension"), *settings])
    for label in [*labels, *sorted(further, key=lambda label: (lesson_of(label[0]), *label))]:
        sides = (printed.get((*label, k)) for k in DIMENSIONS), (own[*label, k] for k in DIMENSIONS)
        cells = [_number(v) for three in zip(*sides, detectable(songs, label)) for v in three]
        yield [", ".join(label), setting_of(label[0]), *cells, lesson_of(label[0])]


def _whole_songs(whole: pd.DataFrame) -> Iterable[list[str]]:
    printed = published().query("metric == 'r2' and table == 'table 1'")
    printed = printed.set_index(["ours", "dimension"])["value"]
    for name in ("constant", "ridge", "SVM", "PCA-SVM", "TNN-SVM", "TNN-SVM, 600", "average"):
        paper = name.removesuffix(", 600")
        values = [side.get((k, d)) for d in DIMENSIONS
                  for side, k in ((printed, paper), (whole["r2"], name))]  # fmt: skip
        lesson = "02" if name == "constant" else "06"
        yield [name, setting_of(name), *map(_number, values), lesson]


def _number(value: float | None) -> str:
    """Three digits; a missing number is a dash."""
    return "–" if value is None or pd.isna(value) else f"{value:.3f}"


def as_markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

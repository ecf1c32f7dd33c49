"""What a study is, and small helpers to list its units and to label its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product as tuples
from typing import NamedTuple

import pandas as pd

from mer_core.corpus import Corpus

FEATURE_SETS = {
    "FS1": ("compare",),
    "FS2": ("compare", "psychoacoustic"),
    "268": ("compare", "spectral"),
}
"""The papers' names: Munich's FS1 and FS2, IRIT's 268."""
Units = list[tuple[tuple, dict]]
"""Pairs of a label (a row of the table; folds share one) and a unit, a function's arguments."""
Levels = tuple[str, ...]
"""Names of a label's parts."""
Frames = Mapping[tuple, pd.DataFrame]
"""What the function returned, by label."""
Tables = Sequence[pd.DataFrame]


def as_they_are(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Tabulate by concatenating the frames."""
    own = next(iter(frames.values())).index.names
    return (pd.concat(frames, names=[*levels, *own]),)


class Study(NamedTuple):
    """A study: its units, and how their frames become tables.

    `function(corpus, **unit)` returns a unit's frame, and `tabulate(corpus, frames, levels)` a
    table for each of the files, in whose names {} is the study's. `corpus` loads the data; None is
    the embedded corpus. `cheapest` has the first parts of the labels that the tests compute again.
    """

    function: Callable[..., pd.DataFrame]
    units: Units
    levels: Levels
    tabulate: Callable[[Corpus, Frames, Levels], Tables] = as_they_are
    files: tuple[str, ...] = ("{}.csv",)
    corpus: Callable[[], Corpus] | None = None
    cheapest: tuple = ()


def joined(*studies: Study) -> Study:
    """One study with the units of all, which must have everything else in common."""
    if len({(each.function, each.levels, each.tabulate) for each in studies}) > 1:
        raise ValueError("studies: expected one function, levels and tables, found several")
    return studies[0]._replace(units=[unit for each in studies for unit in each.units])


def product(**lists: Iterable) -> list[dict[str, object]]:
    """Every combination of some arguments, as a list of dictionaries."""
    return [dict(zip(lists, values)) for values in tuples(*lists.values())]


def labelled(
    levels: Levels, fixed: Mapping[str, object] | None = None, /, **lists: Iterable
) -> Units:
    """Every combination of some arguments as a unit, labelled by those that are levels.

    `fixed` has the label's parts that are no arguments.

    Examples
    --------
    >>> labelled(("system", "seed"), {"system": "Elman"}, seed=[7])
    [(('Elman', 7), {'seed': 7})]
    """
    parts = dict(fixed or {})
    return [(tuple((unit | parts)[k] for k in levels), unit) for unit in product(**lists)]


def study_of(
    function: Callable[..., pd.DataFrame],
    levels: Levels,
    cheapest: tuple,
    *,
    units: Units | None = None,
    tabulate: Callable[[Corpus, Frames, Levels], Tables] = as_they_are,
    files: tuple[str, ...] = ("{}.csv",),
    corpus: Callable[[], Corpus] | None = None,
    **lists: Iterable,
) -> Study:
    """A :class:`Study` of given units, or of every combination of some arguments (`labelled`)."""
    units = labelled(levels, **lists) if units is None else units
    return Study(function, units, levels, tabulate, files, corpus, cheapest)


def setting_of(system: str) -> str:
    """Whether a table's row has a paper's setting or the one of class.

    Examples
    --------
    >>> [setting_of(name) for name in ("Elman", "Elman, paper's setting")]
    ['class', 'paper']
    """
    printed = ("linear, no penalty", "TNN-SVM, 600")
    return "paper" if system in printed or "paper's setting" in system else "class"


def by_seed(frames: Frames) -> dict[tuple, list[pd.DataFrame]]:
    """Lists of the frames whose labels differ only in the last part, the seed, by the rest."""
    groups: dict[tuple, list[pd.DataFrame]] = {}
    for (*label, _), frame in frames.items():
        groups.setdefault(tuple(label), []).append(frame)
    return groups


def framed(rows: Mapping[tuple, Mapping], names: list[str]) -> pd.DataFrame:
    """Rows by the parts of their labels, as a table whose index has these names."""
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(names)

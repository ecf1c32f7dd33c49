"""Shared by the notebooks: their corpus, the checks of answers and of key numbers.

Its import sets one thread for torch and for linear algebra, since the lessons' networks are so
small that several threads only wait for each other. `OMP_NUM_THREADS`, if set, decides instead.
"""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from mer_core import features
from mer_core.corpus import Corpus, with_titles
from mer_core.datasets import load_corpus
from mer_core.datasets.deam import chosen_data
from mer_core.features.sets import columns_of
from mer_core.files import DataError, check_in_repository, written_atomically
from mer_core.metrics import DIMENSIONS
from mer_core.tracks import floats
from workbook.intervals import contributions, difference
from workbook.results import stored_songs

EXPECTED = Path(__file__).parents[1] / "data" / "expected.json"
_answers: dict[str, bool] = {}


def _set_threads() -> None:
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ["OMP_NUM_THREADS"] = "1"  # for processes that a lesson starts
        threadpool_limits(1)
        torch.set_num_threads(1)


_set_threads()


def corpus(sets: Sequence[str] = ("compare",)) -> Corpus:
    """Load the corpus of the course: the embedded one, or the DEAM folder that `MER_DATA` names.

    Prints which it is, so that synthetic numbers are not taken for findings. `MER_DATA` unset,
    empty or "mini" means the embedded corpus.

    Parameters
    ----------
    sets : sequence of str
        Feature sets. DEAM brings "compare" only; others are extracted from its audio the first
        time (minutes) and cached.

    Raises
    ------
    DataError
        If the folder lacks features, ratings or audio.
    """
    where = chosen_data()
    loaded = load_corpus(where)
    parts = {
        "features": loaded.features.empty,
        "annotations per each rater": loaded.ratings is None,
        "MEMD_audio": loaded.songs["audio"].isna().all(),
    }
    missing = [name for name, absent in parts.items() if absent]
    if missing:
        found = f"no {', '.join(missing)}"
        raise DataError(where, "a complete copy of DEAM for the notebooks", found)
    kind = "the embedded corpus, SYNTHETIC" if where == "mini" else "DEAM, from MER_DATA"
    print(f"Data: {kind}; {len(loaded.songs)} songs.")
    return replace(loaded, songs=with_titles(loaded.songs), features=_with_sets(loaded, sets))


def _with_sets(loaded: Corpus, sets: Sequence[str]) -> pd.DataFrame:
    table = loaded.features
    missing = [name for name in sets if not columns_of(table, name)]
    if missing:
        more, failures = features.extract_all(loaded.songs["audio"].dropna(), missing)
        if len(failures):
            raise DataError("MEMD_audio", "audio that can be read", failures.iloc[0])
        table = table.join(more, how="inner")
    return features.choose(table, sets)


def kind() -> str:
    """What songs :func:`corpus` has, for titles: "SYNTHETIC", or "DEAM" (`MER_DATA`)."""
    return "SYNTHETIC" if chosen_data() == "mini" else "DEAM"


def differences(
    pairs: Mapping[str, tuple[tuple[str, str], tuple[str, str]]],
    *,
    protocol: str = "CV",
    data: str = "mini",
    metric: str = "rmse",
) -> pd.DataFrame:
    """Paired differences over songs of stored results, for :func:`workbook.plots.draw_differences`.

    Parameters
    ----------
    pairs : mapping of str to two rows
        A row is (system, output), as in :func:`workbook.results.table`, of the 260 features (FS1),
        or (system, output, features).
    protocol : {"CV", "test", "held-out"}
    data : {"mini", "deam", "vgmidi"}
        "mini" is SYNTHETIC; the others are real and have "CV" only.
    metric : {"rmse", "pearson"}

    Returns
    -------
    DataFrame
        A row for each pair and dimension: value (mean over songs of the first row's score minus
        that of the second), low, high (95 %), p, detectable, songs, group (the dimension). Each
        song's scores are averaged over the seeds that both rows have, if those are two or more,
        else over all.

    Examples
    --------
    >>> pairs = {"Elman - constant": (("Elman", "smoothed"), ("constant", "smoothed"))}
    >>> differences(pairs).loc["Elman - constant", ["group", "songs"]].values.tolist()
    [['valence', 96], ['arousal', 96]]
    """
    songs = _songs_of(data)
    levels = ["system", "output", "features", "protocol", "dimension"]
    rows = []
    for name, sides in pairs.items():
        for dimension in DIMENSIONS:
            keys = [(*(*side, "FS1")[:3], protocol, dimension) for side in sides]
            found = difference(*_of_common_seeds([songs.xs(k, level=levels)[metric] for k in keys]))
            rows.append({"name": name, "value": found.pop("difference"), **found})
            rows[-1]["group"] = dimension
    return pd.DataFrame(rows).set_index("name")


@lru_cache
def _songs_of(data: str) -> pd.DataFrame:
    return stored_songs(data)


def _of_common_seeds(sides: list[pd.Series]) -> list[pd.Series]:
    """Means over seeds of two systems' scores of songs."""
    common = sides[0].index.unique("seed").intersection(sides[1].index.unique("seed"))
    if len(common) > 1:
        sides = [side[side.index.isin(common, level="seed")] for side in sides]
    return [contributions(side) for side in sides]


def check_answer(
    exercise: str,
    answer: object,
    expected: object,
    *,
    tolerance: float = 0.0,
    hint: str = "",
    mistakes: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Print whether the answer to an exercise is right and, if it is wrong, why.

    Parameters
    ----------
    exercise : str
    answer : object
        The student's; `...` means that there is none yet.
    expected : object
        A number, an array, or anything that compares with `==`.
    tolerance : float
        Largest difference between numbers.
    hint : str
        Printed with a wrong answer.
    mistakes : mapping of str to object
        Comments, each with the answer to which a known mistake leads.

    Examples
    --------
    >>> check_answer("1", ..., 4)
    Exercise 1: not answered yet.
    >>> check_answer("1", 5, 4, hint="Count again.")
    Exercise 1: 5 is not it. That is too much. Count again.
    >>> check_answer("1", 8, 4, mistakes={"Those are both halves.": 8})
    Exercise 1: 8 is not it. Those are both halves.
    >>> check_answer("1", 4, 4)
    Exercise 1: right.
    """
    _answers[exercise] = answer is not ... and _agrees(answer, expected, tolerance)
    if answer is ...:
        verdict = "not answered yet."
    elif _answers[exercise]:
        verdict = "right."
    else:
        known = [why for why, wrong in mistakes.items() if _agrees(answer, wrong, tolerance)]
        why = known[0] if known else _difference(answer, expected, tolerance)
        verdict = " ".join(filter(None, [f"{_shown(answer)} is not it.", why, hint]))
    print(f"Exercise {exercise}: {verdict}")


def _agrees(answer: object, expected: object, tolerance: float) -> bool:
    if isinstance(expected, (str, bool)):
        answer = answer.item() if isinstance(answer, np.generic) else answer
        return type(answer) is type(expected) and answer == expected
    try:
        given, wanted = _numbers(answer), _numbers(expected)
    except DataError:
        return type(answer) is type(expected) and bool(np.all(answer == expected))
    return given.shape == wanted.shape and bool((np.abs(given - wanted) <= tolerance).all())


def _numbers(value: object) -> np.ndarray:
    if isinstance(value, (bool, np.bool_)) or getattr(value, "dtype", "") == "bool":
        return np.asarray(value).astype(float)
    if isinstance(value, str):
        try:
            return np.asarray(value, dtype=float)
        except ValueError:
            raise DataError("answer", "a number", "text") from None
    return floats(value, "answer")


def _difference(answer: object, expected: object, tolerance: float) -> str:
    kinds = [type(side).__name__ for side in (expected, answer)]
    other_kind = "" if kinds[0] == kinds[1] else f"Wanted: {kinds[0]}; found: {kinds[1]}."
    try:
        given, wanted = both = _numbers(answer), _numbers(expected)
    except DataError:
        return other_kind
    if isinstance(expected, bool):
        return other_kind
    if given.shape != wanted.shape:
        shapes = [f"numbers of shape {x.shape}" if x.ndim else "one number" for x in both]
        return f"Wanted: {shapes[1]}; found: {shapes[0]}."
    if wanted.ndim:
        wrong = int((~(np.abs(given - wanted) <= tolerance)).sum())
        return f"{wrong} of {wanted.size} numbers differ."
    if np.isnan(given):
        return "That is not a number."
    if wanted and abs(given + wanted) <= tolerance:
        return "The sign is wrong."
    return "That is too much." if given > wanted else "That is too little."


def _shown(answer: object) -> str:
    if isinstance(answer, (float, np.floating)):
        return f"{answer:.6g}"
    return reprlib.repr(answer.item() if isinstance(answer, np.generic) else answer)


def require_answers() -> None:
    """Raise an AssertionError unless all exercises so far are answered rightly."""
    wrong = [exercise for exercise, right in _answers.items() if not right]
    if wrong or not _answers:
        raise AssertionError(f"expected right answers to all exercises, found none to {wrong}")


def check_numbers(notebook: str, numbers: Mapping[str, tuple[float, float]]) -> None:
    """Compare a notebook's key numbers with `data/expected.json`: the reproducibility check.

    It applies to the embedded corpus; if `MER_DATA` names a folder, it only says so. With
    `MER_EXPECTED=write` the numbers are stored first.

    Parameters
    ----------
    notebook : str
        Its number, such as "00" or "04b".
    numbers : mapping of name to (value, tolerance)

    Raises
    ------
    AssertionError
        If a number is missing in the file or differs by more than the tolerance stored there.
    DataError
        If there is no such file, as in an installed package.
    """
    if chosen_data() != "mini":
        print("Other data than the embedded corpus: there are no expected numbers to check.")
        return
    if os.environ.get("MER_EXPECTED") == "write":
        check_in_repository(EXPECTED.parent, "the folder of the expected numbers")
        _store(notebook, numbers)
    check_in_repository(EXPECTED, "the expected numbers of the lessons")
    problems = _differences(json.loads(EXPECTED.read_text()).get(notebook, {}), numbers)
    if problems:
        raise AssertionError(f"notebook {notebook}: " + "; ".join(problems))
    print(f"All {len(numbers)} key numbers are as expected.")


def _differences(known: Mapping, numbers: Mapping[str, tuple[float, float]]) -> list[str]:
    if set(known) != set(numbers):
        names = ", ".join(sorted(set(known) ^ set(numbers)))
        return [f"expected the same numbers as in {EXPECTED.name}, found a difference in {names}"]
    return [
        f"{name}: expected {known[name]['value']} +- {known[name]['tolerance']}, found {value}"
        for name, (value, _) in numbers.items()
        if not abs(value - known[name]["value"]) <= known[name]["tolerance"]
    ]


def _store(notebook: str, numbers: Mapping[str, tuple[float, float]]) -> None:
    known = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    known[notebook] = {
        name: {"value": round(float(value), 6), "tolerance": tolerance}
        for name, (value, tolerance) in numbers.items()
    }
    with written_atomically(EXPECTED) as part:
        part.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")

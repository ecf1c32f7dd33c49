"""Verdicts on the papers' claims: paired differences over songs, one data set at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from mer_core.files import DataError
from workbook.intervals import LEVEL, contributions, difference, holm
from workbook.papers.comparison import as_markdown
from workbook.papers.tables import claims, comparisons, published
from workbook.results import stored_songs

CELL = ["system", "features", "output", "dimension", "protocol"]
"""Levels that identify a row of a result table, on either side of a comparison."""

REPRODUCED, CONTRADICTED = "reproduced", "contradicted"
TOO_FEW, NOT_COMPARABLE = "too few songs", "not comparable"

DATA = {"synthetic": "mini", "DEAM, real": "deam", "VGMIDI, real": "vgmidi"}
"""Names of the data sets, and those of their stored tables."""

ALIKE = {"rmse": 0.02, "pearson": 0.1, "ccc": 0.1, "r2": 0.05}
"""Largest differences between two sides that are alike."""


def judge(songs: pd.DataFrame, *, pairs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Compare every pair of rows that a claim is about, song by song, on one data set.

    Differences are paired over songs; where a claim compares different songs, both sides are
    independent samples. A pooled r cannot be computed from scores of songs: the mean r within songs
    is used (`workbook.intervals.contributions`). The family of tests is all comparisons of one
    paper on the data set (Holm, 1979). Where all scores are of one protocol, claims are judged by
    it.

    Parameters
    ----------
    songs : DataFrame
        Scores of single songs: index of :data:`CELL`, seed and song_id (DataError if a level is
        missing); columns rmse, pearson, r2.
    pairs : DataFrame, optional
        With the columns of :func:`comparisons`, the default.

    Returns
    -------
    DataFrame
        The comparisons, and: paper ("ours" for own pairs); printed (the paper's difference);
        difference, low and high (a 95 % interval), all positive if the side that the claim calls
        better is better; p, p_holm; detectable (the difference that these songs show in 80 % of all
        samples), songs; and one verdict:

        - "reproduced": p_holm is below 5 % and the difference has the claim's sign. A claim that
          two sides are alike, or that one is no worse: the interval is within :data:`ALIKE`
        - "contradicted": p_holm is below 5 %, with the other sign (or a sign, if alike is claimed)
        - "too few songs": neither. A difference below `detectable` would often be missed
        - "not comparable": our results lack one side, or its metric
    """
    levels, found = [*CELL, "song_id", "seed"], list(songs.index.names)
    if not set(levels) <= set(found):
        raise DataError("songs", f"the levels {levels}", f"{found}")
    printed, ours = _cells(_printed(), [*CELL, "aggregation"]), _cells(songs, CELL)
    protocols = songs.index.unique("protocol")
    pairs = (comparisons() if pairs is None else pairs).reset_index(drop=True)
    pairs.insert(1, "paper", pairs["claim"].map(claims()["paper"]).fillna("ours"))
    rows = [_pair(pair, printed, ours, protocols) for _, pair in pairs.iterrows()]
    pairs = pairs.join(pd.DataFrame(rows))
    pairs["p_holm"] = pairs.groupby("paper")["p"].transform(holm)
    return pairs.assign(verdict=[_verdict(pair) for _, pair in pairs.iterrows()])


def verdicts(judged: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One verdict for each claim and data set, from the comparisons of :func:`judge`.

    A claim is "contradicted" if a comparison is, else "reproduced" if all comparable ones are, else
    "too few songs", or "not comparable" without any. `judged` has the comparisons by the name of
    the data set. The columns of :func:`claims`; and for each data set a column of verdicts and one
    of their numbers, "<name>, evidence".
    """
    rows = claims()
    for name, pairs in judged.items():
        groups = pairs.groupby("claim", sort=False)
        rows[name] = groups["verdict"].agg(_of_claim).reindex(rows.index, fill_value="")
        evidence = {claim: _evidence(group) for claim, group in groups}
        rows[f"{name}, evidence"] = pd.Series(evidence).reindex(rows.index, fill_value="")
    return rows


@lru_cache(maxsize=1)
def stored_verdicts() -> pd.DataFrame:
    """The :func:`verdicts` of all stored results: synthetic, DEAM and VGMIDI."""
    return verdicts({name: judge(stored_songs(data)) for name, data in DATA.items()})


def verdict_table(rows: pd.DataFrame) -> str:
    """Some rows of :func:`stored_verdicts` in Markdown: a claim a row, a data set a column."""
    lines = []
    for _, row in rows.iterrows():
        cells = [(row[name], row[f"{name}, evidence"]) for name in DATA]
        words = [f"**{word}**: {numbers}" if numbers else word for word, numbers in cells]
        lines.append([row["claim"], *words])
    return as_markdown(["claim", *DATA], lines)


def verdict_list(rows: pd.DataFrame) -> str:
    """Claims of :func:`stored_verdicts` in Markdown, by verdict and without numbers.

    A list for each verdict on synthetic songs, and for each that decides a claim on real music.
    """
    lines = []
    for data in DATA:
        wanted = [REPRODUCED, CONTRADICTED] + [TOO_FEW, NOT_COMPARABLE] * (data == "synthetic")
        for verdict in wanted:
            found = rows.loc[rows[data] == verdict, "claim"]
            if len(found):
                lines.append(f"- {data}: **{verdict}** ({len(found)})")
                lines += [f"    - {claim}" for claim in found]
    return "\n".join(lines)


def _printed() -> pd.DataFrame:
    """The papers' scores under our names of systems, metrics side by side."""
    rows = published().query("ours != ''").dropna(subset="value")
    rows["aggregation"] = rows["aggregation"].where(rows["aggregation"] == "pooled", "mean")
    names = {"ours": "system", "our_features": "features"}
    rows = rows.drop(columns=["system", "features"]).rename(columns=names)
    return rows.pivot_table(index=[*CELL, "aggregation", "paper"], columns="metric", values="value")


def _cells(table: pd.DataFrame, levels: list[str]) -> dict[tuple, pd.DataFrame]:
    """Group rows by cell; also without features, where a system was run on one set."""
    cells = {key: rows.droplevel(levels) for key, rows in table.groupby(levels)}
    sets = {}
    for system, features, *rest in cells:
        sets.setdefault((system, "", *rest), []).append((system, features, *rest))
    return cells | {key: cells[found[0]] for key, found in sets.items() if len(found) == 1}


def _pair(pair: pd.Series, printed: dict, ours: dict, protocols: pd.Index) -> dict[str, float]:
    """Differences of a pair; NaN where they are unknown."""
    metric, kind = pair["metric"], pair["aggregation"]
    sign = -1 if pair["wanted"] == "lower" or kind == "sd" else 1
    sides = [tuple(pair[f"{side}_{part}"] for part in CELL) for side in ("better", "worse")]
    values = [_values(printed, (*side, kind), metric).mean() for side in sides]
    row = {"printed": sign * (values[0] - values[1])}
    if len(protocols) == 1 and sides[0][-1] == sides[1][-1]:
        sides = [(*side[:-1], protocols[0]) for side in sides]
    songs = [_values(ours, side, metric) for side in sides]
    missing = dict.fromkeys(["difference", "low", "high", "p", "detectable", "songs"], np.nan)
    if not all(map(len, songs)):
        return row | missing
    how = "pooled rmse" if (kind, metric) == ("pooled", "rmse") else kind
    how = "mean" if how == "pooled" else how
    return row | missing | difference(*(sign * contributions(side, how) for side in songs))


def _values(cells: dict[tuple, pd.DataFrame], cell: tuple, metric: str) -> pd.Series:
    """The defined values of a metric in a cell; empty if there are none."""
    found = cells.get(cell, pd.DataFrame())
    return found[metric].dropna() if metric in found else pd.Series(dtype=float)


def _verdict(pair: pd.Series) -> str:
    if np.isnan(pair["p"]):
        return NOT_COMPARABLE
    if pair["relation"] != "better":
        margin = ALIKE[pair["metric"]]
        if pair["low"] > -margin and (pair["high"] < margin or pair["relation"] == "no worse"):
            return REPRODUCED
    if pair["p_holm"] >= LEVEL:
        return TOO_FEW
    right = pair["difference"] > 0 and pair["relation"] != "alike"
    return REPRODUCED if right else CONTRADICTED


def _of_claim(found: pd.Series) -> str:
    known = set(found) - {NOT_COMPARABLE}
    for verdict in (CONTRADICTED, TOO_FEW, REPRODUCED):
        if verdict in known:
            return verdict
    return NOT_COMPARABLE


def _evidence(pairs: pd.DataFrame) -> str:
    known = pairs[pairs["verdict"] != NOT_COMPARABLE]
    if known.empty:
        return ""
    counts = known["verdict"].value_counts()
    parts = [f"{counts[k]} of {len(pairs)} {k}" for k in (REPRODUCED, CONTRADICTED) if k in counts]
    parts = parts or [f"0 of {len(pairs)} reproduced"]
    for metric, rows in known.groupby("metric"):
        name = "r" if metric == "pearson" else metric.upper().replace("R2", "R²")
        parts.append(
            f"{name} {_span(rows, 'difference', '+')}, detectable {_span(rows, 'detectable')}"
        )
    return "; ".join([*parts, f"{_span(known, 'songs', digits=0)} songs"])


def _span(rows: pd.DataFrame, name: str, sign: str = "", digits: int = 3) -> str:
    """A number with its interval, or the least and the greatest of several."""
    ends = sorted(
        {f"{v:{sign}.{digits}f}" for v in (rows[name].min(), rows[name].max())}, key=float
    )
    if sign and len(rows) == 1:
        return f"{ends[0]} [{rows['low'].iloc[0]:+.3f}, {rows['high'].iloc[0]:+.3f}]"
    return " to ".join(ends)

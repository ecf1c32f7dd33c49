"""What our results say about the papers' claims, pair by pair and claim by claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from mer_core.files import DataError
from workbook.papers.tables import claims, comparisons, published

CELL = ["system", "features", "output", "dimension", "protocol"]
"""Levels that identify a row of a result table, on either side of a comparison."""

LEVEL = 0.05
"""Of significance."""

ALIKE = {"rmse": 0.02, "pearson": 0.1, "ccc": 0.1, "r2": 0.05}
"""Largest differences between two sides that are alike, whatever their p."""


def judge(
    scores: pd.DataFrame, songs: pd.DataFrame, *, pairs: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Test every pair of rows that a claim compares, song by song.

    Each song's score is averaged over the seeds. The test is a two-tailed paired t-test, Welch's
    where the songs differ, or Pitman and Morgan's test of two variances for claims about a spread;
    Wilcoxon's signed-rank test stands beside it. The p of a paper are adjusted for their number
    (Benjamini and Hochberg).

    Parameters
    ----------
    scores : DataFrame
        As for :func:`compare`: index system, features, output, protocol, dimension, aggregation
        and seed, a column for each metric.
    songs : DataFrame
        The same for single songs: song_id in place of aggregation; columns rmse, pearson.
    pairs : DataFrame, optional
        With the columns of :func:`comparisons`, the default.

    Returns
    -------
    DataFrame
        The rows and columns of the comparisons, and: paper ("ours" for own pairs); printed and
        ours (differences in the claim's aggregation, positive if the side that the claim calls
        better is better), per_song (the mean difference over songs), p, wilcoxon, adjusted, and
        finding:

        - "as said": p is low and the side that is said to be better is better
        - "against": p is low and it is worse, or two sides differ that are said to be alike
        - "open": p is not low, which does not show that there is no difference; or the mean over
          songs and the claim's own aggregation differ in sign
        - "not tested": there are no scores of single songs
        - "not run": our results lack one side

    Raises
    ------
    DataError
        If a level is missing.

    References
    ----------
    Benjamini and Hochberg (1995); Pitman (1939).
    """
    for name, table, level in (("scores", scores, "aggregation"), ("songs", songs, "song_id")):
        levels, found = [*CELL, level, "seed"], list(table.index.names)
        if not set(levels) <= set(found):
            raise DataError(name, f"the levels {levels}", f"{found}")
    known = {
        "printed": _cells(_printed(), [*CELL, "aggregation"]),
        "ours": _cells(scores, [*CELL, "aggregation"]),
        "songs": _cells(songs.groupby([*CELL, "song_id"]).mean(), CELL),
    }
    pairs = (comparisons() if pairs is None else pairs).reset_index(drop=True)
    pairs.insert(1, "paper", pairs["claim"].map(claims()["paper"]).fillna("ours"))
    pairs = pairs.join(pd.DataFrame([_pair(pair, known) for _, pair in pairs.iterrows()]))
    tested = pairs["p"].notna()
    by_paper = pairs[tested].groupby("paper")["p"]
    pairs.loc[tested, "adjusted"] = by_paper.transform(stats.false_discovery_control)
    return pairs.assign(finding=[_finding(pair) for _, pair in pairs.iterrows()])


def verdicts(judged: pd.DataFrame) -> pd.DataFrame:
    """Fill in verdict and evidence of the :func:`claims` from the pairs of :func:`judge`.

    The verdicts:

    - "comes out": all its pairs are as said
    - "in part": some are as said (the evidence counts those that go against it)
    - "does not come out": some go against it, none is as said
    - "nothing against it": it claims that nothing differs, or nothing is gained, no pair shows
      otherwise, and no difference is larger than :data:`ALIKE`
    - "open": no significant difference
    - "not tested" and "not run": as for :func:`judge`; "" if it has no pairs
    """
    found = {claim: _verdict(pairs) for claim, pairs in judged.groupby("claim", sort=False)}
    rows = claims()
    rows.update(pd.DataFrame(found, index=["verdict", "evidence"]).T)
    return rows


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


def _pair(pair: pd.Series, known: dict[str, dict]) -> dict[str, float]:
    """Differences of a pair and its p; NaN where they are unknown."""
    metric, kind = pair["metric"], pair["aggregation"]
    sign = -1 if pair["wanted"] == "lower" or kind == "sd" else 1
    sides = [tuple(pair[f"{side}_{part}"] for part in CELL) for side in ("better", "worse")]
    row = dict.fromkeys(["per_song", "p", "wilcoxon", "adjusted"], np.nan)
    for name in ("printed", "ours"):
        values = [_values(known[name], (*side, kind), metric) for side in sides]
        row[name] = sign * (values[0].mean() - values[1].mean())
    songs = [_values(known["songs"], side, metric) for side in sides]
    if min(map(len, songs)) > 1:
        row |= _tests(*songs, sign=sign, spread=kind == "sd")
    return row


def _values(cells: dict[tuple, pd.DataFrame], cell: tuple, metric: str) -> pd.Series:
    """The defined values of a metric in a cell; empty if there are none."""
    found = cells.get(cell, pd.DataFrame())
    return found[metric].dropna() if metric in found else pd.Series(dtype=float)


def _tests(a: pd.Series, b: pd.Series, *, sign: int, spread: bool) -> dict[str, float]:
    """Mean difference over songs, p of the t-test and of Wilcoxon's test."""
    shared, wilcoxon = a.index.intersection(b.index), np.nan
    if spread:
        a, b = a[shared], b[shared]
        gain, p = a.std() - b.std(), stats.pearsonr(a + b, a - b).pvalue
    elif shared.empty:
        gain, p = a.mean() - b.mean(), stats.ttest_ind(a, b, equal_var=False).pvalue
    else:
        ahead = a[shared] - b[shared]
        gain, p = ahead.mean(), stats.ttest_1samp(ahead, 0).pvalue
        wilcoxon = stats.wilcoxon(ahead).pvalue
    return {"per_song": sign * gain, "p": p, "wilcoxon": wilcoxon}


def _finding(pair: pd.Series) -> str:
    if np.isnan(pair["p"]):
        return "not run" if np.isnan(pair["ours"]) else "not tested"
    if pair["adjusted"] >= LEVEL or pair["per_song"] * pair["ours"] < 0:
        return "open"
    return "as said" if pair["per_song"] > 0 and pair["relation"] != "alike" else "against"


def _verdict(pairs: pd.DataFrame) -> tuple[str, str]:
    counts = pairs["finding"].value_counts()
    said, against = counts.get("as said", 0), counts.get("against", 0)
    tested = said + against + counts.get("open", 0)
    if not tested:
        return counts.index[0], f"none of {_comparisons(pairs)}"
    if said == len(pairs):
        verdict = "comes out"
    elif said or against:
        verdict = "in part" if said else "does not come out"
    else:
        verdict = "nothing against it" if pairs.apply(_harmless, axis=1).all() else "open"
    return verdict, _evidence(pairs, {"as said": said, "against": against})


def _harmless(pair: pd.Series) -> bool:
    """Whether an open difference agrees with the claim: alike, or no worse."""
    near = pair["ours"] >= -ALIKE[pair["metric"]]
    if pair["relation"] == "alike":
        near &= pair["ours"] <= ALIKE[pair["metric"]]
    return pair["relation"] != "better" and near


def _comparisons(pairs: pd.DataFrame) -> str:
    return f"{len(pairs)} comparison{'s' * (len(pairs) > 1)}"


def _evidence(pairs: pd.DataFrame, counts: dict[str, int]) -> str:
    words = [f"{count} of {len(pairs)} {name}" for name, count in counts.items() if count]
    parts = [", ".join(words) or f"no difference that counts in {_comparisons(pairs)}"]
    for metric, own in pairs.dropna(subset="ours").groupby("metric")["ours"]:
        name, ends = metric.upper().replace("PEARSON", "r"), [own.min(), own.max()][: len(own)]
        parts.append(f"{name} {' to '.join(f'{end:+.3f}' for end in ends)}")
    return "; ".join(parts)

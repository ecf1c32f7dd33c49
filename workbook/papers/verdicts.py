"""What our results say about the papers' claims, pair by pair and claim by claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from mer_core.files import DataError
from workbook.papers.tables import claims, comparisons, published

CELL = ["system", "features", "output", "dimension", "protocol"]
"""What names a row of a result table, on either side of a comparison."""

LEVEL = 0.05
"""Below this, p counts."""

ALIKE = {"rmse": 0.02, "pearson": 0.1, "ccc": 0.1, "r2": 0.05}
"""Two sides that differ by more are not called alike, though few songs may fail to confirm it."""


def judge(
    scores: pd.DataFrame, songs: pd.DataFrame, *, pairs: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Every pair of rows that a claim compares: the difference, ours and the paper's, and its p.

    A difference is positive if the side that the claim calls better is better. Both sides are
    compared song by song, each song's score averaged over the seeds, by a two-tailed paired t-test
    (Welch's where the songs differ; Pitman and Morgan's test of two variances for claims about a
    spread), with Wilcoxon's signed-rank test beside it. The p of a paper are adjusted for their
    number (Benjamini and Hochberg).

    Parameters
    ----------
    scores : DataFrame
        As for :func:`compare`: index system, features, output, protocol, dimension, aggregation
        and seed, a column for each metric.
    songs : DataFrame
        The same for single songs: song_id in place of aggregation; columns rmse, pearson.
    pairs : DataFrame, optional
        Comparisons of one's own, with the columns of :func:`comparisons`, the default.

    Returns
    -------
    DataFrame
        The rows and columns of the comparisons, and: paper ("ours" for one's own); printed and
        ours (differences, in the claim's aggregation), per_song (the mean difference over songs,
        which is what is tested), p, wilcoxon, adjusted, and finding:

        - "as said": p is low and the side that is said to be better is better
        - "against": p is low and it is worse, or two sides differ that are said to be alike
        - "open": p is not low, which does not show that there is no difference; or the mean over
          songs and the claim's own aggregation point in two directions
        - "not tested": there are no scores of single songs
        - "not run": our results lack one side

    Raises
    ------
    DataError
        If a level is missing.

    References
    ----------
    Benjamini and Hochberg (1995); Pitman (1939). Notebooks 03, 04, 05, 07 and 11.
    """
    _require(scores, "scores", [*CELL, "aggregation", "seed"])
    _require(songs, "songs", [*CELL, "song_id", "seed"])
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
    """The claims, each with a verdict on what :func:`judge` found.

    Returns
    -------
    DataFrame
        As of :func:`claims`, with verdict and evidence filled in:

        - "comes out": all its pairs are as said
        - "in part": some are as said (the evidence counts those that go against it)
        - "does not come out": some go against it, none is as said
        - "nothing against it": it claims that nothing differs, or nothing is gained, no pair shows
          otherwise, and no difference is larger than :data:`ALIKE`
        - "open": no difference that counts
        - "not tested" and "not run": as for :func:`judge`; "" if it is not about such pairs
    """
    found = {claim: _verdict(pairs) for claim, pairs in judged.groupby("claim", sort=False)}
    filled = pd.DataFrame(found, index=["verdict", "evidence"]).T
    rows = claims()
    rows.update(filled)
    return rows


def _require(table: pd.DataFrame, name: str, levels: list[str]) -> None:
    absent = [level for level in levels if level not in table.index.names]
    if absent:
        raise DataError(name, f"the levels {levels}", f"no {absent} in {list(table.index.names)}")


def _printed() -> pd.DataFrame:
    """The papers' scores under our names of systems, metrics side by side."""
    rows = published().query("ours != ''").dropna(subset="value")
    rows = rows.assign(
        aggregation=rows["aggregation"].where(rows["aggregation"] == "pooled", "mean"),
        system=rows["ours"],
        features=rows["our_features"],
    )
    return rows.pivot_table(index=[*CELL, "aggregation", "paper"], columns="metric", values="value")


def _cells(table: pd.DataFrame, levels: list[str]) -> dict[tuple, pd.DataFrame]:
    """A table's rows by cell; without features too, where a system has been run on one set."""
    cells = {key: rows.droplevel(levels) for key, rows in table.groupby(levels)}
    sets = {}
    for system, features, *rest in cells:
        sets.setdefault((system, "", *rest), []).append((system, features, *rest))
    return cells | {key: cells[found[0]] for key, found in sets.items() if len(found) == 1}


def _pair(pair: pd.Series, known: dict[str, dict]) -> dict[str, float]:
    """Differences of a pair and its p; all that can't be had is missing."""
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
    """A metric in a cell, without what is undefined; empty if there is none."""
    found = cells.get(cell, pd.DataFrame())
    return found[metric].dropna() if metric in found else pd.Series(dtype=float)


def _tests(a: pd.Series, b: pd.Series, *, sign: int, spread: bool) -> dict[str, float]:
    """Mean difference over songs, p of the t-test and of Wilcoxon's."""
    shared = a.index.intersection(b.index)
    if spread:
        a, b = a[shared], b[shared]
        p = stats.pearsonr(a + b, a - b).pvalue
        return {"per_song": sign * (a.std() - b.std()), "p": p, "wilcoxon": np.nan}
    if shared.empty:
        p = stats.ttest_ind(a, b, equal_var=False).pvalue
        return {"per_song": sign * (a.mean() - b.mean()), "p": p, "wilcoxon": np.nan}
    ahead = sign * (a[shared] - b[shared])
    p, wilcoxon = stats.ttest_1samp(ahead, 0).pvalue, stats.wilcoxon(ahead).pvalue
    return {"per_song": ahead.mean(), "p": p, "wilcoxon": wilcoxon}


def _finding(pair: pd.Series) -> str:
    if np.isnan(pair["p"]):
        return "not run" if np.isnan(pair["ours"]) else "not tested"
    if pair["adjusted"] >= LEVEL or pair["per_song"] * pair["ours"] < 0:
        return "open"
    return "as said" if pair["per_song"] > 0 and pair["relation"] != "alike" else "against"


def _verdict(pairs: pd.DataFrame) -> tuple[str, str]:
    """Verdict and evidence from a claim's pairs."""
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
    """Whether an open difference fits what is claimed: alike, or no worse."""
    near = pair["ours"] >= -ALIKE[pair["metric"]]
    if pair["relation"] == "alike":
        near &= pair["ours"] <= ALIKE[pair["metric"]]
    return pair["relation"] != "better" and near


def _comparisons(pairs: pd.DataFrame) -> str:
    return f"{len(pairs)} comparison{'s' * (len(pairs) > 1)}"


def _evidence(pairs: pd.DataFrame, counts: dict[str, int]) -> str:
    """What the verdict rests on, in words and figures."""
    words = [f"{count} of {len(pairs)} {name}" for name, count in counts.items() if count]
    words = words or [f"no difference that counts in {_comparisons(pairs)}"]
    ranges = [
        f"{'r' if metric == 'pearson' else metric.upper()} {own.min():+.3f} to {own.max():+.3f}"
        if len(own) > 1
        else f"{'r' if metric == 'pearson' else metric.upper()} {own.iloc[0]:+.3f}"
        for metric, own in pairs.dropna(subset="ours").groupby("metric")["ours"]
    ]
    return "; ".join([", ".join(words), *ranges])

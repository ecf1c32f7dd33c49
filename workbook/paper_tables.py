"""Paper by paper: every printed score beside ours, orders of systems, and the verdicts.

`python -m workbook.paper_tables` writes the tables into docs/claims.md.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from mer_core import load_corpus
from mer_core.metrics import DIMENSIONS
from workbook import papers, results
from workbook.papers.comparison import as_markdown
from workbook.real_music import as_page, fill, number, with_interval
from workbook.studies.study import setting_of

PAGE = results.ROOT / "docs" / "claims.md"
METRIC = {"rmse": "RMSE", "pearson": "r"}
BESIDE = ("irit_2015", "munich_2015", "tsinghua_2016")
LEAST = 5
"""Systems from which an order is compared."""
ELSEWHERE = {
    "irit-three-types-of-29": "`python -m mer_core ablation`, lesson 01",
    "irit-window-13": "lesson 03",
    "irit-second-network-smooths": "lesson 03",
    "irit-ten-units": "lesson 03",
    "irit-correlation-explains-valence": "lesson 09, on real music",
    "munich15-ccc-selection-is-the-compromise": "lesson 04",
    "munich15-test-valence-unreliable": "lesson 09, on real music",
    "munich15-overfits-correlation": "lesson 09, on real music",
    "tsinghua-five-layers-of-250": "not searched here: lesson 05 has its cost",
    "tsinghua-agreement-falls": "lesson 09; the alphas of single songs are in no paper",
    "herremans-tenth-of-dimensions": "lesson 06, on real music",
    "herremans-representation-separates": "lesson 08",
}
"""Claims that do not compare two rows of a table, and where they are examined."""


def compared() -> pd.DataFrame:
    """Printed scores that one of our systems has as well; ours are of synthetic songs."""
    table = papers.compare(results.stored_scores())
    return table.dropna(subset=["value", "ours_value"])


def notes(rows: pd.DataFrame) -> dict[str, str]:
    """The mark of each note on what may be compared."""
    return {note: f"[{number}]" for number, note in enumerate(rows["comparable"].unique(), 1)}


def _cell(row: tuple) -> str:
    spread = "" if np.isnan(row.ours_spread) else f" ± {row.ours_spread:.3f}"
    return f"{row.value:.3f} / {row.ours_value:.3f}{spread}"


def beside(paper: str) -> pd.DataFrame:
    """A row for each system of a paper, a column for each metric and dimension: paper / ours."""
    table = compared()
    marks, rows = notes(table), table[table["paper"] == paper].copy()
    rows["what"] = rows["metric"].map(METRIC) + ", " + rows["dimension"]
    rows["cell"] = [_cell(row) for row in rows.itertuples()]
    rows["system"] = (rows["system"] + " " + rows["run"]).str.strip()
    rows["setting"] = [setting_of(name) for name in rows["ours"]]
    rows["ours"] = rows["ours"] + ", " + rows["our_features"] + ", " + rows["output"]
    rows["notes"] = rows["comparable"].map(marks)
    places = ["table", "system", "ours", "setting", "protocol", "pretraining"]
    wide = rows.pivot_table(
        index=places, columns="what", values="cell", aggfunc="first", sort=False
    )
    wide = wide[[k for d in DIMENSIONS for m in METRIC.values() if (k := f"{m}, {d}") in wide]]
    noted = rows.groupby(places, sort=False)["notes"]
    wide["notes"] = noted.agg(lambda found: " ".join(sorted(set(found))))
    return wide.droplevel("pretraining").reset_index().fillna("").set_index("table")


def orders() -> pd.Series:
    """Kendall's tau of a paper's order of systems and ours, where both have `LEAST` rows."""
    found = {}
    for (paper, dimension, metric, protocol), rows in compared().groupby(
        ["paper", "dimension", "metric", "protocol"]
    ):
        distinct = rows.drop_duplicates(["ours", "our_features", "output"])
        if len(distinct) >= LEAST:
            tau = stats.kendalltau(distinct["value"], distinct["ours_value"]).statistic
            name = f"{paper.replace('_', ' ')}, {protocol}, {dimension}, {METRIC[metric]}"
            found[f"{name} ({len(distinct)} rows)"] = tau
    return pd.Series(found, name="tau").sort_values()


def own_scale() -> pd.DataFrame:
    """IRIT's RMSE of cross-validation beside the constant's on the task's own labels (real)."""
    constant = results.table("task_scale").loc["IRIT"].xs("pooled", level="aggregation")["value"]
    rows = papers.published().query("paper == 'irit_2015' and split == 'CV' and metric == 'rmse'")
    rows = rows[rows["table"].isin(["table 1", "log"])]
    table = rows.pivot_table(
        index=["table", "system", "features"], columns="dimension", values="value", sort=False
    )[DIMENSIONS]
    table.loc[("computed", "constant", "none"), DIMENSIONS] = constant[DIMENSIONS].to_numpy()
    for name in DIMENSIONS:
        table[f"{name}, below the constant"] = 1 - table[name] / constant[name]
    return table.map(lambda value: number(value))


def verdicts() -> pd.DataFrame:
    """The stored verdicts, with that on the labels' correlation; without those of `ELSEWHERE`."""
    table = papers.stored_verdicts().copy()
    mini = load_corpus("mini")
    means = mini.labels.groupby("song_id").mean().join(mini.songs["split"])
    known = results.table("valence_labels")
    known = known.xs("r(valence, arousal) over song means", level="statistic")
    apart = known.loc["58", "high"] < known.loc["431", "low"]
    together = {k: part["valence"].corr(part["arousal"]) for k, part in means.groupby("split")}
    claim = "irit-dimensions-correlate"
    table.loc[claim, ["DEAM, real", "DEAM, real, evidence"]] = (
        "reproduced" if apart else "too few songs",
        f"r of song means {with_interval(known.loc['431'])} (431 songs), "
        f"{with_interval(known.loc['58'])} (58)",
    )
    table.loc[claim, ["synthetic", "synthetic, evidence"]] = (
        "not comparable",
        f"{together['dev']:.2f} and {together['test']:.2f}: built into the songs",
    )
    table[[*papers.DATA]] = table[[*papers.DATA]].replace("", "not comparable")
    return table[~table.index.isin(ELSEWHERE)]


def tally() -> pd.DataFrame:
    """How many claims have each verdict, in each data set."""
    counts = verdicts()[[*papers.DATA]].apply(lambda column: column.value_counts())
    return counts.fillna(0).astype(int).rename_axis("verdict, claims")


def tables() -> dict[str, str]:
    """All tables of the page, by the names of their marks."""
    claims = papers.claims()["claim"]
    lost = papers.published().query("source == 'not in our source' and ours != ''")
    counts = lost.groupby(["paper", "table"]).size().items()
    gaps = [f"{paper.replace('_', ' ')}, {table} ({n} values)" for (paper, table), n in counts]
    texts = [f"{mark} {note}" for note, mark in notes(compared()).items()]
    copies = "Not here, because our copies of the papers have lost the numbers"
    texts.append(f"{copies}: {'; '.join(gaps)}.")
    taus = orders().map(lambda tau: f"{tau:+.2f}")
    return {paper: as_page(beside(paper)) for paper in BESIDE} | {
        "notes": _as_list(texts),
        "own scale": as_page(own_scale().reset_index().set_index("table")),
        "orders": as_markdown(["paper, protocol, dimension, metric", "τ"], taus.items()),
        "verdicts": papers.verdict_table(verdicts()),
        "tally": as_page(tally().astype(str)),
        "elsewhere": _as_list([f"{claims[k]} → {place}" for k, place in ELSEWHERE.items()]),
    }


def _as_list(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def main() -> None:
    """Write the tables into docs/claims.md."""
    fill(PAGE, tables())


if __name__ == "__main__":
    main()

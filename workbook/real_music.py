"""Results on real music as Markdown: the README's table and the tables of docs/real_music.md.

`python -m workbook.real_music` writes both into their pages, between the marks.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mer_core.files import written_atomically
from mer_core.metrics import DIMENSIONS
from workbook import results
from workbook.papers.comparison import as_markdown
from workbook.studies.real import BASE, UNDELAYED

PAGE = results.ROOT / "docs" / "real_music.md"
MARKS = "<!-- {name}: from data/results -->", "<!-- end -->"
SETS = {"deam": "DEAM", "vgmidi": "VGMIDI"}
LESSONS = {"Elman": "03", "LSTM": "04", "fold": "04", "BLSTM": "05", "AE": "07", "VAE": "07"}
LESSONS |= {"CNN": "07"}
SURE = 0.05


def number(value: float, digits: int = 3) -> str:
    """As papers print it: .227, -.45; a dash where there is none."""
    if pd.isna(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def with_interval(row: pd.Series, name: str = "value", digits: int = 2) -> str:
    """A value and its 95 % interval; `name` may be "difference"."""
    if pd.isna(row[name]):
        return "–"
    start = "" if name == "value" else f"{name}_"
    low, high = (number(row[f"{start}{end}"], digits) for end in ("low", "high"))
    return f"{number(row[name], digits)} [{low}, {high}]"


def real_differences(name: str) -> pd.DataFrame:
    """A data set's systems against the delayed linear model, and that one against the constant.

    Parameters
    ----------
    name : {"deam", "vgmidi"}

    Returns
    -------
    DataFrame
        Index (system, dimension, aggregation, metric); columns of
        :func:`workbook.intervals.paired`. The r of the constant is left out: over folds it is
        an artefact of their means.
    """
    table = results.table(f"real_{name}_differences")
    system, against = (table.index.get_level_values(k) for k in ("system", "against"))
    shown = (against == BASE) | ((system == BASE) & (against == "constant"))
    table = table[shown].droplevel("against")
    constant = table.index.get_level_values("system") == "constant"
    r = table.index.get_level_values("metric") == "pearson"
    table.loc[constant & r, :] = float("nan")
    return table


def order(names: Iterable[str]) -> list[str]:
    """Systems from the simplest to the last lesson's."""
    first = ["constant", "linear", BASE, "delayed linear, ranks", "SVR"]
    names = set(names)
    rest = sorted(names - set(first), key=lambda name: (lesson(name), "BLSTM-" in name, name))
    return [name for name in first if name in names] + rest


def lesson(system: str) -> str:
    """The number of the notebook that teaches it."""
    return next((number for name, number in LESSONS.items() if system.startswith(name)), "02")


def board() -> str:
    """The README's table of real music: RMSE and r, pooled over frames, of smoothed predictions."""
    tables = {name: real_differences(name) for name in SETS}
    names = order(set().union(*(table.index.unique("system") for table in tables.values())))
    head = ["system"]
    for name, title in SETS.items():
        songs = int(tables[name]["songs"].max())
        head += [f"{title} ({songs}), {dimension}" for dimension in DIMENSIONS]
    rows = [
        [name, *(_cell(tables[k], name, d) for k in SETS for d in DIMENSIONS), lesson(name)]
        for name in names
    ]
    return as_markdown([*head, "lesson"], rows)


def _cell(table: pd.DataFrame, system: str, dimension: str) -> str:
    if system not in table.index.unique("system"):
        return "–"
    row, r = (table.loc[system, dimension, "pooled", metric] for metric in ("rmse", "pearson"))
    mark = "*" if system != BASE and row["p_holm"] < SURE else ""
    return f"{number(row['value'])}{mark}, {number(r['value'], 2)}"


def system_table(name: str, aggregation: str, metric: str) -> str:
    """Each system of a data set with intervals, and what so many songs can show."""
    table = real_differences(name).xs((aggregation, metric), level=("aggregation", "metric"))
    rows = []
    for system in order(table.index.unique("system")):
        cells = [system]
        for dimension in DIMENSIONS:
            row = table.loc[system, dimension]
            cells.append(with_interval(row, digits=3))
            if system == BASE:
                cells += ["", "", ""]
            else:
                mark = "*" if row["p_holm"] < SURE else ""
                cells += [with_interval(row, "difference", 3) + mark, number(row["detectable"])]
                cells.append(_needed(row))
        rows.append([*cells, f"{table.loc[system]['seeds'].max():.0f}"])
    head = ["system"]
    for dimension in DIMENSIONS:
        head += [dimension, "difference", "detectable", "songs needed"]
    return as_markdown([*head, "seeds"], rows)


def _needed(row: pd.Series) -> str:
    if pd.isna(row["needed"]):
        return "–"
    most = "any" if row["needed_high"] == float("inf") else f"{row['needed_high']:.0f}"
    return f"{row['needed']:.0f} ({row['needed_low']:.0f} to {most})"


def delay_table() -> str:
    """What delayed features gain: RMSE and r, pooled, of each model with them minus without."""
    rows = []
    for name, title in SETS.items():
        table = results.table(f"real_{name}_differences")
        for system, plain in UNDELAYED.items():
            if (system, plain) not in table.droplevel([2, 3, 4]).index:
                continue
            for dimension in DIMENSIONS:
                part = table.loc[system, plain, dimension]
                cells = [
                    with_interval(part.loc[aggregation, metric], "difference", 3)
                    for aggregation in ("pooled", "mean")
                    for metric in ("rmse", "pearson")
                ]
                rows.append([title, f"{system} - {plain}", dimension, *cells])
    head = ["data", "systems", "dimension", "RMSE, pooled", "r, pooled", "RMSE, per song"]
    return as_markdown([*head, "r, per song"], rows)


def lag_table() -> str:
    """Within-song r of arousal and valence with three cues, at 0 s and at the best delay."""
    table, rows = results.table("lag"), []
    for cue in table.index.unique("cue"):
        for dimension in DIMENSIONS[::-1]:
            for data in ("mini", "deam", "vgmidi"):
                part = table.loc[data, cue, dimension]
                best = part.loc["best delay"]
                at = [part.loc[f"r at {k} s"] for k in (0, 1, 2, 4, 6, 8)]
                cells = [with_interval(at[0]), *(number(row["value"], 2) for row in at[1:])]
                late = f"{best['value']:.1f} [{best['low']:.1f}, {best['high']:.1f}]"
                rows.append([cue, dimension, SETS.get(data, "mini (synthetic)"), *cells, late])
    head = ["cue", "dimension", "data", "r at 0 s", "1 s", "2 s", "4 s", "6 s", "8 s"]
    return as_markdown([*head, "best delay, s"], rows)


def rater_lag_table() -> str:
    """Single raters: how many more than by chance are best at short, middle and long delays."""
    table, rows = results.table("lag_raters"), []
    for (data, cue, dimension), part in table.groupby(level=["data", "cue", "dimension"]):
        part = part.droplevel([0, 1, 2])
        cells = [with_interval(part.loc[f"r at {k} s"]) for k in (0, 2, 4, 6)]
        shares = [name for name in part.index if name.startswith("share")]
        cells += [with_interval(part.loc[name]) for name in sorted(shares)]
        rows.append([SETS.get(data, "mini (synthetic)"), cue, dimension, *cells])
    head = ["data", "cue", "dimension", "r at 0 s", "2 s", "4 s", "6 s"]
    return as_markdown([*head, *(f"excess {k}" for k in ("0-1.5 s", "2-4.5 s", "5-8 s"))], rows)


def rater_table() -> str:
    """Agreement, reliability and movement of raters, real beside simulated."""
    table, rows = results.table("raters"), []
    for dimension in (*DIMENSIONS, "both"):
        part = table.xs(dimension, level="dimension")
        for statistic in part.index.unique("statistic"):
            cells = [
                with_interval(part.loc[data, statistic])
                for data in ("vgmidi", "mini", "mini, test")
            ]
            rows.append([dimension, statistic, *cells])
    head = ["dimension", "statistic", "VGMIDI (real)", "VGMIDI, 15 to 45 s (real)"]
    head.append("mini, development, 15 to 45 s (synthetic)")
    return as_markdown([*head, "mini, test (synthetic)"], rows)


def transfer_table() -> str:
    """Models that were trained on one data set and tested on another."""
    table, rows = results.table("transfer"), []
    one = ["train", "test", "system", "features"]
    for (train, test, system, features), part in table.groupby(level=one):
        cells = []
        for dimension in DIMENSIONS:
            own = part.droplevel(one).loc[dimension]
            keys = [("pooled", "pearson"), ("songs", "pearson"), ("mean", "pearson")]
            cells += [with_interval(own.loc[key]) for key in keys]
            cells.append(number(own.loc["pooled", "rmse"]["value"]))
        rows.append([f"{train} to {test}", system, features, *cells])
    head = ["train to test", "system", "features"]
    for dimension in DIMENSIONS:
        head += [f"{dimension}: r, pooled", "r over songs", "r within songs", "RMSE"]
    return as_markdown(head, rows)


def cue_table() -> str:
    """Correlations of cues with labels over songs, in each data set."""
    table, rows = results.table("cues"), []
    for cue in table.index.unique("cue"):
        for dimension in table.xs(cue, level="cue").index.unique("dimension"):
            cells = [
                with_interval(table.loc[k, cue, dimension]) for k in ("mini", "deam", "vgmidi")
            ]
            rows.append([cue, dimension, *cells])
    return as_markdown(["cue", "dimension", "mini (synthetic)", "DEAM", "VGMIDI"], rows)


def tables() -> dict[str, str]:
    """All tables of the page, by the names of their marks."""
    found = {
        f"{name} {aggregation} {metric}": system_table(name, aggregation, metric)
        for name in SETS
        for aggregation in ("pooled", "mean")
        for metric in ("rmse", "pearson")
    }
    found |= {"delay": delay_table(), "lag": lag_table(), "rater lag": rater_lag_table()}
    return found | {"raters": rater_table(), "transfer": transfer_table(), "cues": cue_table()}


def filled(text: str, found: dict[str, str]) -> str:
    """A page with every table between its marks."""
    for name, table in found.items():
        start, end = MARKS[0].format(name=name), MARKS[1]
        if start in text:
            before, rest = text.split(start, 1)
            text = f"{before}{start}\n\n{table}\n\n{end}{rest.split(end, 1)[1]}"
    return text


def main() -> None:
    """Write the tables into docs/real_music.md and README.md."""
    for page, found in ((PAGE, tables()), (results.ROOT / "README.md", {"board": board()})):
        write(page, filled(page.read_text(), found))


def write(page: Path, text: str) -> None:
    """Write a page, whole or not at all."""
    with written_atomically(page) as part:
        part.write_text(text)


if __name__ == "__main__":
    main()

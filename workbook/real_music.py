"""Results on real music as Markdown, for docs/real_music.md, docs/results.md and the README.

`python -m workbook.real_music` writes the tables into their pages, between the marks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.files import written_atomically
from mer_core.metrics import DIMENSIONS
from workbook import results
from workbook.papers.comparison import as_markdown
from workbook.studies.real import BASE, UNDELAYED
from workbook.studies.study import setting_of

PAGE = results.ROOT / "docs" / "real_music.md"
MARKS = "<!-- {name}: from data/results -->", "<!-- end -->"
SETS = {"deam": "DEAM", "vgmidi": "VGMIDI"}
NAMES = {
    "mini": "mini (synthetic)",
    "mini, test": "mini, test (synthetic)",
    **SETS,
    "vgmidi, 30 s": "VGMIDI, 15 to 45 s",
}
LESSONS = {"Elman": "03", "LSTM": "04", "fold": "04", "BLSTM": "05", "AE": "07", "VAE": "07"}
LESSONS |= {"CNN": "07"}
SHORT = ["constant", "linear", BASE, "SVR", "Elman", "LSTM", "BLSTM-ELM", "VAE-LSTM"]
"""Systems of the README's table."""
SIMPLE = ["constant", "linear, no penalty", "linear", BASE, "delayed linear, ranks", "SVR"]
"""All other systems are networks."""
SURE = 0.05
SEEDS = {1: " ¹", 2: " ²"}


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


def as_page(frame: pd.DataFrame) -> str:
    """A table of text with its index, as Markdown."""
    flat = frame.rename(index=NAMES, columns=NAMES).fillna("–").reset_index()
    return as_markdown([*map(str, flat)], flat.to_numpy().tolist())


def real_differences(name: str) -> pd.DataFrame:
    """A data set's systems against the delayed linear model, and that one against the constant.

    Index (system, dimension, aggregation, metric); columns of :func:`workbook.intervals.paired`.
    The r of the constant is left out: over folds it is an artefact of their means.
    """
    table = results.table(f"real_{name}_differences")
    system, against = (table.index.get_level_values(k) for k in ("system", "against"))
    shown = (against == BASE) | ((system == BASE) & (against == "constant"))
    table = table[shown].droplevel("against")
    system, metric = (table.index.get_level_values(k) for k in ("system", "metric"))
    kept = ~((system == "constant") & (metric == "pearson"))
    table.loc[~kept, ["value", "low", "high"]] = np.nan
    kept &= ~((system == BASE) & (metric == "pearson"))  # its difference to the constant's
    numbers = ["difference", "p", "p_holm", "detectable", "needed"]
    table.loc[~kept, numbers] = np.nan
    return table


def order(names: Iterable[str]) -> list[str]:
    """Systems from the simplest to the last lesson's."""
    names = set(names)
    rest = sorted(names - set(SIMPLE), key=lambda name: (lesson(name), "BLSTM-" in name, name))
    return [name for name in SIMPLE if name in names] + rest


def lesson(system: str) -> str:
    """The number of the notebook that teaches it."""
    return next((number for name, number in LESSONS.items() if system.startswith(name)), "02")


def board() -> str:
    """Real music: RMSE and r, pooled over frames, of smoothed predictions, for every system.

    For each data set also the least detectable difference of RMSE, valence / arousal.
    """
    columns = {}
    for name, title in SETS.items():
        pooled = real_differences(name).xs("pooled", level="aggregation")
        columns |= _scores(pooled, title, pooled.index.unique(0))
        least = pooled["detectable"].xs("rmse", level="metric").unstack("dimension")
        head = f"{title} ({pooled['songs'].max():.0f}) detect"
        columns[head] = least[DIMENSIONS].map(number).agg(" / ".join, axis=1)
    table = pd.DataFrame(columns)
    table = table.loc[order(table.index)].rename_axis("system")
    table.insert(0, "setting", [*map(setting_of, table.index)])
    return as_page(table.assign(lesson=[*map(lesson, table.index)]))


def short_board() -> str:
    """The README's table, :func:`short_table` with the lessons."""
    table = short_table()
    return as_page(table.assign(lesson=[*map(lesson, table.index)]))


def short_table() -> pd.DataFrame:
    """RMSE and r of one system for each lesson, pooled over frames, on real music."""
    columns = {}
    for name, title in SETS.items():
        pooled = real_differences(name).xs("pooled", level="aggregation")
        columns |= _scores(pooled, title, SHORT)
    return pd.DataFrame(columns).rename_axis("system")


def _scores(pooled: pd.DataFrame, title: str, systems: Iterable[str]) -> dict[str, dict]:
    """Cells of some systems, a column for each dimension."""
    head = f"{title} ({pooled['songs'].max():.0f})"
    return {
        f"{head}, {name}": {k: _cell(pooled.loc[k, name], k) for k in systems}
        for name in DIMENSIONS
    }


def _cell(row: pd.DataFrame, system: str) -> str:
    rmse, r = row.loc["rmse"], row.loc["pearson"]
    mark = "*" if system != BASE and rmse["p_holm"] < SURE else ""
    return f"{number(rmse['value'])}{mark}, {number(r['value'], 2)}{SEEDS.get(rmse['seeds'], '')}"


def system_table(name: str, aggregation: str, metric: str) -> str:
    """Each system of a data set with intervals, and what so many songs can show."""
    table = real_differences(name).xs((aggregation, metric), level=("aggregation", "metric"))
    rows = []
    for system in order(table.index.unique("system")):
        cells = [system]
        for dimension in DIMENSIONS:
            row = table.loc[system, dimension]
            difference = with_interval(row, "difference", 3) + "*" * bool(row["p_holm"] < SURE)
            cells += [with_interval(row, digits=3), difference]
            cells += [number(row["detectable"]), _needed(row)]
        rows.append([*cells, f"{row['seeds']:.0f}"])
    head = [(d, "difference", "detectable", "songs needed") for d in DIMENSIONS]
    return as_markdown(["system", *sum(head, ()), "seeds"], rows)


def _needed(row: pd.Series) -> str:
    if pd.isna(row["needed"]):
        return "–"
    ends = (row[k] for k in ("needed", "needed_low", "needed_high"))
    found, low, high = (
        "any" if k == np.inf else "> 9,999" if k > 9999 else f"{k:.0f}" for k in ends
    )
    return f"{found} ({low} to {high})"


def delay_table() -> pd.DataFrame:
    """What delayed features gain: scores of each model with them minus without."""
    rows = {}
    for name, title in SETS.items():
        table = results.table(f"real_{name}_differences")
        for system, plain in UNDELAYED.items():
            if (system, plain) in table.droplevel([2, 3, 4]).index:
                part = table.loc[system, plain].apply(with_interval, axis=1, args=("difference", 3))
                for dimension in DIMENSIONS:
                    rows[title, f"{system} - {plain}", dimension] = part.loc[dimension]
    table = pd.DataFrame(rows).T.rename_axis(["data", "systems", "dimension"])
    heads = {("pooled", "rmse"): "RMSE, pooled", ("pooled", "pearson"): "r, pooled"}
    heads |= {("mean", "rmse"): "RMSE, per song", ("mean", "pearson"): "r, per song"}
    return table[[*heads]].set_axis([*heads.values()], axis=1)


def lag_table() -> pd.DataFrame:
    """Within-song r with three cues by delay, and the best delay."""
    table = results.table("lag")
    text = table.apply(with_interval, axis=1).unstack("statistic")
    plain = table["value"].map(lambda value: number(value, 2)).unstack("statistic")
    found = pd.DataFrame({"r at 0 s": text["r at 0 s"]})
    found = found.join(plain[[f"r at {k} s" for k in (1, 2, 4, 6, 8)]])
    found["best delay, s"] = text["best delay"]
    return found.reorder_levels(["cue", "dimension", "data"]).sort_index()


def rater_lag_table() -> pd.DataFrame:
    """Single raters: how many more than by chance are best at short, middle and long delays."""
    text = results.table("lag_raters").apply(with_interval, axis=1).unstack("statistic")
    shares = sorted(name for name in text if name.startswith("share"))
    heads = [name.replace("share, best at", "excess,") for name in shares]
    columns = [f"r at {k} s" for k in (0, 2, 4, 6)]
    return text[columns + shares].set_axis(columns + heads, axis=1)


def transfer_table() -> pd.DataFrame:
    """Models that were trained on one data set and tested on another."""
    table = results.table("transfer")
    text = table.apply(with_interval, axis=1).unstack(["dimension", "aggregation", "metric"])
    columns = {}
    for dimension in DIMENSIONS:
        keys = {("pooled", "pearson"): "r, pooled", ("songs", "pearson"): "r over songs"}
        keys |= {("mean", "pearson"): "r within songs", ("pooled", "rmse"): "RMSE"}
        columns |= {f"{dimension}: {head}": text[dimension, *key] for key, head in keys.items()}
    return (
        pd.DataFrame(columns).reorder_levels(["train", "test", "system", "features"]).sort_index()
    )


SOURCES = {
    "mini (synthetic)": [("mini", "deam"), ("mini", "vgmidi")],
    "the other real data set": [("vgmidi", "deam"), ("deam", "vgmidi")],
}


def conclusions() -> pd.DataFrame:
    """What can be concluded and what cannot; all numbers are read from stored tables."""
    rows = {}
    for dimension in DIMENSIONS:
        rows |= {f"{dimension}, {text}": row for text, row in _of_networks(dimension).items()}
    tables = [results.table(f"real_{name}_differences") for name in SETS]
    for dimension in DIMENSIONS:
        for system, plain in UNDELAYED.items():
            key = system, plain, dimension, "pooled", "rmse"
            parts = [table.loc[key] for table in tables]
            cells = [with_interval(row, "difference", 3) for row in parts]
            text = f"{dimension}, RMSE: {system} minus {plain}"
            rows[text] = [*cells, _side(parts, "difference", ("better", "worse"))]
    lag = results.table("lag").xs(("arousal", "best delay"), level=("dimension", "statistic"))
    for cue in lag.index.unique("cue"):
        parts = [lag.loc[name, cue] for name in SETS]
        text = f"best delay of {cue} for arousal, s; mini: {with_interval(lag.loc['mini', cue])}"
        apart = parts[0]["high"] < parts[1]["low"] or parts[1]["high"] < parts[0]["low"]
        rows[text] = [*map(with_interval, parts), "they differ" if apart else "may be the same"]
    raters = results.table("lag_raters").xs(("loudness", "arousal"), level=("cue", "dimension"))
    for statistic in sorted(k for k in raters.index.unique("statistic") if k.startswith("share")):
        cells = {name: with_interval(raters.loc[name, statistic]) for name in ("mini", "vgmidi")}
        text = (
            f"arousal and loudness, single raters beyond chance: {statistic}; mini: {cells['mini']}"
        )
        words = _side([raters.loc["vgmidi", statistic]], "", ("below 0", "above 0"))
        rows[text] = ["–", cells["vgmidi"], words]
    table = results.table("transfer").xs(("songs", "pearson"), level=("aggregation", "metric"))
    for dimension in DIMENSIONS:
        for source, pairs in SOURCES.items():
            parts = [table.loc[BASE, train, "ranks", test, dimension] for train, test in pairs]
            text = f"{dimension}, r over songs: {BASE}, on ranks, trained on {source}"
            rows[text] = [*map(with_interval, parts), _side(parts, "", ("below 0", "above 0"))]
    columns = [*SETS.values(), "conclusion"]
    return pd.DataFrame(rows, columns).T.rename_axis("statement")


def _of_networks(dimension: str) -> dict[str, list[str]]:
    """Networks against the delayed linear model: RMSE, pooled."""
    tables = [
        real_differences(name).xs((dimension, "pooled", "rmse"), level=(1, 2, 3)) for name in SETS
    ]
    tables = [table.drop(index=SIMPLE, errors="ignore") for table in tables]
    sure = [table.loc[table["p_holm"] < SURE, "difference"] for table in tables]
    best = [table.loc[table["value"].idxmin()] for table in tables]
    counts = [f"{(d < 0).sum()} and {(d > 0).sum()} of {len(t)}" for d, t in zip(sure, tables)]
    none = all((d > 0).all() for d in sure)
    spans = [f"{number(t['detectable'].min())} to {number(t['detectable'].max())}" for t in tables]
    differences = [f"{row.name}: {with_interval(row, 'difference', 3)}" for row in best]
    verdict = _side(best, "difference", ("better", "worse"))
    return {
        "networks that are better and worse than delayed linear beyond chance": [
            *counts,
            "no network is better" if none else "some network is better",
        ],
        "RMSE: best network minus delayed linear": [*differences, verdict],
        "RMSE: difference that so many songs detect": [*spans, "smaller ones stay open"],
        "songs that the best network's difference needs": [*map(_needed, best), ""],
    }


def _side(rows: list[pd.Series], name: str, words: tuple[str, str]) -> str:
    """For each data set on which side of 0 the interval is."""
    start = f"{name}_" if name else ""
    ends = [(row[f"{start}low"], row[f"{start}high"]) for row in rows]
    found = [words[0] if high < 0 else words[1] if low > 0 else "open" for low, high in ends]
    if len(set(found)) == 1:
        return found[0]
    return ", ".join(f"{k}: {v}" for k, v in zip(SETS.values(), found))


def wrong_simulation() -> pd.DataFrame:
    """Statistics of raters whose intervals in VGMIDI and mini, both from 15 to 45 s, are apart."""
    table = results.table("raters")
    real, simulated = (table.xs(name, level="data") for name in ("vgmidi, 30 s", "mini"))
    real = real.drop("raters", level="statistic")
    simulated = simulated.reindex(real.index)
    apart = (real["high"] < simulated["low"]) | (real["low"] > simulated["high"])
    columns = {"vgmidi, 30 s": real[apart], "mini": simulated[apart]}
    return pd.DataFrame({k: v.apply(with_interval, axis=1) for k, v in columns.items()})


def rough_figures() -> pd.DataFrame:
    """Figures of a rough trial, of 48 excerpts of which 36 are here, beside ours."""
    rows = {}
    for rough in pd.read_csv(Path(__file__).with_name("rough_trial.csv")).itertuples():
        row = results.table(rough.table).loc[tuple(rough.key.split("|"))]
        kept = "confirmed" if row["low"] <= rough.rough <= row["high"] else "corrected"
        text = number(rough.rough, 3 if rough.key.endswith("rmse") else 2)
        rows[rough.figure, rough.dimension] = [text, with_interval(row), kept]
    columns = ["rough", "ours", "the interval contains it"]
    return pd.DataFrame(rows, columns).T.rename_axis(["figure", "dimension"])


def times() -> pd.DataFrame:
    """CPU time of each study, as far as it is stored."""
    rows = {}
    for name in ("real_deam", "real_vgmidi", "lag", "lag_raters", "raters", "transfer", "cues"):
        about = json.loads((results.RESULTS / f"{name}.json").read_text())
        rows[name] = [str(about["units"]), f"{about['seconds']['computing'] / 60:.1f}"]
    return pd.DataFrame(rows, ["units", "minutes of one core"]).T.rename_axis("study")


def tables() -> dict[str, str]:
    """All tables of the page, by the names of their marks."""
    found = {
        f"{name} {aggregation} {metric}": system_table(name, aggregation, metric)
        for name in SETS
        for aggregation in ("pooled", "mean")
        for metric in ("rmse", "pearson")
    }
    raters, cues = (
        results.table(name).apply(with_interval, axis=1).unstack("data")
        for name in ("raters", "cues")
    )
    frames = {
        "times": times(),
        "conclusions": conclusions(),
        "rough": rough_figures(),
        "delay": delay_table(),
        "lag": lag_table(),
        "rater lag": rater_lag_table(),
        "raters": raters[["vgmidi", "vgmidi, 30 s", "mini", "mini, test"]],
        "simulation": wrong_simulation(),
        "transfer": transfer_table(),
        "cues": cues[["mini", *SETS]],
    }
    return found | {name: as_page(table) for name, table in frames.items()}


def filled(text: str, found: dict[str, str]) -> str:
    """A page with every table between its marks."""
    for name, table in found.items():
        start, end = MARKS[0].format(name=name), MARKS[1]
        if start in text:
            before, rest = text.split(start, 1)
            text = f"{before}{start}\n\n{table}\n\n{end}{rest.split(end, 1)[1]}"
    return text


def fill(page: Path, found: dict[str, str]) -> None:
    """Write tables into a page, between their marks."""
    text = filled(page.read_text(encoding="utf-8"), found)
    with written_atomically(page) as part:
        part.write_text(text, encoding="utf-8")


def pages() -> dict[Path, dict[str, str]]:
    """The tables of each page, by the names of their marks."""
    boards = {"docs/results.md": board(), "README.md": short_board()}
    return {PAGE: tables()} | {results.ROOT / k: {"board": v} for k, v in boards.items()}


def main() -> None:
    """Write the tables into their pages."""
    for page, found in pages().items():
        fill(page, found)


if __name__ == "__main__":
    main()

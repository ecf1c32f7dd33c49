"""Why valence fails: published scores, suspects and verdicts as tables; numbers from data/results.

`python -m workbook.valence_verdicts` writes the tables into docs/valence.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.metrics import DIMENSIONS
from workbook import harmony, papers, results
from workbook.real_music import as_page, fill, number, with_interval
from workbook.studies.valence_mini import CURES
from workbook.valence import ceiling, spearman_brown

PAGE = results.ROOT / "docs" / "valence.md"
SIDES = {
    "2014": "1000 songs of 2014",
    "431": "431 development songs of 2015",
    "58": "58 test songs of 2015",
}
"""Sets of songs with a published r of valence per song."""

FAULTS = {
    "nothing": ("development", "0.6"),
    "the correlation is lost": ("development", "0"),
    "other palettes": ("test", "0.6"),
}
"""Planted faults of mini, SYNTHETIC: the palettes of its test songs, and r(valence, arousal)."""
WITHIN = "r(valence, arousal) within songs"


def beside_arousal() -> pd.DataFrame:
    """Published r of valence per song, and r(valence, arousal) within the same songs of DEAM.

    One row a set of `SIDES`. Columns `published` (the best run), `value`, `low`, `high` (r of the
    labels with its 95 % interval): what a prediction of valence by true arousal would reach.
    """
    labels = results.table("valence_labels").xs(WITHIN, level="statistic")
    rows = papers.published().query("metric == 'pearson' and dimension == 'valence'")
    best = rows[rows["aggregation"] == "mean per song"].groupby(["paper", "split"])["value"].max()
    runs = {
        "2014": best["munich_2014", "test 2014"],
        "431": best["munich_2015", "held-out"],
        "58": best["munich_2015", "test"],
    }
    table = labels.loc[[*SIDES]].assign(published=pd.Series(runs))
    return table.rename(index=SIDES)[["published", "value", "low", "high"]]


def verdicts() -> pd.DataFrame:
    """One row a suspect: test, data, result with 95 % interval, strength, and the command."""
    table = pd.read_csv(Path(__file__).with_name("suspects.csv"), index_col="suspect")
    found = _of_labels() | _of_ridge() | _of_raters() | _of_features()
    for column in ("result", "strength"):
        table[column] = [text.format(**found) for text in table[column]]
    return table


def _of_labels() -> dict[str, str]:
    labels = results.table("valence_labels").loc["431"]
    chosen = results.table("valence_selection").loc["2013 and 2014", "difference"]
    beside = [
        f"{number(k['published'])} beside {with_interval(k)}" for k in _rows(beside_arousal())
    ]
    return {
        "pooled": with_interval(labels.loc["r(valence, arousal) pooled"]),
        "within": with_interval(labels.loc[WITHIN]),
        "beside": "; ".join(beside),
        "chosen_within": with_interval(chosen.loc["within songs"]),
        "chosen_over": with_interval(chosen.loc["over song means"]),
    }


def _of_ridge() -> dict[str, str]:
    scored, (own, new, half) = tilted("as it is"), at_zero()
    more = "ridge, penalty 1000", "song level", "1744 to 58", "valence", "pearson"
    return {
        "as_it_is": with_interval(scored.loc["as it is"]),
        "at_0": with_interval(scored.loc["0"]),
        "of_58": with_interval(scored.loc["the 58"]),
        "own": with_interval(own),
        "new": with_interval(new),
        "lost": number(half - (new["value"] - own["value"]), 2),
        "penalty": with_interval(results.table("valence_systems").loc[more], "difference"),
    }


def _of_raters() -> dict[str, str]:
    table = results.table("valence_ceilings")
    text = table.apply(with_interval, axis=1).unstack(["dimension", "statistic"])
    many, few = (text.loc[task] for task in ("CV 1744", "1744 to 58"))
    within = results.table("raters").loc[("vgmidi", "valence", "reliability within songs")]
    falls = {k: f"{many[k, 'r, corrected']} to {few[k, 'r, corrected']}" for k in DIMENSIONS}
    return falls | {
        "many": many["valence", "reliability"],
        "few": few["valence", "reliability"],
        "reliability": with_interval(within),
        "ceiling": with_interval(pd.Series(few_raters())),
    }


def _of_features() -> dict[str, str]:
    least = harmony_gain("vgmidi", "tonal", harmony.BEST)
    most = harmony_gain("deam", harmony.BOTH, "260")
    return {
        "delayed": " and ".join(with_interval(k, "difference") for k in _rows(delay_gain())),
        "piano": with_interval(least, "difference"),
        "mixed": with_interval(most, "difference"),
    }


def _rows(table: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in table.iterrows()]


def tilted(trained_at: str) -> pd.DataFrame:
    """Valence r of a ridge that was trained at a correlation; a row for each it is scored at."""
    scored = results.table("valence_tilted").loc["ridge", "song level", trained_at]
    return scored.xs(("valence", "pearson"), level=("dimension", "statistic"))


def at_zero() -> tuple[pd.Series, pd.Series, float]:
    """Valence r of a ridge that was trained at r(valence, arousal) = 0.

    On its own collections, weighted to 0 as well; on the 58; and the half-width of the 95 %
    interval of their difference (the two sets of songs are independent).
    """
    own, new = (tilted("0.0").loc[k] for k in ("0", "the 58"))
    half = np.hypot(*((row["high"] - row["low"]) / 2 for row in (own, new)))
    return own, new, float(half)


def few_raters(raters: float = 5) -> dict[str, float]:
    """Ceiling of the valence r within songs for fewer of VGMIDI's thirty raters, with interval."""
    table = results.table("raters").loc["vgmidi", "valence"]
    row, count = table.loc["reliability within songs"], table.loc["raters", "value"]
    ends = ("value", "low", "high")
    return {k: float(ceiling(spearman_brown(row[k], raters / count))) for k in ends}


def delay_gain() -> pd.DataFrame:
    """What delay adds to a linear model's r of valence within songs; a row a data set."""
    key = "delayed linear", "linear", "valence", "mean", "pearson"
    names = {"vgmidi": "VGMIDI, 160 pieces", "deam": "DEAM, 36 excerpts"}
    return pd.DataFrame(
        {text: results.table(f"real_{name}_differences").loc[key] for name, text in names.items()}
    ).T


def harmony_gain(data: str, features: str, against: str) -> pd.Series:
    """The learner with the smallest (VGMIDI) or largest (DEAM) gain in r of valence over songs."""
    table = harmony.scores(data, features, against=against)
    place = table["difference"].idxmin() if data == "vgmidi" else table["difference"].idxmax()
    return table.loc[place]


def real_cures() -> pd.DataFrame:
    """Gain in r of valence over ridge by each cure, over songs of DEAM, with 95 % intervals."""
    table = results.table("valence_systems").xs(
        ("song level", "valence", "pearson"), level=("labels", "dimension", "statistic")
    )
    table = table[["difference", "difference_low", "difference_high"]]
    table = table.set_axis(["value", "low", "high"], axis=1).rename_axis(["cure", "where"])
    places = {"1744 to 58": "to the 58", "2013 to 2014": "2013 to 2014"}
    kept = [(cure, task) for task in places for cure in CURES]
    return table.loc[kept].rename(index=places, level="where")


def planted_r() -> pd.DataFrame:
    """Pooled r of valence for each planted fault of mini, SYNTHETIC, and seed, by system."""
    table = results.table("valence_worlds")["valence, pooled, pearson"]
    table = table.xs("as in development", level="raters")
    each = {k: table.loc[place].xs(r, level="correlation") for k, (place, r) in FAULTS.items()}
    return pd.concat(each, names=["fault"]).unstack("system")


def planted_cures() -> pd.DataFrame:
    """The same gains on mini, SYNTHETIC, where the fault is known: mean and range of five seeds."""
    r = planted_r()
    gains = r[[*CURES]].sub(r["ridge"], axis=0).groupby(level="fault", sort=False)
    table = pd.concat({"value": gains.mean(), "low": gains.min(), "high": gains.max()}, axis=1)
    return table.stack("system").swaplevel().rename_axis(["cure", "where"])


def planted_scores() -> pd.DataFrame:
    """Mean r of valence, pooled, of ridge and each cure for each planted fault, SYNTHETIC."""
    mean = planted_r().groupby(level="fault", sort=False).mean()[["ridge", *CURES]]
    return mean.map(lambda value: number(value, 2)).rename_axis("planted fault")


def tables() -> dict[str, str]:
    """All tables of the page, by the names of their marks."""
    real = real_cures().rename_axis(["method", "where"])
    gains = {"cures, real": real, "cures, planted": planted_cures()}
    found = {k: v.apply(with_interval, axis=1).unstack("where") for k, v in gains.items()}
    found = {k: v.sort_index().sort_index(axis=1) for k, v in found.items()}
    found |= {"scores, planted": planted_scores(), "verdicts": verdicts()}
    return {name: as_page(table) for name, table in found.items()}


def main() -> None:
    """Write the tables into docs/valence.md."""
    fill(PAGE, tables())


if __name__ == "__main__":
    main()

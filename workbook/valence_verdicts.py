"""Why valence fails: published scores, suspects and verdicts as tables; numbers from data/results.

`python -m workbook.valence_verdicts` writes the tables into docs/valence.md.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

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
    makers = (
        _aggregation,
        _correlation_within,
        _selection,
        _correlation_over,
        _sources,
        _raters_over,
        _raters_within,
        _lag,
        _features,
        _overfitting,
        _arousal,
    )
    columns = ["suspect", "test", "data, all real", "result", "strength", "table"]
    return pd.DataFrame([maker() for maker in makers], columns=columns).set_index("suspect")


def _aggregation() -> tuple[str, ...]:
    labels, few = results.table("valence_labels"), []
    for kind in ("pooled", "within songs"):
        few.append(with_interval(labels.loc[("431", f"r(valence, arousal) {kind}")]))
    return (
        "aggregation",
        "r(valence, arousal), pooled and within songs",
        "431 songs",
        f"{few[0]} and {few[1]}",
        "IRIT's pair mixes both; Munich's does not, and falls as well",
        "valence_labels",
    )


def _correlation_within() -> tuple[str, ...]:
    pairs = [
        f"{number(row['published'])} beside {with_interval(row)}"
        for _, row in beside_arousal().iterrows()
    ]
    return (
        "correlation, within songs",
        "best published r beside r(valence, arousal)",
        "1000, 431 and 58 songs",
        "; ".join(pairs),
        "likely: it fits, on three sets; our model over time was not shown to lean on arousal",
        "valence_labels",
    )


def _selection() -> tuple[str, ...]:
    table = results.table("valence_selection").loc["2013 and 2014", "difference"]
    within, over = (with_interval(table.loc[k]) for k in ("within songs", "over song means"))
    return (
        "choice of the development songs",
        "r(valence, arousal), selected minus other songs of the same years",
        "431 and 1313 songs",
        f"{within} within songs, {over} over song means",
        "established for the labels, within songs",
        "valence_selection",
    )


def _correlation_over() -> tuple[str, ...]:
    scored = results.table("valence_tilted").loc["ridge", "song level", "as it is"]
    scored = scored.xs(("valence", "pearson"), level=("dimension", "statistic"))
    cells = [with_interval(scored.loc[k]) for k in ("as it is", "0", "the 58")]
    return (
        "correlation, over songs",
        "the same songs weighted to r(valence, arousal) = 0; r of valence",
        "1744 songs, ten folds; the 58",
        f"{cells[0]} as they are, {cells[1]} at 0; the 58: {cells[2]}",
        "established for a linear model; on the 58 more may be lost",
        "valence_tilted",
    )


def at_zero() -> tuple[pd.Series, pd.Series, float]:
    """Valence r of a ridge that was trained at r(valence, arousal) = 0.

    On its own collections, weighted to 0 as well; on the 58; and the half-width of the 95 %
    interval of their difference (the two sets of songs are independent).
    """
    scored = results.table("valence_tilted").loc["ridge", "song level", "0.0"]
    scored = scored.xs(("valence", "pearson"), level=("dimension", "statistic"))
    own, new = scored.loc["0"], scored.loc["the 58"]
    half = np.hypot(*((row["high"] - row["low"]) / 2 for row in (own, new)))
    return own, new, float(half)


def _sources() -> tuple[str, ...]:
    own, new, half = at_zero()
    most = half - (new["value"] - own["value"])
    return (
        "other collection",
        "trained without the correlation: r of valence on its own collections at 0, on the 58",
        "1744 and 58 songs",
        f"{with_interval(own)} and {with_interval(new)}",
        f"no loss found; one of up to {number(most, 2)} is possible",
        "valence_tilted",
    )


def _raters_over() -> tuple[str, ...]:
    table = results.table("valence_ceilings").xs(
        ("valence", "reliability"), level=("dimension", "statistic")
    )
    many, few = (with_interval(table.loc[k]) for k in ("CV 1744", "1744 to 58"))
    return (
        "raters, over songs",
        "reliability of the song-level valence",
        "1744 and 58 songs",
        f"{many} and {few}",
        "not the cause",
        "valence_ceilings",
    )


def few_raters(raters: float = 5) -> dict[str, float]:
    """Ceiling of the valence r within songs for fewer of VGMIDI's thirty raters, with interval."""
    row = results.table("raters").loc[("vgmidi", "valence", "reliability within songs")]
    count = results.table("raters").loc[("vgmidi", "valence", "raters"), "value"]
    ends = ("value", "low", "high")
    return {k: float(ceiling(spearman_brown(row[k], raters / count))) for k in ends}


def _raters_within() -> tuple[str, ...]:
    row = results.table("raters").loc[("vgmidi", "valence", "reliability within songs")]
    return (
        "raters, within songs",
        "reliability of valence within songs; ceiling of r for five raters",
        "VGMIDI, 160 pieces, 30 raters",
        f"{with_interval(row)}; {with_interval(pd.Series(few_raters()))}",
        "open: a low ceiling is plausible, but the 58 have no single ratings here",
        "raters",
    )


def delay_gain() -> pd.DataFrame:
    """What delay adds to a linear model's r of valence within songs; a row a data set."""
    key = "delayed linear", "linear", "valence", "mean", "pearson"
    names = {"vgmidi": "VGMIDI, 160 pieces", "deam": "DEAM, 36 excerpts"}
    return pd.DataFrame(
        {text: results.table(f"real_{name}_differences").loc[key] for name, text in names.items()}
    ).T


def _lag() -> tuple[str, ...]:
    cells = [with_interval(row, "difference") for _, row in delay_gain().iterrows()]
    return (
        "rater lag",
        "delayed linear minus linear model, r of valence within songs",
        "VGMIDI 160, DEAM 36",
        " and ".join(cells),
        "lowers r on VGMIDI; another lag in the 58 is not tested",
        "real_vgmidi real_deam",
    )


def harmony_gain(data: str, features: str, against: str) -> pd.Series:
    """The learner with the smallest (VGMIDI) or largest (DEAM) gain in r of valence over songs."""
    table = results.table(f"harmony_{data}").xs(
        (features, against, "valence", "pearson"),
        level=("features", "against", "dimension", "metric"),
    )
    place = table["difference"].idxmin() if data == "vgmidi" else table["difference"].idxmax()
    return table.loc[place]


def _features() -> tuple[str, ...]:
    piano = with_interval(harmony_gain("vgmidi", "tonal", harmony.BEST), "difference")
    mixed = with_interval(harmony_gain("deam", harmony.BOTH, "260"), "difference")
    return (
        "features lack harmony",
        "r over songs: six tonal minus best of the 260; 266 minus 260",
        "VGMIDI 160; DEAM 36",
        f"{piano} at least; {mixed} at most",
        "established for piano; open for DEAM; the same in both sets, so not the fall",
        "harmony_vgmidi harmony_deam",
    )


def _overfitting() -> tuple[str, ...]:
    table = results.table("valence_systems")
    row = table.loc[("ridge, penalty 1000", "song level", "1744 to 58", "valence", "pearson")]
    return (
        "over-fitting",
        "r on the 58 with ten times the penalty, minus that of ridge",
        "58 songs",
        with_interval(row, "difference"),
        "not for a linear model; open for the networks",
        "valence_systems",
    )


def _arousal() -> tuple[str, ...]:
    table = results.table("valence_ceilings").xs("r, corrected", level="statistic")
    cells = {
        name: " to ".join(
            with_interval(table.loc[task, name]) for task in ("CV 1744", "1744 to 58")
        )
        for name in ("valence", "arousal")
    }
    return (
        "valence alone?",
        "r over songs / ceiling, folds to the 58",
        "1744 and 58 songs",
        f"valence {cells['valence']}; arousal {cells['arousal']}",
        "valence falls for sure; arousal's fall may be its raters'",
        "valence_ceilings",
    )


def real_cures() -> pd.DataFrame:
    """Gain in r of valence over ridge by each cure, over songs of DEAM, with 95 % intervals."""
    table = results.table("valence_systems")
    names = {"1744 to 58": "to the 58", "2013 to 2014": "2013 to 2014"}
    rows = {}
    for task, text in names.items():
        for cure in CURES:
            row = table.loc[(cure, "song level", task, "valence", "pearson")]
            ends = {k: row[f"difference_{k}"] for k in ("low", "high")}
            rows[cure, text] = {"value": row["difference"], **ends}
    return pd.DataFrame(rows).T.rename_axis(["cure", "where"])


def planted_cures() -> pd.DataFrame:
    """The same gains on mini, SYNTHETIC, where the fault is known: mean and range of five seeds."""
    table = results.table("valence_worlds")["valence, pooled, pearson"]
    table = table.xs("as in development", level="raters")
    rows = {}
    for fault, (palettes, correlation) in FAULTS.items():
        r = table.loc[palettes].xs(correlation, level="correlation").unstack("system")
        for cure in CURES:
            gain = r[cure] - r["ridge"]
            rows[cure, fault] = {"value": gain.mean(), "low": gain.min(), "high": gain.max()}
    return pd.DataFrame(rows).T.rename_axis(["cure", "where"])


def planted_scores() -> pd.DataFrame:
    """Mean r of valence, pooled, of ridge and each cure for each planted fault, SYNTHETIC."""
    table = results.table("valence_worlds")["valence, pooled, pearson"]
    table = table.xs("as in development", level="raters").groupby(
        ["palettes", "correlation", "system"]
    )
    mean, systems = table.mean(), ("ridge", *CURES)
    rows = {k: [number(mean[(*v, s)], 2) for s in systems] for k, v in FAULTS.items()}
    return pd.DataFrame(rows, systems).T.rename_axis("planted fault")


def tables() -> dict[str, str]:
    """All tables of the page, by the names of their marks."""
    gains = {"cures, real": real_cures(), "cures, planted": planted_cures()}
    found = {
        name: as_page(table.apply(with_interval, axis=1).unstack("where"))
        for name, table in gains.items()
    }
    found["scores, planted"] = as_page(planted_scores())
    found["verdicts"] = as_page(verdicts())
    return found


def main() -> None:
    """Write the tables into docs/valence.md."""
    fill(PAGE, tables())


if __name__ == "__main__":
    main()

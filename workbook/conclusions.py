"""What to use, what not to believe, what nobody knows: one page, numbers from data/results."""

from __future__ import annotations

import pandas as pd

from workbook import harmony, intervals, results
from workbook.real_music import SETS, SIMPLE, number, real_differences, with_interval
from workbook.valence_verdicts import beside_arousal, delay_gain, harmony_gain

COLUMNS = ["", "statement", "number, 95 % interval", "songs", "detects"]


def conclusions() -> pd.DataFrame:
    """One row a statement about real songs: its number, the songs, the difference that they detect.

    *detects* is the difference that so many songs show in 80 % of all samples; a dash where the
    number is no difference.
    """
    return pd.DataFrame([*_use(), *_doubt(), *_unknown()], columns=COLUMNS).set_index("")


def _use() -> list[list[str]]:
    rows = []
    for data, title in SETS.items():
        table = real_differences(data).xs(
            ("delayed linear", "pooled", "rmse"), level=("system", "aggregation", "metric")
        )
        cells = [with_interval(table.loc[d], "difference", 3) for d in ("valence", "arousal")]
        found = [number(table.loc[d, "detectable"]) for d in ("valence", "arousal")]
        text = (
            f"the delayed linear model, {title}: RMSE minus that of a constant, valence / arousal"
        )
        songs = f"{table['songs'].max():.0f}"
        rows.append(["use", text, " / ".join(cells), songs, " / ".join(found)])
    delay = delay_gain().iloc[0]
    rows.append(
        _row("use", "features delayed by seconds, VGMIDI: r of valence within songs", delay)
    )
    least = harmony_gain("vgmidi", "tonal", harmony.BEST)
    rows.append(
        _row("use", "harmony for piano: six features minus best of 260, r of valence", least)
    )
    return rows


def _row(kind: str, text: str, row: pd.Series) -> list[str]:
    cells = [with_interval(row, "difference"), f"{row['songs']:.0f}", number(row["detectable"], 2)]
    return [kind, text, *cells]


def _doubt() -> list[list[str]]:
    kind, rows = "do not believe", []
    for data, title in SETS.items():
        table = real_differences(data).xs(("pooled", "rmse"), level=("aggregation", "metric"))
        nets = table[~table.index.get_level_values("system").isin(SIMPLE)]
        better = ((nets["p_holm"] < 0.05) & (nets["difference"] < 0)).sum()
        span = f"{number(nets['detectable'].min())} to {number(nets['detectable'].max())}"
        text = f"that a network beats the delayed linear model, {title}: comparisons it wins, RMSE"
        rows.append([kind, text, f"{better} of {len(nets)}", f"{nets['songs'].max():.0f}", span])
    gain = triplet_gain()
    text = "that triplets beat an SVM with the same preparation, whole songs of DEAM: R² of valence"
    cells = [
        f"{number(gain['difference'], 3)} [{number(gain['low'], 3)}, {number(gain['high'], 3)}]"
    ]
    rows.append([kind, text, *cells, f"{gain['songs']:.0f}", number(gain["detectable"], 3)])
    own = beside_arousal().iloc[1]
    text = f"a valence r without the labels' r(valence, arousal): {number(own['published'])} beside"
    chosen = results.table("valence_selection").loc[("2013 and 2014", "selected", "within songs")]
    rows.append([kind, text, with_interval(own), f"{chosen['songs']:.0f}", "–"])
    return rows


def triplet_gain() -> pd.Series:
    """R2 of valence over songs of DEAM: the triplet network minus an SVM on ranks, paired."""
    each = results.stored_songs("deam")["r2"].dropna()
    sides = [
        intervals.contributions(each.xs((name, "valence"), level=["system", "dimension"]))
        for name in ("TNN-SVM", "SVM on ranks")
    ]
    return pd.Series(intervals.difference(*sides))


def _unknown() -> list[list[str]]:
    rows = []
    most = harmony_gain("deam", harmony.BOTH, "260")
    rows.append(_row("nobody knows", "whether harmony helps on DEAM: r of valence", most))
    for data, title in SETS.items():
        table = real_differences(data).xs(
            ("valence", "pooled", "rmse"), level=("dimension", "aggregation", "metric")
        )
        best = table.drop(index=SIMPLE, errors="ignore")["difference"].idxmin()
        row = table.loc[best]
        text = (
            f"whether {best}, the best network for valence on {title}, gains with more songs: RMSE"
        )
        cells = [
            with_interval(row, "difference", 3),
            f"{row['songs']:.0f}",
            number(row["detectable"]),
        ]
        rows.append(["nobody knows", text, *cells])
    text = "whether the networks of 2015 took valence from arousal: no predictions were published"
    rows.append(["nobody knows", text, "–", "58", "–"])
    return rows

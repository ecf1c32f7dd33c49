"""What to use, what not to believe, what nobody knows: one page, numbers from data/results."""

from __future__ import annotations

import pandas as pd

from mer_core.metrics import DIMENSIONS
from workbook import harmony, intervals, results
from workbook.real_music import BASE, SETS, SIMPLE, number, real_differences, with_interval
from workbook.valence_verdicts import beside_arousal, delay_gain, harmony_gain

COLUMNS = ["", "statement", "number, 95 % interval", "songs", "detects"]


def conclusions() -> pd.DataFrame:
    """One row a statement about real songs: its number, the songs, the difference that they detect.

    *detects* is the difference that so many songs show in 80 % of all samples; a dash where the
    number is no difference.
    """
    return pd.DataFrame([*_use(), *_doubt(), *_unknown()], columns=COLUMNS).set_index("")


def _row(kind: str, text: str, row: pd.Series, digits: int = 2) -> list[str]:
    songs, detects = f"{row['songs']:.0f}", number(row["detectable"], digits)
    return [kind, text, with_interval(row, "difference", digits), songs, detects]


def _rmse(data: str) -> pd.DataFrame:
    """Pooled RMSE of a data set; index (system, dimension)."""
    return real_differences(data).xs(("pooled", "rmse"), level=("aggregation", "metric"))


def _use() -> list[list[str]]:
    kind, rows = "use", []
    for data, title in SETS.items():
        each = [_row(kind, "", _rmse(data).loc[BASE, name], 3) for name in DIMENSIONS]
        cells, songs, detects = list(zip(*each))[2:]
        text = f"the {BASE} model, {title}: RMSE minus that of a constant, valence / arousal"
        rows.append([kind, text, " / ".join(cells), songs[0], " / ".join(detects)])
    text = "features delayed by seconds, VGMIDI: r of valence within songs"
    rows.append(_row(kind, text, delay_gain().iloc[0]))
    text = "harmony for piano: six features minus best of 260, r of valence"
    return [*rows, _row(kind, text, harmony_gain("vgmidi", "tonal", harmony.BEST))]


def _doubt() -> list[list[str]]:
    kind, rows = "do not believe", []
    for data, title in SETS.items():
        table = _rmse(data)
        nets = table[~table.index.isin(SIMPLE, level="system")]
        better = ((nets["p_holm"] < 0.05) & (nets["difference"] < 0)).sum()
        span = f"{number(nets['detectable'].min())} to {number(nets['detectable'].max())}"
        text = f"that a network beats the {BASE} model, {title}: comparisons it wins, RMSE"
        rows.append([kind, text, f"{better} of {len(nets)}", f"{nets['songs'].max():.0f}", span])
    text = "that triplets beat an SVM with the same preparation, whole songs of DEAM: R² of valence"
    rows.append(_row(kind, text, triplet_gain(), 3))
    own = beside_arousal().iloc[1]
    text = f"valence's r of {number(own['published'])} without the labels' r(valence, arousal)"
    chosen = results.table("valence_selection").loc[("2013 and 2014", "selected", "within songs")]
    return [*rows, [kind, text, with_interval(own), f"{chosen['songs']:.0f}", "–"]]


def triplet_gain() -> pd.Series:
    """R2 of valence over songs of DEAM: the triplet network minus an SVM on ranks, paired."""
    each = results.stored_songs("deam")["r2"].dropna().xs("valence", level="dimension")
    names = ("TNN-SVM", "SVM on ranks")
    sides = [intervals.contributions(each.xs(name, level="system")) for name in names]
    ends = {"low": "difference_low", "high": "difference_high"}
    return pd.Series(intervals.difference(*sides)).rename(ends)


def _unknown() -> list[list[str]]:
    kind, most = "nobody knows", harmony_gain("deam", harmony.BOTH, "260")
    rows = [_row(kind, "whether harmony helps on DEAM: r of valence", most)]
    for data, title in SETS.items():
        table = _rmse(data).xs("valence", level="dimension")
        best = table.drop(index=SIMPLE, errors="ignore")["difference"].idxmin()
        text = f"whether {best}, the best network for valence on {title}, gains with more songs"
        rows.append(_row(kind, f"{text}: RMSE", table.loc[best], 3))
    text = "whether the networks of 2015 took valence from arousal: no predictions were published"
    return [*rows, [kind, text, "–", "58", "–"]]

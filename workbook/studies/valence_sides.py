"""Why valence fails: choice of songs, ceilings, and r within songs. Notebook 09."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.evaluation import cross_validate
from mer_core.folds import k_folds
from mer_core.metrics import DIMENSIONS
from mer_core.models import DelayedLinear
from mer_core.smoothing import moving_average
from workbook.studies.real import joint_study, of_data
from workbook.studies.regressors import with_features
from workbook.studies.study import Frames, Levels, Study, Tables, as_they_are, framed, labelled
from workbook.studies.valence import (
    LABELS,
    deam_valence,
    known_songs,
    predict_valence,
    printed_ratings,
    tasks,
)
from workbook.studies.valence_systems import BASE, of_songs
from workbook.valence import (
    ceiling,
    correlation,
    interval,
    mean_over_songs,
    moments,
    song_counts,
    weighted_scores,
)

YEARS = {"2013 and 2014": (2013, 2014), "2013": (2013,), "2014": (2014,)}
KINDS = ("within songs", "over song means")


def compare_selected(corpus: Corpus, *, years: str) -> pd.DataFrame:
    """r(valence, arousal) of the songs that the task of 2015 selected, and of the others.

    The organisers chose the 431 development songs from those of 2013 and 2014 by the agreement of
    their raters. Index (songs: "selected", "others", "difference"; aggregation), columns value,
    low, high (95 % over songs) and songs. Songs that do not move have no r within.
    """
    dev = set(tasks(corpus, "training 431", 0)[0].train)
    year = corpus.songs["year"]
    known = corpus.labels.index.unique("song_id")
    known = known[year.loc[known].isin(YEARS[years])]
    chosen = known.isin(dev)
    rows, drawn = {}, {}
    sides = {"selected": known[chosen], "others": known[~chosen]}
    for seed, (name, songs) in enumerate(sides.items()):
        draws, counts = _correlation_draws(of_songs(corpus.labels, songs), seed=seed)
        drawn[name] = draws
        rows |= {(name, k): interval(v) | {"songs": counts[k]} for k, v in draws.items()}
    for kind in KINDS:
        row = interval(drawn["selected"][kind] - drawn["others"][kind])
        rows["difference", kind] = row | {"songs": len(known)}
    return framed(rows, ["songs_of", "aggregation"])


def _correlation_draws(labels: pd.DataFrame, *, seed: int) -> tuple[dict, dict]:
    songs = labels.groupby(level="song_id")
    own = correlation(moments(*(labels[k] for k in DIMENSIONS)).groupby(level="song_id").sum())
    counts = song_counts(len(own), seed=seed)
    means = moments(*(songs[name].mean() for name in DIMENSIONS))
    drawn = {"within songs": mean_over_songs(counts, own), KINDS[1]: correlation(counts @ means)}
    return drawn, {"within songs": np.isfinite(own).sum(), KINDS[1]: len(own)}


def reliability_draws(printed: pd.DataFrame, dimension: str, counts: np.ndarray) -> np.ndarray:
    """Reliability of song-level means in each bootstrap sample, as of `mean_reliability`.

    `printed` is of :func:`workbook.studies.valence.printed_ratings`. Of several years the mean,
    weighted by songs.
    """
    total = 0.0
    for year, songs in printed.groupby("year"):
        drawn = counts[:, printed["year"] == year]
        n = drawn.sum(axis=1)
        means = songs[f"{dimension}_mean"].to_numpy()
        error = drawn @ (songs[f"{dimension}_std"] ** 2 / songs["raters"]).to_numpy() / n
        spread = (drawn @ means**2 / n - (drawn @ means / n) ** 2) * n / (n - 1)
        total += n * (1 - error / spread)
    return total / counts.sum(axis=1)


def ceiling_scores(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Ridge's r over songs beside the ceiling of the same songs' labels, with 95 % intervals.

    Statistics: "reliability" of the song-level labels, "ceiling" (its root), "r", "r, corrected"
    (r / ceiling: Spearman's correction for attenuation); each sample of songs gives all four.
    """
    rows, known = {}, known_songs(corpus, LABELS[0])
    for (task,), p in frames.items():
        y, printed = known.loc[p.index], printed_ratings(p.index)
        counts = song_counts(len(y))
        for name in DIMENSIONS:
            reliability = reliability_draws(printed, name, counts)
            r = weighted_scores(y[name], p[name], counts)["pearson"]
            found = {"reliability": reliability, "ceiling": ceiling(reliability), "r": r}
            with np.errstate(divide="ignore"):
                found["r, corrected"] = r / found["ceiling"]
            for statistic, values in found.items():
                rows[task, name, statistic] = interval(values) | {"songs": len(y)}
    return (framed(rows, [*levels, "dimension", "statistic"]),)


def take_apart_songs(corpus: Corpus, *, data: str) -> pd.DataFrame:
    """Split r of valence within songs, every half second, through arousal and beyond it.

    The delayed linear model predicts the songs of a data set in ten folds, smoothed. Index
    statistic: "labels", r(valence, arousal); "r"; "through arousal" and "beyond arousal", which sum
    to it; "reference", the part through arousal of a model that ignores arousal, r(p, v) r(a, v)^2;
    "above reference", their difference. Means over songs in which nothing is constant,
    with 95 % intervals over songs.
    """
    part = with_features(of_data(corpus, data), "FS1")
    folds = k_folds(part.songs.index, k=10, seed=0)
    predicted = moving_average(cross_validate(DelayedLinear(), part, folds))
    y, p = part.labels, predicted.loc[part.labels.index]
    pairs = {"labels": (y["valence"], y["arousal"]), "r": (p["valence"], y["valence"])}
    pairs["carried"] = p["valence"], y["arousal"]
    own = {k: correlation(moments(*v).groupby(level="song_id").sum()) for k, v in pairs.items()}
    each = pd.DataFrame(own).dropna()
    each["through arousal"] = each.pop("carried") * each["labels"]
    each["beyond arousal"] = each["r"] - each["through arousal"]
    each["reference"] = each["r"] * each["labels"] ** 2
    each["above reference"] = each["through arousal"] - each["reference"]
    counts = song_counts(len(each))
    rows = {k: interval(mean_over_songs(counts, v)) | {"songs": len(each)} for k, v in each.items()}
    return pd.DataFrame(rows).T.rename_axis("statistic")


STUDIES = {
    "valence_selection": Study(
        compare_selected,
        labelled(("years",), years=YEARS),
        ("years",),
        as_they_are,
        ("valence_selection.csv",),
        deam_valence,
        cheapest=("2013",),
    ),
    "valence_ceilings": Study(
        predict_valence,
        [
            ((task,), {"system": BASE, "labels": LABELS[0], "task": task, "seed": 0})
            for task in ("CV 1744", "1744 to 58")
        ],
        ("task",),
        ceiling_scores,
        ("valence_ceilings.csv",),
        deam_valence,
        cheapest=("1744 to 58",),
    ),
    "valence_within": joint_study(
        "valence_within", take_apart_songs, ("deam", "vgmidi"), cheapest="deam"
    ),
}
"""On DEAM and VGMIDI, real."""

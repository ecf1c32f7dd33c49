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
from workbook.studies import valence
from workbook.studies.real import joint_study, of_data
from workbook.studies.regressors import with_features
from workbook.studies.study import Frames, Levels, Tables, framed, study_of
from workbook.studies.valence_systems import BASE, of_songs
from workbook.valence import (
    ceiling,
    correlation_draws,
    interval,
    mean_over_songs,
    song_correlations,
    song_counts,
    weighted_scores,
)

YEARS = {"2013 and 2014": (2013, 2014), "2013": (2013,), "2014": (2014,)}
KINDS = ("within songs", "over song means")


def compare_selected(corpus: Corpus, *, years: str) -> pd.DataFrame:
    """r(valence, arousal) of the songs that the task of 2015 selected, and of the others.

    The organisers chose the 431 development songs from those of 2013 and 2014 by their raters'
    agreement. Index (songs: "selected", "others", "difference"; aggregation).
    """
    dev = set(valence.tasks(corpus, "training 431", 0)[0].train)
    year = corpus.songs["year"]
    known = corpus.labels.index.unique("song_id")
    known = known[year.loc[known].isin(YEARS[years])]
    chosen = known.isin(dev)
    rows, drawn = {}, {}
    sides = {"selected": known[chosen], "others": known[~chosen]}
    for seed, (name, songs) in enumerate(sides.items()):
        drawn[name], own = correlation_draws(of_songs(corpus.labels, songs), seed=seed)
        counts = {"within songs": np.isfinite(own).sum(), "over song means": len(own)}
        for kind in KINDS:
            rows[name, kind] = interval(drawn[name][kind]) | {"songs": counts[kind]}
    for kind in KINDS:
        row = interval(drawn["selected"][kind] - drawn["others"][kind])
        rows["difference", kind] = row | {"songs": len(known)}
    return framed(rows, ["songs_of", "aggregation"])


def ceiling_scores(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Ridge's r over songs beside the ceiling of the same songs' labels, with 95 % intervals.

    Statistics: "reliability" of the labels, "ceiling" (its root), "r", "r, corrected" (r /
    ceiling).
    """
    rows, known = {}, valence.known_songs(corpus, valence.LABELS[0])
    for (task,), p in frames.items():
        y, printed = known.loc[p.index], valence.printed_ratings(p.index)
        counts = song_counts(len(y))
        for name in DIMENSIONS:
            reliability = valence.reliability_draws(printed, name, counts)
            r = weighted_scores(y[name], p[name], counts)["pearson"]
            found = {"reliability": reliability, "ceiling": ceiling(reliability), "r": r}
            with np.errstate(divide="ignore"):
                found["r, corrected"] = r / found["ceiling"]
            for statistic, values in found.items():
                rows[task, name, statistic] = interval(values) | {"songs": len(y)}
    return (framed(rows, [*levels, "dimension", "statistic"]),)


def take_apart_songs(corpus: Corpus, *, data: str) -> pd.DataFrame:
    """Split r of valence within songs, every half second, through arousal and beyond it.

    The delayed linear model predicts in ten folds, smoothed. Statistics, means over songs:
    "labels", r(valence, arousal); "r"; "through arousal" and "beyond arousal", which sum to it;
    "reference", the part through arousal of a model that ignores arousal, r(p, v) r(a, v)^2; "above
    reference".
    """
    part = with_features(of_data(corpus, data), "FS1")
    folds = k_folds(part.songs.index, k=10, seed=0)
    predicted = moving_average(cross_validate(DelayedLinear(), part, folds))
    y, p = part.labels, predicted.loc[part.labels.index]
    pairs = {"labels": (y["valence"], y["arousal"]), "r": (p["valence"], y["valence"])}
    pairs["carried"] = p["valence"], y["arousal"]
    own = {k: song_correlations(*pair) for k, pair in pairs.items()}
    each = pd.DataFrame(own).dropna()
    each["through arousal"] = each.pop("carried") * each["labels"]
    each["beyond arousal"] = each["r"] - each["through arousal"]
    each["reference"] = each["r"] * each["labels"] ** 2
    each["above reference"] = each["through arousal"] - each["reference"]
    counts = song_counts(len(each))
    rows = {k: interval(mean_over_songs(counts, v)) | {"songs": len(each)} for k, v in each.items()}
    return pd.DataFrame(rows).T.rename_axis("statistic")


STUDIES = {
    "valence_selection": study_of(
        compare_selected, ("years",), ("2013",), corpus=valence.deam_valence, years=YEARS
    ),
    "valence_ceilings": study_of(
        valence.predict_valence,
        ("task",),
        ("1744 to 58",),
        tabulate=ceiling_scores,
        corpus=valence.deam_valence,
        system=[BASE],
        labels=[valence.LABELS[0]],
        task=("CV 1744", "1744 to 58"),
        seed=[0],
    ),
    "valence_within": joint_study(take_apart_songs, "deam", data=("deam", "vgmidi")),
}
"""On DEAM and VGMIDI, real."""

"""Why valence fails: the studies on DEAM, real music and real raters. Notebook 09."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.datasets import load_corpus
from mer_core.datasets.deam import chosen_data
from mer_core.datasets.deam.annotations import AVERAGED
from mer_core.folds import Fold, k_folds
from mer_core.metrics import DIMENSIONS
from workbook import valence
from workbook.studies.songs import compared, deam_folder
from workbook.studies.study import (
    Frames,
    Levels,
    Tables,
    Units,
    as_they_are,
    by_seed,
    framed,
    labelled,
    study_of,
)
from workbook.studies.valence_systems import BASE, CONTEXTUAL, SYSTEMS, of_songs, predict_folds

LABELS = ("song level", "dynamic")
"""DEAM's two kinds of song labels: rated once for the whole song, or the mean of its curve."""
SCORED_AT = (-0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 0.9)
"""Correlations of valence and arousal to which the scored songs are weighted."""
SAMPLE = 58
BOTH = "CV 1744, 1744 to 58"
"""The task of predicting the 1744 songs in ten folds, and the 58."""
RATERS = {2013: 10, 2014: 10, 2015: 5}
"""Raters a song of the song-level labels: the means of 2015 are multiples of 1/5, and the printed
spreads are those of whole numbers only for these counts (and with n below, not n - 1)."""
SIMPLE = ("constant", BASE, "arousal only", "decorrelating weights", "valence freed from arousal")
REMEDIES = tuple(name for name in SYSTEMS if name not in (CONTEXTUAL, "ridge and SVR"))
TASKS = ("1744 to 58", "431 to 58", "2013 to 2014", "2014 to 2013", "CV 58", "CV 1744")
PAIRS = ("1744 to 58", "431 to 58", "2013 to 2014", "58 of 1744")
VALENCE = ("system", "labels", "task", "seed")
TILTED = ("system", "labels", "trained_at", "seed")
SUBSETS = ("labels", "correlation", "seed")


# Data


def deam_valence() -> Corpus:
    """DEAM, of the folder that `MER_DATA` names; errors as of `deam_folder`.

    `labels` every half second; `songs` with the song-level labels; `features` with one row a song,
    at time 0; the split of 2015.
    """
    folder, features = deam_folder()
    features = features.assign(time=0.0).set_index("time", append=True)
    return replace(load_corpus(folder, task="2015"), features=features)


def known_songs(corpus: Corpus, labels: str) -> pd.DataFrame:
    """One label a song: of the whole song, or the mean of its curve (see `LABELS`)."""
    if labels == "dynamic":
        return corpus.labels.groupby(level="song_id").mean()
    return corpus.songs[DIMENSIONS].dropna()


def song_track(corpus: Corpus, labels: str) -> pd.DataFrame:
    """The labels of `known_songs` as a track, at time 0."""
    return known_songs(corpus, labels).assign(time=0.0).set_index("time", append=True)


def tasks(corpus: Corpus, task: str, seed: int) -> list[Fold]:
    """The songs of DEAM to train on and to predict in a task.

    Tasks: those of `TASKS`, "CV 2013", "CV 2014" (all "CV" in ten folds), `BOTH`, and
    "training 1744" (the same songs on both sides).
    """
    if task == BOTH:
        return [fold for part in BOTH.split(", ") for fold in tasks(corpus, part, seed)]
    year, split = corpus.songs["year"], corpus.songs["split"]
    every = corpus.features.index.unique("song_id")
    groups = {"1744": year < 2015, "2013": year == 2013, "2014": year == 2014, "58": year == 2015}
    groups["431"] = split == "dev"
    groups = {name: every[inside.loc[every]] for name, inside in groups.items()}
    kind, _, what = task.partition(" ")
    if kind == "CV":
        return k_folds(groups[what], k=10, seed=seed)
    if kind == "training":
        return [Fold(groups[what], groups[what])]
    return [Fold(groups[kind], groups[what.removeprefix("to ")])]


# Systems and remedies on DEAM


def predict_valence(
    corpus: Corpus,
    *,
    system: str,
    labels: str,
    task: str,
    seed: int,
    penalty: float | None = None,
    trained_at: float | None = None,
) -> pd.DataFrame:
    """Predict the songs of a task by one of `SYSTEMS` from one of `LABELS`; index song_id.

    `penalty` is that of the ridge, see `Problem`. `trained_at` is the correlation of valence and
    arousal to which training songs are weighted; None leaves them.
    """
    data = (corpus.features, song_track(corpus, labels), tasks(corpus, task, seed))
    options = {"penalty": penalty, "correlation": trained_at, "seed": seed}
    return predict_folds(system, *data, **options).droplevel("time")


def valence_scores(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of :func:`predict_valence`, and their difference to `BASE`, the mean over seeds.

    With 95 % intervals over songs. Statistics: the four metrics; those of `arousal_split` for
    valence; and the parts of R2 by `error_parts`, without intervals.
    """
    groups, rows = by_seed(frames), {}
    drawn = {k: _drawn(known_songs(corpus, k[1]), v, draws=1000) for k, v in groups.items()}
    for (system, labels, task), own in drawn.items():
        base = drawn.get((BASE, labels, task), {})
        for key, values in own.items():
            rows[system, labels, task, *key] = compared(values, base.get(key))
        p = groups[system, labels, task][0]
        y = known_songs(corpus, labels).loc[p.index]
        for name in DIMENSIONS:
            parts = valence.error_parts(y[name], p[name])
            parts.pop("r2")
            rows |= {(system, labels, task, name, k): {"value": v} for k, v in parts.items()}
    return (framed(rows, [*levels[:-1], "dimension", "statistic"]),)


def _drawn(
    known: pd.DataFrame, group: list[pd.DataFrame], *, draws: int, weights: np.ndarray | float = 1.0
) -> dict[tuple, np.ndarray]:
    """Each statistic in the whole set and in bootstrap samples of it, the mean over seeds."""
    y = known.loc[group[0].index]
    counts = valence.song_counts(len(y), draws=draws) * weights
    each = [_statistics(y, frame.loc[y.index], counts) for frame in group]
    return {key: np.mean([one[key] for one in each], axis=0) for key in each[0]}


def _statistics(
    y: pd.DataFrame, p: pd.DataFrame, weights: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
    found = {
        (dimension, name): values
        for dimension in DIMENSIONS
        for name, values in valence.weighted_scores(y[dimension], p[dimension], weights).items()
    }
    split = valence.arousal_split(p["valence"], y["valence"], y["arousal"], weights)
    return found | {("valence", name): values for name, values in split.items() if name != "r"}


# Another correlation of valence and arousal, by weights and by subsets of real songs


def tilted_scores(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of predictions of `BOTH`, on songs weighted to each correlation, and on the 58.

    The level scored_at is a correlation, "as it is" (1744 songs unweighted) or "the 58".
    """
    rows = {}
    for label, group in by_seed(frames).items():
        known = known_songs(corpus, label[1])
        many, few = (known.loc[side] for side in tasks(corpus, "1744 to 58", 0)[0])
        scored = {f"{r:g}": (many, valence.tilt(many, r).to_numpy()) for r in SCORED_AT}
        scored |= {"as it is": (many, 1.0), "the 58": (few, 1.0)}
        for scored_at, (y, weights) in scored.items():
            group_of = [frame.loc[y.index] for frame in group]
            drawn = _drawn(y, group_of, draws=500, weights=weights)
            rows |= {(*label, scored_at, *key): valence.interval(v) for key, v in drawn.items()}
            w = np.broadcast_to(weights, len(y))
            size = w.sum() ** 2 / (w**2).sum()
            rows[*label, scored_at, "both", "effective songs"] = {"value": float(size)}
    return (framed(rows, [*levels[:-1], "scored_at", "dimension", "statistic"]),)


def predict_subset(
    corpus: Corpus, *, labels: str, correlation: float, songs: int, seed: int
) -> pd.DataFrame:
    """Draw real songs to a correlation, none twice, and predict them in ten folds of themselves.

    The chances are those that `tilt` gives for the correlation; no weights afterwards.
    """
    known = of_songs(song_track(corpus, labels), tasks(corpus, "1744 to 58", 0)[0].train)
    chances = valence.tilt(known, correlation).to_numpy()
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(known), songs, replace=False, p=chances / chances.sum())
    drawn = known.iloc[np.sort(rows)]
    folds = k_folds(drawn.index.unique("song_id"), k=10, seed=seed)
    return predict_folds(BASE, corpus.features, drawn, folds, seed=seed).droplevel("time")


def subset_scores(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of :func:`predict_subset`, one row a draw, with the level seed."""
    rows = {}
    for label, frame in frames.items():
        y = known_songs(corpus, label[0]).loc[frame.index]
        found = _statistics(y, frame, np.ones(len(y)))
        found |= {(name, "sd"): y[name].std() for name in DIMENSIONS}
        rows |= {(*label, *key): {"value": value} for key, value in found.items()}
    return (framed(rows, [*levels, "dimension", "statistic"]),)


# How unusual the 58 are


def draw_samples(corpus: Corpus, *, labels: str, draws: int, seed: int) -> pd.DataFrame:
    """The 58 songs among random samples of 58 of the 1744, which are predicted in ten folds.

    Index draw, 0 being the 58, predicted from all 1744; columns: statistics of labels and scores.
    """
    known, options = known_songs(corpus, labels), {"labels": labels, "seed": seed}
    inside = predict_valence(corpus, system=BASE, task="CV 1744", **options)
    outside = predict_valence(corpus, system=BASE, task="1744 to 58", **options)
    rng, samples = np.random.default_rng(seed), [outside]
    for _ in range(draws):
        samples.append(inside.iloc[np.sort(rng.choice(len(inside), SAMPLE, replace=False))])
    rows = [_sample(known.loc[sample.index], sample) for sample in samples]
    return pd.DataFrame(rows).rename_axis("draw")


def _sample(y: pd.DataFrame, p: pd.DataFrame) -> dict[str, float]:
    found = _statistics(y, p, np.ones(len(y)))
    row = {"r(valence, arousal)": found["valence", "labels"]}
    row |= {f"sd of {name}": y[name].std() for name in DIMENSIONS}
    row |= {f"mean of {name}": y[name].mean() for name in DIMENSIONS}
    for name in DIMENSIONS:
        row |= {f"r of {name}": found[name, "pearson"], f"R2 of {name}": found[name, "r2"]}
    for part in ("through_arousal", "beyond_arousal"):
        row[f"r of valence, {part.replace('_', ' ')}"] = found["valence", part]
    return {name: float(value) for name, value in row.items()}


def sample_tables(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """The rank of the 58 among the draws of :func:`draw_samples`, and the draws."""
    rows = {
        (*label, name): valence.rank_among_draws(values.iloc[0], values.iloc[1:])
        for label, frame in frames.items()
        for name, values in frame.items()
    }
    return framed(rows, [*levels, "statistic"]), *as_they_are(corpus, frames, levels)


# Labels, raters and features of the two sides


def describe_side(corpus: Corpus, *, side: str) -> pd.DataFrame:
    """Labels of one set of songs, "431", "58", "2013" or "2014"; value and 95 % interval.

    Correlations, spread, raters, and the RMSE of a constant.
    """
    song_ids = tasks(corpus, f"training {side}", 0)[0].train
    labels = of_songs(corpus.labels, song_ids)
    table = valence.label_correlations(labels)
    rows = {f"r(valence, arousal) {name}": row for name, row in table.iterrows()}
    rows["sd over songs of r(valence, arousal)"] = {"value": table["sd_over_songs"].max()}
    static = corpus.songs.loc[song_ids, DIMENSIONS].dropna()
    pair, counts = (static[name] for name in DIMENSIONS), valence.song_counts(len(static))
    r = valence.weighted_scores(*pair, counts)["pearson"]
    rows["r(valence, arousal) of song-level labels"] = valence.interval(r)
    songs, trained = labels.groupby(level="song_id"), known_songs(corpus.split("dev"), "dynamic")
    errors = ((labels - trained.mean()) ** 2).groupby(level="song_id").mean() ** 0.5
    printed = printed_ratings(song_ids)
    once = np.ones((1, len(printed)))
    statistics = {
        "sd between songs": songs.mean().std(),
        "sd within songs": songs.std(ddof=0).mean(),
        "share between songs": valence.between_song_variance(labels),
        "RMSE of the constant": errors.mean(),
        "reliability of song-level labels": {
            name: reliability_draws(printed, name, once)[0] for name in DIMENSIONS
        },
    }
    for name in DIMENSIONS:
        rows |= {f"{name}: {k}": {"value": values[name]} for k, values in statistics.items()}
    columns = ["value", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index")[columns].rename_axis("statistic")


def printed_ratings(song_ids: pd.Index) -> pd.DataFrame:
    """What DEAM prints of the song-level ratings, a row a song, on their scale of 1 to 9.

    Columns valence_mean, valence_std, arousal_mean, arousal_std (over the raters, n - 1), year and
    raters. Valence and arousal of 2013 are swapped in the files, which is repaired.
    """
    folder = Path(chosen_data()) / "annotations" / AVERAGED / "song_level"
    tables = [pd.read_csv(path, skipinitialspace=True) for path in sorted(folder.glob("*.csv"))]
    printed = pd.concat(tables).set_index("song_id")
    printed = printed.loc[song_ids[song_ids.isin(printed.index)]]
    printed["year"] = np.select([printed.index <= 1000, printed.index <= 2000], [2013, 2014], 2015)
    printed["raters"] = printed["year"].map(RATERS)
    swapped = printed["year"] == 2013
    for kind in ("mean", "std"):
        names = [f"{name}_{kind}" for name in DIMENSIONS]
        printed.loc[swapped, names] = printed.loc[swapped, names[::-1]].to_numpy()
    k = printed["raters"]
    for name in DIMENSIONS:
        printed[f"{name}_std"] *= np.sqrt(k / (k - 1))
    return printed


def reliability_draws(printed: pd.DataFrame, dimension: str, counts: np.ndarray) -> np.ndarray:
    """Reliability of song-level means in bootstrap samples, from the spread over raters.

    `printed` is of :func:`printed_ratings`, `counts` of :func:`workbook.valence.song_counts`:
    1 - mean(spread^2 / raters) / variance of the means, ICC(1,k) of Shrout and Fleiss (1979), whose
    raters differ between songs. Of several years the mean, weighted by songs.
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


def compare_sides(corpus: Corpus, *, pair: str, seed: int) -> pd.DataFrame:
    """How far apart the features of two sets of songs are.

    `pair` is a task, as "1744 to 58", or "58 of 1744": a random 58 against the rest.
    """
    features = corpus.features.droplevel("time")
    before, after = tasks(corpus, "1744 to 58" if pair == "58 of 1744" else pair, seed)[0]
    if pair == "58 of 1744":
        rng = np.random.default_rng(seed)
        after = pd.Index(rng.choice(before, SAMPLE, replace=False), name="song_id")
        before = before.difference(after)
    sides = features.loc[before], features.loc[after]
    moved = valence.feature_shift(*sides)
    rows = {
        "AUC": valence.domain_auc(*sides, seed=seed),
        "difference, median of features": moved["difference"].abs().median(),
        "difference, highest of features": moved["difference"].abs().max(),
        "spread ratio, median of features": moved["spread_ratio"].median(),
    }
    return pd.DataFrame({"value": rows}).rename_axis("statistic")


def _text(levels: Levels, **lists: object) -> Units:
    """Units labelled by text, None as "as it is"."""
    text = {None: "as it is"}
    return [
        (tuple(text.get(part, str(part)) for part in label), unit)
        for label, unit in labelled(levels, **lists)
    ]


def _systems() -> Units:
    """Systems and remedies in every task, and ridges of every penalty."""
    song, dynamic = ([name] for name in LABELS)
    units = labelled(VALENCE, system=REMEDIES, labels=song, task=TASKS, seed=[0])
    units += labelled(VALENCE, system=SIMPLE, labels=dynamic, task=TASKS, seed=[0])
    years = ("CV 2013", "CV 2014")
    units += labelled(VALENCE, system=SIMPLE[:2], labels=LABELS, task=years, seed=[0])
    tasks = ("training 1744", "CV 1744", "2013 to 2014", "1744 to 58")
    lists = {"system": [BASE], "labels": song, "task": tasks, "seed": [0]}
    for (_, *label), unit in labelled(VALENCE, **lists, penalty=[10.0**k for k in range(6)]):
        units.append(((f"ridge, penalty {unit['penalty']:g}", *label), unit))
    return units


def _tilted() -> Units:
    """Ridge that is trained at several correlations, on each kind of labels."""
    fixed, units = {"system": [BASE], "seed": [0], "task": [BOTH]}, []
    for labels, at in zip(LABELS, ([None, 0.0, 0.3, 0.6, 0.9], [None, 0.0, 0.9])):
        units += _text(TILTED, labels=[labels], trained_at=at, **fixed)
    return units


_of_deam = partial(study_of, corpus=deam_valence)
_ridge = (BASE, "song level")
_subsets = {"labels": LABELS, "correlation": [0.0, 0.6, 0.9], "songs": [400], "seed": range(5)}
_samples = {"labels": LABELS, "draws": [2000], "seed": [0]}
STUDIES = {
    "valence_systems": _of_deam(
        predict_valence, VALENCE, (*_ridge, "1744 to 58"), units=_systems(), tabulate=valence_scores
    ),
    "valence_tilted": _of_deam(
        predict_valence, TILTED, (*_ridge, "as it is"), units=_tilted(), tabulate=tilted_scores
    ),
    "valence_subsets": _of_deam(
        predict_subset,
        SUBSETS,
        ("song level", "0.0", "0"),
        units=_text(SUBSETS, **_subsets),
        tabulate=subset_scores,
    ),
    "valence_samples": _of_deam(
        draw_samples,
        ("labels",),
        ("song level",),
        units=_text(("labels",), **_samples),
        tabulate=sample_tables,
        files=("{}.csv", "{}_draws.parquet"),
    ),
    "valence_labels": _of_deam(
        describe_side, ("side",), ("431",), side=["431", "58", "2013", "2014"]
    ),
    "valence_features": _of_deam(
        compare_sides,
        ("pair", "seed"),
        ("1744 to 58", "0"),
        units=_text(("pair", "seed"), pair=PAIRS, seed=range(5)),
    ),
}
"""On DEAM, real."""

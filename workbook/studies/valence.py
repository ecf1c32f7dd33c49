"""Why valence fails: the studies on DEAM, real music and real raters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.datasets import load_corpus
from mer_core.datasets.deam import chosen_data
from mer_core.datasets.deam.annotations import AVERAGED
from mer_core.folds import Fold, k_folds
from mer_core.metrics import DIMENSIONS
from workbook.studies.songs import deam_folder
from workbook.studies.study import Study, by_seed, framed, labelled, product
from workbook.studies.valence_systems import (
    BASE,
    CONTEXTUAL,
    SYSTEMS,
    Problem,
    answer,
    song_weights,
)
from workbook.valence import (
    arousal_split,
    between_share,
    domain_auc,
    error_parts,
    interval,
    label_correlations,
    mean_reliability,
    shifts,
    song_counts,
    standing,
    tilt,
    weighted_scores,
)

LABELS = ("song level", "dynamic")
"""DEAM's two kinds of song labels: rated once for the whole song, or the mean of its curve."""
SCORED_AT = (-0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 0.9)
"""Correlations of valence and arousal to which the scored songs are weighted."""
SAMPLE = 58
RATERS = {2013: 10, 2014: 10, 2015: 5}
"""Raters a song of the song-level labels: the means of 2015 are multiples of 1/5, and the printed
spreads are those of whole numbers only for these counts (and with n below, not n - 1)."""


# Data


def deam_valence() -> Corpus:
    """DEAM, from the folder that `MER_DATA` names: both kinds of labels, features of whole songs.

    Returns
    -------
    Corpus
        `labels` as they are, every half second; `songs` with the song-level labels (un-swapped);
        `features` with one row a song, at time 0. Split as in the task of 2015.

    Raises
    ------
    DataError
        If the variable is not set or the folder lacks song-level features.
    """
    folder, features = deam_folder()
    features = features.assign(time=0.0).set_index("time", append=True)
    return replace(load_corpus(folder, task="2015"), features=features)


def song_track(corpus: Corpus, labels: str) -> pd.DataFrame:
    """One label a song, at time 0: of the whole song, or the mean of its curve (see `LABELS`)."""
    if labels == "dynamic":
        songs = corpus.labels.groupby(level="song_id").mean()
    else:
        songs = corpus.songs[DIMENSIONS].dropna()
    return songs.assign(time=0.0).set_index("time", append=True)


def known_songs(corpus: Corpus, labels: str) -> pd.DataFrame:
    """The labels of `song_track`, indexed by song alone, as predictions of songs are."""
    return song_track(corpus, labels).droplevel("time")


def _of(track: pd.DataFrame, song_ids: pd.Index) -> pd.DataFrame:
    return track[track.index.get_level_values("song_id").isin(song_ids)]


def tasks(corpus: Corpus, task: str, seed: int) -> list[Fold]:
    """What is trained on which songs of DEAM and asked about which.

    Parameters
    ----------
    corpus : Corpus
        From :func:`deam_valence`.
    task : str
        "CV 1744", "CV 2013", "CV 2014" and "CV 58" (ten folds each), "2013 to 2014",
        "2014 to 2013", "1744 to 58", "431 to 58" and "training 1744" (asked about what it has
        learned).
    seed : int
        Of the folds.
    """
    year, split = corpus.songs["year"], corpus.songs["split"]
    every = corpus.features.index.unique("song_id")
    groups = {"1744": year < 2015, "2013": year == 2013, "2014": year == 2014, "58": year == 2015}
    groups = {name: every[inside.loc[every]] for name, inside in groups.items()}
    groups["431"] = every[split.loc[every] == "dev"]
    kind, _, what = task.partition(" ")
    if kind == "CV":
        return k_folds(groups[what], k=10, seed=seed)
    if kind == "training":
        return [Fold(groups[what], groups[what])]
    return [Fold(groups[kind], groups[what.removeprefix("to ")])]


# Systems and remedies on DEAM


def predict_valence(
    corpus: Corpus, *, system: str, labels: str, task: str, seed: int, penalty: float | None = None
) -> pd.DataFrame:
    """Predict songs of DEAM by a system that was trained on others.

    Parameters
    ----------
    corpus : Corpus
        From :func:`deam_valence`.
    system : str
        A name of `SYSTEMS`.
    labels : str
        One of `LABELS`.
    task : str
        See :func:`tasks`.
    seed : int
        Of folds and system.
    penalty : float or None
        Of the ridge; None chooses by leaving out each training song.

    Returns
    -------
    DataFrame
        Index song_id, columns valence, arousal.

    References
    ----------
    Notebook 09.
    """
    known, parts = song_track(corpus, labels), []
    for train, asked in tasks(corpus, task, seed):
        learned = _of(known, train)
        heard = _of(corpus.features, asked)
        seen = corpus.features.loc[learned.index]
        parts.append(answer(system, Problem(seen, learned, heard, penalty, seed)))
    return pd.concat(parts).droplevel("time").sort_index()


def valence_scores(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """Scores of :func:`predict_valence`, with 95 % intervals over songs, the mean over seeds.

    Parameters
    ----------
    corpus : Corpus
    frames : mapping of (system, labels, task, seed) to predictions
    levels : tuple of str

    Returns
    -------
    tuple of one DataFrame
        Index (system, labels, task, dimension, statistic) with value, low, high and
        their difference to `BASE` (difference, difference_low, difference_high). Statistics: the
        four metrics; those of :func:`workbook.valence.arousal_split` for valence; shape, scale and
        offset of :func:`workbook.valence.error_parts` (without intervals).
    """
    groups = by_seed(frames)
    drawn = {label: _drawn(known_songs(corpus, label[1]), group) for label, group in groups.items()}
    rows = {}
    for (system, *rest), own in drawn.items():
        base = drawn.get((BASE, *rest), {})
        for key, values in own.items():
            row = interval(values)
            if key in base:
                apart = interval(values - base[key])
                row |= {f"difference{k}": apart[v] for k, v in DIFFERENCE.items()}
            rows[system, *rest, *key] = row
        rows |= {(system, *rest, *k): v for k, v in _parts(corpus, rest[0], groups[system, *rest])}
    return (framed(rows, [*levels[:-1], "dimension", "statistic"]),)


DIFFERENCE = {"": "value", "_low": "low", "_high": "high"}


def _drawn(known: pd.DataFrame, group: list[pd.DataFrame]) -> dict[tuple, np.ndarray]:
    """Each statistic in the whole set and in bootstrap samples of it, the mean over seeds."""
    y = known.loc[group[0].index]
    counts = song_counts(len(y), draws=1000)
    each = [_statistics(y, frame.loc[y.index], counts) for frame in group]
    return {key: np.mean([one[key] for one in each], axis=0) for key in each[0]}


def _statistics(
    y: pd.DataFrame, p: pd.DataFrame, weights: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
    found = {
        (dimension, name): values
        for dimension in DIMENSIONS
        for name, values in weighted_scores(y[dimension], p[dimension], weights).items()
    }
    split = arousal_split(p["valence"], y["valence"], y["arousal"], weights)
    return found | {("valence", name): values for name, values in split.items() if name != "r"}


def _parts(corpus: Corpus, labels: str, group: list[pd.DataFrame]) -> list[tuple]:
    y, p = known_songs(corpus, labels).loc[group[0].index], group[0]
    return [
        ((dimension, name), {"value": value})
        for dimension in DIMENSIONS
        for name, value in error_parts(y[dimension], p[dimension]).items()
        if name != "r2"
    ]


# Another correlation of valence and arousal, by weights and by subsets of real songs


def predict_tilted(
    corpus: Corpus, *, system: str, labels: str, trained_at: float | None, seed: int
) -> pd.DataFrame:
    """Predict the 1744 songs in ten folds, and the 58, training songs weighted to a correlation.

    Parameters
    ----------
    corpus, labels, seed
        As for :func:`predict_valence`.
    system : {"ridge", "SVR"}
        Those that take weights.
    trained_at : float or None
        The correlation of valence and arousal in each training set; None leaves it as it is.

    Returns
    -------
    DataFrame
        Index song_id, columns valence, arousal.

    References
    ----------
    Notebook 09.
    """
    known, parts = song_track(corpus, labels), []
    for train, asked in tasks(corpus, "CV 1744", seed) + tasks(corpus, "1744 to 58", seed):
        learned = _of(known, train)
        weights = None if trained_at is None else song_weights(learned, trained_at)
        heard = _of(corpus.features, asked)
        problem = Problem(corpus.features.loc[learned.index], learned, heard, None, seed)
        values = SYSTEMS[system](problem, weights)
        parts.append(pd.DataFrame(values, heard.index, DIMENSIONS))
    return pd.concat(parts).droplevel("time").sort_index()


def tilted_scores(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """Scores of :func:`predict_tilted` on songs weighted to each correlation, and on the 58.

    Parameters
    ----------
    corpus : Corpus
    frames : mapping of (system, labels, trained_at, seed) to predictions
    levels : tuple of str

    Returns
    -------
    tuple of one DataFrame
        Index (system, labels, trained_at, scored_at, dimension, statistic): value, low,
        high. scored_at is a correlation, "as it is" (1744 songs unweighted) or "the 58".
    """
    rows = {}
    for label, group in by_seed(frames).items():
        for scored_at, y, weights in _scored(corpus, label[1]):
            counts = song_counts(len(y), draws=500) * weights
            each = [_statistics(y, frame.loc[y.index], counts) for frame in group]
            for key in each[0]:
                rows[*label, scored_at, *key] = interval(np.mean([e[key] for e in each], axis=0))
    return (framed(rows, [*levels[:-1], "scored_at", "dimension", "statistic"]),)


def _scored(corpus: Corpus, labels: str) -> list[tuple[str, pd.DataFrame, np.ndarray]]:
    known = known_songs(corpus, labels)
    many, few = (known.loc[side] for side in tasks(corpus, "1744 to 58", 0)[0])
    tilted = [(f"{r:g}", many, tilt(many, r).to_numpy()) for r in SCORED_AT]
    return [*tilted, ("as it is", many, np.ones(len(many))), ("the 58", few, np.ones(len(few)))]


def predict_subset(
    corpus: Corpus, *, labels: str, correlation: float, songs: int, seed: int
) -> pd.DataFrame:
    """Draw real songs, none twice, to a correlation, and predict them in ten folds of themselves.

    Songs are drawn one after the other without putting back, with the chances that
    :func:`workbook.valence.tilt` gives; no weights afterwards.

    Parameters
    ----------
    corpus, labels, seed
        As for :func:`predict_valence`; the seed also draws.
    correlation : float
        About which valence and arousal come to correlate.
    songs : int
        How many.

    Returns
    -------
    DataFrame
        Index song_id, columns valence, arousal.

    References
    ----------
    Notebook 09.
    """
    known = song_track(corpus, labels)
    known = _of(known, tasks(corpus, "1744 to 58", 0)[0].train)
    chances = tilt(known, correlation).to_numpy()
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(known), songs, replace=False, p=chances / chances.sum())
    drawn = known.iloc[np.sort(rows)]
    parts = []
    for train, asked in k_folds(drawn.index.unique("song_id"), k=10, seed=seed):
        learned, heard = _of(drawn, train), _of(corpus.features, asked)
        seen = corpus.features.loc[learned.index]
        parts.append(answer(BASE, Problem(seen, learned, heard, None, seed)))
    return pd.concat(parts).droplevel("time").sort_index()


def subset_scores(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """Scores of :func:`predict_subset`, one row a draw, with the level seed."""
    rows = {}
    for label, frame in frames.items():
        y = known_songs(corpus, label[0]).loc[frame.index]
        found = _statistics(y, frame, np.ones(len(y)))
        spread = {("valence", "sd"): y["valence"].std(), ("arousal", "sd"): y["arousal"].std()}
        rows |= {(*label, *key): {"value": v} for key, v in (found | spread).items()}
    return (framed(rows, [*levels, "dimension", "statistic"]),)


# How unusual the 58 are


def draw_samples(corpus: Corpus, *, labels: str, draws: int, seed: int) -> pd.DataFrame:
    """The 58 songs among random samples of 58 of the 1744, which are predicted in ten folds.

    Parameters
    ----------
    corpus, labels
        As for :func:`predict_valence`.
    draws : int
        Samples, without putting back.
    seed : int

    Returns
    -------
    DataFrame
        Index draw, 0 being the 58, predicted from all 1744; columns: the labels' correlation and
        spreads, r and R2 of valence and arousal, and the parts of valence's r through and beyond
        arousal.

    References
    ----------
    Notebook 09.
    """
    known = known_songs(corpus, labels)
    asked = {"system": BASE, "labels": labels, "seed": seed}
    inside = predict_valence(corpus, task="CV 1744", **asked)
    outside = predict_valence(corpus, task="1744 to 58", **asked)
    rng, rows = np.random.default_rng(seed), [_sample(known.loc[outside.index], outside)]
    for _ in range(draws):
        some = inside.iloc[np.sort(rng.choice(len(inside), SAMPLE, replace=False))]
        rows.append(_sample(known.loc[some.index], some))
    return pd.DataFrame(rows).rename_axis("draw")


def _sample(y: pd.DataFrame, p: pd.DataFrame) -> dict[str, float]:
    found = _statistics(y, p, np.ones(len(y)))
    own = {
        "r(valence, arousal)": found["valence", "labels"],
        "sd of valence": y["valence"].std(),
        "sd of arousal": y["arousal"].std(),
        "mean of valence": y["valence"].mean(),
        "mean of arousal": y["arousal"].mean(),
    }
    for dimension in DIMENSIONS:
        own |= {f"r of {dimension}": found[dimension, "pearson"]}
        own |= {f"R2 of {dimension}": found[dimension, "r2"]}
    for part in ("through_arousal", "beyond_arousal"):
        own[f"r of valence, {part.replace('_', ' ')}"] = found["valence", part]
    return {name: float(value) for name, value in own.items()}


def sample_tables(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """Where the 58 stand among the draws of :func:`draw_samples`, and the draws."""
    rows, draws = {}, {}
    for (labels,), frame in frames.items():
        for name, values in frame.items():
            rows[labels, name] = standing(values.iloc[0], values.iloc[1:])
        draws[labels] = frame.reset_index(drop=True)
    table = pd.concat(draws, names=[*levels, "draw"])
    return framed(rows, [*levels, "statistic"]), table


# Labels, raters and features of the two sides


def describe_side(corpus: Corpus, *, side: str) -> pd.DataFrame:
    """Labels of one set of songs: correlations, spread, raters, what a constant reaches.

    Parameters
    ----------
    corpus : Corpus
        From :func:`deam_valence`.
    side : str
        "431", "58", "2013" or "2014".

    Returns
    -------
    DataFrame
        Index statistic; columns value, low, high (95 % over songs, where there is one).

    References
    ----------
    Notebook 09.
    """
    song_ids = tasks(corpus, f"training {side}", 0)[0].train
    labels = corpus.labels.loc[corpus.labels.index.isin(song_ids, level="song_id")]
    table = label_correlations(labels)
    rows = {f"r(valence, arousal) {name}": row for name, row in table.iterrows()}
    rows["sd over songs of r(valence, arousal)"] = {"value": table["sd_over_songs"].max()}
    static = corpus.songs.loc[song_ids, DIMENSIONS].dropna()
    r = weighted_scores(static["valence"], static["arousal"], song_counts(len(static)))["pearson"]
    rows["r(valence, arousal) of song-level labels"] = interval(r)
    means, share = labels.groupby(level="song_id").mean(), between_share(labels)
    within = labels.groupby(level="song_id").std(ddof=0).mean()
    trained = corpus.split("dev").labels.groupby(level="song_id").mean().mean()
    reliability = static_reliability(song_ids)
    for name in DIMENSIONS:
        rows[f"{name}: sd between songs"] = {"value": means[name].std()}
        rows[f"{name}: sd within songs"] = {"value": within[name]}
        rows[f"{name}: share between songs"] = {"value": share[name]}
        errors = ((labels[name] - trained[name]) ** 2).groupby(level="song_id").mean() ** 0.5
        rows[f"{name}: RMSE of the constant"] = {"value": errors.mean()}
        rows[f"{name}: reliability of song-level labels"] = {"value": reliability[name]}
    columns = ["value", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index")[columns].rename_axis("statistic")


def static_reliability(song_ids: pd.Index) -> dict[str, float]:
    """Reliability of DEAM's song-level means, from the spread between raters that it prints.

    Of songs of several years the mean over years, by songs.
    """
    folder = Path(chosen_data()) / "annotations" / AVERAGED / "song_level"
    tables = [pd.read_csv(path, skipinitialspace=True) for path in sorted(folder.glob("*.csv"))]
    printed = pd.concat(tables).set_index("song_id")
    printed = printed.loc[printed.index.intersection(song_ids)]
    year = np.select([printed.index <= 1000, printed.index <= 2000], [2013, 2014], 2015)
    found = {}
    for name in DIMENSIONS:
        parts = [
            (len(songs), _printed_reliability(songs, name, which))
            for which, songs in printed.groupby(year)
        ]
        found[name] = float(np.average([v for _, v in parts], weights=[n for n, _ in parts]))
    return found


def _printed_reliability(songs: pd.DataFrame, name: str, year: int) -> float:
    if year == 2013:  # whose columns are swapped
        name = DIMENSIONS[1 - DIMENSIONS.index(name)]
    raters = RATERS[year]
    spreads = songs[f"{name}_std"] * np.sqrt(raters / (raters - 1))
    return mean_reliability(songs[f"{name}_mean"], spreads, raters)


def compare_sides(corpus: Corpus, *, pair: str, seed: int) -> pd.DataFrame:
    """How far apart the features of two sets of songs are.

    Parameters
    ----------
    corpus : Corpus
    pair : str
        As "1744 to 58" of :func:`tasks`, or "58 of 1744": a random 58 against the rest.
    seed : int
        Of the classifier's folds, and of the drawing.

    Returns
    -------
    DataFrame
        Index statistic, column value.
    """
    features = corpus.features.droplevel("time")
    before, after = tasks(corpus, "1744 to 58" if pair == "58 of 1744" else pair, seed)[0]
    if pair == "58 of 1744":
        rng = np.random.default_rng(seed)
        after = pd.Index(rng.choice(before, SAMPLE, replace=False), name="song_id")
        before = before.difference(after)
    moved = shifts(features.loc[before], features.loc[after])
    rows = {
        "AUC": domain_auc(features.loc[before], features.loc[after], seed=seed),
        "difference, median of features": moved["difference"].abs().median(),
        "difference, highest of features": moved["difference"].abs().max(),
        "spread ratio, median of features": moved["spread_ratio"].median(),
    }
    return pd.DataFrame({"value": rows}).rename_axis("statistic")


def as_they_are(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """The frames under each other. Names of further levels are those of the frames."""
    own = next(iter(frames.values())).index.names
    known = levels[: len(next(iter(frames)))]
    return (pd.concat(frames, names=[*known, *own]),)


SIMPLE = ("constant", BASE, "arousal only", "decorrelating weights", "valence freed from arousal")
REMEDIES = tuple(name for name in SYSTEMS if name not in (CONTEXTUAL, "ridge and SVR"))
TASKS = ("1744 to 58", "431 to 58", "2013 to 2014", "2014 to 2013", "CV 58", "CV 1744")
YEARS = ("CV 2013", "CV 2014")
OVERFITTING = ("training 1744", "CV 1744", "2013 to 2014", "1744 to 58")
PENALTY_GRID = (1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0)


def _systems() -> Study:
    """Systems and remedies in every task, and ridges of every penalty."""
    song, dynamic = ([name] for name in LABELS)
    units = product(system=REMEDIES, labels=song, task=TASKS, seed=[0])
    units += product(system=SIMPLE, labels=dynamic, task=TASKS, seed=[0])
    units += product(system=SIMPLE[:2], labels=LABELS, task=YEARS, seed=[0])
    units_of = [((u["system"], u["labels"], u["task"], 0), u) for u in units]
    for unit in product(
        system=[BASE], labels=song, task=OVERFITTING, seed=[0], penalty=PENALTY_GRID
    ):
        name = f"ridge, penalty {unit['penalty']:g}"
        units_of.append(((name, unit["labels"], unit["task"], 0), unit))
    levels = ("system", "labels", "task", "seed")
    files, cheapest = ("valence_systems.csv",), ("ridge", "song level", "1744 to 58")
    return Study(
        predict_valence, units_of, levels, valence_scores, files, deam_valence, cheapest=cheapest
    )


def _labelled(levels: tuple[str, ...], **options: object) -> list[tuple[tuple, dict]]:
    return [(tuple(map(_text, label)), unit) for label, unit in labelled(levels, **options)]


def _text(value: object) -> str:
    return "as it is" if value is None else str(value)


TILTED = ("system", "labels", "trained_at", "seed")


def _tilted(system: str, labels: str, trained_at: list) -> list[tuple[tuple, dict]]:
    return _labelled(TILTED, system=[system], labels=[labels], trained_at=trained_at, seed=[0])


STUDIES = {
    "valence_systems": _systems(),
    "valence_tilted": Study(
        predict_tilted,
        _tilted("ridge", "song level", [None, 0.0, 0.3, 0.6, 0.9])
        + _tilted("ridge", "dynamic", [None, 0.0, 0.9]),
        TILTED,
        tilted_scores,
        ("valence_tilted.csv",),
        deam_valence,
        cheapest=("ridge", "song level", "as it is"),
    ),
    "valence_subsets": Study(
        predict_subset,
        _labelled(
            ("labels", "correlation", "seed"),
            labels=LABELS,
            correlation=[0.0, 0.6, 0.9],
            songs=[400],
            seed=range(5),
        ),
        ("labels", "correlation", "seed"),
        subset_scores,
        ("valence_subsets.csv",),
        deam_valence,
        cheapest=("song level", "0.0", "0"),
    ),
    "valence_samples": Study(
        draw_samples,
        _labelled(("labels",), labels=LABELS, draws=[2000], seed=[0]),
        ("labels",),
        sample_tables,
        ("valence_samples.csv", "valence_samples_draws.parquet"),
        deam_valence,
        cheapest=("song level",),
    ),
    "valence_labels": Study(
        describe_side,
        _labelled(("side",), side=["431", "58", "2013", "2014"]),
        ("side",),
        as_they_are,
        ("valence_labels.csv",),
        deam_valence,
        cheapest=("431",),
    ),
    "valence_features": Study(
        compare_sides,
        _labelled(
            ("pair", "seed"),
            pair=["1744 to 58", "431 to 58", "2013 to 2014", "58 of 1744"],
            seed=range(5),
        ),
        ("pair", "seed"),
        as_they_are,
        ("valence_features.csv",),
        deam_valence,
        cheapest=("1744 to 58", "0"),
    ),
}
"""On DEAM, real."""

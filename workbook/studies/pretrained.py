"""The model in the package: how it is trained, how it was chosen, and its errors on real music."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from mer_core import load_corpus
from mer_core.corpus import Corpus
from mer_core.evaluation import cross_validate
from mer_core.folds import k_folds
from mer_core.metrics import DIMENSIONS
from mer_core.models import Constant, DelayedLinear, WindowedRidge
from mer_core.models.pretrained import ENERGY, with_gain
from workbook.intervals import intervals, metric_draws
from workbook.studies.real import DATA, deam_excerpts, real_folder, renumbered, vgmidi_pieces
from workbook.studies.songs import read_features
from workbook.studies.study import Frames, Levels, Tables, framed, study_of
from workbook.valence import mean_over_songs, song_counts

HELD_OUT = """
2 3 4 5 7 8 184 192 243 274 293 310 316 330 347 362 515 527 535 610 617 620 623 625 643 647 726 728
801 806 819 874 941 967 985 987
"""
"""The DEAM songs whose excerpts test the model; none of them trains it."""
FOLDS, SEED, COVERAGE = 10, 0, 0.8
THIRDS = ["quietest third", "middle third", "loudest third"]


def real_songs() -> Corpus:
    """DEAM as one row of features a song, its 36 excerpts, and VGMIDI, with all curves of labels.

    `songs` has the columns `campaign` (2013, 2014, 2015, vgmidi) and `part`: "train", "2015", or
    "excerpts", whose features are of the audio and whose song_ids are 10,000 higher.
    """
    folder = real_folder("deam")
    deam, means = load_corpus(folder, task="2013"), read_features(folder)
    excerpts, vgmidi = deam_excerpts(), vgmidi_pieces()
    held_out = [int(song) for song in HELD_OUT.split()]
    excerpts = excerpts.select(held_out)
    known = deam.songs.index.intersection(means.index).difference(held_out)
    songs = deam.songs.loc[known]
    part = np.where(songs["year"] < 2015, "train", "2015")
    rows = pd.MultiIndex.from_product([known, [0.0]], names=["song_id", "time"])
    excerpts = renumbered(excerpts, excerpts.songs.index + DATA["deam"])
    vgmidi = renumbered(vgmidi, vgmidi.songs.index + DATA["vgmidi"])
    parts = [
        songs.assign(campaign=songs["year"].astype(str), part=part),
        excerpts.songs.assign(campaign="2013", part="excerpts"),
        vgmidi.songs.assign(campaign="vgmidi", part="train"),
    ]
    names = [name for name in means if name in excerpts.features]
    features = [means.loc[known, names].set_axis(rows), excerpts.features, vgmidi.features]
    labels = [deam.labels[deam.labels.index.isin(known, "song_id")], excerpts.labels, vgmidi.labels]
    return Corpus(pd.concat(parts), pd.concat(labels), pd.concat([f[names] for f in features]))


def equalised(corpus: Corpus, songs: pd.Index) -> pd.DataFrame:
    """Mean labels of songs at time 0, after DEAM's campaigns got the same mean and spread.

    Raters of 2014 gave higher values than those of 2013, but the same to whole songs. VGMIDI's
    stay. Means and spreads are those of the given songs alone.
    """
    labels = corpus.labels[corpus.labels.index.isin(songs, "song_id")]
    means = labels.groupby(level="song_id")[DIMENSIONS].mean()
    campaign = corpus.songs.loc[means.index, "campaign"]
    deam = means[campaign != "vgmidi"].groupby(campaign)
    centre, spread = deam.mean(), deam.std()
    scores = (means - centre.reindex(campaign).to_numpy()) / spread.reindex(campaign).to_numpy()
    shifted = (scores * spread.mean() + centre.mean()).where(campaign != "vgmidi", means)
    return at_start(shifted)


def training_songs(corpus: Corpus, data: str = "DEAM + VGMIDI") -> pd.Index:
    """The songs that train the model, of both data sets or of DEAM alone."""
    songs = corpus.songs[corpus.songs["part"] == "train"]
    return songs.index[(songs["campaign"] != "vgmidi") | (data != "DEAM")]


def fit_songs(
    corpus: Corpus, model: WindowedRidge, songs: pd.Index, labels: str = "equalised"
) -> WindowedRidge:
    """Fit to the targets, see :func:`targets_of`, and the features of some songs."""
    features = corpus.features[corpus.features.index.isin(songs, "song_id")]
    return model.fit(features, targets_of(corpus, songs, labels))


def left_out(
    corpus: Corpus,
    model: WindowedRidge,
    labels: str = "equalised",
    data: str = "DEAM + VGMIDI",
) -> pd.DataFrame:
    """Predict all training songs by models that were fitted to other songs.

    Index (fold, of, song_id, time): of a "song", at time 0, and of each labelled "half second",
    which is that of the song for DEAM.
    """
    parts = {}
    for number, fold in enumerate(k_folds(training_songs(corpus), k=FOLDS, seed=SEED)):
        songs = fold.train.intersection(training_songs(corpus, data))
        fitted = fit_songs(corpus, replace(model), songs, labels)
        parts[number] = predict_both(fitted, corpus, fold.test)
    return pd.concat(parts, names=["fold"])


def predict_both(fitted: WindowedRidge, corpus: Corpus, songs: pd.Index) -> pd.DataFrame:
    """Predictions of songs, and of their labelled half seconds; index (of, song_id, time)."""
    features, labels = (t[t.index.isin(songs, "song_id")] for t in (corpus.features, corpus.labels))
    track = fitted.predict(features)
    whole = track.groupby(level="song_id").mean()
    if isinstance(fitted, WindowedRidge):
        whole = fitted.predict_songs(features)
    repeated = whole.loc[labels.index.get_level_values("song_id")].set_axis(labels.index)
    both = {"song": at_start(whole), "half second": track.reindex(labels.index).fillna(repeated)}
    return pd.concat(both, names=["of"])


def at_start(songs: pd.DataFrame) -> pd.DataFrame:
    """One row a song as a track, at time 0."""
    return songs.assign(time=0.0).set_index("time", append=True)


def train(corpus: Corpus) -> WindowedRidge:
    """Train and calibrate the model that is in the package; the corpus is of `real_songs`."""
    predictions = left_out(corpus, WindowedRidge())
    model = fit_songs(corpus, WindowedRidge(), training_songs(corpus))
    return calibrate(model, predictions, corpus)


def calibrate(model: WindowedRidge, predictions: pd.DataFrame, corpus: Corpus) -> WindowedRidge:
    """Calibrate a model on half seconds of :func:`left_out`."""
    track = predictions.xs("half second", level="of").droplevel("fold")
    labels = corpus.labels.loc[track.index]
    return model.calibrated(track, labels, collections=corpus.songs["campaign"])


# How it was chosen

CHOICES = {
    "as shipped": {},
    "labels as rated": {"labels": "as rated"},
    "labels of whole songs": {"labels": "song level"},
    "trained on DEAM alone": {"data": "DEAM"},
    "level not limited": {"level": (0.0, 1.0)},
    "level the same for all": {"level": (0.5, 0.5)},
    "window of 10 s": {"window": 10.0},
    "window of 20 s": {"window": 20.0},
    "window of 60 s": {"window": 60.0},
}


def try_choice(
    corpus: Corpus, *, labels: str = "equalised", data: str = "DEAM + VGMIDI", **settings: object
) -> pd.DataFrame:
    """Scores of a variant of the model: index (test, of, dimension); columns rmse and pearson.

    Of the excerpts also the mean change of predictions with a gain of -12 or 12 dB. r of DEAM's
    training songs is within the campaigns.
    """
    model = WindowedRidge(**settings)
    oof = left_out(corpus, model, labels, data).xs("song", level="of").droplevel(["fold", "time"])
    own, rows = corpus.labels.groupby(level="song_id").mean(), {}
    for campaign in ("2013", "2014", "vgmidi"):
        ids = oof.index[corpus.songs.loc[oof.index, "campaign"] == campaign]
        rows |= _scores((f"left out, {campaign}", "song"), own.loc[ids], oof.loc[ids])
    fitted = fit_songs(corpus, model, training_songs(corpus, data), labels)
    excerpts = corpus.select(corpus.songs.index[corpus.songs["part"] == "excerpts"])
    track = fitted.predict(excerpts.features)
    at = excerpts.labels.index
    found = _scores(("excerpts", "half second"), excerpts.labels, track.loc[at])
    for gain in (-12, 12):
        moved = (
            fitted.predict(with_gain(excerpts.features, 10 ** (gain / 20))).loc[at] - track.loc[at]
        )
        for name in DIMENSIONS:
            found["excerpts", "half second", name][f"moved_{gain}_dB"] = moved[name].mean()
    return framed(rows | found, ["test", "of", "dimension"])


def targets_of(corpus: Corpus, songs: pd.Index, labels: str) -> pd.DataFrame:
    """One label a song: "equalised", mean "as rated", or "song level" where there is one."""
    if labels == "equalised":
        return equalised(corpus, songs)
    means = corpus.labels.groupby(level="song_id")[DIMENSIONS].mean().loc[songs]
    if labels == "as rated":
        return at_start(means)
    about = corpus.songs.loc[songs]
    return at_start(about[DIMENSIONS].where(about["campaign"] != "vgmidi", means))


def _scores(label: tuple, labels: pd.DataFrame, predictions: pd.DataFrame) -> dict:
    error = np.sqrt(((predictions - labels) ** 2).mean())
    r = predictions.corrwith(labels)
    return {(*label, k): {"rmse": error[k], "pearson": r[k]} for k in DIMENSIONS}


# Its errors

SHIPPED = "the model in the package"
OTHERS = "delayed linear, on the other excerpts"
SYSTEMS = ("constant", "linear, trained on mini", OTHERS, "trained on DEAM alone", SHIPPED)
WIDTHS = [f"{name}_width" for name in DIMENSIONS]


def predict_tests(corpus: Corpus, *, system: str) -> pd.DataFrame:
    """Predict songs that do not train the model: "excerpts", "vgmidi" (ten folds), "2015".

    Index (test, of, song_id, time). Linear models predict the excerpts alone. Columns are
    predictions and, for ours, half widths of the intervals for `COVERAGE`.
    """
    excerpts, later = (corpus.songs.index[corpus.songs["part"] == k] for k in ("excerpts", "2015"))
    if system in ("linear, trained on mini", OTHERS):
        return pd.concat({"excerpts": _linear(corpus.select(excerpts), system)}, names=["test"])
    data = "DEAM" if system == "trained on DEAM alone" else "DEAM + VGMIDI"
    model = Constant() if system == "constant" else WindowedRidge()
    folds = left_out(corpus, model, data=data)
    fitted = fit_songs(corpus, model, training_songs(corpus, data))
    parts = {"excerpts": predict_both(fitted, corpus, excerpts)}
    parts["2015"] = predict_both(fitted, corpus, later)
    pieces = folds.index.get_level_values("song_id") >= DATA["vgmidi"]
    parts["vgmidi"] = folds[pieces]
    if system != "constant":
        parts = {k: _with_widths(part, fitted, folds, corpus) for k, part in parts.items()}
    parts["vgmidi"] = parts["vgmidi"].droplevel("fold")
    return pd.concat(parts, names=["test"])


def _linear(excerpts: Corpus, system: str) -> pd.DataFrame:
    if system == OTHERS:
        folds = k_folds(excerpts.songs.index, k=FOLDS, seed=SEED)
        track = cross_validate(DelayedLinear(), excerpts, folds)
    else:
        mini = load_corpus("mini").split("dev")
        model = DelayedLinear(delays=(0,), windows=(1,))
        track = model.fit(mini.features[list(excerpts.features)], mini.labels)
        track = track.predict(excerpts.features)
    track = track.loc[excerpts.labels.index]
    means = at_start(track.groupby(level="song_id").mean())
    return pd.concat({"song": means, "half second": track}, names=["of"])


def _with_widths(
    part: pd.DataFrame, fitted: WindowedRidge, folds: pd.DataFrame, corpus: Corpus
) -> pd.DataFrame:
    """Predictions with half widths; those of a fold's songs by the errors of the other folds."""
    if "fold" in part.index.names:
        each = [
            _with_widths(own.droplevel("fold"), fitted, folds.drop(number, level="fold"), corpus)
            for number, own in part.groupby(level="fold")
        ]
        return pd.concat(dict(enumerate(each)), names=["fold"])
    widths = calibrate(fitted, folds, corpus).half_widths(coverage=COVERAGE)
    of = part.index.get_level_values("of")
    return part.join(widths.loc[of].set_axis(part.index).set_axis(WIDTHS, axis=1))


def test_tables(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """RMSE, r and coverage of the 80 % intervals, pooled over rows, with 95 % intervals over songs.

    Index (system, test, of, dimension, metric). In coverage each song counts the same.
    """
    rows = {}
    for (system,), frame in frames.items():
        for (test, of), track in frame.groupby(level=["test", "of"]):
            track = track.droplevel(["test", "of"])
            labels = corpus.labels[corpus.labels.index.isin(track.index.levels[0], "song_id")]
            labels = labels[labels.index.get_level_values(0).isin(track.index.get_level_values(0))]
            if of == "song":
                labels = at_start(labels.groupby(level="song_id").mean())
            counts = song_counts(labels.index.unique("song_id").size)
            drawn = metric_draws(labels, track[DIMENSIONS], counts).xs("pooled", level=1, axis=1)
            if WIDTHS[0] in track and track[WIDTHS].notna().all(axis=None):
                inside = coverage_of_songs(labels, track)
                for name in DIMENSIONS:
                    drawn[name, "coverage"] = mean_over_songs(counts, inside[name])
            rows[system, test, of] = intervals(drawn).assign(songs=counts.shape[1])
    return (pd.concat(rows, names=["system", "test", "of"]),)


def coverage_of_songs(labels: pd.DataFrame, track: pd.DataFrame) -> pd.DataFrame:
    """Share of each song's labels that are within the interval around the prediction."""
    error = (track.loc[labels.index, DIMENSIONS] - labels).abs()
    inside = error <= track.loc[labels.index, WIDTHS].to_numpy()
    return inside.groupby(level="song_id").mean()


def error_groups(corpus: Corpus, *, group: str) -> pd.DataFrame:
    """Errors for left-out training songs, by "campaign", "genre" or "level" (thirds of energy).

    Index (name, dimension); columns songs, rmse, bias (prediction - label), pearson, and coverage.
    Groups have 30 songs or more.
    """
    _, songs, labels, width = _left_out_songs(corpus)
    about = corpus.songs.loc[songs.index]
    energy = corpus.features[ENERGY].groupby(level="song_id").mean().loc[songs.index]
    about = about.assign(level=pd.qcut(energy, 3, labels=THIRDS))
    rows = {}
    for name, ids in about.groupby(group, observed=True).groups.items():
        if len(ids) >= 30:
            rows |= _errors((name,), songs.loc[ids], labels.loc[ids], width)
    return framed(rows, ["name", "dimension"])


def _left_out_songs(
    corpus: Corpus,
) -> tuple[WindowedRidge, pd.DataFrame, pd.DataFrame, pd.Series]:
    """The fitted model; predictions of left-out training songs, their labels; half widths."""
    folds = left_out(corpus, WindowedRidge())
    fitted = fit_songs(corpus, WindowedRidge(), training_songs(corpus))
    width = calibrate(fitted, folds, corpus).half_widths(coverage=COVERAGE).loc["song"]
    songs = folds.xs("song", level="of").droplevel(["fold", "time"])
    labels = corpus.labels.groupby(level="song_id")[DIMENSIONS].mean().loc[songs.index]
    return fitted, songs, labels, width


def _errors(label: tuple, songs: pd.DataFrame, labels: pd.DataFrame, width: pd.Series) -> dict:
    error, r = songs - labels, songs.corrwith(labels)
    statistics = {"rmse": np.sqrt((error**2).mean()), "bias": error.mean(), "pearson": r}
    statistics["coverage"] = (error.abs() <= width).mean()
    count = {"songs": len(songs)}
    return {(*label, k): count | {n: v[k] for n, v in statistics.items()} for k in DIMENSIONS}


def excerpt_coverage(corpus: Corpus, *, draws: int, seed: int) -> pd.DataFrame:
    """Why the intervals contain fewer of the excerpts: the songs, their features, or chance.

    Index (name, dimension); columns as of :func:`error_groups`, spread of the labels, and share:
    of as many random songs of 2013, how often the intervals contain no more of them. Names: the
    excerpts with features of their audio, the same songs with DEAM's features, and the left-out
    songs of 2013.
    """
    fitted, songs, labels, width = _left_out_songs(corpus)
    excerpts = corpus.songs.index[corpus.songs["part"] == "excerpts"]
    own = corpus.labels.groupby(level="song_id")[DIMENSIONS].mean().loc[excerpts]
    heard = corpus.features[corpus.features.index.isin(excerpts, "song_id")]
    means = read_features(real_folder("deam")).loc[excerpts - DATA["deam"], [*heard]]
    stored = at_start(means.set_axis(pd.Index(excerpts, name="song_id")))
    of_2013 = songs.index[corpus.songs.loc[songs.index, "campaign"] == "2013"]
    parts = {
        "excerpts, features of the audio": (fitted.predict_songs(heard), own),
        "excerpts, DEAM's features": (fitted.predict_songs(stored), own),
        "left-out songs of 2013": (songs.loc[of_2013], labels.loc[of_2013]),
    }
    table = framed(
        {k: v for name, part in parts.items() for k, v in _errors((name,), *part, width).items()},
        ["name", "dimension"],
    )
    inside = ((songs - labels).abs() <= width).loc[of_2013].to_numpy()
    rng, size = np.random.default_rng(seed), len(excerpts)
    drawn = np.array([rng.choice(inside, size, replace=False).mean(0) for _ in range(draws)])
    for name, (_, true) in parts.items():
        for column, k in enumerate(DIMENSIONS):
            table.loc[(name, k), "spread"] = true[k].std()
            reached = table.loc[(name, k), "coverage"]
            table.loc[(name, k), "share"] = (drawn[:, column] <= reached + 1e-9).mean()
    return table


_of_real = partial(study_of, corpus=real_songs)
_choices = [((name,), unit) for name, unit in CHOICES.items()]
_groups = ("campaign", "genre", "level")
STUDIES = {
    "pretrained": _of_real(
        predict_tests, ("system",), (SYSTEMS[1],), tabulate=test_tables, system=SYSTEMS
    ),
    "pretrained_choices": _of_real(try_choice, ("choice",), ("as shipped",), units=_choices),
    "pretrained_groups": _of_real(error_groups, ("group",), ("campaign",), group=_groups),
    "pretrained_excerpts": _of_real(excerpt_coverage, ("seed",), (0,), seed=[0], draws=[5000]),
}
"""Of real music."""

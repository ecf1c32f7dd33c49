"""Every system of the papers on real music, every half second: DEAM's excerpts and VGMIDI."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core import evaluation, load_corpus
from mer_core.corpus import NO_FEATURES, Corpus
from mer_core.datasets import vgmidi
from mer_core.evaluation import Regressor
from mer_core.features import extract_all
from mer_core.files import DataError
from mer_core.metrics import score, score_songs
from mer_core.models import (
    AELSTM,
    CNNLSTM,
    LSTM,
    SVR,
    VAELSTM,
    Constant,
    Delayed,
    DelayedLinear,
    ElmanRNN,
    FoldEnsemble,
    MultiScaleBLSTM,
    SecondNetwork,
)
from mer_core.smoothing import moving_average
from workbook.intervals import LEVELS, draws, metric_draws, paired
from workbook.studies.multiscale import _of_scale
from workbook.studies.regressors import SCORED, with_features, with_seed
from workbook.studies.study import Study, product

VARIABLE = "MER_REAL"
"""Names the folder in which `deam` and `vgmidi` are; `shared` beside the repository by default."""
BASE = "delayed linear"
"""What every network is compared with."""
UNDELAYED = {BASE: "linear", "Elman, delayed": "Elman", "LSTM, delayed": "LSTM"}


def real_folder(name: str) -> Path:
    """The folder of a data set, `deam` or `vgmidi`.

    Raises
    ------
    DataError
        If there is none.
    """
    beside = Path(__file__).parents[3] / "shared"
    folder = Path(os.environ.get(VARIABLE) or beside) / name
    if not folder.is_dir():
        raise DataError(folder, f"a folder with {name}; {VARIABLE} names the one above it", "none")
    return folder


def deam_excerpts() -> Corpus:
    """The songs of DEAM whose audio is there, all as "dev", with features of their audio."""
    corpus = load_corpus(real_folder("deam"), task="2013")
    with_audio = corpus.songs.index[corpus.songs["audio"].notna()]
    return with_audio_features(replace(corpus.select(with_audio), features=NO_FEATURES))


def vgmidi_pieces() -> Corpus:
    """The pieces of VGMIDI, all as "dev", with features of their rendered audio."""
    folder = real_folder("vgmidi")
    corpus = load_corpus(folder)
    songs = corpus.songs.assign(audio=vgmidi.render_pieces(folder))
    return with_audio_features(replace(corpus, songs=songs, features=NO_FEATURES))


def with_audio_features(corpus: Corpus) -> Corpus:
    """The corpus, all songs as "dev", with the 260 features and FS2's four of its audio."""
    sets = ("compare", "psychoacoustic")
    parts = [extract_all(dict(corpus.songs["audio"]), (name,)) for name in sets]
    for part in parts:
        if len(part.failures):
            raise DataError("audio", "songs that can be read", part.failures.iloc[0])
    features = pd.concat([part.features for part in parts], axis=1).astype(float)
    labels = corpus.labels[corpus.labels.index.isin(features.index)]
    return replace(corpus, songs=corpus.songs.assign(split="dev"), features=features, labels=labels)


DATA = {"mini": 0, "deam": 10_000, "vgmidi": 20_000}
"""What is added to the song_ids of a data set in :func:`all_music`. mini is SYNTHETIC."""


def all_music() -> Corpus:
    """The embedded corpus (SYNTHETIC), DEAM's excerpts and VGMIDI in one corpus of other song_ids.

    Ratings, where a data set has any; splits are mini's, and "dev" for real music.
    """
    parts = [
        _renumbered(corpus, DATA[name])
        for name, corpus in zip(DATA, (load_corpus("mini"), deam_excerpts(), vgmidi_pieces()))
    ]
    columns = list(parts[1].features)
    return Corpus(
        pd.concat([part.songs for part in parts]),
        pd.concat([part.labels for part in parts]),
        pd.concat([part.features[columns] for part in parts]),
        pd.concat([part.ratings for part in parts if part.ratings is not None]),
    )


def of_data(corpus: Corpus, data: str) -> Corpus:
    """The songs of one data set of :func:`all_music`; of mini its development songs.

    "mini, test" are the test songs.
    """
    name, *test = data.split(", ")
    songs = corpus.songs.index
    here = (songs >= DATA[name]) & (songs < DATA[name] + 10_000)
    side = corpus.songs["split"] == ("test" if test else "dev")
    return corpus.select(songs[here & side])


def _renumbered(corpus: Corpus, start: int) -> Corpus:
    songs = corpus.songs.set_axis(corpus.songs.index + start)
    tracks = (corpus.labels, corpus.features, corpus.ratings)
    return Corpus(songs, *(None if t is None else _shifted(t, start) for t in tracks))


def _shifted(track: pd.DataFrame, start: int) -> pd.DataFrame:
    index = track.index.set_levels(track.index.levels[0] + start, level=0)
    if "rater" in index.names:  # numbers in one data set, text in another
        index = index.set_levels(index.levels[1].astype(str), level=1)
    return track.set_axis(index)


def predict_folds(
    corpus: Corpus, *, setting: Regressor, features: str, fold: int | str, seed: int
) -> pd.DataFrame:
    """Predict the songs of one of ten folds, or of all folds, by models trained on the others.

    Parameters
    ----------
    corpus : Corpus
        With audio, where `features` is "mel".
    setting : regressor
        See :func:`workbook.studies.predict`.
    features : str
        A name of `FEATURE_SETS`, or "mel".
    fold : int or "all"
    seed : int
        Of the division into folds, and of the model.

    Returns
    -------
    DataFrame
        A track with the columns valence, arousal; of a `MultiScaleBLSTM` with a level `system` in
        front: the network of each scale, their average, and the ELM.
    """
    corpus = with_features(corpus, features)
    model = with_seed(setting, seed)
    if isinstance(model, FoldEnsemble):
        corpus = _numbered(corpus)
    folds = evaluation.k_folds(corpus.songs.index, k=10, seed=seed)
    folds = folds if fold == "all" else [folds[fold]]
    if isinstance(model, MultiScaleBLSTM):
        parts = [_scales(model, corpus.select(one.train), corpus.select(one.test)) for one in folds]
        return pd.concat(parts).sort_index()
    return evaluation.cross_validate(model, corpus, folds)


def _numbered(corpus: Corpus) -> Corpus:
    """The songs numbered from 0: Munich's folds go by song_id modulo 11, here few ids are left."""
    number = pd.Series(range(len(corpus.songs)), corpus.songs.index)
    songs = corpus.songs.set_axis(pd.RangeIndex(len(number), name="song_id"))
    tracks = [
        track.set_axis(track.index.set_levels(number[track.index.levels[0]], level=0))
        for track in (corpus.labels, corpus.features)
    ]
    return Corpus(songs, *tracks)


def _scales(model: MultiScaleBLSTM, train: Corpus, test: Corpus) -> pd.DataFrame:
    fitted = with_seed(model, model.seed).fit(train.features, train.labels)
    outputs = fitted.outputs(test.features)
    tracks = {
        f"BLSTM {scale}": _of_scale(outputs.xs(0, axis=1, level=1), scale)
        for scale in fitted.scales
    }
    for fusion, system in {"average": "BLSTM average", "elm": "BLSTM-ELM"}.items():
        tracks[system] = fitted.with_fusion(fusion).predict(test.features)
    return pd.concat(tracks, names=["system"])


def real_study(
    systems: Mapping[str, tuple[Regressor, str, Iterable[int | str], Iterable[int]]],
    **options: object,
) -> Study:
    """Systems (setting, features, folds, seeds) in ten folds of songs."""
    units = []
    for name, (setting, features, folds, seeds) in systems.items():
        for unit in product(setting=[setting], features=[features], fold=folds, seed=seeds):
            units.append(((name, features, unit["seed"]), unit))
    levels = ("system", "features", "seed")
    return Study(
        predict_folds, units, levels, real_tables, cheapest=("linear", "FS1", 0), **options
    )


def real_tables(
    corpus: Corpus, frames: Mapping[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> tuple[pd.DataFrame, ...]:
    """Scores, paired differences between systems, and scores of single songs.

    Returns
    -------
    tuple of three DataFrame
        Scores as of :func:`mer_core.metrics.score`, for each output and seed. Differences of
        smoothed outputs, see :func:`workbook.intervals.paired`; index (system, against, dimension,
        aggregation, metric). Songs: columns rmse, pearson.
    """
    tracks = dict(_by_system(corpus, frames))
    outputs = {
        (*label, output): change(track)
        for label, track in tracks.items()
        for output, change in (("raw", pd.DataFrame.copy), ("smoothed", moving_average))
    }
    names = [*levels, "output"]
    scores = {label: score(corpus.labels, track) for label, track in outputs.items()}
    songs = {
        label: score_songs(corpus.labels, track)[[*SCORED]] for label, track in outputs.items()
    }
    smoothed = {label[:-1]: track for label, track in outputs.items() if label[-1] == "smoothed"}
    return (
        pd.concat(scores, names=names).assign(setting="class"),
        differences(corpus.labels, smoothed),
        pd.concat(songs, names=names),
    )


def _by_system(corpus: Corpus, frames: Mapping[tuple, pd.DataFrame]) -> Iterable[tuple]:
    """Tracks by (system, features, seed), with the corpus's song_ids."""
    for (name, features, seed), frame in frames.items():
        if frame.index.nlevels == 3:
            for system, track in frame.groupby(level="system"):
                yield (system, features, seed), track.droplevel("system")
        elif name == "fold ensemble":
            ids = corpus.songs.index
            yield (
                (name, features, seed),
                frame.set_axis(
                    frame.index.set_levels(ids[frame.index.levels[0]], level=0)
                ).sort_index(),
            )
        else:
            yield (name, features, seed), frame


def differences(labels: pd.DataFrame, tracks: Mapping[tuple, pd.DataFrame]) -> pd.DataFrame:
    """Each system against the constant, the delayed linear model, and itself without delay.

    Means over the seeds that both systems have; see :func:`workbook.intervals.paired`.
    """
    counts = draws(labels.index.unique("song_id").size)
    drawn: dict[str, dict[int, pd.DataFrame]] = {}
    for (system, _, seed), track in tracks.items():
        drawn.setdefault(system, {})[seed] = metric_draws(labels, track, counts)
    rows = {}
    for system, each in drawn.items():
        for against in dict.fromkeys(["constant", BASE, UNDELAYED.get(system, BASE)]):
            seeds = sorted(set(each) & set(drawn.get(against, ())))
            if system == against or not seeds:
                continue
            own, base = (
                sum(by_seed[k] for k in seeds) / len(seeds) for by_seed in (each, drawn[against])
            )
            rows[system, against] = paired(own, base, songs=counts.shape[1]).assign(
                songs=counts.shape[1], seeds=len(seeds)
            )
    if not rows:
        levels = ["system", "against", *LEVELS]
        return pd.DataFrame(index=pd.MultiIndex.from_tuples([], names=levels), dtype=float)
    table = pd.concat(rows, names=["system", "against"])
    families = table.groupby(["against", "dimension", "aggregation", "metric"])["p"]
    return table.assign(p_holm=families.transform(holm))


def holm(p: pd.Series) -> pd.Series:
    """Holm's correction of the p values of one family."""
    order = p.sort_values()
    steps = len(order.dropna()) - np.arange(len(order))
    return (order * steps).cummax().clip(upper=1).reindex(p.index)


EVERY, ALL = range(10), ("all",)


def systems(seeds: Iterable[int], *, held_out: int, trials: int) -> dict[str, tuple]:
    """All systems in their class settings: setting, features, folds of a unit, seeds."""
    multiscale = MultiScaleBLSTM(held_out=held_out, trials=trials)
    return {
        "constant": (Constant(), "FS1", ALL, seeds),
        "linear": (DelayedLinear(delays=(0,), windows=(1,)), "FS1", ALL, seeds),
        BASE: (DelayedLinear(), "FS1", ALL, seeds),
        "delayed linear, ranks": (DelayedLinear(ranks=True), "FS1", ALL, seeds),
        "SVR": (SVR(), "FS1", ALL, seeds),
        "Elman": (ElmanRNN(), "FS1", ALL, seeds),
        "LSTM": (LSTM(), "FS1", ALL, seeds),
        "Elman, delayed": (Delayed(network=ElmanRNN()), "FS1", ALL, seeds),
        "LSTM, delayed": (Delayed(network=LSTM()), "FS1", ALL, seeds),
        "Elman, second network": (SecondNetwork(), "FS1", ALL, seeds),
        "AE-LSTM": (AELSTM(), "mel", ALL, seeds),
        "VAE-LSTM": (VAELSTM(), "mel", ALL, seeds),
        "CNN-LSTM": (CNNLSTM(), "mel", ALL, seeds),
        "multi-scale BLSTM": (multiscale, "FS1", EVERY, seeds),
        "fold ensemble": (FoldEnsemble(network=LSTM(), trials=1), "FS1", EVERY, seeds),
    }


STUDIES = {
    f"real_{name}": real_study(
        systems(range(3), **options),
        files=tuple(
            f"real_{name}{part}" for part in (".csv", "_differences.csv", "_songs.parquet")
        ),
        corpus=load,
    )
    for name, load, options in (
        ("deam", deam_excerpts, {"held_out": 4, "trials": 3}),
        ("vgmidi", vgmidi_pieces, {"held_out": 8, "trials": 1}),
    )
}
"""Of real music."""

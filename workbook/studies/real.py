"""Every system of the papers on real music, every half second: DEAM's excerpts and VGMIDI."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mer_core import evaluation, load_corpus, models
from mer_core.corpus import NO_FEATURES, Corpus
from mer_core.datasets import vgmidi
from mer_core.evaluation import Regressor
from mer_core.features import extract_all
from mer_core.files import DataError
from mer_core.smoothing import moving_average
from workbook.intervals import LEVELS, holm, metric_draws, paired
from workbook.studies.multiscale import of_scale
from workbook.studies.regressors import predict, scores, with_features, with_seed
from workbook.studies.study import (
    Frames,
    Levels,
    Study,
    Tables,
    Units,
    labelled,
    setting_of,
    study_of,
)
from workbook.valence import song_counts

VARIABLE = "MER_REAL"
"""Names the folder in which `deam` and `vgmidi` are; `shared` beside the repository by default."""
FILES = ("{}.csv", "{}_differences.csv", "{}_songs.parquet")
LEVELS_OF_SYSTEMS = ("system", "features", "seed")
BASE = "delayed linear"
"""What every network is compared with."""
UNDELAYED = {BASE: "linear", "Elman, delayed": "Elman", "LSTM, delayed": "LSTM"}
DATA = {"mini": 0, "deam": 10_000, "vgmidi": 20_000}
"""What is added to the song_ids of a data set in :func:`all_music`. mini is SYNTHETIC."""
CUES = {
    "loudness": "audspec_lengthL1norm_sma_amean",
    "spectral flux": "pcm_fftMag_spectralFlux_sma_amean",
    "brightness (spectral centroid)": "pcm_fftMag_spectralCentroid_sma_amean",
    "pitch (F0)": "F0final_sma_amean",
    "event density": "event_density",
    "tempo": "tempo",
    "dissonance": "sensory_dissonance",
    "roughness": "roughness",
}
"""What a listener can notice, and the column of features that measures it."""


def real_folder(name: str) -> Path:
    """The folder of a data set, `deam` or `vgmidi`; DataError if there is none."""
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
    parts = []
    for name in ("compare", "psychoacoustic"):
        features, failures = extract_all(dict(corpus.songs["audio"]), (name,))
        if len(failures):
            raise DataError("audio", "songs that can be read", failures.iloc[0])
        parts.append(features)
    features = pd.concat(parts, axis=1).astype(float)
    labels = corpus.labels[corpus.labels.index.isin(features.index)]
    return replace(corpus, songs=corpus.songs.assign(split="dev"), features=features, labels=labels)


def all_music() -> Corpus:
    """The embedded corpus (SYNTHETIC), DEAM's excerpts and VGMIDI as one corpus; see `DATA`.

    Splits are mini's, and "dev" for real music.
    """
    corpora = load_corpus("mini"), deam_excerpts(), vgmidi_pieces()
    parts = [
        renumbered(corpus, corpus.songs.index + start)
        for corpus, start in zip(corpora, DATA.values())
    ]
    columns = list(parts[1].features)
    return Corpus(
        pd.concat([part.songs for part in parts]),
        pd.concat([part.labels for part in parts]),
        pd.concat([part.features[columns] for part in parts]),
        pd.concat([part.ratings for part in parts if part.ratings is not None]),
    )


def renumbered(corpus: Corpus, song_ids: Iterable[int]) -> Corpus:
    """The corpus with other song_ids, in the order of its songs; rater ids become text."""
    number = pd.Series([*song_ids], corpus.songs.index, name="song_id")
    songs = corpus.songs.set_axis(pd.Index(number))
    tracks = (corpus.labels, corpus.features, corpus.ratings)
    return Corpus(songs, *(None if t is None else _with_ids(t, number) for t in tracks))


def _with_ids(track: pd.DataFrame, number: pd.Series) -> pd.DataFrame:
    index = track.index.remove_unused_levels()
    index = index.set_levels(number[index.levels[0]].to_numpy(), level=0)
    if "rater" in index.names:  # numbers in one data set, text in another
        index = index.set_levels(index.levels[1].astype(str), level=1)
    return track.set_axis(index)


def of_data(corpus: Corpus, data: str) -> Corpus:
    """The songs of one data set of :func:`all_music`; of mini its development songs.

    "mini, test" are the test songs.
    """
    name, *test = data.split(", ")
    songs = corpus.songs.index
    here = (songs >= DATA[name]) & (songs < DATA[name] + 10_000)
    side = corpus.songs["split"] == ("test" if test else "dev")
    return corpus.select(songs[here & side])


def joint_study(function: Callable[..., pd.DataFrame], cheapest: str, **lists: Iterable) -> Study:
    """A study of :func:`all_music`, a unit for each data set, whose frames are its table."""
    return study_of(function, ("data",), (cheapest,), corpus=all_music, **lists)


def predict_folds(
    corpus: Corpus, *, setting: Regressor, features: str, fold: int | str, seed: int
) -> pd.DataFrame:
    """Predict songs of ten folds as :func:`workbook.studies.predict`.

    The track of a `MultiScaleBLSTM` has a level `system` in front. For a `FoldEnsemble` songs are
    numbered from 0, since its folds go by song_id modulo 11.
    """
    unit = {"setting": setting, "features": features, "fold": fold, "seed": seed}
    if isinstance(setting, models.FoldEnsemble):
        songs = corpus.songs.index
        track = predict(renumbered(corpus, range(len(songs))), **unit)
        return _with_ids(track, pd.Series(songs)).sort_index()
    if isinstance(setting, models.MultiScaleBLSTM):
        corpus, model = with_features(corpus, features), with_seed(setting, seed)
        train, test = evaluation.k_folds(corpus.songs.index, k=10, seed=seed)[fold]
        return _scales(model, corpus.select(train), corpus.select(test)).sort_index()
    return predict(corpus, **unit)


def _scales(model: models.MultiScaleBLSTM, train: Corpus, test: Corpus) -> pd.DataFrame:
    model.fit(train.features, train.labels)
    each = model.outputs(test.features).xs(0, axis=1, level=1)
    tracks = {f"BLSTM {scale}": of_scale(each, scale) for scale in model.scales}
    for fusion, system in {"average": "BLSTM average", "elm": "BLSTM-ELM"}.items():
        tracks[system] = model.with_fusion(fusion).predict(test.features)
    return pd.concat(tracks, names=["system"])


def real_tables(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores and scores of songs, as of all regressors; and paired differences of smoothed outputs.

    Of the latter the index is (system, against, dimension, aggregation, metric).
    """
    tracks = {}
    for (name, *rest), frame in frames.items():
        if frame.index.nlevels == 2:
            tracks[name, *rest] = frame
        else:
            scales = frame.groupby(level="system")
            tracks |= {(system, *rest): track.droplevel("system") for system, track in scales}
    table, songs = scores(corpus, tracks, levels)
    smoothed = {label: moving_average(track) for label, track in tracks.items()}
    return (
        table.assign(setting=[setting_of(label[0]) for label in table.index]),
        differences(corpus.labels, smoothed),
        songs,
    )


def differences(labels: pd.DataFrame, tracks: Mapping[tuple, pd.DataFrame]) -> pd.DataFrame:
    """Each system against the constant, the delayed linear model, and itself without delay.

    Means over the seeds that both systems have; see :func:`workbook.intervals.paired`.
    """
    counts = song_counts(labels.index.unique("song_id").size)
    songs, drawn, rows = counts.shape[1], {}, {}
    for (system, _, seed), track in tracks.items():
        drawn.setdefault(system, {})[seed] = metric_draws(labels, track, counts)
    for system, each in drawn.items():
        for against in dict.fromkeys(["constant", BASE, UNDELAYED.get(system, BASE)]):
            seeds = sorted(set(each) & set(drawn.get(against, ())))
            if system == against or not seeds:
                continue
            own, base = (sum(d[k] for k in seeds) / len(seeds) for d in (each, drawn[against]))
            row = paired(own, base, songs=songs).assign(songs=songs, seeds=len(seeds))
            rows[system, against] = row
    if not rows:
        index = pd.MultiIndex.from_tuples([], names=["system", "against", *LEVELS])
        return pd.DataFrame(index=index, dtype=float)
    table = pd.concat(rows, names=["system", "against"])
    families = table.groupby(["against", "dimension", "aggregation", "metric"])["p"]
    return table.assign(p_holm=families.transform(holm))


def systems(*, held_out: int, trials: int) -> dict[str, tuple[Regressor, str, Iterable]]:
    """All systems: setting, features, folds of a unit."""
    multiscale = models.MultiScaleBLSTM(held_out=held_out, trials=trials)
    together, single = ("all",), range(10)
    return {
        "constant": (models.Constant(), "FS1", together),
        "linear, no penalty": (models.Linear(ridge=0), "FS1", together),
        "linear": (models.DelayedLinear(delays=(0,), windows=(1,)), "FS1", together),
        BASE: (models.DelayedLinear(), "FS1", together),
        "delayed linear, ranks": (models.DelayedLinear(ranks=True), "FS1", together),
        "SVR": (models.SVR(), "FS1", together),
        "Elman": (models.ElmanRNN(), "FS1", together),
        "LSTM": (models.LSTM(), "FS1", together),
        "Elman, delayed": (models.Delayed(network=models.ElmanRNN()), "FS1", together),
        "LSTM, delayed": (models.Delayed(network=models.LSTM()), "FS1", together),
        "Elman, second network": (models.SecondNetwork(), "FS1", together),
        "AE-LSTM": (models.AELSTM(), "mel", together),
        "VAE-LSTM": (models.VAELSTM(), "mel", together),
        "CNN-LSTM": (models.CNNLSTM(), "mel", together),
        "multi-scale BLSTM": (multiscale, "FS1", single),
        "fold ensemble": (models.FoldEnsemble(network=models.LSTM(), trials=1), "FS1", single),
    }


def units_of(systems: Mapping[str, tuple[Regressor, str, Iterable]], *, seeds: int = 3) -> Units:
    """Units of some systems (setting, features, folds), for the seeds from 0 on."""
    units = []
    for system, (setting, features, folds) in systems.items():
        lists = {"setting": [setting], "features": [features], "fold": folds, "seed": range(seeds)}
        units += labelled(LEVELS_OF_SYSTEMS, {"system": system}, **lists)
    return units


def real_study(
    corpus: Callable[[], Corpus], units: Units, cheapest: tuple = ("linear", "FS1", 0)
) -> Study:
    """Systems in ten folds of songs; the seed draws the folds and the first weights."""
    return Study(
        predict_folds, units, LEVELS_OF_SYSTEMS, real_tables, FILES, corpus, cheapest=cheapest
    )


STUDIES = {
    "real_deam": real_study(deam_excerpts, units_of(systems(held_out=4, trials=3))),
    "real_vgmidi": real_study(vgmidi_pieces, units_of(systems(held_out=8, trials=1))),
}
"""Of real music."""

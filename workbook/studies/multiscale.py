"""Lesson 05: Tsinghua's scales, fusions, lengths at prediction and sizes of the ELM."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.folds import genre_folds
from mer_core.metrics import DIMENSIONS, score
from mer_core.models import BLSTM, ELM, MultiScaleBLSTM
from mer_core.models.tsinghua import supervector
from workbook.studies.regressors import LEVELS, SCORED, regressors, scores, with_features, with_seed
from workbook.studies.study import Frames, Levels, Study, Tables, labelled

UNITS, RIDGES = (2, 5, 10, 20, 50, 200), (0, 10)
"""Of the ELMs whose errors are compared."""
WITH_TEST_SONGS = ", pretrained with test songs"


def predict_scales(
    corpus: Corpus, *, setting: MultiScaleBLSTM, features: str, test_songs: bool, seed: int
) -> pd.DataFrame:
    """All that a multi-scale model predicts of its validation songs and of the test songs.

    If `test_songs`, the networks are also pretrained on the test songs' audio. Index (table,
    system, protocol, song_id, time). In the table "lengths" a system is a pair "trained at, tested
    at", in "units" a pair of units and ridge. Li et al. (2016), sections 3 to 5.
    """
    corpus = with_features(corpus, features)
    dev, test = corpus.split("dev"), corpus.split("test")
    model = with_seed(setting, seed)
    folds = genre_folds(
        corpus.songs, partitions=model.partitions, held_out=model.held_out, seed=seed
    )
    further = test.features if test_songs else None
    parts = [fold.test for fold in folds]
    model.fit(dev.features, dev.labels, validation=parts, unlabelled=further)
    tracks = dict(_fusions(model, dev, test)) | dict(_sizes(model, dev, test))
    if not test_songs:
        tracks |= dict(_lengths(model, test))
    return pd.concat(tracks, names=["table", "system", "protocol"])


def _fusions(model: MultiScaleBLSTM, dev: Corpus, test: Corpus) -> Iterator[tuple]:
    outputs, known = model.outputs(test.features), model.validation_outputs_
    for scale in model.scales:
        system = f"BLSTM {scale}"
        yield ("fusions", system, "test"), of_scale(outputs.xs(0, axis=1, level=1), scale)
        yield ("fusions", system, "validation"), of_scale(known, scale)
    mean = {name: known[name].mean(axis=1) for name in DIMENSIONS}
    yield ("fusions", "BLSTM average", "validation"), pd.DataFrame(mean)
    yield ("fusions", "BLSTM-ELM", "validation"), _apart(model, dev.labels)
    for fusion, system in {"average": "BLSTM average", "elm": "BLSTM-ELM"}.items():
        yield ("fusions", system, "test"), model.with_fusion(fusion).predict(test.features)


def of_scale(outputs: pd.DataFrame, scale: int) -> pd.DataFrame:
    """The outputs of the networks of one scale as a track."""
    return pd.DataFrame({name: outputs[name, scale] for name in DIMENSIONS})


def _apart(model: MultiScaleBLSTM, labels: pd.DataFrame, elm: ELM | None = None) -> pd.DataFrame:
    """Predictions for each partition's validation songs by an ELM fitted to the others'."""
    tracks = []
    for part in model.parts_:
        others = labels[~labels.index.get_level_values("song_id").isin(part)]
        own = model.validation_outputs_.loc[list(part)]
        curves = {}
        for name in DIMENSIONS:
            x = supervector(own[name], window=model.window).to_numpy()
            curves[name] = model.machine(name, others, elm=elm).predict(x)[:, 0]
        tracks.append(pd.DataFrame(curves, own.index))
    return pd.concat(tracks)


def _sizes(model: MultiScaleBLSTM, dev: Corpus, test: Corpus) -> Iterator[tuple]:
    outputs = model.outputs(test.features)
    for units in UNITS:
        for ridge in RIDGES:
            elm, name = ELM(units=units, ridge=ridge, seed=model.seed), f"{units}, {ridge}"
            yield ("units", name, "validation"), _apart(model, dev.labels, elm)
            machines = {k: model.machine(k, dev.labels, elm=elm) for k in DIMENSIONS}
            curves = {k: model.fuse(outputs, k, machines[k]) for k in DIMENSIONS}
            yield ("units", name, "test"), pd.DataFrame(curves)


def _lengths(model: MultiScaleBLSTM, test: Corpus) -> Iterator[tuple]:
    """The networks of group 1 on test songs that are cut to each scale, and on whole songs."""
    whole = int(test.features.groupby(level="song_id").size().max())
    for trained in model.scales:
        for name, length in {**{str(k): k for k in model.scales}, "whole": whole}.items():
            curves = {
                k: model.networks_[trained, *model.groups_[k][0][trained]].with_scale(length)
                for k in DIMENSIONS
            }
            curves = {k: network.predict(test.features)[k] for k, network in curves.items()}
            yield ("lengths", f"{trained}, {name}", "test"), pd.DataFrame(curves)


def scale_tables(corpus: Corpus, frames: Frames, levels: Levels) -> Tables:
    """Scores of scales and fusions, as for all regressors; of lengths; of sizes of the ELM."""
    fusions, errors = {}, {"lengths": {}, "units": {}}
    for (pretraining, features, seed), frame in frames.items():
        for (kind, system, protocol), track in frame.groupby(level=[0, 1, 2]):
            track = track.droplevel([0, 1, 2])
            if kind == "fusions":
                fusions[f"{system}{pretraining}", features, protocol, seed] = track
            elif not pretraining:
                parts = (int(part) if part.isdigit() else part for part in system.split(", "))
                errors[kind][*parts, protocol, seed] = _errors(corpus, track)
    names = {"lengths": ["trained", "tested"], "units": ["units", "ridge"]}
    tables = (pd.concat(errors[k], names=[*own, "protocol", "seed"]) for k, own in names.items())
    return [*scores(corpus, fusions, LEVELS), *tables]


def _errors(corpus: Corpus, track: pd.DataFrame) -> pd.DataFrame:
    table = score(corpus.select(track.index.unique("song_id")).labels, track)[[*SCORED]]
    return table[table.index.get_level_values("aggregation") != "sd"]


def _with_and_without_test_songs(setting: MultiScaleBLSTM) -> Study:
    levels, units = ("pretraining", "features", "seed"), []
    lists = {"setting": [setting], "features": ["FS1"], "seed": range(5)}
    for test_songs, name in {False: "", True: WITH_TEST_SONGS}.items():
        units += labelled(levels, {"pretraining": name}, **lists, test_songs=[test_songs])
    files = ("multiscale.csv", "multiscale_songs.parquet")
    files += ("multiscale_lengths.csv", "multiscale_units.csv")
    return Study(predict_scales, units, levels, scale_tables, files, cheapest=("", "FS1", 0))


STUDIES = {
    "blstm": regressors(
        {"BLSTM, one network": BLSTM()},
        folds=("all",),
        cheapest=("BLSTM, one network", "FS1", "test", 0),
    ),
    "multiscale": _with_and_without_test_songs(MultiScaleBLSTM()),
}
"""On the embedded corpus, SYNTHETIC."""

"""Lesson 05: Tsinghua's scales, fusions, lengths at prediction and sizes of the ELM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.features.sets import choose
from mer_core.folds import genre_folds
from mer_core.metrics import DIMENSIONS, score
from mer_core.models import BLSTM, ELM, MultiScaleBLSTM
from mer_core.models.tsinghua import supervector
from workbook.studies.regressors import regressors, scores, with_seed
from workbook.studies.study import FEATURE_SETS, Study, product

UNITS, RIDGES = (2, 5, 10, 20, 50, 200), (0, 10)
"""Of the ELMs whose errors are compared."""
WITH_TEST_SONGS = ", pretrained with test songs"


def scale_study(*, setting: MultiScaleBLSTM, features: str = "FS1", seeds: Iterable[int]) -> Study:
    """One `MultiScaleBLSTM` for each seed, pretrained without and with the test songs' audio."""
    units = []
    for unit in product(
        setting=[setting], features=[features], test_songs=[False, True], seed=seeds
    ):
        units.append(((WITH_TEST_SONGS * unit["test_songs"], features, unit["seed"]), unit))
    files = (
        "multiscale.csv",
        "multiscale_songs.parquet",
        "multiscale_lengths.csv",
        "multiscale_units.csv",
    )
    levels = ("pretraining", "features", "seed")
    return Study(predict_scales, units, levels, scale_tables, files, cheapest=("", "FS1", 0))


def predict_scales(
    corpus: Corpus, *, setting: MultiScaleBLSTM, features: str, test_songs: bool, seed: int
) -> pd.DataFrame:
    """All that a multi-scale model predicts of its validation songs and of the test songs.

    Parameters
    ----------
    corpus : Corpus
        With features and both splits.
    setting : MultiScaleBLSTM
        See :func:`workbook.studies.predict`.
    features : str
        A name of `FEATURE_SETS`.
    test_songs : bool
        Whether the networks hear the test songs in pretraining.
    seed : int
        Of partitions and model.

    Returns
    -------
    DataFrame
        Index (table, system, protocol, song_id, time), columns valence, arousal. In the table
        "lengths" a system is a pair "trained at, tested at", in "units" a pair of units and ridge.

    References
    ----------
    Li et al. (2016), sections 3 and 4; section 5 for the lengths. Notebook 05.
    """
    corpus = replace(corpus, features=choose(corpus.features, FEATURE_SETS[features]))
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
        yield ("fusions", system, "test"), _of_scale(outputs.xs(0, axis=1, level=1), scale)
        yield ("fusions", system, "validation"), _of_scale(known, scale)
    mean = {name: known[name].mean(axis=1) for name in DIMENSIONS}
    yield ("fusions", "BLSTM average", "validation"), pd.DataFrame(mean)
    yield ("fusions", "BLSTM-ELM", "validation"), _apart(model, dev.labels)
    for fusion, system in {"average": "BLSTM average", "elm": "BLSTM-ELM"}.items():
        yield ("fusions", system, "test"), model.with_fusion(fusion).predict(test.features)


def _of_scale(outputs: pd.DataFrame, scale: int) -> pd.DataFrame:
    return pd.DataFrame({name: outputs[name, scale] for name in DIMENSIONS})


def _apart(model: MultiScaleBLSTM, labels: pd.DataFrame, elm: ELM | None = None) -> pd.DataFrame:
    """Predictions for each partition's validation songs by an ELM that learned from the others'."""
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


def scale_tables(
    corpus: Corpus, frames: dict[tuple, pd.DataFrame], levels: tuple[str, ...]
) -> list[pd.DataFrame]:
    """Scores of scales and fusions, as for all regressors; of lengths; of sizes of the ELM."""
    kinds: dict[str, dict] = {"fusions": {}, "lengths": {}, "units": {}}
    for (pretraining, features, seed), frame in frames.items():
        for (kind, system, protocol), track in frame.groupby(level=[0, 1, 2]):
            track = track.droplevel([0, 1, 2])
            if kind == "fusions":
                kinds[kind][f"{system}{pretraining}", features, protocol, seed] = track
            elif not pretraining:
                parts = system.split(", ")
                kinds[kind][*map(_number, parts), protocol, seed] = track
    tables = [*scores(corpus, kinds["fusions"], ("system", "features", "protocol", "seed"))]
    names = {"lengths": ["trained", "tested"], "units": ["units", "ridge"]}
    for kind, own in names.items():
        rows = {k: _errors(corpus, track) for k, track in kinds[kind].items()}
        tables.append(pd.concat(rows, names=[*own, "protocol", "seed"]))
    return tables


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _errors(corpus: Corpus, track: pd.DataFrame) -> pd.DataFrame:
    table = score(corpus.select(track.index.unique("song_id")).labels, track)[["rmse", "pearson"]]
    return table[table.index.get_level_values("aggregation") != "sd"]


STUDIES = {
    "blstm": regressors(
        {"BLSTM, one network": BLSTM()},
        folds=("all",),
        files=("blstm.csv", "blstm_songs.parquet"),
        cheapest=("BLSTM, one network", "FS1", "test", 0),
    ),
    "multiscale": scale_study(setting=MultiScaleBLSTM(), seeds=range(5)),
}
"""On the embedded corpus, SYNTHETIC."""

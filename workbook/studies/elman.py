"""Lesson 03: IRIT's Elman network, its second network and its preprocessing."""

from __future__ import annotations

from workbook.studies.regressors import regressors
from workbook.studies.study import joined

ELMAN = {"model": "ElmanRNN"}
SECOND = {"model": "SecondNetwork", "first": ELMAN, "second": ELMAN}
PAPERS_ELMAN = {"learning_rate": 1e-3, "l1": 1e-2, "l2": 1e-2, "clip": 1e9}
PREPROCESSING = ("PCA", "kernel PCA", "denoising autoencoder")
VARIANTS = {
    "Elman, second network in-sample": SECOND | {"out_of_fold": False},
    "Elman, softmax": ELMAN | {"output": "softmax"},
    "Elman, paper's setting": ELMAN | PAPERS_ELMAN,
} | {
    f"Elman, {name}": {"model": "Preprocessed", "network": ELMAN, "by": name.replace("PCA", "pca")}
    for name in PREPROCESSING
}

STUDIES = {
    "elman": joined(
        regressors(
            {"Elman": ELMAN, "Elman, second network": SECOND},
            features=("FS1", "268"),
            folds=("all",),
            files=("elman.csv", "elman_songs.parquet"),
            cheapest=("Elman", "FS1", "test", 0),
        ),
        regressors(VARIANTS, seeds=range(3), folds=("all",)),
    )
}
"""On the embedded corpus, SYNTHETIC."""

"""Lesson 03: IRIT's Elman network, its second network and its preprocessing."""

from __future__ import annotations

from mer_core.models import ElmanRNN, Preprocessed, SecondNetwork
from workbook.studies.regressors import regressors
from workbook.studies.study import joined

VARIANTS = {
    "Elman, second network in-sample": SecondNetwork(out_of_fold=False),
    "Elman, softmax": ElmanRNN(output="softmax"),
    "Elman, paper's setting": ElmanRNN.paper(),
    "Elman, PCA": Preprocessed(network=ElmanRNN(), by="pca"),
    "Elman, kernel PCA": Preprocessed(network=ElmanRNN(), by="kernel pca"),
    "Elman, denoising autoencoder": Preprocessed(network=ElmanRNN(), by="denoising autoencoder"),
}

STUDIES = {
    "elman": joined(
        regressors(
            {"Elman": ElmanRNN(), "Elman, second network": SecondNetwork()},
            features=("FS1", "268"),
            folds=("all",),
            cheapest=("Elman", "FS1", "test", 0),
        ),
        regressors(VARIANTS, seeds=range(3), folds=("all",)),
    )
}
"""On the embedded corpus, SYNTHETIC."""

"""The sweeps behind the course's tables, as data: what is computed for which row of which table."""

from __future__ import annotations

from mer_core.experiments.latents import LATENT_SWEEPS
from mer_core.experiments.protocols import ensembles, joined, regressors
from mer_core.experiments.results import Sweep
from mer_core.experiments.scales import scale_study
from mer_core.experiments.songs import SONG_SWEEPS
from mer_core.experiments.valence import VALENCE_SWEEPS
from mer_core.experiments.valence_mini import MINI_VALENCE_SWEEPS

ELMAN = {"model": "ElmanRNN"}
SECOND = {"model": "SecondNetwork", "first": ELMAN, "second": ELMAN}
PAPERS_ELMAN = {"learning_rate": 1e-3, "l1": 1e-2, "l2": 1e-2, "clip": 1e9}
KINDS = ("pca", "kernel pca", "denoising autoencoder")
NAMES = ("PCA", "kernel PCA", "denoising autoencoder")
LSTM = {"model": "LSTM"}
KEPT = LSTM | {"pretrain": "keep"}
RETRAINED = LSTM | {"pretrain": "retrain"}
DEEP = RETRAINED | {"hidden": [24, 18, 5]}


def _munich(network: dict, **options: object) -> dict:
    return {"model": "FoldEnsemble", "network": network, "trials": 1, **options}


SWEEPS: dict[str, Sweep] = {
    **SONG_SWEEPS,
    **VALENCE_SWEEPS,
    **MINI_VALENCE_SWEEPS,
    **LATENT_SWEEPS,
    "baselines": regressors(
        {
            "constant": {"model": "Constant"},
            "linear, no penalty": {"model": "Linear", "ridge": 0},
            "linear": {"model": "Linear"},
            "SVR": {"model": "SVR"},
        },
        features=("FS1", "FS2", "268"),
        seeded=False,
    ),
    "elman": joined(
        regressors(
            {"Elman": ELMAN, "Elman, second network": SECOND},
            features=("FS1", "268"),
            folds=("all",),
        ),
        regressors(
            {
                "Elman, second network in-sample": SECOND | {"out_of_fold": False},
                "Elman, softmax": ELMAN | {"output": "softmax"},
                "Elman, paper's setting": ELMAN | PAPERS_ELMAN,
            }
            | {
                f"Elman, {name}": {"model": "Preprocessed", "network": ELMAN, "by": kind}
                for name, kind in zip(NAMES, KINDS)
            },
            seeds=range(3),
            folds=("all",),
        ),
    ),
    "lstm": regressors(
        {
            "LSTM": LSTM,
            "LSTM, first layer kept": KEPT,
            "LSTM, first layer retrained": RETRAINED,
            "LSTM, three layers": DEEP,
        },
        folds=("all",),
    ),
    "munich": joined(
        ensembles(
            {
                "constant, without the held-out songs": ({"model": "Constant"}, "FS1"),
                "linear, without the held-out songs": ({"model": "Linear"}, "FS1"),
            },
            seeds=range(1),
        ),
        ensembles(
            {
                "LSTM 2014 run 1": (_munich(LSTM), "FS1"),
                "LSTM 2014 run 2": (_munich(KEPT), "FS1"),
                "LSTM 2014 run 3": (_munich(RETRAINED), "FS1"),
                "LSTM 2014 run 4": (_munich(KEPT), "FS2"),
                "LSTM 2014 run 5": (_munich(RETRAINED), "FS2"),
                "LSTM 2015 run 1": (_munich(DEEP), "FS1"),
                "LSTM 2015 run 2": (_munich(DEEP), "FS2"),
                "LSTM 2015 run 3": (_munich(DEEP, by="ccc", keep=2), "FS1"),
                "LSTM 2015 run 4": (_munich(DEEP, by="ccc", keep=2), "FS2"),
                "LSTM 2015 run 2, selected on held-out": (
                    _munich(DEEP, select="held-out"),
                    "FS2",
                ),
            },
            seeds=range(5),
        ),
    ),
    "blstm": regressors({"BLSTM, one network": {"model": "BLSTM"}}, folds=("all",)),
    "multiscale": scale_study(
        setting={"model": "MultiScaleBLSTM", "network": {"model": "BLSTM"}}, seeds=range(5)
    ),
}

CHEAPEST = {
    "songs_mini": ("ridge", "functionals", "raw", "test"),
    "songs_2013": ("ridge", "167", "raw", "CV"),
    "songs_1744": ("ridge", "167", "raw", "test"),
    "songs_dimensions": ("PCA-SVM", 2),
    "songs_swapped": ("ridge", "2013"),
    "valence_systems": ("ridge", "song level", "1744 to 58"),
    "valence_tilted": ("ridge", "song level", "as it is"),
    "valence_subsets": ("song level", "0.0", "0"),
    "valence_samples": ("song level",),
    "valence_labels": ("431",),
    "valence_features": ("1744 to 58", "0"),
    "valence_worlds": ("development", "ridge", 0),
    "valence_causes": (0,),
    "valence_remedies": ("ridge", "test", 0),
    "latents": ("ridge on bands", "band means", "test", 0),
    "latent_choices": ("unlabelled", "ridge on bands", 0, 0),
    "baselines": ("linear", "FS1", "test", 0),
    "elman": ("Elman", "FS1", "test", 0),
    "lstm": ("LSTM", "FS1", "test", 0),
    "munich": ("linear, without the held-out songs", "FS1", 0),
    "blstm": ("BLSTM, one network", "FS1", "test", 0),
    "multiscale": ("", "FS1", 0),
}
"""The first parts of the labels of each study's cheapest rows, which every test run computes."""
SWEEPS = {name: sweep._replace(cheapest=CHEAPEST[name]) for name, sweep in SWEEPS.items()}

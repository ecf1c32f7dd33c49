"""The studies behind the stored tables, a module for each lesson that has any."""

from workbook.studies import (
    baselines,
    elman,
    harmony,
    harmony_chroma,
    harmony_keys,
    lag,
    latents,
    listeners,
    lstm,
    multiscale,
    paper_settings,
    pretrained,
    real,
    songs,
    task_scale,
    transfer,
    valence,
    valence_mini,
    valence_sides,
)
from workbook.studies.regressors import ensembles, predict, regressors, with_seed
from workbook.studies.study import FEATURE_SETS, Study, joined, product

__all__ = [
    "FEATURE_SETS",
    "STUDIES",
    "Study",
    "ensembles",
    "joined",
    "predict",
    "product",
    "regressors",
    "with_seed",
]

MODULES = (songs, valence, valence_mini, valence_sides, latents, baselines, elman, lstm, multiscale)
MODULES += (paper_settings, real, harmony, harmony_chroma, harmony_keys, lag, listeners)
MODULES += (transfer, task_scale, pretrained)
STUDIES = {name: study for module in MODULES for name, study in module.STUDIES.items()}
"""By the names of their tables."""

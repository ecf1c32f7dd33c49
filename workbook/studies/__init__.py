"""The studies behind the stored tables, a module for each lesson that has any."""

from workbook.studies import (
    baselines,
    elman,
    harmony,
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

STUDIES = {
    **songs.STUDIES,
    **valence.STUDIES,
    **valence_mini.STUDIES,
    **valence_sides.STUDIES,
    **latents.STUDIES,
    **baselines.STUDIES,
    **elman.STUDIES,
    **lstm.STUDIES,
    **multiscale.STUDIES,
    **paper_settings.STUDIES,
    **real.STUDIES,
    **harmony.STUDIES,
    **harmony_keys.STUDIES,
    **lag.STUDIES,
    **listeners.STUDIES,
    **transfer.STUDIES,
    **task_scale.STUDIES,
    **pretrained.STUDIES,
}
"""By the names of their tables."""

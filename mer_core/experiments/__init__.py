"""Studies: settings x folds x seeds, computed once, cached unit by unit, stored as tables.

The same call runs on a Dask cluster::

    from dask.distributed import Client

    client = Client("tcp://the-scheduler:8786")
    with joblib.parallel_config(backend="dask"):
        experiments.run(function, units, corpus)
"""

from mer_core.experiments.catalogue import SWEEPS
from mer_core.experiments.overview import overview, stored_scores, stored_songs
from mer_core.experiments.protocols import ensembles, joined, regressors
from mer_core.experiments.results import Results, Sweep, check, compute, run, table
from mer_core.experiments.settings import FEATURE_SETS, build, predict, product

__all__ = [
    "FEATURE_SETS",
    "Results",
    "SWEEPS",
    "Sweep",
    "build",
    "check",
    "compute",
    "ensembles",
    "joined",
    "overview",
    "predict",
    "product",
    "regressors",
    "run",
    "stored_scores",
    "stored_songs",
    "table",
]

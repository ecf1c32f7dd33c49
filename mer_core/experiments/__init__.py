"""Runs that are kept: settings x folds x seeds, computed once, stored one by one, read as tables.

A *unit* is a dictionary of keyword arguments for a function of mer_core, `function(corpus, **unit)`
-> DataFrame. `run` computes the units that the store lacks, on all cores, and stores each as it is
finished, under a hash of code, data and unit: a kill, a full disk or an exception costs the units
under way and nothing else. The same call runs on a Dask cluster::

    from dask.distributed import Client

    client = Client("tcp://the-scheduler:8786")
    with joblib.parallel_config(backend="dask"):
        experiments.run(function, units, corpus)
"""

from mer_core.experiments.catalogue import SWEEPS
from mer_core.experiments.overview import overview, stored_scores, stored_songs
from mer_core.experiments.protocols import Sweep, ensembles, regressors
from mer_core.experiments.settings import FEATURE_SETS, build, predict, product
from mer_core.experiments.store import Store
from mer_core.experiments.sweep import Results, run
from mer_core.experiments.tables import compute, stale, table
from mer_core.experiments.versions import code_version, fingerprint

__all__ = [
    "FEATURE_SETS",
    "Results",
    "SWEEPS",
    "Store",
    "Sweep",
    "build",
    "code_version",
    "compute",
    "ensembles",
    "fingerprint",
    "overview",
    "predict",
    "product",
    "regressors",
    "run",
    "stale",
    "stored_scores",
    "stored_songs",
    "table",
]

"""All stored scores of regressors in one table, as the scoreboard prints them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core.experiments.catalogue import SWEEPS
from mer_core.experiments.results import RESULTS, table
from mer_core.experiments.songs import mini_songs
from mer_core.metrics import DIMENSIONS

LEVELS = ["system", "features", "output", "protocol", "seed", "dimension", "aggregation"]
NAMES = {"rmse": "RMSE", "pearson": "r", "ccc": "CCC"}


def stored_scores(*, folder: str | os.PathLike = RESULTS) -> pd.DataFrame:
    """The stored scores of all regressors on the embedded corpus (SYNTHETIC), one under the other.

    Sweeps on other data are left out: their rows would bear the same names.

    Returns
    -------
    DataFrame
        As of :func:`table`, for :func:`mer_core.papers.compare`; empty if nothing is stored.
    """
    tables = [table(name, folder=folder) for name in _on_mini(folder)]
    of_regressors = [found for found in tables if list(found.index.names) == LEVELS]
    return pd.concat(of_regressors) if of_regressors else pd.DataFrame()


def stored_songs(*, folder: str | os.PathLike = RESULTS) -> pd.DataFrame:
    """The stored scores of single songs of the embedded corpus (SYNTHETIC), for paired tests.

    Returns
    -------
    DataFrame
        For :func:`mer_core.papers.judge`: song_id in place of aggregation; columns rmse, pearson.
    """
    names = [f"{name}_songs" for name in _on_mini(folder)]
    stored = [name for name in names if (Path(folder) / f"{name}.parquet").exists()]
    return pd.concat([table(name, folder=folder) for name in stored])


def _on_mini(folder: str | os.PathLike) -> list[str]:
    """Names of the stored sweeps of the embedded corpus."""
    stored = sorted(path.stem for path in Path(folder).glob("*.json"))
    return [name for name in stored if SWEEPS[name].corpus in (None, mini_songs)]


def overview(scores: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds, as the papers print them: CV pooled, all else the mean over songs.

    Parameters
    ----------
    scores : DataFrame
        From :func:`stored_scores`.

    Returns
    -------
    DataFrame
        Index (protocol, system, features, output), columns (dimension, metric) with RMSE, r and
        CCC, and the number of seeds.
    """
    protocol, aggregation = map(scores.index.get_level_values, ("protocol", "aggregation"))
    shown = scores[aggregation == np.where(protocol == "CV", "pooled", "mean")]
    rows = ["protocol", "system", "features", "output"]
    by_row = shown.rename(columns=NAMES)[list(NAMES.values())].groupby([*rows, "dimension"])
    wide = by_row.mean().unstack("dimension").swaplevel(axis=1)
    wide = wide[[(dimension, name) for dimension in DIMENSIONS for name in NAMES.values()]]
    wide["seeds", ""] = shown.reset_index("seed").groupby(rows)["seed"].nunique()
    return wide

"""The papers' tables and claims, read from the CSV files beside this module."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def published() -> pd.DataFrame:
    """Every score that the five papers print, one a row, in the order in which they print them.

    A number that is lost from our copy of a paper is a row without value, whose source says so.

    Returns
    -------
    DataFrame
        Columns:

        - paper, table ("table 1", "abstract"; "log": a log that IRIT published with its code);
          system, run (the paper's names); features: 260 (Munich's FS1), 268, FS2, ...; pretraining
        - split: CV; development (its songs); validation; held-out (Munich's own songs, kept aside);
          test (the 58 songs of 2015); test 2014 (the 1000 of that year); not stated
        - aggregation: pooled; mean per song; not stated
        - dimension; metric: rmse, pearson, r2, p (of the log, which does not say what was
          tested) or alpha (Cronbach's, of raters)
        - value, and its sd over the songs (NaN where none is printed)
        - scale: the labels that were predicted; source: table, text, log or not in our source; note
        - ours, our_features, output, protocol: the matching row of our result tables; empty if
          there is none, or where text repeats a table. Empty features: those that our system uses.

    Examples
    --------
    >>> rows = published().query("system == 'TNN-SVM'")
    >>> rows[["dimension", "metric", "value"]].values.tolist()
    [['valence', 'r2', 0.378], ['arousal', 'r2', 0.638]]
    """
    rows = _read("published.csv")
    rows[["value", "sd"]] = rows[["value", "sd"]].replace("", np.nan).astype(float)
    return rows


def claims() -> pd.DataFrame:
    """What the papers found, in our words; :func:`verdicts` adds the verdicts.

    Index id; columns paper, claim, where (section or table), comparison (what would confirm it).

    Examples
    --------
    >>> claims().loc["tsinghua-elm-better-valence", "claim"]
    'The ELM fuses better than the average for valence.'
    """
    return _read("claims.csv").set_index("id")


def comparisons() -> pd.DataFrame:
    """The claims as pairs of cells of a result table; a claim holds if all its pairs do.

    Claims about anything else (window sizes, the correlation of labels) have no pairs. Columns:
    claim (the id); relation: better, no worse, or alike; metric; wanted: lower or higher;
    aggregation (pooled, mean, sd over songs); and for both sides better_system, better_features
    (empty: those that the system uses), better_output, better_dimension, better_protocol,
    worse_system, ...

    Examples
    --------
    >>> pair = comparisons().set_index("claim").loc["tsinghua-elm-better-valence"]
    >>> pair["better_system"], pair["worse_system"], pair["metric"], pair["wanted"]
    ('BLSTM-ELM', 'BLSTM average', 'rmse', 'lower')
    """
    pairs = _read("comparisons.csv")
    for several in ("better_dimension", "metric"):
        pairs = pairs.assign(**{several: pairs[several].str.split("|")}).explode(several)
    for same in ("dimension", "protocol"):
        worse = pairs[f"worse_{same}"]
        pairs[f"worse_{same}"] = worse.where(worse != "", pairs[f"better_{same}"])
    pairs["wanted"] = np.where(pairs["metric"] == "rmse", "lower", "higher")
    return pairs.reset_index(drop=True)


def systems() -> pd.DataFrame:
    """Every system of the papers, by our name, as in :func:`published` under "ours".

    Columns papers (ids, joined by |), class (of `mer_core.models`), setting, lesson (its number),
    test (file in tests/, without .py), table (for :func:`workbook.results.table`).

    Examples
    --------
    >>> systems().loc["TNN-SVM", ["class", "lesson", "table"]].tolist()
    ['TripletNetwork', '06', 'songs_2013']
    """
    return _read("systems.csv").set_index("system")


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(__file__).with_name(name), dtype=str, keep_default_na=False)

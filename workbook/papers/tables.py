"""The papers' tables and claims, read from the CSV files beside this module."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def published() -> pd.DataFrame:
    """Every score that the five papers print, one a row, in the order in which they print them.

    Nothing is filled in from memory: a number that our copy of a paper has lost is a row without
    value whose source says so.

    Returns
    -------
    DataFrame
        One row a number, with the columns:

        - paper, table: where it stands ("table 1", "abstract"); system, run: the paper's names
        - features: 260 (which Munich call FS1), 268, FS2, ...; pretraining: on what or of what
        - split: CV; validation; held-out (Munich's own songs, kept aside); test (the 58 songs of
          2015); test 2014 (the 1000 of that year); not stated
        - aggregation: pooled; mean per song; not stated
        - dimension: valence or arousal; metric: rmse, pearson or r2
        - value, and sd over the songs where one is printed (NaN elsewhere)
        - scale: the labels that were predicted, see below
        - source: table; text (running text); not in our source
        - note: what has to be known to read it
        - ours, our_features, output, protocol: the row of our result tables that stands beside it,
          empty if there is none. Empty features: whichever our system uses. Running text that
          repeats a table has no such row, so that nothing is compared twice.

    Notes
    -----
    What the papers leave open, and how it is read here:

    - **Labels.** The participants' development labels of 2015 were averaged anew and rescaled
      before DEAM was published; for the 58 test songs that is not known. Those of 2014 and the
      song-level ones of 2013 are other scales again. An RMSE does not cross from one to another.
    - **IRIT** do not say that their cross-validation is pooled; it can be told from the code that
      the team published. Their text gives the "best system", with the second network, test figures
      that the table has in the row of the smoothed network; both are here.
    - **Munich 2014:** table 1 is lost but for its header. Of the abstract's figures one is left,
      "198 (Valence)" behind an "of 0" at the end of a broken line.
    - **Munich 2015:** run 1 is in no table. Run 3 is run 1 (FS1) with other selection in section
      2, and "FS2" in section 3; run 4 is not described. Runs 1 to 4 may be FS1 and FS2, each
      selected by RMSE and by CCC; then "Run 3" in section 3 is a slip for run 4, which is also
      among the best in both observations that the sentence rests on. That can't be decided here,
      so neither run names our features. The abstract mixes runs: 4 on test, 3 on held-out songs.
      The held-out songs selected the networks of every run, so table 1b is optimistic.
      "me14", the "best team results" of 2014, has the r of Munich 2014's best model, so it is read
      as that model's result on the test songs of 2014.
    - **Tsinghua** do not say how RMSE is aggregated. Three rows of table 3 equal other papers'
      means per song. They count Munich's run 2 among systems on 260 features, Munich on FS2.
    - **Herremans:** 774 songs in the caption, 744 in the set of 2013; no word on the split. "9 %"
      and "4 %" are ratios of R2 (0.378 / 0.347, 0.638 / 0.614). Figure 4 is lost; the rows name
      the systems that the text compares.

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
    """What the papers found, in our words, each with room for a verdict of ours.

    Returns
    -------
    DataFrame
        Index id; columns paper, claim, where (section or table), comparison (in words: what would
        confirm it), verdict and evidence (both empty: they are for what our results say).

    Examples
    --------
    >>> claims().loc["tsinghua-elm-better-valence", "claim"]
    'The ELM fuses better than the average for valence.'
    """
    return _read("claims.csv").set_index("id")


def comparisons() -> pd.DataFrame:
    """The claims' comparisons as pairs of cells of a result table; a claim holds if all its do.

    Claims that are not about two such cells (a search over window sizes, the correlation of
    labels) have none.

    Returns
    -------
    DataFrame
        One row a pair: claim (the id); relation: better, no worse, or alike; metric, and whether
        lower or higher is wanted; aggregation (pooled, mean, sd over songs); and for both sides
        better_system, better_features (empty: whichever the system uses), better_output,
        better_dimension, better_protocol, worse_system, ...

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
    """Every system of the papers: its class, its lesson, its test, and the table with its result.

    Returns
    -------
    DataFrame
        Index system (our name, as in :func:`published` under "ours"); columns papers (ids, with |
        between them), class (of `mer_core.models`), setting (in words), lesson (number of the
        notebook), test (file in tests/, without .py), table (for
        :func:`workbook.results.table`).

    Examples
    --------
    >>> systems().loc["TNN-SVM", ["class", "lesson", "table"]].tolist()
    ['TripletNetwork', '06', 'songs_2013']
    """
    return _read("systems.csv").set_index("system")


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(__file__).with_name(name), dtype=str, keep_default_na=False)

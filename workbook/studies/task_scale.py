"""The constant on the scale of the 2015 task's own labels, beside IRIT's figures on that scale."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from mer_core import evaluation, load_corpus
from mer_core.corpus import Corpus
from mer_core.files import read_table
from mer_core.folds import Fold
from mer_core.models import Constant
from workbook.intervals import intervals, metric_draws
from workbook.studies.real import real_folder
from workbook.studies.study import study_of
from workbook.valence import song_counts


def task_songs() -> Corpus:
    """The labels that participants had, with IRIT's folds in `songs.fold`; no audio, no features.

    One song is in no fold and left out.
    """
    corpus = load_corpus(real_folder("mediaeval2015_task"))
    lists = real_folder("deam") / "mediaeval2015_development_ids.csv"
    fold = read_table(lists, index="song_id")["irit_fold"].dropna()
    corpus = corpus.select(corpus.songs.index.intersection(fold.index))
    features = pd.DataFrame({"none": 0.0}, corpus.labels.index)
    songs = corpus.songs.assign(fold=fold.reindex(corpus.songs.index))
    return replace(corpus, songs=songs, features=features)


def score_constant(corpus: Corpus) -> pd.DataFrame:
    """RMSE of the training songs' mean in IRIT's folds, with 95 % intervals over songs."""
    fold, songs = corpus.songs["fold"], corpus.songs.index
    folds = [Fold(songs[fold != k], songs[fold == k]) for k in sorted(fold.unique())]
    track = evaluation.cross_validate(Constant(), corpus, folds)
    drawn = metric_draws(corpus.labels, track, song_counts(len(songs)))
    table = intervals(drawn).xs("rmse", level="metric")
    return table.assign(songs=len(songs))


_unit = [(("IRIT",), {})]
STUDIES = {
    "task_scale": study_of(score_constant, ("folds",), ("IRIT",), units=_unit, corpus=task_songs)
}
"""On the 2015 task's own labels, real."""

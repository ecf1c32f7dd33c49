"""How the package's model was trained and tested, on made-up songs of every campaign."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mer_core.corpus import SONG_COLUMNS, Corpus
from mer_core.models import WindowedRidge
from mer_core.tracks import DIMENSIONS
from test_pretrained import planted
from workbook.studies import pretrained as study
from workbook.studies.real import DATA

PARTS = {
    ("2013", "train"): np.arange(1, 31),
    ("2014", "train"): np.arange(1001, 1031),
    ("vgmidi", "train"): np.arange(1, 31) + DATA["vgmidi"],
    ("2013", "excerpts"): np.arange(51, 59) + DATA["deam"],
    ("2015", "2015"): np.arange(2001, 2009),
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Songs of one row of features and three labels; those of 2014 are rated higher."""
    parts = [
        pd.DataFrame({"campaign": campaign, "part": part}, ids)
        for (campaign, part), ids in PARTS.items()
    ]
    songs = pd.concat(parts).rename_axis("song_id")
    features, means = planted(len(songs), seed=0)
    features = features.set_axis(pd.MultiIndex.from_product([songs.index, [0.0]]))
    features.index.names = ["song_id", "time"]
    means = means.set_axis(songs.index).clip(-0.6, 0.6)
    means[songs["campaign"] == "2014"] += 0.3
    times = [15.0, 15.5, 16.0]
    index = pd.MultiIndex.from_product([songs.index, times], names=features.index.names)
    labels = means.loc[index.get_level_values("song_id")].set_axis(index)
    return Corpus(songs.reindex(columns=[*SONG_COLUMNS, "campaign", "part"]), labels, features)


def test_songs_of_the_tests_do_not_train_the_model(corpus):
    both = study.training_songs(corpus)
    assert set(both) == {k for (_, part), ids in PARTS.items() if part == "train" for k in ids}
    assert set(study.training_songs(corpus, "DEAM")) == set(both[both < DATA["vgmidi"]])


def test_campaigns_of_deam_get_one_mean_and_one_spread(corpus):
    songs = study.training_songs(corpus)
    before = corpus.labels.groupby(level="song_id").mean().loc[songs]
    after = study.equalised(corpus, songs).droplevel("time").loc[songs]
    groups = corpus.songs["campaign"].loc[songs]
    deam = [before.groupby(groups).agg(k).drop("vgmidi").mean() for k in ("mean", "std")]
    for campaign in ("2013", "2014"):
        np.testing.assert_allclose(after[groups == campaign].mean(), deam[0])
        np.testing.assert_allclose(after[groups == campaign].std(), deam[1])
    pd.testing.assert_frame_equal(after[groups == "vgmidi"], before[groups == "vgmidi"])


def test_labels_of_songs_that_are_not_for_training_have_no_influence(corpus):
    other = replace(corpus, labels=corpus.labels.copy())
    of_training = corpus.labels.index.isin(study.training_songs(corpus), "song_id")
    other.labels.loc[~of_training] = 0.9
    for name in ("equalised", "as rated"):
        predictions = [
            study.fit_songs(c, WindowedRidge(), study.training_songs(c), name).predict(c.features)
            for c in (corpus, other)
        ]
        pd.testing.assert_frame_equal(*predictions)


def test_a_song_that_is_left_out_has_no_influence_on_its_prediction(corpus):
    other, song = replace(corpus, labels=corpus.labels.copy()), 7
    other.labels.loc[song] = [0.9, -0.9]
    predictions = [study.left_out(c, WindowedRidge()) for c in (corpus, other)]
    moved = (predictions[1] - predictions[0]).abs().max(axis=1).groupby(level="song_id").max()
    assert set(moved.index) == set(study.training_songs(corpus))
    assert moved[song] == 0
    assert (moved > 0).mean() > 0.8


def test_widths_of_a_song_come_from_other_folds(corpus):
    model = study.fit_songs(corpus, WindowedRidge(), study.training_songs(corpus))
    folds = study.left_out(corpus, WindowedRidge())
    wrong = folds.copy()
    first = wrong.index.get_level_values("fold") == 0
    wrong.loc[first] += 1.0
    widths = [study._with_widths(f, model, f, corpus)[study.WIDTHS] for f in (folds, wrong)]
    same = np.isclose(*widths).all(axis=1)
    assert same[first].all()
    assert not same[~first].any()


def test_coverage_is_the_share_of_labels_in_the_interval_and_songs_count_alike():
    rows = [(1, 0.0), (1, 0.5), (2, 0.0), (2, 0.5), (2, 1.0), (2, 1.5)]
    index = pd.MultiIndex.from_tuples(rows, names=["song_id", "time"])
    labels = pd.DataFrame(0.0, index, DIMENSIONS)
    track = labels.assign(valence=[0.1, 0.3, 0.1, 0.3, 0.3, 0.3], arousal=0.2)
    track[study.WIDTHS] = 0.2
    shares = study.coverage_of_songs(labels, track)
    assert shares["valence"].tolist() == [0.5, 0.25]
    assert shares["arousal"].tolist() == [1, 1]

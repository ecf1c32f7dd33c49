"""Networks out of networks."""

import numpy as np
import pandas as pd
import pytest

from mer_core import models
from mer_core.folds import k_folds, modulus_folds
from mer_core.metrics import ccc, rmse
from mer_core.smoothing import moving_average
from mer_core.training import Dataset, Job
from test_recurrent import songs

QUICK = {"epochs": 3}


def test_the_second_network_learns_from_songs_that_the_first_did_not_see():
    features, labels = songs((20,) * 12)
    pair = models.SecondNetwork(
        first=models.ElmanRNN(**QUICK), second=models.ElmanRNN(**QUICK), window=5, seed=3
    ).fit(features, labels)
    first = models.ElmanRNN(**QUICK, seed=3)
    parts = []
    for fold in k_folds(range(1, 13), k=5, seed=3):
        known = labels[labels.index.get_level_values(0).isin(fold.train)]
        parts.append(first.fit(features, known).predict(features.loc[list(fold.test)]))
    second = models.ElmanRNN(**QUICK, seed=3)
    second.fit(moving_average(pd.concat(parts).sort_index(), 5), labels)
    whole = first.fit(features, labels).predict(features)
    expected = second.predict(moving_average(whole, 5))
    pd.testing.assert_frame_equal(pair.predict(features), expected, atol=1e-4)


def test_in_sample_predictions_are_the_papers_way():
    features, labels = songs((20,) * 4)
    options = {"first": models.ElmanRNN(**QUICK), "second": models.ElmanRNN(**QUICK)}
    pair = models.SecondNetwork(**options, window=5, out_of_fold=False).fit(features, labels)
    first = models.ElmanRNN(**QUICK).fit(features, labels)
    smoothed = moving_average(first.predict(features), 5)
    expected = models.ElmanRNN(**QUICK).fit(smoothed, labels).predict(smoothed)
    pd.testing.assert_frame_equal(pair.predict(features), expected, atol=1e-4)
    assert models.SecondNetwork.paper().out_of_fold is False


@pytest.mark.parametrize("by", ["rmse", "ccc"])
@pytest.mark.parametrize("select", ["validation", "held-out"])
def test_the_ensemble_averages_the_best_networks(by, select):
    features, labels = songs((14,) * 22)
    network = models.LSTM(hidden=(3,), epochs=2)
    options = {"trials": 2, "keep": 3, "by": by, "select": select, "seed": 1}
    ensemble = models.FoldEnsemble(network=network, **options).fit(features, labels)
    folds, held_out = modulus_folds(range(1, 23))
    assert list(ensemble.held_out_) == list(held_out) == [10, 21]
    candidates = []
    for seed in (2, 3):
        for fold in folds:
            job = Job(Dataset(features, labels), fold.train, fold.test, seed=seed)
            member = network.fit_many([job])[0]
            judged = labels.loc[list(held_out if select == "held-out" else fold.test)]
            predicted = member.predict(features).loc[judged.index]
            metric = {"rmse": rmse, "ccc": lambda y, p: -ccc(y, p)}[by]
            value = np.mean([metric(judged[k], predicted[k]) for k in judged])
            candidates.append((value, member.predict(features)))
    best = [predicted for _, predicted in sorted(candidates, key=lambda pair: pair[0])[:3]]
    pd.testing.assert_frame_equal(ensemble.predict(features), sum(best) / 3, atol=1e-4)
    assert not any(set(held_out) & set(member.trained_on_) for member in ensemble.members_)


@pytest.mark.parametrize("by", ["pca", "kernel pca", "denoising autoencoder"])
def test_derived_features_are_learned_from_training_songs_only(by):
    features, labels = songs((40,) * 6)
    model = models.Preprocessed(network=models.ElmanRNN(**QUICK), by=by, components=3)
    fitted = model.fit_many([Job(Dataset(features, labels), train=[1, 2, 3, 4])])[0]
    spoilt = features.copy()
    spoilt.loc[[5, 6]] *= 100
    again = model.fit_many([Job(Dataset(spoilt, labels), train=[1, 2, 3, 4])])[0]
    predicted = fitted.predict(features)
    assert np.isfinite(predicted).all(axis=None)
    pd.testing.assert_frame_equal(predicted, again.predict(features))
    assert list(fitted.network_.columns_) == ["component_0", "component_1", "component_2"]


def test_unlabelled_songs_are_preprocessed_too():
    features, labels = songs((20,) * 6)
    network = models.LSTM(hidden=(3,), epochs=1, pretrain="keep", pretrain_epochs=2)
    model, known = models.Preprocessed(network=network, components=2), labels.loc[:4]
    without, more = (
        model.fit(features.loc[:4], known, unlabelled=further).predict(features)
        for further in (None, features.loc[5:])
    )
    assert (without - more).abs().to_numpy().max() > 1e-6


def test_unknown_choices_are_an_error():
    network = models.LSTM()
    for options, message in (
        ({"by": "r"}, "by: expected 'rmse' or 'ccc', found 'r'"),
        ({"select": "test"}, "select: expected 'validation' or 'held-out', found 'test'"),
    ):
        with pytest.raises(ValueError, match=message):
            models.FoldEnsemble(network=network, **options)
    with pytest.raises(ValueError, match="by: expected 'pca' or 'kernel pca' or"):
        models.Preprocessed(network=network, by="ica")

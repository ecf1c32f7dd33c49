"""BLSTM, ELM and their fusion against independent implementations and against themselves."""

from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import linalg
from torch import nn

from mer_core import models
from mer_core.metrics import DIMENSIONS, rmse
from mer_core.models.elm import RandomLayer, least_squares, nested
from mer_core.models.network import BidirectionalLayer, Network, reverse_sequences
from mer_core.models.tsinghua import groups, split_into_segments, supervector
from mer_core.smoothing import moving_average
from mer_core.training import Dataset, Job
from test_notebook_code import shown
from test_recurrent import assert_same_gradients, songs, torch_layers

pytestmark = pytest.mark.usefixtures("double")
SCALES = (10, 20, 30, 60)
SMALL = {"hidden": (6, 4), "epochs": 3, "patience": 2, "pretrain_epochs": 2}


@pytest.mark.parametrize("models_", [1, 3])
@pytest.mark.parametrize("lengths", [[11, 11, 11, 11], [11, 7, 1, 4]])
def test_bidirectional_networks_equal_torchs_forward_and_gradient(models_, lengths):
    options = {"seeds": range(models_), "initial": 0.5, "bidirectional": True}
    network = Network("lstm", 5, (6, 4), 2, **options)
    for parameter in network.parameters():
        parameter.data += 0.1  # biases too
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(models_, 4, 11, 5, generator=rng)
    weight = torch.randn(4, 11, 2, generator=rng)
    real = (torch.arange(11) < torch.tensor(lengths)[:, None])[..., None]
    ours = network(x, torch.tensor([lengths]).expand(models_, -1)) * real
    (ours * weight).sum().backward()
    for number in range(models_):
        layers, out = torch_layers(network, "lstm", number)
        packed = nn.utils.rnn.pack_padded_sequence(x[number], lengths, True, False)
        for layer in layers:
            packed = layer(packed)[0]
        states, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True, total_length=11)
        theirs = out(states) * real
        torch.testing.assert_close(ours[number], theirs, rtol=1e-6, atol=1e-10)
        (theirs * weight).sum().backward()
        assert_same_gradients(network, layers, number)


def test_a_sequence_is_reversed_within_its_own_length():
    x = torch.arange(5.0).view(1, 1, 5, 1).repeat(1, 3, 1, 1)
    lengths = torch.tensor([[5, 3, 1]])
    back = reverse_sequences(x, lengths)
    assert back[0, 0, :, 0].tolist() == [4, 3, 2, 1, 0]
    assert back[0, 1, :3, 0].tolist() == [2, 1, 0]
    assert back[0, 2, 0, 0] == 0
    torch.testing.assert_close(reverse_sequences(back, lengths), x)


# Pieces


def track(lengths):
    index = [(song, 0.5 * step) for song, n in lengths.items() for step in range(n)]
    index = pd.MultiIndex.from_tuples(index, names=["song_id", "time"])
    return pd.DataFrame({"f": np.arange(len(index), dtype=float)}, index)


@pytest.mark.parametrize("scale", SCALES)
def test_no_frame_is_lost_or_doubled_at_any_length(scale):
    """Songs of 1 to 130 frames: pieces are what plain slices of each song would be."""
    whole = track({1000 + n: n for n in range(1, 131)})
    pieces, owners = split_into_segments(whole, scale)
    np.testing.assert_array_equal(pieces["f"], whole["f"])
    assert pieces.index.is_unique
    found = {(owners[piece], *part["f"]) for piece, part in pieces.groupby(level="song_id")}
    assert found == {
        (song_id, *song["f"].iloc[start : start + scale])
        for song_id, song in whole.groupby(level="song_id")
        for start in range(0, len(song), scale)
    }


@pytest.mark.parametrize("scale", SCALES)
def test_every_frame_is_predicted_once_at_any_length(scale):
    features, labels = songs()
    model = models.BLSTM(scale=scale, hidden=(2,), epochs=1, pretrain_epochs=0)
    model.fit(features, labels)
    whole = track({1000 + n: n for n in range(1, 131)})
    rng = np.random.default_rng(0)
    whole = pd.DataFrame(rng.normal(size=(len(whole), 4)), whole.index).add_prefix("f")
    predicted = model.predict(whole)
    pd.testing.assert_index_equal(predicted.index, whole.index)
    assert np.isfinite(predicted).all(axis=None)
    for song_id in (1001, 1000 + scale, 1001 + scale, 1130):  # by itself, piece by piece
        song = whole.loc[[song_id]]
        starts = range(0, len(song), scale)
        alone = pd.concat([model.predict(song.iloc[k : k + scale]) for k in starts])
        pd.testing.assert_frame_equal(predicted.loc[[song_id]], alone, atol=1e-10)


def test_pieces_start_with_the_first_labelled_frame_in_training():
    whole = track({5: 14, 7: 9})
    pieces, owners = split_into_segments(whole, 5, start=pd.Series({5: 3}))
    sizes = pieces.groupby(level="song_id").size()
    assert list(zip(owners, sizes)) == [(5, 3), (5, 5), (5, 5), (5, 1), (7, 5), (7, 4)]


def test_a_segment_depends_on_past_and_future_but_on_no_other_segment():
    features, labels = songs((30,) * 6)
    model = models.BLSTM(scale=10, **SMALL).fit(features, labels)
    before = model.predict(features)
    changed = features.copy()
    changed.loc[(1, 7.0), :] += 3.0  # frame 14, in the second piece
    moved = (model.predict(changed) - before).abs().max(axis=1).loc[1].to_numpy() > 1e-9
    assert moved[10:20].all()
    assert not moved[:10].any()
    assert not moved[20:].any()
    longer = model.with_scale(30).predict(changed) - model.with_scale(30).predict(features)
    assert (longer.abs().max(axis=1).loc[1] > 1e-12).sum() > 10


# BLSTM as a regressor


def test_a_model_in_a_batch_comes_out_as_if_alone():
    features, labels = songs((31, 17, 25, 30, 9, 30))
    further, _ = songs((12, 33), seed=5)
    model = models.BLSTM(scale=10, **SMALL)
    data = Dataset(features, labels)
    jobs = [
        Job(data, [1, 2, 3, 4], [5, 6], seed=1),
        Job(data, [2, 3, 4, 5, 6], [1], seed=2),
        Job(Dataset(features, labels, further), [1, 2, 3], [6], seed=3),
    ]
    for job, one in zip(jobs, model.fit_many(jobs)):
        alone = model.fit_many([job])[0]
        assert one.trained_on_ == alone.trained_on_ == list(job.train)
        torch.testing.assert_close(one.weights_, alone.weights_, rtol=0, atol=1e-7)
        pd.testing.assert_frame_equal(one.predict(features), alone.predict(features), atol=1e-7)


def test_valence_and_arousal_are_two_networks():
    features, labels = songs()
    other = labels.assign(arousal=-labels["arousal"] + 0.1)
    model = models.BLSTM(scale=20, **SMALL)
    one, two = (model.fit(features, y).predict(features) for y in (labels, other))
    pd.testing.assert_series_equal(one["valence"], two["valence"])
    assert (one["arousal"] - two["arousal"]).abs().max() > 1e-3


def test_first_weights_are_normal_and_pretraining_is_shared_by_both_dimensions():
    features, labels = songs()
    options = {"hidden": (40, 40, 20), "epochs": 1, "learning_rate": 0.0}
    plain = models.BLSTM(**options, pretrain_epochs=0).fit(features, labels)
    weight = plain.weights_["layers.1.ahead.W"][0]
    assert weight.std().item() == pytest.approx(0.1, rel=0.1)
    assert weight.abs().max() > 0.25  # not uniform
    learned = models.BLSTM(**options, pretrain_epochs=2).fit(features, labels)
    for layer, same in ((0, False), (1, False), (2, True)):
        name = f"layers.{layer}.back.W"
        assert torch.equal(plain.weights_[name], learned.weights_[name]) == same
        assert torch.equal(learned.weights_[name][0], learned.weights_[name][1])
    assert learned.pretraining_["train"].iloc[-1] < learned.pretraining_["train"].iloc[0]


def test_pretraining_uses_validation_and_further_songs_but_no_others():
    features, labels = songs((30,) * 8)
    model = models.BLSTM(scale=10, hidden=(4,), epochs=1, learning_rate=0.0, pretrain_epochs=1)
    name = "layers.0.ahead.W"

    def learned(x, unlabelled=None, **job):
        data = Dataset(x, labels.loc[1:6], unlabelled)
        return model.fit_many([Job(data, **job)])[0].weights_[name]

    job = {"train": [1, 2, 3, 4], "validation": [5]}
    other = features.copy()
    other.loc[[7, 8]] += 1.0  # neither trained on nor stopped by
    torch.testing.assert_close(learned(features, **job), learned(other, **job))
    other.loc[[5]] += 1.0
    assert not torch.equal(learned(features, **job), learned(other, **job))
    more = learned(features, **job, unlabelled=features.loc[[7, 8]])
    assert not torch.equal(learned(features, **job), more)


def test_states_are_the_units_of_both_networks():
    features, labels = songs((30,) * 4)
    model = models.BLSTM(scale=20, **SMALL).fit(features, labels)
    states = model.states(features).to_numpy()
    assert states.shape == (len(features), 8)
    for number, name in enumerate(DIMENSIONS):
        own = states[:, 4 * number : 4 * number + 4] @ model.weights_["V"][number].numpy()
        mean, spread = (part[number].item() for part in model.standard_[2:])
        outputs = (own + model.weights_["d"][number].numpy())[:, 0] * spread + mean
        np.testing.assert_allclose(outputs, model.predict(features)[name], atol=1e-10)


def test_short_songs_and_songs_of_one_frame_train_and_are_predicted():
    features, labels = songs((1, 3, 8, 1, 5), skipped=0)
    model = models.BLSTM(scale=60, **SMALL).fit(features, labels)
    assert np.isfinite(model.predict(features)).all(axis=None)


def test_a_blstm_learns_what_only_the_future_knows():
    rng = np.random.default_rng(0)
    index = track({n: 20 for n in range(1, 31)}).index
    features = pd.DataFrame({"f": rng.normal(size=len(index))}, index)
    coming = features["f"].groupby(level=0).shift(-1).fillna(0.0) * 0.3
    labels = pd.DataFrame({"valence": coming, "arousal": -coming})
    settings = {"hidden": (8,), "epochs": 30, "noise": 0.0, "learning_rate": 0.4}
    both = models.BLSTM(**settings, scale=20, frames_per_update=80, pretrain_epochs=0)
    past = models.LSTM(**settings)
    train = labels.loc[1:20]
    errors = [
        rmse(coming.loc[21:], model.fit(features, train).predict(features).loc[21:, "valence"])
        for model in (both, past)
    ]
    assert errors[0] < 0.5 * errors[1]


@pytest.mark.parametrize("hidden", [(), (5,), (4, 0)])
def test_half_a_unit_is_refused(hidden):
    with pytest.raises(ValueError, match="hidden: expected even numbers"):
        models.BLSTM(hidden=hidden)


def test_the_papers_setting():
    model = models.BLSTM.paper(scale=20)
    assert model.hidden == (250,) * 5
    assert (model.epochs, model.patience, model.noise, model.momentum) == (100, 20, 0.6, 0.9)
    assert model.learning_rate == pytest.approx(5e-5)
    assert model.frames_per_update == 20
    # Half the sum of squares over n frames has n / 2 times the gradient of their mean square.
    outputs = torch.randn(20, requires_grad=True)
    (slope,) = torch.autograd.grad(outputs.square().sum() / 2, outputs)
    (mean,) = torch.autograd.grad(outputs.square().mean(), outputs)
    torch.testing.assert_close(5e-6 * slope, model.learning_rate * mean)


# ELM


def frames(rows=400, columns=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns)) * 3 + 5
    y = np.tanh(x @ rng.normal(size=(columns, 2)) * 0.2) + rng.normal(0, 0.1, (rows, 2))
    index = track({1: rows}).index
    return pd.DataFrame(x, index).add_prefix("f"), pd.DataFrame(y, index, DIMENSIONS)


@pytest.mark.parametrize("units", [5, 60, 300])
def test_an_elm_is_least_squares_on_its_own_hidden_layer(units):
    x, y = frames()
    model = models.ELM(units=units, seed=3).fit(x, y)
    scaler, layer = model.fitted_[0], model.fitted_[-1]
    standardised = (x.to_numpy() - x.to_numpy().mean(0)) / x.to_numpy().std(0)
    np.testing.assert_allclose(scaler.transform(x.to_numpy()), standardised)
    hidden = np.tanh(standardised @ layer.weights_ + layer.biases_)
    for solved in (np.linalg.lstsq(hidden, y, rcond=None)[0], linalg.pinv(hidden) @ y.to_numpy()):
        np.testing.assert_allclose(model.predict(x), hidden @ solved, atol=1e-8)
    np.testing.assert_allclose(layer.outputs_, solved, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("repeated", [False, True])
def test_all_sizes_from_one_factorisation_are_those_of_machines_of_their_own(repeated):
    rng = np.random.default_rng(0)
    h, y = np.tanh(rng.normal(size=(80, 30))), rng.normal(size=(80, 2))
    if repeated:  # no normal equations can be solved
        h[:, 7] = h[:, 3]
    found = nested(h, y, [1, 4, 9, 30])
    assert list(found) == [1, 4, 9, 30]
    for size, weights in found.items():
        expected = np.linalg.lstsq(h[:, :size], y, rcond=None)[0]
        np.testing.assert_allclose(weights, expected, atol=1e-10)


def test_a_ridge_is_the_regression_of_that_name():
    x, y = frames()
    layer = RandomLayer(units=50, ridge=2.0).fit(x.to_numpy() - 5, y.to_numpy())
    hidden = layer.hidden(x.to_numpy() - 5)
    expected = np.linalg.solve(hidden.T @ hidden + 2 * np.eye(50), hidden.T @ y.to_numpy())
    np.testing.assert_allclose(layer.outputs_, expected, rtol=1e-7)


@pytest.mark.parametrize("ridge", [0.0, 1e-13])
def test_a_hidden_layer_without_full_rank_gets_the_shortest_solution(ridge):
    h = np.random.default_rng(0).normal(size=(30, 4))
    h = np.hstack([h, h[:, :2] + 1e-9 * h[:, 2:], h[:, :1] * 0])
    y = h[:, :1] * 2 + 1
    own, other = least_squares(h, y, ridge=ridge), np.linalg.lstsq(h, y, rcond=None)[0]
    np.testing.assert_allclose(h @ own, h @ other, atol=1e-7)
    assert np.abs(own).max() < 1e4 or not ridge
    more_columns = least_squares(h.T, np.ones((7, 1)))
    np.testing.assert_allclose(more_columns, linalg.pinv(h.T) @ np.ones((7, 1)), atol=1e-6)


def test_an_elm_is_a_regressor_with_a_seed():
    features, labels = songs()
    model = models.ELM(units=30, seed=1).fit(features, labels)
    assert list(model.predict(features)) == DIMENSIONS
    again = models.ELM(units=30, seed=1).fit(features, labels).predict(features)
    pd.testing.assert_frame_equal(model.predict(features), again)
    other = models.ELM(units=30, seed=2).fit(features, labels).predict(features)
    assert not np.allclose(again, other)
    assert models.ELM.paper().ridge == 0


# Fusion


def test_the_supervector_holds_outputs_changes_and_averages():
    values = np.random.default_rng(0).normal(size=(50, 2))
    outputs = pd.DataFrame(values, track({1: 20, 2: 30}).index, columns=[10, 60])
    vectors = supervector(outputs, window=5)
    kinds = ["output", "delta", "smoothed"]
    assert list(vectors) == [f"{scale} {kind}" for scale in (10, 60) for kind in kinds]
    np.testing.assert_array_equal(vectors["60 output"], outputs[60])
    np.testing.assert_allclose(vectors["10 delta"].loc[2].iloc[1:], np.diff(outputs[10].loc[2]))
    assert (vectors["10 delta"].loc[[(1, 0.0), (2, 0.0)]] == 0).all()
    np.testing.assert_array_equal(vectors["60 smoothed"], moving_average(outputs, 5)[60])


def test_groups_follow_the_two_criteria():
    rng = np.random.default_rng(0)
    levels = ["scale", "partition", "trial"]
    index = pd.MultiIndex.from_product([SCALES, range(5), range(3)], names=levels)
    for _ in range(3):
        errors = pd.Series(rng.uniform(size=60), index)
        first, second = groups(errors)
        for scale in SCALES:
            assert first[scale] == errors[scale].idxmin()
        chosen = [second[scale][0] for scale in SCALES]
        assert len(set(chosen)) == 4
        least = errors.groupby(level=[0, 1]).min().unstack().to_numpy()
        sums = [least[range(4), parts].sum() for parts in permutations(range(5), 4)]
        found = sum(errors[(scale, *second[scale])] for scale in SCALES)
        assert found == pytest.approx(min(sums))


@pytest.fixture(scope="module")
def fused():
    torch.set_default_dtype(torch.float64)
    features, labels = songs((24,) * 14)
    model = models.MultiScaleBLSTM(
        network=models.BLSTM(**SMALL), elm=models.ELM(units=6), scales=(5, 20), partitions=3,
        held_out=2, trials=2,
    )  # fmt: skip
    parts = [[1, 5], [2, 9], [14, 3]]
    model.fit(features, labels, validation=parts)
    torch.set_default_dtype(torch.float32)
    return model, features, labels, parts


def test_partitions_are_what_was_given_and_networks_are_trained_on_the_rest(fused):
    model, _, _, parts = fused
    assert len(model.networks_) == 2 * 3 * 2
    for (scale, part, _), network in model.networks_.items():
        assert network.trained_on_ == [s for s in range(1, 15) if s not in parts[part]]
        assert network.scale == scale
    places = [model.networks_[5, 0, trial].weights_["V"] for trial in (0, 1)]
    assert not torch.equal(*places)


def test_errors_are_those_of_validation_songs(fused):
    model, features, labels, parts = fused
    place = (20, 1, 0)
    known = labels.loc[parts[1]]
    predicted = model.networks_[place].predict(features.loc[known.index])
    for name in DIMENSIONS:
        assert model.errors_.loc[place, name] == pytest.approx(rmse(known[name], predicted[name]))


def test_the_elm_learns_from_the_best_of_each_partition_and_fuses_both_groups(fused):
    model, features, labels, parts = fused
    for name in DIMENSIONS:
        rows = []
        for part, held in enumerate(parts):
            best = {s: model.errors_[name].loc[s, part].idxmin() for s in (5, 20)}
            x = features.loc[labels.loc[held].index]
            columns = {s: model.networks_[s, part, t].predict(x)[name] for s, t in best.items()}
            rows.append(pd.DataFrame(columns))
        x = supervector(pd.concat(rows))
        y = labels.loc[x.index, name].to_numpy()
        mean, spread = x.to_numpy().mean(0), x.to_numpy().std(0)
        hidden = partial(layer_of, mean=mean, spread=spread, layer=model.machines_[name][-1])
        weights = np.linalg.lstsq(hidden(x), y, rcond=None)[0]
        both, unique = [], {}
        for group in model.groups_[name]:
            predicted = {s: model.networks_[s, *place].predict(features)[name]
                         for s, place in group.items()}  # fmt: skip
            unique |= {(s, *group[s]): curve for s, curve in predicted.items()}
            both.append(hidden(supervector(pd.DataFrame(predicted))) @ weights)
        expected = (both[0] + both[1]) / 2
        np.testing.assert_allclose(model.predict(features)[name], expected, atol=1e-7)
        average = model.with_fusion("average").predict(features)[name]
        np.testing.assert_allclose(average, sum(unique.values()) / len(unique), atol=1e-10)


def layer_of(x, *, mean, spread, layer):
    return np.tanh((x.to_numpy() - mean) / spread @ layer.weights_ + layer.biases_)


def test_without_partitions_they_are_drawn(fused):
    _, features, labels, _ = fused
    again = models.MultiScaleBLSTM(network=models.BLSTM(**SMALL), scales=(5,), partitions=3,
                                   held_out=2, trials=1, seed=2)  # fmt: skip
    again.fit(features, labels)
    drawn = [song for part in again.parts_ for song in part]
    assert len(drawn) == len(set(drawn)) == 6
    assert np.isfinite(again.predict(features.loc[[1, 2]])).all(axis=None)


def test_misuse_of_the_fusion_is_an_error(fused):
    _, features, labels, _ = fused
    with pytest.raises(ValueError, match="expected more than 5 x 8 songs"):
        models.MultiScaleBLSTM().fit(features, labels)
    for wrong in ([[1], [1]], [[1], []]):
        with pytest.raises(ValueError, match="or disjoint partitions"):
            models.MultiScaleBLSTM().fit(features, labels, validation=wrong)
    with pytest.raises(ValueError, match="for each partition, found one list"):
        models.MultiScaleBLSTM().fit(features, labels, validation=[1, 2])
    two = pd.Series({(10, 0, 0): 0.1, (20, 0, 0): 0.2}).rename_axis(["scale", "partition", "trial"])
    with pytest.raises(ValueError, match="partitions: expected 2 or more, found 1"):
        groups(two)


def test_the_papers_multiscale_setting():
    paper = models.MultiScaleBLSTM.paper()
    assert len(paper.scales) * paper.partitions * paper.trials == 60
    assert (paper.held_out, paper.network.hidden) == (20, (250,) * 5)


# What notebook 05 shows


def test_the_notebooks_two_directions_are_the_packages_values_and_gradients():
    layer = BidirectionalLayer("lstm", 5, 6, models=2)
    rng = torch.Generator().manual_seed(0)
    for parameter in layer.parameters():
        parameter.data.normal_(0, 0.5, generator=rng)
    lengths = torch.tensor([9, 4, 1])
    real = (torch.arange(9) < lengths[:, None])[..., None]
    x = torch.randn(3, 9, 5, generator=rng)
    weight = torch.randn(3, 9, 6, generator=rng)
    both_ways = shown("05", "reverse", "both_ways")["both_ways"]
    (own,) = layer(x.expand(2, -1, -1, -1), lengths[None].expand(2, -1))[:1] * real
    slopes = torch.autograd.grad((own * weight).sum(), list(layer.parameters()))
    theirs = []
    for part in (layer.ahead, layer.back):
        lstm = nn.LSTM(5, 3, batch_first=True)
        weights = [part.W[0].T, part.U[0].T, part.b[0, 0], torch.zeros(12)]
        lstm.load_state_dict(dict(zip(lstm.state_dict(), weights)))
        theirs.append(lstm)
    states = both_ways(x, lengths, *(lambda y, lstm=lstm: lstm(y)[0] for lstm in theirs)) * real
    torch.testing.assert_close(own, states, rtol=1e-6, atol=1e-12)
    (states * weight).sum().backward()
    found = [getattr(lstm, f"weight_{k}_l0").grad for lstm in theirs for k in ("ih", "hh")]
    for slope, other in zip((slopes[0], slopes[1], slopes[3], slopes[4]), found):
        torch.testing.assert_close(slope[0].T, other, rtol=1e-6, atol=1e-12)


def test_the_notebooks_machine_is_the_packages():
    x, y = frames()
    x, y = x.to_numpy() - 5, y.to_numpy()
    layer = RandomLayer(units=30, seed=1).fit(x, y)
    machine = shown("05", "extreme_learning_machine")["extreme_learning_machine"]
    predict = machine(x, y, layer.weights_, layer.biases_)
    np.testing.assert_allclose(predict(x + 0.1), layer.predict(x + 0.1), atol=1e-8)

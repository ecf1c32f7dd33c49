"""Cells, networks and recurrent regressors against torch's own layers and against themselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from mer_core import evaluation, models, training
from mer_core.corpus import Corpus
from mer_core.metrics import DIMENSIONS
from mer_core.models import recurrent
from mer_core.models.network import CELLS, Network
from mer_core.training import Dataset, Job, mean_and_std, pad

pytestmark = pytest.mark.usefixtures("double")
TORCH = {"elman": nn.RNN, "lstm": nn.LSTM}


def songs(lengths=(30, 30, 25, 30, 28, 30), columns=4, *, seed=0, skipped=6):
    """Labels that a recurrent network can learn: leaky sums of two features, and noise."""
    rng = np.random.default_rng(seed)
    features, labels = {}, {}
    for song_id, length in enumerate(lengths, start=1):
        times = pd.Index(np.arange(length) * 0.5, name="time")
        values = rng.normal(size=(length, columns)).cumsum(0) * 0.3 + rng.normal(size=columns)
        state, rows = np.zeros(2), []
        for row in values:
            state = 0.8 * state + 0.2 * np.tanh(row[:2])
            rows.append(state * 0.5)
        features[song_id] = pd.DataFrame(values, times).add_prefix("f")
        labels[song_id] = pd.DataFrame(rows, times, DIMENSIONS).iloc[skipped:]
    return (pd.concat(part, names=["song_id"]) for part in (features, labels))


def torch_layers(network: Network, cell: str, number: int = 0) -> tuple[nn.Module, nn.Linear]:
    """torch's own stack with the weights of one model of a network."""
    layers, inputs = nn.ModuleList(), ways(network.layers[0])[0].W.shape[1]
    for layer in network.layers:
        parts = ways(layer)
        units = parts[0].U.shape[1]
        theirs = TORCH[cell](inputs, units, batch_first=True, bidirectional=len(parts) == 2)
        for way, part in enumerate(parts):
            weights = [part.W[number].T, part.U[number].T, part.b[number, 0], 0 * part.b[number, 0]]
            for theirs_own, weight in zip(theirs.all_weights[way], weights):
                theirs_own.data = weight.detach().clone()
        layers.append(theirs)
        inputs = len(parts) * units
    out = nn.Linear(inputs, network.V.shape[-1])
    out.weight.data = network.V[number].detach().T.clone()
    out.bias.data = network.d[number, 0].detach().clone()
    return layers, out


def ways(layer: nn.Module) -> list[nn.Module]:
    """The one layer of a direction, or both of a bidirectional layer."""
    return [layer.ahead, layer.back] if hasattr(layer, "ahead") else [layer]


def assert_same_gradients(network: Network, layers: nn.Module, number: int = 0) -> None:
    for own, layer in zip(network.layers, layers):
        for part, theirs in zip(ways(own), layer.all_weights):
            ours = [part.W.grad[number].T, part.U.grad[number].T, part.b.grad[number, 0]]
            for mine, other in zip(ours, theirs):
                torch.testing.assert_close(mine, other.grad, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("cell", ["elman", "lstm"])
@pytest.mark.parametrize("alone", [True, False])
def test_networks_equal_torchs_with_copied_weights_forward_and_gradient(cell, alone):
    seeds = [3] if alone else [3, 4]
    network = Network(cell, 5, (7, 3), 2, seeds=seeds, initial=0.5)
    for parameter in network.parameters():
        parameter.data += 0.1  # biases too
    layers, out = torch_layers(network, cell)
    x = torch.randn(1, 4, 11, 5, generator=torch.Generator().manual_seed(0))
    weight = torch.randn(4, 11, 2, generator=torch.Generator().manual_seed(1))
    ours = network(x.expand(len(seeds), -1, -1, -1))[0]
    theirs = x[0]
    for layer in layers:
        theirs = layer(theirs)[0]
    theirs = out(theirs)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-10)
    (ours * weight).sum().backward()
    (theirs * weight).sum().backward()
    assert_same_gradients(network, layers)


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_the_written_out_backward_pass_is_the_gradient(cell):
    function, gates = CELLS[cell]
    rng = torch.Generator().manual_seed(0)
    projected = torch.randn(5, 2, 3, 2 * gates, generator=rng, requires_grad=True)
    recurrent = torch.randn(2, 2, 2 * gates, generator=rng, requires_grad=True)
    assert torch.autograd.gradcheck(function, (projected, recurrent))


MODELS = {
    "elman": models.ElmanRNN(epochs=10),
    "lstm": models.LSTM(hidden=(6, 3), epochs=10, patience=3, pretrain="retrain"),
    "kept": models.LSTM(hidden=(6, 3), epochs=10, patience=3, pretrain="keep"),
    "softmax": models.ElmanRNN(epochs=5, output="softmax"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_among_fifty_comes_out_as_if_alone(name):
    features, labels = songs()
    data, jobs = Dataset(features, labels), []
    for number in range(50):
        # Different songs, numbers of songs, and seeds.
        train = [song for song in range(1, 7) if song % 6 != number % 5][: 4 + number % 2]
        jobs.append(Job(data, train, seed=number))
    together = MODELS[name].fit_many(jobs)
    for number in (0, 7, 23, 49):
        alone, other = MODELS[name].fit_many([jobs[number]])[0], together[number]
        torch.testing.assert_close(alone.weights_, other.weights_, rtol=0, atol=1e-6)
        found, expected = other.predict(features), alone.predict(features)
        pd.testing.assert_frame_equal(found, expected, atol=1e-6)
        assert len(alone.history_) == len(other.history_)


def test_one_update_is_the_papers_arithmetic():
    features, labels = songs((12,))
    model = models.ElmanRNN(epochs=2, learning_rate=0.1, momentum=0.5, l1=0.01, l2=0.02, seed=5)
    fitted = model.fit_many([Job(Dataset(features, labels))])[0]
    network = Network("elman", 4, (10,), 2, seeds=[5])
    layers, out = torch_layers(network, "elman")
    weights = [layers[0].weight_ih_l0, layers[0].weight_hh_l0, out.weight]
    biases = [layers[0].bias_ih_l0, out.bias]
    x = features.to_numpy()
    known = x[6:]
    inputs = torch.tensor(((x - known.mean(0)) / known.std(0)).clip(-5, 5))
    velocity = {id(weight): 0.0 for weight in weights + biases}
    for _ in range(2):
        errors = out(layers[0](inputs[None])[0])[0, 6:] - torch.tensor(labels.to_numpy())
        cost = errors.square().mean()
        cost = cost + sum(0.01 * w.abs().sum() + 0.02 * w.square().sum() for w in weights)
        for weight, slope in zip(weights + biases, torch.autograd.grad(cost, weights + biases)):
            velocity[id(weight)] = 0.5 * velocity[id(weight)] - 0.1 * slope
            weight.data += velocity[id(weight)]
    for name, weight in zip(["layers.0.W", "layers.0.U", "V"], weights):
        torch.testing.assert_close(fitted.weights_[name][0].T, weight.data)
    for name, bias in zip(["layers.0.b", "d"], biases):
        torch.testing.assert_close(fitted.weights_[name][0, 0], bias.data)


def test_early_stopping_keeps_the_best_weights():
    features, labels = songs()
    model = models.LSTM(hidden=(6,), epochs=60, patience=4, learning_rate=0.05, noise=0.0)
    fitted = model.fit(features, labels, validation=[1, 2])
    losses = fitted.history_["validation"]
    assert len(losses) == losses.argmin() + 1 + 4 or len(losses) == 60
    predicted = fitted.predict(features).loc[[1, 2]].loc[labels.loc[[1, 2]].index]
    spread = fitted.standard_[3].numpy()
    error = (((predicted - labels.loc[[1, 2]]) / spread) ** 2).mean().mean()
    assert error == pytest.approx(losses.min(), rel=1e-6)


def test_networks_learn_what_a_constant_cannot():
    features, labels = songs((40,) * 24)
    dev = Corpus(pd.DataFrame(index=pd.RangeIndex(1, 25)), labels, features)
    folds = evaluation.k_folds(range(1, 25), k=3)
    for model in (models.ElmanRNN(epochs=40), models.LSTM(hidden=(8,), epochs=60)):
        both = [evaluation.cross_validate(one, dev, folds) for one in (model, models.Constant())]
        errors = [np.square(p.loc[labels.index] - labels).mean(axis=None) for p in both]
        assert errors[0] < 0.5 * errors[1], errors
        assert list(both[0].index) == list(features.sort_index().index)


def test_the_same_seed_gives_the_same_result_and_another_another():
    first, again, other = (
        models.LSTM(hidden=(4,), epochs=3, seed=seed).fit(features, labels).predict(features)
        for features, labels in [songs()]
        for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not np.allclose(first, other)


def test_jobs_of_one_dataset_share_the_padded_songs(monkeypatch):
    features, labels = songs()
    data, other = Dataset(features, labels), Dataset(features + 1, labels)
    padded = []
    monkeypatch.setattr(training, "pad", lambda *tracks: padded.append(tracks) or pad(*tracks))
    jobs = [Job(data, [1, 2], [3]), Job(data, [1, 4], [3]), Job(other, [5], [6])]
    models.LSTM(hidden=(2,), epochs=1).fit_many(jobs)
    used = [list(part.index.unique("song_id")) for part, _ in padded]
    assert used == [[1, 2, 3, 4], [5, 6]]


def test_songs_may_come_in_any_order():
    features, labels = songs((20, 30, 25))
    shuffled = pd.concat([features.loc[[song]] for song in (3, 1, 2)])
    one, other = (models.ElmanRNN(epochs=3).fit(x, labels).predict(x) for x in (features, shuffled))
    pd.testing.assert_frame_equal(one, other.loc[one.index])


def test_a_song_is_predicted_alone_as_among_longer_ones():
    features, labels = songs((10, 30, 25))
    model = models.LSTM(hidden=(4,), epochs=2).fit(features, labels)
    alone = model.predict(features.loc[[1]])
    pd.testing.assert_frame_equal(model.predict(features).loc[[1]], alone)


def test_softmax_ties_the_two_outputs():
    features, labels = songs()
    predicted = MODELS["softmax"].fit_many([Job(Dataset(features, labels))])[0].predict(features)
    np.testing.assert_allclose(predicted.sum(axis=1), 1)


def test_states_are_the_hidden_units():
    features, labels = songs()
    model = models.ElmanRNN(epochs=2).fit(features, labels)
    states = model.states(features)
    assert states.shape == (len(features), 10)
    weight, bias = (model.weights_[name][0].numpy() for name in ("V", "d"))
    outputs = states.to_numpy() @ weight + bias
    np.testing.assert_allclose(outputs, model.predict(features), atol=1e-9)


def test_padding_and_statistics():
    features, labels = songs((12, 9))
    padded, song_ids = pad(features, labels)
    assert padded.inputs.shape == (2, 12, 4)
    assert list(song_ids) == [1, 2]
    assert padded.lengths == [12, 9]
    assert padded.labelled.sum(1).tolist() == [6, 3]
    mean, spread, target, _ = mean_and_std(padded, [0])
    known = features.loc[[1]].loc[labels.loc[[1]].index]
    np.testing.assert_allclose(mean, known.mean())
    np.testing.assert_allclose(spread, known.std(ddof=0))
    np.testing.assert_allclose(target, labels.loc[1].mean())


def test_a_feature_without_variance_changes_nothing():
    features, labels = songs()
    flat = features.assign(f3=123.456)
    model = models.ElmanRNN(epochs=3).fit(flat, labels)
    assert np.isfinite(model.predict(flat)).all(axis=None)
    moved = flat.assign(f3=123.456 + np.arange(len(flat)) % 2 * 1e-9)
    np.testing.assert_allclose(model.predict(flat), model.predict(moved), atol=1e-6)


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (models.ElmanRNN(learning_rate=1e308, epochs=1), "weights"),
        (models.ElmanRNN(learning_rate=1e308, epochs=5), "loss"),
        (models.LSTM(learning_rate=float(np.finfo(float).max) / 4, epochs=1), "loss"),
    ],
)
def test_numbers_that_are_not_finite_are_an_error(model, what):
    with pytest.raises(ValueError, match=f"{what}: expected finite .* smaller learning rate"):
        model.fit(*songs((20,) * 4))


def test_one_song_is_enough_without_early_stopping_and_too_few_with_it():
    features, labels = songs((20,))
    assert len(models.ElmanRNN(epochs=2).fit(features, labels).predict(features)) == 20
    for validation in (None, [1]):
        with pytest.raises(ValueError, match=r"songs to train on and to stop by, found 1"):
            models.LSTM(epochs=2).fit(features, labels, validation=validation)


SMALL = [models.ElmanRNN(epochs=1), models.BLSTM(hidden=(2,), epochs=1)]


@pytest.mark.parametrize("model", SMALL)
def test_every_label_needs_features(model):
    features, labels = songs()
    message = r"features: expected a row for each label, found none at song_id 6, time 14\.5 s"
    with pytest.raises(ValueError, match=message):
        model.fit(features.iloc[:-1], labels)


@pytest.mark.parametrize("model", SMALL)
@pytest.mark.parametrize("columns", [["arousal", "valence"], ["valence"]])
def test_a_dimension_is_not_learned_under_anothers_name(model, columns):
    features, labels = songs((20,) * 4)
    with pytest.raises(ValueError, match=r"labels: expected the columns \['valence', 'arousal'\]"):
        model.fit(features, labels[columns])


def test_a_song_to_stop_by_needs_labels():
    features, labels = songs((20,) * 4)
    message = r"validation: expected songs with labels, found none for \[4, 9\]"
    with pytest.raises(ValueError, match=message):
        models.LSTM(epochs=2).fit(features, labels.loc[:3], validation=[3, 4, 9])


def test_prediction_needs_the_columns_of_training():
    features, labels = songs()
    model = models.ElmanRNN(epochs=1).fit(features, labels)
    with pytest.raises(ValueError, match=r"features: expected the columns .*, found none for"):
        model.predict(features[["f0", "f1"]])


def test_pretraining_uses_unlabelled_songs_and_learns_to_denoise():
    features, labels = songs((30,) * 8)
    known = labels.loc[[1, 2, 3, 4]]
    options = {"hidden": (6,), "epochs": 1, "pretrain": "keep", "pretrain_epochs": 15}
    without = models.LSTM(**options).fit(features.loc[:4], known)
    with_more = models.LSTM(**options).fit(features.loc[:4], known, unlabelled=features.loc[5:])
    assert not torch.equal(without.weights_["layers.0.W"], with_more.weights_["layers.0.W"])
    assert without.pretraining_["train"].iloc[-1] < 0.7 * without.pretraining_["train"].iloc[0]


def test_a_kept_layer_is_kept_and_a_retrained_one_moves():
    features, labels = songs()
    first = []
    for epochs in (1, 4):
        for pretrain in ("keep", "retrain"):
            options = {"hidden": (6, 3), "epochs": epochs, "patience": 99, "pretrain": pretrain}
            model = models.LSTM(**options, noise=0.0).fit(features, labels)
            first.append(model.weights_["layers.0.W"])
    torch.testing.assert_close(first[0], first[2])
    assert not torch.allclose(first[1], first[3])


def test_wide_networks_give_what_narrow_ones_would(monkeypatch):
    features, labels = songs()
    jobs = [Job(Dataset(features, labels), seed=seed) for seed in (1, 2)]
    model = models.LSTM(hidden=(5, 4), epochs=3)
    narrow = model.fit_many(jobs)
    monkeypatch.setattr(recurrent, "WIDE", 4)
    monkeypatch.setattr(recurrent, "Parallel", lambda _: lambda calls: [f(*a) for f, a, _ in calls])
    for one, other in zip(narrow, model.fit_many(jobs)):
        pd.testing.assert_frame_equal(one.predict(features), other.predict(features), atol=1e-9)


def test_the_papers_settings():
    elman = models.ElmanRNN.paper()
    assert (elman.hidden, elman.learning_rate, elman.epochs) == ((10,), 1e-3, 50)
    assert (elman.l1, elman.l2, elman.output) == (1e-2, 1e-2, "linear")
    of_2014, of_2015 = models.LSTM.paper(2014), models.LSTM.paper(2015)
    assert (of_2014.hidden, of_2015.hidden) == ((200, 5), (200, 150, 25))
    assert of_2014.noise**2 == pytest.approx(0.5)
    assert of_2015.noise == 0.3
    assert {model.momentum for model in (elman, of_2014, of_2015)} == {0.9}
    assert {model.patience for model in (of_2014, of_2015)} == {20}


@pytest.mark.parametrize(("year", "rate"), [(2014, 1e-6), (2015, 5e-6)])
def test_an_update_at_the_papers_rate_is_that_of_half_the_sum_of_squared_errors(year, rate):
    features, labels = songs(lengths=(66,), skipped=6)  # 60 labelled frames, as in DEAM
    options = {"hidden": (4, 3), "pretrain": None, "noise": 0.0, "epochs": 1, "patience": None}
    fitted = replace(models.LSTM.paper(year), **options).fit(features, labels)
    network = fitted._make_network(4, [0])
    start = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    padded, _ = pad(features, labels)
    mean, spread, target_mean, target_spread = fitted.standard_
    outputs = network((padded.inputs[None] - mean) / spread, torch.tensor([[66]]))
    targets = (padded.targets[None] - target_mean) / target_spread
    half_sum = ((outputs - targets).square().sum(-1) * padded.labelled[None]).sum() / 2
    half_sum.backward()
    for name, weight in network.named_parameters():
        expected = start[name] - rate * weight.grad
        torch.testing.assert_close(fitted.weights_[name], expected, rtol=1e-9, atol=1e-12)

"""The code that notebooks show is what the package and torch compute."""

from __future__ import annotations

import ast
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import test_autoencoder
from conftest import ROOT
from mer_core import models
from mer_core.metrics import DIMENSIONS
from mer_core.models.autoencoder import IN_CLASS, VAE, Bottleneck
from mer_core.models.network import Network, elman

pytestmark = pytest.mark.usefixtures("double")


def shown(notebook: str, *wanted: str, **names: object) -> dict:
    """Classes and functions of a notebook's source, by name, with the names that they use."""
    (source,) = (ROOT / "notebooks" / "source").glob(f"{notebook}_*.py")
    parts = {getattr(part, "name", None): part for part in ast.parse(source.read_text()).body}
    names |= {"torch": torch, "np": np, "pd": pd, "models": models}
    exec(compile(ast.Module([parts[name] for name in wanted], []), source.name, "exec"), names)
    return names


def assert_close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def drawn(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.5


def elman_of_notebook(units: int = 4, inputs: int = 3) -> nn.Module:
    shapes = [(inputs, units), (units, units), (1, units), (units, 2), (1, 2)]
    weights = {n: drawn(1, *s, seed=i) for i, (n, s) in enumerate(zip("WUbVd", shapes))}
    return shown("03", "Elman")["Elman"](weights)


def backward(own: torch.Tensor, theirs: torch.Tensor) -> None:
    """Compare two outputs and compute the gradients of both."""
    assert_close(own, theirs)
    weight = drawn(*own.shape, seed=8)
    for output in (own, theirs):
        (output * weight).sum().backward()


def test_notebook_03s_network_is_torchs_rnn_values_and_gradients():
    own, layer, x = elman_of_notebook(), nn.RNN(3, 4), drawn(9, 5, 3, seed=7)
    copied = {"weight_ih_l0": own.W, "weight_hh_l0": own.U, "bias_ih_l0": own.b}
    weights = {name: part.detach().t() for name, part in copied.items()}
    layer.load_state_dict(weights | {"bias_hh_l0": torch.zeros(4)})
    backward(own(x), layer(x)[0] @ own.V.detach() + own.d.detach())
    for name, parameter in copied.items():
        assert_close(parameter.grad, getattr(layer, name).grad.t())


def test_notebook_03s_states_are_the_packages_values_and_gradients():
    own, x = elman_of_notebook(), drawn(9, 5, 3, seed=7)
    recurrent = own.U.detach()[None].clone().requires_grad_()
    backward(own.states(x), elman((x @ own.W.detach() + own.b.detach())[:, None], recurrent)[:, 0])
    assert_close(own.U.grad, recurrent.grad[0])


def one_song(steps: int = 20) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([[1], np.arange(steps) / 2], names=["song_id", "time"])
    features = pd.DataFrame(rng.normal(size=(steps, 3)), index).add_prefix("f")
    labels = pd.DataFrame(rng.normal(size=(steps, 2)) * 0.3, index, DIMENSIONS)
    return features, labels.iloc[6:]


def test_notebook_03s_training_step_is_the_packages():
    features, labels = one_song()
    trained = models.ElmanRNN(epochs=4, seed=5, learning_rate=0.05).fit(features, labels)
    names = shown("03", "Elman", "inputs_of", "update")
    start = models.ElmanRNN()
    start.weights_ = Network("elman", 3, (10,), 2, seeds=[5]).state_dict()
    network, velocity = names["Elman"](start.weights_), {}
    x = names["inputs_of"](trained, features)
    labelled, y = torch.arange(20) >= 6, torch.tensor(labels.to_numpy())
    for _ in range(4):
        names["update"](network, x, y, labelled, velocity, trained)
    expected = names["Elman"](trained.weights_)
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter, getattr(expected, name), rtol=1e-8, atol=1e-10)
    assert (network.U - names["Elman"](start.weights_).U).abs().max() > 1e-4


def test_notebook_03s_gradient_norms_are_autograds():
    network, x = elman_of_notebook(), drawn(40, 1, 3, seed=9)
    names = shown("03", "Elman", "gradient_norms", inputs=x, shortest=40, lags=range(4))
    jacobian = torch.autograd.functional.jacobian(network.states, x)[:, 0, :, :, 0]
    expected = [
        np.mean([jacobian[t, :, t - lag].norm().item() for t in range(30, 40, 3)])
        for lag in range(4)
    ]
    np.testing.assert_allclose(names["gradient_norms"](network), expected, rtol=1e-10)


def test_notebook_04s_layer_is_torchs_lstm_values_and_gradients():
    own, layer, x = shown("04", "lstm")["lstm"], nn.LSTM(3, 4), drawn(9, 5, 3, seed=7)
    weights = [drawn(*shape, seed=i) for i, shape in enumerate([(3, 16), (4, 16), (16,)])]
    W, U, b = (weight.requires_grad_() for weight in weights)
    copied = {"weight_ih_l0": W, "weight_hh_l0": U, "bias_ih_l0": b}
    zeros = {"bias_hh_l0": torch.zeros(16)}
    layer.load_state_dict({k: v.detach().t() for k, v in copied.items()} | zeros)
    ours = own(x, W, U, b)
    assert_close(ours[4, -1], layer(x)[1][1][0])  # the cell
    backward(ours[-1], layer(x)[0])
    for name, parameter in copied.items():
        assert_close(parameter.grad, getattr(layer, name).grad.t())


# Two models are computed by the package's own cell, a single one by torch's kernel.
@pytest.mark.parametrize("seeds", [[0], [0, 1]])
def test_notebook_04s_network_is_the_packages_values_and_gradients(seeds):
    own = shown("04", "lstm", "StackedLSTM", pairwise=pairwise)["StackedLSTM"](3, (4, 2))
    network = Network("lstm", 3, (4, 2), 2, seeds=seeds, initial=0.5)
    pairs = [(own.V, network.V), (own.d, network.d)]
    for name in "WUb":
        pairs += zip(getattr(own, name), (getattr(layer, name) for layer in network.layers))
    for number, (ours, theirs) in enumerate(pairs):
        theirs.data += drawn(*theirs.shape, seed=number) * 0.1  # biases too
        ours.data = theirs.data[0].reshape(ours.shape).clone()
    x = drawn(9, 5, 3, seed=7)
    everywhere = x.transpose(0, 1).expand(len(seeds), -1, -1, -1)
    backward(own(x), network(everywhere)[0].transpose(0, 1))
    for ours, theirs in pairs:
        assert_close(ours.grad, theirs.grad[0].reshape(ours.shape))


def test_notebook_07s_bottleneck_is_the_packages_values_and_gradients():
    own, theirs = shown("07", "Bottleneck", nn=nn)["Bottleneck"](9, 6, 3), Bottleneck(9, 6, 3)
    own.load_state_dict(theirs.state_dict())
    x, noise, weights = drawn(5, 9, seed=1), drawn(5, 3, seed=2), drawn(2, 5, seed=3)
    for network in (own, theirs):
        (torch.stack(network(x, noise)) * weights).sum().backward()
    for ours, packages in zip(own(x, noise), theirs(x, noise)):
        torch.testing.assert_close(ours, packages, rtol=1e-12, atol=1e-12)
    for ours, packages in zip(own.parameters(), theirs.parameters()):
        torch.testing.assert_close(ours.grad, packages.grad, rtol=1e-12, atol=1e-12)


def test_notebook_07s_two_steps_are_what_the_regressor_does_in_one():
    features, labels = test_autoencoder.corpus()
    network = models.LSTM(**IN_CLASS | {"epochs": 3})
    whole = models.VAELSTM(latent=3, steps=5, network=network).fit(features, labels)
    vae = VAE(latent=3, steps=5).fit(features)
    apart = models.LSTM(**IN_CLASS | {"epochs": 3}).fit(vae.transform(features), labels)
    pd.testing.assert_frame_equal(whole.predict(features), apart.predict(vae.transform(features)))

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
from mer_core.models.cells import elman
from mer_core.models.network import Network


def shown(notebook: str, *wanted: str, **names: object) -> dict:
    """Classes and functions of a notebook's source, by name, among other names that they use."""
    (source,) = (ROOT / "notebooks" / "source").glob(f"{notebook}_*.py")
    parts = {getattr(part, "name", None): part for part in ast.parse(source.read_text()).body}
    names |= {"torch": torch, "np": np, "pd": pd, "models": models}
    exec(compile(ast.Module([parts[name] for name in wanted], []), source.name, "exec"), names)
    return names


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def drawn(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.5


def elman_of_notebook(units: int = 4, inputs: int = 3) -> nn.Module:
    shapes = [(inputs, units), (units, units), (1, units), (units, 2), (1, 2)]
    weights = {n: drawn(1, *s, seed=i) for i, (n, s) in enumerate(zip("WUbVd", shapes))}
    return shown("03", "Elman")["Elman"](weights)


def test_notebook_03s_network_is_torchs_rnn_values_and_gradients():
    own = elman_of_notebook()
    layer = nn.RNN(3, 4)
    copied = {"weight_ih_l0": own.W, "weight_hh_l0": own.U, "bias_ih_l0": own.b}
    weights = {name: part.detach().t() for name, part in copied.items()}
    layer.load_state_dict(weights | {"bias_hh_l0": torch.zeros(4)})
    x, weight = drawn(9, 5, 3, seed=7), drawn(9, 5, 2, seed=8)
    theirs = layer(x)[0] @ own.V.detach() + own.d.detach()
    torch.testing.assert_close(own(x), theirs, rtol=1e-10, atol=1e-12)
    (own(x) * weight).sum().backward()
    (theirs * weight).sum().backward()
    for name, parameter in copied.items():
        gradient = getattr(layer, name).grad.t()
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-10, atol=1e-12)


def test_notebook_03s_states_are_the_packages_values_and_gradients():
    own, x, weight = elman_of_notebook(), drawn(9, 5, 3, seed=7), drawn(9, 5, 4, seed=8)
    recurrent = own.U.detach()[None].clone().requires_grad_()
    theirs = elman((x @ own.W.detach() + own.b.detach())[:, None], recurrent)[:, 0]
    torch.testing.assert_close(own.states(x), theirs, rtol=1e-10, atol=1e-12)
    (own.states(x) * weight).sum().backward()
    (theirs * weight).sum().backward()
    torch.testing.assert_close(own.U.grad, recurrent.grad[0], rtol=1e-10, atol=1e-12)


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
    own, layer = shown("04", "lstm")["lstm"], nn.LSTM(3, 4)
    weights = [drawn(*shape, seed=i) for i, shape in enumerate([(3, 16), (4, 16), (16,)])]
    W, U, b = (weight.requires_grad_() for weight in weights)
    copied = {"weight_ih_l0": W, "weight_hh_l0": U, "bias_ih_l0": b}
    zeros = {"bias_hh_l0": torch.zeros(16)}
    layer.load_state_dict({k: v.detach().t() for k, v in copied.items()} | zeros)
    x, weight = drawn(9, 5, 3, seed=7), drawn(9, 5, 4, seed=8)
    ours, theirs = own(x, W, U, b), layer(x)[0]
    torch.testing.assert_close(ours[-1], theirs, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(ours[4, -1], layer(x)[1][1][0], rtol=1e-10, atol=1e-12)  # the cell
    (ours[-1] * weight).sum().backward()
    (theirs * weight).sum().backward()
    for name, parameter in copied.items():
        gradient = getattr(layer, name).grad.t()
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-10, atol=1e-12)


def test_notebook_04s_network_is_the_packages_values_and_gradients():
    own = shown("04", "lstm", "StackedLSTM", pairwise=pairwise)["StackedLSTM"](3, (4, 2))
    # Two models are computed by the package's own cell, a single one by torch's kernel.
    for seeds in ([0], [0, 1]):
        network = Network("lstm", 3, (4, 2), 2, seeds=seeds, initial=0.5)
        pairs = list(zip(own.W, (layer.W for layer in network.layers)))
        pairs += zip(own.U, (layer.U for layer in network.layers))
        pairs += zip(own.b, (layer.b for layer in network.layers))
        pairs += [(own.V, network.V), (own.d, network.d)]
        for number, (ours, theirs) in enumerate(pairs):
            theirs.data += drawn(*theirs.shape, seed=number) * 0.1  # biases too
            ours.data, ours.grad = theirs.data[0].reshape(ours.shape).clone(), None
        x, weight = drawn(9, 5, 3, seed=7), drawn(9, 5, 2, seed=8)
        everywhere = x.transpose(0, 1).expand(len(seeds), -1, -1, -1)
        theirs = network(everywhere)[0].transpose(0, 1)
        torch.testing.assert_close(own(x), theirs, rtol=1e-10, atol=1e-12)
        (own(x) * weight).sum().backward()
        (theirs * weight).sum().backward()
        for mine, packages in pairs:
            gradient = packages.grad[0].reshape(mine.shape)
            torch.testing.assert_close(mine.grad, gradient, rtol=1e-10, atol=1e-12)


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

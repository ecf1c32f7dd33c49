"""Autoencoders against closed forms, other estimates, finite differences and other networks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from mer_core import evaluation, models
from mer_core.features.mel import BANDS, FRAMES, patches
from mer_core.metrics import DIMENSIONS
from mer_core.models.autoencoder import AE, CNN, VAE, Bottleneck, Scale
from mer_core.models.network import Network
from mer_core.training import Dataset, Job

COLUMNS = [f"mel_{band}_{frame}" for band in range(BANDS) for frame in range(FRAMES)]
SMALL = {"latent": 3, "steps": 10}
BRIEF = SMALL | {"network": models.LSTM(hidden=(4,), epochs=2)}
LATENT = {
    "AELSTM": models.AELSTM(**BRIEF),
    "VAELSTM": models.VAELSTM(**BRIEF),
    "CNNLSTM": models.CNNLSTM(latent=3, epochs=2),
}


def corpus(songs: int = 6, steps: int = 12, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Patches made of three hidden curves, and labels that follow two of them."""
    rng = np.random.default_rng(seed)
    rows = [range(1, songs + 1), 0.5 * np.arange(steps)]
    index = pd.MultiIndex.from_product(rows, names=["song_id", "time"])
    hidden = rng.normal(size=(len(index), 3))
    shapes = np.random.default_rng(99).normal(size=(3, len(COLUMNS)))
    noise = rng.normal(size=(len(index), len(COLUMNS)))
    sound = -40 + 8 * (hidden @ shapes) + 2 * noise
    features = pd.DataFrame(sound.astype(np.float32), index, COLUMNS)
    labels = pd.DataFrame(np.tanh(hidden[:, :2]) / 2, index, DIMENSIONS)
    return features, labels[index.get_level_values("time") >= 1]


def network(columns: int = 7, hidden: int = 5, latent: int = 3) -> Bottleneck:
    torch.manual_seed(1)
    return Bottleneck(columns, hidden, latent).double()


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def test_the_divergence_is_torchs_closed_form():
    made, x = network(), drawn(20, 7)
    mean, log_variance = made.encode(x)
    code = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    prior = Independent(Normal(torch.zeros(20, 3), torch.ones(20, 3)), 1)
    torch.testing.assert_close(made(x, drawn(20, 3))[1], kl_divergence(code, prior))


def test_both_costs_are_what_a_monte_carlo_estimate_of_the_elbo_finds():
    made, x, count = network(), drawn(1, 7), 200_000
    with torch.no_grad():
        mean, log_variance = made.encode(x)
        code, prior = Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(3), 1.0)
        z = code.sample((count,))[:, 0]
        likelihood = Normal(made.decoder(z), 1.0).log_prob(x).sum(-1)
        estimates = likelihood + prior.log_prob(z).sum(-1) - code.log_prob(z).sum(-1)
        costs = sum(made(x.expand(count, 7), drawn(count, 3)))
        elbo = -costs - 7 / 2 * np.log(2 * np.pi)
    # Both are means over random codes: they agree within a few of their standard errors.
    error = (estimates.var() / count + elbo.var() / count).sqrt().item()
    assert abs(estimates.mean() - elbo.mean()).item() < 4 * error
    assert error < 0.02


def test_the_reconstruction_error_is_the_likelihood_of_a_decoder_of_unit_variance():
    made, x, noise = network(), drawn(9, 7), drawn(9, 3, seed=2)
    mean, log_variance = made.encode(x)
    decoded = made.decoder(mean + noise * (log_variance / 2).exp())
    expected = -Normal(decoded, 1.0).log_prob(x).sum(-1) - 7 / 2 * np.log(2 * np.pi)
    torch.testing.assert_close(made(x, noise)[0], expected)


def test_gradients_through_the_sampling_are_finite_differences():
    made, x, noise = network(), drawn(4, 7), drawn(4, 3, seed=5)
    names = [name for name, _ in made.named_parameters()]

    def cost(*values: torch.Tensor) -> torch.Tensor:
        costs = torch.func.functional_call(made, dict(zip(names, values)), (x, noise))
        return costs[0].mean() + 0.7 * costs[1].mean()

    values = [value.detach().clone().requires_grad_() for value in made.parameters()]
    assert torch.autograd.gradcheck(cost, values)
    # The spread of the code has a gradient of its own: without noise it would get only the prior's.
    own = torch.autograd.grad(cost(*values), values[2])[0]
    noise = torch.zeros_like(noise)
    prior = torch.autograd.grad(cost(*values), values[2])[0]
    assert (own[3:] - prior[3:]).abs().max() > 1e-4


def test_an_autoencoder_finds_what_sound_is_made_of():
    features, _ = corpus(20)
    heard, new = features.loc[:15], features.loc[16:]
    options = {"latent": 3, "hidden": 32, "steps": 200}
    for model in (AE(**options), VAE(**options, beta=0.5)):
        model.fit(heard)
        left = patches(new) - patches(model.reconstruct(new))
        # Three curves make all but the noise of 2 dB; the mean of every band would leave 14.
        assert np.sqrt(np.mean(left**2)) < 5
        assert model.transform(new).shape == (len(new), 3)
        assert model.transform(new).dtypes.eq(np.float32).all()
        assert list(model.reconstruct(new)) == COLUMNS


def test_beta_holds_codes_near_the_origin():
    features, _ = corpus()
    options = {"steps": 100, "latent": 3, "hidden": 16}
    fitted = [VAE(beta=beta, **options).fit(features) for beta in (0.0, 1.0, 1e4)]
    divergence = [model.costs(features)["divergence"].mean() for model in fitted]
    assert divergence[0] > divergence[1] > 5 * divergence[2]
    assert divergence[2] < 1


def test_costs_of_the_mean_have_no_luck_in_them():
    features, _ = corpus()
    plain, cloud = (kind(**SMALL).fit(features) for kind in (AE, VAE))
    pd.testing.assert_frame_equal(plain.costs(features), plain.costs(features, seed=1))
    pd.testing.assert_frame_equal(cloud.costs(features), cloud.costs(features))
    assert (cloud.costs(features) != cloud.costs(features, seed=1))["reconstruction"].all()
    rebuilt = patches(plain.reconstruct(features))
    x, y = map(plain.scale_.standardised, (patches(features), rebuilt))
    half = (x - y).square().sum(1) / 2
    np.testing.assert_allclose(plain.costs(features)["reconstruction"], half, rtol=1e-4)


def test_the_scale_is_of_what_was_heard_and_goes_both_ways():
    features, _ = corpus()
    silent = features.copy()
    silent[COLUMNS[:FRAMES]] = -80.0  # a band without variance
    scale = Scale.of(patches(silent))
    rows = scale.standardised(patches(silent)).reshape(-1, BANDS, FRAMES)
    assert rows[:, 0].abs().max() == 0
    np.testing.assert_allclose(rows[:, 1:].std((0, 2), correction=0), 1, rtol=1e-4)
    np.testing.assert_allclose(scale.decibel(rows), silent.to_numpy(), atol=1e-3)
    further, _ = corpus(seed=1)
    louder = AE(**SMALL).fit(features, unlabelled=further + 20).scale_.mean
    both = pd.concat([features, further + 20])
    np.testing.assert_allclose(louder, Scale.of(patches(both)).mean)
    assert (AE(**SMALL).fit(features).scale_.mean < louder).all()


@pytest.mark.parametrize("name", LATENT)
def test_the_same_seed_gives_the_same_and_another_another(name):
    features, labels = corpus()
    torch.manual_seed(0)
    first = replace(LATENT[name], seed=1).fit(features, labels).predict(features)
    torch.manual_seed(7)
    state = torch.get_rng_state()
    again = replace(LATENT[name], seed=1).fit(features, labels).predict(features)
    assert torch.equal(state, torch.get_rng_state())
    pd.testing.assert_frame_equal(first, again)
    other = replace(LATENT[name], seed=2).fit(features, labels).predict(features)
    assert (other - first).abs().to_numpy().max() > 1e-3


@pytest.mark.parametrize("name", ["AELSTM", "VAELSTM"])
def test_the_encoder_sees_no_label(name):
    features, labels = corpus()
    models_ = [replace(LATENT[name]).fit(features, some) for some in (labels, -0.5 * labels)]
    codes = [model.encoder_.transform(features) for model in models_]
    pd.testing.assert_frame_equal(*codes)
    assert (models_[0].predict(features) - models_[1].predict(features)).abs().max().max() > 1e-3


@pytest.mark.parametrize("name", ["AELSTM", "VAELSTM"])
def test_the_encoder_learns_from_training_and_unlabelled_songs_and_no_others(name):
    features, labels = corpus()
    own = labels.loc[:4]

    def codes(features: pd.DataFrame, **options: object) -> np.ndarray:
        model = replace(LATENT[name]).fit(features, own, **options)
        return model.encoder_.transform(corpus()[0]).to_numpy()

    louder = features.copy()
    louder.loc[5:] += 10
    np.testing.assert_array_equal(codes(features), codes(louder))
    further = features.loc[5:].rename(index={5: 50, 6: 60}, level="song_id")
    assert np.abs(codes(features) - codes(features, unlabelled=further)).max() > 1e-3
    np.testing.assert_array_equal(codes(features), codes(features, validation=[4]))


@pytest.mark.parametrize("name", LATENT)
def test_a_song_may_be_without_labels_and_all_rows_are_answered(name):
    features, labels = corpus()
    model = replace(LATENT[name]).fit(features, labels.loc[[1, 2, 4]])
    predicted = model.predict(features.loc[[3, 6]])
    pd.testing.assert_index_equal(predicted.index, features.loc[[3, 6]].index)
    assert list(predicted) == DIMENSIONS
    assert np.isfinite(predicted.to_numpy()).all()
    alone = model.predict(features.loc[[6]])
    pd.testing.assert_frame_equal(alone, predicted.loc[[6]], rtol=1e-4)


@pytest.mark.parametrize("name", LATENT)
def test_one_song_can_be_learned_without_early_stopping(name):
    features, labels = corpus(1)
    alone = {"patience": None}
    own = alone if name == "CNNLSTM" else {"network": models.LSTM(epochs=2, **alone)}
    model = replace(LATENT[name], **own)
    assert np.isfinite(model.fit(features, labels).predict(features)).all(axis=None)
    with pytest.raises(ValueError, match="songs to train on and to stop by, found 1"):
        replace(LATENT[name]).fit(features, labels)


@pytest.mark.parametrize("name", LATENT)
def test_many_are_as_each_alone(name):
    features, labels = corpus()
    model, data = LATENT[name], Dataset(features, labels)
    jobs = [Job(data, [1, 2, 3, 4], [5], seed=3), Job(data, [2, 4, 6], [1])]
    for fitted, job in zip(model.fit_many(jobs), jobs):
        own = features.loc[sorted([*job.train, *job.validation])]
        alone = replace(LATENT[name], seed=job.seed or 0)
        alone.fit(own, labels.loc[own.index.unique(0)], validation=job.validation)
        expected = alone.predict(features)
        np.testing.assert_allclose(fitted.predict(features), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", LATENT)
def test_other_columns_beside_mel_are_left_alone(name):
    features, labels = corpus()
    model = replace(LATENT[name])
    plain = model.fit(features, labels).predict(features)
    more = features.assign(tempo=np.nan)
    pd.testing.assert_frame_equal(model.fit(more, labels).predict(more), plain)
    with pytest.raises(ValueError, match="expected 1024 mel columns, found 1023"):
        model.fit(features.drop(columns="mel_5_5"), labels)


@pytest.mark.parametrize("name", LATENT)
def test_the_interface_of_all_regressors(name):
    features, labels = corpus()
    model = getattr(models, name)
    assert isinstance(model.paper(), model)
    assert model.paper().latent == model().latent == 32
    with pytest.raises(ValueError, match=f"{name}: expected .*fitted"):
        model().predict(features)
    songs = pd.DataFrame({"split": "dev"}, index=features.index.unique("song_id"))
    whole = evaluation.Corpus(songs, labels, features)
    folds = evaluation.k_folds(songs.index, k=3)
    predicted = evaluation.cross_validate(replace(LATENT[name]), whole, folds)
    assert len(predicted) == len(features)


@pytest.mark.parametrize("options", [{"latent": 0}, {"steps": 0}, {"beta": -1}, {"beta": np.nan}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))}.*: expected"):
        VAE(**options)


def test_an_autoencoder_that_breaks_down_says_so():
    features, _ = corpus(2)
    with pytest.raises(ValueError, match="a smaller learning rate than 1000000"):
        VAE(**SMALL, learning_rate=1e6).fit(features)
    with pytest.raises(ValueError, match=r"VAE: expected .*fitted"):
        VAE().decode(pd.DataFrame([[0.0] * 32]))


def test_the_convolutions_of_many_are_torchs_one_by_one():
    made = CNN(5, (4,), seeds=[0, 1, 2])
    x = torch.randn(3, 2, 6, BANDS * FRAMES, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in made.parameters():  # biases too
            parameter.add_(0.1)
        together = made.encode(x)
    for k in range(3):
        parts = [nn.Conv2d(1, 8, 4, stride=4), nn.Conv2d(8, 16, 3, stride=2, padding=1)]
        weights = [(made.blocks, made.blocks_bias), (made.shapes, made.shapes_bias)]
        for part, (weight, bias) in zip(parts, weights):
            part.weight.data, part.bias.data = weight[k].data, bias[k].data
        eyes = nn.Sequential(nn.Unflatten(1, (1, BANDS, FRAMES)), parts[0], nn.ReLU(), parts[1])
        seen = nn.Sequential(eyes, nn.ReLU(), nn.Flatten())(x[k].flatten(0, 1))
        alone = (seen @ made.code[k] + made.code_bias[k]).unflatten(0, (2, 6))
        torch.testing.assert_close(together[k], alone.detach(), rtol=1e-4, atol=1e-4)


def test_the_labels_reach_the_convolutions():
    features, labels = corpus()
    options = {"hidden": (4,), "learning_rate": 0.1, "epochs": 2, "patience": None}
    model = models.CNNLSTM(latent=3, **options).fit(features, labels)
    start = model._make_network(len(COLUMNS), [0]).state_dict()
    for name in ("blocks", "shapes", "code", "V"):
        assert (model.weights_[name] - start[name]).abs().max() > 1e-4
    codes = model.latents(features)
    assert codes.shape == (len(features), 3)
    assert list(codes)[:2] == ["latent_0", "latent_1"]
    # What stands behind the latents is an ordinary LSTM.
    lstm = Network("lstm", 3, model.hidden, 2, seeds=[0])
    lstm.load_state_dict({k: v for k, v in model.weights_.items() if k in lstm.state_dict()})
    x = torch.tensor(codes.loc[[1]].to_numpy(), dtype=torch.float32)
    mean, spread = (part.numpy() for part in model.standard_[2:])
    with torch.no_grad():
        expected = lstm(x[None, None])[0, 0].numpy() * spread + mean
        states = lstm.hidden(x[None, None])[0, 0].numpy()
    np.testing.assert_allclose(model.predict(features.loc[[1]]), expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(model.states(features.loc[[1]]), states, rtol=1e-3, atol=1e-5)

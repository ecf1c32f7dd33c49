"""Triplets: the loss against a loop and torch, what mining may draw, spaces and machines."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from mer_core import evaluation, load_corpus, models
from mer_core.features import song_level
from mer_core.metrics import DIMENSIONS, r2
from mer_core.models.triplet import mine, triplet_loss
from test_notebook_code import shown
from workbook.studies.songs import whole_songs

STRATEGIES = ("paper", "semi-hard", "weighted")
RANGES = {"positive": 0.1, "negative": 0.3}


def songs(n: int = 60, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Songs of twelve features, two of which tell valence and two arousal."""
    rng = np.random.default_rng(seed)
    index = pd.Index(range(1, n + 1), name="song_id")
    features = pd.DataFrame(rng.normal(5, 3, (n, 12)), index, [f"f{k}" for k in range(12)])
    labels = pd.DataFrame(
        {"valence": features["f0"] - features["f1"], "arousal": features["f2"] + features["f3"]}
    )
    return features, (labels - labels.mean()) / 15


# The loss


@pytest.mark.parametrize("margin", [0.05, 0.2, 1.0, 5.0])
def test_the_loss_is_that_of_a_loop_and_of_torch(margin):
    torch.manual_seed(0)
    parts = [torch.randn(40, 6, dtype=torch.float64) for _ in range(3)]
    loss = triplet_loss(*parts, margin=margin)
    loop = [
        max(0.0, float(np.sqrt(((a - p) ** 2).sum()) - np.sqrt(((a - n) ** 2).sum())) + margin)
        for a, p, n in zip(*(part.numpy() for part in parts))
    ]
    assert loss.item() == pytest.approx(np.mean(loop), abs=1e-12)
    torchs = nn.TripletMarginLoss(margin=margin, eps=0.0)(*parts)
    torch.testing.assert_close(loss, torchs, rtol=1e-12, atol=1e-12)


def test_the_loss_has_torchs_gradient_even_where_songs_coincide():
    torch.manual_seed(0)
    ours, torchs = (torch.randn(3, 20, 4, dtype=torch.float64) for _ in range(2))
    torchs.copy_(ours).requires_grad_()
    ours.requires_grad_()
    triplet_loss(*ours, margin=1.0).backward()
    nn.TripletMarginLoss(margin=1.0, eps=1e-12)(*torchs).backward()
    torch.testing.assert_close(ours.grad, torchs.grad, rtol=1e-6, atol=1e-9)
    same = torch.zeros(3, 5, 2, requires_grad=True)
    triplet_loss(*same, margin=1.0).backward()
    assert torch.isfinite(same.grad).all()


# Mining


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("columns", [1, 2])
def test_every_triplet_is_valid_and_every_possible_anchor_has_one(strategy, columns):
    rng = np.random.default_rng(1)
    labels, embedded = rng.uniform(-1, 1, (50, columns)), rng.normal(size=(50, 3))
    margin = 1e9 if strategy == "semi-hard" else 1.0
    triplets = mine(labels, **RANGES, strategy=strategy, embedded=embedded, margin=margin)
    apart = np.linalg.norm(labels[:, None] - labels, axis=-1)
    anchor, positive, negative = triplets.T
    assert (apart[anchor, positive] <= 0.1).all()
    assert (apart[anchor, negative] > 0.3).all()
    assert (anchor != positive).all()
    every = itertools.permutations(range(50), 3)
    possible = {a for a, p, n in every if apart[a, p] <= 0.1 and apart[a, n] > 0.3}
    assert set(triplets[:, 0]) <= possible
    if strategy != "semi-hard":
        assert list(triplets[:, 0]) == sorted(possible)


def test_at_random_every_valid_triplet_is_equally_likely():
    labels = [0.0, 0.05, 0.1, 0.5, 0.9]
    drawn = np.concatenate([mine(labels, **RANGES, seed=seed) for seed in range(2000)])
    of_first = drawn[drawn[:, 0] == 0]
    counts = np.r_[np.bincount(of_first[:, 1])[1:], np.bincount(of_first[:, 2])[3:]]
    assert counts / 2000 == pytest.approx([0.5] * 4, abs=0.05)


def test_weighted_negatives_come_in_proportion_to_the_distance_of_their_labels():
    labels = [0.0, 0.05, 0.5, 1.0]
    options = RANGES | {"strategy": "weighted"}
    drawn = np.concatenate([mine(labels, **options, seed=seed) for seed in range(3000)])
    of_first = drawn[drawn[:, 0] == 0, 2]
    assert np.bincount(of_first)[2:] / 3000 == pytest.approx([1 / 3, 2 / 3], abs=0.04)


def test_semi_hard_negatives_lie_behind_the_positive_within_the_margin():
    rng = np.random.default_rng(2)
    labels, embedded = rng.uniform(-1, 1, 80), rng.normal(size=(80, 2))
    triplets = mine(labels, **RANGES, strategy="semi-hard", embedded=embedded, margin=0.4, seed=rng)
    anchor, positive, negative = (embedded[part] for part in triplets.T)
    nearer = np.linalg.norm(anchor - positive, axis=1)
    farther = np.linalg.norm(anchor - negative, axis=1)
    assert len(triplets) > 20
    assert ((nearer < farther) & (farther < nearer + 0.4)).all()


@pytest.mark.parametrize("labels", [[], [0.5], [0.1, 0.1, 0.1], [0.0, 0.2], [0.0, 0.5, 1.0]])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_a_valid_triplet_there_is_none(labels, strategy):
    embedded = np.zeros((len(labels), 2))
    assert mine(labels, **RANGES, strategy=strategy, embedded=embedded).shape == (0, 3)


def test_mining_refuses():
    for wrong in ({"positive": 0.5, "negative": 0.3}, {"positive": -0.1, "negative": 0.3}):
        with pytest.raises(ValueError, match="0 <= positive <= negative"):
            mine([0.0, 1.0], **wrong)
    with pytest.raises(ValueError, match="'weighted', found 'hard'"):
        mine([0.0, 1.0], **RANGES, strategy="hard")
    with pytest.raises(ValueError, match="the songs' points"):
        mine([0.0, 1.0], **RANGES, strategy="semi-hard")


# The network


@pytest.mark.parametrize("options", [{"strategy": name} for name in STRATEGIES] + [{"joint": True}])
def test_it_learns_what_can_be_learned(options):
    features, labels = songs(160)
    model = models.TripletNetwork(steps=150, **options).fit(features[:120], labels[:120])
    predictions = model.predict(features[120:])
    assert list(predictions) == DIMENSIONS
    assert predictions.index.equals(labels.index[120:])
    for dimension in DIMENSIONS:
        assert r2(labels.loc[predictions.index, dimension], predictions[dimension]) > 0.5


def test_songs_of_like_label_end_up_nearer_than_they_were():
    features, labels = songs(100)
    model, spaces = models.TripletNetwork(dimensions=3, steps=120), {}
    for step, loss in enumerate(model.fitting(features, labels)):
        if step in (0, 119):
            spaces[step] = model.transform(features).filter(like="valence_").to_numpy(), loss
    apart = np.abs(np.subtract.outer(*[labels["valence"].to_numpy()] * 2))
    upper = np.triu_indices(100, 1)
    r = {
        step: np.corrcoef(np.linalg.norm(z[:, None] - z, axis=2)[upper], apart[upper])[0, 1]
        for step, (z, _) in spaces.items()
    }
    assert r[119] > r[0] + 0.2
    assert spaces[119][1] < spaces[0][1]


def test_the_space_has_the_chosen_size_and_no_feature_of_scored_songs_changes_it():
    features, labels = songs()
    model = models.TripletNetwork(dimensions=5, steps=5).fit(features[:40], labels[:40])
    space = model.transform(features)
    assert list(space) == [f"{name}_{k}" for name in DIMENSIONS for k in range(5)]
    louder = features.copy()
    louder.iloc[40:] *= 100
    again = models.TripletNetwork(dimensions=5, steps=5).fit(louder, labels[:40])
    pd.testing.assert_frame_equal(space, again.transform(features))
    joint = models.TripletNetwork(dimensions=5, steps=5, joint=True).fit(features, labels)
    assert list(joint.transform(features)) == [f"joint_{k}" for k in range(5)]


def test_the_seed_decides_and_the_worlds_random_state_neither_counts_nor_changes():
    features, labels = songs(40)
    first = models.TripletNetwork(steps=5, seed=1).fit(features, labels).predict(features)
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    model = models.TripletNetwork(steps=5, seed=1)
    for _ in model.fitting(features, labels):
        torch.rand(3)
    pd.testing.assert_frame_equal(first, model.predict(features))
    torch.random.set_rng_state(state)
    other = models.TripletNetwork(steps=5, seed=2).fit(features, labels).predict(features)
    assert torch.equal(state, torch.random.get_rng_state())
    assert not np.allclose(first, other)


def test_columns_in_any_order_and_features_that_do_not_vary():
    features, labels = songs(40)
    features["always"] = 3.0
    model = models.TripletNetwork(steps=5).fit(features, labels)
    shuffled = features[features.columns[::-1]].assign(always=99.0, more=1.0)
    pd.testing.assert_frame_equal(model.predict(features), model.predict(shuffled))


def test_tracks_are_taken_as_songs_are():
    features, labels = songs(40)
    tracks = [pd.concat({0.0: f}, names=["time"]).swaplevel() for f in (features, labels)]
    model = models.TripletNetwork(steps=5)
    songs_first = model.fit(features, labels).predict(features)
    found = model.fit(*tracks).predict(tracks[0])
    pd.testing.assert_frame_equal(songs_first, found.droplevel("time"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:1], y[:1]), "valence: expected a song with another .* among 1 songs"),
        (lambda x, y: (x, y * 0), "valence: expected .* labels from 0 to 0"),
        (lambda x, y: (x, y.assign(arousal=0.2)), "arousal: expected .* labels from 0.2 to 0.2"),
        (lambda x, y: (x, y * 0.01), "one beyond 0.3"),
        (lambda x, y: (x[:5], y), "features: expected a row for each label, .* at song_id 6"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        models.TripletNetwork().fit(*change(*songs(20)))


def test_predict_refuses():
    features, labels = songs(20)
    with pytest.raises(ValueError, match="fitted model"):
        models.TripletNetwork().predict(features)
    model = models.TripletNetwork(steps=2).fit(features, labels)
    with pytest.raises(ValueError, match="expected the columns"):
        model.predict(features.drop(columns="f3"))


def test_the_papers_setting_has_600_dimensions():
    features, labels = songs(30)
    model = models.TripletNetwork.paper()
    model.steps = 2
    assert model.strategy == "paper"
    assert model.fit(features, labels).transform(features).shape == (30, 1200)


def test_it_is_one_of_the_systems_of_cross_validation():
    corpus = load_corpus("mini").split("dev")
    corpus = whole_songs(corpus, song_level(corpus.features))
    folds = evaluation.k_folds(corpus.songs.index, k=3)
    predictions = evaluation.cross_validate(models.TripletNetwork(steps=30), corpus, folds)
    assert predictions.index.equals(corpus.labels.index)
    assert r2(corpus.labels["arousal"], predictions["arousal"]) > 0.2


# Notebook 06


def test_the_notebooks_loss_is_the_packages_values_and_gradients():
    torch.manual_seed(1)
    own = torch.randn(3, 30, 5, dtype=torch.float64, requires_grad=True)
    theirs = own.detach().clone().requires_grad_()
    functions = shown("06", "triplet_loss")["triplet_loss"], triplet_loss
    losses = [loss(*x, margin=0.7) for loss, x in zip(functions, (own, theirs))]
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(*losses, rtol=1e-12, atol=0)
    torch.testing.assert_close(own.grad, theirs.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_notebooks_mining_draws_the_packages_triplets(strategy):
    rng = np.random.default_rng(4)
    labels, embedded = rng.uniform(-1, 1, 70), rng.normal(size=(70, 3))
    options = RANGES | {"strategy": strategy, "embedded": embedded, "margin": 0.8, "seed": 5}
    own, theirs = (f(labels, **options) for f in (shown("06", "mine", "draw")["mine"], mine))
    assert len(own) > 20
    np.testing.assert_array_equal(own, theirs)

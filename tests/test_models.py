"""Settings of models: what all of them have in common as dataclasses."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pandas as pd
import pytest

from mer_core import models
from mer_core.models.autoencoder import AE, VAE
from test_recurrent import songs

CLASSES = [getattr(models, name) for name in models.__all__]
CLASSES = [*filter(is_dataclass, CLASSES), AE, VAE]
NEEDED = {"network": models.ElmanRNN(epochs=1)}


def made(kind: type, **settings: object) -> object:
    without_default = kind in (models.Delayed, models.FoldEnsemble, models.Preprocessed)
    return kind(**(NEEDED if without_default else {}), **settings)


def test_every_model_of_the_package_is_a_dataclass():
    regressors = {name for name in models.__all__ if isinstance(getattr(models, name), type)}
    assert regressors == {kind.__name__ for kind in CLASSES[:-2]}
    assert len(regressors) >= 15


@pytest.mark.parametrize("kind", CLASSES)
def test_settings_are_keyword_only_and_comparable(kind):
    assert all(field.kw_only for field in fields(kind))
    model, names = made(kind), {name: getattr(models, name) for name in models.__all__}
    assert eval(repr(model), names | {"AE": AE, "VAE": VAE, "inf": np.inf}) == model
    assert replace(model) == model
    for field in fields(kind):
        value = getattr(model, field.name)
        if value and type(value) is float:
            other = replace(model, **{field.name: value / 2})
            assert other != model
            assert field.name in repr(other)


@pytest.mark.parametrize("kind", [models.ElmanRNN, models.LSTM, models.BLSTM, models.CNNLSTM])
def test_sequences_become_tuples(kind):
    assert kind(hidden=[4, 2]).hidden == (4, 2)
    assert models.MultiScaleBLSTM(scales=[30, 10]).scales == (10, 30)
    assert models.TripletNetwork(dropout=[0.1, 0.2]).dropout == (0.1, 0.2)


def test_replacing_a_setting_validates_it_and_gives_an_unfitted_model():
    features, labels = songs((12,) * 3)
    model = models.ElmanRNN(epochs=1).fit(features, labels)
    assert model == models.ElmanRNN(epochs=1)
    with pytest.raises(ValueError, match=r"expected .*fitted"):
        replace(model, epochs=2).predict(features)
    with pytest.raises(ValueError, match="output: expected 'linear' or 'softmax'"):
        replace(model, output="tanh")


def test_models_do_not_share_their_parts():
    assert models.SecondNetwork().first is not models.SecondNetwork().first
    assert models.MultiScaleBLSTM().network is not models.MultiScaleBLSTM().network


def test_a_model_fitted_again_equals_one_fitted_once():
    features, labels = songs((12,) * 3)
    model = models.ElmanRNN(epochs=2)
    model.fit(features, -labels).fit(features, labels)
    once = models.ElmanRNN(epochs=2).fit(features, labels)
    pd.testing.assert_frame_equal(model.predict(features), once.predict(features))

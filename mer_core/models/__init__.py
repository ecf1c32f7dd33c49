"""Regressors of valence and arousal; one language for all, so that a table of systems is a loop.

`model.fit(features, labels, *, validation=None, unlabelled=None)` returns the model,
`model.predict(features)` a prediction for every feature row. Hyper-parameters are keyword-only
constructor arguments; `Model.paper()` builds the paper's setting.
"""

from mer_core.models.baselines import SVR, Constant, Linear

__all__ = ["SVR", "Constant", "Linear"]

"""The check that a model is fitted before it predicts."""

from __future__ import annotations


def check_fitted(model: object, attribute: str) -> None:
    """Raise a ValueError unless the model has an attribute that it gets by fitting."""
    if not hasattr(model, attribute):
        name = type(model).__name__
        raise ValueError(f"{name}: expected a fitted model, found none: call fit")

"""Checks that all models use: of being fitted before predicting, of settings with few values."""

from collections.abc import Sequence


def check_fitted(model: object, attribute: str) -> None:
    """Raise a ValueError unless the model has an attribute that it gets by fitting."""
    if not hasattr(model, attribute):
        name = type(model).__name__
        raise ValueError(f"{name}: expected a fitted model, found none: call fit")


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise a ValueError unless a setting has one of its values."""
    if value not in choices:
        expected = " or ".join(map(repr, choices))
        raise ValueError(f"{name}: expected {expected}, found {value!r}")

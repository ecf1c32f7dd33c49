"""What models share: fitting one as a batch of one, and the refusal to predict before fitting."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import pandas as pd

    from mer_core.training import Job


class BatchModel:
    """A model that is fitted to many jobs in one computation.

    A subclass is a dataclass whose fields are its settings, and defines :meth:`fit_many` and
    `predict`. What it learns is in attributes whose names end with `_`.
    """

    def fit(
        self,
        features: pd.DataFrame,
        labels: pd.DataFrame,
        *,
        validation: Iterable[int] | None = None,
        unlabelled: pd.DataFrame | None = None,
    ) -> Self:
        """Fit to the labelled songs.

        Parameters
        ----------
        features : DataFrame
            A track of whole songs.
        labels : DataFrame
            A track with the columns valence, arousal in [-1, 1].
        validation : iterable of int, optional
            Labelled songs that are kept for early stopping; with early stopping and without them,
            one in ten is drawn by the seed.
        unlabelled : DataFrame, optional
            Features of further songs; used by models that pretrain.

        Raises
        ------
        ValueError
            If there is no song to train on or none to stop by, a song to stop by has no labels, or
            a loss is not finite.
        DataError
            If a label has no features, or features or labels are not as they must be; see
            :func:`mer_core.training.checked`.
        """
        from mer_core.training import Job

        (fitted,) = self.fit_many([Job(features, labels, None, validation, unlabelled)])
        for name, value in vars(fitted).items():
            setattr(self, name, value)
        return self

    def fit_many(self, jobs: Sequence[Job]) -> list[Self]:
        """Fit a copy of the model to each job."""
        raise NotImplementedError

    def _with(self, **attributes: object) -> Self:
        """A copy that shares everything but these attributes."""
        model = copy.copy(self)
        for name, value in attributes.items():
            setattr(model, name, value)
        return model


def check_fitted(model: object, attribute: str) -> None:
    """Raise unless the model has an attribute that it gets by fitting.

    Raises
    ------
    ValueError
        If the model is not fitted.
    """
    if not hasattr(model, attribute):
        name = type(model).__name__
        raise ValueError(f"{name}: expected a fitted model, found none: call fit")

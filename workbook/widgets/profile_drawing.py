"""Valence and arousal over time, drawn by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import traitlets

from mer_core.tracks import DIMENSIONS, HOP
from workbook.plots import draw_curves
from workbook.widgets.front_end import Widget, emotions, png, script, style


class ProfileDrawing(Widget):
    """A plot on which valence and arousal over time are drawn with mouse, finger or keys.

    After the interface of Herremans et al. (2019); notebook 10. The traits `valence` and `arousal`
    have the drawn values every 0.5 s, in [-1, 1]; None where nothing is drawn.

    Parameters
    ----------
    seconds : float
        Length of the profile: a multiple of 0.5 s, up to 600.
    profile : DataFrame, optional
        The initial drawing, NaN where nothing is drawn. ValueError if a value lies outside
        [-1, 1] or columns or times are others.

    Examples
    --------
    >>> drawing = ProfileDrawing(2)
    >>> drawing.valence = [0.0, None, None, 0.6]
    >>> drawing.profile["valence"].round(1).tolist()
    [0.0, 0.2, 0.4, 0.6]
    """

    _esm = script("profile_drawing")
    _css = style("profile_drawing")
    seconds = traitlets.Float().tag(sync=True)
    valence = traitlets.List(traitlets.Float(allow_none=True)).tag(sync=True)
    arousal = traitlets.List(traitlets.Float(allow_none=True)).tag(sync=True)

    def __init__(self, seconds: float = 30.0, *, profile: pd.DataFrame | None = None) -> None:
        if not HOP <= seconds <= 600 or seconds % HOP:
            raise ValueError(f"seconds: expected a multiple of {HOP} s up to 600, found {seconds}")
        nothing = [None] * round(seconds / HOP)
        super().__init__(seconds=seconds, valence=nothing, arousal=nothing)
        if profile is not None:
            self.profile = profile

    @traitlets.validate(*DIMENSIONS)
    def _complete(self, proposal: dict) -> list[float | None]:
        name, values = proposal["trait"].name, proposal["value"]
        expected = round(self.seconds / HOP)
        if len(values) != expected:
            raise ValueError(f"{name}: expected {expected} values, found {len(values)}")
        wrong = [value for value in values if value is not None and not -1 <= value <= 1]
        if wrong:
            raise ValueError(f"{name}: expected values in [-1, 1] or None, found {wrong[0]}")
        return values

    @property
    def profile(self) -> pd.DataFrame:
        """The drawing, gaps interpolated and ends held; NaN for a dimension without drawing."""
        return self._drawn().interpolate(limit_direction="both")

    @profile.setter
    def profile(self, frame: pd.DataFrame) -> None:
        values = emotions(frame, "profile", gaps=True)
        time = self._drawn().index
        if not np.array_equal(values.index, time):
            found = f"{len(values)} rows from {values.index[0]} to {values.index[-1]}"
            raise ValueError(f"profile: expected {len(time)} rows every {HOP} s, found {found}")
        for name, column in values.items():
            setattr(self, name, [None if np.isnan(value) else value for value in column])

    def _drawn(self) -> pd.DataFrame:
        time = pd.Index(np.arange(len(self.valence)) * HOP, name="time")
        return pd.DataFrame({name: getattr(self, name) for name in DIMENSIONS}, time, dtype=float)

    def _text(self) -> str:
        drawn = self._drawn().notna().mean()
        parts = [f"{share:.0%} of {name}" for name, share in drawn.items()]
        return f"A profile of {self.seconds:g} s, drawn: {', '.join(parts)}"

    def _picture(self) -> bytes:
        ax = draw_curves(self._drawn(), self.profile)
        ax.set(xlim=(0, self.seconds), ylabel="-1 to 1", title=self._text())
        ax.legend(ax.lines[::2], DIMENSIONS, fontsize="small")  # without the dashed lines
        return png(ax.figure)

"""A point and a circle around it, picked on the plane of valence and arousal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import traitlets
from matplotlib import pyplot as plt

from mer_core.tracks import DIMENSIONS
from workbook.plots import GREY, draw_plane
from workbook.widgets.front_end import Widget, emotions, png, script, style

LIMITS = {"valence": (-1, 1), "arousal": (-1, 1), "radius": (0.05, 1)}


class PlanePicker(Widget):
    """The plane of valence and arousal: a tap sets a point, dragging sets a radius around it.

    After the interface of Herremans et al. (2019); notebook 10.

    Parameters
    ----------
    points : DataFrame, optional
        Columns valence, arousal in [-1, 1]: songs or moments to show. Those in the circle are
        highlighted and counted.
    valence, arousal, radius : float
        The point, in [-1, 1], and the radius, in [0.05, 1]; they may also be set. A value outside
        its range is a ValueError.

    Examples
    --------
    >>> picker = PlanePicker(pd.DataFrame({"valence": [0.2, -0.5], "arousal": [0.1, 0.9]}))
    >>> picker.valence = 0.4
    >>> picker.inside().tolist()
    [True, False]
    """

    _esm = script("plane_picker")
    _css = style("plane_picker")
    points = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    valence = traitlets.Float(0.0).tag(sync=True)
    arousal = traitlets.Float(0.0).tag(sync=True)
    radius = traitlets.Float(0.25).tag(sync=True)

    def __init__(
        self,
        points: pd.DataFrame | None = None,
        *,
        valence: float = 0.0,
        arousal: float = 0.0,
        radius: float = 0.25,
    ) -> None:
        shown = [] if points is None else emotions(points, "points").round(3).to_numpy().tolist()
        super().__init__(points=shown, valence=valence, arousal=arousal, radius=radius)

    @traitlets.validate(*LIMITS)
    def _in_range(self, proposal: dict) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = LIMITS[name]
        if not low <= value <= high:  # holds for NaN as well
            raise ValueError(f"{name}: expected a number in [{low}, {high}], found {value}")
        return value

    def inside(self) -> np.ndarray:
        """Whether each point lies in the circle: bool, shape (n,)."""
        offsets = np.reshape(self.points, (-1, 2)) - [self.valence, self.arousal]
        return np.hypot(*offsets.T) <= self.radius

    def _text(self) -> str:
        place = f"valence {self.valence:.2f}, arousal {self.arousal:.2f}, radius {self.radius:.2f}"
        return f"{place}: {self.inside().sum()} of {len(self.points)} inside"

    def _picture(self) -> bytes:
        points = pd.DataFrame(np.reshape(self.points, (-1, 2)), columns=DIMENSIONS)
        ax = draw_plane(points, color=GREY, s=12, linewidth=0)
        draw_plane(points[self.inside()], ax=ax, color="black", s=25, linewidth=0)
        circle = (self.valence, self.arousal), self.radius
        ax.add_patch(plt.Circle(*circle, fill=False, edgecolor="black", lw=2))
        ax.plot(self.valence, self.arousal, "+", color="black", ms=12, mew=2)
        ax.set_title(self._text(), fontsize="small")
        return png(ax.figure)

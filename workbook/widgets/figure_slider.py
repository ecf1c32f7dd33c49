"""A slider over prepared figures, with or without sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import traitlets
from matplotlib.figure import Figure

from workbook.widgets.front_end import Widget, png, wav


class FigureSlider(Widget):
    """A labelled slider over figures that were drawn beforehand; :meth:`draw` makes one.

    `position` is the chosen one, counted from 0. For each there are a text in `values`, a PNG file
    in `pictures` and, unless there are none, a WAV file in `sounds`.
    """

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")
    name = traitlets.Unicode().tag(sync=True)
    values = traitlets.List(traitlets.Unicode()).tag(sync=True)
    pictures = traitlets.List(traitlets.Bytes()).tag(sync=True)
    sounds = traitlets.List(traitlets.Bytes()).tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)

    @classmethod
    def draw(
        cls,
        name: str,
        values: Sequence[object],
        figure: Callable[..., Figure],
        *,
        start: int = 0,
        sound: Callable[..., np.ndarray] | None = None,
    ) -> Self:
        r"""Draw a figure for each value and put a slider in front of them.

        `name` is the quantity that the slider sets, with its unit. `figure` and `sound` return the
        figure and the samples (in [-1, 1] at 44.1 kHz, shape (n,)) of a value. `start` is the
        initial position; a ValueError if there is none.

        Examples
        --------
        >>> from matplotlib import pyplot as plt
        >>> slider = FigureSlider.draw("size (cm)", [1, 2], lambda v: plt.figure(figsize=(v, v)))
        >>> slider.values, slider.pictures[1][:4]
        (['1', '2'], b'\x89PNG')
        """
        if not 0 <= start < len(values):
            raise ValueError(f"start: expected one of {len(values)} positions, found {start}")
        pictures = [png(figure(value)) for value in values]
        sounds = [wav(sound(value)) for value in values] if sound else []
        shown = {"values": list(map(str, values)), "pictures": pictures, "sounds": sounds}
        return cls(name=name, position=start, **shown)

    def _text(self) -> str:
        return f"{self.name}: {self.values[self.position]}, of {', '.join(self.values)}"

    def _picture(self) -> bytes:
        return self.pictures[self.position]

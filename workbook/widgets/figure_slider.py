"""A slider over figures, with or without sound, that were made beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import traitlets
from matplotlib.figure import Figure

from workbook.widgets.front_end import Widget, png, wav


class FigureSlider(Widget):
    """A labelled slider that leafs through figures; it answers at once, since all are drawn.

    Where no kernel runs, the figure of the starting position stands in its place.

    Attributes
    ----------
    name : str
        What the slider sets, with its unit.
    values : list of str
        What stands beside the slider at each position.
    pictures : list of bytes
        PNG files, one for each position.
    sounds : list of bytes
        WAV files, one for each position, or none at all.
    position : int
        The chosen one, counted from 0.
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

        Parameters
        ----------
        name : str
            What the slider sets, with its unit.
        values : sequence
            The positions of the slider.
        figure : callable
            Gives the figure for a value.
        start : int
            The position to start from.
        sound : callable, optional
            Gives the samples for a value, in [-1, 1] at 44.1 kHz, shape (n,).

        Raises
        ------
        ValueError
            If there are no values or no such position.

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
        texts = [str(value) for value in values]
        return cls(name=name, values=texts, pictures=pictures, sounds=sounds, position=start)

    def _text(self) -> str:
        return f"{self.name}: {self.values[self.position]}, of {', '.join(self.values)}"

    def _picture(self) -> bytes:
        return self.pictures[self.position]

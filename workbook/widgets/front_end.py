"""Shared by the widgets: scripts, style sheets, a static picture, checks of their input."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import anywidget
import numpy as np
import pandas as pd
from IPython.display import DisplayHandle
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from mer_core.files import DataError
from mer_core.tracks import DIMENSIONS, as_table
from workbook.plots import CORNERS, PALETTE

FOLDER = Path(__file__).parent


class Widget(anywidget.AnyWidget):
    """A widget that shows a picture and a line of text where no kernel runs."""

    def _picture(self) -> bytes:
        raise NotImplementedError

    def _text(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        bundle, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**bundle, "text/plain": self._text(), "image/png": self._picture()}, metadata


def show_live(widget: Widget, names: Sequence[str], answer: Callable[[], object]) -> None:
    """Display an answer below a notebook's cell, and a new one whenever the widget changes.

    `names` are the widget's traits that the answer depends on. `answer` returns what is displayed:
    a table, a figure (it is closed afterwards), a widget.
    """
    handle = DisplayHandle()

    def show(place: Callable[[object], None]) -> None:
        shown = answer()
        place(shown)
        if isinstance(shown, Figure):
            plt.close(shown)

    show(handle.display)
    widget.observe(lambda _: show(handle.update), names)


def script(name: str) -> str:
    """Return the shared JavaScript, with the names of the plane's corners, and the widget's."""
    corners = [[*corner, text] for corner, text in CORNERS.items()]
    shared = f"const CORNERS = {json.dumps(corners)};\n{(FOLDER / 'shared.js').read_text()}"
    return f"{shared}\n{(FOLDER / f'{name}.js').read_text()}"


def style(name: str) -> str:
    """Return the shared style sheet, with the colours of the figures, and the widget's."""
    colours = "".join(f"--{dimension}: {colour};" for dimension, colour in PALETTE.items())
    parts = [(FOLDER / f"{part}.css").read_text() for part in ("shared", name)]
    return f".mer {{{colours}}}\n" + "\n".join(parts)


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file and close it."""
    with io.BytesIO() as file:
        figure.savefig(file, format="png", bbox_inches="tight")
        plt.close(figure)
        return file.getvalue()


def wav(samples: np.ndarray) -> bytes:
    """Return samples in [-1, 1] at 44.1 kHz as a WAV file of 16 bits."""
    import soundfile

    with io.BytesIO() as file:
        soundfile.write(file, samples, 44_100, format="WAV", subtype="PCM_16")
        return file.getvalue()


def emotions(
    frame: pd.DataFrame, where: str, *, limit: float = 1, gaps: bool = False
) -> pd.DataFrame:
    """Return valence and arousal of a frame, or raise a DataError if one is outside +-limit.

    NaN is allowed if there may be gaps, infinity is not.
    """
    values = as_table(frame, where, columns=DIMENSIONS, missing=gaps).astype(float)
    beyond = (values.abs() > limit).any(axis=1).to_numpy()
    if beyond.any():
        row = beyond.argmax()
        found = f"{values.iloc[row].tolist()} at {values.index[row]}"
        raise DataError(where, f"numbers from {-limit} to {limit}", found)
    return values


def track_of_one_song(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return :func:`emotions` of one song, whose index has to be increasing times in s.

    Values may lie outside [-1, 1], as predictions may.
    """
    values = emotions(frame, where, limit=np.inf)
    index = values.index
    if index.nlevels > 1 or not pd.api.types.is_numeric_dtype(index):
        found = f"an index of {', '.join(map(str, index.names))}"
        raise DataError(where, "the track of one song, its index the time in s", found)
    if not index.is_monotonic_increasing:
        raise DataError(where, "times that increase", f"{index[:5].tolist()} ...")
    return values

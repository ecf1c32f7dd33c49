"""What the widgets share: page parts, a picture for pages without a kernel, checks."""

from __future__ import annotations

import io
import json
from pathlib import Path

import anywidget
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from mer_core.files import DataError
from mer_core.tracks import check_columns, floats
from workbook.plots import CORNERS, PALETTE

FOLDER = Path(__file__).parent
COLUMNS = ["valence", "arousal"]


class Widget(anywidget.AnyWidget):
    """A widget that leaves a picture and a line of text where no kernel runs."""

    def _picture(self) -> bytes:
        raise NotImplementedError

    def _text(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        bundle, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**bundle, "text/plain": self._text(), "image/png": self._picture()}, metadata


def script(name: str) -> str:
    """Give a widget's JavaScript behind the shared one, with the corners' names of the plane."""
    corners = [[*corner, text] for corner, text in CORNERS.items()]
    shared = f"const CORNERS = {json.dumps(corners)};\n{(FOLDER / 'shared.js').read_text()}"
    return f"{shared}\n{(FOLDER / f'{name}.js').read_text()}"


def style(name: str) -> str:
    """Give a widget's style sheet behind the shared one, with the colours of the figures."""
    colours = "".join(f"--{dimension}: {colour};" for dimension, colour in PALETTE.items())
    parts = [(FOLDER / f"{part}.css").read_text() for part in ("shared", name)]
    return f".mer {{{colours}}}\n" + "\n".join(parts)


def png(figure: Figure) -> bytes:
    """Give a figure as a PNG file and close it."""
    with io.BytesIO() as file:
        figure.savefig(file, format="png", bbox_inches="tight")
        plt.close(figure)
        return file.getvalue()


def wav(samples: np.ndarray) -> bytes:
    """Give samples in [-1, 1] at 44.1 kHz as a WAV file of 16 bits."""
    import soundfile

    with io.BytesIO() as file:
        soundfile.write(file, samples, 44_100, format="WAV", subtype="PCM_16")
        return file.getvalue()


def emotions(
    frame: pd.DataFrame, where: str, *, limit: float = 1, gaps: bool = False
) -> pd.DataFrame:
    """Give the columns valence and arousal of a frame, none beyond a limit.

    Raises
    ------
    DataError
        If it has no rows or not these columns, or if a value lies beyond the limit or, unless
        `gaps` are allowed, is missing.
    """
    if not isinstance(frame, pd.DataFrame) or not set(COLUMNS) <= set(frame):
        found = list(frame) if isinstance(frame, pd.DataFrame) else type(frame).__name__
        raise DataError(where, "a frame with the columns valence and arousal", f"{found}")
    if frame.empty:
        raise DataError(where, "at least one row", "none")
    check_columns(frame, where)
    numbers = {name: floats(frame[name], where) for name in COLUMNS}
    values = pd.DataFrame(numbers, frame.index)
    wrong = ~(np.isfinite(values) & (values.abs() <= limit)) & ~(values.isna() & gaps)
    if wrong.any(axis=None):
        row = wrong.any(axis=1).to_numpy().argmax()
        found = f"{values.iloc[row].tolist()} at {values.index[row]}"
        expected = "finite numbers" if np.isinf(limit) else f"numbers from {-limit} to {limit}"
        raise DataError(where, expected, found)
    return values


def track_of_one_song(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Give a frame as :func:`emotions` does, if its index is one song's time in s.

    A prediction may leave the plane; that it is finite is all that is asked.

    Raises
    ------
    DataError
        As there; also if the index is not increasing numbers.
    """
    values = emotions(frame, where, limit=np.inf)
    index = values.index
    if index.nlevels > 1 or not pd.api.types.is_numeric_dtype(index):
        found = f"an index of {', '.join(map(str, index.names))}"
        raise DataError(where, "the track of one song, its index the time in s", found)
    if index.hasnans or not (index.is_monotonic_increasing and index.is_unique):
        raise DataError(where, "times that increase", f"{index[:5].tolist()} ...")
    return values

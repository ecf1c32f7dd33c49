"""A widget for uploading a file; large files are refused before they are sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets
from matplotlib import pyplot as plt

from workbook.plots import GREY
from workbook.widgets.front_end import Widget, png, script, style


class FileDrop(Widget):
    """Receives a dropped or chosen file, in pieces that any Jupyter server accepts. Notebook 10.

    Parameters
    ----------
    receive : callable
        Called with the file's name and bytes once it is complete. The text that it returns, or the
        error that it raises, becomes the `message` below the widget.
    suffixes : sequence of str
        Such as ".wav": the files that the dialog offers. Any file can be dropped.
    limit : int
        In bytes; a larger file is refused before anything of it is sent.
    """

    _esm = script("file_drop")
    _css = style("file_drop")
    accept = traitlets.Unicode().tag(sync=True)
    limit = traitlets.Int().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, receive: Callable[[str, bytes], str], *, suffixes: Sequence[str], limit: int
    ) -> None:
        super().__init__(accept=",".join(suffixes), limit=limit)
        self._receive, self._name, self._size, self._data = receive, "", 0, bytearray()
        self.on_msg(self._take)

    def _take(self, _: object, content: dict, buffers: list) -> None:
        """Receive a file's name and size, or its next piece."""
        if "name" in content:
            self._name, self._size = str(content["name"]), int(content["size"])
            self._data = bytearray()
            self.message = self._greeting()
        for piece in buffers:
            self._data += piece
        if self._name and len(self._data) == self._size <= self.limit:
            name, data = self._name, bytes(self._data)
            self._name, self._data = "", bytearray()
            self.message = self._result(name, data)

    def _greeting(self) -> str:
        if self._size <= self.limit:
            return f"Listening to {self._name} ..."
        most, found = (f"{size / 2**20:.0f} MB" for size in (self.limit, self._size))
        return f"{self._name}: expected at most {most}, found {found}. Is there a shorter piece?"

    def _result(self, name: str, data: bytes) -> str:
        try:
            return self._receive(name, data)
        except ValueError as error:
            return str(error)
        except Exception as error:  # no uploaded file may stop the page
            return f"{name} can't be used ({type(error).__name__}). Try another file."

    def _text(self) -> str:
        return "A place to drop an audio file on, once the notebook runs."

    def _picture(self) -> bytes:
        figure, ax = plt.subplots(figsize=(8, 1))
        ax.text(0.5, 0.5, self._text(), ha="center", va="center", color=GREY)
        ax.set(xticks=[], yticks=[])
        return png(figure)

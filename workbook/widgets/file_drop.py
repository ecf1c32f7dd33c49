"""A place to drop a file on, which refuses large ones before they travel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets
from matplotlib import pyplot as plt

from workbook.plots import GREY
from workbook.widgets.front_end import Widget, png, script, style


class FileDrop(Widget):
    """Takes a file that is dropped on it or chosen, in pieces that any Jupyter server lets pass.

    Parameters
    ----------
    receive : callable
        Called with the file's name and bytes as soon as it is complete; what it returns, a text,
        becomes the message. What it raises does too, and the page lives on.
    suffixes : sequence of str
        Such as ".wav": what the dialog offers. A dropped file may be another.
    limit : int
        The most bytes; a larger file is refused before a byte of it is sent.

    Attributes
    ----------
    message : str
        What stands below, told by screen readers as well.

    References
    ----------
    Notebook 10.
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
        """Take a file's announcement, {name, size}, or one of its pieces, in their order."""
        if "name" in content:
            self._name, self._size = str(content["name"]), int(content["size"])
            self._data = bytearray()
            self.message = self._greeting()
        for piece in buffers:
            self._data += piece
        if self._name and len(self._data) == self._size <= self.limit:
            name, data = self._name, bytes(self._data)
            self._name, self._data = "", bytearray()
            self.message = self._answer(name, data)

    def _greeting(self) -> str:
        if self._size <= self.limit:
            return f"Listening to {self._name} ..."
        most, found = (f"{size / 2**20:.0f} MB" for size in (self.limit, self._size))
        return (
            f"{self._name} has {found}, and at most {most} can be taken: a shorter piece, perhaps?"
        )

    def _answer(self, name: str, data: bytes) -> str:
        try:
            return self._receive(name, data)
        except ValueError as error:
            return str(error)
        except Exception as error:  # whatever a stranger's file does, the page lives on
            return f"{name} can't be used ({type(error).__name__}). Another file, perhaps?"

    def _text(self) -> str:
        return "A place to drop an audio file on, once the notebook runs."

    def _picture(self) -> bytes:
        figure, ax = plt.subplots(figsize=(8, 1))
        ax.text(0.5, 0.5, self._text(), ha="center", va="center", color=GREY)
        ax.set(xticks=[], yticks=[])
        return png(figure)

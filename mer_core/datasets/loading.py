"""One function for all data sets, which are recognised by their layout."""

from __future__ import annotations

import os
from pathlib import Path

from mer_core.corpus import Corpus
from mer_core.datasets import vgmidi
from mer_core.datasets.deam import read


def load_corpus(where: str | os.PathLike = "mini", *, task: str = "2015") -> Corpus:
    """Load a data set."""
    folder = Path(os.path.expanduser(where))
    if where != "mini" and vgmidi.find(folder):
        return vgmidi.load(folder)
    return read.load_corpus(where, task=task)

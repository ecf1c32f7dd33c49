"""The corpus that the environment variable MER_DATA names."""

from __future__ import annotations

import os

VARIABLE = "MER_DATA"


def chosen_data() -> str:
    """Name the corpus that the environment variable `MER_DATA` chooses.

    A relative path starts at the working directory; `~` is the home folder. Whether the folder
    exists is not checked here.

    Returns
    -------
    str
        "mini", the embedded corpus, if the variable is unset, empty or "mini"; else the absolute
        path of a folder. :func:`mer_core.load_corpus` takes both.
    """
    named = os.environ.get(VARIABLE, "")
    if not named.strip() or named == "mini":
        return "mini"
    return os.path.abspath(os.path.expanduser(named))

"""The corpus that the environment variable MER_DATA names."""

from __future__ import annotations

import os

VARIABLE = "MER_DATA"


def chosen_data() -> str:
    """Name the corpus that the environment variable `MER_DATA` chooses, which need not exist.

    Returns
    -------
    str
        For :func:`mer_core.load_corpus`: "mini", the embedded corpus, if the variable is unset,
        empty or "mini"; else the absolute path of a folder, starting at the working directory or,
        with `~`, at the home folder.
    """
    named = os.environ.get(VARIABLE, "")
    if not named.strip() or named == "mini":
        return "mini"
    return os.path.abspath(os.path.expanduser(named))

"""Data sets as one shape of data."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules=["deam", "vgmidi"], submod_attrs={"loading": ["load_corpus"]}
)

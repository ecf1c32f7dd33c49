"""Data sets as one shape of data: recognised by their layout, described in docs/datasets.md."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["deam", "emomusic", "pmemo", "vgmidi"],
    submod_attrs={
        "common": ["songs_with_audio"],
        "loading": ["load_corpus", "recognise"],
        "overview": ["overview"],
    },
)

"""mer_core: the tested core of the Music Emotion Workbook."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "agreement",
        "corpus",
        "datasets",
        "evaluation",
        "features",
        "files",
        "folds",
        "metrics",
        "models",
        "own_songs",
        "retrieval",
        "smoothing",
        "tracks",
        "training",
    ],
    submod_attrs={"corpus": ["Corpus"], "datasets": ["load_corpus"]},
)

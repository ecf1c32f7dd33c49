"""mer_core: the tested core of the Music Emotion Workbook."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "agreement",
        "checks",
        "corpus",
        "deam",
        "evaluation",
        "experiments",
        "explore",
        "features",
        "files",
        "folds",
        "lesson",
        "metrics",
        "models",
        "papers",
        "plots",
        "raters",
        "retrieval",
        "smoothing",
        "tracks",
        "training",
        "valence",
        "widgets",
    ],
    submod_attrs={"corpus": ["Corpus"], "deam": ["load_corpus"]},
)

"""workbook: the course and its studies, on top of `mer_core`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "commands",
        "explore",
        "lesson",
        "papers",
        "plots",
        "raters",
        "results",
        "studies",
        "valence",
        "widgets",
    ],
)

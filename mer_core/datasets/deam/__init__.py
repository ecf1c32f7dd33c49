"""DEAM, the MediaEval Database for Emotional Analysis of Music: layout, tasks, known defects.

References
----------
Aljanaki, Yang, Soleymani (2017), "Developing a benchmark for emotional analysis of music".
"""

from mer_core.datasets.deam.chosen import chosen_data
from mer_core.datasets.deam.defects import find_swapped, unswap
from mer_core.datasets.deam.describe import SONG_LEVEL_FEATURES, compare_features, describe
from mer_core.datasets.deam.fetch import download, unpack
from mer_core.datasets.deam.read import describe_split, development_2015, load

__all__ = [
    "SONG_LEVEL_FEATURES",
    "chosen_data",
    "compare_features",
    "describe",
    "describe_split",
    "development_2015",
    "download",
    "find_swapped",
    "load",
    "unpack",
    "unswap",
]

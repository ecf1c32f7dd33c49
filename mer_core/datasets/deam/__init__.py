"""DEAM, the MediaEval Database for Emotional Analysis of Music: layout, tasks, known defects.

Source: Aljanaki, Yang, Soleymani (2017), "Developing a benchmark for emotional analysis of music".
"""

from mer_core.datasets.deam.annotations import find_swapped, unswap
from mer_core.datasets.deam.feature_files import SONG_LEVEL_FEATURES, compare_features
from mer_core.datasets.deam.fetch import download, unpack
from mer_core.datasets.deam.read import chosen_data, describe_split, development_2015, load
from mer_core.datasets.overview import describe

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

"""Search along a profile against tslearn and dtaidistance; and a million curves.

All sides compute the same: DTW of whole songs (60 frames, both dimensions) in a band of 10 %. They
have to rank all songs alike before they are timed, both sides of a row in turn. Both get the curves
as one array; ours ends with a frame of the ten best, the others with distances still to be ranked.
The curves are those of DEAM that `MER_DATA` names or that lie in ../shared/deam, else the embedded,
synthetic ones.
"""

from __future__ import annotations

import os
import statistics
import tracemalloc
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import tslearn.metrics
from dtaidistance import dtw_ndim

from mer_core import load_corpus
from mer_core.retrieval import Curves, search_profile
from timing import Figure, Row, compared, timed

RUNS, FRAMES, BAND, MILLION = 5, 60, 0.1, 1_000_000
RADIUS = round(BAND * FRAMES)
SHARED = Path(__file__).parents[3] / "shared" / "deam"


def first_frames() -> pd.DataFrame:
    """The first half minute of every song's labels."""
    where = os.environ.get("MER_DATA") or (SHARED if SHARED.is_dir() else "mini")
    with warnings.catch_warnings(action="ignore"):
        labels = load_corpus(where).labels
    labels = labels[labels.groupby("song_id").cumcount() < FRAMES]
    return labels[labels.groupby("song_id")["valence"].transform("size") == FRAMES]


def profiles(curves: np.ndarray) -> dict[str, np.ndarray]:
    """What may be drawn, and two songs' own curves."""
    t = np.linspace(0, 1, FRAMES)
    return {
        "a diagonal": np.c_[1.6 * t - 0.8, 0.8 - 1.6 * t],
        "a circle": np.c_[np.sin(6 * t), np.cos(6 * t)] / 2,
        "a step": np.where(t[:, None] < 0.5, -0.4, 0.4) * [1, 1],
        "a corner": np.full((FRAMES, 2), -0.8),
        "a song": curves[len(curves) // 2].astype(float),
        "a song backwards": np.ascontiguousarray(curves[len(curves) // 3][::-1].astype(float)),
    }


def by_loop(curves: np.ndarray, profile: np.ndarray) -> list[float]:
    return [dtw_ndim.distance_fast(profile, curve, window=RADIUS + 1) for curve in curves]


def in_one_call(curves: np.ndarray, profile: np.ndarray) -> np.ndarray:
    everything = np.concatenate([profile[None], curves])
    block = ((0, 1), (1, len(everything)))
    return dtw_ndim.distance_matrix_fast(
        everything, window=RADIUS + 1, block=block, compact=True, parallel=False
    )


def by_tslearn(curves: np.ndarray, profile: np.ndarray) -> list[float]:
    rule = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": RADIUS}
    return [tslearn.metrics.dtw(profile, curve, **rule) for curve in curves]


def by_cdist(curves: np.ndarray, profile: np.ndarray) -> np.ndarray:
    rule = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": RADIUS}
    return tslearn.metrics.cdist_dtw(profile[None], curves, **rule)[0]


OTHERS = {
    "dtaidistance.dtw_ndim.distance_fast, in a loop": by_loop,
    "dtaidistance.dtw_ndim.distance_matrix_fast": in_one_call,
    "tslearn.metrics.dtw, in a loop": by_tslearn,
    "tslearn.metrics.cdist_dtw": by_cdist,
}


def ours(tracks: Curves, profile: np.ndarray, *, k: int = 10) -> pd.DataFrame:
    return search_profile(tracks, profile, k, method="dtw", part="song", band=BAND)


def check(packed: Curves, curves: np.ndarray, profile: np.ndarray) -> None:
    """All songs in the same order, at the same distances."""
    found = ours(packed, profile, k=len(curves))
    for name, other in OTHERS.items():
        theirs = np.asarray(other(curves, profile))
        order = np.argsort(theirs.round(9), kind="stable")  # what differs by less is a tie
        np.testing.assert_allclose(found["distance"], theirs[order], rtol=1e-9, err_msg=name)
        mine = found.sort_values("distance", key=lambda d: d.round(9), kind="stable")
        assert mine["song_id"].tolist() == packed.song_ids[order].tolist(), name


def against_others(packed: Curves, curves: np.ndarray, *, runs: int) -> Iterator[Row]:
    """For each other, medians over all profiles; the spread is theirs, too."""
    drawn = profiles(curves)
    what = f"DTW of {len(drawn)} drawn profiles with {len(curves)} curves of {FRAMES} frames"
    for name, other in OTHERS.items():
        some = [
            compared(what, name, partial(other, curves, p), partial(ours, packed, p), runs=runs)
            for p in drawn.values()
        ]
        numbers = [statistics.median(part) for part in zip(*(row[3:6] for row in some))]
        spread = min(row.low for row in some), max(row.high for row in some)
        yield Row(what, name, some[0].clock, *numbers, *spread)


def million() -> Curves:
    """Random walks around places as far apart as DEAM's songs, cut at -1 and 1."""
    rng = np.random.default_rng(0)
    values = np.empty((MILLION, FRAMES, 2), "float32")
    for part in np.array_split(values, 50):  # views: what is made of them in 64 bits stays small
        place = rng.normal(0, (0.24, 0.29), (len(part), 1, 2))
        part[:] = np.clip(place + rng.normal(0, 0.02, part.shape).cumsum(axis=1), -1, 1)
    ends = np.arange(MILLION + 1) * FRAMES
    return Curves(np.arange(MILLION), np.zeros(MILLION), ends, values.reshape(-1, 2))


def mebibytes(call: partial) -> float:
    """The most that a call allocates at a time."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def of_million(*, runs: int) -> Iterator[Figure]:
    curves, slowest = million(), dict.fromkeys(("euclidean", "dtw"), 0.0)
    for profile in profiles(curves.values.reshape(-1, FRAMES, 2)).values():
        for method in slowest:
            call = partial(search_profile, curves, profile, method=method, part="song")
            call()  # compiles for float32
            seconds = statistics.median(timed(call) for _ in range(runs))
            slowest[method] = max(slowest[method], seconds)
    size = f"{curves.values.nbytes / 2**20:.0f} MiB of curves, {mebibytes(call):.0f} MiB more"
    for method, seconds in slowest.items():
        yield Figure(f"a million simulated curves, {method}, the slowest of the profiles",
                     f"{seconds:.2f} s; {size}")  # fmt: skip


def rows(*, short: bool = False) -> Iterator[Row | Figure]:
    labels, runs = first_frames(), 1 if short else RUNS
    packed = Curves.of(labels)
    curves = packed.values.reshape(-1, FRAMES, 2)
    drawn = profiles(curves)
    compiling = timed(partial(ours, packed, drawn["a step"]))
    for profile in drawn.values():
        check(packed, curves, profile)
    yield from against_others(packed, curves, runs=runs)
    packing = statistics.median(timed(partial(Curves.of, labels)) for _ in range(runs))
    yield Figure("a process's first search, compiling", f"{compiling:.1f} s")
    yield Figure("from a frame to an array of curves", f"{1e3 * packing:.1f} ms")
    if not short:
        yield from of_million(runs=runs)

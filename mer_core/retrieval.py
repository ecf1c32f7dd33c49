"""Songs near a point of the plane, and songs whose emotion follows a drawn profile.

Source: Herremans et al. (2019), "User interface"; Sakoe and Chiba (1978), the band; Keogh and
Ratanamahatana (2005), the lower bound that saves most of the work. Notebook 10.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numba import njit

from mer_core.files import DataError
from mer_core.tracks import DIMENSIONS, HOP, as_array, as_table, as_track

Array = np.ndarray
PARTS = ("stretch", "song")
METHODS = ("euclidean", "dtw")
WORTH_A_THREAD = 1 << 13  # Candidates; fewer are done before threads have started
FINITE = {"nnan", "nsz", "reassoc", "contract"}
"""The compiler may assume that there is no NaN and reorder sums."""
SLACK = 1 + 1e-9
"""Sums of the same numbers in another order differ by less; ties must not be pruned."""


def nearest(points: pd.DataFrame, query: Sequence[float], k: int = 10) -> pd.DataFrame:
    """The k points of the plane that are nearest to a query of valence and arousal.

    Parameters
    ----------
    points : DataFrame
        Columns valence, arousal in [-1, 1], and any others; for instance songs or a track.
    query : sequence of two numbers

    Returns
    -------
    DataFrame
        Rows of `points`, nearest first, then by their index, with their Euclidean `distance`.

    Raises
    ------
    ValueError
        If a column is missing, there are no points, a number is not finite, or k is below 1.

    Examples
    --------
    >>> songs = pd.DataFrame({"valence": [0.1, 0.9, -0.5], "arousal": [0.0, 0.9, 0.4]}, [7, 8, 9])
    >>> nearest(songs, (0.5, 0.3), k=2)["distance"].round(2).to_dict()
    {7: 0.5, 8: 0.72}
    """
    place = as_array(query, "query")
    if place.shape != (2,):
        raise ValueError(f"query: expected a valence and an arousal, found {query!r}")
    _check_count(k)
    offsets = as_table(points, "points", columns=DIMENSIONS).to_numpy() - place
    return points.assign(distance=np.hypot(*offsets.T)).sort_index().nsmallest(k, "distance")


@dataclass(frozen=True)
class Curves:
    """The curves of many songs in one array, for several searches.

    Song i has the id `song_ids[i]`, starts at `starts[i]` s and has the frames `bounds[i]` to
    `bounds[i + 1]` of `values`, valence and arousal in float64 or float32.
    """

    song_ids: Array
    starts: Array
    bounds: Array
    values: Array

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != 2 or not len(self.values):
            raise ValueError(f"values: expected shape (frames, 2), found {self.values.shape}")
        if self.bounds[-1] != len(self.values) or not (np.diff(self.bounds) > 0).all():
            raise ValueError("bounds: expected them to rise from 0 to the number of frames")
        if not np.isfinite(self.values).all():
            raise ValueError("values: expected finite numbers, found NaN or infinity")

    @classmethod
    def of(cls, tracks: pd.DataFrame) -> Self:
        """The songs of a track; a ValueError if it has a gap or is not sorted by song and time."""
        tracks = as_track(tracks, "tracks", columns=DIMENSIONS, gapless=True)
        values = np.ascontiguousarray(tracks.to_numpy())
        songs = tracks.index.get_level_values("song_id").to_numpy()
        times = tracks.index.get_level_values("time").to_numpy(dtype=float)
        first = np.flatnonzero(np.r_[True, songs[1:] != songs[:-1]])
        within = np.delete(np.diff(times), first[1:] - 1)
        if not np.allclose(within, HOP) or pd.Index(songs[first]).has_duplicates:
            raise ValueError(f"tracks: expected a row every {HOP} s, song by song, found others")
        return cls(songs[first], times[first], np.r_[first, len(values)], values)


def search_profile(
    tracks: pd.DataFrame | Curves,
    profile: pd.DataFrame | Array,
    k: int = 10,
    *,
    method: str = "euclidean",
    part: str = "stretch",
    band: float = 0.1,
) -> pd.DataFrame:
    r"""The songs whose emotion follows a profile most closely, and where they do.

    With the profile :math:`p` and a curve :math:`c` of as many frames, both points of the plane,
    "euclidean" is :math:`\sqrt{\sum_t \|p_t - c_t\|^2}`. "dtw" is the least
    :math:`\sqrt{\sum_{(i,j)} \|p_i - c_j\|^2}` over all paths of pairs from both beginnings to
    both ends that advance by one in i, in j, or in both, and keep
    :math:`|i - j| \le \mathrm{round}(\mathrm{band} \cdot \mathrm{frames})`: dynamic time warping
    with a Sakoe-Chiba band. Nothing is normalised. A process's first search compiles the loops,
    which takes about a second.

    Parameters
    ----------
    tracks : DataFrame or Curves
        A track with the columns valence, arousal; `Curves.of(track)` saves time in several
        searches.
    profile : DataFrame or array, shape (frames, 2)
        Valence and arousal every 0.5 s. With one of the columns alone, the other is ignored.
    k : int
    method : {"euclidean", "dtw"}
    part : {"stretch", "song"}
        "stretch" compares with every piece of a song that has the profile's length, gives each
        song's best (the earlier of equal ones), and leaves out shorter songs. "song" compares
        with the whole song, after linear interpolation to the profile's number of frames.
    band : float
        From 0 (no warping) to 1 (any), a share of the profile's frames; for "dtw" only.

    Returns
    -------
    DataFrame
        Columns song_id, start and end of the piece in s, distance; nearest first.

    Raises
    ------
    ValueError
        If an argument has another value or shape, a number is not finite, the tracks have a gap,
        or every song is shorter than the profile.

    Examples
    --------
    >>> time = pd.MultiIndex.from_product([[1, 2], [15.0, 15.5, 16.0]], names=["song_id", "time"])
    >>> curves = [0.0, 0.1, 0.2, 0.5, 0.5, 0.1]
    >>> tracks = pd.DataFrame({"valence": curves, "arousal": curves}, time)
    >>> search_profile(tracks, [[0.1, 0.1], [0.2, 0.2]], 1)
       song_id  start   end  distance
    0        1   15.5  16.5       0.0
    """
    if method not in METHODS or part not in PARTS:
        expected = f"expected one of {METHODS} and of {PARTS}"
        raise ValueError(f"method, part: {expected}, found {method!r}, {part!r}")
    _check_count(k)
    wanted, asked = _profile(profile)
    radius = 0 if method == "euclidean" else _radius(band, len(wanted))
    curves = tracks if isinstance(tracks, Curves) else Curves.of(tracks)
    values, places, songs = _candidates(curves, len(wanted), part)
    values = values if len(asked) == 2 else np.ascontiguousarray(values[:, asked])
    best = _best_pieces((values, places, songs), wanted, radius, k)
    return _as_table(curves, best, len(wanted) if part == "stretch" else None)


def alignment(
    profile: pd.DataFrame | Array, curve: pd.DataFrame | Array, *, band: float = 0.1
) -> Array:
    """The pairs of frames by which dynamic time warping matches a curve to a profile.

    Both have the shape (frames, 2); `band` is that of :func:`search_profile`. Returns integers of
    shape (steps, 2), frame of the profile and frame of the curve, from (0, 0) to both ends. A
    ValueError is raised if the shapes differ or are others, or a number is not finite.

    Examples
    --------
    >>> alignment([[0, 0], [1, 1], [1, 1]], [[0, 0], [0, 0], [1, 1]], band=1).tolist()
    [[0, 0], [0, 1], [1, 2], [2, 2]]
    """
    wanted, found = _profile(profile)[0], _profile(curve, "curve")[0]
    if wanted.shape != found.shape:
        raise ValueError(f"curve: expected the shape {wanted.shape}, found {found.shape}")
    total = _accumulated(wanted, found, _radius(band, len(wanted)))
    i = j = len(wanted) - 1
    path = [(i, j)]
    while i or j:
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min((step for step in before if min(step) >= 0), key=lambda step: total[step])
        path.append((i, j))
    return np.array(path[::-1])


def _check_count(k: int) -> None:
    if not (isinstance(k, (int, np.integer)) and k >= 1):
        raise ValueError(f"k: expected a whole number from 1, found {k!r}")


def _profile(profile: pd.DataFrame | Array, name: str = "profile") -> tuple[Array, list]:
    """Values of a profile, and the numbers of the dimensions that it has."""
    if isinstance(profile, pd.DataFrame):
        asked = [k for k, column in enumerate(DIMENSIONS) if column in profile]
        columns = [DIMENSIONS[k] for k in asked] or DIMENSIONS
        if profile.index.names[-1] == "time" and len(profile) > 1:
            times = as_array(profile.index.get_level_values(-1), f"{name}, time")
            if not np.allclose(np.diff(times), HOP):
                raise DataError(name, f"a row every {HOP} s", "other steps of time")
        values = as_table(profile, name, columns=columns).to_numpy()
        return np.ascontiguousarray(values, dtype=float), asked
    values = np.ascontiguousarray(as_array(profile, name, ndim=(0, 1, 2, 3)))
    if values.ndim != 2 or values.shape[1] != 2 or not len(values):
        raise ValueError(f"{name}: expected the shape (frames, 2), found {values.shape}")
    return values, [0, 1]


def _radius(band: float, frames: int) -> int:
    if not 0 <= band <= 1:
        raise ValueError(f"band: expected a share from 0 to 1, found {band!r}")
    return round(band * frames)


def _candidates(curves: Curves, frames: int, part: str) -> tuple[Array, Array, Array]:
    """Values, and for each candidate the row at which it starts and the number of its song."""
    lengths = np.diff(curves.bounds)
    songs = np.arange(len(lengths))
    if part == "song":
        same = (lengths == frames).all()
        return curves.values if same else _interpolated(curves, frames), songs * frames, songs
    counts = np.maximum(lengths - frames + 1, 0)
    if not counts.any():
        expected = f"expected a song of {frames} frames or more"
        raise ValueError(f"tracks: {expected}, found {lengths.max()} at most")
    songs = np.repeat(songs, counts)
    within = np.arange(len(songs)) - np.repeat(np.cumsum(counts) - counts, counts)
    return curves.values, curves.bounds[songs] + within, songs


def _interpolated(curves: Curves, frames: int) -> Array:
    """Every song at `frames` equal steps from its first to its last frame."""
    first, last = curves.bounds[:-1, None], curves.bounds[1:, None] - 1
    place = (first + (last - first) * np.linspace(0, 1, frames)).ravel().round(9)
    before = place.astype(int)
    after = np.minimum(before + 1, np.repeat(last, frames))
    share = (place - before)[:, None].astype(curves.values.dtype)
    return (1 - share) * curves.values[before] + share * curves.values[after]


def _best_pieces(
    candidates: tuple[Array, Array, Array], profile: Array, radius: int, k: int
) -> Array:
    """Squared distance, song and place of the k songs with the best pieces: shape (3, k).

    Blocks of candidates are compared, lowest bounds first, until these exceed the k-th distance.
    """
    values, places, songs = candidates
    bounds = _in_threads(_lower_bounds, places, values, *_envelope(profile, radius))
    best, limit = np.empty((3, 0)), np.inf
    rest, size = np.arange(len(places)), 4 * k
    while len(rest := rest[bounds[rest] <= limit]):
        if size < len(rest):
            rest = rest[np.argpartition(bounds[rest], size)]
        block, rest = rest[:size], rest[size:]
        squares = _in_threads(_distances, places[block], values, profile, radius, limit)
        found = np.array([squares, songs[block], places[block]])[:, np.isfinite(squares)]
        found = np.hstack([best, found])
        found = found[:, np.lexsort(found[::-1])]
        first_of_songs = np.sort(np.unique(found[1], return_index=True)[1])
        best = found[:, first_of_songs[:k]]
        limit, size = best[0, -1] * SLACK if best.shape[1] == k else np.inf, 4 * size
    return best


def _as_table(curves: Curves, best: Array, frames: int | None) -> pd.DataFrame:
    """The best pieces in the song's own time; whole songs if no length is given."""
    songs, place = best[1:].astype(int)
    first, last = curves.bounds[songs], curves.bounds[songs + 1]
    if frames:
        first, last = place, place + frames
    start = curves.starts[songs] + HOP * (first - curves.bounds[songs])
    end = start + HOP * (last - first)
    columns = [curves.song_ids[songs], start, end, np.sqrt(best[0])]
    return pd.DataFrame(dict(zip(["song_id", "start", "end", "distance"], columns)))


def _envelope(profile: Array, radius: int) -> tuple[Array, Array]:
    """Minimum and maximum of the profile within the band around each frame."""
    padded = np.pad(profile, ((radius, radius), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0)
    return windows.min(axis=-1).ravel(), windows.max(axis=-1).ravel()


def _in_threads(function: Callable, places: Array, *arguments: object) -> Array:
    """Results of a compiled function for each candidate."""
    out = np.empty(len(places))
    if len(places) < WORTH_A_THREAD:
        function(out, places, *arguments)
        return out
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        parts = zip(np.array_split(out, threads), np.array_split(places, threads))
        list(pool.map(lambda part: function(*part, *arguments), parts))
    return out


@njit(nogil=True, fastmath=FINITE)
def _lower_bounds(out: Array, places: Array, values: Array, lower: Array, upper: Array) -> None:
    """LB_Keogh: squared distance of each candidate from the profile's envelope."""
    flat, width = values.ravel(), values.shape[1]
    for candidate in range(len(places)):
        start, total = places[candidate] * width, 0.0
        piece = flat[start : start + len(lower)]
        for t in range(len(lower)):
            outside = piece[t] - min(max(piece[t], lower[t]), upper[t])
            total += outside * outside
        out[candidate] = total


@njit(nogil=True, fastmath=FINITE)
def _second_bound(values: Array, place: int, profile: Array, length: int, limit: float) -> float:
    """LB_Keogh of the profile and the candidate's envelope.

    The envelope is that of three neighbouring blocks: wider than the band, and cheaper.
    """
    frames, total = len(profile), 0.0
    for block in range(0, frames, length):
        first, last = max(0, block - length), min(frames, block + 2 * length)
        for d in range(profile.shape[1]):
            low = high = values[place + first, d]
            for t in range(place + first, place + last):
                low, high = min(low, values[t, d]), max(high, values[t, d])
            for t in range(block, min(frames, block + length)):
                outside = profile[t, d] - min(max(profile[t, d], low), high)
                total += outside * outside
        if total > limit:
            break
    return total


@njit(nogil=True, fastmath=FINITE)
def _distances(
    out: Array, places: Array, values: Array, profile: Array, radius: int, limit: float
) -> None:
    """Squared DTW distance of each candidate; infinity if it exceeds the limit."""
    frames = len(profile)
    total = np.empty(frames)
    for candidate in range(len(places)):
        least = _second_bound(values, places[candidate], profile, max(1, radius), limit)
        total[:] = np.inf
        for i in range(frames):
            if least > limit:
                break
            least = _next_row(total, values, places[candidate], profile, i, radius)
        out[candidate] = np.inf if least > limit else total[-1]


@njit(nogil=True, fastmath=FINITE, inline="always")
def _next_row(
    total: Array, values: Array, place: int, profile: Array, i: int, radius: int
) -> float:
    """Turn row i - 1 of the accumulated distances into row i; gives its minimum in the band."""
    first, last = max(0, i - radius), min(len(profile), i + radius + 1)
    left = least = np.inf
    before = total[first - 1] if first else (np.inf if i else 0.0)
    for j in range(first, last):
        cost = 0.0
        for d in range(profile.shape[1]):
            difference = profile[i, d] - values[place + j, d]
            cost += difference * difference
        above = total[j]
        left = cost + min(min(before, above), left)
        before, total[j] = above, left
        least = min(least, left)
    return least


def _accumulated(profile: Array, curve: Array, radius: int) -> Array:
    """All rows of :func:`_next_row`, one below the other."""
    rows, total = [], np.full(len(profile), np.inf)
    for i in range(len(profile)):
        _next_row(total, curve, 0, profile, i, radius)
        inside = np.abs(np.arange(len(profile)) - i) <= radius
        rows.append(np.where(inside, total, np.inf))
    return np.array(rows)

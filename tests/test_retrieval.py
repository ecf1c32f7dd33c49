"""Retrieval against brute force: no pruning, no compiled loop, DTW as its recursion says."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from mer_core import retrieval
from mer_core.retrieval import Curves, alignment, nearest, search_profile
from test_notebook_code import shown

QUARTERS = st.integers(-4, 4).map(lambda n: n / 4)  # their sums are exact: ties are ties
POINTS = st.tuples(QUARTERS, QUARTERS)


def a_track(curves: dict[int, object], *, start: float = 15.0) -> pd.DataFrame:
    frames = {
        song_id: pd.DataFrame(np.reshape(curve, (-1, 2)), columns=["valence", "arousal"])
        for song_id, curve in curves.items()
    }
    for frame in frames.values():
        frame.index = start + 0.5 * np.arange(len(frame))
    return pd.concat(frames, names=["song_id", "time"])


def plain_dtw(profile: np.ndarray, curve: np.ndarray, radius: int) -> float:
    costs = cdist(profile, curve, "sqeuclidean")
    total = np.full((len(profile) + 1, len(curve) + 1), np.inf)
    total[0, 0] = 0
    for i, j in itertools.product(range(len(profile)), range(len(curve))):
        if abs(i - j) <= radius:
            ways = total[i, j], total[i, j + 1], total[i + 1, j]
            total[i + 1, j + 1] = costs[i, j] + min(ways)
    return float(np.sqrt(total[-1, -1]))


def pieces(track: pd.DataFrame, frames: int, part: str) -> list[tuple]:
    found = []
    for song_id, song in track.groupby("song_id"):
        times, values = song.index.get_level_values("time"), song.to_numpy()
        if part == "song":
            steps = np.linspace(0, len(song) - 1, frames)
            curve = [np.interp(steps, range(len(song)), column) for column in values.T]
            found.append((song_id, times[0], times[-1] + 0.5, np.transpose(curve)))
            continue
        found += [
            (song_id, times[t], times[t] + frames / 2, values[t : t + frames])
            for t in range(len(song) - frames + 1)
        ]
    return found


def brute_force(track, profile, k, *, method="euclidean", part="stretch", band=0.1):
    radius = 0 if method == "euclidean" else round(band * len(profile))
    rows = [
        (*place, plain_dtw(profile, curve, radius))
        for *place, curve in pieces(track, len(profile), part)
    ]
    table = pd.DataFrame(rows, columns=["song_id", "start", "end", "distance"])
    order = table.sort_values(["distance", "song_id", "start"]).drop_duplicates("song_id")
    return order[:k].reset_index(drop=True)


@given(
    curves=st.lists(st.lists(POINTS, min_size=5, max_size=9), min_size=1, max_size=8),
    profile=st.lists(POINTS, min_size=1, max_size=5),
    k=st.integers(1, 9),
    method=st.sampled_from(["euclidean", "dtw"]),
    band=st.sampled_from([0, 0.1, 0.3, 1]),
)
@settings(max_examples=60, deadline=None)
def test_pruning_changes_no_result(curves, profile, k, method, band):
    track, profile = a_track(dict(enumerate(curves))), np.array(profile, dtype=float)
    options = {"method": method, "band": band}
    found, expected = (f(track, profile, k, **options) for f in (search_profile, brute_force))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12)


def curves_at_random(songs: int, *, seed: int = 0, dtype: type = float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(30, 50, songs)
    walks = {
        song_id: np.clip(rng.normal(0, 0.3, 2) + rng.normal(0, 0.03, (n, 2)).cumsum(0), -1, 1)
        for song_id, n in enumerate(lengths, start=1)
    }
    return a_track(walks).astype(dtype)


@pytest.mark.parametrize("method", ["euclidean", "dtw"])
@pytest.mark.parametrize("part", ["stretch", "song"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rankings_are_those_of_brute_force(method, part, dtype):
    track = curves_at_random(150, dtype=dtype)
    profile = np.c_[np.linspace(-0.4, 0.5, 25), np.linspace(0.4, 0, 25)]
    options = {"method": method, "part": part}
    found = search_profile(track, profile, 12, **options)
    expected = brute_force(track, profile, 12, **options)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
    again = search_profile(Curves.of(track), profile, 12, **options)
    pd.testing.assert_frame_equal(found, again, check_exact=True)


def test_threads_find_what_one_finds(monkeypatch):
    track = curves_at_random(60)
    profile = track.loc[5].to_numpy()[3:20]
    alone = search_profile(track, profile, 10, method="dtw")
    monkeypatch.setattr("mer_core.retrieval.WORTH_A_THREAD", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    threaded = search_profile(track, profile, 10, method="dtw")
    pd.testing.assert_frame_equal(alone, threaded, check_exact=True)
    assert threaded.iloc[0].tolist() == [5, 16.5, 25, 0]


def test_a_whole_song_of_another_length_is_stretched():
    late = np.linspace(0, 0.9, 20)[:, None] ** 2 * [1, -1]
    straight = np.linspace(0, 0.9, 33)[:, None] * [1, -1]
    track = a_track({1: late, 2: straight, 3: -straight})
    found = search_profile(track, np.linspace(0, 0.9, 10)[:, None] * [1, -1], 3, part="song")
    assert found["song_id"].tolist() == [2, 1, 3]
    assert found["distance"][0] == pytest.approx(0, abs=1e-9)
    assert found[["start", "end"]].to_numpy().tolist() == [[15, 31.5], [15, 25], [15, 31.5]]


def test_one_dimension_may_be_asked_for_alone():
    track = curves_at_random(20)
    song = track.loc[7].iloc[:20]
    found = search_profile(track.assign(valence=0.0), song[["arousal"]], 3)
    assert (found["song_id"][0], found["distance"][0]) == (7, 0)
    other = search_profile(track.assign(arousal=0.0), song[["arousal"]], 3)
    assert other["distance"][0] > 0


def test_songs_shorter_than_the_profile_are_left_out():
    track = a_track({1: np.zeros((3, 2)), 2: np.ones((4, 2))})
    assert search_profile(track, np.zeros((4, 2)), 5)["song_id"].tolist() == [2]
    with pytest.raises(ValueError, match="a song of 5 frames or more, found 4 at most"):
        search_profile(track, np.zeros((5, 2)))


def test_the_path_costs_what_the_distance_says():
    track = curves_at_random(6, seed=3)
    pair = [track.loc[song].to_numpy()[:30] for song in (2, 4)]
    path = alignment(*pair, band=0.2)
    steps = np.diff(path, axis=0)
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [29, 29]
    assert set(map(tuple, steps)) <= {(0, 1), (1, 0), (1, 1)}
    assert np.abs(path[:, 0] - path[:, 1]).max() <= 6
    cost = np.square(pair[0][path[:, 0]] - pair[1][path[:, 1]]).sum()
    assert np.sqrt(cost) == pytest.approx(plain_dtw(*pair, 6))


BAD = [
    ({"profile": np.zeros((3, 3))}, r"profile: expected the shape \(frames, 2\), found \(3, 3\)"),
    ({"profile": np.zeros((0, 2))}, r"found \(0, 2\)"),
    ({"profile": [[0, np.nan]]}, "profile: expected finite"),
    ({"profile": pd.DataFrame({"energy": [1.0]})}, "profile: expected the columns"),
    ({"profile": pd.DataFrame({"valence": [np.nan]})}, "profile: expected finite"),
    ({"k": 0}, "k: expected a whole number from 1, found 0"),
    ({"k": 2.5}, "k: expected a whole number"),
    ({"method": "cosine"}, "'cosine'"),
    ({"part": "bar"}, "'bar'"),
    ({"method": "dtw", "band": 1.1}, "band: expected a share from 0 to 1, found 1.1"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_arguments_are_named(arguments, message):
    good = {"tracks": a_track({1: np.zeros((4, 2))}), "profile": np.zeros((2, 2)), "k": 1}
    with pytest.raises(ValueError, match=message):
        search_profile(**(good | arguments))


def test_bad_tracks_are_named():
    track = a_track({1: np.zeros((4, 2)), 2: np.zeros((4, 2))})
    profile = np.zeros((2, 2))
    by_time = track.swaplevel().sort_index().swaplevel()
    for message, wrong in {"none for": track[["valence"]], "song by song": by_time}.items():
        with pytest.raises(ValueError, match=message):
            search_profile(wrong, profile)
    bad = {"bounds": np.zeros((3, 2)), "shape": np.zeros((4, 3)), "finite": np.full((4, 2), np.nan)}
    for message, values in bad.items():
        with pytest.raises(ValueError, match=message):
            Curves(np.array([1]), np.zeros(1), np.array([0, 4]), values)


def test_profiles_to_align_have_the_same_shape():
    with pytest.raises(ValueError, match=r"curve: expected the shape \(3, 2\), found \(4, 2\)"):
        alignment(np.zeros((3, 2)), np.zeros((4, 2)))


def test_nearest_songs_and_moments():
    track = curves_at_random(30, seed=1)
    means = track.groupby("song_id").mean()
    for points in (means, track):
        found = nearest(points, (0.2, -0.1), 7)
        distance = cdist(points.to_numpy(), [[0.2, -0.1]])[:, 0]
        assert found["distance"].to_numpy() == pytest.approx(np.sort(distance)[:7])
        pd.testing.assert_frame_equal(found[["valence", "arousal"]], points.loc[found.index])
    assert len(nearest(means, (0, 0), 99)) == len(means)


def test_equally_near_points_come_in_the_order_of_their_index():
    points = pd.DataFrame({"valence": [0.5, -0.5, 0.5], "arousal": 0.0, "title": "x"}, [9, 3, 4])
    found = nearest(points, (0, 0), 3)
    assert found.index.tolist() == [3, 4, 9]
    assert found["title"].tolist() == ["x"] * 3


@pytest.mark.parametrize("query", [(0.1,), (0.1, np.nan), 0.1, (0, 0, 0)])
def test_a_bad_point_is_named(query):
    with pytest.raises(ValueError, match=r"query: expected .* found"):
        nearest(pd.DataFrame({"valence": [0.0], "arousal": 0.0}), query)


def test_real_curves_find_themselves(real_deam):
    from mer_core import load_corpus

    labels = load_corpus(real_deam).labels
    for song_id in (7, 1500, 2010):
        profile = labels.loc[song_id].iloc[5:45]
        for method in ("euclidean", "dtw"):
            best = search_profile(labels, profile, 1, method=method).iloc[0]
            assert best.tolist() == [song_id, 17.5, 37.5, 0]


def test_notebook_10s_dtw_and_bound_are_the_packages():
    code = shown("10", "dtw", "lower_bound")
    track = curves_at_random(12, seed=2)
    starts = track[track.groupby("song_id").cumcount() < 24]
    profile = np.c_[np.linspace(-0.4, 0.5, 24), np.linspace(0.4, 0, 24)]
    found = search_profile(starts, profile, 12, method="dtw", band=3 / 24)
    for song_id, _, _, distance in found.itertuples(index=False):
        curve = starts.loc[song_id].to_numpy()
        assert np.sqrt(code["dtw"](profile, curve, 3)[-1, -1]) == pytest.approx(distance, rel=1e-12)
        bound, squares = code["lower_bound"](profile, curve, 3), np.empty(1)
        envelope = retrieval._envelope(profile, 3)
        retrieval._lower_bounds(squares, np.zeros(1, int), curve, *envelope)
        assert bound == pytest.approx(np.sqrt(squares[0]), rel=1e-12)
        assert bound <= distance


def test_compiled_kernels_are_their_python(monkeypatch):
    """What numba compiles, run as Python, gives the same bounds and distances."""
    rng = np.random.default_rng(0)
    values, profile = rng.normal(size=(40, 2)), rng.normal(size=(12, 2))
    places = np.arange(0, 28, 3)
    lower, upper = profile.ravel() - 0.3, profile.ravel() + 0.3
    kernels = {name: getattr(retrieval, name) for name in KERNELS}
    found = {"compiled": _run(kernels, values, profile, places, lower, upper)}
    for name, kernel in kernels.items():
        monkeypatch.setattr(retrieval, name, kernel.py_func)
    plain = {name: kernel.py_func for name, kernel in kernels.items()}
    found["plain"] = _run(plain, values, profile, places, lower, upper)
    for compiled, python in zip(found["compiled"], found["plain"], strict=True):
        np.testing.assert_allclose(compiled, python)


KERNELS = ("_lower_bounds", "_second_bound", "_distances", "_next_row")


def _run(kernels: dict, values, profile, places, lower, upper) -> list[np.ndarray]:
    bounds, near, all_of_them = (np.empty(len(places)) for _ in range(3))
    kernels["_lower_bounds"](bounds, places, values, lower, upper)
    second = [kernels["_second_bound"](values, p, profile, 3, np.inf) for p in places]
    kernels["_distances"](near, places, values, profile, 2, float(np.median(bounds)))
    kernels["_distances"](all_of_them, places, values, profile, 2, np.inf)
    return [bounds, np.array(second), near, all_of_them]

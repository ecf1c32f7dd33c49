import numpy as np
import pandas as pd
import pytest

from mer_core.smoothing import moving_average


def track(lengths: dict[int, int]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    index = [(song_id, 0.5 * k) for song_id, frames in lengths.items() for k in range(frames)]
    index = pd.MultiIndex.from_tuples(index, names=["song_id", "time"])
    return pd.DataFrame(rng.normal(size=(len(index), 2)), index, ["valence", "arousal"])


def test_border_rule_the_first_and_last_six_of_thirteen_are_unfiltered():
    before = track({1: 40})
    after = moving_average(before)
    pd.testing.assert_frame_equal(after.iloc[:6], before.iloc[:6])
    pd.testing.assert_frame_equal(after.iloc[-6:], before.iloc[-6:])
    for k in range(6, 34):
        expected = before["valence"].iloc[k - 6 : k + 7].mean()
        assert after["valence"].iloc[k] == pytest.approx(expected)


def test_songs_do_not_leak_into_each_other_and_short_ones_pass():
    before = track({2: 12, 1: 30})
    after = moving_average(before, window=13)
    pd.testing.assert_frame_equal(after.loc[[2]], before.loc[[2]])
    pd.testing.assert_frame_equal(after.loc[[1]], moving_average(before.loc[[1]]))
    assert after.index.equals(before.index)


def test_window_of_one_changes_nothing_and_constants_stay():
    before = track({1: 20})
    pd.testing.assert_frame_equal(moving_average(before, window=1), before)
    flat = before * 0 + 0.3
    pd.testing.assert_frame_equal(moving_average(flat, window=5), flat)


@pytest.mark.parametrize("window", [0, -3, 4, 2.5])
def test_refuses_windows_that_have_no_middle(window):
    with pytest.raises(ValueError, match="odd"):
        moving_average(track({1: 20}), window=window)


def test_refuses_times_that_fall_within_a_song_but_takes_songs_in_any_order():
    before = track({2: 20, 1: 20})
    moving_average(before)
    expected = "times that rise within a song, found 0.5 s after 1.0 s in song_id 1"
    with pytest.raises(ValueError, match=expected):
        moving_average(before.iloc[[*range(20), 20, 22, 21]])
    side_by_side = before.sort_index(level="time", sort_remaining=False)
    pd.testing.assert_frame_equal(
        moving_average(side_by_side).sort_index(), moving_average(before).sort_index()
    )

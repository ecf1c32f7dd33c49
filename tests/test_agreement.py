import numpy as np
import pandas as pd
import pytest

from mer_core.agreement import cronbach_alpha, rater_statistics


def test_alpha_of_a_hand_worked_table():
    # Three raters, four frames. Squares around the means 2.5, 2.5 and 2: 5, 1 and 6, so variances
    # (n - 1) of 5/3, 1/3 and 2, together 4. Sums 3, 6, 9, 10 around 7: 16 + 1 + 4 + 9 = 30,
    # variance 10. alpha = 3 / 2 * (1 - 4 / 10) = 0.9
    ratings = [[1, 2, 0], [2, 2, 2], [3, 3, 3], [4, 3, 3]]
    assert cronbach_alpha(ratings) == pytest.approx(0.9)


def test_alpha_is_one_for_shifted_copies_and_zero_for_independent_noise():
    curve = np.random.default_rng(0).normal(size=400)
    assert cronbach_alpha(curve[:, None] + [0.0, 1.0, -2.0]) == pytest.approx(1)
    noise = np.random.default_rng(1).normal(size=(200_000, 5))
    assert cronbach_alpha(noise) == pytest.approx(0, abs=0.02)


def test_alpha_is_negative_where_raters_contradict_each_other():
    curve = np.arange(10.0)
    assert cronbach_alpha(np.stack([curve, -0.9 * curve], axis=1)) < 0


@pytest.mark.parametrize(
    "ratings", [[[1.0], [2.0]], [[1.0, 2.0]], [[1.0, 1.0]] * 4, [[1.0, -1.0], [2.0, -2.0]]]
)
def test_alpha_is_undefined_for_one_rater_one_frame_or_no_movement(ratings):
    assert np.isnan(cronbach_alpha(ratings))


def test_rater_statistics_by_song_on_frames_that_all_rated():
    index = pd.MultiIndex.from_product(
        [[7], ["a", "b"], [15.0, 15.5, 16.0, 16.5]], names=["song_id", "rater", "time"]
    )
    valence = [0.1, 0.2, 0.3, 0.4, 0.3, 0.4, 0.5, np.nan]
    ratings = pd.DataFrame({"valence": valence, "arousal": np.tile([0.1, 0.5, 0.2, 0.3], 2)}, index)
    table = rater_statistics(ratings)
    assert table.loc[(7, "valence"), "raters"] == 2
    assert table.loc[(7, "valence"), "alpha"] == pytest.approx(1)
    assert table.loc[(7, "valence"), "spread"] == pytest.approx(0.2 / np.sqrt(2))
    assert table.loc[(7, "arousal"), "spread"] == pytest.approx(0)

"""The continuation of a learning curve."""

from __future__ import annotations

import numpy as np

from songnet.evaluation.learning_curve import tracks_needed, tracks_needed_interval


def test_a_power_law_is_continued_exactly() -> None:
    n = np.array([100, 250, 500, 1000])
    accuracies = 1 - 3 * n**-0.3
    wanted = 1 - 3 * 20_000.0**-0.3
    assert tracks_needed(n.tolist(), accuracies.tolist(), wanted=wanted) == 20_000


def test_no_answer_without_a_fall_of_the_error() -> None:
    assert tracks_needed([100, 200, 400], [0.6, 0.6, 0.55], wanted=0.75) is None
    assert tracks_needed([100, 200, 400, 800], [0.5, 0.5001, 0.5002, 0.5003], wanted=0.75) is None
    assert tracks_needed([100, 200], [0.5, 0.6], wanted=0.75) is None
    assert tracks_needed([100, 200, 400], [0.6, 0.8, 1.0], wanted=0.75) is None


def _right(accuracies: list[float], *, n: int) -> np.ndarray:
    """Who names the first tracks right: each better model those of the poorer, and more."""
    return np.array([np.arange(n) < round(accuracy * n) for accuracy in accuracies])


def test_the_interval_is_around_the_value_and_wider_with_whole_artists() -> None:
    n_tracks, accuracies = [100, 200, 400, 800], [0.40, 0.50, 0.58, 0.65]
    value = tracks_needed(n_tracks, accuracies, wanted=0.75)
    is_right = _right(accuracies, n=1000)
    low, high = tracks_needed_interval(n_tracks, is_right, np.arange(1000), wanted=0.75)
    assert low < value < high
    artists = np.arange(1000) // 10
    wide_low, wide_high = tracks_needed_interval(n_tracks, is_right, artists, wanted=0.75)
    assert wide_low < low
    assert wide_high > high
    again = tracks_needed_interval(n_tracks, is_right, artists, wanted=0.75)
    assert again == (wide_low, wide_high)


def test_an_interval_without_a_forecast_has_no_upper_end() -> None:
    is_right = _right([0.50, 0.51, 0.52], n=100)
    low, high = tracks_needed_interval([100, 200, 400], is_right, np.arange(100) // 5, wanted=0.75)
    assert low > 400
    assert high is None

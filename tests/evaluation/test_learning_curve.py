"""The continuation of a learning curve."""

from __future__ import annotations

import numpy as np

from songnet.evaluation.learning_curve import tracks_needed


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

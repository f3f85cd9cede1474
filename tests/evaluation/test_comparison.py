from __future__ import annotations

from math import comb

import numpy as np
import pytest

from songnet.evaluation.comparison import (
    accuracy_difference,
    compare_models,
    holm,
    mcnemar_exact,
)
from songnet.exceptions import ParameterError


def right(*pairs: tuple[int, bool, bool]) -> tuple[np.ndarray, np.ndarray]:
    a = np.concatenate([np.full(n, x) for n, x, _ in pairs])
    b = np.concatenate([np.full(n, x) for n, _, x in pairs])
    return a, b


def test_mcnemar_by_hand():
    a, b = right((40, True, True), (9, True, False), (2, False, True), (30, False, False))
    by_hand = 2 * sum(comb(11, k) for k in range(3)) / 2**11
    assert mcnemar_exact(a, b) == pytest.approx(by_hand)
    assert mcnemar_exact(b, a) == pytest.approx(by_hand)
    assert mcnemar_exact(a, a) == 1


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_difference_and_its_interval():
    a, b = right((60, True, True), (30, True, False), (10, False, True), (20, False, False))
    groups = np.random.default_rng(0).permutation(120)
    difference, p = accuracy_difference(a, b, groups)
    assert difference.value == pytest.approx(20 / 120)
    # Standard error of a mean of -1, 0 and 1 over independent tracks.
    se = np.std(a.astype(float) - b) / 120**0.5
    assert difference.low == pytest.approx(difference.value - 1.96 * se, abs=0.01)
    assert difference.high == pytest.approx(difference.value + 1.96 * se, abs=0.01)
    assert p < 0.01
    swapped, p_swapped = accuracy_difference(b, a, groups)
    assert swapped.value == -difference.value
    assert p_swapped == pytest.approx(p, abs=0.01)


def test_tracks_of_one_artist_are_not_independent():
    a, b = right((60, True, True), (30, True, False), (10, False, True), (20, False, False))
    single, _ = accuracy_difference(a, b, np.arange(120))
    by_artist, _ = accuracy_difference(a, b, np.arange(120) // 10)
    assert by_artist.high - by_artist.low > 1.5 * (single.high - single.low)


def test_equal_models_do_not_differ():
    a, _ = right((50, True, True), (50, False, True))
    difference, p = accuracy_difference(a, a, np.arange(100))
    assert (difference.value, difference.low, difference.high, p) == (0, 0, 0, 1)


def test_every_model_is_compared_with_the_reference():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    good = np.eye(3)[y] * 0.8 + 0.2 / 3
    poor = np.where(rng.random((200, 1)) < 0.4, good, np.roll(good, 1, axis=1))
    models = {"poor": poor, "songnet": good, "same": good}
    poorer, same = compare_models(y, models, np.arange(200) // 2, reference="songnet")
    assert (poorer.model, same.model) == ("poor", "same")
    assert poorer.difference.high < 0
    assert poorer.only_model == 0
    assert poorer.only_reference == np.sum(poor.argmax(axis=1) != y)
    assert poorer.p_bootstrap_holm == pytest.approx(2 * poorer.p_bootstrap)
    assert poorer.p_mcnemar_holm == pytest.approx(2 * poorer.p_mcnemar)
    assert same.p_mcnemar_holm == same.p_bootstrap_holm == 1
    with pytest.raises(ParameterError, match="no model 'x'"):
        compare_models(y, models, np.arange(200), reference="x")

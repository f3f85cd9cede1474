"""Temperature and the "not sure" threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.evaluation.calibration import (
    TEMPERATURE_RANGE,
    apply_temperature,
    choose_not_sure_threshold,
    fit_temperature,
)
from songnet.evaluation.metrics import expected_calibration_error, log_loss
from songnet.exceptions import ParameterError
from tests.evaluation.examples import make_predictions


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    y_true, _, logits, _, _ = make_predictions(4000, 6)
    found = fit_temperature(logits * temperature, y_true)
    assert found == pytest.approx(temperature, rel=0.08)
    before = apply_temperature(logits * temperature, 1.0)
    after = apply_temperature(logits * temperature, found)
    assert expected_calibration_error(y_true, after) < 0.03
    assert log_loss(y_true, after) <= log_loss(y_true, before)


def test_no_temperature_has_less_loss() -> None:
    y_true, _, logits, _, _ = make_predictions(80, 4, seed=2)
    best = log_loss(y_true, apply_temperature(logits, fit_temperature(logits, y_true)))
    for temperature in np.geomspace(*TEMPERATURE_RANGE, 60):
        assert best <= log_loss(y_true, apply_temperature(logits, temperature)) + 1e-9


def test_extreme_logits_end_at_the_limits() -> None:
    y_true = np.array([0, 1, 0])
    right = np.eye(2)[y_true]
    low, high = TEMPERATURE_RANGE
    assert fit_temperature(right, y_true) == pytest.approx(low, rel=1e-3)
    assert fit_temperature(-50 * right, y_true) == pytest.approx(high, rel=1e-3)
    assert np.isfinite(fit_temperature(1e6 * right, y_true))


@given(st.integers(0, 1000), st.floats(0.05, 20))
@settings(deadline=None, max_examples=40)
def test_probabilities_sum_to_1_and_keep_the_order(seed: int, temperature: float) -> None:
    logits = np.random.default_rng(seed).normal(0, 300, (6, 4))
    probs = apply_temperature(logits, temperature)
    assert np.isfinite(probs).all()
    assert probs.sum(axis=1) == pytest.approx(1)
    assert (probs.argmax(axis=1) == logits.argmax(axis=1)).all()


def test_apply_temperature_by_hand() -> None:
    probs = apply_temperature([[0.0, 2 * np.log(3)]], 2.0)
    assert probs[0] == pytest.approx([0.25, 0.75])


def _two_genres(confidence: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    top = np.array(confidence)
    return np.column_stack([top, 1 - top]), np.where(right, 0, 1)


def test_threshold_by_hand() -> None:
    confidence = [0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 0.99]
    right = [False, False, True, True, True, False, True, True, True, True]
    probs, y_true = _two_genres(confidence, right)
    # Three may be refused, one of those three is right: less than half.
    choice = choose_not_sure_threshold(probs, y_true, max_refused_share=0.3)
    assert choice.threshold == pytest.approx(0.675)
    assert choice.refused_share == pytest.approx(0.3)
    assert choice.accuracy_refused == pytest.approx(1 / 3)
    assert choice.accuracy_kept == pytest.approx(6 / 7)
    # Of four, half would be right, of five more: the accuracy now decides.
    assert choose_not_sure_threshold(probs, y_true, max_refused_share=0.55) == choice
    # Of six, half are right again; a laxer limit lets them go.
    lax = choose_not_sure_threshold(
        probs, y_true, max_refused_share=0.65, max_refused_accuracy=0.55
    )
    assert lax.threshold == pytest.approx(0.825)
    assert lax.to_dict()["accuracy_refused"] == pytest.approx(0.5)


def test_nothing_is_refused_where_the_unsure_are_right() -> None:
    probs, y_true = _two_genres([0.55, 0.6, 0.7, 0.8], [True, True, False, True])
    choice = choose_not_sure_threshold(probs, y_true, max_refused_share=0.5)
    assert choice.threshold == 0
    assert choice.refused_share == 0
    assert choice.accuracy_refused is None
    assert choice.accuracy_kept == 0.75


def test_equal_confidences_are_refused_together_or_not_at_all() -> None:
    probs, y_true = _two_genres([0.6] * 3 + [0.9] * 7, [False] * 3 + [True] * 7)
    assert choose_not_sure_threshold(probs, y_true, max_refused_share=0.2).threshold == 0
    choice = choose_not_sure_threshold(probs, y_true, max_refused_share=0.3)
    assert choice.threshold == pytest.approx(0.75)
    assert (choice.accuracy_kept, choice.accuracy_refused) == (1.0, 0.0)


def test_neighbouring_confidences_are_told_apart() -> None:
    lower = 0.7
    probs, y_true = _two_genres([lower, np.nextafter(lower, 1)], [False, True])
    probs[:, 1] = 1 - probs[:, 0]
    choice = choose_not_sure_threshold(probs, y_true, max_refused_share=0.5)
    assert choice.refused_share == 0.5
    assert choice.accuracy_refused == 0


@given(st.integers(0, 500), st.floats(0, 0.5), st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_the_rule_holds_and_no_higher_threshold_satisfies_it(
    seed: int, share: float, limit: float
) -> None:
    y_true, probs, _, _, _ = make_predictions(40, 4, seed=seed)
    choice = choose_not_sure_threshold(
        probs, y_true, max_refused_share=share, max_refused_accuracy=limit
    )
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == y_true
    assert choice.refused_share <= share
    if choice.accuracy_refused is not None:
        assert choice.accuracy_refused < limit
    for other in confidence[confidence > choice.threshold]:
        refused = confidence < other
        same = refused.mean() == choice.refused_share
        assert same or refused.mean() > share or not right[refused].mean() < limit


@pytest.mark.parametrize(
    ("logits", "y_true", "message"),
    [
        ([0.0, 1.0], [0], "logits has shape"),
        ([[0.0, np.nan]], [0], "1 values not finite"),
        ([[0.0, 1.0]], [0, 1], "y_true has shape"),
        ([[0.0, 1.0]], [0.5], "integers"),
        ([[0.0, 1.0]], [2], "indices from 0 to 1"),
        ([[0.0, 1.0]], [-1], "indices from 0 to 1"),
    ],
)
def test_impossible_logits_are_refused(logits, y_true, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        fit_temperature(logits, y_true)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_impossible_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(ParameterError, match="temperature is"):
        apply_temperature([[0.0, 1.0]], temperature)


@pytest.mark.parametrize("limits", [{"max_refused_share": 1.0}, {"max_refused_accuracy": 50.0}])
def test_impossible_limits_are_refused(predictions, limits) -> None:
    with pytest.raises(ParameterError, match="expected fractions"):
        choose_not_sure_threshold(predictions.probs, predictions.y_true, **limits)

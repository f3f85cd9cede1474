"""Metrics against scikit-learn, by hand, and at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from songnet.evaluation import metrics
from songnet.exceptions import ParameterError

# Four tracks of three genres; genre 2 has none, and is predicted once.
Y_TRUE = np.array([0, 0, 1, 1])
PROBS = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
GENRES = ("Blues", "Jazz", "Pop")


@st.composite
def labelled(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities; genres may be absent, probabilities tie or are 0."""
    n_genres = draw(st.integers(2, 6))
    n_tracks = draw(st.integers(1, 25))
    parts = st.lists(st.integers(0, 4), min_size=n_genres, max_size=n_genres).filter(any)
    rows = np.array(draw(st.lists(parts, min_size=n_tracks, max_size=n_tracks)), dtype=float)
    y_true = draw(st.lists(st.integers(0, n_genres - 1), min_size=n_tracks, max_size=n_tracks))
    return np.array(y_true), rows / rows.sum(axis=1, keepdims=True)


def test_headline_metrics_by_hand() -> None:
    scores = metrics.evaluate(Y_TRUE, PROBS)
    assert tuple(scores) == metrics.HEADLINE_METRICS
    assert scores["accuracy"] == pytest.approx(2 / 4)
    assert scores["balanced_accuracy"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    # F1 of genre 0: 2/(2+2), of genre 1: 2/(2+1), of genre 2: 0/(0+1).
    assert scores["macro_f1"] == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
    assert scores["top3_accuracy"] == 1.0
    expected = -(math.log(0.7) + math.log(0.1) + math.log(0.4) + math.log(0.7)) / 4
    assert scores["log_loss"] == pytest.approx(expected)
    # Bins of 1/15: 0.7 twice (right), 0.6 (wrong, its upper edge 9/15), 0.5 (wrong).
    assert scores["ece"] == pytest.approx((2 * 0.3 + 0.6 + 0.5) / 4)


@given(labelled())
@settings(deadline=None, max_examples=40)
def test_metrics_equal_scikit_learn_and_never_warn(data: tuple[np.ndarray, np.ndarray]) -> None:
    y_true, probs = data
    y_pred = probs.argmax(axis=1)
    recalls = [np.mean(y_pred[y_true == g] == g) for g in np.unique(y_true)]
    scores = metrics.evaluate(y_true, probs)
    assert all(math.isfinite(score) and score >= 0 for score in scores.values())
    assert scores["accuracy"] == pytest.approx(np.mean(y_true == y_pred))
    assert scores["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    expected = sk.f1_score(y_true, y_pred, average="macro", zero_division=0)
    assert scores["macro_f1"] == pytest.approx(expected)
    assert scores["ece"] == pytest.approx(_ece_by_definition(y_true, probs), abs=1e-12)
    assert scores["log_loss"] == pytest.approx(
        -np.log(np.maximum(probs[np.arange(y_true.size), y_true], np.finfo(float).eps)).mean(),
        abs=1e-12,
    )


def _ece_by_definition(y_true: np.ndarray, probs: np.ndarray) -> float:
    confidence = (probs / probs.sum(axis=1, keepdims=True)).max(axis=1)
    correct = probs.argmax(axis=1) == y_true
    total = 0.0
    for b in range(15):
        inside = (confidence > b / 15) & (confidence <= (b + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return total


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_accuracy_equals_scikit_learn(predictions, k: int) -> None:
    expected = sk.top_k_accuracy_score(predictions.y_true, predictions.probs, k=k)
    assert 0 < expected < 1
    assert metrics.top_k_accuracy(predictions.y_true, predictions.probs, k=k) == expected


@given(labelled())
@settings(deadline=None, max_examples=40)
def test_top_1_is_accuracy_even_where_probabilities_tie(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    assert metrics.top_k_accuracy(*data, k=1) == metrics.accuracy(*data)


def test_perfect_prediction_scores_1() -> None:
    y_true = np.array([0, 1, 2, 2])
    scores = metrics.evaluate(y_true, np.eye(3)[y_true])
    assert scores.pop("log_loss") == pytest.approx(0, abs=1e-12)
    assert scores.pop("ece") == 0
    assert set(scores.values()) == {1.0}


def test_a_sure_mistake_costs_finite_log_loss() -> None:
    loss = metrics.log_loss(np.array([1]), np.array([[1.0, 0.0]]))
    assert loss == pytest.approx(-math.log(np.finfo(float).eps))


def test_calibration_bins_hold_their_upper_edge() -> None:
    probs = np.array([[0.6, 0.4], [0.6000001, 0.3999999], [1.0, 0.0], [0.5, 0.5]])
    bins, confidence, correct = metrics.confidence_bins(np.array([0, 1, 0, 0]), probs)
    assert bins.tolist() == [8, 9, 14, 7]
    assert confidence == pytest.approx([0.6, 0.6000001, 1.0, 0.5])
    assert correct.tolist() == [1, 0, 1, 1]


def test_per_genre_by_hand_with_a_genre_without_tracks() -> None:
    scores = metrics.per_genre(Y_TRUE, PROBS, genres=GENRES)
    assert list(scores) == list(GENRES)
    assert scores["Blues"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert scores["Jazz"]["precision"] == 1.0
    assert scores["Jazz"]["f1"] == pytest.approx(2 / 3)
    assert scores["Pop"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_confusion_matrix_has_true_genres_in_rows() -> None:
    counts = metrics.confusion_matrix(Y_TRUE, PROBS)
    assert counts.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]
    assert counts.dtype == np.int64


def test_validate_returns_one_form() -> None:
    y_true, probs = metrics.validate([0, 1], np.array([[0.6, 0.4], [0.1, 0.9]], dtype=np.float32))
    assert y_true.dtype == np.int64
    assert probs.dtype == np.float64
    assert np.abs(probs.sum(axis=1) - 1).max() < 1e-15


@pytest.mark.parametrize(
    ("y_true", "probs", "genres", "message"),
    [
        ([0, 1], [[0.5, 0.5]], None, "y_true has shape"),
        ([0.0], [[0.5, 0.5]], None, "integers"),
        ([2], [[0.5, 0.5]], None, "indices from 0 to 1"),
        ([-1], [[0.5, 0.5]], None, "indices from 0 to 1"),
        ([0], [0.5, 0.5], None, "probs has shape"),
        ([0], [[1.0]], None, "two genres"),
        ([], np.empty((0, 3)), None, "at least one track"),
        ([0], [["a", "b"]], None, "expected numbers"),
        ([0, 0], [[0.5, 0.5], [2.0, 1.0]], None, "Row 1 of probs"),
        ([0], [[1.5, -0.5]], None, "at least 0"),
        ([0], [[math.nan, 1.0]], None, "Row 0 of probs"),
        ([0], [[math.inf, 0.0]], None, "finite"),
        ([0], [[0.5, 0.5]], ["A"], "2 different names"),
        ([0], [[0.5, 0.5]], ["A", "A"], "2 different names"),
    ],
)
def test_impossible_input_is_refused(y_true, probs, genres, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        metrics.validate(y_true, probs, genres=genres)


def test_top_k_refuses_zero() -> None:
    with pytest.raises(ParameterError, match="k is 0"):
        metrics.top_k_accuracy(Y_TRUE, PROBS, k=0)

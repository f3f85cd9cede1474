"""ROC, precision-recall and reliability curves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn import metrics as sk

from songnet.evaluation import curves
from songnet.evaluation.metrics import expected_calibration_error
from songnet.exceptions import ParameterError


def test_areas_equal_scikit_learn(predictions) -> None:
    y_true, probs, _, _, genres = predictions
    roc = curves.roc_curves(y_true, probs, genres=genres)
    pr = curves.precision_recall_curves(y_true, probs, genres=genres)
    assert list(roc) == list(pr) == list(genres)
    for index, genre in enumerate(genres):
        positive, scores = y_true == index, probs[:, index]
        assert roc[genre]["auc"] == pytest.approx(sk.roc_auc_score(positive, scores))
        assert pr[genre]["average_precision"] == pytest.approx(
            sk.average_precision_score(positive, scores)
        )


def test_auc_is_the_chance_that_a_track_of_the_genre_ranks_higher(predictions) -> None:
    y_true, probs, _, _, genres = predictions
    inside, outside = probs[y_true == 2, 2], probs[y_true != 2, 2]
    expected = np.mean([a > b for a, b in itertools.product(inside, outside)])
    assert curves.roc_curves(y_true, probs, genres=genres)["C"]["auc"] == pytest.approx(expected)


def test_curves_by_hand() -> None:
    # Ranked by the score of genre 0: right, wrong, right, wrong.
    first = np.array([0.9, 0.7, 0.4, 0.2])
    y_true, probs = np.array([0, 1, 0, 1]), np.column_stack([first, 1 - first])
    roc = curves.roc_curves(y_true, probs, genres=("A", "B"))["A"]
    assert list(zip(roc["fpr"], roc["tpr"], strict=True)) == [
        (0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)
    ]  # fmt: skip
    assert roc["auc"] == pytest.approx(0.75)
    pr = curves.precision_recall_curves(y_true, probs, genres=("A", "B"))["A"]
    assert pr["recall"][-1] == 0
    assert pr["precision"][-1] == 1
    assert (1.0, pytest.approx(2 / 3)) in list(zip(pr["recall"], pr["precision"], strict=True))
    assert pr["average_precision"] == pytest.approx((1 + 2 / 3) / 2)


def test_a_genre_without_a_track_has_no_curve() -> None:
    probs = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]])
    roc = curves.roc_curves(np.array([0, 1]), probs, genres="ABC")
    pr = curves.precision_recall_curves(np.array([0, 1]), probs, genres="ABC")
    assert roc["C"] == {"fpr": [], "tpr": [], "auc": None}
    assert pr["C"] == {"recall": [], "precision": [], "average_precision": None}
    assert roc["A"]["auc"] == 1


def test_a_genre_of_every_track_has_precision_but_no_roc() -> None:
    y_true, probs = np.array([0, 0]), np.array([[0.6, 0.4], [0.2, 0.8]])
    assert curves.roc_curves(y_true, probs, genres="AB")["A"]["auc"] is None
    pr = curves.precision_recall_curves(y_true, probs, genres="AB")
    assert pr["A"]["average_precision"] == 1


def test_long_curves_are_thinned_and_keep_their_ends_and_area() -> None:
    rng = np.random.default_rng(0)
    first = rng.random(3000)
    y_true, probs = (rng.random(3000) > first).astype(int), np.column_stack([first, 1 - first])
    roc = curves.roc_curves(y_true, probs, genres="AB")["A"]
    pr = curves.precision_recall_curves(y_true, probs, genres="AB")["A"]
    assert len(roc["fpr"]) == len(roc["tpr"]) == curves.MAX_POINTS
    assert len(pr["recall"]) == len(pr["precision"]) == curves.MAX_POINTS
    assert (roc["fpr"][0], roc["tpr"][0], roc["fpr"][-1], roc["tpr"][-1]) == (0, 0, 1, 1)
    assert (pr["recall"][0], pr["recall"][-1], pr["precision"][-1]) == (1, 0, 1)
    assert np.all(np.diff(roc["fpr"]) >= 0)
    assert np.all(np.diff(pr["recall"]) <= 0)
    # The area is that of all points; the drawn curve is close to it.
    assert roc["auc"] == pytest.approx(sk.roc_auc_score(y_true == 0, first), abs=1e-12)
    assert sk.auc(roc["fpr"], roc["tpr"]) == pytest.approx(roc["auc"], abs=0.005)


def test_a_curve_of_one_point_is_refused(predictions) -> None:
    with pytest.raises(ParameterError, match="max_points is 1"):
        curves.roc_curves(
            predictions.y_true, predictions.probs, genres=predictions.genres, max_points=1
        )


def test_reliability_curve_by_hand() -> None:
    probs = np.array([[0.65, 0.35], [0.63, 0.37], [0.2, 0.8], [1.0, 0.0]])
    curve = curves.reliability_curve(np.array([0, 1, 1, 0]), probs)
    assert curve["bin_low"][9] == pytest.approx(0.6)
    assert curve["bin_high"][9] == pytest.approx(10 / 15)
    assert [(b, n) for b, n in enumerate(curve["count"]) if n] == [(9, 2), (11, 1), (14, 1)]
    assert curve["confidence"][9] == pytest.approx(0.64)
    assert curve["accuracy"][9] == 0.5
    assert curve["accuracy"][0] is None
    assert curve["confidence"][0] is None


def test_reliability_curve_sums_to_the_calibration_error(predictions) -> None:
    curve = curves.reliability_curve(predictions.y_true, predictions.probs)
    total = sum(
        count * abs(confidence - right)
        for count, confidence, right in zip(
            curve["count"], curve["confidence"], curve["accuracy"], strict=True
        )
        if count
    )
    assert sum(curve["count"]) == predictions.y_true.size
    assert total / predictions.y_true.size == pytest.approx(
        expected_calibration_error(predictions.y_true, predictions.probs)
    )

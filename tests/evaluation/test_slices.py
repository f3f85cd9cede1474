"""Metrics of parts of the tracks."""

from __future__ import annotations

import numpy as np
import pytest

from songnet.evaluation.intervals import bootstrap_intervals
from songnet.evaluation.metrics import HEADLINE_METRICS
from songnet.evaluation.slices import metrics_by_slice
from songnet.exceptions import ParameterError


def test_a_slice_is_scored_as_if_it_were_alone(predictions) -> None:
    y_true, probs, _, groups, _ = predictions
    sources = np.where(np.arange(240) < 80, "small", "large")
    found = metrics_by_slice(y_true, probs, groups, slices=sources, n_resamples=30, seed=4)
    assert list(found) == ["large", "small"]
    alone = bootstrap_intervals(y_true[:80], probs[:80], groups[:80], n_resamples=30, seed=4)
    assert found["small"]["n_tracks"] == 80
    assert found["small"]["n_groups"] == len(set(groups[:80]))
    for name in HEADLINE_METRICS:
        assert found["small"][name] == pytest.approx(alone[name].to_dict(), rel=1e-12)


def test_folds_are_sorted_as_numbers(predictions) -> None:
    found = metrics_by_slice(
        predictions.y_true,
        predictions.probs,
        predictions.groups,
        slices=[i % 12 for i in range(240)],
        n_resamples=2,
    )
    assert list(found) == [str(i) for i in range(12)]


def test_a_slice_of_one_artist_has_no_interval() -> None:
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    found = metrics_by_slice([0, 1, 0], probs, ["x", "x", "y"], slices=["a", "a", "b"])
    assert found["a"]["accuracy"] == {"value": 0.5, "low": None, "high": None}
    assert found["b"]["top3_accuracy"]["value"] == 1
    assert (found["a"]["n_tracks"], found["a"]["n_groups"]) == (2, 1)


def test_slices_must_fit(predictions) -> None:
    with pytest.raises(ParameterError, match="slices has shape"):
        metrics_by_slice(
            predictions.y_true, predictions.probs, predictions.groups, slices=["a", "b"]
        )

"""Predictions to score, for every test of the evaluation."""

from __future__ import annotations

import pytest

from tests.evaluation.examples import Predictions, make_predictions


@pytest.fixture
def predictions() -> Predictions:
    return make_predictions()

"""Evidence for one genre against others: it sums exactly to the log-odds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.exceptions import ParameterError
from songnet.inference.evidence import evidence_for
from songnet.inference.prediction import Prediction
from tests.encoders import noise
from tests.inference.test_classifier_properties import (
    FEATURES,
    GENRES,
    RandomRuntime,
    make_classifier,
)


def prediction_of(seconds: float, *, seed: int = 0, temperature: float = 1.0) -> Prediction:
    classifier = make_classifier(RandomRuntime(seed=seed), temperature=temperature)
    return classifier.predict_waveform(noise(seconds=seconds, sr=FEATURES.sr))


@settings(max_examples=30, deadline=None)
@given(seconds=st.floats(1.1, 12), seed=st.integers(0, 100), temperature=st.floats(0.3, 3))
def test_evidence_sums_to_the_log_odds(seconds: float, seed: int, temperature: float) -> None:
    prediction = prediction_of(seconds, seed=seed, temperature=temperature)
    logs = np.log(prediction.probs)
    for i, genre in enumerate(GENRES):
        found = evidence_for(prediction, genre)
        assert found.shape == prediction.evidence.seconds.shape
        assert found.sum() == pytest.approx(logs[i] - np.delete(logs, i).mean(), abs=1e-4)
        rival = GENRES[i - 1]
        against = evidence_for(prediction, genre, against=rival)
        assert against.sum() == pytest.approx(logs[i] - logs[i - 1], abs=1e-4)
        np.testing.assert_allclose(against, -evidence_for(prediction, rival, against=genre))


def test_unknown_and_equal_genres_are_refused() -> None:
    prediction = prediction_of(2)
    with pytest.raises(ParameterError, match="no genre 'Polka'"):
        evidence_for(prediction, "Polka")
    with pytest.raises(ParameterError, match="Both genres are 'Jazz'"):
        evidence_for(prediction, "Jazz", against="Jazz")

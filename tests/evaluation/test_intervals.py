"""Bootstrap over groups: against a naive one, coverage, and what it refuses."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.evaluation.intervals import bootstrap_intervals, group_indices
from songnet.evaluation.metrics import HEADLINE_METRICS, evaluate
from songnet.exceptions import ParameterError
from tests.evaluation.examples import make_predictions


def test_intervals_equal_a_naive_bootstrap() -> None:
    y_true, probs, _, groups, _ = make_predictions(60, 6, seed=3)
    found = bootstrap_intervals(y_true, probs, groups, n_resamples=60, confidence=0.8, seed=5)
    names = np.unique(groups)
    rng = np.random.default_rng(5)
    draws = rng.multinomial(names.size, np.full(names.size, 1 / names.size), size=60)
    resampled = []
    for draw in draws:
        # The tracks of a group that was drawn twice come along twice.
        tracks = np.concatenate([np.flatnonzero(groups == name) for name in np.repeat(names, draw)])
        resampled.append(evaluate(y_true[tracks], probs[tracks]))
    for metric in HEADLINE_METRICS:
        low, high = np.quantile([scores[metric] for scores in resampled], [0.1, 0.9])
        assert found[metric].low == pytest.approx(low, abs=1e-12)
        assert found[metric].high == pytest.approx(high, abs=1e-12)
        assert found[metric].low < found[metric].high


@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(6, 40))
@settings(deadline=None, max_examples=30)
def test_values_are_those_of_the_metrics(seed: int, n_genres: int, n_tracks: int) -> None:
    y_true, probs, _, _, _ = make_predictions(n_tracks, n_genres, seed=seed)
    found = bootstrap_intervals(y_true, probs, np.arange(n_tracks) // 2, n_resamples=20)
    assert tuple(found) == HEADLINE_METRICS
    for name, value in evaluate(y_true, probs).items():
        assert found[name].value == pytest.approx(value, abs=1e-12)
        assert np.isfinite([found[name].low, found[name].high]).all()


def test_coverage_of_the_true_accuracy() -> None:
    covered = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        # 60 artists, 4 tracks each, all right or all wrong: true accuracy 0.6.
        right = np.repeat(rng.random(60) < 0.6, 4)
        probs = np.where(right[:, None], [0.8, 0.2], [0.3, 0.7])
        found = bootstrap_intervals(
            np.zeros(240, dtype=int),
            probs,
            np.repeat(np.arange(60), 4),
            metrics=["accuracy"],
            n_resamples=400,
            seed=seed,
        )["accuracy"]
        covered += found.low <= 0.6 <= found.high
    assert 0.88 <= covered / 150 <= 0.99


def test_artists_who_sound_alike_widen_the_interval() -> None:
    y_true, probs, _, _, _ = make_predictions(100, 5, seed=1)
    copies = np.repeat(np.arange(100), 4)
    alone = bootstrap_intervals(y_true[copies], probs[copies], np.arange(400))["accuracy"]
    by_artist = bootstrap_intervals(y_true[copies], probs[copies], copies)["accuracy"]
    # Four copies of a track hold no more than one: twice the width.
    ratio = (by_artist.high - by_artist.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(2, rel=0.15)
    assert by_artist.value == alone.value


def test_seed_decides_and_confidence_widens(predictions) -> None:
    data = (predictions.y_true, predictions.probs, predictions.groups)
    assert bootstrap_intervals(*data, seed=1) == bootstrap_intervals(*data, seed=1)
    assert bootstrap_intervals(*data, seed=1) != bootstrap_intervals(*data, seed=2)
    narrow, wide = (bootstrap_intervals(*data, confidence=c)["accuracy"] for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_names_of_groups_do_not_matter(predictions) -> None:
    numbers, n_groups = group_indices(predictions.groups, n_tracks=predictions.y_true.size)
    assert n_groups == len(set(predictions.groups))
    by_name = bootstrap_intervals(predictions.y_true, predictions.probs, list(predictions.groups))
    assert by_name == bootstrap_intervals(predictions.y_true, predictions.probs, numbers)


def test_the_size_of_the_corpus_takes_little_time() -> None:
    y_true, probs, _, _, _ = make_predictions(1237, 10)
    groups = np.random.default_rng(0).integers(0, 600, 1237)
    start = time.process_time()
    bootstrap_intervals(y_true, probs, groups, n_resamples=1000)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["acuracy"]}, "no metric"),
        ({"groups": ["one"] * 240}, "names 1 group"),
        ({"groups": ["one", "two"]}, "groups has shape"),
        ({"n_resamples": 1}, "n_resamples is 1"),
        ({"confidence": 95.0}, "confidence is 95"),
    ],
)
def test_impossible_settings_are_refused(predictions, change, message: str) -> None:
    groups = change.pop("groups", predictions.groups)
    with pytest.raises(ParameterError, match=message):
        bootstrap_intervals(predictions.y_true, predictions.probs, groups, **change)

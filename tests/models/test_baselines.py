from __future__ import annotations

import numpy as np
import pytest

from songnet.exceptions import ParameterError
from songnet.models import baselines
from songnet.models.baselines import BASELINES, fit_baseline

pytestmark = pytest.mark.timeout(1800)  # numba, TensorFlow: slow on a busy machine


def data(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Three genres of eight artists each, on features of very different scales."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = rng.normal(size=(n, 6)) + 3 * np.eye(3)[y] @ rng.normal(size=(3, 6))
    return (X * 10.0 ** np.arange(6)).astype(np.float32), y, [f"{i % 24}" for i in range(n)]


@pytest.mark.parametrize("name", sorted(set(BASELINES) - {"random", "majority"}))
def test_every_baseline_learns_what_is_easy(name, monkeypatch):
    first = {key: values[:1] for key, values in BASELINES[name].grid.items()}
    few = {"random_forest": {"n_estimators": [30]}, "gradient_boosting": {"max_iter": [20]}}
    first |= few.get(name, {})
    small = baselines.Baseline(BASELINES[name].build, first, BASELINES[name].is_scaled)
    monkeypatch.setitem(BASELINES, name, small)
    X, y, groups = data()
    fitted = fit_baseline(name, X[:90], y[:90], groups=groups[:90], n_genres=4, seed=0)
    probs = fitted.predict_probs(X[90:])
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    assert np.mean(probs.argmax(axis=1) == y[90:]) > 0.8
    assert probs[:, 3].max() < 0.3
    assert set(fitted.chosen) == set(first)


def test_the_majority_is_the_majority_and_random_is_stratified():
    y = np.array([0] * 60 + [1] * 30)
    X, groups = np.zeros((90, 1), np.float32), [str(i % 10) for i in range(90)]
    fit = {"groups": groups, "n_genres": 2, "seed": 0}
    majority = fit_baseline("majority", X, y, **fit).predict_probs(X)
    assert (majority.argmax(axis=1) == 0).all()
    assert majority[0, 0] == pytest.approx(2 / 3, abs=0.02)
    random = fit_baseline("random", X, y, **fit).predict_probs(np.zeros((3000, 1), np.float32))
    assert random.argmax(axis=1).mean() == pytest.approx(1 / 3, abs=0.05)


def test_chance_draws_anew_for_other_training_tracks():
    X, y, groups = data()

    def answers(names: list[str]) -> list[int]:
        fitted = fit_baseline("random", X, y, groups=names, n_genres=3, seed=0)
        return fitted.predict_probs(X).argmax(axis=1).tolist()

    assert answers(groups) == answers(groups)
    assert answers(groups) != answers([f"other {name}" for name in groups])


def test_inner_folds_keep_groups_on_one_side(monkeypatch):
    X, y, groups = data()
    for train, held_out in baselines._inner_folds(y, groups, 0):
        assert not {groups[i] for i in train} & {groups[i] for i in held_out}
    with pytest.raises(ParameterError, match="2 groups"):
        fit_baseline("knn", X, y, groups=["a", "b"] * 60, n_genres=3, seed=0)
    with pytest.raises(ParameterError, match="no baseline 'lda'"):
        fit_baseline("lda", X, y, groups=groups, n_genres=3, seed=0)


def test_the_scaler_sees_training_tracks_only():
    X, y, groups = data()
    fitted = fit_baseline("knn", X[:90], y[:90], groups=groups[:90], n_genres=3, seed=0)
    np.testing.assert_allclose(fitted.estimator["scaler"].mean_, X[:90].mean(axis=0), rtol=1e-3)

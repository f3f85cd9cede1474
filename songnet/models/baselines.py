"""Classifiers of one vector a track, with their hyperparameters chosen on inner folds.

Everything that is fitted, the scaler too, is fitted on training tracks only;
the inner folds keep every group (artist) on one side.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from songnet.evaluation.calibration import apply_temperature, fit_temperature
from songnet.exceptions import ParameterError

__all__ = ["BASELINES", "FittedBaseline", "fit_baseline", "refit"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_INNER_FOLDS = 3
_SMALLEST_PROB = 1e-9


@dataclass(frozen=True)
class Baseline:
    """An estimator and the hyperparameters to choose from.

    Parameters
    ----------
    build : callable
        Called with the seed; returns an unfitted scikit-learn estimator.
    grid : dict
        As `sklearn.model_selection.GridSearchCV` takes it, for the step
        ``model``; empty where there is nothing to choose.
    is_scaled : bool
        Standardise the features first.
    is_chance : bool
        It draws its answers by the seed alone; the training tracks are put
        into the seed, or it would say the same in every fold.
    """

    build: Callable[[int], Any]
    grid: dict[str, list[Any]]
    is_scaled: bool = True
    is_chance: bool = False


@dataclass(frozen=True)
class FittedBaseline:
    """A fitted classifier with its temperature.

    Parameters
    ----------
    estimator : sklearn.pipeline.Pipeline
    n_genres : int
    temperature : float
        Of its scores, from the inner folds.
    chosen : dict
        Hyperparameters that the inner folds chose.
    inner_accuracy : float or None
        Accuracy on the inner folds, of what they chose.
    """

    estimator: Any
    n_genres: int
    temperature: float
    chosen: dict[str, Any]
    inner_accuracy: float | None

    def predict_probs(self, X: npt.NDArray[np.float32]) -> FloatArray:
        """Probabilities of the genres, shape (n_tracks, n_genres); X is (n_tracks, n_features)."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            scores = _scores(self.estimator, X, self.n_genres)
        return apply_temperature(scores, self.temperature)


def _dummy(strategy: str) -> Callable[[int], Any]:
    def build(seed: int) -> Any:
        from sklearn.dummy import DummyClassifier

        return DummyClassifier(strategy=strategy, random_state=seed)

    return build


def _knn(_seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier()


def _linear_svm(seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(random_state=seed, max_iter=5000)


def _rbf_svm(_seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC(kernel="rbf", cache_size=500)


def _logistic_regression(_seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=3000)


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=500, random_state=seed)


def _gradient_boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_leaf_nodes=8, early_stopping=False, random_state=seed, max_features=0.2
    )


def _mlp(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(hidden_layer_sizes=(256,), random_state=seed)


BASELINES: dict[str, Baseline] = {
    "random": Baseline(_dummy("stratified"), {}, is_scaled=False, is_chance=True),
    "majority": Baseline(_dummy("prior"), {}, is_scaled=False),
    "knn": Baseline(
        _knn, {"n_neighbors": [3, 5, 7, 11, 15, 21], "weights": ["uniform", "distance"]}
    ),
    "linear_svm": Baseline(
        _linear_svm, {"C": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2], "class_weight": [None, "balanced"]}
    ),
    "rbf_svm": Baseline(
        _rbf_svm, {"C": [1.0, 2.0, 4.0, 8.0, 16.0], "class_weight": [None, "balanced"]}
    ),
    "logistic_regression": Baseline(
        _logistic_regression, {"C": [3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0]}
    ),
    "random_forest": Baseline(
        _random_forest,
        {"max_features": ["sqrt", 0.1], "min_samples_leaf": [1, 3]},
        is_scaled=False,
    ),
    "gradient_boosting": Baseline(
        _gradient_boosting,
        {"learning_rate": [0.05, 0.1], "max_iter": [100, 200]},
        is_scaled=False,
    ),
    "mlp": Baseline(_mlp, {"alpha": [1e-2, 1.0], "max_iter": [15, 40]}),
}


def fit_baseline(
    name: str,
    X: npt.NDArray[np.float32],
    y: IntArray,
    *,
    groups: Sequence[str],
    n_genres: int,
    seed: int,
) -> FittedBaseline:
    """Choose the hyperparameters on inner folds, then fit on all tracks given.

    Parameters
    ----------
    name : str
        One of `BASELINES`.
    X : np.ndarray [shape=(n_tracks, n_features), dtype=float32]
    y : np.ndarray [shape=(n_tracks,), dtype=int64]
        Index of the genre of each track.
    groups : sequence of str
        The artist of each track.
    n_genres : int
        Genres there are, whether or not each has a track here.
    seed : int

    Returns
    -------
    fitted : FittedBaseline

    Raises
    ------
    ParameterError
        If there is no such baseline, or fewer groups than inner folds.
    """
    from sklearn.model_selection import GridSearchCV

    if name not in BASELINES:
        raise ParameterError(f"There is no baseline {name!r}; expected {sorted(BASELINES)}.")
    baseline = BASELINES[name]
    of_tracks = zlib.crc32(repr((seed, y.tolist(), *groups)).encode())
    estimator = _pipeline(baseline, of_tracks if baseline.is_chance else seed)
    folds = _inner_folds(y, groups, seed)
    chosen, inner_accuracy = {}, None
    with _fitting():
        if baseline.grid:
            grid = _grid(baseline, smallest=min(len(train) for train, _ in folds))
            search = GridSearchCV(estimator, grid, cv=folds, scoring="accuracy", refit=False)
            search.fit(X, y)
            estimator.set_params(**search.best_params_)
            chosen = {k.removeprefix("model__"): v for k, v in search.best_params_.items()}
            inner_accuracy = float(search.best_score_)
        temperature = _inner_temperature(estimator, X, y, folds, n_genres)
        estimator.fit(X, y)
    return FittedBaseline(estimator, n_genres, temperature, chosen, inner_accuracy)


def refit(fitted: FittedBaseline, X: npt.NDArray[np.float32], y: IntArray) -> Any:
    """Fit a fresh copy of a fitted estimator, with the hyperparameters that were chosen.

    Parameters
    ----------
    fitted : FittedBaseline
    X : np.ndarray [shape=(n_tracks, n_features), dtype=float32]
    y : np.ndarray [shape=(n_tracks,), dtype=int64]

    Returns
    -------
    estimator : sklearn.pipeline.Pipeline
    """
    from sklearn.base import clone

    with _fitting():
        return clone(fitted.estimator).fit(X, y)


@contextmanager
def _fitting() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    # One thread: on a busy machine those of OpenMP wait for each other longer than they work.
    with warnings.catch_warnings(), threadpool_limits(1):
        # How long to train is chosen on the inner folds; convergence is not what is asked for.
        warnings.filterwarnings("ignore", message=".*(converge|Maximum iterations).*")
        yield


def _pipeline(baseline: Baseline, seed: int) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    scaler = [("scaler", StandardScaler())] if baseline.is_scaled else []
    return Pipeline([*scaler, ("model", baseline.build(seed))])


def _grid(baseline: Baseline, *, smallest: int) -> dict[str, list[Any]]:
    """The grid for the step ``model``, without more neighbours than there are tracks."""
    return {
        f"model__{key}": [v for v in values if key != "n_neighbors" or v <= smallest]
        for key, values in baseline.grid.items()
    }


def _inner_folds(y: IntArray, groups: Sequence[str], seed: int) -> list[tuple[IntArray, IntArray]]:
    from sklearn.model_selection import StratifiedGroupKFold

    n_groups = len(set(groups))
    if n_groups < _INNER_FOLDS:
        raise ParameterError(
            f"There are {n_groups} groups (artists); {_INNER_FOLDS} inner folds need as many."
        )
    splitter = StratifiedGroupKFold(_INNER_FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A genre with fewer tracks than folds is missing in some; `_scores` allows for that.
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter.split(np.zeros(len(y)), y, np.asarray(groups)))


def _inner_temperature(
    estimator: Any,
    X: npt.NDArray[np.float32],
    y: IntArray,
    folds: Sequence[tuple[IntArray, IntArray]],
    n_genres: int,
) -> float:
    from sklearn.base import clone

    scores, truth = [], []
    for train, held_out in folds:
        fitted = clone(estimator).fit(X[train], y[train])
        scores.append(_scores(fitted, X[held_out], n_genres))
        truth.append(y[held_out])
    return fit_temperature(np.concatenate(scores), np.concatenate(truth))


def _scores(estimator: Any, X: npt.NDArray[np.float32], n_genres: int) -> FloatArray:
    """Scores of all genres; one without a training track is below all others."""
    if hasattr(estimator, "predict_proba"):
        known = np.log(np.maximum(estimator.predict_proba(X), _SMALLEST_PROB))
    else:
        known = np.asarray(estimator.decision_function(X), np.float64)
        if known.ndim == 1:  # two genres have one score
            known = np.stack([-known, known], axis=1) / 2
    scores = np.full((len(X), n_genres), known.min() - 1.0)
    scores[:, np.asarray(estimator.classes_, int)] = known
    return scores

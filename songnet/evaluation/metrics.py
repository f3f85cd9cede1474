"""Metrics of a genre classifier over a set of tracks.

Conventions
-----------
- ``y_true`` holds indices into the genres, one a track; ``probs`` holds the
  calibrated probabilities of all genres, one row a track, columns in the order
  of the genres.
- The prediction is the genre of the highest probability, the first of them
  where several are equal, as in `songnet.inference.prediction.Prediction`.
- All scores are fractions from 0 to 1, never percentages. Log-loss is in nats.
- A genre without a track counts in no mean over genres, except that macro-F1
  counts it (as 0) where it was predicted, as scikit-learn does. Nothing is NaN.

scikit-learn is imported where it computes: reading a report does not need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from songnet.exceptions import ParameterError

__all__ = [
    "HEADLINE_METRICS",
    "N_BINS",
    "GenreScores",
    "accuracy",
    "balanced_accuracy",
    "confidence_bins",
    "confusion_matrix",
    "evaluate",
    "expected_calibration_error",
    "log_loss",
    "macro_f1",
    "per_genre",
    "top_k_accuracy",
    "true_ranks",
    "validate",
]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

HEADLINE_METRICS = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "top3_accuracy",
    "log_loss",
    "ece",
)
N_BINS = 15
_SUM_TOLERANCE = 1e-3


class GenreScores(TypedDict):
    """Scores of one genre; ``support`` is the number of its tracks."""

    precision: float
    recall: float
    f1: float
    support: int


def validate(
    y_true: npt.ArrayLike, probs: npt.ArrayLike, *, genres: Sequence[str] | None = None
) -> tuple[IntArray, FloatArray]:
    """Check labels and probabilities, and return them in one form.

    Parameters
    ----------
    y_true : array-like [shape=(n_tracks,), dtype=int]
        Index of the true genre of each track.
    probs : array-like [shape=(n_tracks, n_genres), dtype=float]
        Probabilities; rows sum to 1 within 0.001.
    genres : sequence of str, optional
        Names of the genres, checked against the columns where given.

    Returns
    -------
    y_true : np.ndarray [shape=(n_tracks,), dtype=int64]
    probs : np.ndarray [shape=(n_tracks, n_genres), dtype=float64]
        Rows scaled to sum to 1 in double precision.

    Raises
    ------
    ParameterError
        If a shape, a type or a value is impossible.
    """
    truth, p = np.asarray(y_true), np.asarray(probs)
    if p.ndim != 2 or p.shape[0] < 1 or p.shape[1] < 2 or not _is_real(p):
        raise ParameterError(
            f"probs has shape {p.shape} and type {p.dtype}; expected numbers of shape "
            "(n_tracks, n_genres), at least one track and two genres."
        )
    if truth.shape != p.shape[:1] or not np.issubdtype(truth.dtype, np.integer):
        raise ParameterError(
            f"y_true has shape {truth.shape} and type {truth.dtype}; expected {p.shape[0]} "
            "integers, the index of a genre for each row of probs."
        )
    if truth.min() < 0 or truth.max() >= p.shape[1]:
        raise ParameterError(
            f"y_true runs from {truth.min()} to {truth.max()}; expected indices from 0 to "
            f"{p.shape[1] - 1}, the columns of probs."
        )
    if genres is not None and (len(genres) != p.shape[1] or len(set(genres)) != len(genres)):
        raise ParameterError(
            f"genres holds {len(genres)} names, {len(set(genres))} of them different; expected "
            f"{p.shape[1]} different names, one for each column of probs."
        )
    return truth.astype(np.int64), _normalise(p.astype(np.float64))


def _is_real(values: npt.NDArray[np.generic]) -> bool:
    return np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)


def _normalise(probs: FloatArray) -> FloatArray:
    sums = probs.sum(axis=1, keepdims=True)
    # A NaN fails every comparison, so the checks ask for what must hold.
    good = (probs >= 0).all(axis=1) & (np.abs(sums[:, 0] - 1) <= _SUM_TOLERANCE)
    if not good.all():
        row = int(np.argmin(good))
        raise ParameterError(
            f"Row {row} of probs is {probs[row]} (sum {sums[row, 0]:.6g}); expected finite values "
            "of at least 0 that sum to 1: apply the softmax to logits first."
        )
    return np.asarray(probs / sums, dtype=np.float64)


def evaluate(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> dict[str, float]:
    """All headline metrics by name; parameters as in `validate`.

    Returns
    -------
    scores : dict of str to float
        The keys are `HEADLINE_METRICS`.
    """
    return {
        "accuracy": accuracy(y_true, probs),
        "balanced_accuracy": balanced_accuracy(y_true, probs),
        "macro_f1": macro_f1(y_true, probs),
        "top3_accuracy": top_k_accuracy(y_true, probs, k=3),
        "log_loss": log_loss(y_true, probs),
        "ece": expected_calibration_error(y_true, probs),
    }


def accuracy(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> float:
    """Share of tracks whose most probable genre is right."""
    from sklearn.metrics import accuracy_score

    truth, p = validate(y_true, probs)
    return float(accuracy_score(truth, p.argmax(axis=1)))


def balanced_accuracy(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> float:
    """Mean recall over the genres that have a track."""
    from sklearn.metrics import recall_score

    truth, p = validate(y_true, probs)
    # balanced_accuracy_score warns where a genre is predicted but has no track.
    present = np.unique(truth)
    return float(
        recall_score(truth, p.argmax(axis=1), labels=present, average="macro", zero_division=0)
    )


def macro_f1(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> float:
    """Mean F1 over the genres that have a track or were predicted."""
    from sklearn.metrics import f1_score

    truth, p = validate(y_true, probs)
    return float(f1_score(truth, p.argmax(axis=1), average="macro", zero_division=0))


def true_ranks(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> IntArray:
    """Rank of the true genre of each track, 0 for the most probable.

    Returns
    -------
    ranks : np.ndarray [shape=(n_tracks,), dtype=int64]
        Equal probabilities rank in the order of the genres.
    """
    truth, p = validate(y_true, probs)
    order = np.argsort(-p, axis=1, kind="stable")
    return np.asarray(np.argmax(order == truth[:, None], axis=1), dtype=np.int64)


def top_k_accuracy(y_true: npt.ArrayLike, probs: npt.ArrayLike, *, k: int = 3) -> float:
    """Share of tracks whose genre is among the ``k`` most probable.

    Notes
    -----
    scikit-learn ranks the last of equal probabilities first, against the
    prediction; here ``k=1`` is always the accuracy.
    """
    if k < 1:
        raise ParameterError(f"k is {k}; expected at least 1.")
    return float(np.mean(true_ranks(y_true, probs) < k))


def log_loss(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> float:
    """Mean negative log-probability of the true genre, in nats.

    Probabilities are clipped to the precision of a double, so a sure mistake
    costs 36 nats and not infinity.
    """
    from sklearn import metrics as sk

    truth, p = validate(y_true, probs)
    return float(sk.log_loss(truth, p, labels=np.arange(p.shape[1])))


def confidence_bins(
    y_true: npt.ArrayLike, probs: npt.ArrayLike
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Bin, confidence and correctness of each track.

    Returns
    -------
    bins : np.ndarray [shape=(n_tracks,), dtype=int64]
        Bin ``b`` of the `N_BINS` holds confidences in (b / N_BINS, (b + 1) / N_BINS].
    confidence, correct : np.ndarray [shape=(n_tracks,), dtype=float64]
        Highest probability; 1 where its genre is right, else 0.
    """
    truth, p = validate(y_true, probs)
    confidence = p.max(axis=1)
    inner_edges = np.arange(1, N_BINS) / N_BINS
    bins = np.searchsorted(inner_edges, confidence, side="left")
    return bins.astype(np.int64), confidence, (p.argmax(axis=1) == truth).astype(np.float64)


def expected_calibration_error(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> float:
    """Mean distance between confidence and accuracy over 15 equal bins.

    The bins divide the confidence from 0 to 1 and weigh as many tracks as they
    hold [1]_. A perfectly calibrated model scores above 0 on finite data.

    References
    ----------
    .. [1] Guo, Pleiss, Sun, Weinberger: On calibration of modern neural
       networks. ICML 2017.
    """
    bins, confidence, correct = confidence_bins(y_true, probs)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=N_BINS)
    return float(np.abs(gaps).sum() / bins.size)


def per_genre(
    y_true: npt.ArrayLike, probs: npt.ArrayLike, *, genres: Sequence[str]
) -> dict[str, GenreScores]:
    """Precision, recall, F1 and number of tracks of each genre; 0 where undefined."""
    from sklearn.metrics import precision_recall_fscore_support

    truth, p = validate(y_true, probs, genres=genres)
    labels = np.arange(p.shape[1])
    columns = precision_recall_fscore_support(
        truth, p.argmax(axis=1), labels=labels, zero_division=0
    )
    return {
        genre: GenreScores(precision=float(a), recall=float(b), f1=float(c), support=int(n))
        for genre, a, b, c, n in zip(genres, *columns, strict=True)
    }


def confusion_matrix(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> IntArray:
    """Count tracks by true genre (rows) and predicted genre (columns).

    Returns
    -------
    counts : np.ndarray [shape=(n_genres, n_genres), dtype=int64]
    """
    from sklearn import metrics as sk

    truth, p = validate(y_true, probs)
    counts = sk.confusion_matrix(truth, p.argmax(axis=1), labels=np.arange(p.shape[1]))
    return np.asarray(counts, dtype=np.int64)

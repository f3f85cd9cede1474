"""Curves: ROC and precision-recall of each genre against the rest, reliability.

Conventions
-----------
- Inputs as in `songnet.evaluation.metrics`: indices and probabilities.
- Areas are computed from all points, and only then is a curve thinned.
- A genre without a track has no curve: its lists are empty, its area is None.
  So has the ROC curve of a genre that holds every track.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from songnet.evaluation.metrics import N_BINS, FloatArray, confidence_bins, validate
from songnet.exceptions import ParameterError

__all__ = [
    "MAX_POINTS",
    "PrecisionRecallCurve",
    "Reliability",
    "RocCurve",
    "precision_recall_curves",
    "reliability_curve",
    "roc_curves",
]

MAX_POINTS = 200


class RocCurve(TypedDict):
    """False against true positive rate, from (0, 0) to (1, 1)."""

    fpr: list[float]
    tpr: list[float]
    auc: float | None


class PrecisionRecallCurve(TypedDict):
    """Precision against recall, from recall 1 down to recall 0."""

    recall: list[float]
    precision: list[float]
    average_precision: float | None


class Reliability(TypedDict):
    """Confidence against accuracy, one entry a bin; None where it is empty."""

    bin_low: list[float]
    bin_high: list[float]
    count: list[int]
    confidence: list[float | None]
    accuracy: list[float | None]


def roc_curves(
    y_true: npt.ArrayLike,
    probs: npt.ArrayLike,
    *,
    genres: Sequence[str],
    max_points: int = MAX_POINTS,
) -> dict[str, RocCurve]:
    """ROC curve of each genre against the rest, and the area under it.

    Parameters
    ----------
    y_true, probs, genres
        As in `songnet.evaluation.metrics.validate`.
    max_points : int
        Most points of a curve, at least 2.

    Returns
    -------
    curves : dict of str to RocCurve

    Raises
    ------
    ParameterError
        If the data are invalid or ``max_points`` is below 2.
    """
    from sklearn import metrics as sk

    truth, p = validate(y_true, probs, genres=genres)
    curves = {}
    for index, genre in enumerate(genres):
        positive = truth == index
        if positive.all() or not positive.any():
            curves[genre] = RocCurve(fpr=[], tpr=[], auc=None)
            continue
        fpr, tpr, _ = sk.roc_curve(positive, p[:, index])
        fpr_thin, tpr_thin = _thin(fpr, tpr, max_points)
        curves[genre] = RocCurve(fpr=fpr_thin, tpr=tpr_thin, auc=float(sk.auc(fpr, tpr)))
    return curves


def precision_recall_curves(
    y_true: npt.ArrayLike,
    probs: npt.ArrayLike,
    *,
    genres: Sequence[str],
    max_points: int = MAX_POINTS,
) -> dict[str, PrecisionRecallCurve]:
    """Precision-recall curve of each genre, and its average precision.

    Parameters and errors as in `roc_curves`. The average precision is the sum
    of precisions weighted by the steps in recall, not the trapezoidal area,
    which is too optimistic.

    Returns
    -------
    curves : dict of str to PrecisionRecallCurve
    """
    from sklearn import metrics as sk

    truth, p = validate(y_true, probs, genres=genres)
    curves = {}
    for index, genre in enumerate(genres):
        positive = truth == index
        if not positive.any():
            curves[genre] = PrecisionRecallCurve(recall=[], precision=[], average_precision=None)
            continue
        precision, recall, _ = sk.precision_recall_curve(
            positive, p[:, index], drop_intermediate=True
        )
        recall_thin, precision_thin = _thin(recall, precision, max_points)
        curves[genre] = PrecisionRecallCurve(
            recall=recall_thin,
            precision=precision_thin,
            average_precision=float(sk.average_precision_score(positive, p[:, index])),
        )
    return curves


def reliability_curve(y_true: npt.ArrayLike, probs: npt.ArrayLike) -> Reliability:
    """Mean confidence and accuracy in the bins of the calibration error."""
    bins, confidence, correct = confidence_bins(y_true, probs)
    count = np.bincount(bins, minlength=N_BINS)

    def mean(values: FloatArray) -> list[float | None]:
        sums = np.bincount(bins, weights=values, minlength=N_BINS)
        return [float(s / n) if n else None for s, n in zip(sums, count, strict=True)]

    return Reliability(
        bin_low=[b / N_BINS for b in range(N_BINS)],
        bin_high=[(b + 1) / N_BINS for b in range(N_BINS)],
        count=[int(n) for n in count],
        confidence=mean(confidence),
        accuracy=mean(correct),
    )


def _thin(x: FloatArray, y: FloatArray, max_points: int) -> tuple[list[float], list[float]]:
    """Keep at most ``max_points`` points, first and last always among them."""
    if max_points < 2:
        raise ParameterError(f"max_points is {max_points}; a curve needs at least 2.")
    keep = np.unique(np.linspace(0, x.size - 1, min(max_points, x.size)).round().astype(int))
    return [float(v) for v in x[keep]], [float(v) for v in y[keep]]

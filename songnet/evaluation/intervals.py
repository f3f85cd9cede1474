"""Bootstrap intervals that resample whole artists.

Tracks of one artist resemble each other, so they are not independent draws:
an interval over tracks would be too narrow. Here groups (artists) are drawn
with replacement, and all tracks of a drawn group come along [1]_.

Conventions
-----------
- Inputs as in `songnet.evaluation.metrics`, and one group a track.
- An interval runs between percentiles of the resampled values. It need not be
  symmetric. The calibration error (ECE) is a sum of absolute values and grows
  with noise: its resamples, and so its interval, lie high.
- All headline metrics are functions of sums over tracks. The sums are formed
  once for each group, so a resample is one row of a matrix product.

References
----------
.. [1] Davison, Hinkley: Bootstrap methods and their application, section 3.8.
   Cambridge University Press 1997.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from songnet.evaluation.metrics import (
    HEADLINE_METRICS,
    N_BINS,
    confidence_bins,
    true_ranks,
    validate,
)
from songnet.exceptions import ParameterError

__all__ = ["CONFIDENCE", "N_RESAMPLES", "Interval", "bootstrap_intervals", "group_indices"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CONFIDENCE = 0.95
N_RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A value and the interval around it."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return value, low and high by name."""
        return asdict(self)


@dataclass(frozen=True)
class _Sums:
    """Sums over tracks, one row a group or a resample of groups.

    All have shape (n_rows,), those by genre (n_rows, n_genres), and the gaps
    (correct minus confidence) by bin (n_rows, N_BINS).
    """

    tracks: FloatArray
    top3: FloatArray
    negative_log: FloatArray
    support: FloatArray
    predicted: FloatArray
    hits: FloatArray
    gaps: FloatArray


def bootstrap_intervals(
    y_true: npt.ArrayLike,
    probs: npt.ArrayLike,
    groups: Sequence[object] | npt.NDArray[np.generic],
    *,
    metrics: Sequence[str] = HEADLINE_METRICS,
    n_resamples: int = N_RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> dict[str, Interval]:
    """Estimate headline metrics with percentile intervals over groups.

    Parameters
    ----------
    y_true : array-like [shape=(n_tracks,), dtype=int]
    probs : array-like [shape=(n_tracks, n_genres), dtype=float]
    groups : sequence [length=n_tracks]
        The artist of each track; at least two different ones.
    metrics : sequence of str
        Some of `HEADLINE_METRICS`. Each resample serves them all.
    n_resamples : int
        At least 2.
    confidence : float
        Probability between the ends of the interval, within (0, 1).
    seed : int
        Equal seeds give equal intervals.

    Returns
    -------
    intervals : dict of str to Interval
        The value is that of all tracks, not a mean over resamples.

    Raises
    ------
    ParameterError
        If the data, a metric's name or a setting is invalid.
    """
    truth, p = validate(y_true, probs)
    group_of, n_groups = group_indices(groups, n_tracks=truth.size)
    _check(metrics, n_groups, n_resamples, confidence)
    sums = _sums_by_group(truth, p, group_of, n_groups)
    rng = np.random.default_rng(seed)
    # How often each group is drawn: (n_resamples, n_groups)
    draws = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples)
    observed = _combine(np.ones((1, n_groups)), sums)
    resampled = _combine(draws.astype(np.float64), sums)
    tail = (1 - confidence) / 2
    intervals = {}
    for name in metrics:
        low, high = np.quantile(_FORMULAS[name](resampled), [tail, 1 - tail])
        value = float(_FORMULAS[name](observed)[0])
        intervals[name] = Interval(value=value, low=float(low), high=float(high))
    return intervals


def group_indices(
    groups: Sequence[object] | npt.NDArray[np.generic], *, n_tracks: int
) -> tuple[IntArray, int]:
    """Number the groups.

    Returns
    -------
    indices : np.ndarray [shape=(n_tracks,), dtype=int64]
    n_groups : int

    Raises
    ------
    ParameterError
        If there is not one group for each track.
    """
    names = np.asarray(groups)
    if names.shape != (n_tracks,):
        raise ParameterError(
            f"groups has shape {names.shape}; expected {n_tracks} names, one for each track."
        )
    unique, indices = np.unique(names, return_inverse=True)
    return indices.astype(np.int64), int(unique.size)


def _check(metrics: Sequence[str], n_groups: int, n_resamples: int, confidence: float) -> None:
    unknown = sorted(set(metrics) - set(_FORMULAS))
    if unknown:
        raise ParameterError(f"There is no metric {unknown}; expected some of {list(_FORMULAS)}.")
    if n_groups < 2:
        raise ParameterError(
            f"groups names {n_groups} group; an interval needs at least 2 to draw from."
        )
    if n_resamples < 2:
        raise ParameterError(f"n_resamples is {n_resamples}; expected at least 2, better 1000.")
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence is {confidence}; expected a fraction such as 0.95.")


def _sums_by_group(truth: IntArray, probs: FloatArray, group_of: IntArray, n_groups: int) -> _Sums:
    genres = np.arange(probs.shape[1])
    bins, top, correct = confidence_bins(truth, probs)
    is_true = (truth[:, None] == genres).astype(np.float64)
    is_predicted = (probs.argmax(axis=1)[:, None] == genres).astype(np.float64)
    # Clipped as scikit-learn's log_loss does.
    smallest = float(np.finfo(np.float64).eps)
    chosen = np.clip(probs[np.arange(truth.size), truth], smallest, 1 - smallest)

    def by_group(values: FloatArray) -> FloatArray:
        total = np.zeros((n_groups, *values.shape[1:]))
        np.add.at(total, group_of, values)
        return total

    return _Sums(
        tracks=by_group(np.ones(truth.size)),
        top3=by_group((true_ranks(truth, probs) < 3).astype(np.float64)),
        negative_log=by_group(-np.log(chosen)),
        support=by_group(is_true),
        predicted=by_group(is_predicted),
        hits=by_group(is_true * is_predicted),
        gaps=by_group((bins[:, None] == np.arange(N_BINS)) * (correct - top)[:, None]),
    )


def _combine(draws: FloatArray, sums: _Sums) -> _Sums:
    """Add the sums of the drawn groups; draws has shape (n_rows, n_groups)."""
    return _Sums(**{name: draws @ values for name, values in vars(sums).items()})


def _balanced_accuracy(sums: _Sums) -> FloatArray:
    present = sums.support > 0
    return _mean_where(present, sums.hits / np.where(present, sums.support, 1))


def _macro_f1(sums: _Sums) -> FloatArray:
    # F1 = 2 hits / (tracks of the genre + predictions of it)
    size = sums.support + sums.predicted
    return _mean_where(size > 0, 2 * sums.hits / np.where(size > 0, size, 1))


def _mean_where(keep: npt.NDArray[np.bool_], values: FloatArray) -> FloatArray:
    return np.asarray((values * keep).sum(axis=1) / keep.sum(axis=1), dtype=np.float64)


_FORMULAS: dict[str, Callable[[_Sums], FloatArray]] = {
    "accuracy": lambda sums: sums.hits.sum(axis=1) / sums.tracks,
    "balanced_accuracy": _balanced_accuracy,
    "macro_f1": _macro_f1,
    "top3_accuracy": lambda sums: sums.top3 / sums.tracks,
    "log_loss": lambda sums: sums.negative_log / sums.tracks,
    "ece": lambda sums: np.abs(sums.gaps).sum(axis=1) / sums.tracks,
}

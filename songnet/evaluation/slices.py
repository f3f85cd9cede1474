"""Headline metrics of parts of the tracks: by fold, by source, by length.

A slice holds only its own tracks and groups, and its means over genres only
the genres that it has: balanced accuracy and macro-F1 of different slices are
means over different genres where those differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from songnet.evaluation.intervals import N_RESAMPLES, bootstrap_intervals, group_indices
from songnet.evaluation.metrics import evaluate, validate
from songnet.exceptions import ParameterError

__all__ = ["metrics_by_slice"]


def metrics_by_slice(
    y_true: npt.ArrayLike,
    probs: npt.ArrayLike,
    groups: Sequence[object] | npt.NDArray[np.generic],
    *,
    slices: Sequence[object] | npt.NDArray[np.generic],
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Score each part of the tracks on its own.

    Parameters
    ----------
    y_true : array-like [shape=(n_tracks,), dtype=int]
    probs : array-like [shape=(n_tracks, n_genres), dtype=float]
    groups : sequence [length=n_tracks]
        The artist of each track.
    slices : sequence [length=n_tracks]
        The part of each track: a source, the number of a fold.
    n_resamples, seed : int
        As in `songnet.evaluation.intervals.bootstrap_intervals`.

    Returns
    -------
    by_slice : dict of str to dict
        For each slice, sorted: ``n_tracks``, ``n_groups`` and every headline
        metric as ``{"value", "low", "high"}``. The ends are None in a slice of
        one group, which has nothing to resample.

    Raises
    ------
    ParameterError
        If the data are invalid, or not one slice is named for each track.
    """
    truth, p = validate(y_true, probs)
    group_of, _ = group_indices(groups, n_tracks=truth.size)
    names = np.asarray(slices)
    if names.shape != truth.shape:
        raise ParameterError(
            f"slices has shape {names.shape}; expected {truth.size} names, one for each track."
        )
    by_slice: dict[str, dict[str, Any]] = {}
    for name in np.unique(names):
        part = names == name
        n_groups = int(np.unique(group_of[part]).size)
        headline = _headline(
            truth[part], p[part], group_of[part], n_resamples=n_resamples, seed=seed
        )
        by_slice[str(name)] = {"n_tracks": int(part.sum()), "n_groups": n_groups, **headline}
    return by_slice


def _headline(
    truth: npt.NDArray[np.int64],
    probs: npt.NDArray[np.float64],
    group_of: npt.NDArray[np.int64],
    *,
    n_resamples: int,
    seed: int,
) -> dict[str, dict[str, float | None]]:
    if np.unique(group_of).size < 2:
        scores = evaluate(truth, probs)
        return {name: {"value": value, "low": None, "high": None} for name, value in scores.items()}
    intervals = bootstrap_intervals(truth, probs, group_of, n_resamples=n_resamples, seed=seed)
    return {name: {**interval.to_dict()} for name, interval in intervals.items()}

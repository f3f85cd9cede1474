"""How much data an accuracy would need, from the accuracies of less data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from songnet.evaluation.intervals import CONFIDENCE, N_RESAMPLES, group_indices

__all__ = ["tracks_needed", "tracks_needed_interval"]

_FEWEST_POINTS = 3
_MOST_TRACKS = 1e7  # more is no forecast


def tracks_needed(
    n_tracks: Sequence[float], accuracies: Sequence[float], *, wanted: float
) -> int | None:
    """Continue a learning curve by a power law of the error, ``a * n ** -b``.

    Parameters
    ----------
    n_tracks : sequence of float
        Training tracks of each point.
    accuracies : sequence of float
    wanted : float
        Accuracy to reach, below 1.

    Returns
    -------
    n : int or None
        To two digits; None where there are fewer than three points, the error
        does not fall or hardly, or there is none.

    References
    ----------
    .. [1] Hestness, J. et al. "Deep learning scaling is predictable,
       empirically", arXiv:1712.00409, 2017.
    """
    n = _needed(n_tracks, np.asarray(accuracies, np.float64)[None], wanted=wanted)[0]
    return _to_two_digits(n) if n <= _MOST_TRACKS else None


def tracks_needed_interval(
    n_tracks: Sequence[float],
    is_right: npt.NDArray[np.bool_],
    groups: Sequence[object],
    *,
    wanted: float,
    seed: int = 0,
) -> tuple[int, int | None]:
    """95 % interval of `tracks_needed` by a bootstrap over artists.

    It holds the noise of the tracks that were scored, the same for all points,
    not that of the trainings, nor whether the power law goes on.

    Parameters
    ----------
    n_tracks : sequence of float
        Training tracks of each point; at least three.
    is_right : np.ndarray [shape=(n_points, n_scored), dtype=bool]
        Whether the model of each point names each track right.
    groups : sequence [length=n_scored]
        The artist of each track.
    wanted : float
    seed : int

    Returns
    -------
    low, high : int, int or None
        To two digits; ``high`` is None where it is no forecast any more.
    """
    group_of, n_groups = group_indices(groups, n_tracks=is_right.shape[1])
    sums = np.stack(
        [np.bincount(group_of, row, n_groups) for row in (*is_right, np.ones(group_of.size))]
    )
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=N_RESAMPLES)
    *right, sizes = (draws @ sums.T).T
    needed = _needed(n_tracks, (np.stack(right) / sizes).T, wanted=wanted)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(needed, [tail, 1 - tail], method="nearest")
    return _to_two_digits(min(low, _MOST_TRACKS)), (
        _to_two_digits(high) if high <= _MOST_TRACKS else None
    )


def _needed(
    n_tracks: Sequence[float], accuracies: npt.NDArray[np.float64], *, wanted: float
) -> npt.NDArray[np.float64]:
    """Tracks that each curve (rows) needs; infinite where its error does not fall."""
    errors = 1 - accuracies
    needed = np.full(len(errors), np.inf)
    if len(n_tracks) < _FEWEST_POINTS:
        return needed
    x = np.log(n_tracks)
    has_errors = errors.min(axis=1) > 0
    slope, offset = np.polyfit(x, np.log(errors[has_errors]).T, 1)
    falls = slope < 0
    with np.errstate(over="ignore"):
        needed[np.flatnonzero(has_errors)[falls]] = np.exp(
            (np.log1p(-wanted) - offset[falls]) / slope[falls]
        )
    return needed


def _to_two_digits(n: float) -> int:
    return int(float(f"{n:.1e}"))

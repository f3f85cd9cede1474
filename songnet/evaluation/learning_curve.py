"""How much data an accuracy would need, from the accuracies of less data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["tracks_needed"]

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
    errors = 1 - np.asarray(accuracies, np.float64)
    if len(errors) < _FEWEST_POINTS or errors.min() <= 0:
        return None
    slope, offset = np.polyfit(np.log(n_tracks), np.log(errors), 1)
    if slope >= 0:
        return None
    log_needed = (np.log1p(-wanted) - offset) / slope
    if log_needed > np.log(_MOST_TRACKS):
        return None
    return int(float(f"{np.exp(log_needed):.1e}"))

"""Sections of a track: stretches in which the genre stays the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from songnet.exceptions import ParameterError
from songnet.inference.prediction import Timeline

__all__ = ["CHANGE_PENALTY", "MIN_SECTION_SECONDS", "Section", "find_sections"]

MIN_SECTION_SECONDS = 8.0
# In nats times seconds: what a change of genre must explain to count as one.
CHANGE_PENALTY = 4.0
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """A stretch with one genre.

    Parameters
    ----------
    start_seconds, end_seconds : float
    genre : str
    confidence : float
        Mean probability of the genre over the section.
    probs : np.ndarray [shape=(n_genres,), dtype=float64]
        Mean probabilities over the section; they sum to 1.
    """

    start_seconds: float
    end_seconds: float
    genre: str
    confidence: float
    probs: FloatArray


def find_sections(
    steps: Timeline,
    *,
    genres: tuple[str, ...],
    min_seconds: float = MIN_SECTION_SECONDS,
    penalty: float = CHANGE_PENALTY,
) -> tuple[Section, ...]:
    """Split a track where its genre changes.

    Optimal partitioning [1]_: of all ways to cut the track into stretches of
    at least ``min_seconds``, the one with the smallest sum of costs, found by
    dynamic programming. A stretch costs its length times the entropy of its
    mean probabilities, so that a cut gains the Jensen-Shannon divergence of
    its two sides; each cut costs ``penalty``. Neighbours with the same most
    probable genre are joined afterwards.

    Parameters
    ----------
    steps : Timeline
        Without overlap, as `genre_steps` gives them.
    genres : tuple of str
    min_seconds : float
        A track shorter than twice this is one section.
    penalty : float
        In nats times seconds, at least 0.

    Returns
    -------
    sections : tuple of Section
        In order, from the first step's start to the last one's end, without
        gaps or overlaps.

    Raises
    ------
    ParameterError
        If ``min_seconds`` or ``penalty`` is negative, or ``genres`` are not
        as many as the probabilities.

    References
    ----------
    .. [1] Jackson, B. et al. "An algorithm for optimal partitioning of data
       on an interval", IEEE Signal Processing Letters 12 (2005).
    """
    if min_seconds < 0 or penalty < 0:
        raise ParameterError(
            f"min_seconds is {min_seconds} and penalty {penalty}; expected 0 or more."
        )
    if len(genres) != steps.probs.shape[1]:
        raise ParameterError(
            f"{len(genres)} genres are named, the steps have {steps.probs.shape[1]}."
        )
    edges = np.append(steps.start_seconds, steps.end_seconds[-1])
    # Integrals of the probabilities from the start: (n_steps + 1, n_genres)
    integral = np.zeros((len(edges), len(genres)))
    np.cumsum(steps.probs * np.diff(edges)[:, None], axis=0, out=integral[1:])
    cuts = _best_cuts(edges, integral, min_seconds=min_seconds, penalty=penalty)
    tops = [int((integral[end] - integral[start]).argmax()) for start, end in pairwise(cuts)]
    kept = [0, *(cuts[i] for i in range(1, len(tops)) if tops[i] != tops[i - 1]), cuts[-1]]
    return tuple(_section(edges, integral, start, end, genres) for start, end in pairwise(kept))


def _best_cuts(
    edges: FloatArray, integral: FloatArray, *, min_seconds: float, penalty: float
) -> list[int]:
    """Indices of the edges at which sections begin and end."""
    n_steps = len(edges) - 1
    best = np.full(n_steps + 1, np.inf)
    best[0] = -penalty
    came_from = np.zeros(n_steps + 1, dtype=int)
    for end in range(1, n_steps + 1):
        lengths = edges[end] - edges[:end]
        sums = integral[end] - integral[:end]  # (end, n_genres)
        costs = -xlogy(sums, np.maximum(sums, 1e-300) / lengths[:, None]).sum(axis=1)
        totals = best[:end] + costs + penalty
        # Half a microsecond of rounding must not forbid a section of just the minimum.
        totals[lengths < min_seconds - 5e-7] = np.inf
        came_from[end] = int(totals.argmin())
        best[end] = totals[came_from[end]]
    cuts = [n_steps]
    while cuts[-1] > 0:
        cuts.append(int(came_from[cuts[-1]]) if np.isfinite(best[cuts[-1]]) else 0)
    return cuts[::-1]


def _section(
    edges: FloatArray, integral: FloatArray, start: int, end: int, genres: tuple[str, ...]
) -> Section:
    probs = (integral[end] - integral[start]) / (edges[end] - edges[start])
    top = int(probs.argmax())
    return Section(
        start_seconds=float(edges[start]),
        end_seconds=float(edges[end]),
        genre=genres[top],
        confidence=float(probs[top]),
        probs=probs,
    )

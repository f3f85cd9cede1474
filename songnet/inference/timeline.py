"""The genre over a track: steps without overlap, shares of time, mean and spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from songnet.inference.prediction import Timeline

__all__ = ["WindowSpread", "genre_steps", "time_shares", "window_spread"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WindowSpread:
    """Each genre's probability over the windows of a track.

    Parameters
    ----------
    mean, std, low, high : np.ndarray [shape=(n_genres,), dtype=float64]
        Mean, standard deviation, smallest and largest.
    """

    mean: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray


def genre_steps(timeline: Timeline, *, duration_seconds: float) -> Timeline:
    """Turn overlapping windows into steps that follow one another.

    A step is as long as the hop between windows; its probabilities are the
    mean of the windows that cover its middle.

    Parameters
    ----------
    timeline : Timeline
    duration_seconds : float
        The end of the last step.

    Returns
    -------
    steps : Timeline
        Without overlap, from 0 to ``duration_seconds``.
    """
    starts = timeline.start_seconds
    hop = float(starts[1] - starts[0]) if starts.size > 1 else duration_seconds
    # A rest shorter than half a step belongs to the step before it.
    n_steps = max(1, round(duration_seconds / hop))
    edges = np.append(np.arange(n_steps) * hop, duration_seconds)
    middle = (edges[:-1] + edges[1:]) / 2
    covers = (starts <= middle[:, None]) & (middle[:, None] < timeline.end_seconds)
    weights = covers / covers.sum(axis=1, keepdims=True)
    return Timeline(start_seconds=edges[:-1], end_seconds=edges[1:], probs=weights @ timeline.probs)


def time_shares(steps: Timeline) -> FloatArray:
    """Share of the time in which each genre is the most probable one.

    Parameters
    ----------
    steps : Timeline
        Without overlap, as `genre_steps` gives them.

    Returns
    -------
    shares : np.ndarray [shape=(n_genres,), dtype=float64]
        They sum to 1.
    """
    seconds = steps.end_seconds - steps.start_seconds
    is_top = np.arange(steps.probs.shape[1]) == steps.probs.argmax(axis=1)[:, None]
    shares: FloatArray = (seconds / seconds.sum()) @ is_top.astype(np.float64)
    return shares


def window_spread(timeline: Timeline) -> WindowSpread:
    """Mean and spread of each genre's probability over the windows.

    Parameters
    ----------
    timeline : Timeline

    Returns
    -------
    spread : WindowSpread
    """
    probs = timeline.probs
    return WindowSpread(
        mean=probs.mean(axis=0),
        std=probs.std(axis=0),
        low=probs.min(axis=0),
        high=probs.max(axis=0),
    )

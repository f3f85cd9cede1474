"""Predictions to score: a seeded classifier that is right about half the time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import softmax


class Predictions(NamedTuple):
    y_true: npt.NDArray[np.int64]
    probs: npt.NDArray[np.float64]
    logits: npt.NDArray[np.float64]
    groups: npt.NDArray[np.str_]
    genres: tuple[str, ...]


def make_predictions(n_tracks: int = 240, n_genres: int = 5, *, seed: int = 0) -> Predictions:
    """Draw each true genre from the probabilities themselves: perfectly calibrated."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n_tracks, n_genres))
    probs = softmax(logits, axis=1)
    y_true = np.array([rng.choice(n_genres, p=row) for row in probs])
    groups = np.array([f"artist {i}" for i in rng.integers(0, n_tracks // 3, n_tracks)])
    return Predictions(y_true, probs, logits, groups, tuple("ABCDEFGHIJ"[:n_genres]))

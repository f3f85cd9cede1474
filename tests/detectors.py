"""Detectors of music whose answer a test knows beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from songnet.signal.music import MusicDetector, MusicNetwork


def linear_network(
    weights: Sequence[float], *, bias: float = 0.0, mean: float = 0.0
) -> MusicNetwork:
    """A network of two units whose difference is linear in the statistics."""
    column = np.array(weights, np.float64)[:, None]
    return MusicNetwork(
        mean=np.full(column.size, mean),
        scale=np.ones(column.size),
        hidden=np.hstack([column, -column]),
        hidden_bias=np.zeros(2),
        weights=np.array([1.0, -1.0]),
        bias=bias,
    )


def detector_of(
    network: MusicNetwork, feature_hash: str, *, refuse: float, doubt: float
) -> MusicDetector:
    """A detector with these thresholds."""
    return MusicDetector(feature_hash, network, refuse, doubt, {"seed": 3})

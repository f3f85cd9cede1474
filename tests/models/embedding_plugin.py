"""A model as a plug-in names it: level and crossings of each window."""

from __future__ import annotations

import numpy as np


def level_and_crossings(windows: np.ndarray) -> np.ndarray:
    crossings = np.abs(np.diff(np.signbit(windows), axis=1)).mean(axis=1)
    return np.stack([np.abs(windows).mean(axis=1), crossings], axis=1)


def nothing(windows: np.ndarray) -> np.ndarray:
    return np.zeros(3)

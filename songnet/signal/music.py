"""Music or not: the detector that weighs the statistics of a log-mel."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from songnet.config import FeatureConfig
from songnet.exceptions import BundleError, ParameterError
from songnet.signal.features import LogMel
from songnet.signal.music_statistics import music_statistics

__all__ = ["Z_LIMIT", "MusicDetector", "cut_windows", "music_probability"]

# Standardised statistics beyond it say no more.
Z_LIMIT = 4.0
_WINDOW_SECONDS = 5.0
_VECTORS = ("mean", "scale", "weights")


def cut_windows(S_db: LogMel, *, config: FeatureConfig) -> list[LogMel]:
    """Cut a log-mel into equal windows of about 5 s, as the detector reads it.

    Parameters
    ----------
    S_db : np.ndarray [shape=(n_mels, n_frames), dtype=float32]
    config : FeatureConfig
        Uses ``frame_seconds``.

    Returns
    -------
    windows : list of np.ndarray [shape=(n_mels, n_window_frames), dtype=float32]
        At least one; they do not overlap, and their lengths differ by one
        frame at most. None is longer than 7.5 s, and none shorter than 3.3 s
        unless it is all there is.
    """
    n_windows = max(1, round(S_db.shape[1] * config.frame_seconds / _WINDOW_SECONDS))
    return np.array_split(S_db, n_windows, axis=1)


@dataclass(frozen=True)
class MusicDetector:
    """Logistic regression on `music_statistics`.

    Parameters
    ----------
    feature_hash : str
        Hash of the feature settings that it was trained with.
    mean, scale, weights : tuple of float
        Of each statistic: what is subtracted, what it is divided by, and its
        weight.
    bias : float
    refuse_below, doubt_below : float
        Probability of music under which nothing is named, and under which the
        answer is "not sure".
    training : dict
        Data hashes, seed, versions and commit.
    """

    feature_hash: str
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    refuse_below: float
    doubt_below: float
    training: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            If it cannot be read.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            vectors = {name: tuple(map(float, values[name])) for name in _VECTORS}
            if len({len(vector) for vector in vectors.values()}) != 1:
                raise ValueError("its vectors differ in length")
            return cls(**(values | vectors))
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"{path} cannot be read: {error!r}; train it again.") from error

    def save(self, path: Path) -> None:
        """Write everything as one JSON object."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def logit(self, S_db: LogMel, *, config: FeatureConfig) -> float:
        """Log-odds of music: the mean over the windows of `cut_windows`.

        Parameters
        ----------
        S_db : np.ndarray [shape=(n_mels, n_frames), dtype=float32]
        config : FeatureConfig

        Raises
        ------
        ParameterError
            If the statistics are not those that it was trained with.
        """
        windows = cut_windows(S_db, config=config)
        statistics = np.array([music_statistics(X, config=config) for X in windows])
        if statistics.shape[1] != len(self.weights):
            raise ParameterError(
                f"The detector has {len(self.weights)} weights and there are "
                f"{statistics.shape[1]} statistics; train it again."
            )
        z = np.clip((statistics - np.array(self.mean)) / np.array(self.scale), -Z_LIMIT, Z_LIMIT)
        return float(np.mean(z @ np.array(self.weights) + self.bias))


def music_probability(logit: float) -> float:
    """Turn log-odds into a probability."""
    return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))

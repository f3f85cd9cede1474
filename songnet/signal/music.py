"""Music or not: the detector that weighs the statistics of a log-mel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.exceptions import BundleError, ParameterError
from songnet.signal.features import LogMel
from songnet.signal.music_statistics import music_statistics

__all__ = [
    "MusicDetector",
    "MusicNetwork",
    "cut_windows",
    "music_probability",
    "standardise",
]

FloatArray = npt.NDArray[np.float64]
_Z_LIMIT = 4.0
_WINDOW_SECONDS = 5.0
_ARRAYS = ("mean", "scale", "hidden", "hidden_bias", "weights")


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


@dataclass(frozen=True, eq=False)
class MusicNetwork:
    """Network with one hidden layer on the `music_statistics` of a window.

    Parameters
    ----------
    mean, scale : np.ndarray [shape=(n_statistics,), dtype=float64]
        Of each statistic: what is subtracted, and what it is divided by.
    hidden : np.ndarray [shape=(n_statistics, n_units), dtype=float64]
    hidden_bias, weights : np.ndarray [shape=(n_units,), dtype=float64]
        Of each hidden unit: its bias, and its weight in the log-odds.
    bias : float

    Raises
    ------
    ParameterError
        If the shapes do not fit together.
    """

    mean: FloatArray
    scale: FloatArray
    hidden: FloatArray
    hidden_bias: FloatArray
    weights: FloatArray
    bias: float

    def __post_init__(self) -> None:
        n_statistics, n_units = self.mean.size, self.weights.size
        shapes = [array.shape for array in (self.scale, self.hidden, self.hidden_bias)]
        if shapes != [(n_statistics,), (n_statistics, n_units), (n_units,)]:
            raise ParameterError(
                f"The scale, the hidden layer and its bias have the shapes {shapes}; "
                f"expected them for {n_statistics} statistics and {n_units} units."
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`."""
        arrays = {name: np.array(values[name], np.float64) for name in _ARRAYS}
        return cls(bias=float(values["bias"]), **arrays)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON types."""
        return {name: getattr(self, name).tolist() for name in _ARRAYS} | {"bias": self.bias}

    def logits(self, statistics: FloatArray) -> FloatArray:
        """Log-odds of music of each window.

        Parameters
        ----------
        statistics : np.ndarray [shape=(n_windows, n_statistics), dtype=float64]

        Returns
        -------
        logits : np.ndarray [shape=(n_windows,), dtype=float64]

        Raises
        ------
        ParameterError
            If the statistics are not those that it was trained with.
        """
        if statistics.shape[1] != self.mean.size:
            raise ParameterError(
                f"The detector knows {self.mean.size} statistics and there are "
                f"{statistics.shape[1]}; train it again."
            )
        z = standardise(statistics, mean=self.mean, scale=self.scale)
        logits: FloatArray = np.maximum(z @ self.hidden + self.hidden_bias, 0) @ self.weights
        return logits + self.bias


def standardise(statistics: FloatArray, *, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Shift and scale the columns, and clip them: beyond it a statistic says no more.

    Parameters
    ----------
    statistics : np.ndarray [shape=(n_windows, n_statistics), dtype=float64]
    mean, scale : np.ndarray [shape=(n_statistics,), dtype=float64]

    Returns
    -------
    z : np.ndarray [shape=(n_windows, n_statistics), dtype=float64]
        Between -4 and 4.
    """
    z: FloatArray = np.clip((statistics - mean) / scale, -_Z_LIMIT, _Z_LIMIT)
    return z


@dataclass(frozen=True)
class MusicDetector:
    """A network that tells music from other sounds, and what follows from its answer.

    Parameters
    ----------
    feature_hash : str
        Hash of the feature settings that it was trained with.
    network : MusicNetwork
    refuse_below, doubt_below : float
        Probability of music under which nothing is named, and under which the
        answer is "not sure".
    training : dict
        Data hashes, seed, versions and commit.
    """

    feature_hash: str
    network: MusicNetwork
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
            network = MusicNetwork.from_dict(values["network"])
            return cls(**(values | {"network": network}))
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise BundleError(f"{path} cannot be read: {error!r}; train it again.") from error

    def save(self, path: Path) -> None:
        """Write everything as one JSON object."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        content = json.dumps(values | {"network": self.network.to_dict()})
        path.write_text(content + "\n", encoding="utf-8")

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
        return float(self.network.logits(statistics).mean())


def music_probability(logit: float) -> float:
    """Turn log-odds into a probability."""
    return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))

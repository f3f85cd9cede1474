"""Music or not: statistics of a log-mel window, and the detector that weighs them.

The statistics say how sound moves, not how loud or how bright it is: whether
partials stay in place as notes do or glide as speech does, how fast bands
swell, whether onsets come in a beat, whether there are pauses.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.exceptions import BundleError, ParameterError
from songnet.signal.features import LogMel

__all__ = ["Z_LIMIT", "MusicDetector", "music_probability", "music_statistics"]

FloatArray = npt.NDArray[np.float64]
# Standardised statistics beyond it say no more.
Z_LIMIT = 5.0
_RANGE_DB = 50.0
_N_GROUPS = 16
_MACRO_BANDS = 4
_MODULATION_HZ = (0.0, 0.7, 1.5, 3.0, 5.0, 10.0)
_LAGS_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6)
_BEAT_SECONDS = (0.24, 1.5)
_TINY = 1e-9
_VECTORS = ("mean", "scale", "weights")


def music_statistics(S_db: LogMel, *, config: FeatureConfig) -> FloatArray:
    """Describe a window of any length by numbers that do not depend on its level.

    Parameters
    ----------
    S_db : np.ndarray [shape=(n_mels, n_frames), dtype=float32]
        At least one frame, without completion.
    config : FeatureConfig
        Uses ``frame_seconds``.

    Returns
    -------
    statistics : np.ndarray [shape=(n_statistics,), dtype=float64]
        Spectrum and its deviation, movement, modulation spectrum, steadiness of
        partials, beat, and the distribution of the level.

    References
    ----------
    .. [1] Scheirer, E. and Slaney, M. "Construction and evaluation of a robust
       multifeature speech/music discriminator", ICASSP 1997: energy modulated at
       4 Hz, share of quiet frames, beat.
    """
    if S_db.ndim != 2 or S_db.shape[1] == 0:
        raise ParameterError(f"S_db has shape {S_db.shape}; expected (n_mels, n_frames > 0).")
    X = np.maximum(S_db - _top(S_db), -_RANGE_DB).astype(np.float32)
    groups = _band_means(X, min(_N_GROUPS, len(X)))
    moves = np.diff(X, axis=1) if X.shape[1] > 1 else np.zeros((len(X), 1), np.float32)
    return np.concatenate(
        [
            groups.mean(axis=1) - groups.mean(),
            groups.std(axis=1),
            _band_means(np.abs(moves), _MACRO_BANDS).mean(axis=1),
            _modulation(_band_means(X, _MACRO_BANDS), config.frame_seconds),
            _steadiness(X, config.frame_seconds),
            _beat(np.maximum(moves, 0).mean(axis=0), config.frame_seconds),
            _level_distribution(X.mean(axis=0)),
        ]
    ).astype(np.float64)


def _top(S_db: LogMel) -> float:
    """Level that one cell in a hundred reaches."""
    rank = int(0.99 * (S_db.size - 1))
    return float(np.partition(S_db, rank, axis=None)[rank])


def _band_means(X: LogMel, n_bands: int) -> LogMel:
    starts = np.linspace(0, len(X), n_bands, endpoint=False).astype(int)
    sizes = np.diff(np.append(starts, len(X)))
    means: LogMel = (np.add.reduceat(X, starts, axis=0) / sizes[:, None]).astype(np.float32)
    return means


def _modulation(bands: LogMel, frame_seconds: float) -> FloatArray:
    """Share of each band's movement at each speed."""
    n_frames = bands.shape[1]
    window = np.hanning(n_frames + 2)[1:-1]
    spectrum = np.fft.rfft((bands - bands.mean(axis=1, keepdims=True)) * window, axis=1)
    power = np.abs(spectrum) ** 2
    hz = np.fft.rfftfreq(n_frames, frame_seconds)
    total = power.sum(axis=1) + _TINY
    return np.concatenate(
        [
            power[:, (hz >= low) & (hz < high)].sum(axis=1) / total
            for low, high in pairwise(_MODULATION_HZ)
        ]
    )


def _steadiness(X: LogMel, frame_seconds: float) -> FloatArray:
    """How much the fine structure stands out, and how alike it is some time later."""
    smooth = _smooth_over_mel(len(X)) @ X
    fine = X - smooth
    energy = float(np.mean(fine**2))
    alike = [energy**0.5, float(np.mean(np.max(fine, axis=0)))]
    for lag_seconds in _LAGS_SECONDS:
        lag = max(1, round(lag_seconds / frame_seconds))
        early, late = fine[:, :-lag], fine[:, lag:]
        alike.append(float(np.mean(early * late)) / (energy + _TINY) if early.size else 0.0)
    # The mean over time keeps what stays; of gliding partials little is left.
    alike.append(float(np.mean(fine.mean(axis=1) ** 2)) / (energy + _TINY))
    return np.array(alike)


@lru_cache(maxsize=8)
def _smooth_over_mel(n_mels: int, reach: int = 3) -> npt.NDArray[np.float32]:
    distance = np.abs(np.arange(n_mels)[:, None] - np.arange(n_mels)[None, :])
    weights = (distance <= reach).astype(np.float32)
    smooth: npt.NDArray[np.float32] = weights / weights.sum(axis=1, keepdims=True)
    return smooth


def _beat(onsets: npt.NDArray[np.float32], frame_seconds: float) -> FloatArray:
    """Strength of the clearest period, and how peaky the onsets are."""
    y = onsets - onsets.mean()
    energy = float(y @ y)
    shortest, longest = (round(seconds / frame_seconds) for seconds in _BEAT_SECONDS)
    if y.size <= longest + shortest or energy < _TINY:
        return np.zeros(3)
    spectrum = np.fft.rfft(y, 2 * y.size)
    repeats = np.fft.irfft(np.abs(spectrum) ** 2)[: longest + 1] / energy
    repeats *= y.size / (y.size - np.arange(repeats.size))
    inside = repeats[shortest:]
    kurtosis = float(np.mean(y**4) / (np.mean(y**2) ** 2 + _TINY))
    return np.array([inside.max(), inside.max() - inside.min(), np.log(kurtosis + _TINY)])


def _level_distribution(level: npt.NDArray[np.float32]) -> FloatArray:
    """Spread and skewness of the level in dB, and the share of quiet frames."""
    y = level - level.mean()
    spread = float(y.std())
    low, middle, high = np.percentile(level, [10, 50, 90])
    quiet = float(np.mean(level < high - 12))
    skewness = float(np.mean(y**3) / (spread**3 + _TINY))
    return np.array([spread, skewness, middle - low, high - middle, quiet])


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
        """Log-odds of music: the mean over windows that do not overlap.

        Parameters
        ----------
        S_db : np.ndarray [shape=(n_mels, n_frames), dtype=float32]
        config : FeatureConfig
            A window has ``patch_frames``; the last may be shorter and counts
            by its length.

        Raises
        ------
        ParameterError
            If the statistics are not those that it was trained with.
        """
        starts = range(0, S_db.shape[1], config.patch_frames)
        windows = [S_db[:, start : start + config.patch_frames] for start in starts]
        statistics = np.array([music_statistics(X, config=config) for X in windows])
        if statistics.shape[1] != len(self.weights):
            raise ParameterError(
                f"The detector has {len(self.weights)} weights and there are "
                f"{statistics.shape[1]} statistics; train it again."
            )
        z = np.clip((statistics - np.array(self.mean)) / np.array(self.scale), -Z_LIMIT, Z_LIMIT)
        logits = z @ np.array(self.weights) + self.bias
        return float(np.average(logits, weights=[X.shape[1] for X in windows]))


def music_probability(logit: float) -> float:
    """Turn log-odds into a probability."""
    return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))

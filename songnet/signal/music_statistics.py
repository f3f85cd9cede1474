"""Statistics of a log-mel window that tell music from other sounds.

They say how sound moves, not how loud it is: whether partials stay in place as
notes do or glide as speech does, how fast each band swells, whether bands move
together or apart, whether onsets come in a beat, whether there are pauses.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.exceptions import ParameterError
from songnet.signal.features import LogMel

__all__ = ["music_statistics"]

FloatArray = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
_RANGE_DB = 50.0
_N_GROUPS = 16
_N_BANDS = 8
_N_REGIONS = 4
_MODULATION_HZ = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.5)
_LAGS_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_BEAT_SECONDS = (0.24, 1.5)
_QUIET_DB = 12.0
_TINY = 1e-6


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
        Spectrum and its deviation, movement, modulation spectra, fine
        structure and how long it stays or glides, how many bands move by
        themselves, likeness over time, beat, level, peakiness.

    References
    ----------
    .. [1] Scheirer, E. and Slaney, M. "Construction and evaluation of a robust
       multifeature speech/music discriminator", ICASSP 1997: energy modulated at
       4 Hz, share of quiet frames, beat.
    """
    if S_db.ndim != 2 or S_db.shape[1] == 0:
        raise ParameterError(f"S_db has shape {S_db.shape}; expected (n_mels, n_frames > 0).")
    seconds = config.frame_seconds
    X = np.maximum(S_db - _top(S_db), -_RANGE_DB).astype(np.float32)
    groups = _averaging(len(X), _N_GROUPS) @ X
    level = X.mean(axis=0)
    moves = np.diff(X, axis=1) if X.shape[1] > 1 else np.zeros((len(X), 1), np.float32)
    lags = [max(1, round(lag / seconds)) for lag in _LAGS_SECONDS]
    return np.concatenate(
        [
            groups.mean(axis=1) - groups.mean(),
            groups.std(axis=1),
            _movement(moves),
            _modulation(_averaging(len(X), _N_BANDS) @ X, seconds),
            _modulation(level[None, :], seconds),
            _fine_structure(X, lags),
            _togetherness(groups),
            _likeness(X, lags),
            _beats(np.maximum(moves, 0), seconds),
            _level_distribution(level),
            _peakiness(X),
        ]
    ).astype(np.float64)


def _top(S_db: LogMel) -> float:
    """Level that one cell in a hundred reaches."""
    rank = int(0.99 * (S_db.size - 1))
    return float(np.partition(S_db, rank, axis=None)[rank])


@lru_cache(maxsize=32)
def _averaging(n_mels: int, n_bands: int) -> Matrix:
    """Matrix whose product with a log-mel is the mean of each of equal bands."""
    starts = np.linspace(0, n_mels, min(n_bands, n_mels), endpoint=False).astype(int)
    ends = np.append(starts[1:], n_mels)
    mel = np.arange(n_mels)
    inside = (mel >= starts[:, None]) & (mel < ends[:, None])
    means: Matrix = (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32)
    return means


@lru_cache(maxsize=8)
def _sharpening(n_mels: int, reach: int = 3) -> Matrix:
    """Matrix that takes away the mean of the neighbouring bands."""
    distance = np.abs(np.arange(n_mels)[:, None] - np.arange(n_mels)[None, :])
    near = (distance <= reach).astype(np.float32)
    sharpening: Matrix = np.eye(n_mels, dtype=np.float32) - near / near.sum(axis=1, keepdims=True)
    return sharpening


def _movement(moves: Matrix) -> FloatArray:
    """How much each band moves from frame to frame, and how unevenly in time."""
    bands = _averaging(len(moves), _N_BANDS) @ np.abs(moves)
    mean = bands.mean(axis=1)
    return np.concatenate([mean, bands.std(axis=1) / (mean + 1e-3)])


def _modulation(bands: Matrix, frame_seconds: float) -> FloatArray:
    """Share of each band's movement at each speed, as a root."""
    n_frames = bands.shape[1]
    window = np.hanning(n_frames + 2)[1:-1]
    spectrum = np.fft.rfft((bands - bands.mean(axis=1, keepdims=True)) * window, axis=1)
    power = np.abs(spectrum) ** 2
    hz = np.fft.rfftfreq(n_frames, frame_seconds)
    total = power.sum(axis=1) + _TINY
    return np.concatenate(
        [
            np.sqrt(power[:, (hz >= low) & (hz < high)].sum(axis=1) / total)
            for low, high in pairwise(_MODULATION_HZ)
        ]
    )


def _fine_structure(X: Matrix, lags: list[int]) -> FloatArray:
    """How far partials stand out, how long they stay, and whether they glide."""
    regions = _averaging(len(X), _N_REGIONS)
    fine = _sharpening(len(X)) @ X
    energy = regions @ np.mean(fine**2, axis=1)
    stays, glides = [], []
    for lag in lags:
        early, late = fine[:, :-lag], fine[:, lag:]
        if not early.size:
            stays.append(np.zeros_like(energy))
            glides.append(0.0)
            continue
        stays.append(regions @ np.mean(early * late, axis=1) / (energy + _TINY))
        up, down = np.mean(early[1:] * late[:-1]), np.mean(early[:-1] * late[1:])
        glides.append(float(max(up, down)) / (float(energy.mean()) + _TINY))
    # The mean over time keeps what stays; of gliding partials little is left.
    whole = regions @ (fine.mean(axis=1) ** 2) / (energy + _TINY)
    return np.concatenate(
        [np.sqrt(energy), [float(fine.max(axis=0).mean())], *stays, glides, whole]
    )


def _togetherness(groups: Matrix) -> FloatArray:
    """Whether the bands move as one, as a bark does, or by themselves, as voices do."""
    moved = groups - groups.mean(axis=1, keepdims=True)
    covariance = moved @ moved.T / groups.shape[1]
    spread = np.sqrt(np.diag(covariance) + 0.25)
    correlation = covariance / spread[:, None] / spread[None, :]
    strength = np.maximum(np.linalg.eigvalsh(correlation)[::-1], 0)
    share = strength / (strength.sum() + _TINY)
    entropy = -float(share @ np.log(share + _TINY))
    thirds = _averaging(len(groups), 3)
    between = thirds @ correlation @ thirds.T
    return np.array([*share[:3], entropy, *between[np.triu_indices(len(between))]])


def _likeness(X: Matrix, lags: list[int]) -> FloatArray:
    """How alike the spectrum is to itself some time later."""
    moved = X - X.mean(axis=1, keepdims=True)
    energy = float(np.mean(moved**2)) + _TINY
    n_frames = X.shape[1]
    return np.array(
        [
            float(np.mean(moved[:, :-lag] * moved[:, lag:])) / energy if n_frames > lag else 0.0
            for lag in lags
        ]
    )


def _beats(rises: Matrix, frame_seconds: float) -> FloatArray:
    """Beat of all bands, of the lowest third and of the highest."""
    thirds = _averaging(len(rises), 3) @ rises
    return np.concatenate(
        [_beat(onsets, frame_seconds) for onsets in (rises.mean(axis=0), thirds[0], thirds[-1])]
    )


def _beat(onsets: Matrix, frame_seconds: float) -> FloatArray:
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


def _level_distribution(level: Matrix) -> FloatArray:
    """Spread and skewness of the level in dB, and the share of quiet frames."""
    y = level - level.mean()
    spread = float(y.std())
    low, middle, high = np.sort(level)[[int(share * (level.size - 1)) for share in (0.1, 0.5, 0.9)]]
    quiet = float(np.mean(level < high - _QUIET_DB))
    skewness = float(np.mean(y**3) / (spread**3 + _TINY))
    return np.array([spread, skewness, middle - low, high - middle, quiet])


def _peakiness(X: Matrix) -> FloatArray:
    """How far the strongest band stands above the mean, how uneven the bands are."""
    crest = X.max(axis=0) - X.mean(axis=0)
    unevenness = X.std(axis=0)
    return np.array([crest.mean(), crest.std(), unevenness.mean(), unevenness.std()])

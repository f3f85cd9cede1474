"""Random changes of log-mel patches: what another microphone, codec or level
would have done to the same music.

All functions work on batches ``X`` of shape (n, patch_frames, n_mels) in dB,
return a new array, and draw from the generator that they are given.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig, TrainConfig
from songnet.signal.features import Patches

__all__ = [
    "add_noise_floor",
    "augment_batch",
    "change_gain_and_eq",
    "mask_patches",
    "mix_up",
]

Labels = npt.NDArray[np.float32]
_EQ_POINTS = 6
_DB_TO_LOG = np.float32(np.log(10) / 10)


def change_gain_and_eq(
    X: Patches, rng: np.random.Generator, *, gain_db: float, eq_db: float
) -> Patches:
    """Change the level, and the response by a smooth random curve.

    Parameters
    ----------
    X : np.ndarray [shape=(n, patch_frames, n_mels), dtype=float32]
    rng : np.random.Generator
    gain_db : float
        Largest change of level.
    eq_db : float
        Standard deviation of the curve at each of its six points.
    """
    n, _, n_mels = X.shape
    gain = rng.uniform(-gain_db, gain_db, (n, 1))
    points = rng.normal(0, eq_db, (n, _EQ_POINTS))
    where = np.linspace(0, _EQ_POINTS - 1, n_mels)
    left = np.minimum(where.astype(int), _EQ_POINTS - 2)
    share = where - left
    curve = points[:, left] * (1 - share) + points[:, left + 1] * share + gain
    changed: Patches = X + curve[:, None, :].astype(np.float32)
    return changed


def add_noise_floor(X: Patches, rng: np.random.Generator, *, highest_db: float) -> Patches:
    """Add stationary noise with a random level and tilt, as power.

    Parameters
    ----------
    X : np.ndarray [shape=(n, patch_frames, n_mels), dtype=float32]
    rng : np.random.Generator
    highest_db : float
        Highest mean level of the noise; the lowest is 40 dB below.
    """
    n, _, n_mels = X.shape
    level = rng.uniform(highest_db - 40, highest_db, (n, 1, 1))
    tilt = rng.normal(0, 5, (n, 1, 1)) * np.linspace(-1, 1, n_mels)
    noise = (level + tilt).astype(np.float32)
    power = np.exp(X * _DB_TO_LOG) + np.exp(noise * _DB_TO_LOG)
    louder: Patches = np.log(power, out=power)
    louder /= _DB_TO_LOG
    return louder


def mask_patches(
    X: Patches,
    rng: np.random.Generator,
    *,
    time: tuple[int, int],
    mel: tuple[int, int],
) -> Patches:
    """Hide random stretches of time and mel bands (SpecAugment).

    Parameters
    ----------
    X : np.ndarray [shape=(n, patch_frames, n_mels), dtype=float32]
    rng : np.random.Generator
    time, mel : tuple of int
        Number of masks and greatest width, in frames and in bands.

    References
    ----------
    .. [1] Park, D. S. et al. "SpecAugment: a simple data augmentation method
       for automatic speech recognition", Interspeech 2019.
    """
    X = X.copy()
    fill = X.mean(axis=(1, 2))
    for axis, (count, greatest) in ((1, time), (2, mel)):
        size = X.shape[axis]
        widths = rng.integers(0, min(greatest, size) + 1, (len(X), count))
        starts = rng.integers(0, size - widths + 1)
        for patch, row_starts, row_widths, value in zip(X, starts, widths, fill, strict=True):
            for start, width in zip(row_starts, row_widths, strict=True):
                part = slice(start, start + width)
                patch[(part, slice(None)) if axis == 1 else (slice(None), part)] = value
    return X


def mix_up(
    X: Patches, targets: Labels, rng: np.random.Generator, *, alpha: float
) -> tuple[Patches, Labels]:
    """Blend each patch, and its target, with another one of the batch.

    Parameters
    ----------
    X : np.ndarray [shape=(n, patch_frames, n_mels), dtype=float32]
    targets : np.ndarray [shape=(n, n_classes), dtype=float32]
    rng : np.random.Generator
    alpha : float
        Both parameters of the Beta distribution of the share.

    References
    ----------
    .. [1] Zhang, H. et al. "mixup: beyond empirical risk minimization",
       ICLR 2018.
    """
    share = rng.beta(alpha, alpha, len(X)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    other = rng.permutation(len(X))
    mixed = share[:, None, None] * X + (1 - share[:, None, None]) * X[other]
    return mixed, share[:, None] * targets + (1 - share[:, None]) * targets[other]


def augment_batch(
    X: Patches,
    targets: Labels,
    rng: np.random.Generator,
    *,
    config: TrainConfig,
    features: FeatureConfig,
) -> tuple[Patches, Labels]:
    """Apply every augmentation that ``config`` switches on.

    Parameters
    ----------
    X : np.ndarray [shape=(n, patch_frames, n_mels), dtype=float32]
    targets : np.ndarray [shape=(n, n_classes), dtype=float32]
    rng : np.random.Generator
    config : TrainConfig
    features : FeatureConfig
        The result is clamped at its ``floor_db``, as real input is.

    Returns
    -------
    X, targets : np.ndarray
    """
    X = change_gain_and_eq(X, rng, gain_db=config.gain_db, eq_db=config.eq_db)
    X = add_noise_floor(X, rng, highest_db=config.noise_floor_db)
    if config.mixup_alpha > 0:
        X, targets = mix_up(X, targets, rng, alpha=config.mixup_alpha)
    X = mask_patches(
        X,
        rng,
        time=(config.time_masks, config.time_mask_frames),
        mel=(config.mel_masks, config.mel_mask_bands),
    )
    return np.maximum(X, np.float32(features.floor_db)), targets

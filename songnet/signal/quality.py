"""Is there anything to name? Level, silence and clipping of a waveform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from songnet.signal.audio import Waveform

__all__ = ["CLIPPED_SHARE", "SILENCE_DBFS", "SignalQuality", "level_dbfs", "measure_quality"]

SILENCE_DBFS = -60.0
CLIPPED_SHARE = 0.01
_BLOCK_SECONDS = 0.4
_LOWEST_DBFS = -120.0
_CLIPPING_LEVEL = 0.999


@dataclass(frozen=True)
class SignalQuality:
    """Level and faults of a waveform.

    Parameters
    ----------
    level_dbfs : float
        RMS level of the whole, in dB re a full-scale square wave.
    loudest_dbfs : float
        RMS level of the loudest block of 0.4 s.
    silent_share, clipped_share : float
        Share of blocks below `SILENCE_DBFS`, and of samples at full scale.
    """

    level_dbfs: float
    loudest_dbfs: float
    silent_share: float
    clipped_share: float

    @property
    def is_silent(self) -> bool:
        """No block reaches `SILENCE_DBFS`."""
        return self.loudest_dbfs < SILENCE_DBFS

    @property
    def is_clipped(self) -> bool:
        """More than `CLIPPED_SHARE` of the samples are at full scale."""
        return self.clipped_share > CLIPPED_SHARE


def level_dbfs(y: Waveform) -> float:
    """RMS level in dB re full scale, at least -120 dB.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]

    Returns
    -------
    level : float
    """
    if y.size == 0:
        return _LOWEST_DBFS
    return _power_to_dbfs(float(np.mean(np.square(y, dtype=np.float64))))


def measure_quality(y: Waveform, *, sr: int) -> SignalQuality:
    """Measure level, silence and clipping.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio in [-1, 1].
    sr : int
        Sample rate in Hz.

    Returns
    -------
    quality : SignalQuality
    """
    power = np.square(y)
    starts = np.arange(0, max(1, y.size), max(1, int(_BLOCK_SECONDS * sr)))
    sizes = np.diff(np.append(starts, y.size))
    block_power = np.add.reduceat(power, starts) / sizes if y.size else np.zeros(1)
    return SignalQuality(
        level_dbfs=_power_to_dbfs(float(power.mean()) if y.size else 0.0),
        loudest_dbfs=_power_to_dbfs(float(block_power.max())),
        silent_share=float(np.mean(block_power < 10 ** (SILENCE_DBFS / 10))),
        clipped_share=float(np.mean(np.abs(y) >= _CLIPPING_LEVEL)) if y.size else 0.0,
    )


def _power_to_dbfs(power: float) -> float:
    return float(10 * np.log10(max(power, 10 ** (_LOWEST_DBFS / 10))))

"""Is there anything to name? Level, silence and clipping of a waveform."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from songnet.signal.audio import Waveform, at_full_scale

__all__ = [
    "CLIPPED_SHARE",
    "NO_SIGNAL_DBFS",
    "SILENCE_DBFS",
    "LevelMeter",
    "LevelReading",
    "SignalQuality",
    "level_dbfs",
    "measure_quality",
]

SILENCE_DBFS = -60.0
# The noise of any microphone is louder; 16-bit zeros with dither are not.
NO_SIGNAL_DBFS = -85.0
CLIPPED_SHARE = 0.01
_BLOCK_SECONDS = 0.4
_LOWEST_DBFS = -120.0
_METER_SECONDS = 0.1
_READING_BLOCKS = 3
_BLOCKS_PER_QUALITY_BLOCK = round(_BLOCK_SECONDS / _METER_SECONDS)


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
    def has_signal(self) -> bool:
        """Some block reaches `NO_SIGNAL_DBFS`: something is plugged in and not muted."""
        return self.loudest_dbfs >= NO_SIGNAL_DBFS

    @property
    def is_clipped(self) -> bool:
        """More than `CLIPPED_SHARE` of the samples are at full scale."""
        return self.clipped_share > CLIPPED_SHARE


@dataclass(frozen=True)
class LevelReading:
    """What a level meter shows: the last 0.3 s.

    Parameters
    ----------
    rms_dbfs, peak_dbfs : float
        RMS of the mono mix, and highest sample of any channel, in dB re full
        scale, at least -120.
    is_clipped : bool
        A sample of any channel is at full scale.
    """

    rms_dbfs: float
    peak_dbfs: float
    is_clipped: bool

    @property
    def is_silent(self) -> bool:
        """The level is below `SILENCE_DBFS`."""
        return self.rms_dbfs < SILENCE_DBFS

    @property
    def has_signal(self) -> bool:
        """The level reaches `NO_SIGNAL_DBFS`."""
        return self.rms_dbfs >= NO_SIGNAL_DBFS


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
    bounds = _block_bounds(y.size, max(1, int(_BLOCK_SECONDS * sr)))
    block_power = np.add.reduceat(power, bounds[:-1]) / np.diff(bounds) if y.size else np.zeros(1)
    return SignalQuality(
        level_dbfs=_power_to_dbfs(float(power.mean()) if y.size else 0.0),
        loudest_dbfs=_power_to_dbfs(float(block_power.max())),
        silent_share=float(np.mean(block_power < 10 ** (SILENCE_DBFS / 10))),
        clipped_share=float(at_full_scale(y[:, None]).mean()) if y.size else 0.0,
    )


@dataclass(frozen=True)
class _Block:
    power: float
    peak: float
    clipped_share: float


class LevelMeter:
    """Measures the level of a signal that arrives in pieces.

    Parameters
    ----------
    window_seconds : float
        How far back `quality` can look.
    """

    def __init__(self, window_seconds: float) -> None:
        n_blocks = max(_READING_BLOCKS, int(np.ceil(window_seconds / _METER_SECONDS)))
        self._blocks: deque[_Block] = deque(maxlen=n_blocks)
        self._rest: npt.NDArray[np.float32] = np.zeros((0, 1), np.float32)

    def push(self, samples: npt.NDArray[np.float32], *, sr: int) -> None:
        """Take the next samples.

        Parameters
        ----------
        samples : np.ndarray [shape=(n, n_channels), dtype=float32]
            Finite; a block that is not full yet is dropped when the number of
            channels changes.
        sr : int
            Sample rate in Hz.
        """
        if self._rest.shape[1] == samples.shape[1]:
            samples = np.concatenate([self._rest, samples])
        size = max(1, round(_METER_SECONDS * sr))
        n_blocks = len(samples) // size
        self._rest = samples[n_blocks * size :].copy()
        for block in np.split(samples[: n_blocks * size], n_blocks) if n_blocks else ():
            self._blocks.append(
                _Block(
                    power=float(np.mean(np.square(block.mean(axis=1)))),
                    peak=float(np.abs(block).max()),
                    clipped_share=float(at_full_scale(block).mean()),
                )
            )

    @property
    def reading(self) -> LevelReading:
        """Level of the last 0.3 s, in steps of 0.1 s."""
        last = list(self._blocks)[-_READING_BLOCKS:]
        peak = max((block.peak for block in last), default=0.0)
        return LevelReading(
            rms_dbfs=_power_to_dbfs(_mean_power(last)),
            peak_dbfs=_power_to_dbfs(peak**2),
            is_clipped=any(block.clipped_share for block in last),
        )

    def quality(self, seconds: float) -> SignalQuality:
        """Level and faults of the last ``seconds``, as `measure_quality` gives them.

        Parameters
        ----------
        seconds : float
            At most what the meter was made for.

        Returns
        -------
        quality : SignalQuality
        """
        last = list(self._blocks)[-max(1, round(seconds / _METER_SECONDS)) :]
        bounds = _block_bounds(len(last), _BLOCKS_PER_QUALITY_BLOCK)
        powers = [_mean_power(last[start:end]) for start, end in pairwise(bounds)]
        return SignalQuality(
            level_dbfs=_power_to_dbfs(_mean_power(last)),
            loudest_dbfs=_power_to_dbfs(max(powers)),
            silent_share=float(np.mean([p < 10 ** (SILENCE_DBFS / 10) for p in powers])),
            clipped_share=float(np.mean([b.clipped_share for b in last])) if last else 0.0,
        )


def _block_bounds(n: int, size: int) -> list[int]:
    """Where blocks begin and the last one ends: it holds the rest, or a click there were loud."""
    return [*range(0, max(1, n - size + 1), size), n]


def _mean_power(blocks: Sequence[_Block]) -> float:
    return sum(block.power for block in blocks) / len(blocks) if blocks else 0.0


def _power_to_dbfs(power: float) -> float:
    return float(10 * np.log10(max(power, 10 ** (_LOWEST_DBFS / 10))))

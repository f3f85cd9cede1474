"""The learning rate over a training: warm-up, cosine, warm restarts."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from songnet.config import TrainConfig

__all__ = ["CosineCycles"]

_WARMUP_START = 0.05
_RESTART_FACTOR = 0.5


@keras.saving.register_keras_serializable("songnet")
class CosineCycles(keras.optimizers.schedules.LearningRateSchedule):
    """Cosine from the peak to nothing, once for each cycle.

    Each cycle begins with a warm-up and at half the peak of the one before.

    Parameters
    ----------
    peak : float
        Rate at the top of the first cycle.
    ends : sequence of int
        Last step of each cycle, rising.
    warmup : int
        Steps of the linear warm-up.

    References
    ----------
    .. [1] Loshchilov & Hutter, "SGDR: Stochastic gradient descent with warm
       restarts", ICLR 2017.
    """

    def __init__(self, peak: float, ends: list[int], warmup: int) -> None:
        super().__init__()
        self.peak = peak
        self.ends = list(ends)
        self.warmup = warmup

    @classmethod
    def of(cls, config: TrainConfig, *, steps: int) -> CosineCycles:
        """Return the schedule of a recipe whose epochs have ``steps`` steps."""
        ends = [end * steps for _, end in config.cycles]
        return cls(config.learning_rate, ends, max(1, config.warmup_epochs * steps))

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        rate: Any = 0.0
        for index, (start, end) in enumerate(zip([0, *self.ends], self.ends, strict=False)):
            cycle = self._cycle(step - start, end - start, self.peak * _RESTART_FACTOR**index)
            rate = ops.where(step >= start, cycle, rate)
        return rate

    def _cycle(self, step: Any, length: int, peak: float) -> Any:
        rising = peak * (_WARMUP_START + (1 - _WARMUP_START) * step / self.warmup)
        done = ops.clip((step - self.warmup) / max(1, length - self.warmup), 0.0, 1.0)
        falling = peak * 0.5 * (1 + ops.cos(done * math.pi))
        return ops.where(step < self.warmup, rising, falling)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"peak": self.peak, "ends": self.ends, "warmup": self.warmup}

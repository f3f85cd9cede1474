"""Conditions under which a track is heard, to measure what a model loses by each.

A condition changes the waveform, before any model's own features: the same
audio for all of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from songnet.config import Config
from songnet.exceptions import ParameterError
from songnet.signal.audio import Waveform
from songnet.signal.degrade import TEST_DEGRADATION, degrade, recode

__all__ = [
    "CLEAN",
    "CONDITION_SR",
    "DEGRADED_CONDITIONS",
    "SECONDS_CONDITIONS",
    "Condition",
    "apply_condition",
]

CONDITION_SR = 24_000  # of the rates that every codec here takes, the first above all features
_SMALL_ROOM = TEST_DEGRADATION.replace(
    name="small-room",
    low_hz=(20.0, 20.0),
    high_hz=(11_000.0, 11_000.0),
    snr_db=(60.0, 60.0),
    gain_db=(0.0, 0.0),
    bit_rate=(96_000.0, 96_000.0),
)


@dataclass(frozen=True)
class Condition(Config):
    """What is done to a track, in the order of the fields; what is not set is not done.

    Parameters
    ----------
    name : str
    seconds : float, optional
        Only the first so many seconds are heard.
    room : bool
        Played in a room that no training used, with 60 % of its response.
    snr_db : float, optional
        White noise, so far below the music.
    band_hz : (float, float) or ()
        Band of a telephone: Butterworth magnitudes of the fourth order.
    codec : str
        FFmpeg encoder.
    bit_rate : int
        In bit/s.
    """

    name: str
    seconds: float | None = None
    room: bool = False
    snr_db: float | None = None
    band_hz: tuple[float, ...] = ()
    codec: str = ""
    bit_rate: int = 0

    def __post_init__(self) -> None:
        if self.seconds is not None and not self.seconds > 0:
            raise ParameterError(f"seconds is {self.seconds}; expected more than 0.")
        if len(self.band_hz) not in {0, 2}:
            raise ParameterError(f"band_hz is {self.band_hz}; expected two limits or none.")
        if bool(self.codec) != (self.bit_rate > 0):
            raise ParameterError("codec and bit_rate belong together; expected both or neither.")


CLEAN = Condition("clean")
DEGRADED_CONDITIONS = (
    Condition("mp3-32k", codec="libmp3lame", bit_rate=32_000),
    Condition("opus-12k", codec="libopus", bit_rate=12_000),
    Condition("telephone", band_hz=(300.0, 3400.0)),
    Condition("noise-20db", snr_db=20.0),
    Condition("noise-10db", snr_db=10.0),
    Condition("noise-0db", snr_db=0.0),
    Condition("small-room", room=True),
)
SECONDS_CONDITIONS = tuple(
    Condition(f"{seconds}s", seconds=float(seconds)) for seconds in (1, 3, 5, 10, 20, 30)
)


def apply_condition(y: Waveform, *, sr: int, key: str, condition: Condition) -> Waveform:
    """Change a track as a condition says.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio in [-1, 1].
    sr : int
        Sample rate in Hz; one that the codec takes, such as `CONDITION_SR`.
    key : str
        Identity of the track: the same key gives the same noise and room.
    condition : Condition

    Returns
    -------
    y : np.ndarray [shape=(n,), dtype=float32]
        As long as before, or as ``condition.seconds`` says.
    """
    if condition.seconds is not None:
        y = y[: round(condition.seconds * sr)]
    if condition.room:
        y = degrade(y, sr=sr, key=key, settings=_SMALL_ROOM)
    if condition.snr_db is not None:
        seed = int.from_bytes(hashlib.sha256(f"{condition.name} {key}".encode()).digest()[:8])
        power = np.mean(np.square(y)) / 10 ** (condition.snr_db / 10)
        noise = np.random.default_rng(seed).standard_normal(y.size) * np.sqrt(power)
        y = (y + noise).astype(np.float32)
    if condition.band_hz:
        low, high = condition.band_hz
        hz = np.maximum(np.fft.rfftfreq(y.size, 1 / sr), 1)
        band = 1 / np.sqrt((1 + (low / hz) ** 8) * (1 + (hz / high) ** 8))
        y = np.fft.irfft(np.fft.rfft(y) * band, y.size).astype(np.float32)
    if condition.codec:
        y = recode(np.clip(y, -1, 1), sr=sr, codec=condition.codec, bit_rate=condition.bit_rate)
    return y

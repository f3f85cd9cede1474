"""What a live session remembers: its updates, and the last minutes of its sound."""

from __future__ import annotations

import io
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import soundfile as sf

from songnet.inference.prediction import Status
from songnet.inference.streaming import Chunk, LevelReading

__all__ = ["LiveMemory", "LiveMoment", "LiveUndo", "sound_to_wav"]

_MAX_MOMENTS = 4 * 3600


@dataclass(frozen=True)
class LiveMoment:
    """One update: a line of the log and a point of the chart.

    Parameters
    ----------
    clock : datetime
        When it was, in UTC.
    seconds : float
        Sound listened to before it.
    status : str
        As of a prediction.
    genre : str or None
        None while nothing is named.
    probs : np.ndarray [shape=(n_genres,), dtype=float64]
    level : LevelReading
    source : str
        What played, where the source says so.
    """

    clock: datetime
    seconds: float
    status: Status
    genre: str | None
    probs: npt.NDArray[np.float64]
    level: LevelReading
    source: str = ""

    @property
    def has_music(self) -> bool:
        """There was something to name, sure or not."""
        return self.status in ("ok", "not_sure")


class LiveMemory:
    """Everything between two resets; belongs to whoever holds the listener's lock.

    Parameters
    ----------
    keep_seconds : float
        How much of the sound is kept.

    Attributes
    ----------
    seconds, dropped_seconds : float
        Sound listened to, and lost.
    moments : deque of LiveMoment
        Oldest first; hours of them at most.
    sr : int
        Of the kept sound, in Hz; 0 before the first.
    """

    def __init__(self, keep_seconds: float) -> None:
        self.seconds = self.dropped_seconds = 0.0
        self.moments: deque[LiveMoment] = deque(maxlen=_MAX_MOMENTS)
        self.sr = 0
        self._keep_seconds = keep_seconds
        self._kept: deque[npt.NDArray[np.int16]] = deque()
        self._n_kept = 0

    @property
    def kept_seconds(self) -> float:
        """Length of the recording."""
        return self._n_kept / self.sr if self.sr else 0.0

    def begin_rate(self, sr: int) -> None:
        """Take sound of another rate from now on; a recording has one rate."""
        if sr != self.sr:
            self._kept.clear()
            self._n_kept = 0
        self.sr = sr

    def keep(self, chunk: Chunk) -> None:
        """Append sound to the recording; what is too old falls out."""
        self._append(_to_mono_int16(chunk))

    def _append(self, mono: npt.NDArray[np.int16]) -> None:
        self._kept.append(mono)
        self._n_kept += len(mono)
        while (excess := self._n_kept - round(self._keep_seconds * self.sr)) > 0:
            oldest = self._kept.popleft()
            if len(oldest) > excess:
                self._kept.appendleft(oldest[excess:])
            self._n_kept -= min(excess, len(oldest))

    def go_on_with(self, later: LiveMemory) -> None:
        """Append what was heard afterwards, as if nothing had been between."""
        self.moments.extend(replace(m, seconds=m.seconds + self.seconds) for m in later.moments)
        self.seconds += later.seconds
        self.dropped_seconds += later.dropped_seconds
        if later.sr:
            self.begin_rate(later.sr)
            for mono in later._kept:
                self._append(mono)

    def sound(self) -> tuple[npt.NDArray[np.int16], ...]:
        """Return the pieces of the recording."""
        return tuple(self._kept)


class LiveUndo:
    """What a reset forgot, until it is taken back or its time is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._memory: LiveMemory | None = None
        self._timer: threading.Timer | None = None

    @property
    def is_possible(self) -> bool:
        """There is something to take back."""
        return self._memory is not None

    def offer(self, memory: LiveMemory, *, seconds: float) -> None:
        """Hold a memory for so long, in place of the one before."""
        # Weak, so that the sound of a visitor who left does not wait for the timer.
        end = weakref.WeakMethod(self._end_in_time)
        with self._lock:
            self._end()
            self._memory = memory
            self._timer = threading.Timer(seconds, lambda: _call(end))
            self._timer.daemon = True
            self._timer.start()

    def take(self) -> LiveMemory | None:
        """Give back what is held; None if there is nothing any more."""
        with self._lock:
            memory = self._memory
            self._end()
            return memory

    def _end_in_time(self) -> None:
        with self._lock:
            if threading.current_thread() is self._timer:
                self._end()

    def _end(self) -> None:
        self._memory = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _call(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    if (there := method()) is not None:
        there()


def sound_to_wav(pieces: tuple[npt.NDArray[np.int16], ...], sr: int) -> bytes:
    """Write pieces of sound as one mono WAV of 16 bits.

    Parameters
    ----------
    pieces : tuple of np.ndarray [shape=(n,), dtype=int16]
    sr : int
        In Hz.

    Returns
    -------
    wav : bytes
        Empty if there is nothing.
    """
    if not pieces:
        return b""
    buffer = io.BytesIO()
    sf.write(buffer, np.concatenate(pieces), sr, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _to_mono_int16(chunk: Chunk) -> npt.NDArray[np.int16]:
    mono = chunk if chunk.ndim == 1 else chunk.mean(axis=1)
    if chunk.dtype != np.int16:
        mono = np.clip(mono, -1.0, 1.0) * 32767
    return np.rint(mono).astype(np.int16)

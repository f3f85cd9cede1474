"""One visitor's ear: sound comes in on any thread, a thread of its own names the genre.

Whoever brings the sound only appends to a bounded buffer, and the page only
reads; the network runs on the listener's thread. That thread begins with the
first sound and ends by itself when no more comes, so that nothing is left
behind when a browser vanishes without a word.
"""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import numpy as np
import numpy.typing as npt
import soundfile as sf

from songnet.exceptions import SongNetError
from songnet.inference.prediction import Prediction, Status
from songnet.inference.streaming import Chunk, LevelReading, StreamingClassifier

__all__ = ["LiveListener", "LiveMoment", "LiveView"]

_BATCH_SECONDS = 0.1
_BUFFER_SECONDS = 10.0
_IDLE_SECONDS = 5.0
_KEEP_SECONDS = 300.0
_MAX_MOMENTS = 4 * 3600
_HEARS_SECONDS = 2.0
_FAULT = SongNetError("Listening ended by a fault of the app. Reset to start again.")


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


@dataclass(frozen=True)
class LiveView:
    """What the page shows, read at one moment.

    Parameters
    ----------
    is_paused : bool
    is_hearing : bool
        Sound arrived just now, silent or not.
    level : LevelReading or None
        None before the first sound.
    prediction : Prediction or None
    seconds : float
        Sound listened to.
    kept_seconds : float
        Length of the recording that can be kept.
    buffered_seconds, dropped_seconds : float
        Sound that waits for the network, and that was lost because too much waited.
    sr, channels : int
        Of the sound that arrives; 0 before the first.
    error : SongNetError or None
        What ended the listening.
    """

    is_paused: bool
    is_hearing: bool
    level: LevelReading | None
    prediction: Prediction | None
    seconds: float
    kept_seconds: float
    buffered_seconds: float
    dropped_seconds: float
    sr: int
    channels: int
    error: SongNetError | None


class LiveListener:
    """Listens to what is pushed and remembers what it heard.

    Parameters
    ----------
    classifier : StreamingClassifier
        Used by this listener alone.
    keep_seconds : float
        How much of the sound is kept, in memory only.
    idle_seconds : float
        The thread ends after so long without sound.
    """

    def __init__(
        self,
        classifier: StreamingClassifier,
        *,
        keep_seconds: float = _KEEP_SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._classifier = classifier
        self._keep_seconds = keep_seconds
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._ear = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_paused = False
        self.source = ""
        self._forget()

    def _forget(self) -> None:
        self._kept: deque[npt.NDArray[np.int16]] = deque()
        self._kept_samples = 0
        self._sr = self._channels = 0
        self._dropped_seconds = self._seconds = 0.0
        self._heard_at = float("-inf")
        self._error: SongNetError | None = None
        self._moments: deque[LiveMoment] = deque(maxlen=_MAX_MOMENTS)
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Sound from before a gap tells nothing about the sound after it."""
        self._clear_pending()
        self._is_new = True
        self._seconds_before = self._seconds
        self._level: LevelReading | None = None
        self._prediction: Prediction | None = None

    def _clear_pending(self) -> None:
        self._pending: deque[Chunk] = deque()
        self._pending_seconds = 0.0

    def push(self, chunk: Chunk, sr: int) -> None:
        """Take sound from any thread; returns at once.

        Parameters
        ----------
        chunk : np.ndarray [shape=(n,) or (n, channels), dtype=int16 or float32]
        sr : int
            Its sample rate in Hz.
        """
        channels = 1 if chunk.ndim == 1 else chunk.shape[1]
        with self._changed:
            if self._is_paused or self._error is not None:
                return
            if (sr, channels) != (self._sr, self._channels):
                self._begin_format(sr, channels)
            self._heard_at = time.monotonic()
            self._pending.append(chunk)
            self._pending_seconds += len(chunk) / sr
            while self._pending_seconds > _BUFFER_SECONDS:
                lost_seconds = len(self._pending.popleft()) / sr
                self._pending_seconds -= lost_seconds
                self._dropped_seconds += lost_seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live-listener", daemon=True)
                self._thread.start()
            if self._pending_seconds >= _BATCH_SECONDS:
                self._changed.notify_all()

    def _begin_format(self, sr: int, channels: int) -> None:
        if sr != self._sr:  # a recording has one rate
            self._kept.clear()
            self._kept_samples = 0
        self._sr, self._channels = sr, channels
        self._begin_anew()

    def pause(self) -> None:
        """Ignore the sound until `resume`."""
        with self._changed:
            self._is_paused = True

    def resume(self) -> None:
        """Listen again after `pause`."""
        with self._changed:
            self._is_paused = False
            self._begin_anew()

    def reset(self) -> None:
        """Forget everything that was heard; sound that arrives is heard anew."""
        with self._changed:
            self._is_paused = False
            self._forget()

    def stop(self) -> None:
        """Let the thread end; what was heard can still be read and kept."""
        with self._changed:
            self._thread = None
            self._is_paused = False
            self._heard_at = float("-inf")
            self._begin_anew()
            self._changed.notify_all()

    @property
    def is_running(self) -> bool:
        """The thread is there."""
        return self._thread is not None

    def view(self) -> LiveView:
        """Read what the page shows."""
        with self._changed:
            return LiveView(
                is_paused=self._is_paused,
                is_hearing=time.monotonic() - self._heard_at < _HEARS_SECONDS,
                level=self._level,
                prediction=self._prediction,
                seconds=self._seconds,
                kept_seconds=self._kept_samples / self._sr if self._sr else 0.0,
                buffered_seconds=self._pending_seconds,
                dropped_seconds=self._dropped_seconds,
                sr=self._sr,
                channels=self._channels,
                error=self._error,
            )

    def moments(self) -> tuple[LiveMoment, ...]:
        """All updates since the last reset, oldest first; hours of them at most."""
        with self._changed:
            return tuple(self._moments)

    def recording_wav(self) -> bytes:
        """Return what was kept as a mono WAV of 16 bits; empty if there is nothing."""
        with self._changed:
            parts, sr = list(self._kept), self._sr
        if not parts:
            return b""
        buffer = io.BytesIO()
        sf.write(buffer, np.concatenate(parts), sr, format="WAV", subtype="PCM_16")
        return buffer.getvalue()

    def _run(self) -> None:
        me = threading.current_thread()
        error: SongNetError | None = _FAULT
        try:
            while (batch := self._next_batch(me)) is not None:
                self._hear(*batch)
            error = None
        except SongNetError as caught:
            error = caught
        finally:  # an unforeseen fault goes on to threading.excepthook, which logs it
            with self._changed:
                if self._thread is me:
                    self._error, self._thread = error, None

    def _next_batch(self, me: threading.Thread) -> tuple[Chunk, int] | None:
        """Wait for sound; None if the thread must end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._pending_seconds >= _BATCH_SECONDS or self._thread is not me,
                timeout=self._idle_seconds,
            )
            if self._thread is not me or not self._pending:
                return None
            chunk = cast("Chunk", np.concatenate(self._pending))
            self._clear_pending()
            return chunk, self._sr

    def _hear(self, chunk: Chunk, sr: int) -> None:
        with self._ear:  # a thread that was told to end may still be hearing its last batch
            with self._changed:
                if self._is_new:
                    self._classifier.reset()
                    self._is_new = False
            prediction = self._classifier.push(chunk, sr)
            with self._changed:
                if not self._is_new:  # else what was heard belongs to the time before
                    self._remember(chunk, sr, prediction)

    def _remember(self, chunk: Chunk, sr: int, prediction: Prediction | None) -> None:
        self._level = self._classifier.level
        self._seconds = self._seconds_before + self._classifier.seconds_heard
        self._kept.append(_to_mono_int16(chunk))
        self._kept_samples += len(chunk)
        while (excess := self._kept_samples - round(self._keep_seconds * sr)) > 0:
            oldest = self._kept.popleft()
            if len(oldest) > excess:
                self._kept.appendleft(oldest[excess:])
            self._kept_samples -= min(excess, len(oldest))
        if prediction is not None:
            self._prediction = prediction
            self._moments.append(
                LiveMoment(
                    clock=datetime.now(UTC),
                    seconds=self._seconds,
                    status=prediction.status,
                    genre=prediction.genre if prediction.is_named else None,
                    probs=prediction.probs,
                    level=self._level,
                    source=self.source,
                )
            )


def _to_mono_int16(chunk: Chunk) -> npt.NDArray[np.int16]:
    if chunk.dtype == np.int16:
        mono = chunk if chunk.ndim == 1 else chunk.mean(axis=1)
        return np.rint(mono).astype(np.int16)
    mono = chunk if chunk.ndim == 1 else chunk.mean(axis=1)
    return np.rint(np.clip(mono, -1.0, 1.0) * 32767).astype(np.int16)

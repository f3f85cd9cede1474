"""One visitor's ear: sound comes in on any thread, a thread of its own names the genre.

Whoever brings the sound only appends to a bounded buffer, and the page only
reads; the network runs on the listener's thread. That thread begins with the
first sound and ends by itself when no more comes, so that nothing is left
behind when a browser vanishes without a word.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import numpy as np

from app.live_memory import LiveMemory, LiveMoment, LiveUndo, sound_to_wav
from songnet.exceptions import SongNetError
from songnet.inference.live_places import LiveFullError, LivePlaces
from songnet.inference.prediction import Prediction
from songnet.inference.streaming import Chunk, LevelReading, StreamingClassifier

__all__ = ["LiveListener", "LiveView"]

_BATCH_SECONDS = 0.1
_BUFFER_SECONDS = 10.0
_IDLE_SECONDS = 5.0
_KEEP_SECONDS = 300.0
_HEARS_SECONDS = 2.0
_UNDO_SECONDS = 60.0
_FAULT = SongNetError("Listening ended by a fault of the app. Reset to start again.")


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
    can_undo : bool
        What the last reset forgot can be brought back.
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
    can_undo: bool = False


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
    places : LivePlaces, optional
        Its thread takes one of them, or it does not listen; its own by default.
    """

    def __init__(
        self,
        classifier: StreamingClassifier,
        *,
        keep_seconds: float = _KEEP_SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
        places: LivePlaces | None = None,
    ) -> None:
        self._classifier = classifier
        self._keep_seconds = keep_seconds
        self._idle_seconds = idle_seconds
        self._places = places or LivePlaces(1)
        self._changed = threading.Condition()
        self._ear = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_paused = False
        self._undo = LiveUndo()
        self.source = ""
        self._forget()

    def _forget(self) -> None:
        self._memory = LiveMemory(self._keep_seconds)
        self._sr = self._channels = 0
        self._heard_at = float("-inf")
        self._error: SongNetError | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Sound from before a gap tells nothing about the sound after it."""
        self._clear_pending()
        self._is_new = True
        self._seconds_before = self._memory.seconds
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
                self._memory.dropped_seconds += lost_seconds
            if self._thread is None and not self._begin_thread():
                return
            if self._pending_seconds >= _BATCH_SECONDS:
                self._changed.notify_all()

    def _begin_thread(self) -> bool:
        thread = threading.Thread(target=self._run, name="live-listener", daemon=True)
        if not self._places.take(thread):
            self._clear_pending()
            self._error = LiveFullError(self._places.n_places)
            return False
        self._thread = thread
        thread.start()
        return True

    def _begin_format(self, sr: int, channels: int) -> None:
        self._memory.begin_rate(sr)
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
            if self._memory.seconds:  # else a second click would take the undo away
                self._undo.offer(self._memory, seconds=_UNDO_SECONDS)
            self._forget()

    def undo_reset(self) -> None:
        """Bring back what the last reset forgot, before what was heard since."""
        with self._changed:
            if (forgotten := self._undo.take()) is not None:
                forgotten.go_on_with(self._memory)
                self._seconds_before += forgotten.seconds - self._memory.seconds
                self._memory = forgotten

    def stop(self) -> None:
        """Let the thread end; what was heard can still be read and kept."""
        with self._changed:
            self._places.give_back(self._thread)
            self._thread = None
            self._is_paused = False
            self._error = None
            self._heard_at = float("-inf")
            self._begin_anew()
            self._changed.notify_all()

    @property
    def refusal(self) -> LiveFullError | None:
        """Why it could not listen now; None if it can."""
        is_full = self._places.is_full and not self.is_running
        return LiveFullError(self._places.n_places) if is_full else None

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
                seconds=self._memory.seconds,
                kept_seconds=self._memory.kept_seconds,
                buffered_seconds=self._pending_seconds,
                dropped_seconds=self._memory.dropped_seconds,
                sr=self._sr,
                channels=self._channels,
                error=self._error,
                can_undo=self._undo.is_possible,
            )

    def moments(self) -> tuple[LiveMoment, ...]:
        """All updates since the last reset, oldest first; hours of them at most."""
        with self._changed:
            return tuple(self._memory.moments)

    def recording_wav(self) -> bytes:
        """Return what was kept as a mono WAV of 16 bits; empty if there is nothing."""
        with self._changed:
            pieces, sr = self._memory.sound(), self._memory.sr
        return sound_to_wav(pieces, sr)

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
                self._places.give_back(me)
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
                    self._remember(chunk, prediction)

    def _remember(self, chunk: Chunk, prediction: Prediction | None) -> None:
        self._level = self._classifier.level
        self._memory.seconds = self._seconds_before + self._classifier.seconds_heard
        self._memory.keep(chunk)
        if prediction is not None:
            self._prediction = prediction
            self._memory.moments.append(
                LiveMoment(
                    clock=datetime.now(UTC),
                    seconds=self._memory.seconds,
                    status=prediction.status,
                    genre=prediction.genre if prediction.is_named else None,
                    probs=prediction.probs,
                    level=self._level,
                    source=self.source,
                )
            )

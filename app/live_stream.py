"""A radio station or a file on the internet as a source of live sound."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from songnet.exceptions import AudioDecodeError, RemoteAudioError, SongNetError
from songnet.inference.live_places import LiveFullError, LivePlaces
from songnet.signal.remote import RemoteLimits
from songnet.signal.remote_process import RemoteBlock, RemoteSound

__all__ = ["StreamReader", "StreamState"]

StreamState = Literal["connecting", "playing", "stopped", "ended", "failed"]
_Block = npt.NDArray[np.float32]
_LEAD_SECONDS = 0.3
_ASK_SECONDS = 1.0
_FIRST_SOUND_SECONDS = 30.0
_FAULT = RemoteAudioError("Listening to the address ended by a fault of the app. Start it again.")


class _LeftError(Exception):
    """Nobody listens any more."""


class StreamReader:
    """Fetches, decodes and passes on sound as fast as it plays, on a thread of its own.

    Parameters
    ----------
    url : str
    hear : callable
        Takes each block, float32 of shape (n, channels), and its rate in Hz.
    is_wanted : callable
        Asked about once a second; the reader ends when it says no.
    limits : RemoteLimits, optional
    places : LivePlaces, optional
        It takes one of them while it runs, or fails; its own by default.

    Attributes
    ----------
    url : str
    error : SongNetError or None
        Why it failed.
    codec, station, title : str
        What the server calls itself and what plays now; may be empty.
    """

    def __init__(
        self,
        url: str,
        *,
        hear: Callable[[_Block, int], None],
        is_wanted: Callable[[], bool],
        limits: RemoteLimits | None = None,
        places: LivePlaces | None = None,
    ) -> None:
        self.url = url
        self._state: StreamState = "connecting"
        self.error: SongNetError | None = None
        self.codec = self.station = self.title = ""
        self._hear = hear
        self._is_wanted = is_wanted
        self._limits = limits or RemoteLimits()
        self._places = places or LivePlaces(1)
        self._sound: RemoteSound | None = None
        self._stopping = threading.Event()
        self._began = self._asked = self._played_seconds = 0.0
        self._thread = threading.Thread(target=self._run, name="live-stream", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns at once, also while the thread waits for the server."""
        self._stopping.set()
        if self._sound is not None:
            self._sound.abort()

    @property
    def state(self) -> StreamState:
        """What it does; stopped from the moment it was told to stop."""
        if self._stopping.is_set() and self._state in ("connecting", "playing"):
            return "stopped"
        return self._state

    @property
    def is_running(self) -> bool:
        """It connects or plays."""
        return self.state in ("connecting", "playing")

    def _run(self) -> None:
        error: SongNetError | None = _FAULT
        try:
            if not self._places.take(self):
                raise LiveFullError(self._places.n_places)
            self._began = self._asked = time.monotonic()
            self._sound = RemoteSound(self.url, limits=self._limits)
            if not self._stopping.is_set():
                self._sound.listen(self._take)
            error = None
        except _LeftError:
            self._stopping.set()
        except AudioDecodeError:
            error = RemoteAudioError(
                "What the address gives cannot be decoded as it arrives. If it is a file, "
                "download it and upload it on the Classify page."
            )
        except SongNetError as caught:
            error = caught
        finally:  # an unforeseen fault goes on to threading.excepthook, which logs it
            self._places.give_back(self)
            is_stopped = self._stopping.is_set()
            self.error = None if is_stopped else error
            self._state = "stopped" if is_stopped else "failed" if error else "ended"

    def _take(self, block: RemoteBlock | None) -> None:
        """Pass the sound on, never far ahead of the clock."""
        now = time.monotonic()
        if now - self._asked > _ASK_SECONDS:
            self._asked = now
            if not self._is_wanted():
                raise _LeftError
        if block is not None:
            self._pass_on(block)
        elif self._state == "connecting" and now - self._began > _FIRST_SOUND_SECONDS:
            raise RemoteAudioError(
                f"No sound came within {_FIRST_SOUND_SECONDS:g} seconds. Check the address, or try "
                "again later."
            )

    def _pass_on(self, block: RemoteBlock) -> None:
        if self._state == "connecting":
            self.codec = block.codec
            self._state = "playing"
            self._began = time.monotonic()
        self.station, self.title = block.station, block.title
        self._hear(block.y, block.sr)
        self._played_seconds += len(block.y) / block.sr
        now = time.monotonic()
        ahead_seconds = self._played_seconds - (now - self._began) - _LEAD_SECONDS
        if self._stopping.wait(max(ahead_seconds, 0.0)):
            raise _LeftError

"""A radio station or a file on the internet as a source of live sound."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import BinaryIO, Literal, cast

import numpy as np
import numpy.typing as npt

from songnet.exceptions import AudioDecodeError, AudioError, RemoteAudioError
from songnet.signal.decoders import AudioStream, PyAVStream
from songnet.signal.remote import RemoteAudio, RemoteLimits

__all__ = ["StreamReader", "StreamState"]

StreamState = Literal["connecting", "playing", "stopped", "ended", "failed"]
_Block = npt.NDArray[np.float32]
_LEAD_SECONDS = 0.3
_ASK_SECONDS = 1.0
_FAULT = RemoteAudioError("Listening to the address ended by a fault of the app. Start it again.")


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

    Attributes
    ----------
    url : str
    error : AudioError or None
        Why it failed.
    codec : str
    """

    def __init__(
        self,
        url: str,
        *,
        hear: Callable[[_Block, int], None],
        is_wanted: Callable[[], bool],
        limits: RemoteLimits | None = None,
    ) -> None:
        self.url = url
        self._state: StreamState = "connecting"
        self.error: AudioError | None = None
        self.codec = ""
        self._hear = hear
        self._is_wanted = is_wanted
        self._limits = limits or RemoteLimits()
        self._remote: RemoteAudio | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-stream", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns at once, also while the thread waits for the server."""
        self._stopping.set()
        if self._remote is not None:
            self._remote.abort()

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

    @property
    def title(self) -> str:
        """What plays now, as the station says; may be empty."""
        return self._remote.title if self._remote else ""

    @property
    def station(self) -> str:
        """What the server calls itself; may be empty."""
        return self._remote.station if self._remote else ""

    def _run(self) -> None:
        error: AudioError | None = _FAULT
        try:
            with RemoteAudio(self.url, limits=self._limits) as remote:
                self._remote = remote
                self._read(remote)
            error = None
        except AudioDecodeError:
            error = RemoteAudioError(
                "What the address gives cannot be decoded as it arrives. If it is a file, "
                "download it and upload it on the Classify page."
            )
        except AudioError as caught:
            error = caught
        finally:  # an unforeseen fault goes on to threading.excepthook, which logs it
            is_stopped = self._stopping.is_set()
            self.error = None if is_stopped else error
            self._state = "stopped" if is_stopped else "failed" if error else "ended"

    def _read(self, remote: RemoteAudio) -> None:
        if self._stopping.is_set():
            return
        with PyAVStream(cast("BinaryIO", remote)) as stream:
            self.codec = stream.codec
            self._state = "playing"
            self._play(stream)

    def _play(self, stream: AudioStream) -> None:
        """Pass the sound on, never far ahead of the clock."""
        began = asked = time.monotonic()
        played_seconds = 0.0
        for block in stream.blocks():
            self._hear(block, stream.sr)
            played_seconds += len(block) / stream.sr
            now = time.monotonic()
            if now - asked > _ASK_SECONDS:
                asked = now
                if not self._is_wanted():
                    self._stopping.set()
            ahead_seconds = played_seconds - (now - began) - _LEAD_SECONDS
            if self._stopping.wait(max(ahead_seconds, 0.0)):
                return

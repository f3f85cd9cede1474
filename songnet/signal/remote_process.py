"""Sound from an address on the internet, fetched and decoded in a process of its own.

What strangers send is decoded there, within bounds, as uploads are: a fault
of a decoder costs the one who named the address an error.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from songnet.exceptions import RemoteAudioError, WorkerError, WorkerStartError
from songnet.signal.decoders import PyAVStream
from songnet.signal.remote import RemoteAudio, RemoteLimits
from songnet.worker import Worker

__all__ = ["RemoteBlock", "RemoteSound"]

_MAX_MEMORY_BYTES = 2 << 30
_NEWS_SECONDS = 0.5


@dataclass(frozen=True)
class RemoteBlock:
    """Sound as it arrives.

    Parameters
    ----------
    y : np.ndarray [shape=(n, channels), dtype=float32]
    sr : int
    codec : str
    station, title : str
        What the server calls itself and what plays now; may be empty.
    """

    y: npt.NDArray[np.float32]
    sr: int
    codec: str
    station: str
    title: str


class RemoteSound:
    """The sound behind an address.

    Parameters
    ----------
    url : str
        See `songnet.signal.remote.RemoteAudio`.
    limits : RemoteLimits
    """

    def __init__(self, url: str, *, limits: RemoteLimits) -> None:
        self._url = url
        self._limits = limits
        self._worker = Worker(
            imports=__name__,
            max_memory_bytes=_MAX_MEMORY_BYTES,
            env={"OPENBLAS_NUM_THREADS": "1"},
        )

    def listen(self, take: Callable[[RemoteBlock | None], None]) -> None:
        """Pass the sound on until it ends; the process ends with it.

        Parameters
        ----------
        take : callable
            Takes each block, and None twice a second, whatever the server
            sends. What it raises ends the listening. While it takes, nothing is
            fetched.

        Raises
        ------
        RemoteAudioError
            If the address is refused, cannot be reached or is not audio, or the
            decoder breaks down.
        AudioDecodeError
            If the sound cannot be decoded as it arrives.
        WorkerStartError
            If the process does not start.
        """
        try:
            self._worker.call(_send, self._url, self._limits, progress=take)
        except WorkerStartError:
            raise
        except (WorkerError, MemoryError) as error:
            raise RemoteAudioError(
                "The decoder broke down on what the address gives, or memory ran out. Try another "
                "stream of the station."
            ) from error
        finally:
            self._worker.end()

    def abort(self) -> None:
        """End it now; may be called while another thread listens."""
        self._worker.interrupt()


@contextlib.contextmanager
def _telling(tell: Callable[[None], None]) -> Iterator[None]:
    """Tell now and then that this goes on: a server that drips could hold every wait for ever."""
    is_over = threading.Event()

    def tell_on() -> None:
        try:
            while not is_over.wait(_NEWS_SECONDS):
                tell(None)
        except OSError:  # nobody listens any more
            os._exit(1)

    teller = threading.Thread(target=tell_on, daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()


def _send(
    url: str, limits: RemoteLimits, *, progress: Callable[[RemoteBlock | None], None]
) -> None:
    with (
        _telling(progress),
        RemoteAudio(url, limits=limits) as remote,
        PyAVStream(cast("BinaryIO", remote)) as stream,
    ):
        for y in stream.blocks():
            progress(RemoteBlock(y, stream.sr, stream.codec, remote.station, remote.title))

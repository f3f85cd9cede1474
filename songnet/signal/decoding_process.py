"""Decoding in processes of their own, so that a fault of a decoder costs one file.

libsndfile and FFmpeg are large and read what strangers send. A fault that ends
the process, or a file that takes all memory or never ends, is an error of that
file here and nothing to the others.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial
from queue import Empty, LifoQueue
from typing import ParamSpec, TypeVar

from songnet.exceptions import (
    AudioDecodeError,
    DecoderFaultError,
    DecoderStartError,
    WorkerError,
    WorkerLateError,
    WorkerStartError,
)
from songnet.worker import Worker

__all__ = ["in_decoding_process", "start_decoding_process"]

# Decoding an hour of MP3 to 44.1 kHz takes 40 s on two busy cores and 2 GB, pickling included.
_MAX_SECONDS = 300.0
_MAX_MEMORY_BYTES = 4 << 30
_REMEDY = "Export it again from its source, or convert it to MP3."

_P = ParamSpec("_P")
_T = TypeVar("_T")


def in_decoding_process(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call a function that decodes one file, in another process.

    As many work at a time as there are processors; a call more waits. The
    processes end with this one.

    Parameters
    ----------
    function : callable
        Importable by its name. It and what it takes and returns are pickled.
    *args, **kwargs
        What it takes.

    Returns
    -------
    result
        What it returns.

    Raises
    ------
    DecoderFaultError
        If the process ends, or needs more than 4 GB of address space (bounded
        on Linux only).
    DecoderStartError
        If the process does not start.
    AudioDecodeError
        If it needs more than five minutes.
    Exception
        What the function raises.
    """
    worker = _workers.get()
    try:
        worker = _awake(worker)
        return worker.call(partial(function, *args, **kwargs), seconds=_MAX_SECONDS)
    except MemoryError as error:
        raise DecoderFaultError(
            f"Decoding this file takes more than the {_MAX_MEMORY_BYTES >> 30} GB of memory that "
            f"it may have. {_REMEDY}"
        ) from error
    except WorkerLateError as error:
        raise AudioDecodeError(
            f"Decoding this file was given up after {_MAX_SECONDS / 60:g} minutes. {_REMEDY}"
        ) from error
    except WorkerStartError as error:
        raise DecoderStartError(str(error)) from error
    except WorkerError as error:
        raise DecoderFaultError(
            f"The decoder broke down on this file: it may be damaged, or memory ran out. {_REMEDY}"
        ) from error
    finally:
        _workers.put(worker)


def start_decoding_process() -> None:
    """Start the process that decodes the next file, which is half a second sooner then.

    Returns at once, and starts none if all decode.
    """
    with contextlib.suppress(Empty, WorkerStartError):
        worker = _workers.get_nowait()
        try:
            worker = _awake(worker)
        finally:
            _workers.put(worker)


def _awake(worker: Worker | None) -> Worker:
    """Return the worker, or another in place of one that is not there or has ended."""
    if worker is not None and worker.is_awake:
        return worker
    return Worker(
        imports="songnet.signal.audio",
        max_memory_bytes=_MAX_MEMORY_BYTES,
        env={"OPENBLAS_NUM_THREADS": "1"},
    )


# The last one in is the first one out, so that few are awake. None is one that was not needed.
_workers: LifoQueue[Worker | None] = LifoQueue()
for _ in range(os.cpu_count() or 1):
    _workers.put(None)

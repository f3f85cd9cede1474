"""Decoding in processes of their own, so that a fault of a decoder costs one file.

libsndfile and FFmpeg are large and read what strangers send. A fault that ends
the process, or a file that takes all memory or never ends, is an error of that
file here and nothing to the others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from songnet.exceptions import AudioDecodeError

if TYPE_CHECKING:
    from joblib.externals.loky import ProcessPoolExecutor

__all__ = ["in_decoding_process", "start_decoding_process"]

# Then a process ends and gives its memory back.
_IDLE_SECONDS = 300
# Decoding an hour of MP3 to 44.1 kHz takes 40 s on two busy cores and 2 GB, pickling included.
_MAX_SECONDS = 300.0
_MAX_MEMORY_BYTES = 4 << 30
_REMEDY = "Export it again from its source, or convert it to MP3."

_P = ParamSpec("_P")
_T = TypeVar("_T")


def in_decoding_process(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call a function that decodes one file, in another process.

    As many work at a time as there are processors; a call more waits.

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
    AudioDecodeError
        If the process ends, or needs more than five minutes or 4 GB of address
        space (bounded on Linux only).
    Exception
        What the function raises.
    """
    process = _processes.get() or _new_process()
    is_sound = False
    try:
        result: _T = process.submit(function, *args, **kwargs).result(timeout=_MAX_SECONDS)
        is_sound = True
    except BrokenProcessPool as error:
        raise AudioDecodeError(
            f"The decoder broke down on this file: it may be damaged, or memory ran out. {_REMEDY}"
        ) from error
    except TimeoutError as error:
        raise AudioDecodeError(
            f"Decoding this file was given up after {_MAX_SECONDS / 60:g} minutes. {_REMEDY}"
        ) from error
    except MemoryError as error:
        raise AudioDecodeError(
            f"Decoding this file takes more than the {_MAX_MEMORY_BYTES >> 30} GB of memory that "
            f"it may have. {_REMEDY}"
        ) from error
    except Exception:
        is_sound = True
        raise
    finally:
        if not is_sound:
            process.shutdown(wait=False, kill_workers=True)
        _processes.put(process if is_sound else None)
    return result


def start_decoding_process() -> None:
    """Start the process that decodes the next file, which is half a second sooner then.

    Returns at once, and starts none if all decode.
    """
    try:
        process = _processes.get_nowait() or _new_process()
    except Empty:
        return
    process.submit(_import_decoders)
    _processes.put(process)


def _new_process() -> ProcessPoolExecutor:
    """Return an executor of one process, which starts with its first call."""
    from joblib.externals.loky import ProcessPoolExecutor  # only servers need it

    return ProcessPoolExecutor(
        max_workers=1,
        timeout=_IDLE_SECONDS,
        initializer=_limit_memory,
        env={"OPENBLAS_NUM_THREADS": "1"},
    )


def _import_decoders() -> None:
    import_module("songnet.signal.audio")


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))


# An executor for each process, since one that loses its process fails all its calls; last in,
# first out, so that few processes stay awake. None is one that was not needed so far.
_processes: LifoQueue[ProcessPoolExecutor | None] = LifoQueue()
for _ in range(os.cpu_count() or 1):
    _processes.put(None)

"""Decoding in processes of their own, so that a fault of a decoder costs one file.

libsndfile and FFmpeg are large and read what strangers send. A fault that ends
the process, or a file that takes all memory or never ends, is an error of that
file here and nothing to the others.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from queue import Empty, LifoQueue
from typing import IO, Any, ParamSpec, TypeVar, cast

from songnet.exceptions import AudioDecodeError

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
    AudioDecodeError
        If the process ends, or needs more than five minutes or 4 GB of address
        space (bounded on Linux only).
    Exception
        What the function raises.
    """
    process = _processes.get()
    is_sound = False
    try:
        process = _awake(process)
        answer = process.ask((function, args, kwargs))
        is_sound = not isinstance(answer, MemoryError)
    finally:
        if process is not None and not is_sound:
            process.end()
        _processes.put(process if is_sound else None)
    if isinstance(answer, MemoryError):
        raise AudioDecodeError(
            f"Decoding this file takes more than the {_MAX_MEMORY_BYTES >> 30} GB of memory that "
            f"it may have. {_REMEDY}"
        ) from answer
    if isinstance(answer, Exception):
        raise answer
    return cast("_T", answer)


def start_decoding_process() -> None:
    """Start the process that decodes the next file, which is half a second sooner then.

    Returns at once, and starts none if all decode.
    """
    with contextlib.suppress(Empty):
        process = _processes.get_nowait()
        try:
            process = _awake(process)
        finally:
            _processes.put(process)


class _Process:
    """Another Python, which does what it is told, one thing after the other."""

    def __init__(self) -> None:
        self._python = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "songnet.signal.decoding_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )

    @property
    def is_awake(self) -> bool:
        """It was not ended from outside."""
        return self._python.poll() is None

    def ask(self, call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]) -> Any:
        """Return what the call returns or raises."""
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            self._python.kill()

        timer = threading.Timer(_MAX_SECONDS, give_up)
        timer.start()
        try:
            requests, answers = cast("IO[bytes]", self._python.stdin), self._python.stdout
            pickle.dump(call, requests)
            requests.flush()
            return pickle.load(cast("IO[bytes]", answers))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            if is_late.is_set():
                why = f"Decoding this file was given up after {_MAX_SECONDS / 60:g} minutes."
            else:
                why = "The decoder broke down on this file: it may be damaged, or memory ran out."
            raise AudioDecodeError(f"{why} {_REMEDY}") from error
        finally:
            timer.cancel()

    def end(self) -> None:
        """End the process, whatever it does."""
        self._python.kill()
        with contextlib.suppress(OSError):  # what it was not told any more
            self._python.communicate()


def _awake(process: _Process | None) -> _Process:
    """Return the process, or another in place of one that is not there or was ended."""
    if process is not None and process.is_awake:
        return process
    if process is not None:
        process.end()
    return _Process()


# The last one in is the first one out, so that few are awake. None is one that was not needed.
_processes: LifoQueue[_Process | None] = LifoQueue()
for _ in range(os.cpu_count() or 1):
    _processes.put(None)


@atexit.register
def _end_processes() -> None:
    with contextlib.suppress(Empty):
        while True:
            process = _processes.get_nowait()
            if process is not None:
                process.end()


def _serve() -> None:
    """Do what stands on standard input and answer on standard output, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the server, which ends this
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a decoder prints is no answer
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    import_module("songnet.signal.audio")
    while True:
        try:
            function, args, kwargs = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the caller's to judge
            answer = error
        answers.write(pickle.dumps(answer))
        answers.flush()


if __name__ == "__main__":
    _serve()

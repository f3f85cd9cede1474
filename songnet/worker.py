"""Another Python that works for this one: its crashes, its memory and its imports stay its own.

`multiprocessing` would import the caller's main script again, which of an app
is Streamlit's.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from songnet.exceptions import WorkerError, WorkerLateError, WorkerStartError

__all__ = ["Worker"]

_T = TypeVar("_T")
_STARTED, _PROGRESS, _RETURNED, _RAISED = "started", "progress", "returned", "raised"
# With `-P` and this folder at the end, no file of the caller's folder can stand in for a module.
_FOLDER = str(Path(__file__).resolve().parents[1])
_MAIN = f"import sys; sys.path.append({_FOLDER!r}); from songnet import worker; worker.main()"


class Worker:
    """A process that calls functions, one after the other, and ends with this process.

    Parameters
    ----------
    imports : str, optional
        Module to import before the first call.
    max_memory_bytes : int, optional
        Address space of the process, bounded on Linux only.
    env : dict of str to str, optional
        Added to the environment of this process.

    Raises
    ------
    WorkerStartError
        If the system starts no other process.
    """

    def __init__(
        self,
        *,
        imports: str = "",
        max_memory_bytes: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-P", "-X", "faulthandler", "-c", _MAIN]
        try:
            self._python = subprocess.Popen(
                [*command, imports, str(max_memory_bytes or "")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | dict(env or {}),
            )
        except OSError as error:
            raise _not_started(error.strerror) from error
        self._has_started = False
        self._end = weakref.finalize(self, _end, self._python)

    @property
    def is_awake(self) -> bool:
        """Whether it can be called."""
        return self._python.poll() is None

    def call(
        self,
        function: Callable[..., _T],
        *args: Any,
        seconds: float | None = None,
        progress: Callable[[Any], None] | None = None,
        **kwargs: Any,
    ) -> _T:
        """Call a function in the process.

        Parameters
        ----------
        function : callable
            Importable by its name. It and what it takes and returns are pickled.
        *args, **kwargs
            What it takes.
        seconds : float, optional
            What it may take; then the process is ended.
        progress : callable, optional
            Called with what the function passes to its own ``progress``; what
            it raises ends the process.

        Returns
        -------
        result
            What the function returns.

        Raises
        ------
        WorkerLateError
            If the time is over.
        WorkerStartError
            If the process ends before it can be called.
        WorkerError
            If the process ends without an answer.
        Exception
            What the function raises. The process can be called again, but for
            one that had too little memory.
        """
        if cast("IO[bytes]", self._python.stdin).closed:
            raise WorkerError("This process has ended; start another.")
        try:
            with self._limited(seconds):
                if not self._has_started:
                    self._receive()
                    self._has_started = True
                self._send((function, args, kwargs, progress is not None))
                what, value = self._receive()
                while what == _PROGRESS:
                    assert progress is not None
                    progress(value)
                    what, value = self._receive()
        except BaseException:
            self.end()
            raise
        if what == _RAISED:
            if isinstance(value, MemoryError):
                self.end()  # what is left of its memory may be too little
            raise value
        return cast("_T", value)

    @contextlib.contextmanager
    def _limited(self, seconds: float | None) -> Iterator[None]:
        if seconds is None:
            yield
            return
        is_late, python = threading.Event(), self._python

        def give_up() -> None:
            is_late.set()
            python.kill()

        timer = threading.Timer(seconds, give_up)
        timer.start()
        try:
            yield
        except WorkerError as error:
            if is_late.is_set():
                raise WorkerLateError(f"A process was ended after {seconds:g} s.") from error
            raise
        finally:
            timer.cancel()

    def _send(self, request: Any) -> None:
        requests = cast("IO[bytes]", self._python.stdin)
        try:
            pickle.dump(request, requests)
            requests.flush()
        except OSError as error:
            raise self._ended() from error

    def _receive(self) -> tuple[str, Any]:
        try:
            what, value = pickle.load(cast("IO[bytes]", self._python.stdout))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise self._ended() from error
        return what, value

    def _ended(self) -> WorkerError:
        self.end()
        if not self._has_started:
            return _not_started("it ended at once")
        return WorkerError(
            f"A process ended without an answer, with the status {self._python.returncode}."
        )

    def interrupt(self) -> None:
        """End the process while another thread calls it: there, the call raises WorkerError."""
        self._python.kill()

    def end(self) -> None:
        """End the process, whatever it does."""
        self._end()


def _not_started(why: str | None) -> WorkerStartError:
    return WorkerStartError(
        f"A process that SongNet works with does not start: {why}. The log may say more; try "
        "again later."
    )


def _end(python: subprocess.Popen[bytes]) -> None:
    python.kill()
    with contextlib.suppress(OSError):  # what it was not told any more
        python.communicate()


def main() -> None:
    """Do what stands on standard input and answer on standard output, until the input ends."""
    imports, max_memory_bytes = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the caller, which ends this
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    if max_memory_bytes and sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(max_memory_bytes),) * 2)
    if imports:
        import_module(imports)

    sending = threading.Lock()  # a function may have threads that tell how far it is

    def send(what: str, value: Any) -> None:
        message = pickle.dumps((what, value))
        with sending:
            answers.write(message)
            answers.flush()

    send(_STARTED, None)
    while True:
        try:
            function, args, kwargs, reports = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if reports:
            kwargs["progress"] = lambda share: send(_PROGRESS, share)
        try:
            answer = _RETURNED, function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the caller's to judge
            answer = _RAISED, error
        send(*answer)

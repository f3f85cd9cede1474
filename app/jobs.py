"""Work in the background, with progress, for one visitor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["Job"]

Result = TypeVar("Result")
# One at a time: each may take all cores, and visitors share the machine.
_EXECUTOR = ThreadPoolExecutor(max_workers=1, thread_name_prefix="songnet-job")


class Job(Generic[Result]):
    """A function that runs in a thread.

    Parameters
    ----------
    work : callable
        Takes a function to report progress with, from 0 to 1; that function
        ends the work where nobody wants it any more.
    is_wanted : callable
        Asked on the thread of the work, before it begins and at each report.
    title : str
        What it is, for a person.
    start_seconds : float
        Moment of the track that the work begins at.
    """

    def __init__(
        self,
        work: Callable[[Callable[[float], None]], Result],
        *,
        is_wanted: Callable[[], bool] = lambda: True,
        title: str = "",
        start_seconds: float = 0.0,
    ) -> None:
        self.title = title
        self.start_seconds = start_seconds
        self.progress = 0.0
        self._is_wanted = is_wanted
        self._is_cancelled = threading.Event()
        self._future: Future[Result] = _EXECUTOR.submit(self._run, work)

    def _run(self, work: Callable[[Callable[[float], None]], Result]) -> Result:
        self._report(0.0)
        return work(self._report)

    def _report(self, share: float) -> None:
        if self._is_cancelled.is_set() or not self._is_wanted():
            raise CancelledError
        self.progress = share

    def cancel(self) -> None:
        """Ask the work to end; what it found is dropped."""
        self._is_cancelled.set()
        self._future.cancel()

    @property
    def is_waiting(self) -> bool:
        """Another job is at work before it."""
        return not self._future.running() and not self._future.done()

    @property
    def is_done(self) -> bool:
        """Whether there is a result or an error."""
        return self._future.done()

    def result(self) -> Result:
        """Return what the work found, or raise what stopped it."""
        return self._future.result()

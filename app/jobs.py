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
        ends the work where it was cancelled.
    title : str
        What it is, for a person.
    start_seconds : float
        Moment of the track that the work begins at.
    """

    def __init__(
        self,
        work: Callable[[Callable[[float], None]], Result],
        *,
        title: str = "",
        start_seconds: float = 0.0,
    ) -> None:
        self.title = title
        self.start_seconds = start_seconds
        self.progress = 0.0
        self._is_cancelled = threading.Event()
        self._future: Future[Result] = _EXECUTOR.submit(work, self._report)

    def _report(self, share: float) -> None:
        if self._is_cancelled.is_set():
            raise CancelledError
        self.progress = share

    def cancel(self) -> None:
        """Ask the work to end; what it found is dropped."""
        self._is_cancelled.set()
        self._future.cancel()

    @property
    def is_done(self) -> bool:
        """Whether there is a result or an error."""
        return self._future.done()

    def result(self) -> Result:
        """Return what the work found, or raise what stopped it."""
        return self._future.result()

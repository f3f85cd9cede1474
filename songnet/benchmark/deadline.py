"""Time that a piece of work may take before it has to stop and be resumed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from songnet.exceptions import SongNetError

__all__ = ["Deadline", "OutOfTimeError"]


class OutOfTimeError(SongNetError):
    """The time is up; what was done is kept and the next run goes on from there."""


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock.

    Parameters
    ----------
    at : float
        In seconds of `time.monotonic`.
    """

    at: float

    @classmethod
    def after(cls, minutes: float) -> Deadline:
        """Return the moment so many minutes from now."""
        return cls(time.monotonic() + 60 * minutes)

    @property
    def has_passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.at

    def check(self) -> None:
        """Raise OutOfTimeError if the time is up."""
        if self.has_passed:
            raise OutOfTimeError("The time of this piece is up; run again to go on.")

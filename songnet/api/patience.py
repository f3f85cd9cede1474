"""How long a client may let the server wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["Patience"]

_T = TypeVar("_T")


class Patience:
    """Waiting spends it and what comes earns it back, so that drops do not keep a place.

    Parameters
    ----------
    seconds : float
        What there is at first, and at most.
    """

    def __init__(self, seconds: float) -> None:
        self._most = seconds
        self._left = seconds

    async def wait(self, message: Awaitable[_T], *, at_most: float = float("inf")) -> _T:
        """Wait for a message; TimeoutError when the patience is over, or ``at_most`` seconds."""
        since = time.monotonic()
        try:
            return await asyncio.wait_for(message, max(min(self._left, at_most), 0.0))
        finally:
            self._left -= time.monotonic() - since

    def earn(self, seconds: float) -> None:
        """Have so much more again."""
        self._left = min(self._left + seconds, self._most)

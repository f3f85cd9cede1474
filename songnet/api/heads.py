"""How long the head of a request may take; uvicorn itself waits for ever."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HeadLimitedProtocol"]

_HEAD_SECONDS = 30.0


class HeadLimitedProtocol(H11Protocol):
    """HTTP of uvicorn that hangs up where a head is not whole after 30 seconds."""

    _hanging_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait on unless it made a head whole."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        is_idle = getattr(self.cycle, "response_complete", True)  # no cycle before the first head
        if not is_idle or self.transport.get_protocol() is not self:  # a WebSocket now
            self._stop_watching()
        elif self._hanging_up is None:
            self._hanging_up = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_watching(self) -> None:
        if self._hanging_up is not None:
            self._hanging_up.cancel()
            self._hanging_up = None

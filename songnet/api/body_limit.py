"""A body larger than the limit is refused: unread where its size is declared, or on its way."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit"]


class BodyLimit:
    """Middleware that counts the bytes of a request.

    Parameters
    ----------
    app : ASGI application
    max_bytes : int
        Of the whole body, with what a form adds to its file.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        n_declared = int(declared) if declared.isdecimal() else 0
        n_received = 0

        async def receive_counted() -> Message:
            nonlocal n_received
            self._check(n_declared)
            message = await receive()
            n_received += len(message.get("body", b""))
            self._check(n_received)
            return message

        await self._app(scope, receive_counted, send)

    def _check(self, n_bytes: int) -> None:
        if n_bytes > self._max_bytes:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The file is larger than the limit of {self._max_bytes / 2**20:.3g} MB; "
                "cut it or convert it to MP3.",
            )

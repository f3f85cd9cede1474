"""What an upload may cost before anything has looked at it: bytes, time, and how many at once."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from songnet.api.patience import Patience
from songnet.api.problems import BusyError, IdleError, OriginError, RefusedRequest
from songnet.api.service import ApiLimits
from songnet.exceptions import AudioTooLongError, SongNetError

__all__ = ["UploadMiddleware"]


class UploadMiddleware:
    """Refuses a body that is too large, comes too slowly, is one too many or of another site.

    A body whose size is declared is refused unread, as is one of a page that
    may not ask. A request counts from the first part of its body to its answer.

    Parameters
    ----------
    app : ASGI application
    limits : ApiLimits
    """

    def __init__(self, app: ASGIApp, *, limits: ApiLimits) -> None:
        self._app = app
        self._limits = limits
        self._n_uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        declared = connection.headers.get("content-length", "")
        self._n_uploads += 1
        upload = _Upload(
            receive,
            self._limits,
            n_declared=int(declared) if declared.isdecimal() else 0,
            refusal=self._refusal(connection),
        )
        try:
            await self._app(scope, upload.receive, send)
        finally:
            self._n_uploads -= 1

    def _refusal(self, connection: HTTPConnection) -> SongNetError | None:
        try:
            self._limits.check_origin(connection)
        except OriginError as error:
            return error
        if self._n_uploads > self._limits.max_uploads:
            return BusyError(self._limits.max_uploads)
        return None


class _Upload:
    """The body of one request."""

    def __init__(
        self,
        receive: Receive,
        limits: ApiLimits,
        *,
        n_declared: int,
        refusal: SongNetError | None,
    ) -> None:
        self._receive = receive
        self._limits = limits
        self._n_declared = n_declared
        self._refusal = refusal
        self._n_received = 0
        self._patience = Patience(limits.idle_seconds)
        self._is_whole = False

    async def receive(self) -> Message:
        if self._is_whole:  # what comes now is the end of the connection
            return await self._receive()
        if self._refusal:
            raise RefusedRequest(self._refusal)
        self._check(self._n_declared)
        try:
            message = await self._patience.wait(self._receive())
        except TimeoutError:
            raise RefusedRequest(
                IdleError(
                    f"The file stopped coming for {self._limits.idle_seconds:g} seconds, or came "
                    f"at less than {self._limits.min_upload_rate / 1000:g} kB/s; send it again."
                )
            ) from None
        n_bytes = len(message.get("body", b""))
        self._patience.earn(n_bytes / self._limits.min_upload_rate)
        self._n_received += n_bytes
        self._check(self._n_received)
        self._is_whole = not message.get("more_body", False)
        return message

    def _check(self, n_bytes: int) -> None:
        if n_bytes > self._limits.max_body_bytes:
            raise RefusedRequest(
                AudioTooLongError(
                    "The file is larger than the limit of "
                    f"{self._limits.max_body_bytes / 2**20:.3g} MB; cut it or convert it to MP3."
                )
            )

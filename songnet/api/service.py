"""What the routes share: the model, its limits, and who may use it at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException
from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request

from songnet.api.problems import OriginError
from songnet.datasets.recognise import TrackInfo
from songnet.inference.classifier import Classifier
from songnet.inference.live_places import LivePlaces
from songnet.signal.audio import DecodeLimits

__all__ = ["ApiLimits", "Recognise", "Service", "TheService"]

_FORM_BYTES = 65_536
_Result = TypeVar("_Result")
#: Takes a file and its name.
Recognise = Callable[[bytes, str], TrackInfo]


@dataclass(frozen=True)
class ApiLimits:
    """What clients may cost.

    Parameters
    ----------
    decode : DecodeLimits
        Of one file.
    max_uploads : int
        Files that are on their way, wait or are named; one more is refused.
    max_live_seconds : float
        A live connection is closed after so long.
    idle_seconds : float
        Longest wait for the next part of an upload, for sound on a live
        connection, and for a live client to take an answer.
    min_upload_rate : float
        Bytes a second of an upload; a wait is made good by no more than came.
    origins : tuple of str
        Sites whose pages may use the API from a browser, as
        ``https://songnet.example``; the API's own always may.
    """

    decode: DecodeLimits = field(default_factory=lambda: DecodeLimits(own_process=True))
    max_uploads: int = 32
    max_live_seconds: float = 2 * 3600.0
    idle_seconds: float = 30.0
    min_upload_rate: float = 10_000.0
    origins: tuple[str, ...] = ()

    @property
    def max_body_bytes(self) -> int:
        """Of a request: a file, and what the form around it takes."""
        return self.decode.max_bytes + _FORM_BYTES

    def check_origin(self, connection: HTTPConnection) -> None:
        """Refuse pages of other sites: a browser lets any page ask anybody.

        Raises
        ------
        OriginError
        """
        origin = connection.headers.get("origin")
        own = connection.headers.get("host")
        if origin and _host_of(origin) != own and origin not in self.origins:
            raise OriginError(
                f"Pages of {origin[:200]} may not use this server; whoever runs it can allow it "
                "(songnet serve --origin)."
            )


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no address at all
        return ""


class Service:
    """The model behind the routes.

    Parameters
    ----------
    open_classifier : callable
        Returns the classifier, the same at each call.
    recognise : callable
        Says who made a file, from its bytes and its name.
    open_places : callable
        Returns the places for live connections, the same at each call.
    limits : ApiLimits
    """

    def __init__(
        self,
        open_classifier: Callable[[], Classifier],
        *,
        recognise: Recognise,
        open_places: Callable[[], LivePlaces],
        limits: ApiLimits,
    ) -> None:
        self.recognise = recognise
        self.open_places = open_places
        self.limits = limits
        self._open_classifier = open_classifier
        self._turn = asyncio.Semaphore(os.cpu_count() or 1)

    async def classifier(self) -> Classifier:
        """Return the classifier, opened if it is not yet.

        Raises
        ------
        BundleError
        """
        return await run_in_threadpool(self._open_classifier)

    async def in_turn(self, request: Request, work: Callable[[], _Result]) -> _Result:
        """Run what takes a processor, as many at once as there are.

        Raises
        ------
        HTTPException
            If the client is gone when its turn comes.
        """
        async with self._turn:
            if await request.is_disconnected():
                raise HTTPException(HTTPStatus.BAD_REQUEST, "The client is gone.")
            return await run_in_threadpool(work)


def _service(connection: HTTPConnection) -> Service:
    service: Service = connection.app.state.service
    return service


TheService = Annotated[Service, Depends(_service)]

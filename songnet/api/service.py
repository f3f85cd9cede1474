"""What the routes share: the model, its limits, and who may use it at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from fastapi import Depends
from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from songnet.api.problems import BusyError
from songnet.datasets.recognise import TrackInfo
from songnet.inference.classifier import Classifier
from songnet.inference.live_places import LivePlaces
from songnet.signal.audio import DecodeLimits

__all__ = ["ApiLimits", "Recognise", "Service", "TheService"]

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
    max_waiting : int
        Files that are named or wait to be named; one more is refused.
    max_live_seconds : float
        Sound of one live connection; it is closed after that.
    idle_seconds : float
        A live connection is closed after so long without a message.
    origins : tuple of str
        Sites whose pages may use the API from a browser, as
        ``https://songnet.example``; the API's own always may.
    """

    decode: DecodeLimits = field(default_factory=DecodeLimits)
    max_waiting: int = 32
    max_live_seconds: float = 2 * 3600.0
    idle_seconds: float = 30.0
    origins: tuple[str, ...] = ()


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
        self._n_waiting = 0
        self._turn = asyncio.Semaphore(os.cpu_count() or 1)

    async def classifier(self) -> Classifier:
        """Return the classifier, opened if it is not yet.

        Raises
        ------
        BundleError
        """
        return await run_in_threadpool(self._open_classifier)

    async def in_turn(self, work: Callable[[], _Result]) -> _Result:
        """Run what takes a processor, as many at once as there are.

        Raises
        ------
        BusyError
            If too many wait already.
        """
        if self._n_waiting >= self.limits.max_waiting:
            raise BusyError(
                f"{self._n_waiting} files are waiting to be named, which is all that may wait "
                "here. Try again in some seconds."
            )
        self._n_waiting += 1
        try:
            async with self._turn:
                return await run_in_threadpool(work)
        finally:
            self._n_waiting -= 1


def _service(connection: HTTPConnection) -> Service:
    service: Service = connection.app.state.service
    return service


TheService = Annotated[Service, Depends(_service)]

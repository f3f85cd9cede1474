"""Errors as problem documents: what happened, what was expected and what to do [1]_.

References
----------
.. [1] M. Nottingham, E. Wilde, S. Dalal, "Problem Details for HTTP APIs", RFC 9457, 2023.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException as AnyHTTPException

from songnet.exceptions import (
    AudioDecodeError,
    AudioTooLongError,
    AudioTooShortError,
    BundleError,
    DecoderStartError,
    ParameterError,
    SilentAudioError,
    SongNetError,
)
from songnet.inference.live_places import LiveFullError

__all__ = [
    "BusyError",
    "IdleError",
    "OriginError",
    "Problem",
    "RefusedRequest",
    "add_problem_handlers",
    "answer",
    "document",
]

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = "10"


class BusyError(SongNetError):
    """So many files are here that one more would wait too long."""

    def __init__(self, max_uploads: int) -> None:
        super().__init__(
            f"{max_uploads} files are on their way or wait to be named, which is all that may. "
            "Try again in some seconds."
        )


class IdleError(SongNetError):
    """A client keeps the server waiting."""


class OriginError(SongNetError):
    """A web page of another site uses the browser of its visitor to ask."""


class RefusedRequest(HTTPException):
    """An error on the way of a body, where FastAPI lets only its own kind pass.

    Parameters
    ----------
    reason : SongNetError
    """

    def __init__(self, reason: SongNetError) -> None:
        super().__init__(document(reason).status)
        self.reason = reason


_STATUSES: tuple[tuple[type[SongNetError], HTTPStatus], ...] = (
    (DecoderStartError, HTTPStatus.SERVICE_UNAVAILABLE),
    (AudioDecodeError, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (AudioTooLongError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (AudioTooShortError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SilentAudioError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ParameterError, HTTPStatus.BAD_REQUEST),
    (OriginError, HTTPStatus.FORBIDDEN),
    (IdleError, HTTPStatus.REQUEST_TIMEOUT),
    (BundleError, HTTPStatus.SERVICE_UNAVAILABLE),
    (BusyError, HTTPStatus.SERVICE_UNAVAILABLE),
    (LiveFullError, HTTPStatus.SERVICE_UNAVAILABLE),
)
_NO_MODEL = "No model can be opened here; whoever runs the server finds the reason in its log."


class Problem(BaseModel):
    """A problem document.

    Parameters
    ----------
    type : str
        Names the kind of problem for a program, as ``urn:songnet:audio-too-short``;
        "about:blank" where the status says it all.
    title : str
        The status in words.
    status : int
        The HTTP status.
    detail : str
        What happened and what to do, for a person.
    """

    type: str
    title: str
    status: int
    detail: str


def document(error: SongNetError) -> Problem:
    """Describe an error.

    Parameters
    ----------
    error : SongNetError

    Returns
    -------
    problem : Problem
        The message of a BundleError names folders of the server, so it goes
        into the log instead.
    """
    statuses = (status for kind, status in _STATUSES if isinstance(error, kind))
    status = next(statuses, HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = str(error)
    if isinstance(error, BundleError):
        _LOG.error("%s", error)
        detail = _NO_MODEL
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__.removesuffix("Error")).lower()
    return _problem(status, detail, kind=f"urn:songnet:{name}")


def answer(problem: Problem) -> JSONResponse:
    """Return a problem as the response to a request."""
    is_busy = problem.status == HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(
        problem.model_dump(),
        status_code=problem.status,
        headers={"Retry-After": _RETRY_SECONDS} if is_busy else None,
        media_type="application/problem+json",
    )


def add_problem_handlers(api: FastAPI) -> None:
    """Let every error of an application leave it as a problem document.

    Parameters
    ----------
    api : FastAPI
    """
    api.add_exception_handler(SongNetError, _answer_songnet)
    api.add_exception_handler(RefusedRequest, _answer_refused)
    api.add_exception_handler(AnyHTTPException, _answer_http)
    api.add_exception_handler(RequestValidationError, _answer_invalid)
    api.add_exception_handler(WebSocketRequestValidationError, _refuse_invalid)
    api.add_exception_handler(Exception, _answer_fault)


def _problem(status: int, detail: str, *, kind: str = "about:blank") -> Problem:
    return Problem(type=kind, title=HTTPStatus(status).phrase, status=status, detail=detail)


async def _answer_songnet(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SongNetError)
    return answer(document(error))


async def _answer_refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedRequest)
    return answer(document(error.reason))


async def _answer_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AnyHTTPException)
    response = answer(_problem(error.status_code, error.detail))
    response.headers.update(error.headers or {})
    return response


async def _answer_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return answer(_problem(HTTPStatus.BAD_REQUEST, _in_words(error.errors())))


async def _refuse_invalid(socket: WebSocket, error: Exception) -> None:
    assert isinstance(error, WebSocketRequestValidationError)
    problem = _problem(HTTPStatus.BAD_REQUEST, _in_words(error.errors()))
    await socket.send_denial_response(answer(problem))


async def _answer_fault(_request: Request, _error: Exception) -> JSONResponse:
    """Starlette raises the error again after this, so the server's log has it."""
    return answer(
        _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed; its log has the reason.")
    )


def _in_words(errors: Any) -> str:
    """Say which parts of a request are wrong and how."""
    parts = []
    for error in errors:
        place, *names = error["loc"]
        where = ".".join(str(name) for name in names) or place
        parts.append(f"{where} ({place}): {error['msg']}.")
    return " ".join(parts)

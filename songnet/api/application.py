"""The FastAPI application, to be served alone or beside the pages of the app."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from songnet import __version__
from songnet.api import files, live
from songnet.api.problems import add_problem_handlers
from songnet.api.service import ApiLimits, Recognise, Service
from songnet.api.uploads import UploadMiddleware
from songnet.inference.classifier import Classifier
from songnet.inference.live_places import LivePlaces

__all__ = ["PREFIX", "build_api"]

#: Where the API is mounted, alone and beside the pages.
PREFIX = "/api/v1"
_ABOUT = """Names the genre of music. Errors are problem documents (RFC 9457).
Live sound goes over the WebSocket `live`, see docs/api.md."""


def build_api(
    open_classifier: Callable[[], Classifier],
    *,
    open_places: Callable[[], LivePlaces],
    recognise: Recognise,
    limits: ApiLimits | None = None,
) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    open_classifier : callable
        Returns the classifier, the same at each call; called when it is first
        needed.
    open_places : callable
        Returns the places for live connections, the same at each call.
    recognise : callable
        Says who made a file, from its bytes and its name.
    limits : ApiLimits, optional

    Returns
    -------
    api : FastAPI
        To be mounted at `PREFIX`.
    """
    limits = limits or ApiLimits()
    api = FastAPI(
        title="SongNet",
        version=__version__,
        description=_ABOUT,
        redoc_url=None,
    )
    api.state.service = Service(
        open_classifier, recognise=recognise, open_places=open_places, limits=limits
    )
    if limits.origins:
        api.add_middleware(
            CORSMiddleware, allow_origins=limits.origins, allow_methods=["GET", "POST"]
        )
    api.add_middleware(UploadMiddleware, limits=limits)
    add_problem_handlers(api)
    api.include_router(files.routes)
    api.include_router(live.routes)
    return api

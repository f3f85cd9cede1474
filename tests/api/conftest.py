"""A real server on loopback, with a model that answers by the loudest part of the spectrum."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from songnet.api import PREFIX, ApiLimits, build_api
from songnet.api.heads import HeadLimitedProtocol
from songnet.datasets.recognise import Recogniser, TrackInfo
from songnet.inference.classifier import Classifier
from songnet.inference.live_places import LivePlaces
from tests.app.stub import stub_classifier
from tests.e2e.browser import free_port

PATIENCE_SECONDS = 60
CLASSIFIER = stub_classifier(0.0)
PLACES = LivePlaces(2)


def recognise(data: bytes, name: str) -> TrackInfo:
    return Recogniser().recognise(data, name=name)


@contextmanager
def serve_api(
    open_classifier: Callable[[], Classifier] = lambda: CLASSIFIER,
    *,
    places: LivePlaces = PLACES,
    **limits: Any,
) -> Iterator[str]:
    """Serve the API on a free port of this machine; gives its address, without a scheme."""
    api = build_api(
        open_classifier,
        open_places=lambda: places,
        recognise=recognise,
        limits=ApiLimits(**limits),
    )
    port = free_port()
    config = uvicorn.Config(
        Starlette(routes=[Mount(PREFIX, api)]),
        http=HeadLimitedProtocol,
        host="127.0.0.1",
        port=port,
        log_config=None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="api")
    thread.start()
    until(lambda: server.started)
    try:
        yield f"127.0.0.1:{port}{PREFIX}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def post(address: str, data: bytes, *, name: str = "song.wav", **query: Any) -> requests.Response:
    return requests.post(
        f"http://{address}/predict", files={"file": (name, data)}, params=query, timeout=60
    )


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the API is, with the limits that it has by itself."""
    with serve_api() as address:
        yield address


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serve it in another way."""
    with ExitStack() as servers:
        yield lambda *args, **limits: servers.enter_context(serve_api(*args, **limits))

"""``songnet serve``: the classifier over HTTP and WebSocket."""

from __future__ import annotations

import logging
import socket
from typing import Annotated

import typer

from songnet.cli.predict import ModelName, RuntimeChoice, open_classifier
from songnet.exceptions import ParameterError

__all__ = ["serve"]


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 for any that is free.")] = 8000,
    model: ModelName = "songnet",
    runtime: RuntimeChoice = "litert",
    max_upload_mb: Annotated[int, typer.Option(min=1, help="Largest file.")] = 200,
    max_minutes: Annotated[int, typer.Option(min=1, help="Longest track.")] = 60,
    max_live: Annotated[int, typer.Option(min=0, help="Live connections at once.")] = 16,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="A site whose pages may call from a browser, such as https://songnet.example; "
            "may be given often."
        ),
    ] = None,
) -> None:
    """Serve REST and WebSocket at /api/v1, until Ctrl+C.

    The description for programs is /api/v1/openapi.json.
    """
    try:
        import uvicorn
        from starlette.applications import Starlette
        from starlette.responses import RedirectResponse
        from starlette.routing import Mount, Route

        from songnet.api import MAX_MESSAGE_BYTES, PREFIX, ApiLimits, build_api
        from songnet.api.heads import HeadLimitedProtocol
    except ImportError as error:
        raise ParameterError(
            f"{error.name} is not installed; install what serves: pip install -e '.[api]'."
        ) from error
    from songnet.datasets.places import index_root
    from songnet.datasets.recognise import Recogniser
    from songnet.inference.live_places import LivePlaces
    from songnet.signal.audio import DecodeLimits

    classifier = open_classifier(model, runtime)
    recogniser = Recogniser(sorted(index_root().glob("*.parquet")))
    places = LivePlaces(max_live)
    limits = ApiLimits(
        decode=DecodeLimits(
            max_bytes=max_upload_mb * 2**20, max_seconds=60.0 * max_minutes, own_process=True
        ),
        origins=tuple(origin or ()),
    )
    api = build_api(
        lambda: classifier,
        open_places=lambda: places,
        recognise=lambda data, name: recogniser.recognise(data, name=name),
        limits=limits,
    )
    home = Route("/", lambda _: RedirectResponse(f"{PREFIX}/docs"))
    with _listen(host, port) as listener:
        config = uvicorn.Config(
            Starlette(routes=[home, Mount(PREFIX, api)]),
            http=HeadLimitedProtocol,
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_per_message_deflate=False,  # a small message could become a large one
            ws_ping_interval=None,  # a client that waits for us to hear does not answer
        )
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        uvicorn.Server(config).run(sockets=[listener])


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the error that uvicorn makes of each live connection that was refused with an answer."""
    return not record.getMessage().startswith("ASGI callable returned without")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ParameterError(
            f"{host}:{port} cannot be listened on ({error.strerror}); choose another --host or "
            "--port."
        ) from error

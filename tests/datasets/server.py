"""A local server of files: ranges, cuts, redirects and passwords as real ones have them."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it serves, and what was asked of it."""

    files: dict[str, bytes] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)  # bytes after which an answer breaks off
    knows_ranges: bool = True
    password: str = ""
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(server: FileServer) -> Iterator[FileServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, server)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def answer(handler: BaseHTTPRequestHandler, server: FileServer) -> None:
    data = server.files.get(handler.path)
    wanted = handler.headers.get("Range")
    server.ranges.append(wanted)
    token = base64.b64encode(server.password.encode()).decode()
    if server.password and handler.headers.get("Authorization") != f"Basic {token}":
        return empty(handler, 401)
    if data is None:
        return empty(handler, 404)
    start = int(re.match(r"bytes=(\d+)-$", wanted)[1]) if wanted and server.knows_ranges else 0
    if start >= len(data):
        return empty(handler, 416, {"Content-Range": f"bytes */{len(data)}"})
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    handler.send_header("Content-Length", str(len(data) - start))
    handler.end_headers()
    end = start + server.cuts.pop(0) if server.cuts else len(data)
    handler.wfile.write(data[start:end])
    handler.close_connection = True
    return None


def empty(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str] | None = None
) -> None:
    handler.send_response(status)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()

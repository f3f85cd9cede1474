"""A small web server of sound on this machine, for tests of live sources."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ICY_INTERVAL = 1000


class Radio(ThreadingHTTPServer):
    """Serves what is put into it and notes who asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.headers_seen: list[dict[str, str]] = []
        self.n_open = 0
        self.changed = threading.Condition()
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, path: str, body: bytes = b"", **answer: Any) -> str:
        """Serve a body; answer may hold kind, status, headers, stall (after the body), drops
        (sent meanwhile) and endless_head (all this is part of the head)."""
        self.pages[path] = {"body": body, **answer}
        return self.url + path

    def count(self, change: int) -> None:
        with self.changed:
            self.n_open += change
            self.changed.notify_all()

    def wait_until_idle(self, timeout: float = 60) -> bool:
        """Whether all connections have ended."""
        with self.changed:
            return self.changed.wait_for(lambda: self.n_open == 0, timeout=timeout)


class _Handler(BaseHTTPRequestHandler):
    server: Radio

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.server.headers_seen.append(dict(self.headers.items()))
        page = self.server.pages.get(self.path)
        if page is None:
            self.send_error(404)
            return
        self.send_response(page.get("status", 200))
        self.send_header("Content-Type", page.get("kind", "audio/mpeg"))
        for name, value in page.get("headers", {}).items():
            self.send_header(name, value)
        if page.get("endless_head"):
            self.flush_headers()
        else:
            self.end_headers()
        self.server.count(1)
        try:
            self.wfile.write(page["body"])
            if page.get("stall"):
                self._stall(drops=page.get("drops", b""))
        except OSError:
            return
        finally:
            self.server.count(-1)

    def _stall(self, *, drops: bytes) -> None:
        """Send nothing more, or drops, until the client leaves or the test ends."""
        self.connection.settimeout(0.1)
        while not self.server.release.is_set():
            try:
                self.wfile.write(drops)
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve_radio() -> Iterator[Radio]:
    """Run the server until the end of the block."""
    with Radio() as radio:
        thread = threading.Thread(target=radio.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield radio
        finally:
            radio.release.set()
            radio.shutdown()
            thread.join()


def with_icy(data: bytes, titles: list[str]) -> bytes:
    """Put a block of metadata behind each interval, the last title to the end."""
    parts = []
    for i in range(0, len(data) - ICY_INTERVAL + 1, ICY_INTERVAL):
        title = titles[min(i // ICY_INTERVAL, len(titles) - 1)]
        text = f"StreamTitle='{title}';".encode()
        n_blocks = -(-len(text) // 16)
        parts += [data[i : i + ICY_INTERVAL], bytes([n_blocks]), text.ljust(16 * n_blocks, b"\0")]
    return b"".join(parts)


def unused_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""A file on its way: what comes too slowly, is too large, or may not come at all."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection

import pytest

from songnet.signal.audio import DecodeLimits
from tests.api.conftest import post, until
from tests.app.stub import clip

Serve = Callable[..., str]
Send = Callable[[bytes], None]
Receive = Callable[[float], bytes]
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


def test_a_file_over_the_limit_is_refused_on_its_way(serve: Serve) -> None:
    with begin_upload(serve(decode=DecodeLimits(max_bytes=2**16))) as (send, receive):
        sent = 0
        while sent < 900 and not receive(0.01):
            send(bytes(2**16))
            sent += 1
        said = json.loads(receive(60).partition(b"\r\n\r\n")[2])
    assert (said["status"], said["type"]) == (413, "urn:songnet:audio-too-long")
    assert sent < 900


@contextmanager
def begin_upload(address: str) -> Iterator[tuple[Send, Receive]]:
    """The first bytes of a form of unknown length; gives what sends more and what reads."""
    host, _, path = address.partition("/")
    name, port = host.split(":")
    with socket.create_connection((name, int(port))) as connection:
        heard = b""

        def send(data: bytes) -> None:
            connection.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        def receive(seconds: float) -> bytes:
            nonlocal heard
            connection.settimeout(seconds)
            with suppress(TimeoutError):
                while b"}" not in heard:
                    heard += connection.recv(65_536)
            return heard

        connection.sendall(
            f"POST /{path}/predict HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        send(HEAD)
        yield send, receive


def test_a_file_that_does_not_arrive_is_given_up(serve: Serve) -> None:
    with begin_upload(serve(idle_seconds=0.2)) as (_, receive):
        said = receive(60)
    assert b" 408 " in said
    assert b"urn:songnet:idle" in said


def test_a_file_that_comes_in_drops_is_given_up(serve: Serve) -> None:
    with begin_upload(serve(idle_seconds=0.5)) as (send, receive):
        said = b""
        while not said:
            with suppress(OSError):  # when it is refused the server hangs up
                send(b"x")
            said = receive(0.05)
    assert b" 408 " in said
    assert b"less than 10 kB/s" in said


@pytest.mark.parametrize("before", [b"", b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_head_that_comes_in_drops_is_given_up(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    address = serve()
    monkeypatch.setattr("songnet.api.heads._HEAD_SECONDS", 0.5)
    name, port = address.partition("/")[0].split(":")
    with socket.create_connection((name, int(port)), timeout=60) as connection:
        connection.sendall(before)
        assert not before or b" 404 " in connection.recv(65_536)
        connection.settimeout(0.05)
        connection.sendall(b"GET /health HTTP/1.1\r\nA: ")
        until(lambda: _is_hung_up(connection))


def _is_hung_up(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"a")
        return not connection.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True


def test_uploads_on_their_way_count(serve: Serve) -> None:
    address = serve(max_uploads=1)
    with begin_upload(address):
        until(lambda: post(address, clip()).status_code == 503)
    until(lambda: post(address, clip()).status_code == 200)


@pytest.mark.parametrize(
    ("n_bytes", "origin", "status"), [(2**40, "", 413), (2**10, "https://other.example", 403)]
)
def test_what_is_refused_is_refused_before_it_is_sent(
    serve: Serve, n_bytes: int, origin: str, status: int
) -> None:
    host, _, path = serve(decode=DecodeLimits(max_bytes=2**16)).partition("/")
    connection = HTTPConnection(host, timeout=60)
    connection.putrequest("POST", f"/{path}/predict")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(n_bytes))
    connection.putheader("Origin", origin)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()

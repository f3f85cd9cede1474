"""Sound from an address: what is followed, what is refused, what ends it."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from songnet.exceptions import RemoteAudioError
from songnet.signal.remote import RemoteAudio, RemoteLimits
from tests.radio import ICY_INTERVAL, Radio, serve_radio, unused_port, with_icy

OPEN = RemoteLimits(connect_seconds=5, idle_seconds=20, allow_private=True)
BODY = bytes(range(256)) * 40


@pytest.fixture
def radio() -> Iterator[Radio]:
    with serve_radio() as radio:
        yield radio


def read_all(url: str, limits: RemoteLimits = OPEN) -> bytes:
    with RemoteAudio(url, limits=limits) as remote:
        return b"".join(iter(lambda: remote.read(700), b""))


def test_sound_is_read_to_its_end(radio: Radio) -> None:
    assert read_all(radio.put("/a.mp3", BODY)) == BODY
    assert read_all(f"  {radio.url}/a.mp3\n") == BODY


def test_without_the_setting_this_machine_is_not_asked(radio: Radio) -> None:
    with pytest.raises(RemoteAudioError, match="public internet"):
        read_all(radio.put("/a.mp3", BODY), RemoteLimits())
    assert radio.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(radio: Radio, status: int) -> None:
    radio.put("/sound/b.mp3", BODY)
    url = radio.put("/a.mp3", status=status, headers={"Location": "sound/b.mp3"})
    assert read_all(url) == BODY


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("file:///etc/passwd", "file:"),
        ("ftp://127.0.0.1/", "ftp:"),
        ("//u:p@x/", "password"),
        ("http://[bad/", "no address"),
    ],
)
def test_redirects_are_judged(radio: Radio, location: str, words: str) -> None:
    url = radio.put("/a.mp3", status=302, headers={"Location": location})
    with pytest.raises(RemoteAudioError, match=words):
        read_all(url)


def test_redirect_into_the_private_network_is_refused(
    radio: Radio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first address is public, here by decree; where it leads is not."""
    url = radio.put("/a.mp3", status=302, headers={"Location": f"{radio.url}/secret"})
    radio.put("/secret", b"secret")
    public = url.replace("127.0.0.1", "radio.example")
    resolve = socket.getaddrinfo

    def answer(host: str, *rest: Any, **options: Any) -> Any:
        return resolve("93.184.216.34" if host == "radio.example" else host, *rest, **options)

    def reach(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        return socket.create_connection(("127.0.0.1", address[1]))

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr("urllib3.util.connection.create_connection", reach)
    with pytest.raises(RemoteAudioError, match=r"“127\.0\.0\.1” is not a server of the public"):
        read_all(public, RemoteLimits())
    assert radio.requests == ["/a.mp3"]
    assert radio.headers_seen[0]["Host"].startswith("radio.example:")


def test_name_is_resolved_once(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public at first and private afterwards (DNS rebinding)."""
    asked: list[str] = []
    reached: list[str] = []
    resolve = socket.getaddrinfo

    def answer(host: str, *rest: Any, **options: Any) -> Any:
        if host != "rebind.example":
            return resolve(host, *rest, **options)
        asked.append(host)
        return resolve("93.184.216.34" if len(asked) == 1 else "127.0.0.1", *rest, **options)

    def reach(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr("urllib3.util.connection.create_connection", reach)
    with pytest.raises(RemoteAudioError, match="cannot be reached"):
        read_all("http://rebind.example/", RemoteLimits())
    assert (asked, reached) == (["rebind.example"], ["93.184.216.34"])


def test_endless_redirects_end(radio: Radio) -> None:
    url = radio.put("/a.mp3", status=302, headers={"Location": "/a.mp3"})
    with pytest.raises(RemoteAudioError, match="more than 5 times"):
        read_all(url)
    assert len(radio.requests) == 6


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("/list.m3u", "text/plain", "#EXTM3U\n#EXTINF:-1,Radio\n{url}\n"),
        ("/list", "audio/x-mpegurl; charset=utf-8", "a.mp3\n"),
        ("/list.pls", "audio/x-scpls", "[playlist]\nNumberOfEntries=1\nTitle1=R\nFile1={url}\n"),
    ],
)
def test_station_lists_are_followed(radio: Radio, name: str, kind: str, text: str) -> None:
    url = radio.put("/a.mp3", BODY)
    assert read_all(radio.put(name, text.format(url=url).encode(), kind=kind)) == BODY


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#EXTM3U\n#EXT-X-TARGETDURATION:6\nseg.aac\n", "HLS"),
        ("#EXTM3U\n", "names no stream"),
        ("file:///etc/passwd\n", "file:"),
    ],
)
def test_station_lists_are_judged(radio: Radio, text: str, words: str) -> None:
    with pytest.raises(RemoteAudioError, match=words):
        read_all(radio.put("/list.m3u8", text.encode(), kind="application/x-mpegurl"))


def test_a_metadata_interval_that_is_no_number_of_bytes_is_not_believed(radio: Radio) -> None:
    assert read_all(radio.put("/a.mp3", BODY, headers={"icy-metaint": "9" * 5000})) == BODY


def test_station_list_that_never_ends_is_left(radio: Radio) -> None:
    url = radio.put("/list.m3u", b"http://127.0.0.1:9/\n", stall=True)
    with pytest.raises(RemoteAudioError, match="Nothing arrived"):
        read_all(url, RemoteLimits(idle_seconds=0.2, allow_private=True))
    assert radio.wait_until_idle()


def test_what_is_not_sound_is_refused(radio: Radio) -> None:
    with pytest.raises(RemoteAudioError, match="text/html"):
        read_all(radio.put("/page", b"<html>", kind="text/html; charset=utf-8"))
    with pytest.raises(RemoteAudioError, match="404"):
        read_all(f"{radio.url}/missing")


def test_titles_are_taken_out_of_the_sound(radio: Radio) -> None:
    body = BODY[: 4 * ICY_INTERVAL]
    url = radio.put(
        "/icy",
        with_icy(body, ["One", "Two: Þrír"]),
        headers={"icy-metaint": str(ICY_INTERVAL), "icy-name": "Radio\x07 One"},
    )
    titles = []
    with RemoteAudio(url, limits=OPEN) as remote:
        read = []
        while data := remote.read():
            read.append(data)
            titles.append(remote.title)
    assert b"".join(read) == body
    assert remote.station == "Radio One"
    assert list(dict.fromkeys(titles)) == ["", "One", "Two: Þrír"]
    assert radio.headers_seen[0]["Icy-MetaData"] == "1"


def test_size_and_time_are_limited(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    url = radio.put("/a.mp3", BODY)
    assert len(read_all(url, RemoteLimits(max_bytes=1000, allow_private=True))) == 1400
    assert read_all(url, RemoteLimits(max_seconds=-1, allow_private=True)) == b""


def test_a_block_of_metadata_is_limited_too(radio: Radio) -> None:
    body = b"a\xff" + bytes(50)  # of 4080
    url = radio.put("/icy", body, headers={"icy-metaint": "1"}, stall=True)
    assert read_all(url, RemoteLimits(idle_seconds=20, max_bytes=20, allow_private=True)) == b"a"


def test_silent_server_is_left(radio: Radio) -> None:
    url = radio.put("/a.mp3", b"begin", stall=True)
    limits = RemoteLimits(idle_seconds=0.2, allow_private=True)
    with RemoteAudio(url, limits=limits) as remote:
        assert remote.read() == b"begin"
        with pytest.raises(RemoteAudioError, match="Nothing arrived"):
            remote.read()
    assert radio.wait_until_idle()


def test_unreachable_server_is_said() -> None:
    with pytest.raises(RemoteAudioError, match="cannot be reached"):
        read_all(f"http://127.0.0.1:{unused_port()}/")


def test_abort_frees_a_reader_that_waits(radio: Radio) -> None:
    url = radio.put("/a.mp3", b"begin", stall=True)
    remote = RemoteAudio(url, limits=OPEN)
    assert remote.read() == b"begin"
    rest: list[bytes] = []
    reader = threading.Thread(target=lambda: rest.append(remote.read()))
    reader.start()
    remote.abort()
    reader.join(timeout=15)  # less than idle_seconds
    assert rest == [b""]
    remote.close()
    assert radio.wait_until_idle()


def make_certificate(folder: Path, name: str) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


@pytest.mark.parametrize("name", ["radio.test", "other.test"])
def test_certificate_is_checked_against_the_name(
    radio: Radio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = make_certificate(tmp_path, "radio.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    radio.socket = context.wrap_socket(radio.socket, server_side=True)
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **options: resolve(
            "127.0.0.1" if host == name else host, *rest, **options
        ),
    )
    monkeypatch.setattr(certifi, "where", lambda: str(path))
    url = radio.put("/a.mp3", BODY).replace("http://127.0.0.1", f"https://{name}")
    if name == "radio.test":
        assert read_all(url) == BODY
    else:
        with pytest.raises(RemoteAudioError, match="certificate"):
            read_all(url)

"""Which addresses are opened: public ones only, resolved once."""

from __future__ import annotations

import socket

import pytest

from songnet.exceptions import RemoteAudioError
from songnet.signal.addresses import resolve_url

PRIVATE = [
    "http://127.0.0.1/x",
    "http://localhost:8000/",
    "http://[::1]/",
    "http://2130706433/",  # 127.0.0.1 as one number
    "http://0x7f.1/",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[ff02::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[2002:7f00:1::]/",  # 6to4 of 127.0.0.1
    "http://[64:ff9b::7f00:1]/",  # NAT64 of 127.0.0.1
    "http://[64:ff9b:1::a00:1]/",
    "http://[64:ff9b:1:a00:1:100:5db8:d822]/",  # its IPv4 address may stand before the last bits
    "http://[fec0::1]/",  # site-local
    "http://192.0.0.8/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_refused(url: str) -> None:
    with pytest.raises(RemoteAudioError, match="not a server of the public internet"):
        resolve_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://93.184.216.34/a", "https://[2606:4700::1111]:8443/", "http://[64:ff9b::5db8:d822]/"],
)
def test_public_addresses_are_taken(url: str) -> None:
    target = resolve_url(url)
    assert target.addresses == (target.host,)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "begins with “file:”"),
        ("ftp://radio.example/", "begins with “ftp:”"),
        ("radio.example/stream", "no beginning"),
        ("http://", "names no server"),
        ("http://a..b/", "names no server"),
        ("http://user:word@radio.example/", "password"),
        ("http://radio.example:99999/", "not an address"),
        ("http://radio.example/\r\nHost: other", "control characters"),
        ("http://radio.example/" + "x" * 2000, "longer than"),
    ],
)
def test_what_is_no_address_of_sound_is_refused(url: str, words: str) -> None:
    with pytest.raises(RemoteAudioError, match=words):
        resolve_url(url, allow_private=True)


def answer_with(*addresses: str) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = answer_with("93.184.216.34", "10.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    with pytest.raises(RemoteAudioError, match="public internet"):
        resolve_url("http://radio.example/")


def test_unknown_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(RemoteAudioError, match=r"no server called “radio\.example”"):
        resolve_url("http://radio.example/")


def test_target_keeps_name_port_and_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer_with("93.184.216.34"))
    target = resolve_url("https://Rädio.example:8443/a/b?c=d#e")
    assert (target.scheme, target.port, target.path) == ("https", 8443, "/a/b?c=d")
    assert target.host_header == "xn--rdio-loa.example:8443"
    assert resolve_url("https://radio.example").host_header == "radio.example"
    assert resolve_url("https://radio.example").path == "/"

"""Sound from an address on the internet, read as it arrives.

The bytes are fetched here and handed to a decoder; the decoder itself never
opens an address. Each redirect, and each station list, is judged like the
first address.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin

import certifi
import urllib3

from songnet.exceptions import RemoteAudioError
from songnet.signal.addresses import Target, resolve_url

__all__ = ["RemoteAudio", "RemoteLimits"]

_Read = Callable[[int], bytes]
_REDIRECTS = {301, 302, 303, 307, 308}
_PLAYLIST_BYTES = 65_536
_PLAYLIST_TYPES = {
    "application/pls+xml", "application/vnd.apple.mpegurl", "application/x-mpegurl",
    "audio/mpegurl", "audio/x-mpegurl", "audio/x-scpls",
}  # fmt: skip
_AUDIO_TYPES = {"", "application/octet-stream", "application/ogg", "binary/octet-stream"}
_HEADERS = {"User-Agent": "SongNet", "Accept-Encoding": "identity", "Icy-MetaData": "1"}


@dataclass(frozen=True)
class RemoteLimits:
    """What one address may cost.

    Parameters
    ----------
    connect_seconds, idle_seconds : float
        Longest wait for a connection, and for the next bytes.
    max_seconds, max_bytes : float, int
        After so much the sound ends.
    max_redirects : int
        Redirects and station lists on the way to the sound.
    allow_private : bool
        Open addresses of this machine and of private networks: for tests, and
        for stations of a house of one's own.
    """

    connect_seconds: float = 10.0
    idle_seconds: float = 15.0
    max_seconds: float = 2 * 3600.0
    max_bytes: int = 512 * 2**20
    max_redirects: int = 5
    allow_private: bool = False


class RemoteAudio:
    """A station or a file behind an address: a file that is read once; a context manager.

    Parameters
    ----------
    url : str
        http or https; an M3U or PLS list stands for its first entry.
    limits : RemoteLimits, optional

    Attributes
    ----------
    station : str
        What the server calls itself; may be empty.
    title : str
        What plays now, where the station says so (ICY metadata).

    Raises
    ------
    RemoteAudioError
        If the address is refused, cannot be reached or is not audio.
    """

    def __init__(self, url: str, *, limits: RemoteLimits | None = None) -> None:
        self._limits = limits or RemoteLimits()
        self._n_bytes = 0
        self._is_aborted = False
        self.title = ""
        self._pool, self._response = _open(url.strip(), self._limits)
        self._deadline = time.monotonic() + self._limits.max_seconds
        headers = self._response.headers
        self.station = _to_text(headers.get("icy-name", ""))
        interval = headers.get("icy-metaint", "0")
        self._read: _Read = self._fetch
        if re.fullmatch(r"0*[1-9][0-9]{0,8}", interval):
            self._read = _IcyReader(self._fetch, int(interval), self._set_title).read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, n: int = -1) -> bytes:
        """Return the next bytes as soon as there are some, at most ``n``; none at the end.

        Raises
        ------
        RemoteAudioError
            If nothing arrives for ``idle_seconds``, or the connection breaks.
        """
        return self._read(n if 0 < n < 1 << 16 else 1 << 16)

    def _fetch(self, n: int) -> bytes:
        used_up = time.monotonic() > self._deadline or self._n_bytes >= self._limits.max_bytes
        if self._is_aborted or used_up:
            return b""
        try:
            data = self._response.read1(n)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if self._is_aborted:
                return b""
            raise RemoteAudioError(_why_unreachable(error)) from error
        self._n_bytes += len(data)
        return data

    def abort(self) -> None:
        """End the sound now; may be called while another thread reads."""
        self._is_aborted = True
        try:
            self._response.shutdown()
        except (OSError, ValueError):
            return  # there is no connection any more

    def close(self) -> None:
        """Give the connection back."""
        self._is_aborted = True
        self._response.close()
        self._pool.close()

    def _set_title(self, title: str) -> None:
        self.title = title


class _IcyReader:
    """Takes the metadata out of a SHOUTcast or Icecast stream: a block after each interval."""

    def __init__(self, read: _Read, interval: int, on_title: Callable[[str], None]) -> None:
        self._raw = read
        self._interval = self._left = interval
        self._on_title = on_title

    def read(self, n: int) -> bytes:
        if self._left == 0:
            self._read_metadata()
            self._left = self._interval
        data = self._raw(min(n, self._left))
        self._left -= len(data)
        return data

    def _read_metadata(self) -> None:
        n_blocks = self._read_exactly(1)
        block = self._read_exactly(16 * n_blocks[0]) if n_blocks else b""
        if found := re.search(rb"StreamTitle='(.*?)';", block, re.DOTALL):
            self._on_title(_to_text(found[1]))

    def _read_exactly(self, n: int) -> bytes:
        data = b""
        while len(data) < n and (more := self._raw(n - len(data))):
            data += more
        return data


def _open(
    url: str, limits: RemoteLimits
) -> tuple[urllib3.HTTPConnectionPool, urllib3.BaseHTTPResponse]:
    """Follow redirects and station lists to the sound."""
    for _ in range(limits.max_redirects + 1):
        target = resolve_url(url, allow_private=limits.allow_private)
        pool, response = _request(target, limits)
        is_sound = False
        try:
            following = _next_url(url, response, limits)
            is_sound = following is None
        finally:
            if not is_sound:
                response.close()
                pool.close()
        if following is None:
            return pool, response
        url = following
    raise RemoteAudioError(
        f"The address leads on more than {limits.max_redirects} times; give the one at the end."
    )


def _request(
    target: Target, limits: RemoteLimits
) -> tuple[urllib3.HTTPConnectionPool, urllib3.BaseHTTPResponse]:
    """Ask one after the other of the addresses that were judged."""
    last: Exception | None = None
    for address in target.addresses:
        pool = _connect_to(address, target, limits)
        try:
            return pool, pool.urlopen(
                "GET",
                target.path,
                headers=_HEADERS | {"Host": target.host_header},
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            last = error
            pool.close()
    raise RemoteAudioError(_why_unreachable(last)) from last


def _connect_to(address: str, target: Target, limits: RemoteLimits) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=limits.connect_seconds, read=limits.idle_seconds)
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(address, target.port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address,
        target.port,
        timeout=timeout,
        ca_certs=certifi.where(),
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _next_url(url: str, response: urllib3.BaseHTTPResponse, limits: RemoteLimits) -> str | None:
    """Return where the response leads on to; None where it is the sound itself."""
    if response.status in _REDIRECTS and "location" in response.headers:
        return _join(url, response.headers["location"])
    if response.status not in (200, 206):
        raise RemoteAudioError(
            f"The server answered {response.status} ({response.reason or 'no reason'}). "
            "Check the address, or try again later."
        )
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    path = url.partition("?")[0].lower()
    if kind in _PLAYLIST_TYPES or path.endswith((".m3u", ".m3u8", ".pls")):
        return _join(url, _first_entry(_read_playlist(response, limits)))
    if not (kind.startswith(("audio/", "video/")) or kind in _AUDIO_TYPES):
        raise RemoteAudioError(
            f"The address leads to “{kind}”, not to sound. Stations name the address of "
            "the stream itself, often under “listen in another player”."
        )
    return None


def _join(url: str, following: str) -> str:
    try:
        return urljoin(url, following)
    except ValueError as error:
        raise RemoteAudioError(
            f"The server leads on to “{_to_text(following)[:200]}”, which is no address. Try again "
            "later, or another stream."
        ) from error


def _read_playlist(response: urllib3.BaseHTTPResponse, limits: RemoteLimits) -> bytes:
    deadline = time.monotonic() + limits.connect_seconds
    data = b""
    try:
        while len(data) < _PLAYLIST_BYTES and time.monotonic() < deadline:
            if not (more := response.read1(_PLAYLIST_BYTES)):
                break
            data += more
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise RemoteAudioError(_why_unreachable(error)) from error
    return data


def _first_entry(playlist: bytes) -> str:
    text = _to_text(playlist)
    if "#EXT-X-" in text:
        raise RemoteAudioError(
            "The address is an HLS list, which is not supported. Look for the station's MP3, "
            "AAC or Ogg stream."
        )
    lines = (line.strip() for line in text.splitlines())
    entries = [re.sub(r"(?i)^File\d+=", "", line) for line in lines if _is_entry(line)]
    if not entries:
        raise RemoteAudioError("The station list names no stream; give the stream's own address.")
    return entries[0]


def _is_entry(line: str) -> bool:
    is_pls = re.match(r"(?i)File\d+=", line) is not None
    return is_pls or (bool(line) and line[0] not in "#[" and "=" not in line.partition("://")[0])


def _why_unreachable(error: Exception | None) -> str:
    reasons = (
        (urllib3.exceptions.SSLError, "The server's certificate is not valid for this address."),
        (urllib3.exceptions.NewConnectionError, "The server cannot be reached."),
        (urllib3.exceptions.ConnectTimeoutError, "The server does not answer."),
        (urllib3.exceptions.TimeoutError, "Nothing arrived from the server for a while."),
    )
    reason = next((text for kind, text in reasons if isinstance(error, kind)), None)
    return f"{reason or 'The connection broke.'} Check the address, or try again later."


def _to_text(value: bytes | str) -> str:
    """Decode what a server says about itself; control characters are dropped."""
    if isinstance(value, str):
        value = value.encode("latin-1", "replace")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return "".join(c for c in text if c.isprintable() or c in "\r\n").strip()

"""Which addresses on the internet a server may fetch on behalf of a visitor.

A name is resolved once and all its addresses are judged; the connection goes
to one of those very addresses. So a name cannot point to a public server when
it is judged and into the private network when it is used (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from songnet.exceptions import RemoteAudioError

__all__ = ["Target", "resolve_url"]

_PORTS = {"http": 80, "https": 443}
_MAX_URL_CHARACTERS = 2000
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
# Site-local, local NAT64 (RFC 8215), documentation and protocol assignments, which the
# `is_global` of some Python lets pass.
_NOT_PUBLIC = (
    ipaddress.IPv6Network("fec0::/10"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
    ipaddress.IPv6Network("3fff::/20"),
    ipaddress.IPv4Network("192.0.0.0/24"),
)
# The last 32 bits are reached as an IPv4 address (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Target:
    """Where a request goes.

    Parameters
    ----------
    scheme : {"http", "https"}
    host : str
        Name or address as in the URL, for the Host header and the certificate.
    port : int
    path : str
        With the query.
    addresses : tuple of str
        What the name resolved to; each was judged.
    """

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]

    @property
    def host_header(self) -> str:
        """Value of the Host header: the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def resolve_url(url: str, *, allow_private: bool = False) -> Target:
    """Check a URL, resolve its name once and check what it resolves to.

    Parameters
    ----------
    url : str
    allow_private : bool
        Lifts the check of the addresses, never that of the scheme.

    Returns
    -------
    target : Target

    Raises
    ------
    RemoteAudioError
        If the URL is not http or https, holds a password or control
        characters, its name is unknown, or one of its addresses is private,
        loopback, link-local, multicast or otherwise not of the public internet.
    """
    parts, port = _split(url)
    host = _ascii_host(parts)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RemoteAudioError(
            f"There is no server called “{host}”. Check the address for a slip of the pen."
        ) from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private and not all(_is_public(address) for address in addresses):
        raise RemoteAudioError(
            f"“{host}” is not a server of the public internet; addresses of this machine and of "
            "private networks are not opened. Give a public address, or upload the file."
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme=parts.scheme, host=host, port=port, path=path, addresses=addresses)


def _split(url: str) -> tuple[SplitResult, int]:
    if len(url) > _MAX_URL_CHARACTERS or any(c.isspace() or not c.isprintable() for c in url):
        raise RemoteAudioError(
            "The address holds spaces or control characters, or is longer than "
            f"{_MAX_URL_CHARACTERS} characters; copy it again."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RemoteAudioError(f"“{url}” is not an address; copy it again.") from error
    if parts.scheme not in _PORTS:
        raise RemoteAudioError(
            f"The address begins with “{parts.scheme}:”; expected http:// or https://."
            if parts.scheme
            else "The address has no beginning; expected http:// or https://."
        )
    if parts.username is not None or parts.password is not None:
        raise RemoteAudioError(
            "The address holds a user name or password; give one that works without."
        )
    return parts, _PORTS[parts.scheme] if port is None else port


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        name = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not name:
        raise RemoteAudioError(
            "The address names no server; expected one like http://radio.example/stream."
        )
    return name


def _is_public(address: str) -> bool:
    ip: _IPAddress = ipaddress.ip_address(address.partition("%")[0])
    inner = _embedded_v4(ip) if isinstance(ip, ipaddress.IPv6Address) else ()
    return all(
        i.is_global
        and not (i.is_multicast or i.is_reserved or i.is_unspecified)
        and not any(i in network for network in _NOT_PUBLIC if network.version == i.version)
        for i in inner or (ip,)
    )


def _embedded_v4(ip: ipaddress.IPv6Address) -> tuple[ipaddress.IPv4Address, ...]:
    """IPv4 addresses that packets to this IPv6 address end up at."""
    if ip.ipv4_mapped is not None:
        return (ip.ipv4_mapped,)
    if ip.sixtofour is not None:
        return (ip.sixtofour,)
    if ip.teredo is not None:
        return ip.teredo
    if ip in _NAT64:
        return (ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF),)
    return ()

"""How browser and server find a way for the sound: the ICE servers, from the settings.

On one machine none are needed. Across the internet a STUN server tells both
sides their public address; where a firewall blocks UDP, only a TURN server helps.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from songnet.exceptions import ParameterError

__all__ = ["IceServers", "choose_ice_servers", "is_secure_address", "is_this_machine"]

IceServer = dict[str, Any]
_STUN = "stun:stun.l.google.com:19302"
_TURN_SECONDS = 6 * 3600
_PROVIDERS = {
    "Cloudflare": ("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN"),
    "Twilio": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
    "Hugging Face": ("HF_TOKEN",),
}


@dataclass(frozen=True)
class IceServers:
    """Servers in use, and why these.

    Parameters
    ----------
    servers : list of dict
        As browsers take them: urls, and where needed username and credential.
    origin : str
        Where they come from, for a person.
    """

    servers: list[IceServer]
    origin: str

    @property
    def urls(self) -> tuple[str, ...]:
        """Addresses of the servers, without names and passwords."""
        listed = (
            [server["urls"]] if isinstance(server["urls"], str) else server["urls"]
            for server in self.servers
        )
        return tuple(url for urls in listed for url in urls)

    @property
    def has_turn(self) -> bool:
        """One of them passes sound on where UDP is blocked."""
        return any(url.startswith(("turn:", "turns:")) for url in self.urls)


def choose_ice_servers(
    page_url: str, *, ask_provider: Callable[[], list[Any]], now: float | None = None
) -> IceServers:
    """Choose the ICE servers for a visitor.

    Own servers (SONGNET_STUN_URLS, SONGNET_TURN_URLS) come first; without
    them none where browser and server are one machine, then those of a
    provider whose credentials are in the environment, then a public STUN.

    Parameters
    ----------
    page_url : str
        Address under which the visitor sees the page.
    ask_provider : callable
        Fetches servers of the provider that the environment names.
    now : float, optional
        Seconds since 1970, for passwords that expire.

    Returns
    -------
    servers : IceServers

    Raises
    ------
    ParameterError
        If a variable holds something else than addresses of such servers, or
        there is a TURN server without credentials.
    """
    stun = _read_urls("SONGNET_STUN_URLS", ("stun:", "stuns:"))
    turn = _read_urls("SONGNET_TURN_URLS", ("turn:", "turns:"))
    if stun or turn:
        own: list[IceServer] = [{"urls": stun}] if stun else []
        if turn:
            own.append({"urls": turn, **_turn_login(time.time() if now is None else now)})
        return IceServers(own, "settings of this app")
    if is_this_machine(page_url):
        return IceServers([], "none needed: browser and server are on one machine")
    providers = [
        provider
        for provider, variables in _PROVIDERS.items()
        if all(os.environ.get(variable) for variable in variables)
    ]
    if providers:
        given = IceServers([dict(server) for server in ask_provider()], " or ".join(providers))
        # What asks them keeps a refusal to itself and falls back on a public STUN.
        silent = f"public STUN server; {given.origin} gave no TURN server, see the app's log"
        return given if given.has_turn else replace(given, origin=silent)
    return IceServers([{"urls": [_STUN]}], "public STUN server; no TURN server is set up")


def _read_urls(variable: str, schemes: tuple[str, ...]) -> list[str]:
    urls = [url.strip() for url in os.environ.get(variable, "").split(",") if url.strip()]
    if wrong := [url for url in urls if not url.startswith(schemes)]:
        raise ParameterError(
            f"{variable} holds {wrong[0]!r}; expected addresses that begin with "
            f"{' or '.join(schemes)}, with commas between them."
        )
    return urls


def _turn_login(now: float) -> IceServer:
    """A name and password, from the settings or made of a shared secret for some hours.

    References
    ----------
    .. [1] J. Uberti, "A REST API For Access To TURN Services", draft-uberti-behave-turn-rest-00;
       coturn's ``use-auth-secret``.
    """
    if secret := os.environ.get("SONGNET_TURN_SECRET"):
        # The same for an hour: a page that runs again must not get other servers.
        until = (int(now) // 3600 + 1) * 3600 + _TURN_SECONDS
        username = f"{until}:songnet"
        digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
        return {"username": username, "credential": base64.b64encode(digest).decode()}
    username, credential = (
        os.environ.get(f"SONGNET_TURN_{part}", "") for part in ("USERNAME", "CREDENTIAL")
    )
    if not (username and credential):
        raise ParameterError(
            "SONGNET_TURN_URLS names a TURN server without a login; set SONGNET_TURN_SECRET, or "
            "SONGNET_TURN_USERNAME and SONGNET_TURN_CREDENTIAL."
        )
    return {"username": username, "credential": credential}


def is_this_machine(page_url: str) -> bool:
    """Whether the address names the machine that the browser runs on."""
    host = urlsplit(page_url).hostname or "localhost"
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_secure_address(page_url: str) -> bool:
    """Whether browsers give the microphone to a page under this address."""
    return urlsplit(page_url).scheme == "https" or is_this_machine(page_url)

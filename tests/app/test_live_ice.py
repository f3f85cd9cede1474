"""Which ICE servers a visitor gets."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
import urllib.response
from email.message import Message
from typing import Any

import pytest
from streamlit_webrtc.credentials import get_available_ice_servers

from app.live_ice import choose_ice_servers, is_secure_address
from songnet.exceptions import ParameterError

PUBLIC = "https://songnet.example/live"
VARIABLES = (
    "SONGNET_STUN_URLS", "SONGNET_TURN_URLS", "SONGNET_TURN_SECRET", "SONGNET_TURN_USERNAME",
    "SONGNET_TURN_CREDENTIAL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "HF_TOKEN",
    "CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN",
)  # fmt: skip


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


def no_provider() -> list[Any]:
    raise AssertionError("No provider must be asked.")


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1", "[::1]:80", "app.localhost"])
def test_one_machine_needs_no_servers(environment: pytest.MonkeyPatch, host: str) -> None:
    assert choose_ice_servers(f"http://{host}/", ask_provider=no_provider).servers == []
    assert is_secure_address(f"http://{host}/")


def test_across_the_internet_there_is_stun(environment: pytest.MonkeyPatch) -> None:
    chosen = choose_ice_servers(PUBLIC, ask_provider=no_provider)
    assert (chosen.urls, chosen.has_turn) == (("stun:stun.l.google.com:19302",), False)
    assert is_secure_address(PUBLIC)
    assert not is_secure_address("http://songnet.example/live")


def test_own_turn_server_comes_first(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SONGNET_STUN_URLS", "stun:turn.example")
    environment.setenv("SONGNET_TURN_URLS", "turn:turn.example:3478, turns:turn.example:5349")
    environment.setenv("SONGNET_TURN_USERNAME", "name")
    environment.setenv("SONGNET_TURN_CREDENTIAL", "word")
    environment.setenv("HF_TOKEN", "token")
    chosen = choose_ice_servers("http://localhost/", ask_provider=no_provider)
    assert chosen.has_turn
    assert chosen.servers[1]["credential"] == "word"
    assert chosen.urls == ("stun:turn.example", "turn:turn.example:3478", "turns:turn.example:5349")


def test_turn_password_of_a_secret_expires(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SONGNET_TURN_URLS", "turn:turn.example")
    environment.setenv("SONGNET_TURN_SECRET", "north")
    server, same, later = (
        choose_ice_servers(PUBLIC, ask_provider=no_provider, now=now).servers[0]
        for now in (3600.0, 7199.0, 7200.0)
    )
    assert server == same != later
    assert server["username"] == "28800:songnet"
    # printf 28800:songnet | openssl dgst -sha1 -hmac north -binary | base64
    assert server["credential"] == "CskhwIDec4YLmAgYUjde9TE/Qiw="


def test_provider_is_asked_where_its_login_is_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TWILIO_ACCOUNT_SID", "sid")
    assert "public STUN" in choose_ice_servers(PUBLIC, ask_provider=no_provider).origin
    environment.setenv("TWILIO_AUTH_TOKEN", "token")
    chosen = choose_ice_servers(PUBLIC, ask_provider=lambda: [{"urls": "turn:x", "username": "u"}])
    assert (chosen.origin, chosen.urls, chosen.has_turn) == ("Twilio", ("turn:x",), True)


@pytest.mark.parametrize("is_reached", [True, False])
def test_hugging_face_is_asked_and_a_refusal_is_told(
    environment: pytest.MonkeyPatch, is_reached: bool
) -> None:
    def answer(request: urllib.request.Request, timeout: float) -> Any:
        assert request.get_header("X-hf-access-token") == f"token-{is_reached}"
        if not is_reached:
            raise urllib.error.URLError("no way")
        body = io.BytesIO(b'{"username": "name", "credential": "word"}')
        return urllib.response.addinfourl(body, Message(), request.full_url, 200)

    environment.setenv("HF_TOKEN", f"token-{is_reached}")
    environment.setattr(urllib.request, "urlopen", answer)
    get_available_ice_servers.clear()
    chosen = choose_ice_servers(PUBLIC, ask_provider=get_available_ice_servers)
    get_available_ice_servers.clear()
    assert chosen.has_turn == is_reached
    if is_reached:
        assert chosen.origin == "Hugging Face"
        assert chosen.servers[0]["credential"] == "word"
    else:
        assert "Hugging Face gave no TURN server" in chosen.origin


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SONGNET_STUN_URLS", "http://x", "expected addresses that begin with stun: or stuns:"),
        ("SONGNET_TURN_URLS", "turn:x", "without a login"),
    ],
)
def test_wrong_setting_is_said(
    environment: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(ParameterError, match=words):
        choose_ice_servers(PUBLIC, ask_provider=no_provider)

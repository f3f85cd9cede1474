"""The WebSocket: rolling predictions of sound that is really sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from songnet.inference.live_places import LivePlaces
from songnet.inference.streaming import StreamingClassifier
from tests.api.conftest import CLASSIFIER, PATIENCE_SECONDS, until
from tests.app.stub import SR, beat, clip

Serve = Callable[..., str]
SECONDS = 8


@contextmanager
def listening(address: str, **query: Any) -> Iterator[ClientConnection]:
    """A connection whose greeting was heard."""
    asked = "&".join(f"{name}={value}" for name, value in ({"sr": SR} | query).items())
    with connect(f"ws://{address}/live?{asked}", open_timeout=60) as socket:
        assert receive(socket)["type"] == "ready"
        yield socket


def receive(socket: ClientConnection) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(socket.recv(timeout=60))
    return said


def play(socket: ClientConnection, chunks: Iterable[np.ndarray]) -> list[dict[str, Any]]:
    """Send sound, then stop; all that was answered."""
    for chunk in chunks:
        socket.send(chunk.tobytes())
    socket.send('{"type": "stop"}')
    return [json.loads(message) for message in socket]


def pieces(y: np.ndarray) -> list[np.ndarray]:
    """A fifth of a second each."""
    return np.array_split(y, 5 * SECONDS)


def pcm(y: np.ndarray) -> np.ndarray:
    return np.round(y * 32767).astype("<i2")


def test_the_answers_are_those_of_the_library(address: str) -> None:
    y = pcm(beat(SECONDS))
    stream = StreamingClassifier(CLASSIFIER)
    expected = [(p, stream.level) for chunk in pieces(y) if (p := stream.push(chunk, SR))]
    with listening(address, top=2) as socket:
        *said, end = play(socket, pieces(y))
    assert len(said) == len(expected) > 5
    for message, (prediction, level) in zip(said, expected, strict=True):
        assert message["type"] == "prediction"
        assert message.items() >= prediction.to_dict(top_k=2).items()
        assert list(message["probs"].values()) == prediction.probs.tolist()
        assert message["level"] == vars(level)
    assert said[0]["seconds"] >= 2
    assert (end["type"], end["seconds"]) == ("end", pytest.approx(SECONDS))


def test_floats_and_two_channels_are_heard_alike(address: str) -> None:
    y = pcm(beat(SECONDS))
    both = np.stack([y, y], axis=1)
    with listening(address) as socket:
        once = play(socket, pieces(y))
    with listening(address, channels=2) as socket:
        twice = play(socket, pieces(both))
    with listening(address, encoding="f32le") as socket:
        floats = play(socket, pieces((y / np.float32(32768)).astype("<f4")))
    assert once == twice == floats


def test_the_greeting_says_what_will_answer(address: str) -> None:
    with connect(f"ws://{address}/live?sr=48000") as socket:
        said = receive(socket)
    assert said["model"] == "stub 0"
    assert said["genres"] == list(CLASSIFIER.genres)
    assert 0 < said["update_seconds"] <= 0.5 < said["first_seconds"]


def test_after_a_reset_the_sound_before_is_forgotten(address: str) -> None:
    y = pieces(pcm(beat(SECONDS)))
    with listening(address) as socket:
        fresh = play(socket, y)
    with listening(address) as socket:
        for chunk in y[:8]:
            socket.send((chunk // 2).tobytes())
        socket.send('{"type": "reset"}')
        again = play(socket, y)
    assert again == fresh


def test_silence_has_no_genre(address: str) -> None:
    with listening(address) as socket:
        said, *_ = play(socket, pieces(np.zeros(SR * SECONDS, "<i2")))
    assert (said["status"], said["genre"], said["top"]) == ("no_signal", None, [])


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 400, "sr (query)"),
        ("sr=12", 400, "sr (query)"),
        ("sr=44100&encoding=mp3", 400, "encoding (query)"),
        ("sr=44100&channels=0", 400, "channels (query)"),
    ],
)
def test_wrong_parameters_are_refused_in_words(
    address: str, query: str, status: int, says: str
) -> None:
    with pytest.raises(InvalidStatus) as refusal, connect(f"ws://{address}/live?{query}"):
        pass
    response = refusal.value.response
    assert response.status_code == status
    assert says in json.loads(response.body)["detail"]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"abc", "whole samples of 2 bytes"),
        (bytes(2**20 + 2), "at most 1048576"),
        ("hello", "'hello' is no command"),
        ("[1]", "is no command"),
        ('{"type": "dance"}', "is no command"),
        ("[" * 100_000, "is no command"),
    ],
)
def test_a_wrong_message_ends_it_in_words(address: str, message: bytes | str, says: str) -> None:
    with listening(address) as socket:
        socket.send(message)
        said = receive(socket)
        assert said["type"] == "error"
        assert said["problem"]["status"] == 400
        assert says in said["problem"]["detail"]
        with pytest.raises(ConnectionClosedError, match="1008"):
            receive(socket)


def test_places_are_few_and_given_back(serve: Serve) -> None:
    address = serve(places=(places := LivePlaces(1)))
    with listening(address), pytest.raises(InvalidStatus) as refusal, listening(address):
        pass
    assert refusal.value.response.status_code == 503
    assert "Retry-After" in refusal.value.response.headers
    until(lambda: not places.is_full)
    with listening(address) as socket:
        socket.socket.shutdown(SHUT_RDWR)  # the network is gone, without a word
    until(lambda: not places.is_full)


@pytest.mark.parametrize("message", [None, b"", bytes(2), '{"type": "reset"}'])
def test_who_sends_no_sound_is_told_and_left(serve: Serve, message: bytes | str | None) -> None:
    with listening(serve(idle_seconds=0.3)) as socket:
        said = None
        while said is None:
            if message is not None:
                socket.send(message)
            with suppress(TimeoutError):
                said = json.loads(socket.recv(timeout=0.05))
    assert said["problem"]["type"] == "urn:songnet:idle"


def test_a_connection_lasts_so_long_and_no_longer(serve: Serve) -> None:
    with listening(serve(max_live_seconds=0.3)) as socket:
        said = {"type": "prediction"}
        while said["type"] == "prediction":
            socket.send(bytes(SR // 5))
            with suppress(TimeoutError):
                said = json.loads(socket.recv(timeout=0.05))
    assert said["problem"]["type"] == "urn:songnet:audio-too-long"


def test_who_does_not_read_loses_the_place(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        await asyncio.sleep(PATIENCE_SECONDS)

    places = LivePlaces(1)
    address = serve(places=places, idle_seconds=0.3)
    with listening(address) as socket:
        monkeypatch.setattr("starlette.websockets.WebSocket.send_json", never)
        socket.send('{"type": "stop"}')
        until(lambda: not places.is_full)


def _visit(address: str, origin: str) -> str:
    url = f"ws://{address}/live?sr={SR}"
    with connect(url, origin=origin) as socket:  # type: ignore[arg-type]  # a NewType of str
        return str(receive(socket)["type"])


def test_pages_of_other_sites_are_not_heard(serve: Serve) -> None:
    address = serve(origins=("https://songnet.example",))
    own = f"http://{address.partition('/')[0]}"
    assert [_visit(address, site) for site in (own, "https://songnet.example")] == ["ready"] * 2
    for site in ("https://other.example", "https://songnet.example.org", "null"):
        with pytest.raises(InvalidStatus) as refusal:
            _visit(address, site)
        assert refusal.value.response.status_code == 403


def test_the_client_of_the_documentation_works(
    address: str,
    repo_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "song.wav").write_bytes(clip(SECONDS))
    monkeypatch.chdir(tmp_path)
    page = (repo_root / "docs" / "api.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    exec(code.replace("127.0.0.1:8000/api/v1", address), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5
    assert CLASSIFIER.predict(clip(SECONDS)).genre in lines[-1]

"""A station or file as a live source: paced, stopped, left, and what goes wrong."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.live_stream import StreamReader
from songnet.inference.live_places import LivePlaces
from songnet.signal.remote import RemoteLimits
from tests.app.stub import SR, beat, clip
from tests.radio import Radio, serve_radio

LIMITS = RemoteLimits(connect_seconds=20, idle_seconds=600, allow_private=True)
PATIENCE_SECONDS = 120


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Ear:
    """Collects what it hears."""

    def __init__(self) -> None:
        self.blocks: list[npt.NDArray[np.float32]] = []
        self.sr = 0
        self.is_wanted = True

    def hear(self, block: npt.NDArray[np.float32], sr: int) -> None:
        self.blocks.append(block)
        self.sr = sr

    @property
    def seconds(self) -> float:
        return sum(map(len, self.blocks)) / self.sr if self.sr else 0.0


@pytest.fixture
def radio() -> Iterator[Radio]:
    with serve_radio() as radio:
        yield radio


@pytest.fixture
def listen(radio: Radio) -> Iterator[Callable[..., tuple[StreamReader, Ear]]]:
    readers: list[StreamReader] = []

    def start(url: str, limits: RemoteLimits = LIMITS) -> tuple[StreamReader, Ear]:
        ear = Ear()
        reader = StreamReader(url, hear=ear.hear, is_wanted=lambda: ear.is_wanted, limits=limits)
        reader.start()
        readers.append(reader)
        return reader, ear

    yield start
    for reader in readers:
        reader.stop()
    until(lambda: not [t for t in threading.enumerate() if t.name == "live-stream"])
    assert radio.wait_until_idle()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pace of a clock."""
    monkeypatch.setattr("app.live_stream._LEAD_SECONDS", 1e9)


Listen = Callable[..., tuple[StreamReader, Ear]]


@pytest.mark.parametrize("kind", ["WAV", "MP3", "FLAC", "OGG"])
def test_file_is_heard_whole(radio: Radio, listen: Listen, at_once: None, kind: str) -> None:
    reader, ear = listen(radio.put("/a", clip(3, kind=kind), kind="audio/x"))
    until(lambda: not reader.is_running)
    assert (reader.state, reader.error) == ("ended", None)
    assert ear.sr == SR
    assert ear.seconds == pytest.approx(3, abs=0.12)
    heard = np.concatenate(ear.blocks)[:, 0]
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(np.sqrt(np.mean(beat(3) ** 2)), rel=0.1)


def test_sound_is_passed_on_as_fast_as_it_plays(
    radio: Radio, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still, so that no more than the lead may be heard."""
    waits: list[float] = []
    reader_clock = 1000.0
    monkeypatch.setattr("app.live_stream.time.monotonic", lambda: reader_clock)
    real_wait = threading.Event.wait

    def wait(event: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread().name == "live-stream" and timeout is not None:
            waits.append(timeout)
            return event.is_set()
        return real_wait(event, timeout)

    monkeypatch.setattr(threading.Event, "wait", wait)
    reader, ear = listen(radio.put("/a.wav", clip(3), kind="audio/wav"))
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while reader.is_running and time.perf_counter() < deadline:
        real_wait(threading.Event(), 0.005)
    heard = np.cumsum([len(block) for block in ear.blocks]) / SR
    np.testing.assert_allclose(waits, np.maximum(heard - 0.3, 0), atol=1e-9)


def test_stop_frees_the_thread_while_the_server_is_silent(radio: Radio, listen: Listen) -> None:
    reader, ear = listen(radio.put("/a.mp3", clip(20, kind="MP3"), stall=True))
    until(lambda: ear.seconds > 0)
    assert reader.state == "playing"
    reader.stop()
    until(lambda: not reader.is_running)
    assert (reader.state, reader.error) == ("stopped", None)


def test_reader_ends_when_nobody_is_there(
    radio: Radio, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.live_stream._ASK_SECONDS", 0.0)
    reader, ear = listen(radio.put("/a.mp3", clip(60, kind="MP3"), stall=True))
    until(lambda: ear.seconds > 0)
    ear.is_wanted = False
    until(lambda: not reader.is_running)
    assert ear.seconds < 50


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"endless_head": True},
        {"body": b"a\xff", "headers": {"icy-metaint": "1"}},  # then 4080 bytes of metadata
        {"drops": b""},
    ],
)
def test_a_station_of_drops_without_sound_is_left(
    radio: Radio, listen: Listen, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    url = radio.put("/a.mp3", **{"stall": True, "drops": b"\0"} | answer)
    reader, ear = listen(url)
    ear.is_wanted = False
    until(lambda: not reader.is_running)
    assert (reader.state, reader.error) == ("stopped", None)
    monkeypatch.setattr("app.live_stream._FIRST_SOUND_SECONDS", 0.2)
    reader, ear = listen(url)
    until(lambda: not reader.is_running)
    assert reader.state == "failed"
    assert "No sound came within 0.2 seconds" in str(reader.error)
    assert ear.blocks == []


def _break_down(*_args: object, **_options: object) -> None:
    ctypes.string_at(0)


def test_a_decoder_that_crashes_is_an_error_of_its_station(
    radio: Radio, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = radio.put("/a.mp3", clip(20, kind="MP3"), stall=True)
    other, ear = listen(url)
    until(lambda: ear.seconds > 0)
    monkeypatch.setattr("songnet.signal.remote_process._send", _break_down)
    reader, _ = listen(url)
    until(lambda: not reader.is_running)
    assert reader.state == "failed"
    assert "decoder broke down" in str(reader.error)
    assert other.state == "playing"


def test_a_station_takes_a_place_from_its_beginning(radio: Radio) -> None:
    places = LivePlaces(1)
    url = radio.put("/a.mp3", stall=True)
    readers = [
        StreamReader(url, hear=Ear().hear, is_wanted=lambda: True, limits=LIMITS, places=places)
        for _ in range(2)
    ]
    readers[0].start()
    until(lambda: places.is_full)
    readers[1].start()
    until(lambda: not readers[1].is_running)
    assert "All 1 places" in str(readers[1].error)
    readers[0].stop()
    until(lambda: not places.is_full)


def test_thirty_stations_leave_nothing_behind(radio: Radio, listen: Listen) -> None:
    url = radio.put("/a.mp3", clip(20, kind="MP3"), stall=True)
    for _ in range(30):
        reader, ear = listen(url)
        until(lambda ear=ear: ear.seconds > 0)
        reader.stop()
    until(lambda: not [t for t in threading.enumerate() if t.name == "live-stream"])
    assert radio.wait_until_idle()
    assert len(radio.requests) == 30


@pytest.mark.parametrize(
    ("body", "answer", "words"),
    [
        (b"These are words. " * 900, {}, "cannot be decoded as it arrives"),
        (b"", {}, "cannot be decoded as it arrives"),
        (b"", {"status": 503}, "503"),
        (b"<html>", {"kind": "text/html"}, "text/html"),
    ],
)
def test_what_goes_wrong_is_said(
    radio: Radio, listen: Listen, body: bytes, answer: dict[str, Any], words: str
) -> None:
    reader, ear = listen(radio.put("/a", body, **answer))
    until(lambda: not reader.is_running)
    assert reader.state == "failed"
    assert words in str(reader.error)
    assert ear.blocks == []


def test_without_the_setting_this_machine_is_not_heard(radio: Radio, listen: Listen) -> None:
    reader, _ = listen(radio.put("/a.wav", clip(2)), RemoteLimits())
    until(lambda: not reader.is_running)
    assert "public internet" in str(reader.error)
    assert radio.requests == []

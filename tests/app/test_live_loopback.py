"""Sound over a real WebRTC connection, both ends in this process."""

from __future__ import annotations

import asyncio
import fractions
import gc
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from streamlit_webrtc import WebRtcMode
from streamlit_webrtc.sink import AudioSinkTrack
from streamlit_webrtc.webrtc import WebRtcWorker

from app.live import make_ear
from app.live_listener import LiveListener
from app.live_session import LiveSession
from songnet.inference.streaming import StreamingClassifier
from tests.app.stub import GENRES, stub_classifier

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SR = 48_000
FRAME = SR // 50
PATIENCE_SECONDS = 120


class Music(MediaStreamTrack):
    """A microphone that hears a chord."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.n_frames = 0
        self.began = time.monotonic()

    async def recv(self) -> av.AudioFrame:
        due = self.began + self.n_frames / 50
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        t = (self.n_frames * FRAME + np.arange(FRAME)) / SR
        chord = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 277, 330)) * 4000
        frame = av.AudioFrame.from_ndarray(
            chord.astype(np.int16).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate, frame.time_base = SR, fractions.Fraction(1, SR)
        frame.pts = self.n_frames * FRAME
        self.n_frames += 1
        return frame


class Loop:
    """An event loop on a thread, as Streamlit's server has one."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="test-loop")
        self.thread.start()
        self.relay = self.run(self._make_relay())

    async def _make_relay(self) -> MediaRelay:
        return MediaRelay()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_SECONDS)

    def tasks(self) -> int:
        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return int(self.run(count()))

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def n_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def make_session() -> LiveSession:
    listener = LiveListener(StreamingClassifier(stub_classifier(0.0)), idle_seconds=2)
    return LiveSession(listener=listener, genres=GENRES, patch_seconds=12.3)


class Call:
    """A browser that connects to a worker."""

    def __init__(self, loop: Loop, live: LiveSession) -> None:
        self.loop, self.live = loop, live
        empty = RTCConfiguration(iceServers=[])
        none: dict[str, Any] = dict.fromkeys(
            (
                "source_video_track", "source_audio_track", "sink_video_track", "player_factory",
                "in_recorder_factory", "out_recorder_factory", "video_frame_callback",
                "audio_frame_callback", "queued_video_frames_callback",
                "queued_audio_frames_callback", "on_video_ended", "on_audio_ended",
                "video_processor_factory", "audio_processor_factory",
            )
        )  # fmt: skip
        sink = AudioSinkTrack(make_ear(live))
        sink._on_ended_callback = live.end_microphone
        self.worker: Any = WebRtcWorker(
            mode=WebRtcMode.SENDONLY,
            rtc_configuration=empty,
            sink_audio_track=sink,
            async_processing=True,
            video_receiver_size=4,
            audio_receiver_size=4,
            sendback_video=False,
            sendback_audio=False,
            loop=loop.loop,
            relay=loop.relay,
            **none,
        )
        self.browser = loop.run(self._offer(empty))
        answer = self.worker.process_offer(
            self.browser.localDescription.sdp, "offer", timeout=PATIENCE_SECONDS
        )
        loop.run(self.browser.setRemoteDescription(RTCSessionDescription(answer.sdp, answer.type)))

    async def _offer(self, configuration: RTCConfiguration) -> RTCPeerConnection:
        browser = RTCPeerConnection(configuration)
        browser.addTrack(Music())
        await browser.setLocalDescription(await browser.createOffer())
        return browser

    def hang_up(self) -> None:
        """What the component does when Stop is pressed."""
        self.worker.stop(timeout=PATIENCE_SECONDS)
        self.loop.run(self.browser.close())

    def vanish(self) -> None:
        """What happens when the tab is closed: the server hears of it from the network only."""
        self.loop.run(self.browser.close())


def test_sound_arrives_and_is_named(loop: Loop) -> None:
    live = make_session()
    call = Call(loop, live)
    until(lambda: live.listener.view().prediction)
    view = live.listener.view()
    assert (view.sr, view.channels) == (SR, 2)
    assert view.level is not None
    assert -30 < view.level.rms_dbfs < -13  # three sines of 4000 of 32768, less what is lost
    assert view.dropped_seconds == 0
    call.hang_up()
    until(lambda: not live.listener.is_running)


@pytest.mark.parametrize("end", ["hang_up", "vanish"])
def test_thirty_calls_leave_nothing_behind(loop: Loop, end: str) -> None:
    before, live = set(threading.enumerate()), make_session()

    def connect() -> None:
        live.listener.reset()
        call = Call(loop, live)
        until(lambda: live.listener.view().seconds > 0)
        getattr(call, end)()
        until(lambda: not live.listener.is_running)
        until(lambda: call.worker.pc.connectionState == "closed")

    connect()  # what is made once: codecs, the loop's selector
    until(lambda: loop.tasks() == 0)
    gc.collect()
    files = n_files()
    for _ in range(30):
        connect()
    until(lambda: loop.tasks() == 0)
    gc.collect()
    until(lambda: n_files() <= files)
    loop.run(loop.loop.shutdown_default_executor())  # it keeps its few threads for later
    until(lambda: set(threading.enumerate()) <= before)

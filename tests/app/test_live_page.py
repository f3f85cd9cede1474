"""The Live page without a browser: its states, its buttons and its ways out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import live, services
from app.live_ice import IceServers
from app.live_session import LiveSession
from app.settings import Settings
from tests.app.conftest import html_text
from tests.app.stub import SR, beat, clip
from tests.radio import serve_radio

PAGE = Path(__file__).parents[2] / "pages" / "live.py"
PATIENCE_SECONDS = 120


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Component:
    """Stands for the component of WebRTC and the browser behind it."""

    trouble: live.Trouble = ""
    playing = False
    signalling = False

    def show(self, live: LiveSession, *, servers: IceServers) -> None:
        live.note_link(playing=self.playing, signalling=self.signalling)


@pytest.fixture
def component(monkeypatch: pytest.MonkeyPatch) -> Component:
    component = Component()
    monkeypatch.setattr(live, "show_microphone", component.show)
    monkeypatch.setattr(live, "watch_browser", lambda: component.trouble)
    return component


@pytest.fixture
def visit(app: AppTest, component: Component, sure_model: None) -> Iterator[AppTest]:
    visit = app.switch_page(str(PAGE)).run()
    assert not visit.exception
    yield visit
    session_of(visit).leave()
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("live-")])


def session_of(visit: AppTest) -> LiveSession:
    found = visit.session_state["songnet_live"]
    assert isinstance(found, LiveSession)
    return found


def button(visit: AppTest, label: str) -> object:
    return next(item for item in visit.button if item.label.startswith(label))


def listen(visit: AppTest, component: Component, seconds: float = 5) -> LiveSession:
    component.playing = True
    visit.run()
    found = session_of(visit)
    before = found.listener.view().seconds
    found.hear_microphone(beat(seconds), SR)
    until(lambda: found.listener.view().seconds > before + seconds - 0.1)
    return found


def test_first_visit_says_what_to_do(visit: AppTest) -> None:
    assert "Press Start, allow the microphone" in html_text(visit)
    assert button(visit, "Pause").disabled
    assert button(visit, "Reset").disabled
    assert visit.get("audio_input")
    assert visit.get("file_uploader")
    assert [expander.label for expander in visit.expander if "diagnostics" in expander.label]
    assert "public STUN" in html_text(visit) or "one machine" in html_text(visit)


@pytest.mark.parametrize("trouble", ["insecure", "denied", "no_device"])
def test_trouble_of_the_browser_is_said(
    visit: AppTest, component: Component, trouble: live.Trouble
) -> None:
    assert not visit.error
    component.trouble = trouble
    visit.run()
    assert len(visit.error) == 1
    assert visit.error[0].value.endswith(".")


def test_what_is_heard_is_shown(
    visit: AppTest, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.live_listener._HEARS_SECONDS", PATIENCE_SECONDS)
    found = listen(visit, component)
    visit.run()
    prediction = found.listener.view().prediction
    assert prediction is not None
    text = html_text(visit)
    assert f"{prediction.confidence:.0%} confident" in text
    assert prediction.genre in text
    assert "dBFS" in text
    assert "0:05 heard" in text
    assert visit.get("plotly_chart")
    assert "Changes of genre: " in " ".join(caption.value for caption in visit.caption)


def test_silence_names_nothing(
    visit: AppTest, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.live_listener._HEARS_SECONDS", PATIENCE_SECONDS)
    found = session_of(visit)
    component.playing = True
    visit.run()
    found.hear_microphone(beat(4) * 0, SR)
    until(lambda: found.listener.view().seconds > 3.9)
    visit.run()
    assert "No signal" in html_text(visit)
    assert "confident" not in html_text(visit)
    assert "No genre has been named yet." in [caption.value for caption in visit.caption]


def test_pause_resume_and_reset(visit: AppTest, component: Component) -> None:
    found = listen(visit, component)
    visit.run()
    button(visit, "Pause").click().run()
    assert found.listener.view().is_paused
    assert "Paused" in html_text(visit)
    button(visit, "Resume").click().run()
    assert not found.listener.view().is_paused
    button(visit, "Reset").click().run()
    assert found.listener.view().seconds == 0
    assert not visit.get("plotly_chart")


def test_reset_can_be_undone(visit: AppTest, component: Component) -> None:
    found = listen(visit, component)
    component.playing = False
    visit.run()
    button(visit, "Reset").click().run()
    assert "Ready" in html_text(visit)
    button(visit, "Undo reset").click().run()
    assert found.listener.view().seconds == pytest.approx(5, abs=0.1)
    assert "You listened for 0:05." in html_text(visit)
    assert not [item for item in visit.button if item.label == "Undo reset"]


def test_full_server_says_so_and_offers_other_ways(visit: AppTest) -> None:
    places = services.live_places(Settings.max_live_sessions)
    others = [object() for _ in range(places.n_places)]
    assert all(places.take(other) for other in others)
    try:
        visit.run()
        assert [warning.value for warning in visit.warning if "places" in warning.value]
        assert visit.get("audio_input")
    finally:
        for other in others:
            places.give_back(other)
    button(visit, "Try again").click().run()
    assert not visit.warning


def test_stop_keeps_what_was_heard(visit: AppTest, component: Component) -> None:
    found = listen(visit, component)
    component.playing = False
    visit.run()
    assert "Stopped" in html_text(visit)
    assert "You listened for 0:05." in html_text(visit)
    until(lambda: not found.listener.is_running)
    labels = [item.label for item in visit.get("download_button")]
    assert any("WAV" in label for label in labels)
    assert any("CSV" in label for label in labels)


def test_recording_opens_on_the_classify_page(visit: AppTest, component: Component) -> None:
    listen(visit, component)
    component.playing = False
    visit.run()
    button(visit, "Open it on the Classify page").click().run()
    assert not visit.exception
    assert "Live recording 1.wav" in html_text(visit)


def test_file_opens_on_the_classify_page(visit: AppTest) -> None:
    visit.get("file_uploader")[0].upload("my song.wav", clip(6), "audio/wav").run()
    assert not visit.exception
    assert "my song.wav" in html_text(visit)


def test_connection_is_explained(visit: AppTest, component: Component) -> None:
    component.signalling = True
    visit.run()
    assert "look for a way for the sound" in html_text(visit)


def test_station_is_heard_and_stopped(
    app: AppTest,
    component: Component,
    sure_model: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SONGNET_ALLOW_PRIVATE_URLS", "1")
    visit = app.switch_page(str(PAGE)).run()
    with serve_radio() as radio:
        url = radio.put("/a.wav", clip(30), kind="audio/wav", stall=True)
        visit.segmented_control[0].set_value("address").run()
        assert "Give the address of a station" in html_text(visit)
        visit.text_input[0].set_value(url)
        button(visit, "Listen").click().run()
        found = session_of(visit)
        until(lambda: found.listener.view().prediction)
        visit.run()
        button(visit, "Stop").click().run()
        assert "Stopped" in html_text(visit)
        until(lambda: not [t for t in threading.enumerate() if t.name.startswith("live-")])
        assert radio.wait_until_idle()


def test_refused_address_is_explained(visit: AppTest) -> None:
    visit.segmented_control[0].set_value("address").run()
    visit.text_input[0].set_value("http://127.0.0.1:9/secret")
    button(visit, "Listen").click().run()
    found = session_of(visit)
    until(lambda: found.reader is not None and not found.reader.is_running)
    visit.run()
    assert "not a server of the public internet" in html_text(visit)


def test_no_address_is_asked_for(visit: AppTest) -> None:
    visit.segmented_control[0].set_value("address").run()
    visit.text_input[0].set_value(" ")
    button(visit, "Listen").click().run()
    assert [warning.value for warning in visit.warning] == ["Give an address first."]
    assert session_of(visit).reader is None


def test_the_source_stays_while_another_page_is_shown(visit: AppTest) -> None:
    visit.segmented_control[0].set_value("address").run()
    visit.switch_page(str(PAGE.parent / "classify.py")).run()
    visit.switch_page(str(PAGE)).run()
    assert not visit.exception
    assert session_of(visit).source == "address"
    assert visit.text_input


def test_what_would_not_connect_is_said_only_before_it_does(
    visit: AppTest, component: Component
) -> None:
    assert "Where UDP is blocked" in html_text(visit)
    component.playing = True
    visit.run()
    assert "Where UDP is blocked" not in html_text(visit)


def test_other_page_ends_the_station(
    app: AppTest, component: Component, sure_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_ALLOW_PRIVATE_URLS", "1")
    monkeypatch.setattr("app.live_stream._ASK_SECONDS", 0.0)
    visit = app.switch_page(str(PAGE)).run()
    with serve_radio() as radio:
        visit.segmented_control[0].set_value("address").run()
        visit.text_input[0].set_value(radio.put("/a.wav", clip(60), kind="audio/wav"))
        button(visit, "Listen").click().run()
        reader = session_of(visit).reader
        assert reader is not None
        until(lambda: reader.state == "playing")
        visit.switch_page(str(PAGE.parent / "classify.py")).run()
        until(lambda: not reader.is_running)
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("live-")])

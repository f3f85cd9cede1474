"""The pure parts of a live session: words, log, chart, ICE servers."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from typing import Any, cast

import av
import numpy as np
import pytest

from app import live_session, live_words
from app.charts_live import live_figure
from app.live_listener import LiveListener, LiveView
from app.live_log import find_changes, log_csv, named_shares, probabilities
from app.live_memory import LiveMoment
from app.live_session import LiveSession
from app.live_words import describe, describe_trouble
from songnet.exceptions import RemoteAudioError, SongNetError
from songnet.inference.prediction import Status
from songnet.inference.streaming import LevelReading, StreamingClassifier
from songnet.signal.remote import RemoteLimits
from tests.app.stub import GENRES, beat, stub_classifier

LEVEL = LevelReading(rms_dbfs=-20.04, peak_dbfs=-9.0, is_clipped=False)
PREDICTION = stub_classifier(0.0).predict_waveform(beat(4))
VIEW = LiveView(
    is_paused=False,
    is_hearing=True,
    level=LEVEL,
    prediction=PREDICTION,
    seconds=65.0,
    kept_seconds=65.0,
    buffered_seconds=0.0,
    dropped_seconds=0.0,
    sr=48_000,
    channels=2,
    error=None,
)

NOTHING = dataclasses.replace(VIEW, seconds=0.0)


def moment(
    seconds: float, genre: str | None, status: Status = "ok", source: str = ""
) -> LiveMoment:
    probs = np.full(5, 0.1)
    probs[GENRES.index(genre) if genre else 0] = 0.6
    return LiveMoment(
        clock=dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds),
        seconds=seconds,
        status=status,
        genre=genre,
        probs=probs,
        level=LEVEL,
        source=source,
    )


HEARD = (
    moment(1.0, None, "not_sure"),
    moment(1.5, "Jazz"),
    moment(2.0, "Jazz"),
    moment(2.5, None, "silent"),
    moment(3.0, "Jazz"),
    moment(3.5, "Rock"),
)


def live_with(**values: Any) -> LiveSession:
    listener = LiveListener(StreamingClassifier(stub_classifier(0.0)))
    return LiveSession(listener=listener, genres=GENRES, patch_seconds=12.3, **values)


def say(live: LiveSession, view: LiveView = VIEW, heard: tuple[LiveMoment, ...] = ()) -> str:
    words = describe(live, view, heard, not_sure_below=0.4)
    return f"{words.title} | {words.confidence} | {words.note}"


def test_a_gap_is_no_change_of_genre() -> None:
    changes = [(change.seconds, change.genre) for change in find_changes(HEARD)]
    assert changes == [(1.5, "Jazz"), (3.5, "Rock")]


def test_shares_count_named_time_only() -> None:
    assert named_shares(HEARD) == (("Jazz", 0.75), ("Rock", 0.25))
    assert named_shares(HEARD[:1]) == ()


def test_probabilities_are_zero_where_nothing_could_be_named() -> None:
    seconds, probs = probabilities(HEARD)
    assert seconds.tolist() == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert probs.sum(axis=1).tolist() == pytest.approx([1, 1, 1, 0, 1, 1])


def test_log_has_a_row_for_each_update() -> None:
    rows = list(csv.DictReader(io.StringIO(log_csv(HEARD, genres=GENRES))))
    assert len(rows) == 6
    assert rows[1]["time_utc"] == "2026-01-02T03:04:06.500+00:00"
    assert (rows[1]["genre"], rows[1]["confidence"], rows[1]["Jazz"]) == (
        "Jazz",
        "0.6000",
        "0.6000",
    )
    assert (rows[0]["genre"], rows[0]["Jazz"]) == ("", "0.1000")
    assert (rows[3]["status"], rows[3]["confidence"], rows[3]["Jazz"]) == ("silent", "", "")
    assert (rows[3]["level_dbfs"], rows[3]["clipped"]) == ("-20.0", "false")


@pytest.mark.parametrize("title", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_title_of_a_station_is_no_formula(title: str) -> None:
    text = log_csv((moment(1, "Jazz", source=title),), genres=GENRES)
    assert next(csv.DictReader(io.StringIO(text)))["source"] == f"'{title}"


def test_chart_marks_changes_in_the_span() -> None:
    seconds, probs = np.arange(0, 300, 0.5), np.full((600, 5), 0.2)
    figure = live_figure(
        seconds,
        probs,
        genres=GENRES,
        changes=[(10.0, "Jazz"), (200.0, "Rock"), (250.0, "Blues")],
        span_seconds=180,
    )
    marks = figure.data[-1]
    assert list(marks.customdata) == ["3:20 Rock", "4:10 Blues"]
    assert len(figure.layout.shapes) == 2
    assert sum(trace.y.sum() for trace in figure.data[:-1]) == pytest.approx(600, rel=1e-4)
    left, right = figure.layout.xaxis.range
    assert right - left == pytest.approx(180_000)


@pytest.mark.parametrize(("heard", "shown"), [(4.0, 30.0), (100.0, 100.0), (300.0, 180.0)])
def test_chart_grows_with_what_was_heard(heard: float, shown: float) -> None:
    seconds = np.linspace(2, heard, 20)
    probs = np.full((20, len(GENRES)), 1 / len(GENRES))
    figure = live_figure(seconds, probs, genres=GENRES, changes=[], span_seconds=180)
    left, right = figure.layout.xaxis.range
    assert right - left == pytest.approx(1000 * shown)


def test_genre_is_named_with_its_confidence() -> None:
    text = say(live_with(link="connected"))
    assert text.startswith(f"{PREDICTION.genre} | ")
    assert "confident" in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("not_sure", "Not sure |  | Closest: "),
        ("not_music", "No music |  | This sounds like speech or noise"),
        ("silent", r"Silence |  | It is too quiet to name anything (-20 dBFS)"),
        ("no_signal", "No signal |  | Not even the noise"),
    ],
)
def test_nothing_is_named_without_music(status: Status, words: str) -> None:
    prediction = dataclasses.replace(PREDICTION, status=status)
    text = say(live_with(link="connected"), dataclasses.replace(VIEW, prediction=prediction))
    assert text.startswith(words)
    if status != "not_sure":
        assert not any(genre in text for genre in GENRES)


@pytest.mark.parametrize(
    ("top", "reason"),
    [(0.35, "A genre is named from 40% upwards."), (0.9, "But it may not be music at all.")],
)
def test_not_sure_says_what_is_doubted(top: float, reason: str) -> None:
    probs = np.full(5, (1 - top) / 4)
    probs[0] = top
    prediction = dataclasses.replace(PREDICTION, status="not_sure", probs=probs)
    text = say(live_with(link="connected"), dataclasses.replace(VIEW, prediction=prediction))
    assert text.endswith(reason)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"is_paused": True}, "Paused"),
        ({"is_hearing": False}, "Waiting for sound"),
        ({"prediction": None}, "Listening … |  | The first answer takes a few seconds"),
        ({"error": SongNetError("The model is gone.")}, "Listening ended |  | The model is gone."),
    ],
)  # fmt: skip
def test_state_of_the_listener_is_said(change: dict[str, Any], words: str) -> None:
    assert say(live_with(link="connected"), dataclasses.replace(VIEW, **change)).startswith(words)


def test_state_of_the_connection_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_words.time, "monotonic", lambda: 1000.0)
    assert say(live_with(), NOTHING).startswith("Ready |  | Press Start")
    assert "look for a way" in say(live_with(link="connecting", linking_since=995.0))
    assert "blocks UDP" in say(live_with(link="connecting", linking_since=980.0))
    assert say(live_with(link="failed")).startswith("Not connected")
    assert say(live_with(), VIEW, HEARD) == (
        "Stopped |  | You listened for 1:05. Of the named time: Jazz 75%, Rock 25%."
    )
    assert say(live_with(), VIEW, HEARD[:1]).endswith("No genre could be named.")
    assert say(live_with(), VIEW).startswith("Stopped")  # too short for an answer


def test_another_address_does_not_show_the_last_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_session, "StreamReader", lambda *_, **__: Reader("connecting"))
    monkeypatch.setattr(Reader, "start", lambda _: None, raising=False)
    live = live_with(source="address")
    live.listener.source = "Radio One"
    live.tune_in("https://radio.example/two", limits=RemoteLimits())
    assert live.listener.source == ""


class Reader:
    """Stands for a StreamReader in one of its states."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.is_running = state in ("connecting", "playing")
        self.error = RemoteAudioError("The server does not answer.")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("connecting", "Connecting … |  | Asking the server"),
        ("playing", PREDICTION.genre),
        ("failed", "Not playing |  | The server does not answer."),
        ("ended", "The sound ended |  | You listened"),
        ("stopped", "Stopped |  | You listened"),
    ],
)
def test_state_of_a_station_is_said(state: str, words: str) -> None:
    live = live_with(source="address", reader=cast("Any", Reader(state)))
    assert say(live, VIEW, HEARD).startswith(words)
    assert say(live_with(source="address"), NOTHING).startswith("Ready |  | Give the address")


def test_link_follows_the_component(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 2.0, 3.0, 10.0, 20.0, 21.0, 22.0])
    monkeypatch.setattr("app.live_session.time.monotonic", lambda: next(clock))
    live = live_with()
    states = []
    for playing, signalling in [(0, 0), (0, 1), (1, 0), (0, 0), (0, 1), (0, 0), (0, 0), (0, 1)]:
        live.note_link(playing=bool(playing), signalling=bool(signalling))
        states.append(live.link)
    assert states == [
        "idle", "connecting", "connected", "idle", "connecting", "failed", "failed", "connecting",
    ]  # fmt: skip


def test_other_source_silences_the_microphone() -> None:
    live = live_with(link="connected")
    live.choose("address")
    live.hear_microphone(beat(1), 22_050)
    assert (live.link, live.listener.view().sr) == ("idle", 0)


@pytest.mark.parametrize("trouble", ["insecure", "denied", "no_device"])
def test_trouble_of_the_browser_has_a_sentence(trouble: str) -> None:
    assert describe_trouble(trouble).endswith(".")
    assert describe_trouble("") == ""


@pytest.mark.parametrize(
    ("layout", "kind"), [("stereo", "s16"), ("mono", "s16"), ("stereo", "s16p"), ("stereo", "flt")]
)
def test_frame_becomes_samples_by_channel(layout: str, kind: str) -> None:
    from app.live import frame_to_chunk

    channels = {"mono": 1, "stereo": 2}[layout]
    dtype = np.float32 if kind.startswith("f") else np.int16
    wanted = np.arange(960 * channels).reshape(960, channels).astype(dtype)
    data = wanted.T if kind.endswith("p") else wanted.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), format=kind, layout=layout)
    chunk = frame_to_chunk(frame)
    assert chunk.dtype == dtype
    np.testing.assert_array_equal(chunk, wanted)

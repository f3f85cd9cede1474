"""The ear of a live session: what it hears, remembers, bounds and leaves behind."""

from __future__ import annotations

import gc
import io
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import soundfile as sf

from app.live_listener import LiveListener
from app.live_memory import LiveMemory, LiveUndo
from songnet.exceptions import SongNetError
from songnet.inference.live_places import LiveFullError, LivePlaces
from songnet.inference.prediction import Prediction
from songnet.inference.streaming import Chunk, StreamingClassifier
from tests.app.stub import beat, stub_classifier

SR = 22_050
PATIENCE_SECONDS = 120


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def listener_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "live-listener"]


def play(listener: LiveListener, seconds: float, *, sr: int = SR) -> Chunk:
    """Push a beat in pieces of 20 ms, as a browser does."""
    y = beat(seconds)
    size = sr // 50
    for start in range(0, y.size, size):
        listener.push(y[start : start + size], sr)
    return y


@pytest.fixture
def listener() -> Iterator[LiveListener]:
    listener = LiveListener(StreamingClassifier(stub_classifier(0.0)))
    yield listener
    listener.stop()
    until(lambda: not listener_threads())


def test_sound_gets_the_genre_of_the_stream(
    listener: LiveListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.live_listener._HEARS_SECONDS", PATIENCE_SECONDS)
    assert listener.view().prediction is None
    y = play(listener, 8)
    until(lambda: listener.view().seconds > 7.8)
    view = listener.view()
    stream = StreamingClassifier(stub_classifier(0.0))
    assert stream.push(y, SR) is not None
    assert view.prediction is not None
    assert stream.latest is not None
    assert view.prediction.genre == stream.latest.genre
    assert view.prediction.status == "ok"
    assert view.is_hearing
    assert view.level is not None
    assert -40 < view.level.rms_dbfs < -3
    assert (view.sr, view.channels, view.dropped_seconds) == (SR, 1, 0)


def test_moments_are_remembered(listener: LiveListener) -> None:
    listener.source = "Radio One"
    play(listener, 8)
    until(lambda: listener.view().seconds > 7.8)
    moments = listener.moments()
    seconds = [moment.seconds for moment in moments]
    assert seconds == sorted(seconds)
    assert moments[-1].genre is not None
    assert moments[-1].probs.sum() == pytest.approx(1)
    assert {moment.source for moment in moments} == {"Radio One"}


@pytest.mark.parametrize("kind", ["float", "int16", "stereo"])
def test_recording_is_what_was_heard(listener: LiveListener, kind: str) -> None:
    y = beat(2)
    whole = np.round(y * 32767).astype(np.int16)
    chunk = {"float": y, "int16": whole, "stereo": np.stack([whole, whole], axis=1)}[kind]
    assert listener.recording_wav() == b""
    for start in range(0, len(chunk), 441):
        listener.push(chunk[start : start + 441], SR)
    until(lambda: listener.view().kept_seconds > 1.99)
    kept, sr = sf.read(io.BytesIO(listener.recording_wav()), dtype="int16")
    assert sr == SR
    np.testing.assert_allclose(kept, whole, atol=1)


def test_recording_is_bounded() -> None:
    listener = LiveListener(StreamingClassifier(stub_classifier(0.0)), keep_seconds=1)
    y = play(listener, 4)
    until(lambda: listener.view().seconds > 3.99)
    kept, _ = sf.read(io.BytesIO(listener.recording_wav()), dtype="float32")
    assert kept.size == SR
    np.testing.assert_allclose(kept, y[-SR:], atol=1e-3)
    listener.stop()


def test_pause_hears_nothing(listener: LiveListener) -> None:
    play(listener, 1)
    until(lambda: listener.view().seconds > 0.9)
    listener.pause()
    before = listener.view().seconds
    play(listener, 3)
    view = listener.view()
    assert (view.is_paused, view.seconds, view.buffered_seconds) == (True, before, 0)
    listener.resume()
    play(listener, 1)
    until(lambda: listener.view().seconds > before + 0.9)


def test_reset_forgets_everything(listener: LiveListener) -> None:
    play(listener, 4)
    until(lambda: listener.view().seconds > 3.9)
    listener.reset()
    view = listener.view()
    assert (view.seconds, view.kept_seconds, view.prediction, view.level) == (0, 0, None, None)
    assert listener.moments() == ()
    assert listener.recording_wav() == b""


def test_reset_can_be_undone(listener: LiveListener) -> None:
    y = play(listener, 4)
    until(lambda: listener.view().seconds > 3.9)
    before = listener.moments()
    listener.reset()
    assert listener.view().can_undo
    play(listener, 4)
    until(lambda: listener.view().seconds > 3.9)
    since = listener.moments()
    listener.undo_reset()
    play(listener, 1)
    until(lambda: listener.view().seconds > 8.9)
    view = listener.view()
    assert not view.can_undo
    assert view.kept_seconds == pytest.approx(view.seconds)
    moments = listener.moments()
    assert moments[: len(before)] == before
    shift = moments[len(before)].seconds - since[0].seconds
    assert shift == pytest.approx(4, abs=0.1)
    seconds = [moment.seconds for moment in moments]
    assert seconds == sorted(seconds)
    kept, _ = sf.read(io.BytesIO(listener.recording_wav()), dtype="float32")
    np.testing.assert_allclose(kept[: y.size], y, atol=1e-3)


def test_reset_is_final_after_a_minute(
    listener: LiveListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(listener, 1)
    until(lambda: listener.view().seconds > 0.9)
    monkeypatch.setattr("app.live_listener._UNDO_SECONDS", 0.0)
    listener.reset()
    until(lambda: listener._undo._memory is None)  # freed though nobody looks
    listener.undo_reset()
    assert listener.view().seconds == 0


def test_a_second_click_on_reset_leaves_the_undo(listener: LiveListener) -> None:
    play(listener, 1)
    until(lambda: listener.view().seconds > 0.9)
    listener.reset()
    listener.reset()
    assert listener.view().can_undo
    listener.undo_reset()
    assert listener.view().seconds > 0.9


def test_the_time_of_an_older_reset_does_not_end_a_later_undo() -> None:
    undo, later = LiveUndo(), LiveMemory(1.0)
    undo.offer(LiveMemory(1.0), seconds=3600)
    older = undo._timer
    assert older is not None
    undo.offer(later, seconds=3600)
    assert older.finished.is_set()
    undo._end_in_time()  # on another thread than the timer's, as one that comes too late
    assert undo.take() is later
    assert not undo.is_possible


def test_what_was_forgotten_goes_with_its_session() -> None:
    undo, memory = LiveUndo(), LiveMemory(1.0)
    undo.offer(memory, seconds=3600)
    gone = weakref.ref(memory)
    del undo, memory
    gc.collect()
    assert gone() is None


def test_only_so_many_listen_at_once() -> None:
    places = LivePlaces(1)
    first, second = (
        LiveListener(StreamingClassifier(stub_classifier(0.0)), places=places) for _ in range(2)
    )
    play(first, 0.5)
    until(lambda: first.view().seconds > 0.4)
    play(second, 0.5)
    view = second.view()
    assert isinstance(view.error, LiveFullError)
    assert (view.seconds, view.buffered_seconds) == (0, 0)
    assert "All 1 places" in str(second.refusal)
    assert first.refusal is None
    first.stop()
    second.stop()
    assert second.refusal is None
    play(second, 0.5)
    until(lambda: second.view().seconds > 0.4)
    second.stop()
    until(lambda: not listener_threads())
    assert not places.is_full


def test_what_was_heard_can_be_kept_after_the_end(listener: LiveListener) -> None:
    play(listener, 4)
    until(lambda: listener.view().seconds > 3.9)
    listener.stop()
    until(lambda: not listener_threads())
    assert listener.moments()
    assert listener.recording_wav()
    assert not listener.view().is_hearing
    play(listener, 3)
    until(lambda: listener.view().seconds > 6.9)


def test_thread_ends_when_no_more_sound_comes() -> None:
    listener = LiveListener(StreamingClassifier(stub_classifier(0.0)), idle_seconds=0.05)
    for _ in range(30):
        play(listener, 0.3)
        until(lambda: not listener.is_running)
    until(lambda: not listener_threads())
    assert listener.view().seconds > 8.9


class Blocked(StreamingClassifier):
    """Waits at its first sound until it is let go."""

    def __init__(self) -> None:
        super().__init__(stub_classifier(0.0))
        self.reached, self.go = threading.Event(), threading.Event()

    def push(self, chunk: Chunk, sr: int) -> Prediction | None:
        self.reached.set()
        assert self.go.wait(PATIENCE_SECONDS)
        return super().push(chunk, sr)


def test_buffer_is_bounded_while_the_network_is_slow() -> None:
    classifier = Blocked()
    listener = LiveListener(classifier)
    play(listener, 1)
    assert classifier.reached.wait(PATIENCE_SECONDS)
    play(listener, 30)
    view = listener.view()
    assert view.buffered_seconds <= 10
    assert view.dropped_seconds > 19
    classifier.go.set()
    until(lambda: listener.view().buffered_seconds < 0.1)
    listener.stop()


def test_what_was_being_heard_at_a_reset_is_dropped() -> None:
    classifier = Blocked()
    listener = LiveListener(classifier)
    play(listener, 1)
    assert classifier.reached.wait(PATIENCE_SECONDS)
    listener.reset()
    classifier.go.set()
    until(lambda: listener.view().buffered_seconds == 0)
    listener.stop()
    until(lambda: not listener_threads())
    assert listener.view().seconds == 0


class Broken(StreamingClassifier):
    """Fails at every sound."""

    fault: Exception = SongNetError("The model is broken.")

    def push(self, chunk: Chunk, sr: int) -> Prediction | None:
        raise self.fault


def test_error_of_the_model_ends_the_listening() -> None:
    listener = LiveListener(Broken(stub_classifier(0.0)))
    play(listener, 1)
    until(lambda: listener.view().error is not None)
    assert str(listener.view().error) == "The model is broken."
    assert not listener.is_running
    play(listener, 1)
    assert not listener.is_running
    listener.reset()
    assert listener.view().error is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_unforeseen_fault_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "fault", RuntimeError("boom"))
    listener = LiveListener(Broken(stub_classifier(0.0)))
    play(listener, 1)
    until(lambda: listener.view().error is not None)
    assert "fault of the app" in str(listener.view().error)
    until(lambda: not listener_threads())

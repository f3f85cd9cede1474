"""Work in the background: its result, its error, its progress, and when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import SimpleNamespace

import pytest
import streamlit as st

from app import session
from app.jobs import Job

PATIENCE = 60


def test_result_and_progress() -> None:
    def work(report: Callable[[float], None]) -> int:
        report(0.5)
        return 7

    job = Job(work, title="Seven", start_seconds=2.0)
    assert job._future.result(timeout=PATIENCE) == 7
    assert job.is_done
    assert job.result() == 7
    assert job.progress == 0.5


def test_an_error_comes_back() -> None:
    def work(_: Callable[[float], None]) -> int:
        raise ValueError("no")

    job = Job(work)
    assert isinstance(job._future.exception(timeout=PATIENCE), ValueError)
    with pytest.raises(ValueError, match="no"):
        job.result()


def test_cancelled_work_ends_at_its_next_report() -> None:
    started, may_go_on = threading.Event(), threading.Event()
    seen: list[float] = []

    def work(report: Callable[[float], None]) -> int:
        started.set()
        may_go_on.wait(PATIENCE)
        report(0.1)
        seen.append(0.1)
        return 1

    job = Job(work)
    assert started.wait(PATIENCE)
    job.cancel()
    may_go_on.set()
    with pytest.raises(CancelledError):
        job._future.result(timeout=PATIENCE)
    assert seen == []


def test_work_that_nobody_wants_any_more_ends_at_its_next_report() -> None:
    started, may_go_on = threading.Event(), threading.Event()
    is_wanted = True

    def work(report: Callable[[float], None]) -> None:
        started.set()
        may_go_on.wait(PATIENCE)
        report(0.1)

    job = Job(work, is_wanted=lambda: is_wanted)
    assert started.wait(PATIENCE)
    is_wanted = False
    may_go_on.set()
    assert isinstance(job._future.exception(timeout=PATIENCE), CancelledError)


def test_a_job_waits_for_the_one_before_and_does_not_begin_unwanted() -> None:
    may_end = threading.Event()
    begun: list[str] = []
    first = Job(lambda _: may_end.wait(PATIENCE))
    second = Job(lambda _: begun.append("second"), is_wanted=lambda: False)
    third = Job(lambda _: begun.append("third"))
    assert second.is_waiting
    assert not second.is_done
    may_end.set()
    assert first._future.result(timeout=PATIENCE)
    third._future.result(timeout=PATIENCE)
    assert begun == ["third"]
    assert not third.is_waiting
    with pytest.raises(CancelledError):
        second.result()


class Server:
    """Stands for Streamlit's runtime, which knows who is connected."""

    is_there = True

    def is_active_session(self, session_id: str) -> bool:
        return self.is_there and session_id == "mine"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(session, "exists", lambda: True)
    monkeypatch.setattr(session, "get_instance", lambda: made)
    monkeypatch.setattr(session, "get_script_run_ctx", lambda: SimpleNamespace(session_id="mine"))
    return made


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "leave", [session.start_over, lambda: session.take_example("other.wav", b"2")]
)
def test_a_clip_is_watched_until_it_is_left(leave: Callable[[], None]) -> None:
    session.take_example("song.wav", b"1")
    clip = session.current_clip()
    assert clip is not None
    is_wanted = session.watch_clip(clip)
    assert is_wanted()
    leave()
    assert not is_wanted()


def test_a_visitor_is_gone_after_some_seconds(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(session.time, "monotonic", lambda: now)
    is_present = session.watch_presence()
    now += 3600
    assert is_present()
    server.is_there = False
    now += 5
    assert is_present()
    now += 5
    assert not is_present()

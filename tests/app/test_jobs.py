"""Work in the background: its result, its error, its progress and its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError

import pytest

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

"""What another Python does, costs or breaks stays there."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from songnet.exceptions import AudioTooLongError, WorkerError, WorkerLateError, WorkerStartError
from songnet.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(env={"SAID": "yes"}, imports="decimal")
    yield worker
    worker.end()


def test_it_calls_functions_one_after_the_other(worker: Worker) -> None:
    pid = worker.call(os.getpid)
    assert pid != os.getpid()
    assert worker.call(os.getpid) == pid
    assert worker.call(sorted, [2, 3, 1], reverse=True) == [3, 2, 1]
    assert worker.call(os.getenv, "SAID") == "yes"
    assert worker.call(eval, "'decimal' in __import__('sys').modules")


def test_what_a_function_prints_is_no_answer(worker: Worker) -> None:
    assert worker.call(print, "noise") is None
    assert worker.call(os.system, "echo noise") == 0


def _fail(text: str) -> None:
    raise AudioTooLongError(text)


def test_errors_come_back_and_the_process_stays(worker: Worker) -> None:
    pid = worker.call(os.getpid)
    with pytest.raises(AudioTooLongError, match="9 minutes"):
        worker.call(_fail, "9 minutes")
    assert worker.call(os.getpid) == pid


def _count(n: int, *, progress: Callable[[float], None]) -> int:
    for i in range(n):
        progress(i / n)
    return n


def test_it_says_how_far_it_is(worker: Worker) -> None:
    shares: list[float] = []
    assert worker.call(_count, 4, progress=shares.append) == 4
    assert shares == [0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_progress_raises_ends_it(worker: Worker, error: type[BaseException]) -> None:
    def cancel(_: float) -> None:
        raise error

    with pytest.raises(error):
        worker.call(_count, 4, progress=cancel)
    assert not worker.is_awake


@pytest.mark.parametrize(
    "fault", [partial(ctypes.string_at, 0), partial(os._exit, 0), partial(eval, "lambda: 0")]
)
def test_a_process_that_breaks_down_is_an_error(
    worker: Worker, fault: Callable[[], object]
) -> None:
    with pytest.raises(WorkerError, match="without an answer") as caught:
        worker.call(fault)
    assert not isinstance(caught.value, WorkerLateError)
    assert not worker.is_awake
    with pytest.raises(WorkerError, match="start another"):
        worker.call(os.getpid)


def test_files_of_the_folder_stand_in_for_no_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise RuntimeError")
    monkeypatch.chdir(tmp_path)
    assert Worker().call(os.getcwd) == str(tmp_path)


def test_a_process_that_does_not_start_is_an_error_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(WorkerStartError, match="ended at once"):
        Worker(imports="songnet.nothing").call(os.getpid)
    monkeypatch.setattr(sys, "executable", "/nothing")
    with pytest.raises(WorkerStartError, match="No such file"):
        Worker()


def test_its_time_is_bounded(worker: Worker) -> None:
    assert worker.call(os.getenv, "SAID", seconds=60) == "yes"
    with pytest.raises(WorkerLateError, match=r"after 0\.2 s"):
        worker.call(time.sleep, 3600, seconds=0.2)
    assert not worker.is_awake


@pytest.mark.skipif(sys.platform != "linux", reason="address space is bounded on Linux only")
def test_its_memory_is_bounded() -> None:
    worker = Worker(max_memory_bytes=1 << 30)
    assert len(worker.call(bytearray, 1 << 20)) == 1 << 20
    with pytest.raises(MemoryError):
        worker.call(bytearray, 2 << 30)
    assert not worker.is_awake


def test_it_ends_when_nobody_needs_it() -> None:
    worker = Worker()
    pid = worker.call(os.getpid)
    del worker
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_the_caller_however_that_ends(how: signal.Signals) -> None:
    script = (
        "import os, signal, time\n"
        "from songnet.worker import Worker\n"
        # A shell that starts tests in the background has them ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "worker = Worker()\n"
        "print(worker.call(os.getpid), flush=True)\n"
        "time.sleep(60)\n"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with caller:
        assert caller.stdout is not None
        pid = int(caller.stdout.readline())
        os.kill(pid, 0)
        caller.send_signal(how)
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("The process is still there.")

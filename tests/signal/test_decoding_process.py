"""A file that breaks its decoder costs one error: not the server, and no other file."""

from __future__ import annotations

import ctypes
import io
import os
import signal
import sys
import threading
import time
from queue import LifoQueue

import numpy as np
import pytest

from songnet.exceptions import AudioDecodeError, AudioTooLongError
from songnet.signal import decoding_process
from songnet.signal.audio import DecodeLimits, decode_audio
from songnet.signal.decoding_process import in_decoding_process, start_decoding_process
from songnet.signal.loudness import measure_loudness
from songnet.worker import Worker
from tests.encoders import encode_soundfile, sine

SR = 16_000
WAV = encode_soundfile(sine(), sr=SR, kind="WAV")
APART = DecodeLimits(own_process=True)


def test_it_is_decoded_elsewhere_and_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    here, loudness_here = decode_audio(WAV, sr=8_000), measure_loudness(WAV)
    for module in ("audio", "loudness"):
        for decoder in ("SoundFileStream", "PyAVStream"):
            monkeypatch.delattr(f"songnet.signal.{module}.{decoder}")
    for source in (WAV, bytearray(WAV), io.BytesIO(WAV)):
        apart = decode_audio(source, sr=8_000, limits=APART)
        np.testing.assert_array_equal(apart.y, here.y)
        assert (apart.source_sr, apart.codec) == (SR, "WAV")
    loudness = measure_loudness(WAV, limits=APART)
    assert loudness.integrated_lufs == loudness_here.integrated_lufs


def test_errors_and_limits_are_those_of_the_decoder() -> None:
    with pytest.raises(AudioDecodeError, match="not audio that can be decoded"):
        decode_audio(b"no music" * 100, sr=SR, limits=APART)
    with pytest.raises(AudioTooLongError, match="longer than the limit"):
        decode_audio(WAV, sr=SR, limits=DecodeLimits(max_seconds=0.1, own_process=True))


def test_a_crash_is_an_error_of_its_file_alone() -> None:
    slow: list[int] = []
    other = threading.Thread(target=lambda: slow.append(in_decoding_process(_sleep_and_say_so)))
    other.start()
    with pytest.raises(AudioDecodeError, match=r"broke down on this file.*Export it again"):
        in_decoding_process(ctypes.string_at, 0)
    assert decode_audio(WAV, sr=SR, limits=APART).y.size
    other.join()
    assert slow
    assert slow != [os.getpid()]


def _sleep_and_say_so() -> int:
    time.sleep(0.5)
    return os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="address space is bounded on Linux only")
def test_memory_is_bounded() -> None:
    with pytest.raises(AudioDecodeError, match="more than the 4 GB of memory"):
        in_decoding_process(bytearray, 8 << 30)
    assert decode_audio(WAV, sr=SR, limits=APART).y.size


def test_a_decoder_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = in_decoding_process(os.getpid)
    monkeypatch.setattr(decoding_process, "_MAX_SECONDS", 0.2)
    with pytest.raises(AudioDecodeError, match="given up after"):
        in_decoding_process(time.sleep, 3600)
    monkeypatch.undo()
    assert in_decoding_process(os.getpid) != pid


def test_it_can_be_started_before_there_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    workers: LifoQueue[Worker | None] = LifoQueue()
    workers.put(None)
    monkeypatch.setattr(decoding_process, "_workers", workers)
    start_decoding_process()
    started = workers.queue[0]
    assert started is not None
    is_loaded = "'songnet.signal.audio' in __import__('sys').modules"
    assert in_decoding_process(eval, is_loaded)  # a function of this file would load it
    assert workers.queue[0] is started
    workers.get()
    start_decoding_process()  # all are at work: nothing to start, nothing to wait for
    started.end()


def test_a_process_that_died_in_its_sleep_costs_no_file() -> None:
    pid = in_decoding_process(os.getpid)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert decode_audio(WAV, sr=SR, limits=APART).y.size


def test_a_call_more_than_processes_waits() -> None:
    n_calls = 2 * decoding_process._workers.qsize() + 1
    pids: list[int] = []
    threads = [
        threading.Thread(target=lambda: pids.append(in_decoding_process(os.getpid)))
        for _ in range(n_calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == n_calls
    assert len(set(pids)) <= n_calls // 2

"""Gradients in a process of their own: the same answer, errors, and an end when asked."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from songnet.exceptions import BundleError, ExplanationError
from songnet.inference import explain_process
from songnet.inference.bundle import Bundle, find_bundle
from songnet.inference.explain import Explainer
from songnet.inference.explain_process import explain_in_process
from tests.encoders import noise


def ignore(_: float) -> None:
    return


@pytest.mark.slow
@pytest.mark.skipif(
    not (find_bundle() / "bundle.json").is_file(), reason="there is no model in models/songnet"
)
def test_it_finds_what_the_explainer_finds() -> None:
    bundle = Bundle.load(find_bundle())
    y = noise(seconds=bundle.features.patch_seconds, sr=bundle.features.sr)
    reported: list[float] = []
    found = explain_in_process(
        bundle.folder, y, bundle.genres[1], method="grad_cam", progress=reported.append
    )
    expected = Explainer(bundle).grad_cam(y, bundle.genres[1])
    np.testing.assert_allclose(found.values, expected.values, atol=1e-4)
    np.testing.assert_allclose(found.S_db, expected.S_db, atol=1e-4)
    assert (found.genre, found.total) == (expected.genre, expected.total)
    assert reported[0] == 0.01
    assert reported[-1] == 1


def test_errors_come_back_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=str(tmp_path)):
        explain_in_process(
            tmp_path, np.zeros(9, np.float32), "Jazz", method="grad_cam", progress=ignore
        )


def _die(*_args: object, **_options: object) -> None:
    os._exit(1)


def test_a_process_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(explain_process, "_explain", _die)
    with pytest.raises(ExplanationError, match="without an answer"):
        explain_in_process(
            tmp_path, np.zeros(1_000_000, np.float32), "Jazz", method="grad_cam", progress=ignore
        )


def _go_on_for_ever(*_args: object, progress: Callable[[float], None], **_options: object) -> None:
    progress(os.getpid())
    time.sleep(600)


def test_it_ends_when_progress_raises(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(explain_process, "_explain", _go_on_for_ever)
    pids: list[float] = []

    def cancel(pid: float) -> None:
        pids.append(pid)
        raise CancelledError

    with pytest.raises(CancelledError):
        explain_in_process(
            tmp_path, np.zeros(9, np.float32), "Jazz", method="grad_cam", progress=cancel
        )
    with pytest.raises(ProcessLookupError):
        os.kill(int(pids[0]), 0)

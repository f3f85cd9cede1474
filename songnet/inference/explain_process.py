"""Gradients in a process of their own, so that TensorFlow is never in the caller's.

It takes a gigabyte of memory and seconds to import, which a server gives back
when the process ends; and Streamlit clears Keras' state after each run of a
page where Keras is imported, which disturbs what computes at that time.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from songnet import exceptions
from songnet.exceptions import ExplanationError, SongNetError
from songnet.inference.bundle import Bundle
from songnet.inference.explain import Attribution, Explainer
from songnet.signal.audio import Waveform

__all__ = ["ExplainMethod", "explain_in_process"]

ExplainMethod = Literal["integrated_gradients", "smooth_grad", "grad_cam"]
_ARRAYS = ("seconds", "S_db", "values")


def explain_in_process(
    folder: Path,
    y: Waveform,
    genre: str,
    *,
    method: ExplainMethod,
    progress: Callable[[float], None],
) -> Attribution:
    """Compute an attribution with the network of a bundle.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio at the sample rate of the bundle.
    genre : str
    method : {"integrated_gradients", "smooth_grad", "grad_cam"}
        Of `songnet.inference.explain.Explainer`.
    progress : callable
        Called with the share that is done; what it raises ends the process.

    Returns
    -------
    attribution : Attribution

    Raises
    ------
    ExplanationError
        If the process ends without an answer.
    SongNetError
        What the explainer raises.
    """
    request = {"folder": str(folder), "genre": genre, "method": method, "n_samples": y.size}
    worker = subprocess.Popen(
        [sys.executable, "-m", "songnet.inference.explain_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        with worker:
            try:
                worker.stdin.write(json.dumps(request).encode() + b"\n")
                worker.stdin.write(y.astype("<f4").tobytes())
                worker.stdin.close()
                return _read_answer(worker.stdout, genre, progress)
            finally:
                worker.kill()
    except BrokenPipeError as error:
        raise _ended() from error


def _read_answer(answers: IO[bytes], genre: str, progress: Callable[[float], None]) -> Attribution:
    for line in iter(answers.readline, b""):
        answer = json.loads(line)
        if "progress" in answer:
            progress(answer["progress"])
        elif "error" in answer:
            raise getattr(exceptions, answer["error"])(answer["message"])
        else:
            with np.load(io.BytesIO(answers.read(answer["n_bytes"]))) as arrays:
                return Attribution(
                    **{name: arrays[name] for name in _ARRAYS}, genre=genre, total=answer["total"]
                )
    raise _ended()


def _ended() -> ExplanationError:
    return ExplanationError(
        "The process that computes gradients ended without an answer; it may have lacked memory. "
        "Try a shorter stretch."
    )


def _work(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer one request: a line, and the samples."""

    def send(**answer: Any) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    request = json.loads(requests.readline())
    y = np.frombuffer(requests.read(4 * request["n_samples"]), "<f4")
    try:
        explainer = Explainer(Bundle.load(Path(request["folder"])))
        send(progress=0.01)
        explain = getattr(explainer, request["method"])
        found = explain(y, request["genre"], progress=lambda share: send(progress=share))
    except SongNetError as error:
        send(error=type(error).__name__, message=str(error))
        return
    packed = io.BytesIO()
    np.savez(packed, **{name: getattr(found, name) for name in _ARRAYS})
    send(n_bytes=packed.tell(), total=found.total)
    answers.write(packed.getvalue())
    answers.flush()


if __name__ == "__main__":
    # What libraries print goes elsewhere: the answers need the pipe for themselves.
    with os.fdopen(os.dup(1), "wb") as pipe:
        os.dup2(2, 1)
        _work(sys.stdin.buffer, pipe)

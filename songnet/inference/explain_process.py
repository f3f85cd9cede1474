"""Gradients in a process of their own, so that TensorFlow is never in the caller's.

It takes a gigabyte of memory and seconds to import, which a server gives back
when the process ends; and Streamlit clears Keras' state after each run of a
page where Keras is imported, which disturbs what computes at that time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from songnet.exceptions import ExplanationError, WorkerError
from songnet.inference.bundle import Bundle
from songnet.inference.explain import Attribution, Explainer
from songnet.signal.audio import Waveform
from songnet.worker import Worker

__all__ = ["ExplainMethod", "explain_in_process"]

ExplainMethod = Literal["integrated_gradients", "smooth_grad", "grad_cam"]


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
    worker = Worker(env={"TF_CPP_MIN_LOG_LEVEL": "3"})
    try:
        return worker.call(_explain, folder, y, genre, method=method, progress=progress)
    except WorkerError as error:
        raise ExplanationError(
            "The process that computes gradients ended without an answer; it may have lacked "
            "memory. Try a shorter stretch."
        ) from error
    finally:
        worker.end()


def _explain(
    folder: Path,
    y: Waveform,
    genre: str,
    *,
    method: ExplainMethod,
    progress: Callable[[float], None],
) -> Attribution:
    explainer = Explainer(Bundle.load(folder))
    progress(0.01)
    explain = getattr(explainer, method)
    attribution: Attribution = explain(y, genre, progress=progress)
    return attribution

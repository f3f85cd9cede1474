"""Predictions by Keras in a process of its own, so that TensorFlow is never in the caller's.

After TensorFlow, whose OpenSSL hides the others, importing `aiortc` ends the
process; and Streamlit clears Keras' state after each run of a page where Keras
is imported, which disturbs what computes at that time.
"""

from __future__ import annotations

import threading
import time
from functools import lru_cache
from pathlib import Path

from songnet.exceptions import BundleError, WorkerError
from songnet.inference.classifier import Classifier
from songnet.inference.prediction import Prediction
from songnet.signal.audio import DecodedAudio
from songnet.worker import Worker

__all__ = ["predict_with_keras"]

# Then the process ends and gives its memory back.
_IDLE_SECONDS = 300


def predict_with_keras(folder: Path, decoded: DecodedAudio) -> tuple[Prediction, float]:
    """Predict with the Keras network of a bundle.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    decoded : DecodedAudio
        At the sample rate of the bundle.

    Returns
    -------
    prediction : Prediction
    seconds : float
        What it took in the process, decoding not counted.

    Raises
    ------
    BundleError
        If the bundle is missing or changed, or the process ends without an answer.
    AudioTooShortError, SilentAudioError
    """
    try:
        return _keras.predict(folder, decoded)
    except WorkerError as error:
        raise BundleError(
            "The process that runs Keras ended without an answer; it may have lacked memory. "
            "Choose another runtime."
        ) from error


class _KerasWorker:
    """One worker for all, started when it is needed and ended when it is not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._until_idle: threading.Timer | None = None

    def predict(self, folder: Path, decoded: DecodedAudio) -> tuple[Prediction, float]:
        with self._lock:
            if self._until_idle:
                self._until_idle.cancel()
            if self._worker is None or not self._worker.is_awake:
                self._worker = Worker(env={"TF_CPP_MIN_LOG_LEVEL": "3"})
            try:
                return self._worker.call(_predict, folder, decoded)
            finally:
                self._until_idle = threading.Timer(_IDLE_SECONDS, self._rest)
                self._until_idle.daemon = True
                self._until_idle.start()

    def _rest(self) -> None:
        with self._lock:
            if self._worker:
                self._worker.end()


_keras = _KerasWorker()


def _predict(folder: Path, decoded: DecodedAudio) -> tuple[Prediction, float]:
    classifier = _open(folder)
    started = time.perf_counter()
    prediction = classifier.predict_decoded(decoded)
    return prediction, time.perf_counter() - started


@lru_cache(maxsize=1)
def _open(folder: Path) -> Classifier:
    return Classifier.load(folder, runtime="keras")

"""Predictions by Keras in a process of its own, so that TensorFlow is never in the caller's.

After TensorFlow, whose OpenSSL hides the others, importing `aiortc` ends the
process; and Streamlit clears Keras' state after each run of a page where Keras
is imported, which disturbs what computes at that time.
"""

from __future__ import annotations

import time
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path

from joblib.externals.loky import get_reusable_executor

from songnet.exceptions import BundleError
from songnet.inference.classifier import Classifier
from songnet.inference.prediction import Prediction
from songnet.signal.audio import DecodedAudio

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
    processes = get_reusable_executor(
        max_workers=1, timeout=_IDLE_SECONDS, env={"TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    try:
        prediction, seconds = processes.submit(_predict, folder, decoded).result()
    except BrokenProcessPool as error:
        raise BundleError(
            "The process that runs Keras ended without an answer; it may have lacked memory. "
            "Choose another runtime."
        ) from error
    return prediction, seconds


def _predict(folder: Path, decoded: DecodedAudio) -> tuple[Prediction, float]:
    classifier = _open(folder)
    started = time.perf_counter()
    prediction = classifier.predict_decoded(decoded)
    return prediction, time.perf_counter() - started


@lru_cache(maxsize=1)
def _open(folder: Path) -> Classifier:
    return Classifier.load(folder, runtime="keras")

"""Keras answers from a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from songnet.exceptions import BundleError, SilentAudioError
from songnet.inference import keras_process
from songnet.inference.bundle import RUNTIME_FILES, Bundle, find_bundle
from songnet.inference.classifier import Classifier
from songnet.inference.keras_process import predict_with_keras
from songnet.signal.audio import DecodedAudio, decode_audio
from tests.encoders import encode_soundfile

pytestmark = pytest.mark.skipif(
    not (find_bundle() / RUNTIME_FILES["keras"]).is_file(), reason="there is no Keras model"
)


def chord(seconds: float = 8.0) -> bytes:
    t = np.arange(int(16_000 * seconds)) / 16_000
    y = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 277, 330)) / 6
    return encode_soundfile(y.astype(np.float32), sr=16_000, kind="WAV")


def decoded(audio: bytes) -> DecodedAudio:
    return decode_audio(audio, sr=Bundle.load(find_bundle()).features.sr)


def test_it_says_what_keras_says_here() -> None:
    folder = find_bundle()
    prediction, seconds = predict_with_keras(folder, decoded(chord()))
    expected = Classifier.load(folder).predict(chord())
    np.testing.assert_allclose(prediction.probs, expected.probs, atol=1e-4)
    assert prediction.genres == expected.genres
    assert seconds > 0


def test_errors_come_back_as_what_they_are(tmp_path: Path) -> None:
    silence = encode_soundfile(np.zeros(64_000, np.float32), sr=16_000, kind="WAV")
    with pytest.raises(SilentAudioError):
        predict_with_keras(find_bundle(), decoded(silence))
    with pytest.raises(BundleError, match=r"bundle\.json"):
        predict_with_keras(tmp_path, decoded(chord()))


def test_a_breakdown_is_an_error_and_the_next_call_works(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = decoded(chord())
    with monkeypatch.context() as patched:
        patched.setattr(keras_process, "_predict", _die)
        with pytest.raises(BundleError, match="Choose another runtime"):
            predict_with_keras(find_bundle(), sound)
    assert predict_with_keras(find_bundle(), sound)[1] > 0


def _die(*_args: object) -> None:
    os._exit(1)


def test_it_gives_its_memory_back_when_it_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_process, "_keras", keras_process._KerasWorker())
    monkeypatch.setattr(keras_process, "_IDLE_SECONDS", 0.05)
    monkeypatch.setattr(keras_process, "_predict", _pid)
    pid, _ = predict_with_keras(find_bundle(), decoded(chord()))
    for _ in range(500):
        if not keras_process._keras._worker.is_awake:
            break
        time.sleep(0.02)
    else:
        pytest.fail("The process is still there.")
    assert predict_with_keras(find_bundle(), decoded(chord()))[0] != pid


def _pid(*_args: object) -> tuple[int, float]:
    return os.getpid(), 0.0


def test_the_microphone_can_be_loaded_afterwards() -> None:
    """In one process, importing TensorFlow before aiortc ends in a segmentation fault."""
    script = (
        "import sys\n"
        "from songnet.inference.bundle import Bundle, find_bundle\n"
        "from songnet.inference.keras_process import predict_with_keras\n"
        "from songnet.signal.audio import decode_audio\n"
        "sr = Bundle.load(find_bundle()).features.sr\n"
        "decoded = decode_audio(sys.stdin.buffer.read(), sr=sr)\n"
        "predict_with_keras(find_bundle(), decoded)\n"
        "assert 'tensorflow' not in sys.modules\n"
        "import aiortc\n"
    )
    done = subprocess.run([sys.executable, "-c", script], input=chord(), check=False)
    assert done.returncode == 0

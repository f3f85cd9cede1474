"""Nothing is named while there is nothing to name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from songnet.exceptions import BundleError
from songnet.inference.batch import predict_files
from songnet.inference.bundle import MUSIC_FILE, Bundle
from songnet.inference.classifier import Classifier
from songnet.inference.streaming import StreamingClassifier
from songnet.inference.trust import Thresholds, judge
from songnet.signal.features import LogMel
from songnet.signal.music import MusicDetector
from songnet.signal.music_statistics import music_statistics
from songnet.signal.quality import SignalQuality
from tests.app.stub import StubRuntime, stub_bundle
from tests.detectors import detector_of, linear_network
from tests.encoders import encode_soundfile, sine

LOUD = SignalQuality(level_dbfs=-20, loudest_dbfs=-15, silent_share=0, clipped_share=0)
QUIET = replace(LOUD, level_dbfs=-70, loudest_dbfs=-62)
NOTHING = replace(LOUD, level_dbfs=-120, loudest_dbfs=-100)
THRESHOLDS = Thresholds(0.3, not_music_below=0.2, doubt_music_below=0.5)
BUNDLE = stub_bundle(0.0)
SR = BUNDLE.features.sr
N_STATISTICS = music_statistics(
    np.zeros((BUNDLE.features.n_mels, 1), np.float32), config=BUNDLE.features
).size


def says(bias: float) -> MusicDetector:
    """A detector that says the same of everything."""
    network = linear_network([0.0] * N_STATISTICS, bias=bias)
    return detector_of(network, BUNDLE.features.hash, refuse=0.2, doubt=0.5)


@pytest.mark.parametrize(
    ("quality", "confidence", "music", "status"),
    [
        (NOTHING, 0.9, 0.9, "no_signal"),
        (QUIET, 0.9, 0.9, "silent"),
        (LOUD, 0.9, 0.1, "not_music"),
        (LOUD, 0.1, 0.1, "not_music"),
        (LOUD, 0.9, 0.3, "not_sure"),
        (LOUD, 0.2, 0.9, "not_sure"),
        (LOUD, 0.9, 0.9, "ok"),
        (LOUD, 0.9, None, "ok"),
    ],
)
def test_the_first_reason_not_to_name_counts(
    quality: SignalQuality, confidence: float, music: float | None, status: str
) -> None:
    found = judge(quality, confidence=confidence, music_probability=music, thresholds=THRESHOLDS)
    assert found == status


@pytest.mark.parametrize(("bias", "status"), [(-3.0, "not_music"), (-0.5, "not_sure"), (3.0, "ok")])
def test_files_and_streams_ask_the_same_detector(bias: float, status: str) -> None:
    classifier = Classifier(BUNDLE, StubRuntime(), says(bias))
    y = sine(seconds=4, sr=SR)
    from_file = classifier.predict_waveform(y)
    from_stream = StreamingClassifier(classifier).push(y, SR)
    assert from_stream is not None
    assert from_file.status == from_stream.status == status
    assert from_file.music_probability == pytest.approx(1 / (1 + np.exp(-bias)))
    assert from_stream.music_probability == pytest.approx(from_file.music_probability)
    assert from_file.is_named == (status == "ok")


def test_the_detector_hears_the_audio_without_its_completion() -> None:
    heard: list[tuple[int, ...]] = []

    class Listening(MusicDetector):
        def logit(self, S_db: LogMel, **_: object) -> float:
            heard.append(S_db.shape)
            return 0.0

    listening = Listening(**vars(says(0.0)))
    y = sine(seconds=3, sr=SR)
    Classifier(BUNDLE, StubRuntime(), listening).predict_waveform(y)
    assert heard == [(BUNDLE.features.n_mels, BUNDLE.features.n_frames(y.size))]


def test_what_is_not_music_is_rejected_and_named_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(encode_soundfile(sine(seconds=4, sr=SR), sr=SR, kind="WAV"))
    (result,) = predict_files(Classifier(BUNDLE, StubRuntime(), says(-3.0)), [path])
    values = result.to_dict()
    assert (values["status"], values["genre"], values["confidence"]) == ("rejected", None, None)
    assert values["top"] == []
    assert "does not sound like music" in values["error"]
    assert values["duration_seconds"] == pytest.approx(4)
    assert result.failed
    assert result.prediction is not None


def test_a_bundle_keeps_its_detector(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, folder=tmp_path)
    assert bundle.open_detector() is None
    saved = bundle.save_detector(says(1.0), {"n": np.int64(3)})
    assert Bundle.load(tmp_path) == saved
    opened = saved.open_detector()
    assert opened is not None
    assert opened.network.to_dict() == says(1.0).network.to_dict()
    (tmp_path / MUSIC_FILE).write_text("{}")
    with pytest.raises(BundleError, match="has changed"):
        saved.open_detector()


def test_a_detector_of_other_features_is_refused(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, folder=tmp_path)
    saved = bundle.save_detector(replace(says(1.0), feature_hash="another"), {})
    with pytest.raises(BundleError, match=r"other feature settings.*songnet train-detector"):
        saved.open_detector()

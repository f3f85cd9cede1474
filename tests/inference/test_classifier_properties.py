"""What holds for every prediction, whatever the network says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.config import FeatureConfig
from songnet.exceptions import AudioTooShortError, SilentAudioError
from songnet.inference.bundle import Bundle
from songnet.inference.classifier import MIN_SECONDS, Classifier
from songnet.inference.runtime import Outputs
from songnet.signal.features import Patches
from songnet.signal.quality import LevelMeter
from tests.encoders import encode_soundfile, noise, sine

GENRES = ("Blues", "Folk", "Jazz", "Rock")
FEATURES = FeatureConfig(
    sr=8_000, n_fft=256, hop_length=128, n_mels=16, fmax=3_500, patch_frames=80, patch_hop_frames=40
)
N_STEPS = 10


class RandomRuntime:
    """Says something else for every patch, with the exact decomposition over time."""

    def __init__(self, scale: float = 1.0, *, seed: int = 0) -> None:
        self.scale = scale
        self.seed = seed
        self.outputs: Outputs

    def predict(self, patches: Patches) -> Outputs:
        rng = np.random.default_rng(self.seed)
        attention = rng.dirichlet(np.ones(N_STEPS), len(patches)).astype(np.float32)
        shape = (len(patches), N_STEPS, len(GENRES))
        evidence = (self.scale * rng.standard_normal(shape)).astype(np.float32)
        logits = np.einsum("pt,ptg->pg", attention, evidence)
        self.outputs = Outputs(logits=logits, attention=attention, evidence=evidence)
        return self.outputs


def make_classifier(
    runtime: RandomRuntime, *, temperature: float = 1.0, not_sure_below: float = 0.0
) -> Classifier:
    bundle = Bundle(
        folder=Path("nowhere"),
        name="stub",
        version="0",
        features=FEATURES,
        genres=GENRES,
        temperature=temperature,
        not_sure_below=not_sure_below,
        files={},
        training={},
    )
    return Classifier(bundle, runtime)


lengths = st.integers(int(MIN_SECONDS * FEATURES.sr), 12 * FEATURES.sr)


@settings(max_examples=40, deadline=None)
@given(
    n=lengths,
    scale=st.sampled_from([0.0, 1.0, 30.0, 1e4]),
    temperature=st.floats(0.2, 5),
    seed=st.integers(0, 100),
)
def test_every_prediction_is_consistent(
    n: int, scale: float, temperature: float, seed: int
) -> None:
    runtime = RandomRuntime(scale, seed=seed)
    prediction = make_classifier(runtime, temperature=temperature).predict_waveform(
        noise(seconds=n / FEATURES.sr, sr=FEATURES.sr)
    )
    n_frames = FEATURES.n_frames(n)

    assert prediction.probs.shape == (len(GENRES),)
    assert np.isfinite(prediction.probs).all()
    assert prediction.probs.sum() == pytest.approx(1)
    assert prediction.duration_seconds == pytest.approx(n / FEATURES.sr)

    timeline = prediction.timeline
    assert timeline.probs.shape == (FEATURES.n_patches(n_frames), len(GENRES))
    np.testing.assert_allclose(timeline.probs.sum(axis=1), 1)
    assert (timeline.start_seconds < timeline.end_seconds).all()
    assert timeline.end_seconds.max() <= prediction.duration_seconds + 1e-9

    logits = FEATURES.patch_weights(n_frames) @ runtime.outputs.logits / temperature
    total = prediction.evidence.contributions.sum(axis=0)
    np.testing.assert_allclose(total, logits, atol=1e-5 * max(1.0, scale))
    assert np.isfinite(prediction.evidence.contributions).all()
    assert (np.diff(prediction.evidence.seconds) > 0).all()
    assert prediction.evidence.seconds[0] >= 0


def test_a_minute_and_the_shortest_are_answered() -> None:
    classifier = make_classifier(RandomRuntime())
    for seconds in (MIN_SECONDS, FEATURES.patch_seconds, 60.0):
        y = noise(seconds=seconds, sr=FEATURES.sr)
        assert classifier.predict_waveform(y).genre in GENRES


def test_evidence_stands_at_the_moment_it_comes_from() -> None:
    class OneMoment(RandomRuntime):
        def predict(self, patches: Patches) -> Outputs:
            outputs = super().predict(patches)
            evidence = np.zeros_like(outputs.evidence)
            evidence[2, 3] = 1.0
            return Outputs(logits=outputs.logits, attention=outputs.attention, evidence=evidence)

    prediction = make_classifier(OneMoment()).predict_waveform(noise(seconds=8, sr=FEATURES.sr))
    strongest = prediction.evidence.contributions[:, 0].argmax()
    step_seconds = FEATURES.patch_frames * FEATURES.frame_seconds / N_STEPS
    expected = 2 * FEATURES.patch_hop_seconds + 3.5 * step_seconds
    assert prediction.evidence.seconds[strongest] == pytest.approx(expected)


def test_temperature_softens_and_keeps_the_order() -> None:
    y = noise(seconds=5, sr=FEATURES.sr)
    sharp = make_classifier(RandomRuntime(5.0), temperature=0.5).predict_waveform(y)
    soft = make_classifier(RandomRuntime(5.0), temperature=5.0).predict_waveform(y)
    assert [g.genre for g in sharp.top(4)] == [g.genre for g in soft.top(4)]
    assert sharp.confidence > soft.confidence


@pytest.mark.parametrize(("threshold", "status"), [(0.0, "ok"), (0.26, "not_sure")])
def test_not_sure_below_the_threshold(threshold: float, status: str) -> None:
    classifier = make_classifier(RandomRuntime(0.0), not_sure_below=threshold)
    assert classifier.predict_waveform(noise(seconds=5, sr=FEATURES.sr)).status == status


def test_too_short_and_silent_are_refused() -> None:
    classifier = make_classifier(RandomRuntime())
    almost = int(MIN_SECONDS * FEATURES.sr) - 1
    with pytest.raises(AudioTooShortError, match=r"lasts 1\.00 seconds; a genre needs at least 1"):
        classifier.predict_waveform(noise(seconds=2, sr=FEATURES.sr)[:almost])
    with pytest.raises(SilentAudioError, match=r"holds no signal at all.*Check the recording"):
        classifier.predict_waveform(np.zeros(5 * FEATURES.sr, np.float32))
    with pytest.raises(SilentAudioError, match=r"at -70 dBFS.*check the recording"):
        classifier.predict_waveform(noise(seconds=5, sr=FEATURES.sr, level=10**-3.5))


@pytest.mark.parametrize(
    ("seconds", "level", "expected"),
    [(2.0, 0.1, "Only 2.0 seconds"), (8.0, 0.002, "very quiet"), (8.0, 50.0, "clipped")],
)
def test_doubts_are_told(seconds: float, level: float, expected: str) -> None:
    y = np.clip(noise(seconds=seconds, sr=FEATURES.sr, level=level), -1, 1)
    warnings = make_classifier(RandomRuntime()).predict_waveform(y).warnings
    assert len(warnings) == 1
    assert expected in warnings[0]


def test_a_file_and_a_stream_agree_on_clipping() -> None:
    y = np.zeros((3 * 44_100, 2), np.float32)
    y[:, 0] = noise(seconds=3, sr=44_100)
    y[: 2 * 44_100, 1] = np.sign(sine(seconds=2, hz=220))
    classifier = make_classifier(RandomRuntime())
    from_file = classifier.predict(encode_soundfile(y, sr=44_100, kind="FLAC"))
    meter = LevelMeter(3.0)
    meter.push(y, sr=44_100)
    assert from_file.quality.clipped_share == pytest.approx(meter.quality(3.0).clipped_share)
    assert from_file.quality.clipped_share == pytest.approx(2 / 3, abs=0.01)
    assert "clipped: 67%" in from_file.warnings[-1]
    mono = classifier.predict_waveform(y.mean(axis=1)[::5])
    assert mono.quality.clipped_share == 0


def test_warnings_of_the_decoder_reach_the_prediction() -> None:
    y = noise(seconds=8, sr=FEATURES.sr)
    y[5] = np.nan
    data = encode_soundfile(y, sr=FEATURES.sr, kind="WAV", subtype="FLOAT")
    prediction = make_classifier(RandomRuntime()).predict(data)
    assert prediction.warnings == (
        "The file holds samples that are not numbers; they were read as silence.",
    )

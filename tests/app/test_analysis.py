"""What the page computes: steps of the timeline, shares of time, the envelope."""

from __future__ import annotations

import numpy as np
import pytest

from app.analysis import analyse_audio
from songnet.config import FeatureConfig
from songnet.inference.prediction import Timeline
from songnet.inference.timeline import genre_steps, time_shares
from songnet.signal.audio import DecodeLimits
from songnet.signal.views import min_max_envelope
from tests.app.stub import SR, beat, stub_classifier
from tests.encoders import encode_soundfile


def timeline_of(duration: float, *, seed: int = 0) -> Timeline:
    features = FeatureConfig()
    n_windows = features.n_patches(features.n_frames(round(duration * features.sr)))
    start = np.arange(n_windows) * features.patch_hop_seconds
    return Timeline(
        start_seconds=start,
        end_seconds=np.minimum(start + features.patch_seconds, duration),
        probs=np.random.default_rng(seed).dirichlet(np.ones(10), n_windows),
    )


@pytest.mark.parametrize("duration", [1.0, 5.9, 12.0, 12.1, 13.0, 18.1, 29.97, 30.0, 247.3, 3600.0])
def test_steps_cover_the_song_once(duration: float) -> None:
    timeline = timeline_of(duration)
    steps = genre_steps(timeline, duration_seconds=duration)
    assert steps.start_seconds[0] == 0
    assert steps.end_seconds[-1] == duration
    assert np.array_equal(steps.start_seconds[1:], steps.end_seconds[:-1])
    assert (steps.end_seconds > steps.start_seconds).all()
    assert steps.probs.sum(axis=1) == pytest.approx(1)
    assert time_shares(steps).sum() == pytest.approx(1)


def test_a_step_is_the_mean_of_the_windows_over_it() -> None:
    timeline = timeline_of(30.0)
    steps = genre_steps(timeline, duration_seconds=30.0)
    assert steps.probs[0] == pytest.approx(timeline.probs[0])
    assert steps.probs[1] == pytest.approx(timeline.probs[:2].mean(axis=0))


def test_shares_weigh_steps_by_their_length() -> None:
    steps = Timeline(
        start_seconds=np.array([0.0, 6.0]),
        end_seconds=np.array([6.0, 8.0]),
        probs=np.array([[0.9, 0.1], [0.2, 0.8]]),
    )
    assert time_shares(steps) == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("n_samples", [1, 7, 1600, 100_003])
def test_envelope_keeps_the_extremes(n_samples: int) -> None:
    y = np.random.default_rng(0).normal(size=n_samples).astype(np.float32)
    envelope = min_max_envelope(y)
    assert envelope.low.size == envelope.high.size == min(n_samples, 1600)
    assert envelope.low.min() == y.min()
    assert envelope.high.max() == y.max()


def test_clipping_of_one_channel_is_told() -> None:
    left, right = beat(6), np.clip(20 * beat(6), -1, 1)
    data = encode_soundfile(np.stack([left, right], axis=1), sr=SR, kind="WAV")
    found = analyse_audio(data, digest="0", classifier=stub_classifier(0.0), limits=DecodeLimits())
    assert any("clipped" in warning for warning in found.prediction.warnings)

"""A stream says what the file path says of the same samples, however they arrive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.config import FeatureConfig
from songnet.exceptions import ParameterError
from songnet.inference.bundle import LIVE_HOP_SECONDS, Bundle
from songnet.inference.classifier import Classifier
from songnet.inference.prediction import Prediction
from songnet.inference.runtime import Outputs
from songnet.inference.streaming import FIRST_SECONDS, Chunk, StreamingClassifier
from songnet.signal import features as signal_features
from songnet.signal.audio import load_audio
from songnet.signal.features import Patches
from tests.encoders import encode_soundfile, noise, sine

FEATURES = FeatureConfig(
    sr=8_000,
    n_fft=256,
    hop_length=128,
    n_mels=16,
    fmax=3_500,
    patch_frames=240,
    patch_hop_frames=40,
)
GENRES = ("Blues", "Folk", "Jazz", "Rock")
RATES = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000]
BLOCK = 960


class BandRuntime:
    """Names the genre by which quarter of the spectrum is loudest; counts its work."""

    def __init__(self) -> None:
        self.n_patches = 0

    def predict(self, patches: Patches) -> Outputs:
        self.n_patches += len(patches)
        bands = np.stack([part.mean(-1) for part in np.array_split(patches, 4, axis=-1)], -1)
        evidence = ((bands - bands.mean()) / 4).astype(np.float32)
        attention = np.full(evidence.shape[:2], 1 / evidence.shape[1], dtype=np.float32)
        return Outputs(evidence.mean(axis=1), attention, evidence)


def make_classifier(*, live_hop_frames: int = 0, not_sure_below: float = 0.0) -> Classifier:
    bundle = Bundle(
        folder=Path("nowhere"),
        name="stub",
        version="0",
        features=FEATURES,
        genres=GENRES,
        temperature=1.3,
        not_sure_below=not_sure_below,
        files={},
        training={},
        live_hop_frames=live_hop_frames,
    )
    return Classifier(bundle, BandRuntime())


def make_stream(*, smoothing_seconds: float = 0.0) -> StreamingClassifier:
    return StreamingClassifier(make_classifier(), smoothing_seconds=smoothing_seconds)


def wandering(*, seconds: float, sr: int, channels: int, seed: int) -> npt.NDArray[np.float32]:
    """Noise and a tone that moves, other in each channel."""
    t = np.arange(round(seconds * sr)) / sr
    rng = np.random.default_rng(seed)
    y = 0.05 * rng.standard_normal((t.size, channels))
    y += 0.2 * np.sin(2 * np.pi * (300 * t + 40 * t**2))[:, None]
    return y.astype(np.float32)


def feed(stream: StreamingClassifier, y: Chunk, sr: int, *, block: int = BLOCK) -> list[Prediction]:
    pushed = (stream.push(y[i : i + block], sr) for i in range(0, len(y), block))
    return [prediction for prediction in pushed if prediction is not None]


def same_window(prediction: Prediction, y: npt.NDArray[np.float32]) -> Prediction:
    """What the file path says of the samples of a prediction's window."""
    start = round(prediction.timeline.start_seconds[0] * FEATURES.sr)
    n_samples = round(prediction.duration_seconds * FEATURES.sr)
    assert start + n_samples <= y.size
    return make_classifier().predict_waveform(y[start : start + n_samples])


def assert_same(found: Prediction, expected: Prediction) -> None:
    np.testing.assert_allclose(found.timeline.probs, expected.timeline.probs, atol=1e-5)
    assert found.timeline.probs.shape == (1, len(GENRES))
    np.testing.assert_allclose(
        found.evidence.contributions, expected.evidence.contributions, atol=1e-4
    )
    assert found.duration_seconds == expected.duration_seconds


@settings(max_examples=20, deadline=None)
@given(
    sr=st.sampled_from(RATES),
    channels=st.sampled_from([1, 2]),
    is_pcm=st.booleans(),
    seconds=st.floats(FIRST_SECONDS, 5),
    cuts=st.lists(st.floats(0, 1), max_size=30),
)
def test_every_window_is_as_the_file_path_reads_it(
    *, sr: int, channels: int, is_pcm: bool, seconds: float, cuts: list[float]
) -> None:
    y = wandering(seconds=seconds, sr=sr, channels=channels, seed=len(cuts))
    kind = "PCM_16" if is_pcm else "FLOAT"
    chunk: Chunk = np.rint(y * 32767).astype(np.int16) if is_pcm else y
    wav = encode_soundfile(chunk, sr=sr, kind="WAV", subtype=kind)
    whole, _ = load_audio(wav, sr=FEATURES.sr)
    if channels == 1:
        chunk = chunk[:, 0]
    stream = make_stream()
    for part in np.split(chunk, sorted(int(c * len(chunk)) for c in cuts)):
        prediction = stream.push(part, sr)
        if prediction is not None:
            assert_same(prediction, same_window(prediction, whole))
            np.testing.assert_allclose(prediction.probs, prediction.timeline.probs[0], rtol=1e-9)
            ahead = stream.seconds_heard - prediction.timeline.end_seconds[0]
            assert 0 <= ahead < 0.25  # the newest frames, but for the resampler's delay
    assert stream.seconds_heard == pytest.approx(len(chunk) / sr)


@settings(max_examples=15, deadline=None)
@given(
    rates=st.lists(st.sampled_from(RATES), min_size=2, max_size=4),
    seconds=st.floats(0.7, 2.0),
)
def test_a_new_rate_goes_on_where_the_old_one_ended(rates: list[int], seconds: float) -> None:
    stream, parts, last = make_stream(), [], None
    runs: list[tuple[int, npt.NDArray[np.float32]]] = []
    for index, sr in enumerate(rates):
        y = wandering(seconds=seconds, sr=sr, channels=1, seed=index)[:, 0]
        last = next(reversed(feed(stream, y, sr)), last)
        if runs and runs[-1][0] == sr:
            runs[-1] = (sr, np.concatenate([runs[-1][1], y]))
        else:
            runs.append((sr, y))
    for sr, y in runs:
        parts.append(soxr.resample(y, sr, FEATURES.sr) if sr != FEATURES.sr else y)
    if last is not None:
        assert_same(last, same_window(last, np.concatenate(parts)))
    assert stream.seconds_heard == pytest.approx(seconds * len(rates), abs=1e-3)


def test_each_frame_is_computed_once_and_the_window_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed = 0
    original = signal_features._frames_to_db

    def count(y: npt.NDArray[np.float32], n_frames: int, config: FeatureConfig) -> object:
        nonlocal computed
        computed += n_frames
        return original(y, n_frames, config)

    monkeypatch.setattr(signal_features, "_frames_to_db", count)
    stream = make_stream()
    y = noise(seconds=12, sr=FEATURES.sr)
    predictions = feed(stream, y, FEATURES.sr, block=160)
    assert computed == FEATURES.n_frames(y.size)
    assert stream._window.shape == (FEATURES.n_mels, FEATURES.patch_frames)
    assert predictions[-1].duration_seconds == pytest.approx(FEATURES.patch_seconds)


def test_two_updates_a_second_from_the_first_seconds_on() -> None:
    stream = make_stream()
    y = noise(seconds=10, sr=48_000)
    times = [
        stream.seconds_heard
        for i in range(0, y.size, BLOCK)
        if stream.push(y[i : i + BLOCK], 48_000) is not None
    ]
    assert times[0] == pytest.approx(FIRST_SECONDS, abs=0.1)
    assert len(times) >= 2 * (10 - FIRST_SECONDS)
    assert np.mean(np.diff(times)) <= LIVE_HOP_SECONDS
    assert max(np.diff(times)) <= LIVE_HOP_SECONDS + 0.15  # the resampler gives in bursts
    assert stream.latest is not None
    assert stream.latest.timeline.end_seconds[0] <= 10


def test_the_bundle_sets_the_hop() -> None:
    stream = StreamingClassifier(make_classifier(live_hop_frames=100), smoothing_seconds=0)
    times = [
        p.timeline.end_seconds[0]
        for p in feed(stream, noise(seconds=9, sr=8_000), 8_000, block=128)
    ]
    np.testing.assert_allclose(np.diff(times), 100 * FEATURES.frame_seconds)


def test_a_stream_that_fell_behind_reads_only_the_last_window() -> None:
    classifier = make_classifier()
    stream = StreamingClassifier(classifier)
    y = noise(seconds=30, sr=FEATURES.sr)
    prediction = stream.push(y, FEATURES.sr)
    assert prediction is not None
    assert classifier._runtime.n_patches == 1  # type: ignore[attr-defined]
    assert prediction.timeline.end_seconds[0] == pytest.approx(30, abs=0.05)
    assert stream.push(y[:100], FEATURES.sr) is None


def test_smoothing_has_the_stated_time_constant() -> None:
    """After a step from one sound to another, the logits come closer by e each time constant."""
    tau, sr = 3.0, FEATURES.sr
    low, high = sine(seconds=20, sr=sr, hz=300), sine(seconds=20, sr=sr, hz=3_000)
    stream = make_stream(smoothing_seconds=tau)
    feed(stream, low, sr)
    before = stream.latest
    window_filled = feed(stream, high, sr)[-1]
    assert before is not None
    goal = np.log(window_filled.timeline.probs[0])
    after = [np.log(p.probs) for p in feed(stream, high, sr)]
    gaps = [np.abs(log_probs - goal).max() for log_probs in after]
    hop_seconds = stream.classifier.bundle.live_hop_frames * FEATURES.frame_seconds
    ratios = np.array(gaps[1:6]) / np.array(gaps[:5])
    np.testing.assert_allclose(ratios, np.exp(-hop_seconds / tau), rtol=0.05)
    assert before.genre != window_filled.genre


def test_nothing_is_named_without_sound_and_a_pause_changes_no_mind() -> None:
    stream, sr = make_stream(smoothing_seconds=2.0), FEATURES.sr
    (*_, playing) = feed(stream, sine(seconds=8, sr=sr, hz=300), sr)
    assert playing.status == "ok"
    pause = feed(stream, np.zeros(3 * sr, np.float32), sr)
    assert [p.status for p in pause[-2:]] == ["no_signal", "no_signal"]
    assert not pause[-1].is_named
    kept = [p.probs for p in pause if p.status == "no_signal"]
    assert len(kept) > 1
    np.testing.assert_array_equal(kept[0], kept[-1])
    assert pause[-1].genre == playing.genre
    hiss = feed(stream, noise(seconds=4, sr=sr, level=3e-4), sr)
    assert hiss[-1].status == "silent"
    assert feed(stream, sine(seconds=3, sr=sr, hz=300), sr)[-1].status == "ok"


def test_after_a_window_of_silence_the_old_sound_is_forgotten() -> None:
    stream, sr = make_stream(smoothing_seconds=60.0), FEATURES.sr
    low = feed(stream, sine(seconds=8, sr=sr, hz=300), sr)[-1]
    feed(stream, np.zeros(5 * sr, np.float32), sr)
    high = feed(stream, sine(seconds=3, sr=sr, hz=3_000), sr)[-1]
    assert low.genre != high.genre


def test_the_level_is_there_before_the_first_prediction() -> None:
    stream = make_stream()
    assert stream.level.rms_dbfs == -120
    assert stream.push(sine(seconds=0.5, sr=48_000, level=0.1, channels=2), 48_000) is None
    assert stream.level.rms_dbfs == pytest.approx(-23.0, abs=0.1)
    assert stream.level.peak_dbfs == pytest.approx(-20.0, abs=0.1)
    assert not stream.level.is_clipped
    one_side = np.zeros((24_000, 2), np.int16)
    one_side[:, 1] = 32_767
    assert stream.push(one_side, 48_000) is None
    assert stream.level.is_clipped
    assert stream.level.rms_dbfs == pytest.approx(-6.0, abs=0.1)
    stream.push(np.zeros((24_000, 2), np.int16), 48_000)
    assert not stream.level.has_signal


@pytest.mark.parametrize("scale", [2, 32_768, 3e38])
@pytest.mark.parametrize("channels", [1, 4])
def test_samples_beyond_full_scale_are_metered_as_full_scale(scale: float, channels: int) -> None:
    stream = make_stream()
    stream.push(np.full((8_000, channels), scale, np.float32), 16_000)
    assert (stream.level.rms_dbfs, stream.level.peak_dbfs) == (0, 0)
    assert stream.level.is_clipped


def test_reset_begins_anew() -> None:
    y, sr = wandering(seconds=5, sr=16_000, channels=2, seed=3), 16_000
    stream = make_stream(smoothing_seconds=2.0)
    feed(stream, noise(seconds=5, sr=22_050), 22_050)
    stream.reset()
    assert (stream.seconds_heard, stream.latest) == (0, None)
    assert stream.level.rms_dbfs == -120
    again, anew = feed(stream, y, sr), feed(make_stream(smoothing_seconds=2.0), y, sr)
    assert len(again) == len(anew) > 0
    np.testing.assert_array_equal(again[-1].probs, anew[-1].probs)


def test_empty_pieces_and_broken_samples_do_no_harm() -> None:
    stream, sr = make_stream(), FEATURES.sr
    y = noise(seconds=3, sr=sr)
    y[1_000:1_010] = np.nan
    y[2_000] = np.inf
    assert stream.push(y[:0], sr) is None
    (*_, last) = feed(stream, y, sr)
    assert np.isfinite(last.probs).all()
    assert np.isfinite(stream.level.rms_dbfs)


@pytest.mark.parametrize(
    ("chunk", "sr", "message"),
    [
        (np.zeros(10, np.float64), 8_000, "dtype float64; expected"),
        (np.zeros((2, 3, 4), np.float32), 8_000, r"shape \(2, 3, 4\)"),
        (np.zeros((2, 960), np.float32), 8_000, "1 to 64 channels, samples first"),
        (np.zeros((960, 0), np.float32), 8_000, "1 to 64 channels"),
        (np.zeros(10, np.float32), 0, "sr is 0 Hz; expected 1000"),
    ],
)
def test_impossible_pieces_are_refused(chunk: Chunk, sr: int, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make_stream().push(chunk, sr)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_impossible_smoothing_is_refused(seconds: float) -> None:
    with pytest.raises(ParameterError, match="smoothing_seconds is"):
        make_stream(smoothing_seconds=seconds)

"""The feature path: streams equal files, formulas equal arrays, librosa agrees."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.config import FeatureConfig
from songnet.exceptions import AudioTooShortError, ParameterError
from songnet.signal.audio import load_audio
from songnet.signal.features import LogMelStream, frame_patches, log_mel, mel_filterbank
from tests.encoders import encode_soundfile, noise

CONFIG = FeatureConfig()
SMALL = FeatureConfig(
    sr=8_000, n_fft=256, hop_length=100, n_mels=24, fmax=3_500, patch_frames=20, patch_hop_frames=7
)
CONFIGS = [
    CONFIG,
    SMALL,
    FeatureConfig(sr=22_050, n_fft=2048, hop_length=512, n_mels=128, fmin=0, fmax=11_025),
    FeatureConfig(sr=16_000, n_fft=512, hop_length=512, n_mels=40, fmin=125, fmax=7_500),
    FeatureConfig(sr=12_000, n_fft=600, hop_length=250, n_mels=64, fmax=6_000, floor_db=-90),
]
GOLDEN = Path(__file__).parents[1] / "golden" / "log_mel.npz"
quick = settings(max_examples=25, deadline=None)


def cut(y: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    """The pieces of ``y`` between sorted cuts; equal cuts give empty pieces."""
    return np.split(y, sorted(min(c, y.size) for c in cuts))


@quick
@given(n=st.integers(0, 3_000), cuts=st.lists(st.integers(0, 3_000), max_size=12))
def test_any_cutting_gives_the_frames_of_the_whole(n: int, cuts: list[int]) -> None:
    y = noise(seconds=n / SMALL.sr, sr=SMALL.sr)
    stream = LogMelStream(SMALL)
    parts = [stream.push(part) for part in cut(y, cuts)]
    joined = np.concatenate(parts, axis=1)
    assert joined.shape == (SMALL.n_mels, SMALL.n_frames(n))
    if joined.size:
        np.testing.assert_allclose(joined, log_mel(y, config=SMALL), atol=1e-3)


def test_stream_gives_each_frame_as_soon_as_its_last_sample_is_there() -> None:
    stream = LogMelStream(SMALL)
    y = noise(seconds=1, sr=SMALL.sr)
    assert stream.push(y[: SMALL.n_fft - 1]).shape == (SMALL.n_mels, 0)
    assert stream.push(y[SMALL.n_fft - 1 : SMALL.n_fft]).shape == (SMALL.n_mels, 1)


@quick
@given(
    rate=st.sampled_from([8_000, 22_050, 44_100, 48_000]),
    cuts=st.lists(st.integers(0, 30_000), max_size=8),
)
def test_any_cutting_is_resampled_as_the_file_is(rate: int, cuts: list[int]) -> None:
    y = noise(seconds=0.6, sr=rate)
    whole, _ = load_audio(encode_soundfile(y, sr=rate, kind="WAV", subtype="FLOAT"), sr=16_000)
    stream = soxr.ResampleStream(rate, 16_000, 1, dtype="float32")
    parts = [stream.resample_chunk(part) for part in cut(y, cuts)]
    parts.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@quick
@given(gain_db=st.floats(-20, 20))
def test_gain_shifts_what_lies_above_the_floor(gain_db: float) -> None:
    y = noise(seconds=0.3, sr=SMALL.sr, level=0.5)
    quiet = log_mel(y, config=SMALL)
    loud = log_mel((y * 10 ** (gain_db / 20)).astype(np.float32), config=SMALL)
    above = (quiet > SMALL.floor_db + 0.1) & (quiet + gain_db > SMALL.floor_db + 0.1)
    assert above.any()
    np.testing.assert_allclose((loud - quiet)[above], gain_db, atol=1e-2)
    assert (loud >= SMALL.floor_db - 1e-4).all()


def test_silence_is_at_the_floor() -> None:
    S_db = log_mel(np.zeros(4_000, np.float32), config=SMALL)
    np.testing.assert_allclose(S_db, SMALL.floor_db, atol=1e-4)


@quick
@given(n=st.integers(1, 400))
def test_patches_restate_the_spectrogram(n: int) -> None:
    S_db = np.random.default_rng(n).normal(size=(SMALL.n_mels, n)).astype(np.float32)
    patches = frame_patches(S_db, config=SMALL)
    assert patches.shape == (SMALL.n_patches(n), SMALL.patch_frames, SMALL.n_mels)
    covered = np.zeros(n, bool)
    for index, patch in enumerate(patches):
        start = index * SMALL.patch_hop_frames
        part = S_db[:, start : start + SMALL.patch_frames].T
        np.testing.assert_array_equal(patch[: len(part)], part)
        assert (patch[len(part) :] == SMALL.floor_db).all()
        assert len(part) > 0
        covered[start : start + SMALL.patch_frames] = True
    assert covered.all()


@quick
@given(n=st.integers(1, 5_000))
def test_patch_weights_count_the_audio_in_each_patch(n: int) -> None:
    weights = CONFIG.patch_weights(n)
    assert weights.shape == (CONFIG.n_patches(n),)
    assert weights.sum() == pytest.approx(1)
    assert (weights > 0).all()
    assert (weights <= weights[0]).all()


@quick
@given(n=st.integers(0, 5_000), config=st.sampled_from([SMALL, CONFIG]))
def test_frame_formula_equals_the_array(n: int, config: FeatureConfig) -> None:
    y = np.zeros(n, np.float32)
    if config.n_frames(n) == 0:
        assert n < config.n_fft
        with pytest.raises(AudioTooShortError, match=f"{n} samples; one frame needs"):
            log_mel(y, config=config)
    else:
        assert log_mel(y, config=config).shape == (config.n_mels, config.n_frames(n))


@pytest.mark.parametrize("config", CONFIGS)
def test_log_mel_equals_librosa(config: FeatureConfig) -> None:
    y = noise(seconds=1.5, sr=config.sr, level=0.02)
    y[: config.sr // 2] *= 1e-4
    S = librosa.feature.melspectrogram(
        y=y,
        sr=config.sr,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
        center=False,
    )
    expected = np.maximum(librosa.power_to_db(S, ref=1.0, top_db=None), config.floor_db)
    S_db = log_mel(y, config=config)
    assert S_db.dtype == np.float32
    np.testing.assert_allclose(S_db, expected, atol=2e-3)


@pytest.mark.parametrize("config", CONFIGS)
def test_filterbank_equals_librosa(config: FeatureConfig) -> None:
    expected = librosa.filters.mel(
        sr=config.sr, n_fft=config.n_fft, n_mels=config.n_mels, fmin=config.fmin, fmax=config.fmax
    )
    np.testing.assert_allclose(mel_filterbank(config), expected, atol=1e-8)


def test_filterbank_cannot_be_changed_by_its_users() -> None:
    with pytest.raises(ValueError, match="read-only"):
        mel_filterbank(CONFIG)[0, 0] = 1


def test_frames_are_computed_alike_in_long_and_short_audio() -> None:
    y = noise(seconds=40, sr=SMALL.sr)
    whole = log_mel(y, config=SMALL)
    late = log_mel(y[1_000 * SMALL.hop_length :], config=SMALL)
    np.testing.assert_allclose(whole[:, 1_000:], late, atol=1e-3)


@pytest.mark.parametrize(
    "y",
    [
        np.zeros((2, 4_000), np.float32),
        np.zeros(4_000, np.int16),
        np.full(4_000, np.nan, np.float32),
        np.full(4_000, np.inf, np.float32),
    ],
)
def test_impossible_waveforms_are_refused(y: np.ndarray) -> None:
    with pytest.raises(ParameterError, match=r"one channel of floats|replace them"):
        log_mel(y, config=SMALL)
    with pytest.raises(ParameterError):
        LogMelStream(SMALL).push(y)


@pytest.mark.parametrize("shape", [(24,), (23, 5), (24, 0), (1, 24, 5)])
def test_impossible_spectrograms_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"expected \(24, n_frames\)"):
        frame_patches(np.zeros(shape, np.float32), config=SMALL)


def chirp(config: FeatureConfig) -> np.ndarray:
    """One second that rises from 50 Hz to beyond the mel range and fades, without a generator."""
    t = np.arange(config.sr) / config.sr
    phase = 2 * np.pi * (50 * t + 3_900 * t**2)
    return (0.5 * (1 - t) * np.sin(phase) + 0.1 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


def test_log_mel_is_what_it_was(request: pytest.FixtureRequest) -> None:
    config = FeatureConfig(n_mels=48, floor_db=-100)
    S_db = log_mel(chirp(config), config=config)
    if request.config.getoption("--update-golden"):
        GOLDEN.parent.mkdir(exist_ok=True)
        np.savez_compressed(GOLDEN, S_db=S_db.astype(np.float16))
    with np.load(GOLDEN) as stored:
        np.testing.assert_allclose(S_db, stored["S_db"], atol=0.05)

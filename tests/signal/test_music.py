"""Statistics that say music or not: of any length, at any level; and the detector's file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.config import FeatureConfig
from songnet.exceptions import BundleError, ParameterError
from songnet.signal.features import log_mel
from songnet.signal.music import (
    MusicDetector,
    MusicNetwork,
    cut_windows,
    music_probability,
)
from songnet.signal.music_statistics import music_statistics
from tests.detectors import detector_of, linear_network
from tests.encoders import noise, sine

CONFIG = FeatureConfig()
OTHER = FeatureConfig(
    sr=8_000, n_fft=256, hop_length=128, n_mels=24, fmax=3_500, patch_frames=80, patch_hop_frames=40
)


def detector(weights: Sequence[float], *, mean: float = 0.0) -> MusicDetector:
    network = linear_network(weights, bias=0.5, mean=mean)
    return detector_of(network, CONFIG.hash, refuse=0.2, doubt=0.4)


@settings(max_examples=25, deadline=None)
@given(
    n_frames=st.integers(1, 300), config=st.sampled_from([CONFIG, OTHER]), seed=st.integers(0, 9)
)
def test_statistics_are_finite_and_as_many_for_every_length(
    n_frames: int, config: FeatureConfig, seed: int
) -> None:
    S_db = np.random.default_rng(seed).normal(-10, 12, (config.n_mels, n_frames))
    statistics = music_statistics(S_db.astype(np.float32), config=config)
    whole = music_statistics(np.zeros((config.n_mels, 400), np.float32), config=config)
    assert statistics.shape == whole.shape
    assert np.isfinite(statistics).all()
    assert np.isfinite(whole).all()


@settings(max_examples=15, deadline=None)
@given(gain_db=st.floats(-30, 30))
def test_the_level_is_no_statistic(gain_db: float) -> None:
    S_db = np.random.default_rng(0).normal(0, 8, (CONFIG.n_mels, 128)).astype(np.float32)
    here = music_statistics(S_db, config=CONFIG)
    there = music_statistics(S_db + np.float32(gain_db), config=CONFIG)
    np.testing.assert_allclose(here, there, atol=1e-3)


def test_what_moves_is_told_from_what_stays() -> None:
    sr, seconds = CONFIG.sr, 10
    hiss = noise(seconds=seconds, sr=sr)
    beat = hiss * np.exp(-8 * (np.arange(hiss.size) / sr * 2 % 1)).astype(np.float32)
    tone = sine(seconds=seconds, sr=sr) + 0.01 * hiss
    progress = np.arange(hiss.size) / sr % 1
    bark = hiss * (np.arange(hiss.size) // sr % 2).astype(np.float32)
    glide = (0.1 * np.sin(2 * np.pi * np.cumsum(300 + 900 * progress) / sr)).astype(np.float32)
    sounds = {"hiss": hiss, "beat": beat, "tone": tone, "bark": bark, "glide": glide + 0.01 * hiss}
    said = {
        name: music_statistics(log_mel(y, config=CONFIG), config=CONFIG)
        for name, y in sounds.items()
    }
    clearest, unevenness = -18, -17  # of the period of all bands
    for moved in (clearest, unevenness):
        assert said["beat"][moved] > said["hiss"][moved] + 0.3
    stays = slice(-38, -34)  # what is left of the fine structure over the whole window
    assert said["tone"][stays].max() > said["hiss"][stays].max() + 0.3
    assert said["tone"][stays].max() > said["glide"][stays].max() + 0.3
    strongest = -34  # share of the strongest way in which the bands move together
    assert said["bark"][strongest] > said["hiss"][strongest] + 0.5
    quiet = -5
    assert said["bark"][quiet] > 0.3
    assert said["hiss"][quiet] < 0.05


@given(n_frames=st.integers(1, 3000))
def test_windows_are_equal_and_hold_every_frame(n_frames: int) -> None:
    S_db = np.arange(n_frames, dtype=np.float32)[None, :]
    windows = cut_windows(S_db, config=CONFIG)
    np.testing.assert_array_equal(np.concatenate(windows, axis=1), S_db)
    lengths = {window.shape[1] for window in windows}
    assert max(lengths) - min(lengths) <= 1
    seconds = [length * CONFIG.frame_seconds for length in lengths]
    assert max(seconds) < 7.6
    assert len(windows) == 1 or min(seconds) > 3.2


def test_logits_are_the_mean_over_the_windows() -> None:
    n_frames = 3 * round(5 / CONFIG.frame_seconds)
    S_db = np.random.default_rng(1).normal(-10, 9, (CONFIG.n_mels, n_frames)).astype(np.float32)
    n = music_statistics(S_db, config=CONFIG).size
    judge = detector(np.random.default_rng(2).normal(size=n))
    parts = np.split(S_db, 3, axis=1)
    logits = [judge.logit(part, config=CONFIG) for part in parts]
    assert judge.logit(S_db, config=CONFIG) == pytest.approx(np.mean(logits))
    assert len({round(logit, 6) for logit in logits}) == 3


def test_one_statistic_out_of_range_cannot_decide_alone() -> None:
    S_db = np.zeros((CONFIG.n_mels, 50), np.float32)
    n = music_statistics(S_db, config=CONFIG).size
    far = detector([0.1] * n, mean=1e6)
    assert far.logit(S_db, config=CONFIG) == pytest.approx(0.5 - 4 * 0.1 * n)


def test_weights_for_other_statistics_are_refused() -> None:
    with pytest.raises(ParameterError, match="knows 3 statistics and there are"):
        detector([0.1] * 3).logit(np.zeros((CONFIG.n_mels, 50), np.float32), config=CONFIG)


@pytest.mark.parametrize("shape", [(24,), (24, 0)])
def test_impossible_windows_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="S_db has shape"):
        music_statistics(np.zeros(shape, np.float32), config=OTHER)


def test_a_saved_detector_is_the_same(tmp_path: Path) -> None:
    judge = detector([0.1, -3.0, 1 / 3, 0.0])
    judge.save(tmp_path / "music.json")
    again = MusicDetector.load(tmp_path / "music.json")
    assert replace(again, network=judge.network) == judge
    statistics = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_array_equal(
        again.network.logits(statistics), judge.network.logits(statistics)
    )


def test_hidden_units_bend_the_answer() -> None:
    bent = MusicNetwork(
        mean=np.array([1.0]),
        scale=np.array([2.0]),
        hidden=np.array([[1.0, -1.0]]),
        hidden_bias=np.array([0.0, -0.5]),
        weights=np.array([2.0, 4.0]),
        bias=0.25,
    )
    said = bent.logits(np.array([[1.0], [3.0], [-3.0]]))
    np.testing.assert_allclose(said, [0.25, 2.25, 6.25])


_CUT = {"mean": [0], "scale": [1], "hidden": [], "hidden_bias": [], "weights": [], "bias": 0}


@pytest.mark.parametrize(
    "text", ["{", "{}", "[]", '{"network": {"mean": [1]}}', json.dumps({"network": _CUT})]
)
def test_a_broken_detector_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "music.json").write_text(text)
    with pytest.raises(BundleError, match=r"cannot be read.*train it again"):
        MusicDetector.load(tmp_path / "music.json")


def test_log_odds_become_probabilities() -> None:
    assert music_probability(0) == 0.5
    assert music_probability(1e9) == pytest.approx(1)
    assert music_probability(-1e9) == pytest.approx(0)

"""The statistics of a patch, and the branch of SongNet that reads them."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from songnet.config import FeatureConfig, ModelConfig
from songnet.exceptions import ParameterError
from songnet.export.tflite import MAX_FLOAT32_DIFFERENCE, check_parity, export_tflite
from songnet.models.clip_statistics import ClipStatistics
from songnet.models.registry import has_statistics_branch, load_network, network_builder
from songnet.models.statistics_branch import (
    build_statistics_branch,
    clip_statistics,
    join_branches,
)

FEATURES = FeatureConfig(n_mels=32, patch_frames=96, patch_hop_frames=48)
FRAME_RATE = 1 / FEATURES.frame_seconds
ENDS = np.cumsum(ClipStatistics.group_sizes())


@pytest.fixture(scope="module")
def statistics() -> keras.Model:
    return clip_statistics(FEATURES)


def patches(n: int, n_frames: int, *, seed: int = 0) -> np.ndarray:
    """Bands that move together, in part; nothing below the floor."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, 6, (n, n_frames, 1))
    own = rng.normal(0, 4, (n, n_frames, FEATURES.n_mels))
    tilt = np.linspace(5, -15, FEATURES.n_mels)
    return np.maximum(shared + own + tilt, FEATURES.floor_db + 1).astype(np.float32)


def small_branch(n_classes: int = 3) -> keras.Model:
    keras.utils.set_random_seed(1)
    rows = np.asarray(clip_statistics(FEATURES)(patches(16, 96)))
    return build_statistics_branch(
        FEATURES,
        units=7,
        n_classes=n_classes,
        mean=rows.mean(axis=0),
        std=np.maximum(rows.std(axis=0), 1e-3),
    )


def small_songnet(architecture: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    config = ModelConfig(architecture=architecture, conv_filters=(8,) * 3, gru_units=6)
    mean, std = np.full(32, -15, np.float32), np.full(32, 10, np.float32)
    return network_builder(config)(config, n_mels=32, n_classes=3, mean=mean, std=std)


def test_moments_are_those_of_numpy(statistics: keras.Model) -> None:
    X = patches(2, 60)
    said = np.asarray(statistics(X))
    first = X[:, 1:-1].sum(axis=2) / np.sqrt(FEATURES.n_mels)  # cepstrum 0
    mean, deviation = said[:, 0], said[:, ENDS[0]]
    np.testing.assert_allclose(mean, first.mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(deviation, first.std(axis=1), rtol=1e-3)
    np.testing.assert_allclose(said[:, ENDS[1]], first.min(axis=1), rtol=1e-4)
    n_frame = ENDS[0]
    np.testing.assert_allclose(said[:, ENDS[1] + n_frame], first.max(axis=1), rtol=1e-4)
    u = (first - first.mean(axis=1, keepdims=True)) / first.std(axis=1, keepdims=True)
    np.testing.assert_allclose(said[:, ENDS[2]], (u**3).mean(axis=1), atol=1e-3)
    kurtosis = np.log((u**4).mean(axis=1) + 0.1)
    np.testing.assert_allclose(said[:, ENDS[2] + n_frame], kurtosis, atol=1e-3)


def test_correlations_are_those_of_numpy(statistics: keras.Model) -> None:
    X = patches(1, 200)
    places, orders = np.arange(32) + 0.5, np.arange(20)
    basis = np.cos(np.pi / 32 * places[:, None] * orders) * np.sqrt(2 / 32)
    basis[:, 0] /= np.sqrt(2)
    cepstra = X[0].astype(float) @ basis
    said = np.asarray(statistics(X))[0]
    above = np.triu_indices(20, 1)
    together = said[ENDS[3] : ENDS[4]]
    np.testing.assert_allclose(together, np.corrcoef(cepstra.T)[above], atol=0.02)
    changes = said[ENDS[4] : ENDS[5]]
    steps = np.corrcoef(np.diff(cepstra, axis=0).T)[above]
    np.testing.assert_allclose(changes, steps, atol=0.02)


@pytest.mark.parametrize("hertz", [0.8, 1.5, 2.5, 3.6, 5.5])
def test_power_lies_at_the_rate_of_the_change(statistics: keras.Model, hertz: float) -> None:
    t = np.arange(200) / FRAME_RATE
    X = np.zeros((1, 200, 32), np.float32) + 3 * np.sin(2 * np.pi * hertz * t)[None, :, None]
    rates = np.asarray(statistics(X.astype(np.float32)))[0, ENDS[-2] :].reshape(-1, 7)
    edges = [0.3, 0.6, 1.2, 2.0, 3.0, 4.5, 7.0, 10.4]
    assert set(rates.argmax(axis=1)) == {np.searchsorted(edges, hertz) - 1}


def test_completion_with_the_floor_changes_nothing_but_the_rates(statistics: keras.Model) -> None:
    X = patches(3, 50)
    completed = np.full((3, 96, 32), FEATURES.floor_db, np.float32)
    completed[:, :50] = X
    until = ENDS[-3]
    short, long = np.asarray(statistics(X)), np.asarray(statistics(completed))
    np.testing.assert_allclose(short[:, :until], long[:, :until], atol=2e-3, rtol=2e-3)
    rate_difference = np.abs(short[:, until:] - long[:, until:])
    assert np.median(rate_difference) < 1


def test_the_level_is_in_the_first_cepstrum_alone(statistics: keras.Model) -> None:
    X = patches(1, 96)
    here, there = np.asarray(statistics(X))[0], np.asarray(statistics(X + 6))[0]
    differs = np.flatnonzero(np.abs(here - there) > 1e-2)
    n_frame = ENDS[0]
    assert differs.tolist() == [0, ENDS[1], ENDS[1] + n_frame]


@pytest.mark.parametrize("n_frames", [3, 5, 17, 96, 300])
def test_every_length_and_silence_give_finite_statistics(
    statistics: keras.Model, n_frames: int
) -> None:
    silence = np.full((1, n_frames, 32), FEATURES.floor_db, np.float32)
    for X in (patches(2, n_frames), silence):
        said = np.asarray(statistics(X))
        assert said.shape == (len(X), ENDS[-1])
        assert np.isfinite(said).all()


def test_too_few_bands_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"8 mel bands.*at least 16"):
        clip_statistics(FeatureConfig(n_mels=8))


@pytest.mark.parametrize("architecture", ["songnet", "songnet_no_attention", "songnet_lstm"])
def test_joined_branches_give_the_mean_and_decompose_it_over_time(architecture: str) -> None:
    network, branch = small_songnet(architecture), small_branch()
    joined = join_branches(network, branch)
    X = patches(4, 96, seed=5)
    alone, said = network(X), {name: np.asarray(value) for name, value in joined(X).items()}
    expected = (np.asarray(alone["logits"]) + np.asarray(branch(X))) / 2
    np.testing.assert_allclose(said["logits"], expected, atol=1e-5)
    np.testing.assert_allclose(said["attention"], np.asarray(alone["attention"]), atol=1e-6)
    over_time = np.einsum("nt,ntg->ng", said["attention"], said["evidence"])
    np.testing.assert_allclose(over_time, said["logits"], atol=1e-5)
    assert said["pooled"].shape == (4, 2 * 6 + 7)
    assert np.abs(np.asarray(alone["logits"]) - said["logits"]).max() > 1e-2


def test_a_joined_network_is_the_same_from_its_files(tmp_path: Path) -> None:
    joined = join_branches(small_songnet("songnet"), small_branch())
    joined.save(tmp_path / "joined.keras")
    again = load_network(tmp_path / "joined.keras")
    X = patches(3, 96, seed=6)
    np.testing.assert_array_equal(np.asarray(again(X)["logits"]), np.asarray(joined(X)["logits"]))
    export_tflite(again, tmp_path / "joined.tflite", features=FEATURES, precision="fp32")
    assert check_parity(again, tmp_path / "joined.tflite", X).worst < MAX_FLOAT32_DIFFERENCE


def test_only_songnet_and_its_ablations_have_the_branch() -> None:
    assert has_statistics_branch(ModelConfig())
    assert has_statistics_branch(ModelConfig(architecture="songnet_lstm"))
    assert not has_statistics_branch(ModelConfig(statistics_units=0))
    assert not has_statistics_branch(ModelConfig(architecture="crnn"))

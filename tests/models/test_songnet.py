from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from songnet.config import ModelConfig
from songnet.exceptions import BundleError, ParameterError
from songnet.models.registry import (
    load_network,
    logits_network,
    network_builder,
    whole_network,
)
from songnet.models.songnet import build_songnet
from tests.models.conftest import SMALL


def patches(n_frames: int, n: int = 2) -> np.ndarray:
    return np.random.default_rng(n_frames).normal(-15, 10, (n, n_frames, 16)).astype(np.float32)


@pytest.mark.parametrize("n_frames", [16, 33, 200])
def test_any_number_of_frames(small_network, n_frames):
    outputs = small_network(patches(n_frames))
    assert outputs["logits"].shape == (2, 3)
    assert outputs["attention"].shape == (2, n_frames // 8)
    assert outputs["evidence"].shape == (2, n_frames // 8, 3)


def test_mean_and_deviation_of_the_training_set_are_part_of_the_network(small_network):
    silence = np.full((1, 64, 16), -15, np.float32)
    normalised = keras.Model(small_network.input, small_network.get_layer("normalization").output)
    np.testing.assert_allclose(np.asarray(normalised(silence)), 0, atol=1e-6)
    np.testing.assert_allclose(np.asarray(normalised(silence + 20)), 2, atol=1e-5)


def test_three_blocks_as_described(small_network):
    names = [layer.name for layer in small_network.layers]
    for index in (1, 2, 3):
        block = [f"{part}{index}" for part in ("conv", "norm", "relu", "dropout", "pool")]
        start = names.index(block[0])
        assert names[start : start + 5] == block


def test_training_part_and_whole_share_their_weights(small_network, tmp_path: Path):
    part = logits_network(small_network)
    part.save(tmp_path / "part.keras")
    whole = whole_network(load_network(tmp_path / "part.keras"))
    X = patches(64)
    for name, value in small_network(X).items():
        np.testing.assert_allclose(np.asarray(whole(X)[name]), np.asarray(value), atol=1e-6)


def test_unknown_architecture_names_the_known_ones():
    with pytest.raises(ParameterError, match=r"'lstm'.*songnet"):
        network_builder(ModelConfig(architecture="lstm"))


def test_a_file_that_is_no_network(tmp_path: Path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"not a network")
    with pytest.raises(BundleError, match=r"model\.keras is not a Keras model"):
        load_network(path)


def test_blocks_of_different_number_are_refused():
    with pytest.raises(ParameterError, match="3, 2 and 3"):
        ModelConfig(kernel_sizes=(5, 5))


def test_without_units_there_is_no_gru():
    mean, std = np.zeros(16, np.float32), np.ones(16, np.float32)
    network = build_songnet(SMALL.replace(gru_units=0), n_mels=16, n_classes=3, mean=mean, std=std)
    assert "gru" not in [layer.name for layer in network.layers]
    assert network(patches(64))["logits"].shape == (2, 3)

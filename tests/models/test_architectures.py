"""Every architecture: shapes, the outputs that a prediction reads, saving, TFLite."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from songnet.config import FeatureConfig, ModelConfig
from songnet.export.tflite import check_parity, export_tflite
from songnet.models.fronts import Mfcc, PatchStandardization, mfcc_statistics
from songnet.models.registry import (
    ARCHITECTURES,
    load_network,
    logits_network,
    network_builder,
    whole_network,
)

pytestmark = pytest.mark.timeout(1800)  # numba, TensorFlow: slow on a busy machine

N_MELS, N_GENRES, N_FRAMES = 64, 3, 128
SMALL = ModelConfig(front_end_filters=(4,), conv_filters=(8,) * 3, gru_units=6, attention_units=4)


def patches(n: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(-15, 10, (n, N_FRAMES, N_MELS)).astype(np.float32)


def build(name: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    config = SMALL.replace(architecture=name)
    mean, std = np.full(N_MELS, -15, np.float32), np.full(N_MELS, 10, np.float32)
    return network_builder(config)(config, n_mels=N_MELS, n_classes=N_GENRES, mean=mean, std=std)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_outputs_explain_the_logits_and_survive_saving(name: str, tmp_path: Path) -> None:
    network = build(name)
    X = patches()
    outputs = {key: np.asarray(value) for key, value in network(X).items()}
    assert outputs["logits"].shape == (2, N_GENRES)
    np.testing.assert_allclose(outputs["attention"].sum(axis=1), 1, atol=1e-5)
    explained = np.einsum("bt,btg->bg", outputs["attention"], outputs["evidence"])
    np.testing.assert_allclose(explained, outputs["logits"], atol=1e-4)
    assert not np.allclose(outputs["logits"][0], outputs["logits"][1])
    logits_network(network).save(tmp_path / "part.keras")
    again = whole_network(load_network(tmp_path / "part.keras"))(X)
    for key, value in outputs.items():
        np.testing.assert_allclose(np.asarray(again[key]), value, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["songnet_lstm", "crnn", "spectrogram_transformer", "vgg_mel", "mfcc_cnn"]
)
def test_the_tflite_file_agrees_with_keras(name: str, tmp_path: Path) -> None:
    network, path = build(name), tmp_path / "model.tflite"
    features = FeatureConfig(n_mels=N_MELS, patch_frames=N_FRAMES)
    export_tflite(network, path, features=features, precision="fp32")
    assert check_parity(network, path, patches()).worst < 1e-3


def test_ablations_change_what_their_names_say() -> None:
    def kinds(name: str) -> set[str]:
        return {type(layer).__name__ for layer in build(name).layers} | {
            type(layer.forward_layer).__name__
            for layer in build(name).layers
            if isinstance(layer, keras.layers.Bidirectional)
        }

    songnet = kinds("songnet")
    assert songnet - kinds("songnet_lstm") == {"GRU"}
    assert songnet - kinds("songnet_no_attention") == {"AttentionPooling"}


def test_mfcc_are_those_of_librosa() -> None:
    import librosa

    X = patches(1)
    expected = librosa.feature.mfcc(S=X[0].T, n_mfcc=13).T
    np.testing.assert_allclose(np.asarray(Mfcc(13)(X))[0], expected, atol=1e-3)
    mean, scale = mfcc_statistics(X[0].mean(axis=0), X[0].std(axis=0), n_mfcc=13)
    np.testing.assert_allclose(mean, expected.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(scale, expected.std(axis=0), rtol=0.3)


def test_a_standardised_patch_forgets_its_level() -> None:
    X = patches()
    np.testing.assert_allclose(
        np.asarray(PatchStandardization()(X + 7)), np.asarray(PatchStandardization()(X)), atol=1e-4
    )

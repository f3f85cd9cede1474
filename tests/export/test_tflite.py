from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from songnet.config import FeatureConfig, ModelConfig
from songnet.exceptions import BundleError, ParameterError
from songnet.export.tflite import MAX_FLOAT32_DIFFERENCE, check_parity, export_tflite
from songnet.inference.runtime import KerasRuntime, LiteRTRuntime
from songnet.models.songnet import build_songnet

FEATURES = FeatureConfig(n_mels=16, patch_frames=64, patch_hop_frames=32)
# Converter of TensorFlow 2.21: says that it moves to a package of its own.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    config = ModelConfig(conv_filters=(32, 32, 32), gru_units=32, attention_units=16)
    std = np.full(16, 10, np.float32)
    return build_songnet(config, n_mels=16, n_classes=4, mean=-std, std=std)


@pytest.fixture(scope="module")
def files(network, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tflite")
    paths = {precision: folder / f"{precision}.tflite" for precision in ("fp32", "fp16", "int8")}
    for precision, path in paths.items():
        export_tflite(network, path, features=FEATURES, precision=precision)
    return paths


def special_patches() -> np.ndarray:
    """Silence, loud noise, and one band only."""
    rng = np.random.default_rng(0)
    silence = np.full((1, 64, 16), FEATURES.floor_db, np.float32)
    noise = rng.normal(0, 10, (1, 64, 16)).astype(np.float32)
    band = silence.copy()
    band[:, :, 5] = 20
    return np.concatenate([silence, noise, band])


@pytest.mark.parametrize(("precision", "limit"), [("fp32", 1e-4), ("fp16", 1e-2), ("int8", 0.2)])
def test_parity_in_the_runtime_that_ships(network, files, precision, limit):
    assert check_parity(network, files[precision], special_patches()).worst < limit


def test_the_limit_of_float32_is_the_one_promised():
    assert MAX_FLOAT32_DIFFERENCE == 1e-4


def test_lower_precision_makes_smaller_files(files):
    sizes = [files[precision].stat().st_size for precision in ("fp32", "fp16", "int8")]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.5 * sizes[0]


def test_patches_do_not_disturb_each_other(files):
    runtime = LiteRTRuntime(files["fp32"])
    X = special_patches()
    together = runtime.predict(X).logits
    alone = np.concatenate([runtime.predict(patch[None]).logits for patch in X[::-1]])[::-1]
    np.testing.assert_array_equal(together, alone)


def test_both_runtimes_give_the_same_outputs(network, files, tmp_path):
    network.save(tmp_path / "model.keras")
    X = special_patches()
    expected, found = (
        KerasRuntime(tmp_path / "model.keras").predict(X),
        LiteRTRuntime(files["fp32"]).predict(X),
    )
    for name in ("logits", "attention", "evidence", "embedding"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4)


def test_patches_of_another_shape_are_refused(files):
    with pytest.raises(ParameterError, match=r"reads \(n_patches, 64, 16\)"):
        LiteRTRuntime(files["fp32"]).predict(np.zeros((1, 60, 16), np.float32))


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(BundleError, match=r"model\.tflite is not a TFLite model"):
        LiteRTRuntime(path)


def test_unknown_precision(network, tmp_path):
    with pytest.raises(ParameterError, match="'int4'"):
        export_tflite(network, tmp_path / "x", features=FEATURES, precision="int4")

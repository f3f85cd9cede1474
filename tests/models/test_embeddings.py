from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from songnet.exceptions import AudioTooShortError, BundleError, ParameterError
from songnet.models.embeddings import EmbeddingConfig, embed, read_embedding

pytestmark = pytest.mark.timeout(1800)  # numba, TensorFlow: slow on a busy machine

PLUGIN = {"name": "tiny", "sr": 1000, "window_seconds": 0.1, "hop_seconds": 0.05}
PYTHON = {**PLUGIN, "kind": "python", "entry_point": "tests.models.embedding_plugin:nothing"}


def written(folder: Path, **values: object) -> Path:
    path = folder / "plugin.json"
    path.write_text(json.dumps(values))
    return path


def sound() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, 480).astype(np.float32)


def windows(y: np.ndarray) -> np.ndarray:
    return np.stack([y[start : start + 100] for start in range(0, 381, 50)])


def test_python_entry_point_is_averaged_over_the_windows(tmp_path):
    entry = "tests.models.embedding_plugin:level_and_crossings"
    config = read_embedding(written(tmp_path, **PYTHON | {"entry_point": entry}))
    vector = embed(sound(), config=config)
    assert vector.shape == (2,)
    assert vector[0] == pytest.approx(np.abs(windows(sound())).mean(), rel=1e-5)
    assert embed(sound()[:30], config=config).shape == (2,)
    with pytest.raises(AudioTooShortError):
        embed(np.zeros(0, np.float32), config=config)


def test_other_code_is_another_python_plugin(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    hashes = []
    for name, code in (("one", "def embed(X): return X"), ("two", "def embed(X): return -X")):
        (tmp_path / f"plugin_{name}.py").write_text(code)
        settings = PYTHON | {"entry_point": f"plugin_{name}:embed"}
        hashes.append(read_embedding(written(tmp_path, **settings)).sha256)
    assert len(set(hashes)) == 2
    assert all(hashes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tflite", "saved_model"])
def test_a_generated_model_is_run_as_it_is(kind, tmp_path):
    import tensorflow as tf

    matrix = np.random.default_rng(1).normal(size=(100, 4)).astype(np.float32)

    folder = tmp_path / "model"
    if kind == "saved_model":
        model = tf.Module()
        model.f = tf.function(
            lambda waveform: {"embeddings": waveform @ matrix, "scores": waveform[:, 0]},
            input_signature=[tf.TensorSpec((None, 100), tf.float32, name="waveform")],
        )
        tf.saved_model.save(model, str(folder), signatures=model.f.get_concrete_function())
    else:
        concrete = tf.function(
            lambda waveform: waveform @ matrix,
            input_signature=[tf.TensorSpec((1, 100), tf.float32)],
        ).get_concrete_function()
        folder = tmp_path / "model.tflite"
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        folder.write_bytes(converter.convert())
    output = "embeddings" if kind == "saved_model" else ""
    path = written(tmp_path, **PLUGIN, kind=kind, path=folder.name, output=output)
    config = read_embedding(path)
    expected = (windows(sound()) @ matrix).mean(axis=0)
    np.testing.assert_allclose(embed(sound(), config=config), expected, atol=1e-4)
    assert len(config.sha256) >= 12


def test_what_is_wrong_with_a_plugin_is_said(tmp_path):
    for values, message in (
        ({**PLUGIN, "kind": "onnx"}, "kind is 'onnx'"),
        ({**PLUGIN, "kind": "tflite"}, "needs path"),
        ({**PYTHON, "name": "../x"}, "letters, digits"),
        ({**PYTHON, "hop_seconds": 0}, "hop_seconds is 0"),
        ({**PYTHON, "rate": 1}, "rate"),
    ):
        with pytest.raises(ParameterError, match=message):
            read_embedding(written(tmp_path, **values))
    with pytest.raises(ParameterError, match="not a plug-in"):
        read_embedding(tmp_path / "missing.json")
    with pytest.raises(BundleError, match="is missing"):
        read_embedding(written(tmp_path, **PLUGIN, kind="tflite", path="none.tflite"))
    with pytest.raises(BundleError, match="cannot be loaded"):
        embed(sound(), config=EmbeddingConfig(**PYTHON | {"entry_point": "nowhere:f"}))
    with pytest.raises(BundleError, match="expected finite ones"):
        embed(sound(), config=EmbeddingConfig(**PYTHON))

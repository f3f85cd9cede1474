from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from songnet.models.layers import AttentionPooling

N_STEPS, CHANNELS, N_CLASSES = 7, 5, 3


@pytest.fixture
def sequence() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, N_STEPS, CHANNELS)).astype(np.float32)


@pytest.fixture
def pooling() -> AttentionPooling:
    keras.utils.set_random_seed(0)
    return AttentionPooling(N_CLASSES, 4)


def test_shapes_agree_with_compute_output_shape(pooling, sequence):
    outputs = pooling(sequence)
    expected = pooling.compute_output_shape(sequence.shape)
    assert {name: tuple(value.shape) for name, value in outputs.items()} == expected


def test_logits_are_the_sum_of_attention_times_evidence(pooling, sequence):
    outputs = {name: np.asarray(value) for name, value in pooling(sequence).items()}
    summed = np.einsum("bt,btc->bc", outputs["attention"], outputs["evidence"])
    np.testing.assert_allclose(outputs["logits"], summed, atol=1e-6)


def test_logits_are_the_head_of_the_pooled_sequence(pooling, sequence):
    outputs = pooling(sequence)
    np.testing.assert_allclose(
        np.asarray(pooling.head(outputs["pooled"])), np.asarray(outputs["logits"]), atol=1e-6
    )


def test_a_network_saved_before_pooled_existed_loads(pooling, sequence, tmp_path: Path):
    """It names its three outputs by their place among all outputs of the layer."""
    inputs = keras.Input((None, CHANNELS))
    outputs = pooling(inputs)
    older = keras.Model(inputs, {name: outputs[name] for name in ("logits", "evidence")})
    older.save(tmp_path / "older.keras")
    assert max(outputs) == "pooled"
    loaded = keras.saving.load_model(tmp_path / "older.keras")
    expected = pooling(sequence)
    for name, value in loaded(sequence).items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(expected[name]))


def test_attention_rows_sum_to_one_and_differ_between_steps(pooling, sequence):
    attention = np.asarray(pooling(sequence)["attention"])
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-6)
    assert np.ptp(attention, axis=1).min() > 1e-3


def test_a_step_only_votes_for_itself(pooling, sequence):
    changed = sequence.copy()
    changed[:, 3] += 1
    before = np.asarray(pooling(sequence)["evidence"])
    after = np.asarray(pooling(changed)["evidence"])
    same = np.isclose(before, after).all(axis=(0, 2))
    assert same.tolist() == [True, True, True, False, True, True, True]


def test_config_rebuilds_the_layer(pooling, sequence):
    pooling(sequence)
    again = AttentionPooling.from_config(pooling.get_config())
    assert (again.n_classes, again.units) == (N_CLASSES, 4)
    assert [tuple(w.shape) for w in pooling.weights] == [
        (CHANNELS, 4), (4,), (4, 1), (CHANNELS, N_CLASSES), (N_CLASSES,),
    ]  # fmt: skip


def test_a_saved_layer_gives_the_same(pooling, sequence, tmp_path: Path):
    inputs = keras.Input((None, CHANNELS))
    model = keras.Model(inputs, pooling(inputs))
    model.save(tmp_path / "layer.keras")
    loaded = keras.saving.load_model(tmp_path / "layer.keras")
    for name, value in model(sequence).items():
        np.testing.assert_array_equal(np.asarray(loaded(sequence)[name]), np.asarray(value))

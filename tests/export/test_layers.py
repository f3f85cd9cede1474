from __future__ import annotations

import keras
import numpy as np
import pytest

from songnet.config import ModelConfig
from songnet.export.layers import count_macs, layer_rows
from songnet.models.fronts import Mfcc
from songnet.models.layers import AttentionPooling, GenreHead, MeanPooling
from songnet.models.registry import ARCHITECTURES, network_builder

pytestmark = pytest.mark.timeout(1800)  # TensorFlow: slow on a busy machine
layers = keras.layers


def test_multiplications_by_hand():
    inputs = keras.Input((None, 16))
    x = Mfcc(8)(inputs)
    x = layers.Reshape((-1, 8, 1))(x)
    x = layers.Conv2D(4, 3, padding="same")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Reshape((-1, 16))(x)
    x = layers.Bidirectional(layers.GRU(5, return_sequences=True))(x)
    network = keras.Model(inputs, AttentionPooling(3, 7)(x))
    convolution = 20 * 8 * 9 * 4
    recurrent = 10 * 2 * 3 * 5 * (16 + 5)
    pooling = 10 * (10 * 7 + 7 + 10 * 3)
    assert count_macs(network, (20, 16)) == 20 * 16 * 8 + convolution + recurrent + pooling


def test_a_dense_layer_counts_once_for_a_vector():
    inputs = keras.Input((None, 16))
    x = layers.GlobalAveragePooling1D()(inputs)
    x = layers.Dense(6)(x)
    network = keras.Model(inputs, GenreHead(3)(x))
    assert count_macs(network, (20, 16)) == 16 * 6 + 6 * 3


def test_a_dense_layer_counts_once_for_each_step():
    inputs = keras.Input((None, 16))
    network = keras.Model(inputs, MeanPooling(3)(layers.Dense(6)(inputs)))
    assert count_macs(network, (20, 16)) == 20 * (16 * 6 + 6 * 3)


def test_attention_counts_every_step_with_every_other():
    inputs = keras.Input((None, 16))
    heard = layers.MultiHeadAttention(2, 8)(inputs, inputs)
    network = keras.Model(inputs, MeanPooling(3)(heard))
    attention = 20 * 4 * 16 * 16 + 2 * 20 * 20 * 16
    assert count_macs(network, (20, 16)) == attention + 20 * 16 * 3


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_can_be_described(name: str):
    config = ModelConfig(architecture=name)
    band = np.ones(64, np.float32)
    network = network_builder(config)(config, n_mels=64, n_classes=3, mean=band, std=band)
    rows = layer_rows(network, (network.input_shape[1] or 256, 64))
    assert sum(row["parameters"] for row in rows) == network.count_params()
    assert sum(row["macs"] for row in rows) > network.count_params() / 2


def test_rows_name_the_layers_with_their_shapes():
    inputs = keras.Input((None, 16))
    x = layers.Conv1D(4, 3, padding="same", name="conv")(inputs)
    network = keras.Model(inputs, AttentionPooling(3, 7, name="pooling")(x))
    conv, pooling = layer_rows(network, (20, 16))
    assert conv["name"] == "conv"
    assert conv["output_shape"] == [20, 4]
    assert conv["parameters"] == 3 * 16 * 4 + 4
    assert (pooling["kind"], pooling["output_shape"]) == ("AttentionPooling", [3])

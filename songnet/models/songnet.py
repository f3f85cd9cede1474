"""SongNet: three Conv1D blocks, a GRU and self-attention over log-mel."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from songnet.config import ModelConfig
from songnet.models.layers import AttentionPooling

__all__ = ["build_songnet"]


def build_songnet(
    config: ModelConfig,
    *,
    n_mels: int,
    n_classes: int,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    config : ModelConfig
    n_mels, n_classes : int
    mean, std : np.ndarray [shape=(n_mels,), dtype=float32]
        Of each mel band over the training tracks, in dB; stored in the model.

    Returns
    -------
    model : keras.Model
        ``(batch, n_frames, n_mels)`` to the dictionary of `AttentionPooling`;
        any number of frames.
    """
    inputs = keras.Input((None, n_mels), name="log_mel")
    x: Any = layers.Normalization(mean=mean, variance=np.square(std), name="normalization")(inputs)
    blocks = zip(config.conv_filters, config.kernel_sizes, config.pool_sizes, strict=True)
    for index, (filters, kernel_size, pool_size) in enumerate(blocks, start=1):
        x = layers.Conv1D(
            filters, kernel_size, padding="same", use_bias=False, name=f"conv{index}"
        )(x)
        x = layers.BatchNormalization(name=f"norm{index}")(x)
        x = layers.ReLU(name=f"relu{index}")(x)
        x = layers.SpatialDropout1D(config.conv_dropout, name=f"dropout{index}")(x)
        x = layers.MaxPooling1D(pool_size, name=f"pool{index}")(x)
    x = layers.Bidirectional(layers.GRU(config.gru_units, return_sequences=True), name="gru")(x)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    outputs = AttentionPooling(n_classes, config.attention_units, name="attention_pooling")(x)
    return keras.Model(inputs, outputs, name="songnet")

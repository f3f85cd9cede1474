"""SongNet: three Conv1D blocks, a GRU and self-attention over log-mel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from songnet.config import ModelConfig
from songnet.models.layers import AttentionPooling, MeanPooling

__all__ = ["build_songnet", "build_songnet_lstm", "build_songnet_no_attention"]

# Kernel, strides and pooling (frames, mel bands) of each convolution of the front end. Only the
# first has strides: it keeps the wide layers small, a third of the time of a step on a CPU.
_FRONT_END_SHAPES = (
    (5, (2, 2), (1, 1)),
    (3, (1, 1), (2, 2)),
    (3, (1, 1), (1, 2)),
    (3, (1, 1), (1, 2)),
)


def build_songnet(
    config: ModelConfig,
    *,
    n_mels: int,
    n_classes: int,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
    recurrent: Callable[..., Any] = layers.GRU,
    has_attention: bool = True,
) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    config : ModelConfig
    n_mels, n_classes : int
    mean, std : np.ndarray [shape=(n_mels,), dtype=float32]
        Of each mel band over the training tracks, in dB; stored in the model.
    recurrent : callable
        Recurrent layer, called with the units.
    has_attention : bool
        Pool by attention; else by the mean over time.

    Returns
    -------
    model : keras.Model
        ``(batch, n_frames, n_mels)`` to the dictionary of `AttentionPooling`;
        any number of frames.
    """
    inputs = keras.Input((None, n_mels), name="log_mel")
    x: Any = layers.Normalization(mean=mean, variance=np.square(std), name="normalization")(inputs)
    if config.front_end_filters:
        x = _front_end(x, config.front_end_filters, n_mels=n_mels)
    blocks = zip(config.conv_filters, config.kernel_sizes, config.pool_sizes, strict=True)
    for index, (filters, kernel_size, pool_size) in enumerate(blocks, start=1):
        x = layers.Conv1D(
            filters, kernel_size, padding="same", use_bias=False, name=f"conv{index}"
        )(x)
        x = layers.BatchNormalization(name=f"norm{index}")(x)
        x = layers.ReLU(name=f"relu{index}")(x)
        x = layers.SpatialDropout1D(config.conv_dropout, name=f"dropout{index}")(x)
        x = layers.MaxPooling1D(pool_size, name=f"pool{index}")(x)
    if config.gru_units:
        x = layers.Bidirectional(recurrent(config.gru_units, return_sequences=True), name="gru")(x)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    outputs = (
        AttentionPooling(n_classes, config.attention_units, name="attention_pooling")(x)
        if has_attention
        else MeanPooling(n_classes, name="mean_pooling")(x)
    )
    return keras.Model(inputs, outputs, name="songnet")


def build_songnet_lstm(config: ModelConfig, **arguments: Any) -> keras.Model:
    """Build the network with an LSTM in place of the GRU; arguments of `build_songnet`."""
    return build_songnet(config, **arguments, recurrent=layers.LSTM)


def build_songnet_no_attention(config: ModelConfig, **arguments: Any) -> keras.Model:
    """Build the network with a mean over time in place of attention; see `build_songnet`."""
    return build_songnet(config, **arguments, has_attention=False)


def _front_end(x: Any, filters: tuple[int, ...], *, n_mels: int) -> Any:
    """Small filters over time and mel: (batch, n_frames, n_mels) to (batch, n_steps, channels)."""
    x = layers.Reshape((-1, n_mels, 1), name="as_image")(x)
    for index, count in enumerate(filters, start=1):
        kernel_size, strides, pool_size = _FRONT_END_SHAPES[index - 1]
        x = layers.Conv2D(
            count,
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=False,
            name=f"front{index}",
        )(x)
        x = layers.BatchNormalization(name=f"front_norm{index}")(x)
        x = layers.ReLU(name=f"front_relu{index}")(x)
        if pool_size != (1, 1):
            x = layers.MaxPooling2D(pool_size, name=f"front_pool{index}")(x)
    return layers.Reshape((-1, x.shape[2] * x.shape[3]), name="as_sequence")(x)

"""mel_cnn: a plain CNN over mel spectrograms.

"Real-Time Music Genre Classification" (seed 000) says no more than that: a
mel spectrogram, a convolutional network, cross-entropy and Adam. This is the
smallest usual reading of it, four convolutions with pooling and a mean.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from songnet.config import ModelConfig
from songnet.models.layers import GenreHead

__all__ = ["build_mel_cnn"]

_FILTERS = (16, 32, 64, 128)
_DROPOUT = 0.3


def build_mel_cnn(
    _config: ModelConfig,
    *,
    n_mels: int,
    n_classes: int,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> keras.Model:
    """Build the network; arguments and result as those of `build_songnet`.

    The numbers are not those of the configuration. The patches have at least
    16 frames and mel bands.
    """
    inputs = keras.Input((None, n_mels), name="log_mel")
    x: Any = layers.Normalization(mean=mean, variance=np.square(std), name="normalization")(inputs)
    x = layers.Reshape((-1, n_mels, 1), name="as_image")(x)
    for index, filters in enumerate(_FILTERS, start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{index}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{index}")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dropout(_DROPOUT, name="dropout")(x)
    return keras.Model(inputs, GenreHead(n_classes, name="genre_head")(x), name="mel_cnn")

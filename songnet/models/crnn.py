"""crnn: four 2-D convolutions, then two GRU layers whose last state decides.

References
----------
.. [1] Choi, K., Fazekas, G., Sandler, M. & Cho, K. "Convolutional recurrent
   neural networks for music classification", ICASSP 2017.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from songnet.config import ModelConfig
from songnet.models.layers import GenreHead

__all__ = ["build_crnn"]

_FILTERS = (16, 32, 64, 64)
_POOL_SIZES = ((2, 2), (2, 2), (2, 4), (2, 4))  # frames, mel bands
_GRU_UNITS = 64
_CONV_DROPOUT = 0.1
_DROPOUT = 0.3


def build_crnn(
    _config: ModelConfig,
    *,
    n_mels: int,
    n_classes: int,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> keras.Model:
    """Build the network; arguments and result as those of `build_songnet`.

    The numbers are not those of the configuration: filters and pooling are
    made smaller than the paper's, for the patches here. They have at least 16
    frames and 64 mel bands.
    """
    inputs = keras.Input((None, n_mels), name="log_mel")
    x: Any = layers.Normalization(mean=mean, variance=np.square(std), name="normalization")(inputs)
    x = layers.Reshape((-1, n_mels, 1), name="as_image")(x)
    for index, (filters, pool_size) in enumerate(zip(_FILTERS, _POOL_SIZES, strict=True), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{index}")(x)
        x = layers.BatchNormalization(name=f"norm{index}")(x)
        x = layers.ReLU(name=f"relu{index}")(x)
        x = layers.MaxPooling2D(pool_size, name=f"pool{index}")(x)
        x = layers.Dropout(_CONV_DROPOUT, name=f"conv_dropout{index}")(x)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="as_sequence")(x)
    x = layers.GRU(_GRU_UNITS, return_sequences=True, name="gru1")(x)
    x = layers.GRU(_GRU_UNITS, name="gru2")(x)
    x = layers.Dropout(_DROPOUT, name="dropout")(x)
    return keras.Model(inputs, GenreHead(n_classes, name="genre_head")(x), name="crnn")

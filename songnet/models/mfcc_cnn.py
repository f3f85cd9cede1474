"""mfcc_cnn: three convolution blocks over 13 MFCC of three-second segments.

The architecture of the "Music Genre Classification Web Application" (seed
002): blocks of 32, 64 and 128 filters with batch normalisation, pooling and
dropout, then 512 and 256 units with batch normalisation and dropout.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from songnet.config import ModelConfig
from songnet.models.fronts import Mfcc, mfcc_statistics
from songnet.models.layers import GenreHead

__all__ = ["N_MFCC", "SEGMENT_FRAMES", "build_mfcc_cnn"]

N_MFCC = 13
SEGMENT_FRAMES = 128  # 3.0 s of hops of 512 at 22,050 Hz; flattening fixes the number
_FILTERS = (32, 64, 128)
_CONV_DROPOUT = 0.25
_DENSE_UNITS = (512, 256)
_DENSE_DROPOUT = 0.3


def build_mfcc_cnn(
    _config: ModelConfig,
    *,
    n_mels: int,
    n_classes: int,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> keras.Model:
    """Build the network; arguments and result as those of `build_songnet`.

    The numbers are the seed's, not those of the configuration; it reads
    patches of exactly `SEGMENT_FRAMES` frames. The coefficients are
    standardised, which the seed does not mention.
    """
    inputs = keras.Input((SEGMENT_FRAMES, n_mels), name="log_mel")
    middle, scale = mfcc_statistics(mean, std, n_mfcc=N_MFCC)
    x: Any = Mfcc(N_MFCC, name="mfcc")(inputs)
    x = layers.Normalization(mean=middle, variance=np.square(scale), name="normalization")(x)
    x = layers.Reshape((SEGMENT_FRAMES, N_MFCC, 1), name="as_image")(x)
    for index, filters in enumerate(_FILTERS, start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{index}")(x)
        x = layers.BatchNormalization(name=f"norm{index}")(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"pool{index}")(x)
        x = layers.Dropout(_CONV_DROPOUT, name=f"conv_dropout{index}")(x)
    x = layers.Flatten(name="flatten")(x)
    for index, units in enumerate(_DENSE_UNITS, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense{index}")(x)
        x = layers.BatchNormalization(name=f"dense_norm{index}")(x)
        x = layers.Dropout(_DENSE_DROPOUT, name=f"dense_dropout{index}")(x)
    return keras.Model(inputs, GenreHead(n_classes, name="genre_head")(x), name="mfcc_cnn")

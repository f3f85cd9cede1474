"""mfcc_cnn_segments: three convolutions over (frames, 13) MFCC, segments averaged.

The architecture of "Music Genre Classifier" (seed 003): a track is ten
segments of three seconds, 13 MFCC each; three convolutions, flattened, two
dense layers; the outputs of the segments are averaged. The seed names no
number of filters or units: 16, 32 and 64 filters and 128 units are ours.
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
from songnet.models.mfcc_cnn import N_MFCC, SEGMENT_FRAMES

__all__ = ["build_mfcc_cnn_segments"]

_FILTERS = (16, 32, 64)
_DENSE_UNITS = 128
_DROPOUT = 0.3


def build_mfcc_cnn_segments(
    _config: ModelConfig,
    *,
    n_mels: int,
    n_classes: int,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> keras.Model:
    """Build the network; see `songnet.models.mfcc_cnn.build_mfcc_cnn`."""
    inputs = keras.Input((SEGMENT_FRAMES, n_mels), name="log_mel")
    middle, scale = mfcc_statistics(mean, std, n_mfcc=N_MFCC)
    x: Any = Mfcc(N_MFCC, name="mfcc")(inputs)
    x = layers.Normalization(mean=middle, variance=np.square(scale), name="normalization")(x)
    x = layers.Reshape((SEGMENT_FRAMES, N_MFCC, 1), name="as_image")(x)
    for index, filters in enumerate(_FILTERS, start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{index}")(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"pool{index}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(_DENSE_UNITS, activation="relu", name="dense")(x)
    x = layers.Dropout(_DROPOUT, name="dropout")(x)
    # The second of the seed's dense layers is the head.
    return keras.Model(inputs, GenreHead(n_classes, name="genre_head")(x), name="mfcc_cnn_segments")

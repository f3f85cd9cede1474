"""spectrogram_transformer: self-attention between square patches of a log-mel spectrogram.

A small Audio Spectrogram Transformer [1]_, trained from scratch. The patches
do not overlap, the position in time is a sinusoid [2]_, so that any number of
frames can be read, and the mean over the mel bands leaves one step for each
column of patches.

References
----------
.. [1] Gong, Y., Chung, Y.-A. & Glass, J. "AST: Audio Spectrogram Transformer",
   Interspeech 2021.
.. [2] Vaswani, A. et al. "Attention is all you need", NeurIPS 2017.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from songnet.config import ModelConfig
from songnet.models.layers import MeanPooling

__all__ = ["PatchPositions", "build_spectrogram_transformer"]

_PATCH_SIZE = 16  # frames and mel bands
_WIDTH = 128
_N_HEADS = 4
_N_BLOCKS = 4
_HIDDEN_UNITS = 256
_DROPOUT = 0.1
_LONGEST_STEPS = 10_000.0


@keras.saving.register_keras_serializable(package="songnet")
class PatchPositions(layers.Layer):
    """Add to each patch where it stands: a sinusoid for its time, a learned vector for its bands.

    Input and output shape ``(batch, n_steps, n_rows, channels)``, an even
    number of channels.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the vectors of the rows."""
        _, _, n_rows, channels = input_shape
        self.rows = self.add_weight(
            shape=(n_rows, channels), initializer=keras.initializers.RandomNormal(stddev=0.02)
        )
        exponents = np.arange(0, channels or 0, 2, dtype=np.float32) / (channels or 1)
        self._radians = (1 / _LONGEST_STEPS**exponents).astype(np.float32)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Add the positions to patches of shape (batch, n_steps, n_rows, channels)."""
        steps = ops.cast(ops.arange(ops.shape(inputs)[1]), "float32")
        angles = steps[:, None] * self._radians  # (n_steps, channels / 2)
        times = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
        return inputs + times[:, None, :] + self.rows


def build_spectrogram_transformer(
    _config: ModelConfig,
    *,
    n_mels: int,
    n_classes: int,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> keras.Model:
    """Build the network; arguments and result as those of `build_songnet`.

    The numbers are not those of the configuration: width and depth are made
    smaller than the paper's, for the data here. Patches have at least 16 frames
    and 16 mel bands.
    """
    inputs = keras.Input((None, n_mels), name="log_mel")
    x: Any = layers.Normalization(mean=mean, variance=np.square(std), name="normalization")(inputs)
    x = layers.Reshape((-1, n_mels, 1), name="as_image")(x)
    x = layers.Conv2D(_WIDTH, _PATCH_SIZE, strides=_PATCH_SIZE, name="patches")(x)
    n_rows = x.shape[2]
    x = PatchPositions(name="positions")(x)
    x = layers.Reshape((-1, _WIDTH), name="as_sequence")(x)
    x = layers.Dropout(_DROPOUT, name="dropout")(x)
    for index in range(1, _N_BLOCKS + 1):
        x = _block(x, index)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.AveragePooling1D(n_rows, name="mean_of_bands")(x)  # a step's rows are neighbours
    return keras.Model(
        inputs, MeanPooling(n_classes, name="mean_pooling")(x), name="spectrogram_transformer"
    )


def _block(x: Any, index: int) -> Any:
    """Self-attention, then two dense layers, each beside a way around it."""
    normed = layers.LayerNormalization(name=f"attention_norm{index}")(x)
    heard = layers.MultiHeadAttention(
        _N_HEADS, _WIDTH // _N_HEADS, dropout=_DROPOUT, name=f"attention{index}"
    )(normed, normed)
    x = layers.Add(name=f"attention_sum{index}")([x, heard])
    hidden = layers.LayerNormalization(name=f"dense_norm{index}")(x)
    hidden = layers.Dense(_HIDDEN_UNITS, activation="gelu", name=f"hidden{index}")(hidden)
    hidden = layers.Dense(_WIDTH, name=f"dense{index}")(hidden)
    hidden = layers.Dropout(_DROPOUT, name=f"dropout{index}")(hidden)
    return layers.Add(name=f"dense_sum{index}")([x, hidden])

"""Layers in front of the networks of others: what they made of a log-mel spectrogram.

With them inside the network, every architecture reads the same stored log-mel
and the same code predicts with it.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import scipy.fft
from keras import ops

__all__ = ["Mfcc", "PatchStandardization", "mfcc_statistics"]


def _dct_matrix(n_mels: int, n_mfcc: int) -> npt.NDArray[np.float32]:
    """Return the first columns of the orthonormal DCT-II, shape (n_mels, n_mfcc)."""
    matrix: npt.NDArray[np.float32] = scipy.fft.dct(
        np.eye(n_mels, dtype=np.float32), type=2, norm="ortho", axis=1
    )[:, :n_mfcc]
    return matrix


def mfcc_statistics(
    mean: npt.NDArray[np.float32], std: npt.NDArray[np.float32], *, n_mfcc: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean of each coefficient over the training tracks, and a scale for it.

    The mean is exact; the scale is the deviation that the coefficient would
    have if the mel bands did not depend on each other.

    Parameters
    ----------
    mean, std : np.ndarray [shape=(n_mels,), dtype=float32]
        Of each mel band, in dB.
    n_mfcc : int

    Returns
    -------
    mean, scale : np.ndarray [shape=(n_mfcc,), dtype=float32]
    """
    matrix = _dct_matrix(mean.size, n_mfcc)
    return mean @ matrix, np.sqrt(np.square(std) @ np.square(matrix))


@keras.saving.register_keras_serializable(package="songnet")
class Mfcc(keras.layers.Layer):
    """Mel-frequency cepstral coefficients: the orthonormal DCT-II of a log-mel spectrogram.

    Input shape ``(batch, n_frames, n_mels)`` in dB, output
    ``(batch, n_frames, n_mfcc)``; as `librosa.feature.mfcc` of the same
    log-mel.

    Parameters
    ----------
    n_mfcc : int
    **kwargs
        Passed to `keras.layers.Layer`.
    """

    def __init__(self, n_mfcc: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_mfcc = n_mfcc

    def call(self, inputs: Any) -> Any:
        """Transform (batch, n_frames, n_mels)."""
        return ops.matmul(inputs, ops.convert_to_tensor(_dct_matrix(inputs.shape[-1], self.n_mfcc)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output."""
        return (*input_shape[:-1], self.n_mfcc)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "n_mfcc": self.n_mfcc}


@keras.saving.register_keras_serializable(package="songnet")
class PatchStandardization(keras.layers.Layer):
    """Give each patch mean 0 and deviation 1 over all its values.

    Input and output shape ``(batch, n_frames, n_mels)``. Level, and whatever
    else a whole patch shares, is lost.
    """

    def call(self, inputs: Any) -> Any:
        """Standardise (batch, n_frames, n_mels)."""
        mean = ops.mean(inputs, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(inputs - mean), axis=(1, 2), keepdims=True)
        return (inputs - mean) / ops.sqrt(variance + 1e-3)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output, that of the input."""
        return input_shape

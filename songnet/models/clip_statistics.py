"""Statistics over time of a log-mel patch, as a layer that is not trained."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from songnet.exceptions import ParameterError

__all__ = ["ClipStatistics"]

_N_CEPSTRA = 20
_N_LAGGED = 10
_LAGS = (1, 2, 4, 8, 16)
_N_CONTRASTS = 8
_N_MODULATED = 32
# Rates of change in Hz: from a bar to the fastest that frames of 48 ms can follow.
_RATES = (0.3, 0.6, 1.2, 2.0, 3.0, 4.5, 7.0, 10.4)
_RATE_STEP = 0.08
_FEWEST_MELS = 16
_ABOVE_FLOOR_DB = 0.5
_FAR = 1e3


@keras.saving.register_keras_serializable(package="songnet")
class ClipStatistics(keras.layers.Layer):
    """How the timbre of a patch is, varies, and moves together, and at which rates.

    Groups of statistics, in this order: of the cepstra, their slopes, the
    contrasts within eight bands, flux, centroid and bandwidth the mean, the
    deviation, both extremes, skewness and kurtosis; the correlations of the
    cepstra with each other, of their changes, and at five lags; the power of
    the changes of the cepstra and of the mel bands at seven rates.

    Frames that lie at the floor in all bands count for nothing, so that the
    completion of a short patch does not change what is said of the music.

    Input shape ``(batch, n_frames, n_mels)`` in dB, at least 3 frames. Output
    shape ``(batch, n_statistics)``.

    Parameters
    ----------
    floor_db : float
        The floor of the log-mel.
    frame_seconds : float
        Time between two frames.
    **kwargs
        Passed to `keras.layers.Layer`.

    References
    ----------
    .. [1] Mandel, M. & Ellis, D. "Song-level features and support vector
       machines for music classification", ISMIR 2005.
    .. [2] Tzanetakis, G. & Cook, P. "Musical genre classification of audio
       signals", IEEE TSAP 10(5), 2002.
    .. [3] Lee, C.-H. et al. "Automatic music genre classification based on
       modulation spectral analysis of spectral and cepstral features", IEEE
       TMM 11(4), 2009.
    """

    def __init__(self, *, floor_db: float, frame_seconds: float, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.floor_db = floor_db
        self.frame_seconds = frame_seconds

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the constants."""
        n_mels = input_shape[-1] or 0
        if n_mels < _FEWEST_MELS:
            raise ParameterError(
                f"There are {n_mels} mel bands; the statistics need at least {_FEWEST_MELS}."
            )
        self._dct = _dct_basis(n_mels)
        self._bands = _pooling(n_mels, _N_MODULATED)
        pairs = np.triu_indices(_N_CEPSTRA, 1)
        self._pairs = (pairs[0] * _N_CEPSTRA + pairs[1]).astype(np.int32)
        rates = np.arange(_RATES[0], _RATES[-1], _RATE_STEP)
        edges = np.searchsorted(rates, _RATES)
        self._radians = (2 * np.pi * rates * self.frame_seconds).astype(np.float32)
        self._rate_bands = np.zeros((len(rates), len(_RATES) - 1), np.float32)
        for band, (low, high) in enumerate(pairwise(edges)):
            self._rate_bands[low:high, band] = 1 / (high - low)
        self.built = True

    @staticmethod
    def group_sizes() -> tuple[int, ...]:
        """Number of statistics in each group."""
        n_frame = 2 * _N_CEPSTRA + _N_CONTRASTS + 3
        n_pairs = _N_CEPSTRA * (_N_CEPSTRA - 1) // 2
        n_rates = len(_RATES) - 1
        return (
            n_frame,
            n_frame,
            2 * n_frame,
            2 * n_frame,
            n_pairs,
            n_pairs,
            len(_LAGS) * _N_LAGGED**2,
            n_rates * _N_MODULATED,
            n_rates * _N_MODULATED,
        )

    def count_macs(self, n_frames: int, n_mels: int) -> int:
        """Multiplications in the products of matrices for one patch."""
        maps = n_mels * (self._dct.shape[1] + self._bands.shape[1])
        products = 2 * _N_CEPSTRA**2 + len(_LAGS) * _N_LAGGED**2
        rates = 2 * len(self._radians) * 2 * _N_MODULATED
        return int(n_frames * (maps + products + rates))

    def call(self, inputs: Any) -> Any:
        """Compute the statistics of a batch of patches."""
        sounds = ops.cast(ops.max(inputs, axis=-1) > self.floor_db + _ABOVE_FLOOR_DB, "float32")
        cepstra = ops.matmul(inputs, self._dct)
        moments = self._moments(inputs, cepstra[..., :_N_CEPSTRA], sounds)
        centred = _centred(cepstra, sounds)
        steps = sounds[:, 1:] * sounds[:, :-1]
        changes = _centred(cepstra[:, 1:] - cepstra[:, :-1], steps)
        u = _scaled(centred[..., :_N_CEPSTRA], sounds)
        du = _scaled(changes[..., :_N_CEPSTRA], steps)
        lagged = u[..., :_N_LAGGED]
        correlations = [
            self._upper(_products(u, u, sounds)),
            self._upper(_products(du, du, steps)),
            *(
                ops.reshape(
                    _products(lagged[:, lag:], lagged[:, :-lag], sounds), (-1, _N_LAGGED**2)
                )
                for lag in _LAGS
            ),
        ]
        bands = _centred(ops.matmul(inputs, self._bands), sounds)
        return ops.concatenate(
            [
                *moments,
                *correlations,
                self._modulations(centred, sounds),
                self._modulations(bands, sounds),
            ],
            axis=-1,
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Return the shape of the output."""
        return input_shape[0], sum(self.group_sizes())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        config = {**super().get_config(), "floor_db": self.floor_db}
        del config["trainable"]
        return config | {"frame_seconds": self.frame_seconds}

    def _moments(self, S_db: Any, cepstra: Any, sounds: Any) -> list[Any]:
        """Mean, deviation, extremes, skewness and kurtosis of what each frame is like."""
        inside = sounds[:, 1:-1] * sounds[:, 2:] * sounds[:, :-2]
        slope = (cepstra[:, 2:] - cepstra[:, :-2]) / 2
        flux = ops.mean(ops.abs(S_db[:, 2:] - S_db[:, :-2]), axis=-1, keepdims=True) / 2
        S_db = S_db[:, 1:-1]
        n_mels = S_db.shape[-1]
        edges = [round(n_mels * part / _N_CONTRASTS) for part in range(1, _N_CONTRASTS)]
        parts = ops.split(S_db, edges, axis=-1)
        contrast = [
            ops.max(part, axis=-1, keepdims=True) - ops.min(part, axis=-1, keepdims=True)
            for part in parts
        ]
        share = ops.softmax(S_db * float(np.log(10) / 10), axis=-1)
        place = np.linspace(0, 64, n_mels, dtype=np.float32)
        centroid = ops.sum(share * place, axis=-1, keepdims=True)
        variance = ops.sum(share * ops.square(place - centroid), axis=-1, keepdims=True)
        bandwidth = ops.sqrt(variance + 1e-4)
        z = ops.concatenate(
            [cepstra[:, 1:-1], slope, *contrast, flux, centroid, bandwidth], axis=-1
        )
        weight = inside[..., None]
        total = ops.maximum(ops.sum(weight, axis=1), 1.0)
        mean = ops.sum(z * weight, axis=1) / total
        away = (z - mean[:, None]) * weight
        deviation = ops.sqrt(ops.sum(ops.square(away), axis=1) / total + 1e-3)
        u = away / deviation[:, None]
        square = ops.square(u)
        return [
            mean,
            deviation,
            ops.min(z * weight + _FAR * (1 - weight), axis=1),
            ops.max(z * weight - _FAR * (1 - weight), axis=1),
            ops.sum(square * u, axis=1) / total,
            ops.log(ops.sum(square * square, axis=1) / total + 0.1),
        ]

    def _upper(self, matrices: Any) -> Any:
        """Return the entries above the diagonal."""
        return ops.take(ops.reshape(matrices, (-1, _N_CEPSTRA**2)), self._pairs, axis=1)

    def _modulations(self, centred: Any, sounds: Any) -> Any:
        """Power at each band of rates, in natural logarithms, of each column."""
        n_frames = ops.shape(centred)[1]
        t = ops.cast(ops.arange(n_frames), "float32")
        window = 0.5 - 0.5 * ops.cos((t + 0.5) * (2 * np.pi) / ops.cast(n_frames, "float32"))
        angle = t[None, :] * self._radians[:, None]  # (n_rates, n_frames)
        heard = ops.maximum(ops.sum(sounds * ops.square(window), axis=1), 1.0)[:, None, None]
        columns = ops.transpose(
            centred * window[:, None], (0, 2, 1)
        )  # (batch, n_columns, n_frames)
        real = ops.matmul(columns, ops.transpose(ops.cos(angle)))
        imaginary = ops.matmul(columns, ops.transpose(ops.sin(angle)))
        power = (ops.square(real) + ops.square(imaginary)) / heard
        level = ops.log(ops.matmul(power, self._rate_bands) + 1e-2)
        return ops.reshape(level, (-1, level.shape[-2] * level.shape[-1]))


def _dct_basis(n_mels: int) -> npt.NDArray[np.float32]:
    """Orthonormal DCT-II, the first cepstra: (n_mels, n_modulated)."""
    places, orders = np.arange(n_mels) + 0.5, np.arange(_N_MODULATED)
    basis = np.cos(np.pi / n_mels * places[:, None] * orders) * np.sqrt(2 / n_mels)
    basis[:, 0] /= np.sqrt(2)
    return np.asarray(basis, np.float32)


def _pooling(n_mels: int, n_bands: int) -> npt.NDArray[np.float32]:
    """Mean of neighbouring mel bands: (n_mels, n_bands)."""
    pooling = np.zeros((n_mels, n_bands), np.float32)
    for band, columns in enumerate(np.array_split(np.arange(n_mels), n_bands)):
        pooling[columns, band] = 1 / max(1, columns.size)
    return pooling


def _total(weight: Any) -> Any:
    return ops.maximum(ops.sum(weight, axis=1, keepdims=True), 1.0)


def _centred(x: Any, weight: Any) -> Any:
    """Subtract the mean over time; zero where nothing sounds."""
    mean = ops.sum(x * weight[..., None], axis=1) / _total(weight)
    return (x - mean[:, None]) * weight[..., None]


def _scaled(centred: Any, weight: Any) -> Any:
    """Divide by the deviation over time."""
    variance = ops.sum(ops.square(centred), axis=1) / _total(weight)
    return centred / ops.sqrt(variance + 0.1)[:, None]


def _products(a: Any, b: Any, weight: Any) -> Any:
    """Mean over time of the products of the columns of a and b."""
    return ops.matmul(ops.transpose(a, (0, 2, 1)), b) / _total(weight)[..., None]

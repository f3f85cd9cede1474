"""Why this genre? Gradients on the log-mel, in time and frequency.

They need the Keras network, which is loaded on demand; this module imports
TensorFlow only then. `songnet.inference.evidence` needs the prediction alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from songnet.exceptions import ParameterError
from songnet.inference.bundle import Bundle
from songnet.inference.evidence import genre_index
from songnet.signal.audio import Waveform
from songnet.signal.features import LogMel, Patches, frame_patches, log_mel

__all__ = ["Attribution", "Explainer"]

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[float], None]
_IG_STEPS = 48
_SMOOTH_SAMPLES = 32
_SMOOTH_NOISE = 0.1
_BATCH = 16


@dataclass(frozen=True)
class Attribution:
    """Importance of each cell of a log-mel spectrogram.

    Parameters
    ----------
    seconds : np.ndarray [shape=(n_frames,), dtype=float64]
        Middle of each frame.
    S_db, values : np.ndarray [shape=(n_mels, n_frames), dtype=float32]
        The log-mel, and what each cell did for the genre: exact in sum for
        integrated gradients, change of the logit for each dB for SmoothGrad,
        not below 0 for Grad-CAM.
    genre : str
    total : float
        What integrated gradients should sum to: the genre's logit, less the
        logit of silence. For the others, 0.
    """

    seconds: FloatArray
    S_db: LogMel
    values: npt.NDArray[np.float32]
    genre: str
    total: float


class Explainer:
    """Gradients of the Keras network of a bundle.

    Parameters
    ----------
    bundle : Bundle

    Raises
    ------
    BundleError
        If the bundle has no ``model.keras``.
    """

    def __init__(self, bundle: Bundle) -> None:
        from songnet.models.registry import load_network

        self.bundle = bundle
        self._network: Any = load_network(bundle.file("model.keras"))

    def integrated_gradients(
        self, y: Waveform, genre: str, *, progress: Progress | None = None, n_steps: int = _IG_STEPS
    ) -> Attribution:
        """Integrate the gradient of a genre's logit from silence to the sound.

        The values sum to the logit of the sound less that of silence, up to
        the error of the sum over ``n_steps``. The steps are denser near
        silence, where the statistics of a spectrogram change fastest.

        Parameters
        ----------
        y : np.ndarray [shape=(n,), dtype=float32]
            Mono audio at the sample rate of the bundle.
        genre : str
        progress : callable, optional
            Called with the share that is done, from 0 to 1.
        n_steps : int

        Returns
        -------
        attribution : Attribution

        Raises
        ------
        ParameterError
            If the genre is unknown.
        AudioTooShortError
            If there is less audio than one frame.

        References
        ----------
        .. [1] Sundararajan, M., Taly, A. & Yan, Q. "Axiomatic attribution for
           deep networks", ICML 2017.
        """
        index = genre_index(self.bundle.genres, genre)
        S_db, patches, weights = self._read(y)
        floor = np.float32(self.bundle.features.floor_db)
        sums = np.zeros(patches.shape, np.float64)
        for step in range(n_steps):
            root = np.float32((step + 0.5) / n_steps)
            sums += 2 * root * self._gradients(floor + root**2 * (patches - floor), index)
            if progress is not None:
                progress((step + 1) / n_steps)
        values = (patches - floor) * sums / n_steps * weights[:, None, None]
        ends = [
            self._logits(x)[:, index] @ weights for x in (patches, np.full_like(patches, floor))
        ]
        joined = self._join(values, S_db.shape[1])
        return self._attribution(S_db, joined, genre, total=float(ends[0] - ends[1]))

    def smooth_grad(
        self,
        y: Waveform,
        genre: str,
        *,
        progress: Progress | None = None,
        n_samples: int = _SMOOTH_SAMPLES,
        noise: float = _SMOOTH_NOISE,
    ) -> Attribution:
        """Average the gradient of a genre's logit over noisy copies of the log-mel.

        Where integrated gradients say what the sound did, this says what a
        change would do: by how much a dB more in a cell moves the logit.

        Parameters
        ----------
        y, genre, progress
            See `integrated_gradients`.
        n_samples : int
            Noisy copies; always the same ones.
        noise : float
            Its deviation, as a share of the range of the log-mel.

        Returns
        -------
        attribution : Attribution

        Raises
        ------
        ParameterError
            If the genre is unknown.
        AudioTooShortError
            If there is less audio than one frame.

        References
        ----------
        .. [1] Smilkov, D. et al. "SmoothGrad: removing noise by adding noise",
           ICML workshop on visualization for deep learning, 2017.
        """
        index = genre_index(self.bundle.genres, genre)
        S_db, patches, weights = self._read(y)
        deviation = np.float32(noise * np.ptp(S_db))
        rng = np.random.default_rng(0)
        sums = np.zeros(patches.shape, np.float64)
        for sample in range(n_samples):
            noisy = patches + deviation * rng.standard_normal(patches.shape, dtype=np.float32)
            sums += self._gradients(noisy, index)
            if progress is not None:
                progress((sample + 1) / n_samples)
        values = sums / n_samples * weights[:, None, None]
        return self._attribution(S_db, self._join(values, S_db.shape[1]), genre)

    def grad_cam(self, y: Waveform, genre: str, *, progress: Progress | None = None) -> Attribution:
        """Weigh the last 2-D feature maps by how they raise a genre's logit.

        Coarse, and only what speaks for the genre: the maps are as small as
        the network makes them, and negative values are cut off.

        Parameters
        ----------
        y, genre, progress
            See `integrated_gradients`.

        Returns
        -------
        attribution : Attribution

        Raises
        ------
        ParameterError
            If the genre is unknown, or the network has no 2-D convolution
            over time and frequency.
        AudioTooShortError
            If there is less audio than one frame.

        References
        ----------
        .. [1] Selvaraju, R. et al. "Grad-CAM: visual explanations from deep
           networks via gradient-based localization", ICCV 2017.
        """
        index = genre_index(self.bundle.genres, genre)
        S_db, patches, weights = self._read(y)
        network = self._network_with_maps()
        maps = []
        for start in range(0, len(patches), _BATCH):
            maps.append(_cam(network, patches[start : start + _BATCH], index))
            if progress is not None:
                progress(min(1.0, (start + _BATCH) / len(patches)))
        stretched = _stretch(np.concatenate(maps), patches.shape[1:])  # (n_patches, frames, mels)
        values = self._join(stretched * weights[:, None, None], S_db.shape[1])
        # Where patches overlap they add up; the mean of them is wanted.
        cover = self._join(np.ones(patches.shape) * weights[:, None, None], S_db.shape[1])
        return self._attribution(S_db, values / cover, genre)

    def _attribution(
        self, S_db: LogMel, values: FloatArray, genre: str, *, total: float = 0.0
    ) -> Attribution:
        return Attribution(
            seconds=self._frame_seconds(S_db),
            S_db=S_db,
            values=values.astype(np.float32),
            genre=genre,
            total=total,
        )

    def _read(self, y: Waveform) -> tuple[LogMel, Patches, FloatArray]:
        features = self.bundle.features
        S_db = log_mel(y, config=features)
        return S_db, frame_patches(S_db, config=features), features.patch_weights(S_db.shape[1])

    def _frame_seconds(self, S_db: LogMel) -> FloatArray:
        features = self.bundle.features
        starts = np.arange(S_db.shape[1], dtype=np.float64) * features.frame_seconds
        return starts + features.n_fft / features.sr / 2

    def _join(self, values: npt.NDArray[Any], n_frames: int) -> FloatArray:
        """Add up patches where they overlap: to (n_mels, n_frames)."""
        features = self.bundle.features
        n_patches, patch_frames, n_mels = values.shape
        joined = np.zeros((n_mels, (n_patches - 1) * features.patch_hop_frames + patch_frames))
        for i, patch in enumerate(values):
            start = i * features.patch_hop_frames
            joined[:, start : start + patch_frames] += patch.T
        return joined[:, :n_frames]

    def _logits(self, patches: Patches) -> npt.NDArray[np.float32]:
        parts = range(0, len(patches), _BATCH)
        return np.concatenate(
            [_logits_of(self._network(patches[i : i + _BATCH], training=False)) for i in parts]
        )

    def _gradients(self, patches: Patches, index: int) -> npt.NDArray[np.float32]:
        """Gradient of each patch's logit with respect to its cells."""
        starts = range(0, len(patches), _BATCH)
        return np.concatenate(
            [self._gradient(patches[i : i + _BATCH], np.int32(index)).numpy() for i in starts]
        )

    @cached_property
    def _gradient(self) -> Any:
        """The compiled gradient: step by step, a recurrent layer takes ten times as long."""
        import tensorflow as tf

        shape = (None, self.bundle.features.patch_frames, self.bundle.features.n_mels)
        signature = [tf.TensorSpec(shape, tf.float32), tf.TensorSpec((), tf.int32)]

        def gradient(x: Any, index: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                logits = _logits_of(self._network(x, training=False))
                chosen = tf.gather(logits, index, axis=1)
            return tape.gradient(chosen, x)

        return tf.function(gradient, input_signature=signature)

    def _network_with_maps(self) -> Any:
        import keras

        convolutions = [
            layer for layer in self._network.layers if isinstance(layer, keras.layers.Conv2D)
        ]
        if not convolutions:
            raise ParameterError(
                f"The network of {self.bundle.name} has no 2-D convolution; Grad-CAM needs one. "
                "Use integrated gradients."
            )
        return keras.Model(self._network.input, [convolutions[-1].output, self._network.output])


def _logits_of(output: Any) -> Any:
    return output["logits"] if isinstance(output, dict) else output


def _cam(network: Any, patches: Patches, index: int) -> npt.NDArray[np.float32]:
    """Grad-CAM of each patch: (n_patches, map_frames, map_bands)."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        maps, output = network(patches, training=False)
        logits = _logits_of(output)[:, index]
    weights = tf.reduce_mean(tape.gradient(logits, maps), axis=(1, 2), keepdims=True)
    cam: npt.NDArray[np.float32] = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1)).numpy()
    return cam


def _stretch(maps: npt.NDArray[np.float32], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Bring maps to the frames and bands of the patches, bilinearly."""
    import tensorflow as tf

    resized: npt.NDArray[np.float32] = tf.image.resize(maps[..., None], shape[:2]).numpy()[..., 0]
    return resized

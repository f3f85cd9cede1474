"""Log-mel spectrogram and patches: what every network here reads.

No centring and no clip-relative normalisation (``ref=1.0``, no ``top_db``):
a frame depends on its own samples only, so a live stream, a file and a
training clip give the same numbers. The result equals librosa's
``power_to_db(melspectrogram(center=False), ref=1.0, top_db=None)`` clamped at
``floor_db``, without importing librosa and numba.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft

from songnet.config import FeatureConfig
from songnet.exceptions import AudioTooShortError, ParameterError
from songnet.signal.audio import Waveform

__all__ = ["LogMel", "LogMelStream", "Patches", "frame_patches", "log_mel", "mel_filterbank"]

LogMel = npt.NDArray[np.float32]
Patches = npt.NDArray[np.float32]

_FRAMES_AT_ONCE = 512


@lru_cache(maxsize=8)
def mel_filterbank(config: FeatureConfig) -> npt.NDArray[np.float32]:
    """Triangular mel filters, Slaney scale and area norm.

    Parameters
    ----------
    config : FeatureConfig

    Returns
    -------
    filters : np.ndarray [shape=(n_mels, 1 + n_fft // 2), dtype=float32]

    References
    ----------
    .. [1] Slaney, M. "Auditory Toolbox", Interval Research TR 1998-010.
    """
    edges_mel = np.linspace(_hz_to_mel(config.fmin), _hz_to_mel(config.fmax), config.n_mels + 2)
    edges_hz = _mel_to_hz(edges_mel)
    bins_hz = np.fft.rfftfreq(config.n_fft, 1 / config.sr)
    ramps = edges_hz[:, None] - bins_hz[None, :]
    widths = np.diff(edges_hz)
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    filters *= (2 / (edges_hz[2:] - edges_hz[:-2]))[:, None]
    filters32 = filters.astype(np.float32)
    filters32.setflags(write=False)
    return filters32


def _hz_to_mel(hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    hz = np.asarray(hz, dtype=np.float64)
    log_step = np.log(6.4) / 27
    return np.where(hz < 1000, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1000) / 1000) / log_step)


def _mel_to_hz(mel: npt.ArrayLike) -> npt.NDArray[np.float64]:
    mel = np.asarray(mel, dtype=np.float64)
    log_step = np.log(6.4) / 27
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(log_step * (np.maximum(mel, 15) - 15)))


@lru_cache(maxsize=8)
def _window(n_fft: int) -> npt.NDArray[np.float32]:
    # Hann, periodic. Not from scipy.signal: that import took a second of the app's start.
    phase = 2 * np.pi * np.arange(n_fft) / n_fft
    window: npt.NDArray[np.float32] = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    return window


def log_mel(y: Waveform, *, config: FeatureConfig) -> LogMel:
    """Log-mel spectrogram of a waveform.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio at ``config.sr``.
    config : FeatureConfig

    Returns
    -------
    S_db : np.ndarray [shape=(n_mels, n_frames), dtype=float32]
        In dB re 1.0, at least ``config.floor_db``.

    Raises
    ------
    ParameterError
        If ``y`` is not a 1-D array of finite floats.
    AudioTooShortError
        If ``y`` is shorter than one frame.
    """
    y = _check_waveform(y)
    n_frames = config.n_frames(y.size)
    if n_frames == 0:
        raise AudioTooShortError(
            f"The audio has {y.size} samples; one frame needs {config.n_fft} "
            f"({config.n_fft / config.sr * 1000:.0f} ms at {config.sr} Hz)."
        )
    return _frames_to_db(y, n_frames, config)


def _check_waveform(y: Waveform) -> Waveform:
    y = np.asarray(y)
    if y.ndim != 1 or y.dtype.kind != "f":
        raise ParameterError(
            f"y has shape {y.shape} and dtype {y.dtype}; expected one channel of floats."
        )
    if not np.isfinite(y).all():
        raise ParameterError("y holds NaN or infinite samples; replace them first.")
    return y.astype(np.float32, copy=False)


def _frames_to_db(y: Waveform, n_frames: int, config: FeatureConfig) -> LogMel:
    frames = np.lib.stride_tricks.sliding_window_view(y, config.n_fft)[:: config.hop_length]
    window, filters = _window(config.n_fft), mel_filterbank(config)
    floor_power = np.float32(10 ** (config.floor_db / 10))
    S_db = np.empty((config.n_mels, n_frames), np.float32)
    for start in range(0, n_frames, _FRAMES_AT_ONCE):
        part = slice(start, min(start + _FRAMES_AT_ONCE, n_frames))
        D = scipy.fft.rfft(frames[part] * window, axis=1)  # (frames, bins)
        power = D.real**2 + D.imag**2
        S = filters @ power.T  # (n_mels, frames)
        S_db[:, part] = 10 * np.log10(np.maximum(S, floor_power))
    return S_db


class LogMelStream:
    """Log-mel of a signal that arrives in pieces.

    Any cutting of a signal into chunks gives the frames of `log_mel`; each
    frame is computed once, as soon as its last sample is there.

    Parameters
    ----------
    config : FeatureConfig
    """

    def __init__(self, config: FeatureConfig) -> None:
        self.config = config
        self._rest: Waveform = np.zeros(0, np.float32)

    def push(self, chunk: Waveform) -> LogMel:
        """Take the next samples and return the frames they complete.

        Parameters
        ----------
        chunk : np.ndarray [shape=(n,), dtype=float32]
            Any number of samples at ``config.sr``.

        Returns
        -------
        S_db : np.ndarray [shape=(n_mels, n_new_frames), dtype=float32]
            Possibly without a frame.
        """
        y = np.concatenate([self._rest, _check_waveform(chunk)])
        n_frames = self.config.n_frames(y.size)
        self._rest = y[n_frames * self.config.hop_length :].copy()
        if n_frames == 0:
            return np.zeros((self.config.n_mels, 0), np.float32)
        return _frames_to_db(y, n_frames, self.config)


def frame_patches(S_db: LogMel, *, config: FeatureConfig) -> Patches:
    """Cut a log-mel spectrogram into equal patches, one model input each.

    Parameters
    ----------
    S_db : np.ndarray [shape=(n_mels, n_frames), dtype=float32]
        Log-mel spectrogram, in dB re 1.0.
    config : FeatureConfig
        Uses ``patch_frames`` and ``patch_hop_frames``.

    Returns
    -------
    patches : np.ndarray [shape=(n_patches, patch_frames, n_mels), dtype=float32]
        At least one; the last is completed with ``config.floor_db``.

    Raises
    ------
    ParameterError
        If ``S_db`` is not 2-D, empty, or its first axis is not ``n_mels``.
    """
    if S_db.ndim != 2 or S_db.shape[0] != config.n_mels or S_db.shape[1] == 0:
        raise ParameterError(
            f"S_db has shape {S_db.shape}; expected ({config.n_mels}, n_frames), n_frames > 0."
        )
    n_frames = S_db.shape[1]
    n_patches = config.n_patches(n_frames)
    patches = np.full((n_patches, config.patch_frames, config.n_mels), config.floor_db, np.float32)
    for index, patch in enumerate(patches):
        start = index * config.patch_hop_frames
        part = S_db[:, start : start + config.patch_frames]
        patch[: part.shape[1]] = part.T
    return patches

"""Clip statistics: one vector a track, what genre classifiers read before networks.

librosa computes the features; nothing that predicts in the app imports this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from songnet.config import Config
from songnet.exceptions import AudioTooShortError
from songnet.signal.audio import Waveform

__all__ = ["MOMENTS", "StatisticsConfig", "clip_statistics", "frame_features", "statistics_names"]

MOMENTS = ("mean", "std", "median", "min", "max", "skew", "kurtosis")
_DELTA_WIDTH = 9
_TINY = 1e-8


@dataclass(frozen=True)
class StatisticsConfig(Config):
    """How a track becomes a vector.

    Parameters
    ----------
    sr : int
        In Hz.
    n_fft, hop_length : int
        In samples.
    n_mfcc : int
    n_contrast_bands : int
        Octaves above 200 Hz, below half the sample rate.
    """

    sr: int = 16_000
    n_fft: int = 2048
    hop_length: int = 512
    n_mfcc: int = 20
    n_contrast_bands: int = 5


def frame_features(y: Waveform, *, config: StatisticsConfig) -> dict[str, npt.NDArray[np.float64]]:
    """Features of each frame.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio at ``config.sr``.
    config : StatisticsConfig

    Returns
    -------
    features : dict of str to np.ndarray [shape=(n_rows, n_frames)]
        MFCC and their deltas, chroma, spectral contrast, centroid, bandwidth,
        roll-off (Hz), zero crossings, RMS.

    Raises
    ------
    AudioTooShortError
        If there are fewer frames than a delta needs.
    """
    import librosa

    shortest = _DELTA_WIDTH * config.hop_length
    if y.size < shortest:
        raise AudioTooShortError(
            f"The audio has {y.size} samples; clip statistics need {shortest} "
            f"({shortest / config.sr:.2f} s at {config.sr} Hz)."
        )
    S = np.abs(librosa.stft(y, n_fft=config.n_fft, hop_length=config.hop_length))
    S_db = librosa.power_to_db(librosa.feature.melspectrogram(S=S**2, sr=config.sr))
    mfcc = librosa.feature.mfcc(S=S_db, n_mfcc=config.n_mfcc)
    features = {
        "mfcc": mfcc,
        "mfcc_delta": librosa.feature.delta(mfcc, width=_DELTA_WIDTH),
        "chroma": librosa.feature.chroma_stft(S=S**2, sr=config.sr, tuning=0.0),
        "contrast": librosa.feature.spectral_contrast(
            S=S, sr=config.sr, n_bands=config.n_contrast_bands
        ),
        "centroid": librosa.feature.spectral_centroid(S=S, sr=config.sr),
        "bandwidth": librosa.feature.spectral_bandwidth(S=S, sr=config.sr),
        "rolloff": librosa.feature.spectral_rolloff(S=S, sr=config.sr),
        "zero_crossings": librosa.feature.zero_crossing_rate(
            y, frame_length=config.n_fft, hop_length=config.hop_length
        ),
        "rms": librosa.feature.rms(y=y, frame_length=config.n_fft, hop_length=config.hop_length),
    }
    return {name: np.asarray(values, np.float64) for name, values in features.items()}


def clip_statistics(y: Waveform, *, config: StatisticsConfig) -> npt.NDArray[np.float32]:
    """Statistics of the frames of a whole clip, and its tempo.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio at ``config.sr``.
    config : StatisticsConfig

    Returns
    -------
    statistics : np.ndarray [shape=(n_statistics,), dtype=float32]
        Finite, in the order of `statistics_names`. Skew and kurtosis of what
        does not vary are 0.

    Raises
    ------
    AudioTooShortError
        If there are fewer frames than a delta needs.
    """
    frames = np.concatenate(list(frame_features(y, config=config).values()))  # (rows, frames)
    mean, std = frames.mean(axis=1), frames.std(axis=1)
    standard = (frames - mean[:, None]) / np.maximum(std, _TINY)[:, None]
    varies = std > _TINY
    columns = (
        mean,
        std,
        np.median(frames, axis=1),
        frames.min(axis=1),
        frames.max(axis=1),
        np.where(varies, (standard**3).mean(axis=1), 0.0),
        np.where(varies, (standard**4).mean(axis=1) - 3, 0.0),
    )
    statistics = np.append(np.stack(columns, axis=1).ravel(), _tempo_bpm(y, config))
    return statistics.astype(np.float32)


def _tempo_bpm(y: Waveform, config: StatisticsConfig) -> float:
    """Tempo without the beats, which cost most of `songnet.signal.rhythm.find_beats`."""
    import librosa

    tempo = librosa.feature.tempo(y=y, sr=config.sr, hop_length=config.hop_length)
    return float(tempo[0])


def statistics_names(config: StatisticsConfig) -> tuple[str, ...]:
    """Name of each statistic, such as ``mfcc_3_mean``; the last is ``tempo_bpm``."""
    sizes = {
        "mfcc": config.n_mfcc,
        "mfcc_delta": config.n_mfcc,
        "chroma": 12,
        "contrast": config.n_contrast_bands + 1,
    }
    sizes |= dict.fromkeys(("centroid", "bandwidth", "rolloff", "zero_crossings", "rms"), 1)
    rows = [f"{name}_{index}" for name, size in sizes.items() for index in range(size)]
    return (*(f"{row}_{moment}" for row in rows for moment in MOMENTS), "tempo_bpm")

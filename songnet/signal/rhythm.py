"""Tempo and beats of a track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from songnet.signal.audio import Waveform

__all__ = ["Rhythm", "find_beats"]

_HOP_LENGTH = 512


@dataclass(frozen=True)
class Rhythm:
    """Tempo, beats and how strongly sounds begin.

    Parameters
    ----------
    tempo_bpm : float
        Beats a minute; 0 where there is no beat.
    beat_seconds : np.ndarray [shape=(n_beats,), dtype=float64]
    onset_seconds : np.ndarray [shape=(n_frames,), dtype=float64]
    onset_strength : np.ndarray [shape=(n_frames,), dtype=float32]
        Mean rise of the mel bands, in dB a frame; the largest is 1.
    """

    tempo_bpm: float
    beat_seconds: npt.NDArray[np.float64]
    onset_seconds: npt.NDArray[np.float64]
    onset_strength: npt.NDArray[np.float32]


def find_beats(y: Waveform, *, sr: int) -> Rhythm:
    """Estimate the tempo and the beats with librosa.

    Half and double the tempo that a person taps are its common errors.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
    sr : int
        Sample rate in Hz.

    Returns
    -------
    rhythm : Rhythm

    References
    ----------
    .. [1] Ellis, D. "Beat tracking by dynamic programming", Journal of New
       Music Research 36 (2007).
    """
    import librosa

    strength = librosa.onset.onset_strength(y=y, sr=sr, hop_length=_HOP_LENGTH)
    seconds = np.arange(strength.size) * _HOP_LENGTH / sr
    peak = float(strength.max(initial=0.0))
    if peak <= 0:
        return Rhythm(0.0, np.zeros(0), seconds, np.zeros_like(strength))
    tempo, frames = librosa.beat.beat_track(
        onset_envelope=strength, sr=sr, hop_length=_HOP_LENGTH, sparse=True
    )
    return Rhythm(
        tempo_bpm=float(np.atleast_1d(tempo)[0]),
        beat_seconds=np.asarray(frames, dtype=np.float64) * _HOP_LENGTH / sr,
        onset_seconds=seconds,
        onset_strength=(strength / peak).astype(np.float32),
    )

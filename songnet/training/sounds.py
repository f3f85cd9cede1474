"""Sounds that can be generated: noise, hum and tones, none of them music."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from songnet.signal.audio import Waveform

__all__ = ["GENERATED_KINDS", "generate_sound"]

FloatArray = npt.NDArray[np.float64]
GENERATED_KINDS = ("noise", "hum", "tones")
_LEVEL = 0.1
_MAINS_HZ = (50.0, 60.0, 100.0, 120.0)
_TONES_HZ = (80.0, 6000.0)


def generate_sound(kind: str, *, seconds: float, sr: int, seed: int) -> Waveform:
    """Generate a sound that is not music.

    Parameters
    ----------
    kind : {"noise", "hum", "tones"}
        Noise from white to red, steady or swelling; mains hum with its
        harmonics; steady, beeping or sliding sines.
    seconds : float
    sr : int
        Sample rate in Hz.
    seed : int

    Returns
    -------
    y : np.ndarray [shape=(n,), dtype=float32]
        At -20 dBFS.
    """
    rng = np.random.default_rng([GENERATED_KINDS.index(kind), seed])
    t = np.arange(round(seconds * sr)) / sr
    y = {"noise": _noise, "hum": _hum, "tones": _tones}[kind](t, sr, rng)
    level: Waveform = (_LEVEL * y / y.std()).astype(np.float32)
    return level


def _colored(n: int, slope: float, rng: np.random.Generator) -> FloatArray:
    spectrum = np.fft.rfft(rng.standard_normal(n))
    y = np.fft.irfft(spectrum / np.maximum(np.arange(spectrum.size), 1) ** slope, n)
    colored: FloatArray = y / y.std()
    return colored


def _noise(t: FloatArray, sr: int, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    swell = np.sin(2 * np.pi * rng.uniform(0.05, 6) * t + rng.uniform(0, 2 * np.pi))
    steady = _colored(t.size, rng.uniform(0, 1.2), rng)
    return np.asarray(steady * (1 + rng.uniform(0, 0.8) * swell))


def _hum(t: FloatArray, sr: int, rng: np.random.Generator) -> FloatArray:
    hz = rng.choice(_MAINS_HZ) * rng.uniform(0.99, 1.01)
    k = np.arange(1, min(40, int(sr / 2 / hz)))
    amplitudes = rng.exponential(1 / k ** rng.uniform(0.3, 1.5))
    phases = rng.uniform(0, 2 * np.pi, k.size)
    y = np.zeros_like(t)
    for harmonic, amplitude, phase in zip(k, amplitudes, phases, strict=True):
        y += amplitude * np.sin(2 * np.pi * hz * harmonic * t + phase)
    hiss = _colored(t.size, rng.uniform(0, 1), rng)
    return np.asarray(y / y.std() + rng.uniform(0.01, 0.5) * hiss)


def _tones(t: FloatArray, sr: int, rng: np.random.Generator) -> FloatArray:
    low, high = np.log(_TONES_HZ)
    manner = rng.choice(("steady", "beeping", "sliding"))
    if manner == "sliding":
        progress = t * rng.uniform(0.05, 2) % 1
        hz = np.exp(np.interp(progress, [0, 1], rng.uniform(low, high, 2)))
        y = np.sin(2 * np.pi * np.cumsum(hz) / sr)
    else:
        several = np.exp(rng.uniform(low, high, rng.integers(1, 4)))
        y = np.sin(2 * np.pi * several[:, None] * t).sum(axis=0)
    if manner == "beeping":
        y = y * (np.sin(2 * np.pi * rng.uniform(0.3, 6) * t) > rng.uniform(-0.5, 0.5))
    hiss = _colored(t.size, rng.uniform(0, 1), rng)
    return np.asarray(y / y.std() + rng.uniform(1e-4, 0.1) * hiss)

"""What if the track were different? Edits of a waveform, to hear and to predict again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from songnet.exceptions import ParameterError
from songnet.signal.audio import Waveform

__all__ = ["NOISE_SEED", "Edits", "apply_edits"]

NOISE_SEED = 0
_BLOCK_SECONDS = 0.1
_FADE_SECONDS = 0.01
_FILTER_ORDER = 8


@dataclass(frozen=True)
class Edits:
    """What to change; the default changes nothing.

    They are applied in the order of the fields.

    Parameters
    ----------
    mute_from_seconds, mute_to_seconds : float
        Stretch that becomes silent; empty by default.
    mute_below_dbfs : float or None
        Blocks of 0.1 s with a lower RMS level become silent.
    mute_from_hz, mute_to_hz : float
        Band that is filtered out; empty by default.
    noise_snr_db : float or None
        White noise so many dB below the track's mean level.
    tempo : float
        Speed at the same pitch, from 0.5 to 2.
    level_db : float
        Change of level; what goes beyond full scale is clipped.
    """

    mute_from_seconds: float = 0.0
    mute_to_seconds: float = 0.0
    mute_below_dbfs: float | None = None
    mute_from_hz: float = 0.0
    mute_to_hz: float = 0.0
    noise_snr_db: float | None = None
    tempo: float = 1.0
    level_db: float = 0.0

    def __post_init__(self) -> None:
        for low, high in (("mute_from_seconds", "mute_to_seconds"), ("mute_from_hz", "mute_to_hz")):
            if not 0 <= getattr(self, low) <= getattr(self, high):
                raise ParameterError(
                    f"{low} is {getattr(self, low)} and {high} {getattr(self, high)}; expected "
                    "0 or more, and the second not below the first."
                )
        if not 0.5 <= self.tempo <= 2:
            raise ParameterError(f"tempo is {self.tempo}; expected 0.5 to 2.")
        numbers = [value for f in fields(self) if (value := getattr(self, f.name)) is not None]
        if not np.isfinite(numbers).all():
            raise ParameterError(f"{self} holds a value that is not a number; expected numbers.")

    @property
    def is_none(self) -> bool:
        """Whether nothing is changed."""
        return self == Edits()


def apply_edits(y: Waveform, edits: Edits, *, sr: int) -> Waveform:
    """Change a waveform.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio; left as it is.
    edits : Edits
    sr : int
        Sample rate in Hz.

    Returns
    -------
    y : np.ndarray [shape=(m,), dtype=float32]
        In [-1, 1]; m = n / tempo, about.

    Raises
    ------
    ParameterError
        If the band reaches beyond half the sample rate.
    """
    y = _mute_stretch(y, edits, sr)
    if edits.mute_below_dbfs is not None:
        y = _mute_quiet(y, edits.mute_below_dbfs, sr)
    if edits.mute_to_hz > edits.mute_from_hz:
        y = _mute_band(y, edits.mute_from_hz, edits.mute_to_hz, sr)
    if edits.noise_snr_db is not None:
        y = _add_noise(y, edits.noise_snr_db)
    if edits.tempo != 1:
        y = _change_tempo(y, edits.tempo, sr)
    if edits.level_db:
        y = y * np.float32(10 ** (edits.level_db / 20))
    return np.clip(y, -1, 1).astype(np.float32, copy=False)


def _mute_stretch(y: Waveform, edits: Edits, sr: int) -> Waveform:
    start, end = round(edits.mute_from_seconds * sr), round(edits.mute_to_seconds * sr)
    if end <= start or start >= y.size:
        return y
    is_kept = np.ones(y.size, np.float32)
    is_kept[start:end] = 0
    return y * _soften(is_kept, sr)


def _mute_quiet(y: Waveform, below_dbfs: float, sr: int) -> Waveform:
    starts = np.arange(0, y.size, max(1, round(_BLOCK_SECONDS * sr)))
    sizes = np.diff(np.append(starts, y.size))
    power = np.add.reduceat(np.square(y, dtype=np.float64), starts) / sizes
    is_kept = (power >= 10 ** (below_dbfs / 10)).astype(np.float32)
    return y * _soften(np.repeat(is_kept, sizes), sr)


def _soften(gain: Waveform, sr: int) -> Waveform:
    """Fade instead of switching: a step in a waveform is a click, which is a sound of its own.

    The fades lie outside of what is muted, so that the muted part is silent.
    """
    import scipy.ndimage as ndi

    n = max(1, round(_FADE_SECONDS * sr))
    faded: Waveform = ndi.uniform_filter1d(
        ndi.minimum_filter1d(gain, 2 * n + 1, mode="nearest"), 2 * n + 1, mode="nearest"
    ).astype(np.float32)
    return np.clip(faded, 0, 1)


def _mute_band(y: Waveform, low_hz: float, high_hz: float, sr: int) -> Waveform:
    from scipy import signal

    nyquist = sr / 2
    if high_hz > nyquist:
        raise ParameterError(
            f"mute_to_hz is {high_hz:g}; the audio has no more than {nyquist:g} Hz."
        )
    # Beyond the ends of the band there is nothing to keep: then a plain low or high pass.
    reaches_top, reaches_bottom = high_hz >= 0.98 * nyquist, low_hz < 20
    if reaches_top and reaches_bottom:
        return np.zeros_like(y)
    edges, kind = {
        (True, False): (low_hz, "lowpass"),
        (False, True): (high_hz, "highpass"),
        (False, False): ([low_hz, high_hz], "bandstop"),
    }[reaches_top, reaches_bottom]
    sos = signal.butter(_FILTER_ORDER, edges, btype=kind, fs=sr, output="sos")
    filtered: Waveform = signal.sosfiltfilt(sos, y).astype(np.float32)
    return filtered


def _add_noise(y: Waveform, snr_db: float) -> Waveform:
    rms = float(np.sqrt(np.mean(np.square(y, dtype=np.float64)))) if y.size else 0.0
    noise = np.random.default_rng(NOISE_SEED).standard_normal(y.size, dtype=np.float32)
    return y + noise * np.float32(rms * 10 ** (-snr_db / 20))


def _change_tempo(y: Waveform, tempo: float, sr: int) -> Waveform:
    """Time-stretch with FFmpeg's ``atempo``, overlap-add of similar waveforms."""
    import av
    from av.filter import Graph

    graph: Any = Graph()
    source = graph.add(
        "abuffer", sample_rate=str(sr), sample_fmt="flt", channel_layout="mono", time_base=f"1/{sr}"
    )
    stretch, sink = graph.add("atempo", f"{tempo:.6f}"), graph.add("abuffersink")
    source.link_to(stretch)
    stretch.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(y[None], dtype=np.float32), format="flt", layout="mono"
    )
    frame.sample_rate, frame.pts = sr, 0
    source.push(frame)
    source.push(None)
    parts: list[Waveform] = []
    while True:
        try:
            parts.append(sink.pull().to_ndarray().reshape(-1))
        except (av.BlockingIOError, av.EOFError):
            return np.concatenate([np.zeros(0, np.float32), *parts])

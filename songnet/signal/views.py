"""What a person looks at in a sound: spectrogram, mel-spectrogram, MFCC and chroma.

Every view takes a stretch of a waveform and gives at most a screen of columns:
frames as close as the stretch needs, averaged in power where there are more
than columns. Ten minutes cost a screen no more than ten seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from songnet.config import FeatureConfig
from songnet.exceptions import ParameterError
from songnet.signal.audio import Waveform
from songnet.signal.features import log_mel, mel_filterbank

__all__ = [
    "MAX_COLUMNS",
    "PITCH_CLASSES",
    "Envelope",
    "Picture",
    "draw_chroma",
    "draw_mel",
    "draw_mfcc",
    "draw_spectrogram",
    "min_max_envelope",
]

MAX_COLUMNS = 800
PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_N_FFT = 2048
_N_CHROMA_FFT = 4096  # below that, neighbouring notes of the bass fall into one bin
_MIN_HOP = 64
_FLOOR_DB = -80.0
_N_ROWS = 160
_N_MFCC = 20
_FRAMES_AT_ONCE = 1024
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Envelope:
    """Lowest and highest sample of equal stretches of a waveform.

    Parameters
    ----------
    low, high : np.ndarray [shape=(n_bins,), dtype=float32]
    """

    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Picture:
    """Values over time and one more axis.

    Parameters
    ----------
    seconds : np.ndarray [shape=(n_columns,), dtype=float64]
        Middle of each column, counted from the start of the waveform given.
    rows : np.ndarray [shape=(n_rows,), dtype=float64]
        Frequency in Hz, number of the coefficient or of the pitch class.
    values : np.ndarray [shape=(n_rows, n_columns), dtype=float32]
    """

    seconds: npt.NDArray[np.float64]
    rows: npt.NDArray[np.float64]
    values: FloatArray


def min_max_envelope(y: Waveform, *, n_bins: int = 1600) -> Envelope:
    """Reduce a waveform to what a screen can show.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        At least one sample.
    n_bins : int
        At most so many stretches.

    Returns
    -------
    envelope : Envelope
    """
    starts = np.linspace(0, y.size, min(n_bins, y.size), endpoint=False).astype(int)
    return Envelope(low=np.minimum.reduceat(y, starts), high=np.maximum.reduceat(y, starts))


def draw_spectrogram(y: Waveform, *, sr: int, max_columns: int = MAX_COLUMNS) -> Picture:
    """Power spectrum over time, in dB re a full-scale sine.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
    sr : int
        Sample rate in Hz.
    max_columns : int

    Returns
    -------
    picture : Picture
        Rows are frequencies in Hz, evenly spaced; values at least -80 dB.
    """
    power, seconds = _power_columns(y, sr=sr, n_fft=_N_FFT, max_columns=max_columns)
    # The strongest of neighbouring bins stays visible where rows are fewer than bins.
    starts = np.linspace(0, len(power), _N_ROWS, endpoint=False).astype(int)
    power = np.maximum.reduceat(power, starts, axis=0)
    full_scale = (_N_FFT / 4) ** 2  # the Hann window's peak for a sine of amplitude 1
    hz = np.append(starts[1:], 1 + _N_FFT // 2) - 1
    rows = (starts + hz) / 2 * sr / _N_FFT
    return Picture(seconds=seconds, rows=rows, values=_to_db(power / full_scale))


def draw_mel(y: Waveform, *, config: FeatureConfig, max_columns: int = MAX_COLUMNS) -> Picture:
    """Log-mel spectrogram, as the network reads it.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio at ``config.sr``.
    config : FeatureConfig
        Of the model. Frames of the model are averaged, in dB, where there are
        more than columns.
    max_columns : int

    Returns
    -------
    picture : Picture
        Rows are the frequencies in Hz at which the mel bands peak.
    """
    S_db = log_mel(_at_least(y, config.n_fft), config=config)
    starts = _column_starts(S_db.shape[1], max_columns)
    counts = np.diff(np.append(starts, S_db.shape[1]))
    values = np.add.reduceat(S_db, starts, axis=1) / counts
    middle = starts + (counts - 1) / 2
    return Picture(
        seconds=(middle * config.hop_length + config.n_fft / 2) / config.sr,
        rows=mel_filterbank(config).argmax(axis=1) * config.sr / config.n_fft,
        values=values.astype(np.float32),
    )


def draw_mfcc(y: Waveform, *, config: FeatureConfig, max_columns: int = MAX_COLUMNS) -> Picture:
    """Mel-frequency cepstral coefficients of the network's log-mel.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio at ``config.sr``.
    config : FeatureConfig
    max_columns : int

    Returns
    -------
    picture : Picture
        Rows are the numbers 1 to 20 of the coefficients; the first, which is
        the level alone, is left out.
    """
    mel = draw_mel(y, config=config, max_columns=max_columns)
    n_mfcc = min(_N_MFCC + 1, config.n_mels)
    # As librosa.feature.mfcc has it, without the wait for librosa.
    values = scipy.fft.dct(mel.values, axis=0, norm="ortho")[1:n_mfcc]
    return Picture(seconds=mel.seconds, rows=np.arange(1.0, n_mfcc), values=values)


def draw_chroma(y: Waveform, *, sr: int, max_columns: int = MAX_COLUMNS) -> Picture:
    """Strength of the twelve pitch classes over time, for A = 440 Hz.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
    sr : int
        Sample rate in Hz.
    max_columns : int

    Returns
    -------
    picture : Picture
        Rows are the numbers of `PITCH_CLASSES`; the strongest of each column
        is 1.
    """
    import librosa

    power, seconds = _power_columns(y, sr=sr, n_fft=_N_CHROMA_FFT, max_columns=max_columns)
    values = librosa.feature.chroma_stft(S=power, sr=sr, n_fft=_N_CHROMA_FFT, tuning=0.0)
    return Picture(seconds=seconds, rows=np.arange(12.0), values=values.astype(np.float32))


def _power_columns(
    y: Waveform, *, sr: int, n_fft: int, max_columns: int
) -> tuple[FloatArray, npt.NDArray[np.float64]]:
    """Mean power spectrum of each column: (1 + n_fft // 2, n_columns), and its seconds."""
    if y.ndim != 1 or y.size == 0 or max_columns < 1:
        raise ParameterError(
            f"y has shape {y.shape} and max_columns is {max_columns}; expected samples and 1 or "
            "more columns."
        )
    hop = int(np.clip(y.size // max_columns, _MIN_HOP, n_fft // 2))
    # Half a window of silence on both sides: every moment has a frame around it.
    padded = np.pad(y, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    window = np.hanning(n_fft + 1)[:-1].astype(np.float32)
    starts = _column_starts(len(frames), max_columns)
    ends = np.append(starts[1:], len(frames))
    columns = np.empty((len(starts), 1 + n_fft // 2), np.float32)
    group = max(1, _FRAMES_AT_ONCE // int((ends - starts).max()))
    for first in range(0, len(starts), group):
        part = slice(first, min(first + group, len(starts)))
        base = starts[part][0]
        D = scipy.fft.rfft(frames[base : ends[part][-1]] * window, axis=1)  # (frames, bins)
        sums = np.add.reduceat(D.real**2 + D.imag**2, starts[part] - base, axis=0)
        columns[part] = sums / (ends[part] - starts[part])[:, None]
    middle = (starts + ends - 1) / 2
    return columns.T, np.minimum(middle * hop, y.size) / sr


def _column_starts(n_frames: int, max_columns: int) -> npt.NDArray[np.int_]:
    n_columns = min(n_frames, max_columns)
    return np.linspace(0, n_frames, n_columns, endpoint=False).astype(int)


def _at_least(y: Waveform, n_samples: int) -> Waveform:
    return y if y.size >= n_samples else np.pad(y, (0, n_samples - y.size))


def _to_db(power: FloatArray) -> FloatArray:
    values: FloatArray = (10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))).astype(
        np.float32
    )
    return values

"""The views of a sound: what each shows between two moments, as numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.signal.audio import Waveform
from songnet.signal.loudness import MIN_RANGE_SECONDS, Loudness
from songnet.signal.rhythm import Rhythm
from songnet.signal.views import (
    PITCH_CLASSES,
    Picture,
    draw_chroma,
    draw_mel,
    draw_mfcc,
    draw_spectrogram,
    min_max_envelope,
)

__all__ = ["PICTURES", "Span", "ViewData", "draw_picture", "loudness_view", "rhythm_view", "to_csv"]

_N_BINS = 1200
_CONTEXT_SECONDS = 0.3
_SILENCE_LUFS = -69.9
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Span:
    """The stretch of a track that is shown.

    Parameters
    ----------
    start_seconds, end_seconds : float
    """

    start_seconds: float
    end_seconds: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end_seconds - self.start_seconds

    def cut(self, y: Waveform, *, sr: int) -> Waveform:
        """Return these samples of a waveform, at least one."""
        start = min(int(self.start_seconds * sr), y.size - 1)
        return y[start : max(start + 1, round(self.end_seconds * sr))]


@dataclass(frozen=True)
class ViewData:
    """One view between two moments.

    Parameters
    ----------
    name : str
    axis : str
        What the vertical axis shows, with its unit.
    seconds : np.ndarray [shape=(n,), dtype=float64]
        From the start of the track.
    columns : tuple of str
        What each row of ``values`` is, with its unit.
    values : np.ndarray [shape=(n_rows, n), dtype=float32]
    is_picture : bool
        Shown as colours; otherwise each row is a line.
    unit : str
        Of the values.
    marks : np.ndarray [shape=(n_marks,), dtype=float64]
        Moments to mark (beats), in seconds.
    note : str
        What holds for the whole track.
    """

    name: str
    axis: str
    seconds: FloatArray
    columns: tuple[str, ...]
    values: npt.NDArray[np.float32]
    is_picture: bool
    unit: str
    marks: FloatArray
    note: str = ""


def draw_picture(name: str, y: Waveform, *, config: FeatureConfig, span: Span) -> ViewData:
    """Compute one of `PICTURES` between two moments.

    Parameters
    ----------
    name : str
        A key of `PICTURES`.
    y : np.ndarray [shape=(n,), dtype=float32]
        The whole track at ``config.sr``.
    config : FeatureConfig
    span : Span

    Returns
    -------
    view : ViewData
        No larger for a long span than for a short one.
    """
    if name == "Waveform":
        return PICTURES[name](span.cut(y, sr=config.sr), config, span)
    # A frame needs the sound around it, beyond the stretch that is shown too.
    end = min(span.end_seconds + _CONTEXT_SECONDS, y.size / config.sr)
    wide = Span(max(0.0, span.start_seconds - _CONTEXT_SECONDS), end)
    return _within(PICTURES[name](wide.cut(y, sr=config.sr), config, wide), span)


def _within(view: ViewData, span: Span) -> ViewData:
    """Drop what lies outside a span, but for the columns that reach into it."""
    first = max(0, int(np.searchsorted(view.seconds, span.start_seconds)) - 1)
    last = int(np.searchsorted(view.seconds, span.end_seconds)) + 1
    return replace(view, seconds=view.seconds[first:last], values=view.values[:, first:last])


def _waveform(y: Waveform, config: FeatureConfig, span: Span) -> ViewData:
    envelope = min_max_envelope(y, n_bins=_N_BINS)
    n_bins = envelope.low.size
    bins = np.arange(n_bins, dtype=np.float64)
    return ViewData(
        name="Waveform",
        axis="Amplitude",
        seconds=span.start_seconds + (bins + 0.5) * (y.size / config.sr / n_bins),
        columns=("lowest", "highest"),
        values=np.stack([envelope.low, envelope.high]),
        is_picture=False,
        unit="re full scale",
        marks=np.zeros(0),
    )


def _picture(
    picture: Picture, span: Span, *, name: str, axis: str, columns: tuple[str, ...], unit: str
) -> ViewData:
    return ViewData(
        name=name,
        axis=axis,
        seconds=span.start_seconds + picture.seconds,
        columns=columns,
        values=picture.values,
        is_picture=True,
        unit=unit,
        marks=np.zeros(0),
    )


def _spectrogram(y: Waveform, config: FeatureConfig, span: Span) -> ViewData:
    picture = draw_spectrogram(y, sr=config.sr)
    return _picture(
        picture,
        span,
        name="Spectrogram",
        axis="Frequency",
        columns=tuple(f"{hz:.0f} Hz" for hz in picture.rows),
        unit="dB re a full-scale sine",
    )


def _mel(y: Waveform, config: FeatureConfig, span: Span) -> ViewData:
    picture = draw_mel(y, config=config)
    return _picture(
        picture,
        span,
        name="Mel-spectrogram",
        axis="Mel band",
        columns=_distinct(tuple(f"{hz:.0f} Hz" for hz in picture.rows)),
        unit="dB, as the network reads it",
    )


def _mfcc(y: Waveform, config: FeatureConfig, span: Span) -> ViewData:
    picture = draw_mfcc(y, config=config)
    columns = tuple(f"MFCC {number:.0f}" for number in picture.rows)
    return _picture(picture, span, name="MFCC", axis="Coefficient", columns=columns, unit="dB")


def _chroma(y: Waveform, config: FeatureConfig, span: Span) -> ViewData:
    picture = draw_chroma(y, sr=config.sr)
    picture = Picture(picture.seconds, picture.rows, 100 * picture.values)
    unit = "% of the strongest"
    return _picture(
        picture, span, name="Chroma", axis="Pitch class", columns=PITCH_CLASSES, unit=unit
    )


PICTURES: dict[str, Callable[[Waveform, FeatureConfig, Span], ViewData]] = {
    "Waveform": _waveform,
    "Spectrogram": _spectrogram,
    "Mel-spectrogram": _mel,
    "MFCC": _mfcc,
    "Chroma": _chroma,
}


def rhythm_view(rhythm: Rhythm, *, span: Span) -> ViewData:
    """Show tempo and beats between two moments.

    Parameters
    ----------
    rhythm : Rhythm
    span : Span

    Returns
    -------
    view : ViewData
    """
    seconds, strength = _thin(rhythm.onset_seconds, rhythm.onset_strength[None], span)
    beats = rhythm.beat_seconds
    shown = beats[(span.start_seconds <= beats) & (beats <= span.end_seconds)]
    tempo = f"about {rhythm.tempo_bpm:.0f} beats a minute" if beats.size else "no beat found"
    return ViewData(
        name="Tempo and beats",
        axis="Onset strength",
        seconds=seconds,
        columns=("onset strength",),
        values=strength,
        is_picture=False,
        unit="of the strongest",
        # Closer than a few pixels, lines are a grey block.
        marks=shown if shown.size <= _N_BINS // 4 else np.zeros(0),
        note=f"Tempo: {tempo}. Half or double of what you would tap is a common error.",
    )


def loudness_view(loudness: Loudness, *, span: Span) -> ViewData:
    """Show the loudness between two moments.

    Parameters
    ----------
    loudness : Loudness
    span : Span

    Returns
    -------
    view : ViewData
    """
    rows = np.stack([loudness.momentary_lufs, loudness.short_term_lufs])
    # So quiet is what was not measured: silence, and what is shorter than the window.
    rows = np.where(rows > _SILENCE_LUFS, rows, np.nan)
    seconds, values = _thin(loudness.seconds, rows, span)
    note = f"Loudness of the whole track (EBU R128): {loudness.integrated_lufs:.1f} LUFS"
    if loudness.seconds[-1] >= MIN_RANGE_SECONDS:
        note += f", range {loudness.range_lu:.1f} LU"
    note += ". The teal line is momentary (0.4 s), the orange one short-term (3 s)"
    return ViewData(
        name="Loudness",
        axis="Loudness (LUFS)",
        seconds=seconds,
        columns=("momentary (0.4 s)", "short-term (3 s)"),
        values=values,
        is_picture=False,
        unit="LUFS",
        marks=np.zeros(0),
        note=note + ".",
    )


def _thin(
    seconds: FloatArray, rows: npt.NDArray[np.generic], span: Span
) -> tuple[FloatArray, npt.NDArray[np.float32]]:
    """Cut rows to a span and keep the largest of neighbours where there are too many."""
    inside = (span.start_seconds <= seconds) & (seconds <= span.end_seconds)
    seconds, values = seconds[inside], rows[:, inside].astype(np.float32)
    if seconds.size > _N_BINS:
        starts = np.linspace(0, seconds.size, _N_BINS, endpoint=False).astype(int)
        return seconds[starts], np.fmax.reduceat(values, starts, axis=1)
    return seconds, values


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Number what has the same name: the lowest mel bands can share a bin."""
    return tuple(
        f"{name} ({names[:i].count(name) + 1})" if name in names[:i] else name
        for i, name in enumerate(names)
    )


def to_csv(view: ViewData) -> str:
    """Write a view as CSV, a row a moment.

    Parameters
    ----------
    view : ViewData

    Returns
    -------
    text : str
        With a column of beats where the view marks them.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["seconds", *(f"{name} [{view.unit}]" for name in view.columns)])
    writer.writerows(
        [f"{second:.3f}", *("" if np.isnan(value) else f"{value:.4g}" for value in column)]
        for second, column in zip(view.seconds, view.values.T, strict=True)
    )
    if view.marks.size:
        writer.writerow(["beats"])
        writer.writerows([f"{second:.3f}"] for second in view.marks)
    return buffer.getvalue()

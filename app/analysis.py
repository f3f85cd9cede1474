"""Everything the Classify page shows about one file, from one decoding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from songnet.datasets.tags import Tags, read_tags
from songnet.inference.classifier import Classifier
from songnet.inference.prediction import Prediction, Timeline
from songnet.signal.audio import DecodeLimits, Waveform, decode_audio

__all__ = [
    "Analysis",
    "Envelope",
    "analyse_audio",
    "genre_steps",
    "min_max_envelope",
    "time_shares",
]

_ENVELOPE_BINS = 1600
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Envelope:
    """Lowest and highest sample of equal stretches of a waveform.

    Parameters
    ----------
    low, high : np.ndarray [shape=(n_bins,), dtype=float32]
    """

    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Analysis:
    """One analysed file.

    Parameters
    ----------
    digest : str
        SHA-256 of the file.
    prediction : Prediction
    tags : Tags
    envelope : Envelope
    codec : str
        As the decoder names it.
    source_sr, source_channels : int
        Rate in Hz and channels of the file.
    """

    digest: str
    prediction: Prediction
    tags: Tags
    envelope: Envelope
    codec: str
    source_sr: int
    source_channels: int


def analyse_audio(
    data: bytes, *, digest: str, classifier: Classifier, limits: DecodeLimits
) -> Analysis:
    """Decode a file once and take the genre, tags and envelope from it.

    Parameters
    ----------
    data : bytes
    digest : str
        SHA-256 of the data.
    classifier : Classifier
    limits : DecodeLimits

    Returns
    -------
    analysis : Analysis

    Raises
    ------
    AudioDecodeError, AudioTooLongError, AudioTooShortError, SilentAudioError
    """
    decoded = decode_audio(data, sr=classifier.bundle.features.sr, limits=limits)
    return Analysis(
        digest=digest,
        prediction=classifier.predict_waveform(decoded.y, warnings=decoded.warnings),
        tags=read_tags(data),
        envelope=min_max_envelope(decoded.y),
        codec=decoded.codec,
        source_sr=decoded.source_sr,
        source_channels=decoded.source_channels,
    )


def min_max_envelope(y: Waveform, *, n_bins: int = _ENVELOPE_BINS) -> Envelope:
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


def genre_steps(timeline: Timeline, *, duration_seconds: float) -> Timeline:
    """Turn overlapping windows into steps that follow one another.

    A step is as long as the hop between windows; its probabilities are the
    mean of the windows that cover its middle.

    Parameters
    ----------
    timeline : Timeline
    duration_seconds : float
        The end of the last step.

    Returns
    -------
    steps : Timeline
        Without overlap, from 0 to ``duration_seconds``.
    """
    starts = timeline.start_seconds
    hop = float(starts[1] - starts[0]) if starts.size > 1 else duration_seconds
    # A rest shorter than half a step belongs to the step before it.
    n_steps = max(1, round(duration_seconds / hop))
    edges = np.append(np.arange(n_steps) * hop, duration_seconds)
    middle = (edges[:-1] + edges[1:]) / 2
    covers = (starts <= middle[:, None]) & (middle[:, None] < timeline.end_seconds)
    weights = covers / covers.sum(axis=1, keepdims=True)
    return Timeline(start_seconds=edges[:-1], end_seconds=edges[1:], probs=weights @ timeline.probs)


def time_shares(steps: Timeline) -> FloatArray:
    """Share of the time in which each genre is the most probable one.

    Parameters
    ----------
    steps : Timeline
        Without overlap, as `genre_steps` gives them.

    Returns
    -------
    shares : np.ndarray [shape=(n_genres,), dtype=float64]
        They sum to 1.
    """
    seconds = steps.end_seconds - steps.start_seconds
    is_top = np.arange(steps.probs.shape[1]) == steps.probs.argmax(axis=1)[:, None]
    shares: FloatArray = (seconds / seconds.sum()) @ is_top.astype(np.float64)
    return shares

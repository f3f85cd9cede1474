"""`Prediction`: the answer for one track, and everything that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from songnet.signal.quality import SignalQuality

__all__ = ["Evidence", "GenreProbability", "Prediction", "Status", "Timeline"]

Status = Literal["ok", "not_sure", "not_music", "silent", "no_signal"]


@dataclass(frozen=True)
class GenreProbability:
    """A genre and how probable it is."""

    genre: str
    probability: float


@dataclass(frozen=True)
class Timeline:
    """How the genre moves over the track, one row a window.

    Parameters
    ----------
    start_seconds, end_seconds : np.ndarray [shape=(n_windows,), dtype=float64]
        The audio that each window covers; windows overlap.
    probs : np.ndarray [shape=(n_windows, n_genres), dtype=float64]
        Calibrated probabilities of each window; rows sum to 1.
    """

    start_seconds: npt.NDArray[np.float64]
    end_seconds: npt.NDArray[np.float64]
    probs: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What each moment contributed to the decision, exactly.

    ``contributions.sum(axis=0)`` is the calibrated logit of each genre, up to
    rounding: `probs` of the prediction is its softmax.

    Parameters
    ----------
    seconds : np.ndarray [shape=(n_steps,), dtype=float64]
        Middle of each step.
    contributions : np.ndarray [shape=(n_steps, n_genres), dtype=float64]
        Attention times evidence of each step, divided by the temperature.
    """

    seconds: npt.NDArray[np.float64]
    contributions: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """The genre of one track.

    Parameters
    ----------
    genres : tuple of str
        All genres of the model, in the order of ``probs``.
    probs : np.ndarray [shape=(n_genres,), dtype=float64]
        Calibrated probabilities; they sum to 1.
    status : {"ok", "not_sure", "not_music", "silent", "no_signal"}
        The genre is only named where it is "ok"; see `songnet.inference.trust`.
        "silent" and "no_signal" come from a stream: a file raises
        SilentAudioError.
    timeline : Timeline
    evidence : Evidence
    duration_seconds : float
    quality : SignalQuality
    warnings : tuple of str
        What was doubtful about the input, in sentences for a person.
    music_probability : float, optional
        How probable it is that this is music; None where the bundle has no
        detector.
    embedding : np.ndarray [shape=(n_channels,), dtype=float32], optional
        The track in the space of the network's last linear layer, whose
        output it gives: ``head(embedding)`` is the logits. None where the
        bundle was exported without it.
    """

    genres: tuple[str, ...]
    probs: npt.NDArray[np.float64]
    status: Status
    timeline: Timeline
    evidence: Evidence
    duration_seconds: float
    quality: SignalQuality
    warnings: tuple[str, ...] = ()
    music_probability: float | None = None
    embedding: npt.NDArray[np.float32] | None = None

    @property
    def is_named(self) -> bool:
        """The genre may be named: there is music, and it is sure enough."""
        return self.status == "ok"

    @property
    def genre(self) -> str:
        """The most probable genre, whatever the status."""
        return self.genres[int(self.probs.argmax())]

    @property
    def confidence(self) -> float:
        """Probability of the most probable genre."""
        return float(self.probs.max())

    def top(self, k: int = 3) -> tuple[GenreProbability, ...]:
        """Return the ``k`` most probable genres, best first."""
        order = np.argsort(-self.probs, kind="stable")[:k]
        return tuple(GenreProbability(self.genres[i], float(self.probs[i])) for i in order)

    def to_dict(self, *, top_k: int = 3) -> dict[str, Any]:
        """Return the answer as plain JSON types, as CLI and REST print it.

        Genre, confidence and ``top`` are empty where there is nothing to name.
        """
        has_music = self.status in ("ok", "not_sure")
        return {
            "status": self.status,
            "genre": self.genre if has_music else None,
            "confidence": self.confidence if has_music else None,
            "top": [vars(item) for item in self.top(top_k)] if has_music else [],
            "duration_seconds": self.duration_seconds,
            "warnings": list(self.warnings),
        }

"""What a live session heard, as data: named genres, changes, shares, CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.live_memory import LiveMoment

__all__ = ["Change", "find_changes", "log_csv", "named_shares", "probabilities"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """From here on another genre was named.

    Parameters
    ----------
    seconds : float
        Sound listened to before it.
    genre : str
    """

    seconds: float
    genre: str


def find_changes(moments: Sequence[LiveMoment]) -> tuple[Change, ...]:
    """Find where another genre was named than before; the first one counts.

    Moments without a name do not interrupt a genre.

    Parameters
    ----------
    moments : sequence of LiveMoment

    Returns
    -------
    changes : tuple of Change
    """
    changes: list[Change] = []
    for moment in moments:
        genre = moment.genre
        if genre is not None and (not changes or changes[-1].genre != genre):
            changes.append(Change(moment.seconds, genre))
    return tuple(changes)


def named_shares(moments: Sequence[LiveMoment]) -> tuple[tuple[str, float], ...]:
    """Share of the named time that each genre had, the largest first.

    Parameters
    ----------
    moments : sequence of LiveMoment

    Returns
    -------
    shares : tuple of (genre, share)
        They sum to 1; empty if nothing was named.
    """
    counts = Counter(moment.genre for moment in moments if moment.genre is not None)
    return tuple((genre, n / counts.total()) for genre, n in counts.most_common())


def probabilities(moments: Sequence[LiveMoment]) -> tuple[FloatArray, FloatArray]:
    """Gather the probabilities of moments.

    Parameters
    ----------
    moments : sequence of LiveMoment
        At least one.

    Returns
    -------
    seconds : np.ndarray [shape=(n,), dtype=float64]
    probs : np.ndarray [shape=(n, n_genres), dtype=float64]
        Zero where nothing could be named.
    """
    rows = [m.probs * m.has_music for m in moments]
    return np.array([m.seconds for m in moments]), np.stack(rows)


def log_csv(moments: Sequence[LiveMoment], *, genres: tuple[str, ...]) -> str:
    """Write the session as CSV, a row an update.

    Parameters
    ----------
    moments : sequence of LiveMoment
    genres : tuple of str
        All genres of the model, in its order.

    Returns
    -------
    text : str
        Genre and probabilities are empty where nothing could be named.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    head = ("time_utc", "seconds", "status", "genre", "confidence", "level_dbfs", "clipped")
    writer.writerow([*head, "source", *genres])
    for moment in moments:
        writer.writerow(_row(moment, n_genres=len(genres)))
    return buffer.getvalue()


def _row(moment: LiveMoment, *, n_genres: int) -> list[str]:
    probs = [f"{p:.4f}" for p in moment.probs] if moment.has_music else [""] * n_genres
    return [
        moment.clock.isoformat(timespec="milliseconds"),
        f"{moment.seconds:.2f}",
        moment.status,
        moment.genre or "",
        f"{moment.probs.max():.4f}" if moment.has_music else "",
        f"{moment.level.rms_dbfs:.1f}",
        str(moment.level.is_clipped).lower(),
        _defuse(moment.source),
        *probs,
    ]


def _defuse(text: str) -> str:
    """Keep what a station says from being a formula where the file is opened."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text

"""What one visitor looks at in the current clip: the stretch shown, the moment played."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import streamlit as st

from app.jobs import Job
from app.session import Clip
from app.views import Span
from songnet.inference.explain import Attribution
from songnet.inference.what_if import Edits

__all__ = ["MIN_SPAN_SECONDS", "TrackState", "kept_track_state", "track_state"]

MIN_SPAN_SECONDS = 0.5


@dataclass
class TrackState:
    """The state of the page Understand for one clip.

    Parameters
    ----------
    clip_number : int
    duration_seconds : float
    span : Span
        What the views show.
    play_from : float or None
        The moment that was asked for, in seconds.
    n_played : int
        Counts how often a moment was asked for.
    n_zooms : int
        Counts changes of the span: a chart whose key holds it begins without a
        selection.
    edits : list of Edits
        All that was tried in What if, the current one last.
    job : Job or None
        The explanation at work, or done.
    """

    clip_number: int
    duration_seconds: float
    span: Span
    play_from: float | None = None
    n_played: int = 0
    n_zooms: int = 0
    edits: list[Edits] = field(default_factory=lambda: [Edits()])
    job: Job[Attribution] | None = None

    def show(self, start_seconds: float, end_seconds: float) -> None:
        """Show a stretch, within the track and not shorter than half a second."""
        length = min(max(end_seconds - start_seconds, MIN_SPAN_SECONDS), self.duration_seconds)
        start = min(max(start_seconds, 0.0), self.duration_seconds - length)
        self.span = Span(start, start + length)
        self.n_zooms += 1

    def zoom(self, factor: float) -> None:
        """Show more (above 1) or less (below 1) around the middle of the stretch."""
        middle = (self.span.start_seconds + self.span.end_seconds) / 2
        half = self.span.seconds * factor / 2
        self.show(middle - half, middle + half)

    def move(self, share: float) -> None:
        """Move by a share of the length of the stretch."""
        step = share * self.span.seconds
        self.show(self.span.start_seconds + step, self.span.end_seconds + step)

    def show_all(self) -> None:
        """Show the whole track."""
        self.show(0.0, self.duration_seconds)

    def play(self, seconds: float) -> None:
        """Play from a moment."""
        self.play_from = seconds
        self.n_played += 1


def kept_track_state(clip: Clip) -> TrackState | None:
    """Return the state for a clip; None where the page Understand has not shown it.

    Parameters
    ----------
    clip : Clip

    Returns
    -------
    state : TrackState or None
    """
    state = cast("TrackState | None", st.session_state.get("songnet_track"))
    return state if state is not None and state.clip_number == clip.number else None


def track_state(clip: Clip, *, duration_seconds: float) -> TrackState:
    """Return the state for a clip; another clip begins anew.

    Parameters
    ----------
    clip : Clip
    duration_seconds : float

    Returns
    -------
    state : TrackState
    """
    state = st.session_state.get("songnet_track")
    if state is None or state.clip_number != clip.number:
        state = TrackState(clip.number, duration_seconds, Span(0.0, duration_seconds))
        st.session_state["songnet_track"] = state
    return cast("TrackState", state)

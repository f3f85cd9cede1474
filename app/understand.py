"""The parts of the page Understand: one track, one panel at a time."""

from __future__ import annotations

import streamlit as st

from app import over_time_panel, session, sound_panel, what_if_panel, why_panel
from app.analysis import Analysis
from app.components import answer_text
from app.neighbours import show_neighbours
from app.session import Clip
from app.track_report import show_report_button
from app.track_state import track_state
from songnet.signal.audio import DecodeLimits

__all__ = ["show_empty", "show_track"]

_PANELS = {
    "Sound": ":material/graphic_eq:",
    "Over time": ":material/timeline:",
    "Why": ":material/psychology:",
    "What if": ":material/tune:",
}


def show_empty() -> None:
    """Say what this page is for."""
    st.markdown(
        "Give a track above, or on the page Classify. Then see its sound, how the genre moves "
        "over it, which seconds spoke for which genre, and what would change the answer."
    )


def show_track(clip: Clip, analysis: Analysis, *, limits: DecodeLimits) -> None:
    """Show the player and the panel that the visitor chose; only that one is computed.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    limits : DecodeLimits
    """
    prediction = analysis.prediction
    st.text(f"{clip.name}: {answer_text(prediction)}")
    if prediction.status == "not_music":
        st.info(
            "What is said about genres below holds only if this is music all the same.",
            icon=":material/music_off:",
        )
    state = track_state(clip, duration_seconds=prediction.duration_seconds)
    sound_panel.show_player(clip, analysis, state, limits=limits)
    panel = st.segmented_control(
        "Panel",
        list(_PANELS),
        default="Sound",
        required=True,
        format_func=lambda name: f"{_PANELS[name]} {name}",
        key="understand-panel",
        label_visibility="collapsed",
        persist_state="session",
    )
    if panel == "Sound":
        sound_panel.show_sound(clip, state, limits=limits)
    elif panel == "Over time":
        over_time_panel.show_over_time(clip, analysis, state)
    elif panel == "Why":
        why_panel.show_why(clip, analysis, state, limits=limits)
        show_neighbours(prediction.embedding, sha256=clip.digest)
    else:
        what_if_panel.show_what_if(clip, analysis, state, limits=limits)
    st.divider()
    with st.container(horizontal=True):
        show_report_button(clip, analysis, limits=limits)
        st.button("Another track", icon=":material/restart_alt:", on_click=session.start_over)

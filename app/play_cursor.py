"""A player and the charts of its page, joined: a click plays, a line moves with the sound."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.charts import seconds_to_axis
from app.playback import Playback

__all__ = ["show_joined_player"]

_CURSOR = st.components.v2.component(
    "songnet_play_cursor",
    js=(Path(__file__).parent / "assets" / "play_cursor.js").read_text(encoding="utf-8"),
)


def show_joined_player(
    playback: Playback, *, key: str, alt: str, seconds: float | None = None, request: int = 0
) -> None:
    """Show a player; each chart of the page with a time axis seeks in it and follows it.

    Browsers know when a sound plays and where it is clicked, so this runs
    there: a click costs no run of the page, and does not start the sound over.

    Parameters
    ----------
    playback : Playback
    key : str
        Letters and hyphens; there may be one joined player on a page.
    alt : str
        What is played, for who cannot see it.
    seconds : float, optional
        The moment to play from, as asked for by a button.
    request : int
        Counts what was asked for: each number is followed once.
    """
    with st.container(key=key):
        st.audio(playback.data, format=playback.mime, alt=alt)
    data = {
        "player": key,
        "origin_ms": seconds_to_axis(0.0),
        "seconds": seconds,
        "request": request,
    }
    _CURSOR(key=f"{key}-cursor", data=data, height=1)

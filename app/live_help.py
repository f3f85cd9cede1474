"""What the Live page says when it does not work, and the ways that need no live connection."""

from __future__ import annotations

import streamlit as st

from app import session
from app.components import facts_html, upload_limit_mb
from app.live_ice import IceServers
from app.live_session import LiveSession
from app.live_words import BROWSER_ERRORS, describe_trouble
from app.settings import Settings
from songnet.inference.live_places import LiveFullError
from songnet.signal.audio import AUDIO_EXTENSIONS

__all__ = ["show_advice", "show_diagnostics", "show_other_ways", "show_refusal"]

_FACTS_SECONDS = 2.0
_CLASSIFY = "../pages/classify.py"


def show_advice(trouble: str) -> None:
    """Say what keeps the browser from giving the microphone, if anything does.

    Parameters
    ----------
    trouble : {"", "insecure", "denied", "no_device"}
    """
    if text := describe_trouble(trouble):
        st.error(text, title="The microphone cannot be used", icon=":material/mic_off:")


def show_refusal(error: LiveFullError) -> None:
    """Say that too many listen, and let the visitor look again.

    Parameters
    ----------
    error : LiveFullError
    """
    st.warning(str(error), title="No place is free", icon=":material/event_seat:")
    st.button("Try again", icon=":material/refresh:")


def show_diagnostics(live: LiveSession, *, servers: IceServers) -> None:
    """Show what the connection is made of, and what the browser's errors mean.

    Parameters
    ----------
    live : LiveSession
    servers : IceServers
    """
    with st.expander(
        "It does not work? Connection and diagnostics", icon=":material/network_check:"
    ):
        st.fragment(_show_facts, run_every=_FACTS_SECONDS if live.is_live else None)(live, servers)
        st.markdown("**What the browser may say**")
        st.html(facts_html(BROWSER_ERRORS, unknown=""))


def _show_facts(live: LiveSession, servers: IceServers) -> None:
    view = live.listener.view()
    reader = live.reader if live.source == "address" else None
    rows = {
        "Connection": reader.state if reader else live.link,
        "Servers (ICE)": ", ".join(servers.urls) or "none",
        "They come from": servers.origin,
        "Sound that arrives": f"{view.sr / 1000:g} kHz, {view.channels} channels"
        if view.sr
        else "",
        "Waiting for the network": f"{view.buffered_seconds:.1f} s",
        "Lost": f"{view.dropped_seconds:.1f} s",
    }
    if not live.is_live:
        rows["Where UDP is blocked"] = (
            "a TURN server passes the sound on"
            if servers.has_turn
            else "no TURN server: it will not connect"
        )
    st.html(facts_html(rows, unknown="none yet"))


def show_other_ways(settings: Settings) -> None:
    """Show the ways that need no live connection; they lead to the Classify page.

    Parameters
    ----------
    settings : Settings
    """
    st.subheader("Without a live connection", anchor=False)
    st.caption("Recordings and files open on the Classify page.")
    recorded = st.audio_input("Record some seconds", sample_rate=None, key="live-recorder")
    chosen = st.file_uploader(
        f"Choose a file, up to {settings.max_minutes} minutes",
        type=AUDIO_EXTENSIONS,
        max_upload_size=upload_limit_mb(settings),
        key="live-upload",
    )
    if recorded is not None:
        session.take_live_recording(recorded.getvalue())
        st.switch_page(_CLASSIFY)
    if chosen is not None:
        session.take_live_upload(chosen.name, chosen.getvalue())
        st.switch_page(_CLASSIFY)

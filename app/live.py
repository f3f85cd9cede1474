"""The microphone in the browser, over WebRTC; the only importer of streamlit_webrtc.

The component's own button starts and stops: steered from outside, it hangs.
Its callback runs on the event loop of all connections and only appends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

import av
import streamlit as st
from streamlit_webrtc import (
    WebRtcMode,
    create_audio_sink_track,
    webrtc_streamer,
)
from streamlit_webrtc.credentials import get_available_ice_servers

from app import session
from app.live_ice import IceServers, choose_ice_servers
from app.live_session import LiveSession
from songnet.inference.streaming import Chunk

__all__ = [
    "Trouble",
    "frame_to_chunk",
    "ice_servers",
    "make_ear",
    "show_microphone",
    "watch_browser",
]

Trouble = Literal["", "insecure", "denied", "no_device"]
_KEY = "live-microphone"
_LONG_AGO = -10
# Made for speech, these three damage music.
_CONSTRAINTS = {
    "audio": {
        "echoCancellation": False,
        "noiseSuppression": False,
        "autoGainControl": False,
    },
    "video": False,
}
_WORDS = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose a microphone",
    "media_api_not_available": "This page cannot use a microphone: open it over https.",
    "device_ask_permission": "Please allow the page to use the microphone.",
    "device_not_available": "No microphone was found, or another program uses it.",
    "device_access_denied": "The browser does not let this page use the microphone.",
}
# Says nothing while all is well: each word to the server would run the page again.
_WATCH_JS = """
export default function ({ data, setStateValue }) {
  let gone = false;
  let permission = null;
  const look = async () => {
    const media = navigator.mediaDevices;
    let trouble = window.isSecureContext && media ? "" : "insecure";
    if (!trouble && permission && permission.state === "denied") trouble = "denied";
    if (!trouble) {
      const found = await media.enumerateDevices().catch(() => null);
      if (found && !found.some((device) => device.kind === "audioinput")) trouble = "no_device";
    }
    if (!gone && trouble !== data.trouble) setStateValue("trouble", trouble);
  };
  const begin = async () => {
    try {
      permission = await navigator.permissions.query({ name: "microphone" });
      permission.addEventListener("change", look);
    } catch {}
    navigator.mediaDevices?.addEventListener("devicechange", look);
    await look();
  };
  begin();
  return () => {
    gone = true;
    permission?.removeEventListener("change", look);
    navigator.mediaDevices?.removeEventListener("devicechange", look);
  };
}
"""


def ice_servers() -> IceServers:
    """Return the ICE servers for this visitor.

    Raises
    ------
    ParameterError
        If the settings are wrong.
    """
    return choose_ice_servers(st.context.url or "", ask_provider=get_available_ice_servers)


def show_microphone(live: LiveSession, *, servers: IceServers) -> None:
    """Show the start button and the choice of the device; sound goes to the session.

    Parameters
    ----------
    live : LiveSession
    servers : IceServers
    """
    _tell_whether_the_page_was_left(live)
    context = webrtc_streamer(
        key=_KEY,
        mode=WebRtcMode.SENDONLY,
        rtc_configuration={"iceServers": servers.servers},
        media_stream_constraints=_CONSTRAINTS,
        sink_audio_track=create_audio_sink_track(
            make_ear(live), key="live-sink", on_ended=live.end_microphone
        ),
        translations=cast("Any", _WORDS),
        media_toggle_controls=False,
    )
    live.note_link(playing=context.state.playing, signalling=context.state.signalling)


def _tell_whether_the_page_was_left(live: LiveSession) -> None:
    """Let the component end a connection from before the visitor left, and no other.

    By itself it compares how many runs of the script have told the browser that they ended; a
    busy server tells of two at once, and a connection that plays is taken for one left behind.
    """
    place = (session.visit().number, live.n_choices)
    was_here = st.session_state.get("live-place") == place
    st.session_state["live-place"] = place
    if (context := st.session_state.get(_KEY)) is not None:  # it offers no public way
        context._last_rendered_run_count = None if was_here else _LONG_AGO  # noqa: SLF001


def watch_browser() -> Trouble:
    """Ask the browser what keeps it from giving the microphone.

    Returns
    -------
    trouble : {"", "insecure", "denied", "no_device"}
    """
    known = st.session_state.get("live-browser", {}).get("trouble") or ""
    watch = st.components.v2.component("songnet_browser", js=_WATCH_JS)
    result = watch(
        key="live-browser", data={"trouble": known}, on_trouble_change=lambda: None, height=1
    )
    return cast("Trouble", result.get("trouble") or "")


def make_ear(live: LiveSession) -> Callable[[av.AudioFrame], None]:
    """Make the callback of the connection: it appends to the session's buffer, no more."""

    def take(frame: av.AudioFrame) -> None:
        live.hear_microphone(frame_to_chunk(frame), frame.sample_rate)

    return take


def frame_to_chunk(frame: av.AudioFrame) -> Chunk:
    """Turn a frame into samples.

    Parameters
    ----------
    frame : av.AudioFrame
        Packed or planar, 16-bit or float.

    Returns
    -------
    chunk : np.ndarray [shape=(n, channels), dtype=int16 or float32]
    """
    samples = cast("Chunk", frame.to_ndarray())
    return samples.T if frame.format.is_planar else samples.reshape(frame.samples, -1)

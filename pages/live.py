"""Let music play into the microphone, or tune in to a station, and watch the genre settle."""

import streamlit as st

from app import components, live, live_help, live_view, services
from app.live_session import live_session
from app.settings import read_settings
from songnet.exceptions import SongNetError

st.title("What is playing?", anchor=False)

try:
    settings = read_settings()
except SongNetError as error:
    components.show_error(error)
    st.stop()

try:
    session = live_session(
        services.load_classifier,
        places=services.live_places(settings.max_live_sessions),
        stations=services.live_places(settings.max_live_sessions, of="stations"),
    )
    live_view.choose_source(session)
    servers = live.ice_servers()
    advice = st.container()
    if session.refusal:
        live_help.show_refusal(session.refusal)
    elif session.source == "microphone":
        live.show_microphone(session, servers=servers)
    else:
        live_view.show_address(session, limits=settings.remote_limits)
    live_view.show_heard(session)
    live_help.show_diagnostics(session, servers=servers)
    if session.source == "microphone":
        # Invisible, and last: above the button it would leave a gap.
        trouble = live.watch_browser()
        with advice:
            live_help.show_advice(trouble)
except SongNetError as error:
    components.show_error(error)

live_help.show_other_ways(settings)

"""See and understand a track: its sound, its genre over time, why, and what if."""

import streamlit as st

from app import components, history, history_view, services, session, understand
from app.settings import read_settings
from songnet.exceptions import AudioError, SongNetError

st.title("Understand a track", anchor=False)

try:
    settings = read_settings()
    clip = session.current_clip()
    if clip is None:
        components.show_inputs(settings)
        understand.show_empty()
        components.show_examples(settings)
    else:
        with st.spinner("Listening …"):
            analysis = services.analyse(clip, limits=settings.limits)
        if isinstance(analysis, AudioError):
            components.show_error(analysis)
            st.button("Another track", icon=":material/restart_alt:", on_click=session.start_over)
        else:
            history.remember(clip, analysis)
            understand.show_track(clip, analysis, limits=settings.limits)
            history_view.keep_cookie()
except SongNetError as error:
    components.show_error(error)

"""Compare two models on one track, or two tracks under one model."""

import streamlit as st

from app import comparison, components
from app.settings import read_settings
from songnet.exceptions import SongNetError

st.title("Compare", anchor=False)

try:
    settings = read_settings()
    what = st.segmented_control(
        "Compare",
        ["Two models, one track", "Two tracks, one model"],
        default="Two models, one track",
        required=True,
        label_visibility="collapsed",
        key="compare-what",
        persist_state="session",
    )
    if what == "Two tracks, one model":
        comparison.compare_tracks(settings)
    else:
        comparison.compare_models(settings)
except SongNetError as error:
    components.show_error(error)

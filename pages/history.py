"""What was classified: search, correct, export, delete."""

import streamlit as st

from app import components, history_view
from songnet.exceptions import SongNetError

st.title("History", anchor=False)

try:
    history_view.show_privacy()
    history_view.show_undo()
    query = history_view.show_search()
    history_view.show_records(query)
    history_view.show_actions(query)
except SongNetError as error:
    components.show_error(error)

"""The model itself: card, layers, training, results, calibration, files, data."""

import streamlit as st

from app import components, model_view, services
from app.settings import read_settings
from songnet.exceptions import SongNetError

st.title("Model", anchor=False)

try:
    settings = read_settings()
    files = services.load_model_files()
    model_view.show_view(model_view.choose_view(), files, settings=settings)
except SongNetError as error:
    components.show_error(error)

"""The model itself: card, layers, training, results, calibration, files, data."""

import streamlit as st

from app import components, model_view, services
from app.settings import read_settings
from songnet.exceptions import SongNetError

st.title("Model", anchor=False)

try:
    settings = read_settings()
    files = services.load_model_files()
    view = components.choose_view(model_view.VIEWS, key="model-view")
    model_view.show_view(view, files, settings=settings)
except SongNetError as error:
    components.show_error(error)

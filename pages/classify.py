"""Upload or record a track, get its genre."""

import streamlit as st

from app import batch, components, history, history_view, services, session
from app.settings import read_settings
from songnet.exceptions import AudioError, SongNetError
from songnet.signal.decoding_process import start_decoding_process

st.title("What genre is it?", anchor=False)

try:
    settings = read_settings()
    components.show_inputs(settings, max_files=session.MAX_FILES)
    clip, files = session.current_clip(), session.several_files()
    if clip is None and not files:
        components.show_examples(settings)
    # Not before the inputs: the first visitor looks for a file meanwhile.
    from app import result

    services.load_classifier()
    if clip is None and files:
        batch.show_files(files, settings)
    elif clip is None:
        start_decoding_process()
    else:
        if files:
            batch.show_way_back(files)
        with st.spinner("Listening …"):
            analysis = services.analyse(clip, limits=settings.limits)
        if isinstance(analysis, AudioError):
            components.show_error(analysis)
            result.show_start_over()
        else:
            history.remember(clip, analysis)
            result.show_answer(clip, analysis)
            history_view.show_correction(clip)
            result.show_song(clip, analysis, limits=settings.limits)
            components.show_understand_link(analysis.prediction)
            result.show_details(clip, analysis)
except SongNetError as error:
    components.show_error(error)

history_view.show_recent()

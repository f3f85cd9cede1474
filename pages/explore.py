"""A whole collection: who is in it, what the model says, where it may be wrong."""

import streamlit as st

from app import components, explore, explore_lists, explore_track, explore_view, services
from app.settings import read_settings
from songnet.exceptions import SongNetError

explore_view.widen_page()
st.title("Explore a collection", anchor=False)

try:
    settings = read_settings()
    paths = explore.find_collections(settings)
    if not paths:
        explore_view.show_empty()
    else:
        name = st.selectbox(
            "Collection", list(paths), key="explore-collection", persist_state="session"
        )
        with st.spinner("Opening …"):
            collection = services.load_collection(paths[name])
        left, right = explore_view.side_by_side()
        with left:
            choice = explore_view.show_filters(collection, name=name)
            chosen = choice.select(collection)
            explore_view.show_counts(collection, chosen, name=name)
            view = explore_view.choose_view(collection)
            explore_lists.show_view(view, collection, chosen, name=name)
        row = explore_lists.selected_row(collection, name=name)
        with right:
            if row is None:
                explore_track.show_none()
            else:
                explore_track.show_track(
                    collection,
                    row,
                    limits=settings.limits,
                    plays=explore_lists.is_chosen_here(),
                    on_close=explore_lists.forget_selected,
                )
except SongNetError as error:
    components.show_error(error)

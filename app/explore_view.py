"""The parts of the Explore page above its tracks: filters, counts, the choice of a view."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import components, explore
from app.explore import VIEWS, Choice
from app.explore_charts import collection_colors, genre_counts_figure, years_figure
from songnet.datasets.registry import DATASET_NAMES
from songnet.inference.collection import Collection

__all__ = [
    "choose_view",
    "show_counts",
    "show_empty",
    "show_filters",
    "side_by_side",
    "widen_page",
]

# Not by st.set_page_config(layout="wide"): the page fell back to the narrow layout of the entry
# file from one rerun to the next. Below 60rem the list comes above the chosen track.
_WIDE = """<style>
[data-testid="stMainBlockContainer"] { max-width: 84rem; }
@media (max-width: 60rem) {
  .st-key-explore-columns > * > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-explore-columns > * > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] {
    min-width: 100%;
  }
}
</style>"""


def widen_page() -> None:
    """Give a table and a track beside it the room they need."""
    st.html(_WIDE)


def side_by_side() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return the places of the list and of the chosen track."""
    left, right = st.container(key="explore-columns").columns([3, 2], gap="large")
    return left, right


def show_empty() -> None:
    """Say how to get a collection to explore."""
    with st.container(border=True):
        st.markdown("**There is no collection yet.** One command listens to a folder of music:")
        st.code("songnet collection build --music ~/Music", language="bash")
        st.markdown(
            "Data sets work as well, with `--dataset fma-small`. To look at one without waiting, "
            "`songnet data index fma-small` is enough. Reload this page afterwards. "
            "Who runs the app decides which folders are shown, by `SONGNET_COLLECTIONS`."
        )


def show_filters(collection: Collection, *, name: str) -> Choice:
    """Show what can be filtered.

    Parameters
    ----------
    collection : Collection
    name : str
        Of the collection: its filters are its own.

    Returns
    -------
    choice : Choice
    """
    frame = collection.frame
    text = st.text_input(
        "Search title, artist and album",
        key=f"explore-text-{name}",
        icon=":material/search:",
        placeholder="Search title, artist and album",
        label_visibility="collapsed",
    )
    with st.expander("Filters", icon=":material/tune:"):
        left, right = st.columns(2)
        with left:
            genres = _choose_values("Genre", frame["genre"], key=f"explore-genre-{name}")
            licences = _choose_values("Licence", frame["licence"], key=f"explore-licence-{name}")
        with right:
            artist = st.text_input("Artist", key=f"explore-artist-{name}")
            splits = _choose_values("Split", frame["split"], key=f"explore-split-{name}")
        years = _choose_years(frame, key=f"explore-years-{name}")
        choice = Choice(
            genres=genres, licences=licences, splits=splits, artist=artist, text=text, years=years
        )
        st.button(
            "Clear search and filters",
            key=f"explore-clear-{name}",
            icon=":material/filter_alt_off:",
            disabled=choice == Choice(),
            on_click=_clear,
            args=(name, frame),
        )
    return choice


def _clear(name: str, frame: pd.DataFrame) -> None:
    empty: dict[str, object] = {"text": "", "artist": "", "genre": [], "licence": [], "split": []}
    for what, value in empty.items():
        st.session_state[f"explore-{what}-{name}"] = value
    if span := explore.years_span(frame):
        st.session_state[f"explore-years-{name}"] = span


def _choose_values(label: str, column: pd.Series, *, key: str) -> tuple[str, ...]:
    values = sorted(value for value in column.unique() if value)
    return tuple(
        st.multiselect(
            label,
            values,
            key=key,
            placeholder="All" if values else "Not known in this collection",
            disabled=not values,
        )
    )


def _choose_years(frame: pd.DataFrame, *, key: str) -> tuple[int, int] | None:
    span = explore.years_span(frame)
    if span is None:
        return None
    chosen = st.slider("Years", *span, span, key=key)
    if chosen == span:
        return None
    st.caption("Tracks of unknown year are left out.")
    return chosen


def show_counts(collection: Collection, chosen: pd.DataFrame, *, name: str) -> None:
    """Show how many tracks there are, by genre and by year.

    Parameters
    ----------
    collection : Collection
    chosen : pandas.DataFrame
        Tracks that the filters accept.
    name : str
    """
    years = explore.years_of(chosen)
    st.markdown(
        f"**{len(chosen):,}** of {len(collection):,} tracks by "
        f"{chosen['artist'].replace('', None).nunique():,} known artists, "
        f"{len(years):,} with a known year"
    )
    with st.expander("Genres and years", icon=":material/bar_chart:"):
        counts = explore.counts_by_genre(chosen)
        left, right = st.columns([3, 2])
        with left:
            st.plotly_chart(
                genre_counts_figure(
                    counts, colors=collection_colors(collection.genres, counts.index.tolist())
                ),
                key=f"explore-genres-{name}",
                config={"displayModeBar": False},
                alt="Number of tracks of each genre",
            )
        with right:
            if len(years):
                st.plotly_chart(
                    years_figure(years),
                    key=f"explore-year-counts-{name}",
                    config={"displayModeBar": False},
                    alt="Number of tracks of each year",
                )
            else:
                st.caption("No year is known.")


def choose_view(collection: Collection) -> str:
    """Let the visitor choose what to look at.

    Parameters
    ----------
    collection : Collection
        One that no model has listened to has its tracks only.

    Returns
    -------
    view : str
        One of `VIEWS`.
    """
    if not len(collection.predicted_rows):
        _show_not_heard(collection)
        return VIEWS[0]
    return components.choose_view(VIEWS, key="explore-view")


def _show_not_heard(collection: Collection) -> None:
    name = collection.index.name
    what = f"--dataset {name}" if name in DATASET_NAMES else "--music FOLDER"
    if (collection.frame["path"] != "").any():
        with st.expander("Not listened to yet: no map, no mistakes", icon=":material/hearing:"):
            st.markdown("One command listens to all of it; a chosen track is listened to at once.")
            st.code(f"songnet collection build {what}", language="bash")
    else:
        st.caption("Who made it, without audio: there is nothing to listen to.")

"""The parts of the Explore page: filters, counts, table, map."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from app import explore
from app.explore import PAGE_ROWS, SORTS, VIEWS, Choice
from app.explore_charts import (
    MAP_POINTS,
    collection_colors,
    genre_counts_figure,
    map_figure,
    years_figure,
)
from songnet.inference.collection import Collection

__all__ = [
    "choose_view",
    "selected_row",
    "show_counts",
    "show_empty",
    "show_filters",
    "show_view",
]

_STATE = "explore-selected"
_PLOTLY_CONFIG = {"displayModeBar": False, "scrollZoom": True}
_NOTES = {
    "Tracks": "Choose a row to see and hear the track.",
    "Mistakes": "Tracks that the model puts into another genre than the collection, "
    "the most confident first.",
    "Doubtful genres": "Tracks whose genre in the collection is likely wrong, by confident "
    "learning: the model is surer of another genre than it usually is of that genre's own tracks.",
    "Near-duplicates": "Pairs that are almost the same to the model: copies, remasters, versions, "
    "or one piece under two names.",
}
_LEARNED = (
    "The model learned from these tracks, so it seldom disagrees with their genre. "
    "Build the collection with `--out-of-fold` to ask networks that never heard the artist."
)
_COLUMNS = {
    "pair": st.column_config.NumberColumn("Pair", width=50),
    "similarity": st.column_config.NumberColumn("Alike", format="%.3f", width=70),
    "artist": st.column_config.TextColumn("Artist"),
    "title": st.column_config.TextColumn("Title"),
    "genre": st.column_config.TextColumn("Genre"),
    "predicted": st.column_config.TextColumn("Model says"),
    "suggested": st.column_config.TextColumn("Rather"),
    "confidence": st.column_config.ProgressColumn(
        "Confidence", format="percent", min_value=0, max_value=1
    ),
    "year": st.column_config.NumberColumn("Year", format="%d", width=60),
    "album": st.column_config.TextColumn("Album"),
    "licence": st.column_config.TextColumn("Licence"),
    "split": st.column_config.TextColumn("Split"),
}
_SHOWN = {
    "Near-duplicates": ("pair", "similarity", "artist", "title", "genre", "year", "licence"),
    "Doubtful genres": ("artist", "title", "genre", "suggested", "confidence", "year", "licence"),
}
_SHOWN_ELSE = ("artist", "title", "genre", "predicted", "confidence", "year", "album", "licence",
               "split")  # fmt: skip


def show_empty() -> None:
    """Say how to get a collection to explore."""
    with st.container(border=True):
        st.markdown("**There is no collection yet.** One command listens to a folder of music:")
        st.code("songnet collection build --music ~/Music", language="bash")
        st.markdown(
            "Data sets work as well, with `--dataset fma-small`. Reload this page afterwards. "
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
    return Choice(
        genres=genres, licences=licences, splits=splits, artist=artist, text=text, years=years
    )


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
    years = explore.years_of(frame)
    first, last = (int(years.min()), int(years.max())) if len(years) else (0, 0)
    if first == last:
        return None
    low, high = st.slider("Years", first, last, (first, last), key=key)
    if (low, high) == (first, last):
        return None
    st.caption("Tracks of unknown year are left out.")
    return low, high


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


def choose_view() -> str:
    """Let the visitor choose what to look at."""
    return st.segmented_control(
        "View",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="explore-view",
        label_visibility="collapsed",
    )


def show_view(view: str, collection: Collection, chosen: pd.DataFrame, *, name: str) -> None:
    """Show one view of the chosen tracks.

    Parameters
    ----------
    view : str
        One of `VIEWS`.
    collection : Collection
    chosen : pandas.DataFrame
        Tracks that the filters accept.
    name : str
    """
    if view == "Map":
        _show_map(collection, chosen, name=name)
        return
    st.caption(_NOTES[view])
    if view == "Near-duplicates":
        at_least = st.slider("At least so alike", 0.9, 1.0, 0.98, step=0.005, format="%.3f")
        rows = explore.near_duplicate_rows(collection, chosen, at_least=at_least)
    else:
        rows = explore.rows_of_view(view, collection, chosen)
        if view != "Tracks" and "heard" in set(rows["basis"]):
            st.info(_LEARNED, icon=":material/school:")
    if view == "Tracks":
        sort = st.selectbox("Order", list(SORTS), key="explore-sort", width=220)
        rows = explore.sort_rows(rows, sort)
    if rows.empty:
        st.info("No track fits. Take a filter away.", icon=":material/filter_alt_off:")
        return
    _show_table(rows, columns=_SHOWN.get(view, _SHOWN_ELSE), view=view, name=name)


def _show_table(rows: pd.DataFrame, *, columns: tuple[str, ...], view: str, name: str) -> None:
    """Show one page of tracks; only that page travels to the browser."""
    n_pages = -(-len(rows) // PAGE_ROWS)
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        page = 1
        if n_pages > 1:
            page = st.pagination(n_pages, key=f"explore-page-{name}-{view}-{n_pages}")
        st.download_button(
            f"{len(rows):,} tracks (CSV)",
            partial(explore.frame_csv, rows),
            file_name="tracks.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    shown = rows.iloc[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    known = [c for c in columns if c in ("artist", "title") or not _is_empty(shown[c])]
    key = f"explore-table-{name}-{view}-{hash(tuple(shown.index))}"
    place.dataframe(
        shown[known],
        hide_index=True,
        column_config=_COLUMNS,
        key=key,
        on_select=partial(_take_from_table, key, name, shown.index.tolist()),
        selection_mode="single-row",
        alt="Tracks; choose a row",
    )


def _is_empty(column: pd.Series) -> bool:
    return bool(column.isna().all() or (column.astype(str) == "").all())


def _take_from_table(key: str, name: str, rows: list[int]) -> None:
    picked = st.session_state[key].selection.rows
    st.session_state[_STATE] = (name, rows[picked[0]] if picked else None)


def _show_map(collection: Collection, chosen: pd.DataFrame, *, name: str) -> None:
    sample = explore.map_sample(chosen, most=MAP_POINTS)
    n_placed = int(chosen["x"].notna().sum())
    if sample.empty:
        st.info("None of these tracks could be listened to.", icon=":material/music_off:")
        return
    st.caption(
        f"Each point is a track; what sounds alike to the model lies together "
        f"({collection.facts['map_method']} of its embeddings). "
        + (
            f"Drawn are {len(sample):,} of {n_placed:,} tracks, chosen at random; filters bring "
            "others. "
            if len(sample) < n_placed
            else ""
        )
        + "Click a point to see and hear it; scroll to zoom."
    )
    key = f"explore-map-{name}"

    def take() -> None:
        points = st.session_state[key].selection.points
        if points:
            st.session_state[_STATE] = (name, int(points[0]["customdata"]))

    st.plotly_chart(
        map_figure(
            sample,
            colors=collection_colors(collection.genres, sample["colour_genre"].unique().tolist()),
            selected=selected_row(collection, name=name),
        ),
        key=key,
        on_select=take,
        selection_mode="points",
        config=_PLOTLY_CONFIG,
        alt="Map of the tracks, coloured by genre",
    )


def selected_row(collection: Collection, *, name: str) -> int | None:
    """Return the row that the visitor chose last, if it is of this collection."""
    of_collection, row = st.session_state.get(_STATE, ("", None))
    return row if of_collection == name and row is not None and row < len(collection) else None

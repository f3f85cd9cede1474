"""The tracks of a collection as a table or a map, and the one that is chosen."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from app import explore, session
from app.explore import PAGE_ROWS, SORTS
from app.explore_charts import MAP_POINTS, collection_colors, map_figure
from app.touch import is_phone, leave_drags_to_page
from songnet.inference.collection import Collection

__all__ = ["forget_selected", "is_chosen_here", "selected_row", "show_view"]

_STATE = "explore-selected"
_CHOSEN_IN = "explore-chosen-in"
_ARROWS_PX, _NUMBER_PX, _MOST_NUMBERS = 100, 44, 7
_PLOTLY_CONFIG = {"displayModeBar": False, "scrollZoom": True}
_NOTES = {
    "Tracks": "Choose a row to see the track, and to hear it where its audio is here.",
    "Mistakes": "Tracks that the model puts into another genre than the collection, "
    "the most confident first.",
    "Doubtful genres": "Tracks whose genre in the collection is likely wrong, by confident "
    "learning: the model is surer of another genre than it usually is of that genre's own tracks.",
    "Near-duplicates": "Pairs that are almost the same to the model: copies, remasters, versions, "
    "or one piece under two names.",
}
_NOTHING = {
    "Tracks": "No track fits. Take a filter away.",
    "Mistakes": "No mistake among these tracks: model and collection agree, or name genres that "
    "the other does not know.",
    "Doubtful genres": "No genre of these tracks is in doubt.",
    "Near-duplicates": "No two of these tracks are so alike. Ask for less.",
}
_MOSTLY = 0.5
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
        "Confidence", format="%.0f %%", min_value=0, max_value=100, width=110
    ),
    "year": st.column_config.TextColumn("Year", width=60),
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
        at_least = st.slider(
            "At least so alike", 0.8, 1.0, 0.98, step=0.005, format="%.3f", key="explore-alike"
        )
        rows = explore.near_duplicate_rows(collection, chosen, at_least=at_least)
    else:
        rows = explore.rows_of_view(view, collection, chosen)
        if view != "Tracks" and (rows["basis"] == "heard").mean() > _MOSTLY:
            st.info(_LEARNED, icon=":material/school:")
    if view == "Tracks":
        sort = st.selectbox("Order", list(SORTS), key="explore-sort", width=220)
        rows = explore.sort_rows(rows, sort)
    if rows.empty:
        st.info(_NOTHING[view], icon=":material/search_off:")
        return
    _show_table(rows, columns=_SHOWN.get(view, _SHOWN_ELSE), view=view, name=name)


def _show_table(rows: pd.DataFrame, *, columns: tuple[str, ...], view: str, name: str) -> None:
    """Show one page of tracks; only that page travels to the browser."""
    n_pages = -(-len(rows) // PAGE_ROWS)
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        page = 1
        if n_pages > 1:
            page = st.pagination(
                n_pages,
                # As wide as its content it shows one number of two.
                width=_ARROWS_PX + _NUMBER_PX * min(n_pages, _MOST_NUMBERS),
                key=f"explore-page-{name}-{view}-{n_pages}",
            )
        st.download_button(
            f"{len(rows):,} track{'s' if len(rows) != 1 else ''} (CSV)",
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
        explore.table_rows(shown)[known],
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
    _select(name, rows[picked[0]] if picked else None)


def _select(name: str, row: int | None) -> None:
    st.session_state[_STATE] = (name, row)
    st.session_state[_CHOSEN_IN] = session.visit().number
    if row is not None and is_phone():
        st.toast("The track is below the list.", icon=":material/arrow_downward:")


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
            _select(name, int(points[0]["customdata"]))

    st.plotly_chart(
        leave_drags_to_page(
            map_figure(
                sample,
                colors=collection_colors(
                    collection.genres, sample["colour_genre"].unique().tolist()
                ),
                selected=selected_row(collection, name=name),
            )
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
    if of_collection != name:
        st.session_state.pop(_CHOSEN_IN, None)
        return None
    return row if row is not None and row < len(collection) else None


def is_chosen_here() -> bool:
    """Whether the track was chosen since the visitor came to this page and collection."""
    return bool(st.session_state.get(_CHOSEN_IN) == session.visit().number)


def forget_selected() -> None:
    """Close the chosen track."""
    st.session_state.pop(_STATE, None)

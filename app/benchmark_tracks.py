"""What each model of the benchmark said of each track."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import benchmark
from app.benchmark import Results

__all__ = ["show_tracks"]

_FILTERS = ("All", "All models wrong", "All models right", "They disagree")


def show_tracks(results: Results) -> None:
    """Show a table of all tracks, and what was said of one."""
    models = st.multiselect(
        "Models",
        list(results.titles),
        default=list(results.titles)[:4],
        format_func=results.titles.__getitem__,
        key="benchmark-track-models",
    )
    frame = benchmark.track_frame(results, models)
    if frame.empty:
        missing = results.predictions.empty
        said = "Nothing is kept of single tracks: predictions.parquet is missing."
        st.info(said if missing else "Choose a model.", icon=":material/checklist:")
        return
    shown = st.segmented_control("Which tracks", _FILTERS, default=_FILTERS[0], required=True)
    genre = st.selectbox("Genre", ["All genres", *results.genres], width=240)
    keep = {
        "All": frame["n_right"] >= 0,
        "All models wrong": frame["n_right"] == 0,
        "All models right": frame["n_right"] == len(models),
        "They disagree": frame["n_right"].between(1, len(models) - 1),
    }[shown]
    rows = frame[keep & ((frame["genre"] == genre) | (genre == "All genres"))]
    st.caption(f"{len(rows):,} of {len(frame):,} tracks, each said out of fold.")
    table = rows.rename(columns=results.titles | {"genre": "Genre", "n_right": "Right"})
    st.dataframe(table.rename_axis("Track"), alt="What each model said of each track")
    _show_track(results, list(rows.index))


def _show_track(results: Results, track_ids: list[str]) -> None:
    track = st.selectbox(
        "Look at one track", track_ids, index=None, placeholder="Type a part of its name"
    )
    if track is None:
        return
    said = results.predictions[results.predictions["track_id"] == track].set_index("model")
    probs = said[[f"p_{genre}" for genre in results.genres]].loc[list(results.titles)]
    table = (100 * probs).round(0).astype(int)
    table.columns = pd.Index(list(results.genres))
    table.index = pd.Index([results.titles[model] for model in table.index], name="Probability, %")
    st.markdown(f"**{track}** is {said['genre'].iloc[0]}.")
    st.dataframe(table, alt="Probability of each genre by model")

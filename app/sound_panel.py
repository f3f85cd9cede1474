"""The panel Sound: the whole track to navigate in, and its views of a stretch."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import streamlit as st

from app.analysis import Analysis
from app.charts import clock_text
from app.charts_views import navigator_figure, views_figure
from app.downloads import download_stem
from app.play_cursor import show_joined_player
from app.services import load_classifier, make_playback
from app.session import Clip
from app.touch import leave_drags_to_page
from app.track_services import VIEWS, load_view
from app.track_state import TrackState
from app.views import ViewData, to_csv
from songnet.signal.audio import DecodeLimits

__all__ = ["NAVIGATOR_CONFIG", "picture_config", "show_player", "show_sound"]

NAVIGATOR_CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False}
_AXIS_START = "1970-01-02"


def picture_config(name: str) -> dict[str, Any]:
    """Plotly's settings for a figure that can be kept as PNG.

    Parameters
    ----------
    name : str
        Name of the picture's file, without its ending.

    Returns
    -------
    config : dict
    """
    return {
        "displayModeBar": True,
        "displaylogo": False,
        "scrollZoom": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }


def show_player(clip: Clip, analysis: Analysis, state: TrackState, *, limits: DecodeLimits) -> None:
    """Show the player and the whole track; a click plays, a drag zooms.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    state : TrackState
    limits : DecodeLimits
    """
    playback = make_playback(clip, codec=analysis.codec, limits=limits)
    show_joined_player(
        playback,
        key="track-player",
        alt=f"Player of {clip.name}",
        seconds=state.play_from,
        request=state.n_played,
    )
    key = f"navigator-{clip.number}-{state.n_zooms}"
    st.plotly_chart(
        leave_drags_to_page(
            navigator_figure(
                analysis.envelope, duration_seconds=state.duration_seconds, span=state.span
            )
        ),
        key=key,
        on_select=lambda: _zoom_to_box(key, state),
        selection_mode="box",
        config=NAVIGATOR_CONFIG,
        alt="The waveform of the whole track",
    )


def _zoom_to_box(key: str, state: TrackState) -> None:
    """Show what was dragged over."""
    box = st.session_state[key].selection.box
    if box:
        first, last = (_axis_seconds(x) for x in box[0]["x"])
        state.show(min(first, last), max(first, last))


def _axis_seconds(x: str | float) -> float:
    """Turn a place on the time axis into seconds; plotly gives dates or milliseconds."""
    import pandas as pd

    moment = pd.Timestamp(x) if isinstance(x, str) else pd.Timestamp(x, unit="ms")
    return float((moment - pd.Timestamp(_AXIS_START)).total_seconds())


def show_sound(clip: Clip, state: TrackState, *, limits: DecodeLimits) -> None:
    """Show the views that the visitor chose, of the stretch that is shown.

    Parameters
    ----------
    clip : Clip
    state : TrackState
    limits : DecodeLimits
    """
    chosen = st.pills(
        "Views",
        VIEWS,
        selection_mode="multi",
        default=["Waveform", "Mel-spectrogram"],
        key="sound-views",
        persist_state="session",
    )
    _show_zoom(state)
    if not chosen:
        st.info("Choose a view above.", icon=":material/visibility:")
        return
    with st.spinner("Drawing … the first view of tempo or chroma takes longer."):
        views = [
            load_view(name, clip, span=state.span, limits=limits)
            for name in VIEWS
            if name in chosen
        ]
    stem = download_stem(clip.name)
    key = f"views-figure-{clip.number}-{state.n_zooms}"
    st.plotly_chart(
        leave_drags_to_page(views_figure(views, span=state.span)),
        key=key,
        on_select=lambda: _zoom_to_box(key, state),
        selection_mode="box",
        config=picture_config(f"{stem}-views"),
        alt=f"{', '.join(view.name for view in views)} over time",
    )
    for view in views:
        if view.note:
            st.markdown(view.note)
    sr = load_classifier().bundle.features.sr
    st.caption(
        f"All but loudness show what the network hears: one channel at {sr / 1000:g} kHz. "
        "The camera above the figure keeps it as PNG."
    )
    _show_csv(views, stem)


def _show_zoom(state: TrackState) -> None:
    """Buttons for those who do not drag: keyboard, screen reader, phone."""
    span = state.span
    whole = span.seconds >= state.duration_seconds
    with st.container(horizontal=True, vertical_alignment="center"):
        for icon, help_, call, argument, is_off in (
            ("zoom_in", "Zoom in", state.zoom, 0.5, span.seconds <= 1),
            ("zoom_out", "Zoom out", state.zoom, 2.0, whole),
            ("arrow_back", "Earlier", state.move, -0.5, span.start_seconds <= 0),
            ("arrow_forward", "Later", state.move, 0.5, span.end_seconds >= state.duration_seconds),
        ):
            st.button(
                f":material/{icon}:",
                key=f"zoom-{icon}",
                help=help_,
                on_click=call,
                args=(argument,),
                disabled=is_off,
            )
        st.button("Whole track", key="zoom-all", on_click=state.show_all, disabled=whole)
        st.caption(
            f"{clock_text(span.start_seconds)} to {clock_text(span.end_seconds)}. Drag over the "
            "chart to zoom, click it to listen.",
            width="content",
        )


def _show_csv(views: list[ViewData], stem: str) -> None:
    with st.container(horizontal=True):
        for view in views:
            name = re.sub(r"\W+", "-", view.name.lower())
            st.download_button(
                f"{view.name} (CSV)",
                partial(to_csv, view),
                file_name=f"{stem}-{name}.csv",
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
                key=f"csv-{name}",
            )

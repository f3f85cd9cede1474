"""The panel Over time: sections, mean and spread, share of time."""

from __future__ import annotations

import streamlit as st

from app.analysis import Analysis
from app.charts import clock_text
from app.charts_explanation import SPREAD_NOTE, sections_figure, spread_figure
from app.components import percent
from app.downloads import download_stem, sections_csv, timeline_csv
from app.session import Clip
from app.sound_panel import NAVIGATOR_CONFIG
from app.track_state import TrackState
from songnet.inference.sections import MIN_SECTION_SECONDS, Section, find_sections
from songnet.inference.timeline import genre_steps, time_shares, window_spread

__all__ = ["show_over_time"]

_MAX_BUTTONS = 40


def show_over_time(clip: Clip, analysis: Analysis, state: TrackState) -> None:
    """Show how the genre moves over the track.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    state : TrackState
    """
    prediction = analysis.prediction
    genres, duration = prediction.genres, prediction.duration_seconds
    steps = genre_steps(prediction.timeline, duration_seconds=duration)
    sections = find_sections(steps, genres=genres)
    st.plotly_chart(
        sections_figure(steps, sections, genres=genres, duration_seconds=duration),
        key=f"sections-{clip.number}",
        config=NAVIGATOR_CONFIG,
        alt="Sections of the track, and the probabilities of the genres over time",
    )
    _show_sections(clip, sections, state)
    _show_spread(clip, analysis)
    shares = time_shares(steps)
    parts = [f"{genres[i]} {percent(shares[i])}" for i in (-shares).argsort() if shares[i]]
    st.markdown(f"**Most probable genre:** {', '.join(parts)} of the time")
    stem = download_stem(clip.name)
    with st.container(horizontal=True):
        for label, text, name in (
            ("Sections (CSV)", sections_csv(sections, genres=genres), "sections"),
            ("Timeline (CSV)", timeline_csv(steps, genres=genres), "timeline"),
        ):
            st.download_button(
                label,
                text,
                file_name=f"{stem}-{name}.csv",
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
            )


def _show_spread(clip: Clip, analysis: Analysis) -> None:
    prediction = analysis.prediction
    st.subheader("Mean and spread over the windows", anchor=False)
    n_windows = len(prediction.timeline.probs)
    if n_windows > 1:
        st.plotly_chart(
            spread_figure(window_spread(prediction.timeline), genres=prediction.genres),
            key=f"spread-{clip.number}",
            config=NAVIGATOR_CONFIG,
            alt="Mean and spread of each genre's probability",
        )
        st.caption(f"{n_windows} windows that overlap. {SPREAD_NOTE}")
    else:
        st.caption("The track is one window long: there is no spread.")


def _show_sections(clip: Clip, sections: tuple[Section, ...], state: TrackState) -> None:
    if len(sections) == 1:
        st.markdown("One section: the genre does not change.")
    else:
        with st.container(horizontal=True):
            for i, section in enumerate(sections[:_MAX_BUTTONS]):
                st.button(
                    f"{clock_text(section.start_seconds)} to {clock_text(section.end_seconds)}: "
                    f"{section.genre} {percent(section.confidence)}",
                    key=f"section-{clip.number}-{i}",
                    icon=":material/play_arrow:",
                    on_click=state.play,
                    args=(section.start_seconds,),
                )
        if len(sections) > _MAX_BUTTONS:
            st.caption(f"The first {_MAX_BUTTONS} of {len(sections)}; the CSV holds all.")
    st.caption(
        "A new section begins where cutting the track there explains the probabilities best "
        "(optimal partitioning by entropy, Jackson et al. 2005); none is shorter than "
        f"{MIN_SECTION_SECONDS:g} seconds. The percentage is the genre's mean probability."
    )

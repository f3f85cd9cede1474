"""The result of one file: genre, song and details.

Whatever comes out of a file (its name, its tags) is escaped here before it
reaches the page.
"""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st

from app import charts, session
from app.analysis import Analysis, genre_steps, time_shares
from app.components import answer_html, facts_html, not_sure_note, percent
from app.downloads import download_stem, result_json, timeline_csv
from app.neighbours import is_known_track, show_neighbours
from app.play_cursor import show_joined_player
from app.services import make_playback, read_model_facts, recognise
from app.session import Clip
from app.settings import read_settings
from app.touch import leave_drags_to_page
from app.track_facts import track_facts
from app.track_report import show_report_button
from songnet.inference.prediction import Prediction
from songnet.inference.trust import NOT_MUSIC
from songnet.signal.audio import DecodeLimits

__all__ = ["show_answer", "show_details", "show_song", "show_start_over"]

_PLOTLY_CONFIG = {"displayModeBar": False, "scrollZoom": False}


def show_answer(clip: Clip, analysis: Analysis) -> None:
    """Show the genre, how confident it is, and what was doubtful.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    """
    prediction = analysis.prediction
    with st.container(border=True, key="answer"):
        st.html(_answer_html(clip.name, prediction))
        # Closed, but there: whoever knows that it is music finds the answer all the same.
        is_music = prediction.status != "not_music"
        with nullcontext() if is_music else st.expander("If it is music all the same"):
            st.plotly_chart(
                charts.probabilities_figure(prediction.genres, prediction.probs),
                key=f"probabilities-{clip.digest}",
                config=_PLOTLY_CONFIG,
                alt="Probability of each genre: "
                + ", ".join(f"{g.genre} {percent(g.probability)}" for g in prediction.top(3)),
            )
    for warning in prediction.warnings:
        st.warning(warning, icon=":material/info:")
    if is_music and is_known_track(prediction.embedding, sha256=clip.digest):
        st.info(
            "The model learned from this track; on new music it is right less often.",
            icon=":material/school:",
        )


def _answer_html(name: str, prediction: Prediction) -> str:
    if prediction.status == "ok":
        then = [f"{g.genre} {percent(g.probability)}" for g in prediction.top(3)[1:]]
        return answer_html(
            caption=name,
            headline=prediction.genre,
            color=charts.genre_colors(prediction.genres)[prediction.genre],
            confidence=f"{percent(prediction.confidence)} confident",
            note=f"Then {' and '.join(then)}.",
        )
    if prediction.status == "not_music":
        return answer_html(caption=name, headline="Not music", note=NOT_MUSIC)
    note = not_sure_note(prediction, needed=read_model_facts().not_sure_below)
    return answer_html(caption=name, headline="Not sure", note=note)


def show_song(clip: Clip, analysis: Analysis, *, limits: DecodeLimits) -> None:
    """Show the player, and the genre over the song; a click there plays from that moment.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    limits : DecodeLimits
    """
    prediction = analysis.prediction
    steps = genre_steps(prediction.timeline, duration_seconds=prediction.duration_seconds)
    playback = make_playback(clip, codec=analysis.codec, limits=limits)
    is_music = prediction.status != "not_music"
    st.subheader("The genre over the song" if is_music else "The sound", anchor=False)
    show_joined_player(playback, key="song-player", alt=f"Player of {clip.name}")
    if playback.is_copy:
        st.caption("Browsers do not play this format: you hear a mono copy.")
    if not is_music:
        return
    st.plotly_chart(
        leave_drags_to_page(
            charts.song_figure(
                analysis.envelope,
                steps,
                genres=prediction.genres,
                duration_seconds=prediction.duration_seconds,
            )
        ),
        key=f"song-{clip.number}",
        config=_PLOTLY_CONFIG,
        alt="Waveform, and the probabilities of the genres over time",
    )
    shares = time_shares(steps)
    parts = [
        f"{prediction.genres[i]} {percent(shares[i])}" for i in (-shares).argsort() if shares[i]
    ]
    st.markdown(f"**Most probable genre:** {', '.join(parts)} of the time")
    st.caption("Click to hear that moment. Drag to zoom, double-click to see it all again.")


def _show_who(clip: Clip, analysis: Analysis) -> None:
    """Say who made the song and how that is known."""
    info = recognise(clip)
    rows, unknown = track_facts(analysis, info)
    st.subheader("Who made this?", anchor=False)
    st.html(facts_html(rows, unknown=unknown))
    st.caption(info.found_by)


def show_details(clip: Clip, analysis: Analysis) -> None:
    """Show what the file says about itself, and the downloads.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    """
    prediction = analysis.prediction
    _show_who(clip, analysis)
    if prediction.status != "not_music":
        show_neighbours(prediction.embedding, sha256=clip.digest)
    facts = read_model_facts()
    steps = genre_steps(prediction.timeline, duration_seconds=prediction.duration_seconds)
    stem = download_stem(clip.name)
    with st.container(horizontal=True):
        show_report_button(clip, analysis, limits=read_settings().limits)
        st.download_button(
            "Result (JSON)",
            result_json(analysis, name=clip.name, model=f"{facts.name} {facts.version}"),
            file_name=f"{stem}-genre.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Timeline (CSV)",
            timeline_csv(steps, genres=prediction.genres),
            file_name=f"{stem}-timeline.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        show_start_over()


def show_start_over() -> None:
    """Show the button that leads back to the empty page."""
    st.button("Start over", icon=":material/restart_alt:", on_click=session.start_over)

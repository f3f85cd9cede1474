"""The parts of the Live page that show what is heard."""

from __future__ import annotations

import streamlit as st

from app import session
from app.charts import clock_text, genre_colors
from app.charts_live import live_figure
from app.components import MUTED, answer_html, percent
from app.live_listener import LiveView
from app.live_log import find_changes, log_csv, probabilities
from app.live_memory import LiveMoment
from app.live_session import LiveSession, Source
from app.live_words import describe
from app.services import read_model_facts
from songnet.inference.streaming import LevelReading
from songnet.signal.remote import RemoteLimits

__all__ = [
    "choose_source",
    "show_address",
    "show_heard",
]

_UPDATE_SECONDS = 0.4
_COURSE_SECONDS = 2.0
_LINK_SECONDS = 8.0
_SPAN_SECONDS = 180.0
_LOWEST_DBFS = -70.0
_CLASSIFY = "../pages/classify.py"
_SOURCES: dict[Source, str] = {
    "microphone": ":material/mic: Microphone",
    "address": ":material/radio: Radio or link",
}


def choose_source(live: LiveSession) -> None:
    """Let the visitor choose where the sound comes from.

    Parameters
    ----------
    live : LiveSession
    """
    chosen = st.segmented_control(
        "Source",
        list(_SOURCES),
        format_func=_SOURCES.__getitem__,
        default="microphone",
        required=True,
        key="live-source",
        label_visibility="collapsed",
        persist_state="session",
    )
    live.choose(chosen or live.source)


def show_address(live: LiveSession, *, limits: RemoteLimits) -> None:
    """Let the visitor tune in to a station or a file.

    Parameters
    ----------
    live : LiveSession
    limits : RemoteLimits
    """
    reader = live.reader
    with st.form("live-address", border=False):
        url = st.text_input(
            "Address of a radio stream or of an audio file",
            placeholder="https://…",
            help="Icecast, SHOUTcast or any http address of MP3, AAC, Ogg, Opus, FLAC or WAV; "
            "M3U and PLS lists too. The server listens; nothing is played here.",
        )
        with st.container(horizontal=True):
            is_asked = st.form_submit_button("Listen", icon=":material/play_arrow:", type="primary")
            # Always there: what stands below would move, and be on the page twice for a moment.
            is_running = reader is not None and reader.is_running
            st.form_submit_button(
                "Stop", icon=":material/stop:", on_click=live.leave, disabled=not is_running
            )
    if is_asked and not url.strip():
        st.warning("Give an address first.", icon=":material/link:")
    elif is_asked:
        live.tune_in(url, limits=limits)
        st.rerun()


def show_heard(live: LiveSession) -> None:
    """Show the genre of now, the level, the last minutes, and what can be done with them.

    Parameters
    ----------
    live : LiveSession
    """
    now, course = st.fragment(_show_now), st.fragment(_show_course)
    is_moving = live.is_live or live.listener.view().can_undo
    if is_moving:
        course = st.fragment(_show_course, run_every=_COURSE_SECONDS)
    if live.is_live:
        now = st.fragment(_show_now, run_every=_UPDATE_SECONDS)
    elif live.link == "connecting":
        now = st.fragment(_show_now, run_every=_LINK_SECONDS)
    with st.container(border=True, key="live-now"):
        now(live, was_live=live.is_live)
    course(live, was_moving=is_moving)


def _show_now(live: LiveSession, *, was_live: bool) -> None:
    if was_live and not live.is_live:
        st.rerun()
    view, moments = live.listener.view(), live.listener.moments()
    words = describe(live, view, moments, not_sure_below=read_model_facts().not_sure_below)
    st.html(
        answer_html(
            caption=_caption(live, view),
            headline=words.title,
            note=words.note,
            confidence=words.confidence,
            color=words.color,
        )
    )
    is_heard = was_live and view.is_hearing and not view.is_paused
    st.html(_level_html(view.level if is_heard else None))
    st.html(_bars_html(live, view if is_heard else None))


def _caption(live: LiveSession, view: LiveView) -> str:
    source = live.listener.source if live.is_live else ""
    heard = f"{clock_text(view.seconds)} heard" if view.seconds else ""
    return " · ".join(part for part in (source, heard) if part) or "Nothing heard yet"


def _level_html(level: LevelReading | None) -> str:
    """A meter of the level, with the peak as a tick."""
    if level is None:
        width, peak, text = 0.0, 0.0, "no sound"
    else:
        width, peak = _share_of_meter(level.rms_dbfs), _share_of_meter(level.peak_dbfs)
        text = f"{level.rms_dbfs:.0f} dBFS"
    is_clipped = level is not None and level.is_clipped
    color = "#e0524a" if is_clipped else "var(--st-primary-color, #0f766e)"
    warning = " · too loud: clipping" if is_clipped else ""
    return (
        '<div style="display:flex;gap:.75rem;align-items:center">'
        f'<span style="{MUTED};width:3.2rem">Level</span>'
        '<div role="meter" aria-label="Level in dBFS" aria-valuemin="-70" aria-valuemax="0" '
        f'aria-valuenow="{_LOWEST_DBFS + width * -_LOWEST_DBFS:.0f}" '
        'style="position:relative;flex:1;height:.6rem;border-radius:.3rem;overflow:hidden;'
        'background:rgba(128,140,138,.25)">'
        f'<div style="height:100%;width:{width:.1%};background:{color}"></div>'
        f'<div style="position:absolute;top:0;bottom:0;left:calc({peak:.1%} - 2px);width:2px;'
        f'background:currentColor;opacity:{0.7 if peak else 0}"></div></div>'
        f'<span data-testid="level" style="{MUTED};min-width:5.2rem;text-align:right">'
        f"{text}{warning}</span></div>"
    )


def _share_of_meter(dbfs: float) -> float:
    return min(max(1 - dbfs / _LOWEST_DBFS, 0.0), 1.0)


def _bars_html(live: LiveSession, view: LiveView | None) -> str:
    """A bar for each genre; empty while nothing can be named."""
    prediction = view.prediction if view else None
    has_music = prediction is not None and prediction.status in ("ok", "not_sure")
    probs = prediction.probs if prediction is not None and has_music else [0.0] * len(live.genres)
    colors = genre_colors(live.genres)
    rows = "".join(
        f'<span style="text-align:right">{genre}</span>'
        '<div style="height:1.1rem;border-radius:.25rem;background:rgba(128,140,138,.12)">'
        f'<div style="height:100%;border-radius:.25rem;width:{p:.1%};background:{colors[genre]}">'
        f'</div></div><span style="{MUTED};text-align:right">'
        f"{percent(float(p)) if has_music else ''}</span>"
        for genre, p in zip(live.genres, probs, strict=True)
    )
    until = prediction.timeline.end_seconds[-1] if prediction is not None else 0.0
    return (
        f'<div data-testid="bars" data-until="{until:.2f}" '
        'style="display:grid;gap:.25rem .75rem;align-items:center;'
        f'grid-template-columns:max-content 1fr 2.6rem;margin-top:.5rem">{rows}</div>'
    )


def _show_course(live: LiveSession, *, was_moving: bool) -> None:
    view, moments = live.listener.view(), live.listener.moments()
    if was_moving and not (live.is_live or view.can_undo):
        st.rerun()
    _show_controls(live, view)
    if moments:
        _show_chart(live, moments)
        _show_keep(live, view)


def _show_controls(live: LiveSession, view: LiveView) -> None:
    listener = live.listener
    with st.container(horizontal=True):
        if view.is_paused:
            st.button("Resume", icon=":material/play_arrow:", on_click=listener.resume)
        else:
            st.button(
                "Pause",
                icon=":material/pause:",
                on_click=listener.pause,
                disabled=not live.is_live,
            )
        if st.button(
            "Reset",
            icon=":material/restart_alt:",
            disabled=not view.seconds and view.error is None,
            help="Forgets all that was heard, the recording too; for a minute it can be undone.",
        ):
            listener.reset()
            st.rerun()
        if view.can_undo and st.button(
            "Undo reset",
            icon=":material/undo:",
            help="Brings back what was heard before; possible for a minute.",
        ):
            listener.undo_reset()
            st.rerun()


def _show_chart(live: LiveSession, moments: tuple[LiveMoment, ...]) -> None:
    st.subheader("The last minutes", anchor=False)
    recent = [m for m in moments if m.seconds > moments[-1].seconds - _SPAN_SECONDS]
    seconds, probs = probabilities(recent)
    changes = [(change.seconds, change.genre) for change in find_changes(moments)]
    st.plotly_chart(
        live_figure(
            seconds, probs, genres=live.genres, changes=changes, span_seconds=_SPAN_SECONDS
        ),
        key="live-course",
        config={"displayModeBar": False, "scrollZoom": False},
        alt="Probabilities of the genres over the last minutes, with a marker at each change",
    )
    said = ", ".join(f"{clock_text(at)} {genre}" for at, genre in changes[-5:])
    st.caption(f"Changes of genre: {said}" if said else "No genre has been named yet.")


def _show_keep(live: LiveSession, view: LiveView) -> None:
    listener = live.listener
    with st.container(horizontal=True):
        st.download_button(
            f"Keep this recording ({clock_text(view.kept_seconds)}, WAV)",
            listener.recording_wav,
            file_name="songnet-live.wav",
            mime="audio/wav",
            icon=":material/download:",
            on_click="ignore",
        )
        if st.button("Open it on the Classify page", icon=":material/graphic_eq:"):
            session.take_live_recording(listener.recording_wav())
            st.switch_page(_CLASSIFY)
        st.download_button(
            "Session log (CSV)",
            lambda: log_csv(listener.moments(), genres=live.genres),
            file_name="songnet-live.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    st.caption(
        "The last five minutes of sound are in the server's memory, never on its disk. They go a "
        "minute after you reset, or with your session once you have closed the page."
    )

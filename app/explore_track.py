"""The chosen track: who made it, what the model says beside its genre, its sound."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app import charts, explore, services
from app.analysis import Analysis
from app.charts_views import views_figure
from app.components import answer_html, facts_html, percent, show_error
from app.neighbours import neighbours_html
from app.session import Clip
from app.track_services import load_waveform
from app.views import Span, draw_picture
from songnet.exceptions import AudioError, DatasetError
from songnet.inference.collection import Collection
from songnet.signal.audio import DecodeLimits

__all__ = ["show_none", "show_track"]

_PLOTLY_CONFIG = {"displayModeBar": False}
_BASIS = {
    "out-of-fold": "by a network that never heard this artist",
    "heard": "the model learned from this track",
    "new": "it learned from another collection",
}
_DOUBTS = {
    "not_sure": "It is too unsure to name one. ",
    "not_music": "It does not take this for music. ",
}
_N_NEIGHBOURS = 5
_PICTURES = ("Waveform", "Mel-spectrogram")


@dataclass(frozen=True)
class _Heard:
    """A track whose audio is here, and what the model says to it now."""

    clip: Clip
    analysis: Analysis


def show_none() -> None:
    """Say what this place is for."""
    with st.container(border=True):
        st.caption("Choose a track in the table or on the map to see and hear it here.")


def show_track(
    collection: Collection, row: int, *, limits: DecodeLimits, on_close: Callable[[], None]
) -> None:
    """Show everything about one track.

    Parameters
    ----------
    collection : Collection
    row : int
    limits : DecodeLimits
        Of what is opened.
    on_close : callable
        Called where the visitor closes it.
    """
    track = collection.frame.iloc[row]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(track["title"] or track["track_id"], anchor=False)
        st.button(
            "Close", key="explore-close", icon=":material/close:", type="tertiary",
            on_click=on_close,
        )  # fmt: skip
    try:
        with st.spinner("Listening …"):
            heard = _listen(collection, row, limits=limits)
    except DatasetError as error:
        show_error(error)
        heard = None
    _show_answer(collection, row, heard)
    if isinstance(heard, _Heard):
        _show_sound(heard, row, limits=limits)
    elif heard is None:
        st.caption("Its audio is not on this machine.")
    st.html(facts_html(_facts(track), unknown="unknown"))
    if track["predicted"]:
        near = collection.neighbours(collection.embeddings[row], k=_N_NEIGHBOURS + 1)
        near = near[near.index != row].head(_N_NEIGHBOURS)
        st.markdown("**Nearest to it in this collection**")
        st.html(neighbours_html(near))


def _listen(
    collection: Collection, row: int, *, limits: DecodeLimits
) -> _Heard | AudioError | None:
    """Return the track with what the model says; None where its file is not on this machine."""
    data = explore.audio_bytes(collection, row, limits=limits)
    if data is None:
        return None
    digest = hashlib.sha256(data).hexdigest()
    clip = Clip(number=0, name="", data=data, digest=digest, origin="upload")
    analysis = services.analyse(clip, limits=limits)
    return analysis if isinstance(analysis, AudioError) else _Heard(clip, analysis)


def _show_answer(collection: Collection, row: int, heard: _Heard | AudioError | None) -> None:
    """Show what the model said when it listened to the collection, else what it says now."""
    track = collection.frame.iloc[row]
    if track["predicted"]:
        status, basis = track["status"], _BASIS[track["basis"]]
        genres, probs = collection.genres, collection.probs[row].astype(float)
    elif isinstance(heard, _Heard):
        prediction = heard.analysis.prediction
        status, basis = prediction.status, "just now"
        genres, probs = prediction.genres, prediction.probs
    else:
        if problem := str(heard or track["error"] or track["status"]):
            with st.container(border=True):
                st.html(answer_html(caption="The model says", headline="Nothing", note=problem))
        return
    best = int(probs.argmax())
    doubt = _DOUBTS.get(status, "")
    with st.container(border=True, key="explore-track"):
        st.html(
            answer_html(
                caption=f"The model says ({basis})",
                headline=genres[best],
                color=charts.genre_colors(genres)[genres[best]],
                confidence=f"{percent(probs[best])} confident",
                note=f"{doubt}{_verdict(track['genre'], genres[best])}",
            )
        )
        st.plotly_chart(
            charts.probabilities_figure(genres, probs),
            key=f"explore-probabilities-{row}",
            config=_PLOTLY_CONFIG,
            alt="Probability of each genre",
        )


def _verdict(label: str, predicted: str) -> str:
    if not label:
        return "The collection names no genre."
    if label.casefold() == predicted.casefold():
        return f"The collection says {label} as well."
    return f"The collection says {label}."


def _facts(track: pd.Series) -> dict[str, str]:
    rows = {
        "Artist": track["artist"],
        "Title": track["title"],
        "Album": track["album"],
        "Year": "" if pd.isna(track["year"]) else str(int(track["year"])),
        "Licence": track["licence"],
        "Genre given": track["genre"],
        "Source": track["source"],
    }
    if track["split"]:
        rows["Split"] = track["split"]
    return rows


def _show_sound(heard: _Heard, row: int, *, limits: DecodeLimits) -> None:
    """Play and draw the track."""
    clip = heard.clip
    playback = services.make_playback(clip, codec=heard.analysis.codec, limits=limits)
    st.audio(playback.data, format=playback.mime, autoplay=True, alt="Player of the chosen track")
    y = load_waveform(clip, limits=limits)
    config = services.load_classifier().bundle.features
    span = Span(0.0, y.size / config.sr)
    st.plotly_chart(
        views_figure([draw_picture(v, y, config=config, span=span) for v in _PICTURES], span=span),
        key=f"explore-sound-{row}",
        config=_PLOTLY_CONFIG,
        alt="Waveform and mel-spectrogram",
    )

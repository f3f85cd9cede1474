"""The chosen track: who made it, what the model says beside its genre, its sound."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app import charts, explore, services
from app.analysis import Analysis
from app.charts_views import views_figure
from app.components import answer_html, facts_html, percent, plain_markdown, show_error
from app.neighbours import neighbours_html
from app.session import Clip
from app.touch import leave_drags_to_page
from app.track_services import load_waveform
from app.views import Span, draw_picture
from songnet.exceptions import AudioError
from songnet.inference.collection import NO_AUDIO, Collection
from songnet.inference.trust import NOT_MUSIC
from songnet.signal.audio import DecodeLimits

__all__ = ["show_none", "show_track"]

FloatArray = npt.NDArray[np.float64]

_PLOTLY_CONFIG = {"displayModeBar": False}
_BASIS = {
    "out-of-fold": "by a network that never heard this artist",
    "heard": "the model learned from this track",
    "new": "it learned from another collection",
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
    collection: Collection,
    row: int,
    *,
    limits: DecodeLimits,
    plays: bool,
    on_close: Callable[[], None],
) -> None:
    """Show everything about one track.

    Parameters
    ----------
    collection : Collection
    row : int
    limits : DecodeLimits
        Of what is opened.
    plays : bool
        Whether its sound begins by itself.
    on_close : callable
        Called where the visitor closes it.
    """
    track = collection.frame.iloc[row]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain_markdown(track["title"] or track["track_id"]), anchor=False)
        st.button(
            "Close", key="explore-close", icon=":material/close:", type="tertiary",
            on_click=on_close,
        )  # fmt: skip
    with st.spinner("Listening …"):
        heard = _listen(collection, row, limits=limits)
    _show_answer(collection, row, heard)
    if isinstance(heard, _Heard):
        _show_sound(heard, row, limits=limits, plays=plays)
    elif heard is None:
        st.caption(NO_AUDIO)
    else:
        show_error(heard)
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
    try:
        data = explore.audio_bytes(collection, row, limits=limits)
    except AudioError as error:
        return error
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
        problem = track["error"] or track["status"]
        if heard is None and problem:
            with st.container(border=True):
                st.html(answer_html(caption="The model says", headline="Nothing", note=problem))
        return
    with st.container(border=True, key="explore-track"):
        st.html(_answer_html(f"The model says ({basis})", status, genres, probs, track["genre"]))
        is_music = status != "not_music"
        with nullcontext() if is_music else st.expander("If it is music all the same"):
            st.plotly_chart(
                charts.probabilities_figure(genres, probs),
                key=f"explore-probabilities-{row}",
                config=_PLOTLY_CONFIG,
                alt="Probability of each genre",
            )


def _answer_html(
    caption: str, status: str, genres: tuple[str, ...], probs: FloatArray, label: str
) -> str:
    """Write the answer in the words of the page Classify, beside what the collection says."""
    top = [int(i) for i in probs.argsort()[::-1][:3]]
    if status == "ok":
        best = genres[top[0]]
        return answer_html(
            caption=caption,
            headline=best,
            color=charts.genre_colors(genres)[best],
            confidence=f"{percent(probs[top[0]])} confident",
            note=_verdict(label, best),
        )
    if status == "not_music":
        note = f"{NOT_MUSIC} {_verdict(label, '')}"
        return answer_html(caption=caption, headline="Not music", note=note)
    # Without a reason: a collection does not keep whether genre or music is in doubt.
    closest = ", ".join(f"{genres[i]} {percent(probs[i])}" for i in top)
    note = f"Closest: {closest}. {_verdict(label, '')}"
    return answer_html(caption=caption, headline="Not sure", note=note)


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


def _show_sound(heard: _Heard, row: int, *, limits: DecodeLimits, plays: bool) -> None:
    """Play and draw the track."""
    clip = heard.clip
    playback = services.make_playback(clip, codec=heard.analysis.codec, limits=limits)
    st.audio(playback.data, format=playback.mime, autoplay=plays, alt="Player of the chosen track")
    y = load_waveform(clip, limits=limits)
    config = services.load_classifier().bundle.features
    span = Span(0.0, y.size / config.sr)
    st.plotly_chart(
        leave_drags_to_page(
            views_figure(
                [draw_picture(v, y, config=config, span=span) for v in _PICTURES], span=span
            )
        ),
        key=f"explore-sound-{row}",
        config=_PLOTLY_CONFIG,
        alt="Waveform and mel-spectrogram",
    )

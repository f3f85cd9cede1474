"""The chosen track: who made it, what the model says beside its genre, its sound."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from app import charts, explore, services
from app.charts_views import views_figure
from app.components import answer_html, facts_html, percent, show_error
from app.neighbours import neighbours_html
from app.session import Clip
from app.track_services import load_waveform
from app.views import Span, draw_picture
from songnet.exceptions import AudioError, DatasetError
from songnet.inference.collection import Collection
from songnet.signal.audio import DecodeLimits

__all__ = ["show_track"]

_PLOTLY_CONFIG = {"displayModeBar": False}
_BASIS = {
    "out-of-fold": "by a network that never heard this artist",
    "heard": "the model learned from this track",
    "new": "it learned from another collection",
}
_N_NEIGHBOURS = 5
_PICTURES = ("Waveform", "Mel-spectrogram")


def show_track(collection: Collection, row: int, *, limits: DecodeLimits) -> None:
    """Show everything about one track.

    Parameters
    ----------
    collection : Collection
    row : int
    limits : DecodeLimits
        Of what is opened.
    """
    track = collection.frame.iloc[row]
    st.subheader(track["title"] or track["track_id"], anchor=False)
    with st.container(border=True, key="explore-track"):
        st.html(_answer(track, collection))
        if track["predicted"]:
            probs = collection.probs[row].astype(float)
            st.plotly_chart(
                charts.probabilities_figure(collection.genres, probs),
                key=f"explore-probabilities-{row}",
                config=_PLOTLY_CONFIG,
                alt="Probability of each genre",
            )
    _show_sound(collection, row, limits=limits)
    st.html(facts_html(_facts(track), unknown="unknown"))
    if track["predicted"]:
        near = collection.neighbours(collection.embeddings[row], k=_N_NEIGHBOURS + 1)
        near = near[near.index != row].head(_N_NEIGHBOURS)
        st.markdown("**Nearest to it in this collection**")
        st.html(neighbours_html(near))


def _answer(track: pd.Series, collection: Collection) -> str:
    if not track["predicted"]:
        return answer_html(
            caption="The model says", headline="Nothing", note=track["error"] or track["status"]
        )
    label = track["genre"]
    if not label:
        verdict = "The collection names no genre."
    elif label.casefold() == track["predicted"].casefold():
        verdict = f"The collection says {label} as well."
    else:
        verdict = f"The collection says {label}."
    colors = charts.genre_colors(collection.genres)
    return answer_html(
        caption=f"The model says ({_BASIS[track['basis']]})",
        headline=track["predicted"],
        color=colors[track["predicted"]],
        confidence=f"{percent(track['confidence'])} confident",
        note=verdict,
    )


def _facts(track: pd.Series) -> dict[str, str]:
    rows = {
        "Artist": track["artist"],
        "Title": track["title"],
        "Album": track["album"],
        "Year": "" if pd.isna(track["year"]) else str(int(track["year"])),
        "Licence": track["licence"],
        "Genre in the collection": track["genre"],
        "Source": track["source"],
    }
    if track["split"]:
        rows["Split"] = track["split"]
    return rows


def _show_sound(collection: Collection, row: int, *, limits: DecodeLimits) -> None:
    """Play and draw the track, where its file is on this machine."""
    try:
        data = explore.audio_bytes(collection, row, limits=limits)
    except DatasetError as error:
        show_error(error)
        return
    if data is None:
        st.caption("Its audio is not on this machine.")
        return
    digest = hashlib.sha256(data).hexdigest()
    clip = Clip(number=0, name="", data=data, digest=digest, origin="upload")
    analysis = services.analyse(clip, limits=limits)
    if isinstance(analysis, AudioError):
        return  # the answer above gives the reason
    playback = services.make_playback(clip, codec=analysis.codec, limits=limits)
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

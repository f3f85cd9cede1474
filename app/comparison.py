"""The parts of the page Compare: two models on one track, or two tracks under one model."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import charts, session, track_services
from app.charts_change import change_figure, timelines_figure
from app.components import percent, plain_markdown, show_error, upload_limit_mb
from app.services import load_classifier
from app.session import Clip
from app.settings import Settings
from app.sound_panel import NAVIGATOR_CONFIG
from app.track_services import ModelChoice
from songnet.exceptions import BundleError, SongNetError
from songnet.inference.prediction import Prediction, Timeline
from songnet.inference.timeline import genre_steps, time_shares
from songnet.signal.audio import AUDIO_EXTENSIONS, DecodeLimits

__all__ = ["compare_models", "compare_tracks"]

_LOG = logging.getLogger(__name__)
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One of two answers.

    Parameters
    ----------
    name : str
        Of the model or the track, for a person.
    details : tuple of str
        What else is worth comparing.
    prediction : Prediction
    """

    name: str
    details: tuple[str, ...]
    prediction: Prediction

    @cached_property
    def steps(self) -> Timeline:
        """How the genre moves over the track, without overlap."""
        return genre_steps(
            self.prediction.timeline, duration_seconds=self.prediction.duration_seconds
        )


def compare_models(settings: Settings) -> None:
    """Show the answers of two models on the current track.

    Parameters
    ----------
    settings : Settings
    """
    models = track_services.find_models()
    left, right = st.columns(2)
    titles = [model.title for model in models]
    first = left.selectbox("First model", titles, key="compare-first")
    # The smallest file of the shipped model is what people ask about.
    second = right.selectbox(
        "Second model", titles, index=_int8_index(models), key="compare-second"
    )
    clip = _current_clip(settings)
    if clip is None:
        return
    chosen = [models[titles.index(title)] for title in (first, second)]
    with st.spinner("Listening … the first time with Keras takes longer."):
        sides = [_side_of_model(clip, model, settings.limits) for model in chosen]
    _show_sides(sides)


def _int8_index(models: tuple[ModelChoice, ...]) -> int:
    return next((i for i, model in enumerate(models) if model.runtime == "litert-int8"), 0)


def _current_clip(settings: Settings) -> Clip | None:
    clip = session.current_clip()
    if clip is None:
        _show_uploader(settings, "upload", "Drop a song here or choose one")
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"Track: {clip.name}", width="content")
        st.button("Another track", on_click=session.start_over, icon=":material/restart_alt:")
    return clip


def _side_of_model(clip: Clip, model: ModelChoice, limits: DecodeLimits) -> Side | SongNetError:
    try:
        prediction, seconds = track_services.predict_with(clip, model, limits=limits)
    except BundleError as error:
        _LOG.warning("%s", error)
        return SongNetError(f"{model.title} cannot be run here. Choose another model or runtime.")
    if isinstance(prediction, SongNetError):
        return prediction
    size = f"{model.n_bytes / 1e6:.2f} MB"
    took = f"{1000 * seconds:.0f} ms on this machine, without decoding"
    return Side(model.title, (size, took), prediction)


def compare_tracks(settings: Settings) -> None:
    """Show the answers of the shipped model on two tracks.

    Parameters
    ----------
    settings : Settings
    """
    left, right = st.columns(2)
    with left:
        first = _current_clip(settings)
    with right:
        key = "compare-other"
        file = _show_uploader(settings, None, "Drop the other song here or choose one", key=key)
    if first is None or file is None:
        st.caption("Two tracks are needed.")
        return
    data = file.getvalue()
    second = Clip(
        number=-1,
        name=file.name,
        data=data,
        digest=hashlib.sha256(data).hexdigest(),
        origin="upload",
    )
    bundle = load_classifier().bundle
    model = next(m for m in track_services.find_models() if m.folder == bundle.folder)
    with st.spinner("Listening …"):
        sides = [_side_of_track(clip, model, settings.limits) for clip in (first, second)]
    _show_sides(sides)


def _show_uploader(
    settings: Settings, origin: session.Origin | None, label: str, *, key: str = ""
) -> UploadedFile | None:
    """An uploader whose file becomes the current clip, or stays on this page."""
    key = key or session.widget_key("upload")
    return st.file_uploader(
        f"{label}, up to {settings.max_minutes} minutes",
        type=AUDIO_EXTENSIONS,
        max_upload_size=upload_limit_mb(settings),
        key=key,
        on_change=session.take_upload if origin else None,
        args=(key,) if origin else None,
    )


def _side_of_track(clip: Clip, model: ModelChoice, limits: DecodeLimits) -> Side | SongNetError:
    prediction, _ = track_services.predict_with(clip, model, limits=limits)
    if isinstance(prediction, SongNetError):
        return prediction
    return Side(clip.name, (charts.clock_text(prediction.duration_seconds),), prediction)


def _show_sides(sides: list[Side | SongNetError]) -> None:
    for column, side in zip(st.columns(2), sides, strict=True):
        with column:
            if isinstance(side, SongNetError):
                show_error(side)
            else:
                _show_answer(side)
    answers = [side for side in sides if isinstance(side, Side)]
    if len(answers) == 2:
        _show_difference(answers[0], answers[1])


def _show_answer(side: Side) -> None:
    prediction = side.prediction
    named = {"ok": prediction.genre, "not_music": "Not music"}
    st.text(side.name)
    st.metric(
        "Genre",
        named.get(prediction.status, "Not sure"),
        f"{percent(prediction.confidence)} {prediction.genre}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        label_visibility="collapsed",
    )
    shares = time_shares(side.steps)
    order = [i for i in (-shares).argsort()[:3] if shares[i]]
    parts = ", ".join(f"{prediction.genres[i]} {percent(shares[i])}" for i in order)
    st.caption(f"Share of time: {parts}. {'. '.join(side.details)}.")


def _show_difference(first: Side, second: Side) -> None:
    genres = tuple(dict.fromkeys(first.prediction.genres + second.prediction.genres))
    sides, names = (first, second), (first.name, second.name)
    probs = [_aligned(side.prediction, genres, side.prediction.probs) for side in sides]
    st.subheader("Probability of each genre", anchor=False)
    st.plotly_chart(
        change_figure(genres, probs[0], probs[1], names=names),
        key="compare-figure",
        config=NAVIGATOR_CONFIG,
        alt="Probability of each genre, side by side",
    )
    largest = int(np.abs(probs[0] - probs[1]).argmax())
    gap = 100 * abs(probs[0] - probs[1])[largest]
    st.caption(
        f"Pale: {plain_markdown(first.name)}; full: {plain_markdown(second.name)}. They differ "
        f"most on {genres[largest]}, by {gap:.1f} percentage points."
    )
    st.subheader("The genre over time", anchor=False)
    steps = [
        replace(side.steps, probs=_aligned(side.prediction, genres, side.steps.probs))
        for side in sides
    ]
    st.plotly_chart(
        timelines_figure(genres, steps[0], steps[1], names=names),
        key="compare-timelines",
        config=NAVIGATOR_CONFIG,
        alt="Probability of the genres over time, one answer over the other",
    )


def _aligned(prediction: Prediction, genres: tuple[str, ...], probs: FloatArray) -> FloatArray:
    """Probabilities in the order of other genres; 0 for those that the model does not know."""
    aligned = np.zeros((*probs.shape[:-1], len(genres)))
    aligned[..., [genres.index(genre) for genre in prediction.genres]] = probs
    return aligned

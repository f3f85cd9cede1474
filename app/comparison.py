"""The parts of the page Compare: two models on one track, or two tracks under one model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import streamlit as st

from app import charts, history, services, session, track_services
from app.analysis import Analysis
from app.charts_change import change_figure, timelines_figure
from app.components import percent, plain_markdown, show_error, upload_limit_mb
from app.downloads import download_stem
from app.session import Clip
from app.settings import Settings
from app.sound_panel import NAVIGATOR_CONFIG
from app.track_services import ModelChoice
from songnet.exceptions import AudioError, BundleError, SongNetError
from songnet.inference.prediction import Prediction, Timeline
from songnet.inference.timeline import genre_steps, time_shares
from songnet.signal.audio import AUDIO_EXTENSIONS, DecodeLimits
from songnet.spreadsheet import rows_csv

__all__ = ["compare_models", "compare_tracks", "comparison_csv"]

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
    first = left.selectbox("First model", titles, key="compare-first", persist_state="session")
    # The smallest file of the shipped model is what people ask about.
    second = right.selectbox(
        "Second model",
        titles,
        index=_int8_index(models),
        key="compare-second",
        persist_state="session",
    )
    clip = _current_clip(settings)
    if clip is None:
        return
    chosen = [models[titles.index(title)] for title in (first, second)]
    with st.spinner("Listening … the first time with Keras takes longer."):
        analysis = _listen(clip, settings.limits)
        if isinstance(analysis, AudioError):
            show_error(analysis)
            return
        sides = [_side_of_model(clip, model, settings.limits) for model in chosen]
    _show_sides(sides, name=clip.name)


def _listen(clip: Clip, limits: DecodeLimits) -> Analysis | AudioError:
    """Ask the shipped model, as the page Classify does, and remember the answer."""
    analysis = services.analyse(clip, limits=limits)
    if not isinstance(analysis, AudioError):
        history.remember(clip, analysis)
    return analysis


def _int8_index(models: tuple[ModelChoice, ...]) -> int:
    return next((i for i, model in enumerate(models) if model.runtime == "litert-int8"), 0)


def _current_clip(settings: Settings) -> Clip | None:
    clip = session.current_clip()
    if clip is None:
        _show_uploader(
            settings,
            "Drop a song here or choose one",
            key=session.widget_key("upload"),
            on_change=session.take_upload,
        )
    else:
        _show_name(f"Track: {clip.name}", "Another track", on_click=session.start_over)
    return clip


def _second_clip(settings: Settings) -> Clip | None:
    clip = session.second_clip()
    if clip is None:
        _show_uploader(
            settings,
            "Drop the other song here or choose one",
            key="compare-other",
            on_change=session.take_second,
        )
    else:
        _show_name(f"Other track: {clip.name}", "Another", on_click=session.forget_second)
    return clip


def _show_name(text: str, label: str, *, on_click: Callable[[], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(text, width="content")
        st.button(label, on_click=on_click, icon=":material/restart_alt:")


def _side_of_model(clip: Clip, model: ModelChoice, limits: DecodeLimits) -> Side | SongNetError:
    try:
        prediction = track_services.predict_with(clip, model, limits=limits)
    except BundleError as error:
        _LOG.warning("%s", error)
        return SongNetError(f"{model.title} cannot be run here. Choose another model or runtime.")
    if isinstance(prediction, SongNetError):
        return prediction
    return Side(model.title, (f"{model.n_bytes / 1e6:.2f} MB",), prediction)


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
        second = _second_clip(settings)
    if first is None or second is None:
        st.caption("Two tracks are needed.")
        return
    with st.spinner("Listening …"):
        sides = [_side_of_track(clip, settings.limits) for clip in (first, second)]
    _show_sides(sides, name=first.name)


def _show_uploader(
    settings: Settings, label: str, *, key: str, on_change: Callable[[str], None]
) -> None:
    st.file_uploader(
        f"{label}, up to {settings.max_minutes} minutes",
        type=AUDIO_EXTENSIONS,
        max_upload_size=upload_limit_mb(settings),
        key=key,
        on_change=on_change,
        args=(key,),
    )


def _side_of_track(clip: Clip, limits: DecodeLimits) -> Side | SongNetError:
    analysis = _listen(clip, limits)
    if isinstance(analysis, AudioError):
        return analysis
    prediction = analysis.prediction
    return Side(clip.name, (charts.clock_text(prediction.duration_seconds),), prediction)


def _show_sides(sides: list[Side | SongNetError], *, name: str) -> None:
    for column, side in zip(st.columns(2), sides, strict=True):
        with column:
            if isinstance(side, SongNetError):
                show_error(side)
            else:
                _show_answer(side)
    answers = [side for side in sides if isinstance(side, Side)]
    if len(answers) == 2:
        _show_difference(answers[0], answers[1])
        st.download_button(
            "Comparison (CSV)",
            comparison_csv(answers[0], answers[1]),
            file_name=f"{download_stem(name)}-comparison.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def comparison_csv(first: Side, second: Side) -> str:
    """Write two answers as CSV, a row each, with the probability of every genre.

    Parameters
    ----------
    first, second : Side

    Returns
    -------
    text : str
    """
    genres = _all_genres(first, second)
    rows = []
    for side in (first, second):
        prediction = side.prediction
        probs = _aligned(prediction, genres, prediction.probs)
        rows.append(
            {
                "name": side.name,
                "status": prediction.status,
                "genre": prediction.genre,
                "confidence": f"{prediction.confidence:.4f}",
                "duration_seconds": f"{prediction.duration_seconds:.3f}",
                **{genre: f"{p:.4f}" for genre, p in zip(genres, probs, strict=True)},
            }
        )
    return rows_csv(rows, columns=list(rows[0]))


def _all_genres(first: Side, second: Side) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first.prediction.genres + second.prediction.genres))


def _show_answer(side: Side) -> None:
    prediction = side.prediction
    named = {"ok": prediction.genre, "not_music": "Not music"}
    st.text(side.name)
    st.metric(
        "Genre",
        named.get(prediction.status, "Not sure"),
        _confidence_text(prediction),
        delta_color="off",
        delta_arrow="off",
        border=True,
        label_visibility="collapsed",
    )
    shares = time_shares(side.steps)
    order = [i for i in (-shares).argsort()[:3] if shares[i]]
    parts = ", ".join(f"{prediction.genres[i]} {percent(shares[i])}" for i in order)
    st.caption(f"Most probable genre: {parts} of the time. {'. '.join(side.details)}.")


def _confidence_text(prediction: Prediction) -> str:
    share = percent(prediction.confidence)
    if prediction.status == "ok":
        return f"{share} confident"
    return f"closest: {prediction.genre} {share}"


def _show_difference(first: Side, second: Side) -> None:
    genres = _all_genres(first, second)
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
        f"Upper bar: {plain_markdown(first.name)}; lower bar: {plain_markdown(second.name)}. "
        f"They differ most on {genres[largest]}, by {gap:.1f} percentage points."
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

"""The panel Why: what each moment said, exactly, and gradients on the log-mel."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import CancelledError

import numpy as np
import numpy.typing as npt
import streamlit as st

from app import session, track_services
from app.analysis import Analysis
from app.charts import clock_text, genre_colors
from app.charts_change import METHODS, attribution_figure
from app.charts_explanation import evidence_figure, group_moments, odds_text
from app.components import show_error
from app.downloads import download_stem
from app.explanation_check import show_check
from app.jobs import Job
from app.services import load_classifier
from app.session import Clip
from app.sound_panel import NAVIGATOR_CONFIG, picture_config
from app.track_state import TrackState
from app.views import Span
from songnet.exceptions import SongNetError
from songnet.inference.evidence import evidence_for
from songnet.inference.explain import Attribution
from songnet.inference.explain_process import ExplainMethod, explain_in_process
from songnet.inference.prediction import Prediction
from songnet.signal.audio import DecodeLimits

__all__ = ["show_why"]

FloatArray = npt.NDArray[np.float64]
_ALL_OTHERS = "all other genres"
_MAX_SECONDS = 60.0
_CALLS: dict[str, ExplainMethod] = {
    "Integrated gradients": "integrated_gradients",
    "SmoothGrad": "smooth_grad",
    "Grad-CAM": "grad_cam",
}


def show_why(clip: Clip, analysis: Analysis, state: TrackState, *, limits: DecodeLimits) -> None:
    """Show what spoke for a genre, and where.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    state : TrackState
    limits : DecodeLimits
    """
    prediction = analysis.prediction
    ranked = [item.genre for item in prediction.top(len(prediction.genres))]
    left, right = st.columns(2)
    genre = left.selectbox(
        "What spoke for", ranked, key=f"why-for-{clip.number}", persist_state="session"
    )
    others = [_ALL_OTHERS, *(name for name in ranked if name != genre)]
    against = right.selectbox(
        "and against it, for", others, key=f"why-against-{clip.number}", persist_state="session"
    )
    _show_evidence(clip, prediction, genre=genre, against=against)
    show_check(load_classifier().bundle)
    st.subheader("In time and frequency", anchor=False)
    if not track_services.can_explain():
        st.info(
            "Gradients need TensorFlow and the Keras file of the model. Install them with "
            "“pip install -e .[train]” and reload.",
            icon=":material/extension_off:",
        )
        return
    _show_gradients(clip, state, genre=genre, limits=limits)


def _show_evidence(clip: Clip, prediction: Prediction, *, genre: str, against: str) -> None:
    rival = None if against == _ALL_OTHERS else against
    evidence = evidence_for(prediction, genre, against=rival)
    edges, sums = group_moments(
        prediction.evidence.seconds, evidence, duration_seconds=prediction.duration_seconds
    )
    st.plotly_chart(
        evidence_figure(
            edges,
            sums,
            genre=genre,
            against="others" if rival is None else rival,
            color=genre_colors(prediction.genres)[genre],
        ),
        key=f"evidence-{clip.number}-{genre}-{against}",
        config=NAVIGATOR_CONFIG,
        alt=f"What each moment said for {genre} and against it",
    )
    total = float(evidence.sum())
    st.markdown(
        f"For: **{evidence[evidence > 0].sum():+.2f}**, against: "
        f"**{evidence[evidence < 0].sum():+.2f}**, together **{total:+.2f}**: "
        f"{odds_text(total, genre=genre, against=rival)}."
    )
    for text, order in (("Most for it", np.argsort(-sums)), ("Most against it", np.argsort(sums))):
        moments = _moments(edges, sums, order, is_for=text == "Most for it")
        if moments:
            st.markdown(f"{text}: at {', '.join(moments)}.")
    st.caption(
        "Exact: the sum of all bars is the logarithm of that ratio. Each moment was heard with "
        "what stands around it, so a bar belongs to its moment and its surroundings. Click a bar "
        "to listen."
    )


def _moments(
    edges: FloatArray, sums: FloatArray, order: npt.NDArray[np.intp], *, is_for: bool
) -> list[str]:
    """The first three different seconds of an order that speak for it, or against it."""
    chosen = [i for i in order if (sums[i] > 0) == is_for and sums[i]]
    return list(dict.fromkeys(clock_text(math.floor(edges[i])) for i in chosen))[:3]


def _show_gradients(clip: Clip, state: TrackState, *, genre: str, limits: DecodeLimits) -> None:
    method = st.segmented_control(
        "Method",
        list(METHODS),
        default="Integrated gradients",
        key=f"method-{clip.number}",
        persist_state="session",
    )
    if method is None:
        return
    st.caption(METHODS[method])
    start = state.span.start_seconds
    end = min(state.span.end_seconds, start + _MAX_SECONDS)
    st.button(
        f"Explain {genre} from {clock_text(start)} to {clock_text(end)}",
        icon=":material/play_circle:",
        key="explain",
        on_click=_start_job,
        args=(clip, state),
        kwargs={"method": method, "genre": genre, "limits": limits, "span": Span(start, end)},
        disabled=state.job is not None and not state.job.is_done,
        help=f"At most {_MAX_SECONDS:.0f} seconds of what the waveform above frames.",
    )
    if state.job is not None and state.job.is_done:
        _show_attribution(clip, state.job)
    elif state.job is not None:
        _show_progress(state)


def _start_job(
    clip: Clip, state: TrackState, *, method: str, genre: str, limits: DecodeLimits, span: Span
) -> None:
    bundle = load_classifier().bundle
    y = span.cut(track_services.load_waveform(clip, limits=limits), sr=bundle.features.sr)

    def work(report: Callable[[float], None]) -> Attribution:
        return explain_in_process(bundle.folder, y, genre, method=_CALLS[method], progress=report)

    state.job = Job(
        work,
        is_wanted=session.watch_clip(clip),
        title=method,
        start_seconds=span.start_seconds,
    )


@st.fragment(run_every=1.0)
def _show_progress(state: TrackState) -> None:
    """Show how far the job is; reruns itself until the page can show the result."""
    job = state.job
    if job is None or job.is_done:
        st.rerun()
    text = "Computing …" if job.progress else "Starting TensorFlow …"
    if job.is_waiting:
        text = "Waiting for another explanation to end …"
    st.progress(job.progress, text=text)
    st.button("Cancel", icon=":material/close:", key="cancel-job", on_click=_cancel, args=(state,))


def _cancel(state: TrackState) -> None:
    if state.job is not None:
        state.job.cancel()
        state.job = None


def _show_attribution(clip: Clip, job: Job[Attribution]) -> None:
    try:
        attribution = job.result()
    except CancelledError:
        return
    except SongNetError as error:
        show_error(error)
        return
    bands = track_services.band_names(load_classifier().bundle.features)
    st.plotly_chart(
        attribution_figure(attribution, bands=bands, start=job.start_seconds),
        key=f"attribution-{clip.number}",
        config=picture_config(f"{download_stem(clip.name)}-explanation"),
        alt=f"Log-mel spectrogram, and what spoke for {attribution.genre}",
    )
    found = float(attribution.values.sum())
    check = (
        f" The cells sum to {found:.2f}; the logit rose by {attribution.total:.2f}, so in all they "
        f"are {abs(found - attribution.total):.2f} off."
        if attribution.total
        else ""
    )
    st.caption(f"{job.title}, {attribution.genre}.{check}")

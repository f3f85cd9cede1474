"""The report of the track at hand: what its pages show, gathered and written."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import UTC, datetime

import streamlit as st

from app import track_services
from app.analysis import Analysis
from app.downloads import download_stem
from app.jobs import Job
from app.neighbours import find_neighbours
from app.report import (
    ReportFigure,
    ReportTrack,
    attribution_figures,
    report_figures,
    report_html,
    what_if_figures,
)
from app.services import load_classifier, read_model_facts, recognise
from app.session import Clip
from app.track_services import VIEWS, load_view
from app.track_state import kept_track_state
from app.views import Span
from songnet.exceptions import SongNetError
from songnet.inference.explain import Attribution
from songnet.inference.what_if import Edits
from songnet.signal.audio import DecodeLimits

__all__ = ["show_report_button"]


def show_report_button(clip: Clip, analysis: Analysis, *, limits: DecodeLimits) -> None:
    """Offer the report of a track; it is written when it is asked for.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    limits : DecodeLimits
    """
    st.download_button(
        "Report (HTML)",
        _writer(clip, analysis, limits),
        file_name=f"{download_stem(clip.name)}-report.html",
        mime="text/html",
        icon=":material/article:",
        on_click="ignore",
        help="All about this track but its sound, in one file to keep or send; the first report "
        "takes some seconds",
        key="report",
    )


def _writer(clip: Clip, analysis: Analysis, limits: DecodeLimits) -> Callable[[], str]:
    """Bind what only the visitor's own thread can read."""
    state = kept_track_state(clip)
    job = None if state is None else state.job
    edits = Edits() if state is None else state.edits[-1]
    created, facts = datetime.now(UTC), read_model_facts()
    near = find_neighbours(analysis.prediction.embedding, sha256=clip.digest)

    def write() -> str:
        whole = Span(0.0, analysis.prediction.duration_seconds)
        views = [load_view(name, clip, span=whole, limits=limits) for name in VIEWS]
        figures = report_figures(analysis, views=views)
        figures += [*_explained(job), *_changed(clip, analysis, edits, limits=limits)]
        track = ReportTrack(clip.name, analysis, recognise(clip), near)
        return report_html(track, model=facts, figures=figures, created=created)

    return write


def _explained(job: Job[Attribution] | None) -> list[ReportFigure]:
    """The gradients that the visitor had computed, if any."""
    if job is None or not job.is_done:
        return []
    try:
        attribution = job.result()
    except (CancelledError, SongNetError):
        return []
    bands = track_services.band_names(load_classifier().bundle.features)
    return attribution_figures(attribution, job.title, bands=bands, start=job.start_seconds)


def _changed(
    clip: Clip, analysis: Analysis, edits: Edits, *, limits: DecodeLimits
) -> list[ReportFigure]:
    """The answer to the track as the visitor changed it under What if, if at all."""
    if edits.is_none:
        return []
    after = track_services.predict_edited(clip, edits, limits=limits).prediction
    if isinstance(after, SongNetError):
        return []
    return what_if_figures(analysis.prediction, after, edits)

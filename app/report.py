"""A report of one track to keep or send: one HTML file that needs nothing else.

It holds what the app shows of the track, never its sound. plotly.js travels in
it compressed, so that a report has about 2 MB. Whatever comes out of a file is
escaped by the template, and the report's own content policy lets no other
script run and nothing be fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from markupsafe import Markup

from app.analysis import Analysis, genre_steps
from app.charts import clock_text, genre_colors, song_figure
from app.charts_change import METHODS, attribution_figure, change_figure
from app.charts_explanation import (
    SPREAD_NOTE,
    evidence_figure,
    group_moments,
    odds_text,
    spread_figure,
)
from app.charts_views import views_figure
from app.components import answer_text, not_sure_note, percent
from app.neighbours import NEIGHBOURS_NOTE, neighbour_name
from app.offline_page import render_offline_page
from app.services import ModelFacts
from app.track_facts import track_facts
from app.views import Span, ViewData
from songnet.datasets.recognise import TrackInfo
from songnet.inference.evidence import evidence_for
from songnet.inference.explain import Attribution
from songnet.inference.prediction import Prediction, Timeline
from songnet.inference.sections import find_sections
from songnet.inference.timeline import time_shares, window_spread
from songnet.inference.what_if import Edits

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ReportFigure",
    "ReportTrack",
    "attribution_figures",
    "report_figures",
    "report_html",
    "what_if_figures",
]


@dataclass(frozen=True)
class ReportTrack:
    """The track that a report is about.

    Parameters
    ----------
    name : str
        Name of the file, for a person.
    analysis : Analysis
    info : TrackInfo
        Of `app.services.recognise`.
    neighbours : pandas.DataFrame, optional
        Of `app.neighbours.find_neighbours`.
    """

    name: str
    analysis: Analysis
    info: TrackInfo
    neighbours: pd.DataFrame | None = None


@dataclass(frozen=True)
class ReportFigure:
    """A chart of a report.

    Parameters
    ----------
    title, alt : str
        Its heading; what it shows, for who cannot see it.
    figure : go.Figure
    note : str
    """

    title: str
    alt: str
    figure: go.Figure
    note: str = ""

    @property
    def json(self) -> Markup:
        """The figure as JSON that cannot end the element it stands in."""
        # Streamlit makes room for what stands beside an axis, and gives the page's colour.
        figure = go.Figure(self.figure)
        figure.update_layout(paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")
        figure.update_xaxes(automargin=True).update_yaxes(automargin=True)
        text = str(figure.to_json())
        for char in "<>&\u2028\u2029":
            text = text.replace(char, f"\\u{ord(char):04x}")
        return Markup(text)


def report_figures(analysis: Analysis, *, views: Sequence[ViewData] = ()) -> list[ReportFigure]:
    """Draw the charts of a report, as the app shows them.

    Parameters
    ----------
    analysis : Analysis
    views : sequence of ViewData
        Of the sound, each of the whole track.

    Returns
    -------
    figures : list of ReportFigure
    """
    prediction = analysis.prediction
    duration = prediction.duration_seconds
    steps = genre_steps(prediction.timeline, duration_seconds=duration)
    song = ReportFigure(
        title="The genre over the song",
        alt="Waveform, and the probabilities of the genres over time",
        figure=song_figure(
            analysis.envelope, steps, genres=prediction.genres, duration_seconds=duration
        ),
        note="Drag to zoom, double-click to see it all again.",
    )
    figures = [song, *_spread_figures(prediction), _evidence_figure(prediction)]
    return [*figures, _sound_figure(views, duration)] if views else figures


def _sound_figure(views: Sequence[ViewData], duration_seconds: float) -> ReportFigure:
    figure = views_figure(list(views), span=Span(0.0, duration_seconds))
    return ReportFigure(
        title="The sound",
        alt=f"{', '.join(view.name for view in views)} over time",
        figure=figure.update_layout(dragmode="zoom"),
        note=" ".join(view.note for view in views if view.note),
    )


def _spread_figures(prediction: Prediction) -> list[ReportFigure]:
    n_windows = len(prediction.timeline.probs)
    if n_windows == 1:
        return []
    return [
        ReportFigure(
            title="Mean and spread over the windows",
            alt="Mean and spread of each genre's probability",
            figure=spread_figure(window_spread(prediction.timeline), genres=prediction.genres),
            note=f"{n_windows} windows that overlap. {SPREAD_NOTE}",
        )
    ]


def _evidence_figure(prediction: Prediction) -> ReportFigure:
    genre = prediction.genre
    evidence = evidence_for(prediction, genre)
    edges, sums = group_moments(
        prediction.evidence.seconds, evidence, duration_seconds=prediction.duration_seconds
    )
    total = float(evidence.sum())
    return ReportFigure(
        title=f"What spoke for {genre}",
        alt=f"What each moment said for {genre} and against it",
        figure=evidence_figure(
            edges,
            sums,
            genre=genre,
            against="others",
            color=genre_colors(prediction.genres)[genre],
        ),
        note=f"Together {total:+.2f}: {odds_text(total, genre=genre, against=None)}. Exact: the "
        "sum of all bars is the logarithm of that ratio.",
    )


def attribution_figures(
    attribution: Attribution, method: str, *, bands: list[str], start: float
) -> list[ReportFigure]:
    """Draw gradients in time and frequency for a report.

    Parameters
    ----------
    attribution : Attribution
    method : str
        How they were computed, for a person.
    bands : list of str
    start : float
        Second of the track at which they begin.

    Returns
    -------
    figures : list of ReportFigure
    """
    return [
        ReportFigure(
            title=f"{method}: {attribution.genre} in time and frequency",
            alt=f"Log-mel spectrogram, and what spoke for {attribution.genre}",
            figure=attribution_figure(attribution, bands=bands, start=start),
            note=METHODS[method],
        )
    ]


def what_if_figures(before: Prediction, after: Prediction, edits: Edits) -> list[ReportFigure]:
    """Draw the answer to a changed track beside that to the track as it is.

    Parameters
    ----------
    before, after : Prediction
    edits : Edits
        What was changed.

    Returns
    -------
    figures : list of ReportFigure
    """
    return [
        ReportFigure(
            title=f"What if: {_edits_text(edits)}",
            alt="Probability of each genre before and after",
            figure=change_figure(
                before.genres, before.probs, after.probs, names=("before", "after")
            ),
            note=f"{answer_text(before)} → {answer_text(after)}. "
            "Upper bar: before; lower bar: after.",
        )
    ]


def _edits_text(edits: Edits) -> str:
    """Say what was changed, in the order in which it is applied."""
    parts = []
    if edits.mute_to_seconds:
        start, end = clock_text(edits.mute_from_seconds), clock_text(edits.mute_to_seconds)
        parts.append(f"{start} to {end} muted")
    if edits.mute_below_dbfs is not None:
        parts.append(f"what is quieter than {edits.mute_below_dbfs:.0f} dBFS muted")
    if edits.mute_to_hz:
        parts.append(f"{edits.mute_from_hz:.0f} to {edits.mute_to_hz:.0f} Hz muted")
    if edits.noise_snr_db is not None:
        parts.append(f"noise {edits.noise_snr_db:.0f} dB below the music")
    if edits.tempo != 1:
        parts.append(f"tempo times {edits.tempo:g}")
    if edits.level_db:
        parts.append(f"level {edits.level_db:+.0f} dB")
    return ", ".join(parts)


def report_html(
    track: ReportTrack, *, model: ModelFacts, figures: list[ReportFigure], created: datetime
) -> str:
    """Write the report of one track.

    Parameters
    ----------
    track : ReportTrack
    model : ModelFacts
    figures : list of ReportFigure
        See `report_figures`.
    created : datetime
        With time zone.

    Returns
    -------
    html : str
        A whole document.
    """
    prediction = track.analysis.prediction
    steps = genre_steps(prediction.timeline, duration_seconds=prediction.duration_seconds)
    rows, unknown = track_facts(track.analysis, track.info)
    length = clock_text(prediction.duration_seconds)
    return render_offline_page(
        "report.html.jinja",
        name=track.name,
        prediction=prediction,
        answer=answer_text(prediction),
        not_sure_note=not_sure_note(prediction, needed=model.not_sure_below),
        neighbours_note=NEIGHBOURS_NOTE,
        top=prediction.top(len(prediction.genres)),
        colors=genre_colors(prediction.genres),
        sections=find_sections(steps, genres=prediction.genres),
        shares=_shares(prediction, steps),
        neighbours=[] if track.neighbours is None else _named(track.neighbours),
        facts=rows | {"Length": length, "SHA-256": track.analysis.digest},
        unknown=unknown,
        found_by=track.info.found_by,
        figures=figures,
        model=model,
        created=f"{created:%-d %B %Y, %H:%M %Z}",
    )


def _shares(prediction: Prediction, steps: Timeline) -> str:
    shares = time_shares(steps)
    order = [i for i in (-shares).argsort() if shares[i]]
    return ", ".join(f"{prediction.genres[i]} {percent(shares[i])}" for i in order)


def _named(neighbours: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "name": neighbour_name(track),
            "genre": str(track["genre"] or track["predicted"]),
            "similarity": f"{track['similarity']:.2f}",
        }
        for track in neighbours.to_dict("records")
    ]

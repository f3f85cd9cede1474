"""A report of one track to keep or send: one HTML file that needs nothing else.

It holds what the app shows of the track, never its sound. plotly.js travels in
it compressed, so that a report has about 2 MB. Whatever comes out of a file is
escaped by the template, and the report's own content policy lets no other
script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import gzip
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import jinja2
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from app.analysis import Analysis, genre_steps
from app.charts import clock_text, genre_colors, song_figure
from app.components import percent
from app.services import ModelFacts
from songnet.inference.sections import find_sections

__all__ = ["ReportFigure", "report_figures", "report_html"]

_TEMPLATE = "report.html.jinja"


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
        text = str(self.figure.to_json())
        for char in "<>&\u2028\u2029":
            text = text.replace(char, f"\\u{ord(char):04x}")
        return Markup(text)


def report_figures(analysis: Analysis) -> list[ReportFigure]:
    """Draw the charts of a report, as the app shows them.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    figures : list of ReportFigure
    """
    prediction = analysis.prediction
    duration = prediction.duration_seconds
    steps = genre_steps(prediction.timeline, duration_seconds=duration)
    return [
        ReportFigure(
            title="The genre over the song",
            alt="Waveform, and the probabilities of the genres over time",
            figure=song_figure(
                analysis.envelope, steps, genres=prediction.genres, duration_seconds=duration
            ),
            note="Drag to zoom, double-click to see it all again.",
        )
    ]


def report_html(
    analysis: Analysis,
    *,
    name: str,
    model: ModelFacts,
    figures: list[ReportFigure],
    created: datetime,
) -> str:
    """Write the report of one track.

    Parameters
    ----------
    analysis : Analysis
    name : str
        Name of the file, for a person.
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
    prediction = analysis.prediction
    steps = genre_steps(prediction.timeline, duration_seconds=prediction.duration_seconds)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "assets"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "clock": clock_text}
    return environment.get_template(_TEMPLATE).render(
        name=name,
        prediction=prediction,
        top=prediction.top(len(prediction.genres)),
        colors=genre_colors(prediction.genres),
        sections=find_sections(steps, genres=prediction.genres),
        facts=_facts(analysis),
        figures=figures,
        model=model,
        created=f"{created:%-d %B %Y, %H:%M %Z}",
        nonce=secrets.token_urlsafe(16),
        plotly=base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6)).decode(),
    )


def _facts(analysis: Analysis) -> dict[str, str]:
    tags = analysis.tags
    channels = {1: "mono", 2: "stereo"}.get(
        analysis.source_channels, f"{analysis.source_channels} channels"
    )
    return {
        "Artist": tags.artist,
        "Title": tags.title,
        "Album": tags.album,
        "Year": str(tags.year or ""),
        "Genre in the tags": tags.genre,
        "Length": clock_text(analysis.prediction.duration_seconds),
        "Sound": f"{analysis.codec}, {analysis.source_sr / 1000:g} kHz, {channels}",
        "SHA-256": analysis.digest,
    }

"""Figures of an answer: sections and spread, evidence, attributions, before and after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import (
    GRID_COLOR,
    OTHER_COLOR,
    clock_text,
    finish_figure,
    genre_colors,
    round_ticks,
    seconds_to_axis,
    step_traces,
    style_time_axis,
)
from songnet.inference.prediction import Timeline
from songnet.inference.sections import Section
from songnet.inference.timeline import WindowSpread

__all__ = [
    "SPREAD_NOTE",
    "evidence_figure",
    "group_moments",
    "odds_text",
    "sections_figure",
    "spread_figure",
]

FloatArray = npt.NDArray[np.float64]
# On all colours of genres at least 4.35 : 1; white has 3.33 on some.
_INSIDE_TEXT = "#0b1413"
_MAX_BARS = 400
_MS = 1000.0
SPREAD_NOTE = (
    "Mark: the mean; bar: one standard deviation to both sides; line: from the lowest to the "
    "highest."
)


def sections_figure(
    steps: Timeline,
    sections: tuple[Section, ...],
    *,
    genres: tuple[str, ...],
    duration_seconds: float,
) -> go.Figure:
    """Draw the sections over the stacked probabilities of the steps.

    Parameters
    ----------
    steps : Timeline
        Without overlap.
    sections : tuple of Section
    genres : tuple of str
    duration_seconds : float

    Returns
    -------
    figure : go.Figure
        Each bar's ``customdata`` begins with the second at which it starts.
    """
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.16, 0.84], vertical_spacing=0.03
    )
    figure.add_trace(_section_bars(sections, genre_colors(genres)), row=1, col=1)
    for trace in step_traces(steps, genres):
        figure.add_trace(trace, row=2, col=1)
    style_time_axis(figure, 0.0, duration_seconds)
    # With so few bars plotly would put the ticks into their middles.
    figure.update_xaxes(showticklabels=True, **round_ticks(duration_seconds), row=2)
    figure.update_yaxes(fixedrange=True, showgrid=False)
    figure.update_yaxes(visible=False, range=[0, 1], row=1)
    figure.update_yaxes(
        range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], gridcolor=GRID_COLOR, row=2
    )
    figure.update_layout(
        barmode="stack",
        uniformtext={"minsize": 11, "mode": "hide"},
        bargap=0,
        dragmode=False,
        hovermode="closest",
        legend={"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0, "traceorder": "normal"},
    )
    return finish_figure(figure, height=360)


def _section_bars(sections: tuple[Section, ...], colors: Mapping[str, str]) -> go.Bar:
    lengths = np.array([section.end_seconds - section.start_seconds for section in sections])
    middles = np.array([section.start_seconds for section in sections]) + lengths / 2
    return go.Bar(
        x=seconds_to_axis(middles).tolist(),
        y=[1.0] * len(sections),
        width=(lengths * _MS).tolist(),
        marker={"color": [colors[section.genre] for section in sections], "line": {"width": 0}},
        customdata=[[s.start_seconds, _stretch_text(s), s.genre, s.confidence] for s in sections],
        text=[s.genre for s in sections],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": _INSIDE_TEXT},
        hovertemplate="%{customdata[2]} %{customdata[3]:.0%}<br>%{customdata[1]}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )


def _stretch_text(section: Section) -> str:
    return f"{clock_text(section.start_seconds)} to {clock_text(section.end_seconds)}"


def spread_figure(spread: WindowSpread, *, genres: tuple[str, ...]) -> go.Figure:
    """Draw each genre's mean over the windows, with one deviation and the extremes.

    Parameters
    ----------
    spread : WindowSpread
    genres : tuple of str

    Returns
    -------
    figure : go.Figure
    """
    order = np.argsort(spread.mean, kind="stable")
    names = [genres[i] for i in order]
    colors = [genre_colors(genres)[name] for name in names]
    figure = go.Figure(
        [
            _range_line(spread, genres.index(name), name, color)
            for name, color in zip(names, colors, strict=True)
        ]
    )
    low = np.maximum(spread.mean - spread.std, 0)[order]
    high = np.minimum(spread.mean + spread.std, 1)[order]
    figure.add_trace(
        go.Bar(
            x=(high - low).tolist(),
            base=low.tolist(),
            y=names,
            orientation="h",
            width=0.5,
            marker={"color": colors, "cornerradius": 4},
            customdata=np.stack(
                [spread.mean[order], spread.std[order], spread.low[order], spread.high[order]], 1
            ).tolist(),
            hovertemplate="%{y}: mean %{customdata[0]:.0%}, deviation %{customdata[1]:.0%}<br>"
            "from %{customdata[2]:.0%} to %{customdata[3]:.0%}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=spread.mean[order].tolist(),
            y=names,
            mode="markers",
            marker={"symbol": "line-ns", "size": 16, "line": {"width": 3, "color": OTHER_COLOR}},
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(range=[0, 1], tickformat=".0%", gridcolor=GRID_COLOR, nticks=6)
    figure.update_yaxes(ticksuffix="  ", showgrid=False)
    figure.update_layout(showlegend=False, dragmode=False)
    return finish_figure(figure, height=30 * len(genres) + 40)


def _range_line(spread: WindowSpread, index: int, name: str, color: str) -> go.Scatter:
    return go.Scatter(
        x=[float(spread.low[index]), float(spread.high[index])],
        y=[name, name],
        mode="lines",
        line={"width": 2, "color": color},
        opacity=0.55,
        hoverinfo="skip",
    )


def group_moments(
    seconds: FloatArray, values: FloatArray, *, duration_seconds: float
) -> tuple[FloatArray, FloatArray]:
    """Sum neighbouring moments to at most 400 stretches.

    Parameters
    ----------
    seconds, values : np.ndarray [shape=(n,), dtype=float64]
    duration_seconds : float

    Returns
    -------
    edges : np.ndarray [shape=(n_stretches + 1,), dtype=float64]
    sums : np.ndarray [shape=(n_stretches,), dtype=float64]
        They sum to what ``values`` sum to.
    """
    starts = np.arange(0, seconds.size, -(-seconds.size // _MAX_BARS))
    # The first moment's middle is half a step from the start.
    edges = np.append(starts * 2 * seconds[0], duration_seconds)
    return edges, np.add.reduceat(values, starts)


def odds_text(log_odds: float, *, genre: str, against: str | None) -> str:
    """Say what a sum of evidence means.

    Parameters
    ----------
    log_odds : float
    genre : str
    against : str, optional
        Without it all other genres.

    Returns
    -------
    text : str
    """
    rival = "the others in their geometric mean" if against is None else against
    ratio = math.exp(min(abs(log_odds), 50.0))
    number = f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
    times = f"{number} times" if log_odds > 0 else f"1/{number}"
    if ratio < 1.05:
        times = "as good"
    return f"{genre} is {times} as probable as {rival}"


def evidence_figure(
    edges: FloatArray, sums: FloatArray, *, genre: str, against: str, color: str
) -> go.Figure:
    """Draw what each stretch said for a genre (upwards) and against it (downwards).

    Parameters
    ----------
    edges : np.ndarray [shape=(n + 1,), dtype=float64]
        Seconds.
    sums : np.ndarray [shape=(n,), dtype=float64]
        Log-odds.
    genre, against : str
        What upwards and downwards mean, for a person.
    color : str
        Of the genre.

    Returns
    -------
    figure : go.Figure
        Each bar's ``customdata`` begins with the second at which it starts.
    """
    width = np.diff(edges)
    figure = go.Figure(
        go.Bar(
            x=seconds_to_axis(edges[:-1] + width / 2).tolist(),
            y=np.round(sums, 5).tolist(),
            width=(width * _MS).tolist(),
            marker={
                "color": [color if value >= 0 else OTHER_COLOR for value in sums],
                "line": {"width": 0},
            },
            customdata=[
                [float(start), f"{clock_text(start)} to {clock_text(end)}"]
                for start, end in pairwise(edges)
            ],
            hovertemplate="%{customdata[1]}: %{y:+.3f}<extra></extra>",
            unselected={"marker": {"opacity": 1}},
        )
    )
    reach = max(float(np.abs(sums).max(initial=0)), 1e-6) * 1.1
    style_time_axis(figure, float(edges[0]), float(edges[-1]))
    figure.update_yaxes(
        range=[-reach, reach],
        tickvals=[-reach / 2, 0, reach / 2],
        ticktext=[f"for {against}", "0", f"for {genre}"],
        tickangle=-90,
        fixedrange=True,
        gridcolor=GRID_COLOR,
        zerolinecolor=GRID_COLOR,
    )
    figure.update_layout(bargap=0, dragmode=False, hovermode="closest", showlegend=False)
    return finish_figure(figure, height=220)

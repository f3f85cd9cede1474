"""Figures of a sound: the whole track to navigate in, and its views on one time axis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import (
    GRID_COLOR,
    OTHER_COLOR,
    clock_text,
    finish_figure,
    seconds_to_axis,
    style_time_axis,
)
from app.views import Span, ViewData
from songnet.signal.views import Envelope

__all__ = ["SCALE", "SOUND_COLOR", "even_columns", "navigator_figure", "views_figure"]

SCALE = "Viridis"
SOUND_COLOR = "#12968a"
_SECOND_COLOR = "#c8643c"
_N_CELLS = 240
_ROW_PIXELS = 170
_PIXELS_BESIDE = 44


def navigator_figure(envelope: Envelope, *, duration_seconds: float, span: Span) -> go.Figure:
    """Draw the whole track, to click a moment in and to drag over a stretch.

    Parameters
    ----------
    envelope : Envelope
    duration_seconds : float
    span : Span
        The stretch that is shown in detail; it is framed.

    Returns
    -------
    figure : go.Figure
        Each bar's ``customdata`` begins with the second at which it starts.
    """
    edges = np.linspace(0, duration_seconds, _N_CELLS + 1)
    loudest = max(float(np.abs(envelope.low).max()), float(envelope.high.max()), 1e-3)
    # Bars over the full height, not to be seen: they are what a click or a drag meets.
    figure = go.Figure(
        go.Bar(
            x=seconds_to_axis((edges[:-1] + edges[1:]) / 2).tolist(),
            y=[2 * loudest] * _N_CELLS,
            base=-loudest,
            width=1000 * duration_seconds / _N_CELLS,
            marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}},
            customdata=[[float(second), clock_text(second)] for second in edges[:-1]],
            hovertemplate="%{customdata[1]}<extra></extra>",
            showlegend=False,
        )
    )
    times = np.linspace(0, duration_seconds, envelope.low.size)
    figure.add_trace(_outline(times, envelope.low, envelope.high))
    if span.seconds < duration_seconds:
        figure.add_vrect(
            x0=seconds_to_axis(span.start_seconds),
            x1=seconds_to_axis(span.end_seconds),
            fillcolor=_SECOND_COLOR,
            opacity=0.25,
            line_width=0,
        )
    style_time_axis(figure, 0.0, duration_seconds)
    figure.update_yaxes(range=[-loudest, loudest], visible=False, fixedrange=True)
    figure.update_layout(
        dragmode="select", selectdirection="h", hovermode="closest", bargap=0, showlegend=False
    )
    return finish_figure(figure, height=96)


def views_figure(views: list[ViewData], *, span: Span) -> go.Figure:
    """Draw views under one another, on one time axis.

    Parameters
    ----------
    views : list of ViewData
        At least one.
    span : Span

    Returns
    -------
    figure : go.Figure
        Pictures hold whole numbers of a byte or two, so that all views of any
        track stay below a megabyte.
    """
    n_rows = len(views)
    height = _ROW_PIXELS * n_rows + _PIXELS_BESIDE
    figure = make_subplots(
        rows=n_rows,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.0 if n_rows == 1 else 34 / height,
        subplot_titles=[view.name for view in views],
    )
    for row, view in enumerate(views, start=1):
        for trace in _picture_traces(view) if view.is_picture else _line_traces(view):
            figure.add_trace(trace, row=row, col=1)
        _style_row(figure, view, row)
    style_time_axis(figure, span.start_seconds, span.end_seconds)
    figure.update_xaxes(title_text="Time (minutes:seconds)", row=n_rows)
    figure.update_annotations(font_size=14, x=0, xanchor="left")
    figure.update_layout(
        dragmode="select", selectdirection="h", hovermode="closest", showlegend=False
    )
    finish_figure(figure, height=height)
    # With the page's own background, so that a downloaded picture has one too.
    return figure.update_layout(
        paper_bgcolor=None, plot_bgcolor=None, margin={"l": 0, "r": 0, "t": 30, "b": 0}
    )


def _outline(
    seconds: npt.NDArray[np.float64], low: npt.NDArray[np.float32], high: npt.NDArray[np.float32]
) -> go.Scatter:
    times = seconds_to_axis(seconds)
    return go.Scatter(
        x=np.concatenate([times, times[::-1]]).tolist(),
        y=np.round(np.concatenate([high, low[::-1]]), 3).tolist(),
        fill="toself",
        mode="lines",
        line={"width": 1, "color": SOUND_COLOR},
        fillcolor=SOUND_COLOR,
        hoverinfo="skip",
    )


def _line_traces(view: ViewData) -> list[go.Scatter]:
    if view.name == "Waveform":
        return [_outline(view.seconds, *view.values)]
    return [
        go.Scatter(
            x=seconds_to_axis(view.seconds).tolist(),
            y=np.round(values, 2).tolist(),
            mode="lines",
            line={"width": 1.5, "color": color},
            name=name,
            hovertemplate=f"%{{x}}<br>{name}: %{{y}} {view.unit}<extra></extra>",
        )
        for name, values, color in zip(
            view.columns, view.values, (SOUND_COLOR, _SECOND_COLOR), strict=False
        )
    ] + [_mark_trace(view.marks)] * bool(view.marks.size)


def _mark_trace(seconds: npt.NDArray[np.float64]) -> go.Scatter:
    times = seconds_to_axis(seconds).tolist()
    return go.Scatter(
        x=[x for time in times for x in (time, time, None)],
        y=[0.0, 1.0, None] * len(times),
        mode="lines",
        line={"width": 1, "color": OTHER_COLOR},
        opacity=0.7,
        name="beat",
        hovertemplate="%{x}<br>beat<extra></extra>",
    )


def _picture_traces(view: ViewData) -> list[go.Heatmap]:
    values = np.round(view.values)
    small = np.int8 if np.abs(values).max(initial=0) < 127 else np.int16
    return [
        go.Heatmap(
            **even_columns(view.seconds),
            y=list(view.columns),
            z=values.astype(small),
            colorscale=SCALE,
            showscale=False,
            zsmooth="fast",
            hovertemplate=f"%{{x}}<br>%{{y}}: %{{z}} {view.unit}<extra></extra>",
        )
    ]


def even_columns(seconds: npt.NDArray[np.float64]) -> dict[str, float]:
    """Place the columns of a picture at one distance: plotly smooths no others.

    Parameters
    ----------
    seconds : np.ndarray [shape=(n,), dtype=float64]
        Ascending; what is averaged to columns is even but for a frame.

    Returns
    -------
    place : dict
        ``x0`` and ``dx`` of a heatmap, on the time axis.
    """
    step = (seconds[-1] - seconds[0]) / max(1, seconds.size - 1)
    return {"x0": seconds_to_axis(float(seconds[0])), "dx": 1000.0 * float(step) or 1.0}


def _style_row(figure: go.Figure, view: ViewData, row: int) -> None:
    figure.update_yaxes(
        title={"text": view.axis, "font": {"size": 12}}, fixedrange=True, showgrid=False, row=row
    )
    if view.is_picture:
        n_rows = len(view.columns)
        shown = range(n_rows) if n_rows <= 12 else np.linspace(0, n_rows - 1, 5).astype(int)
        ticks = [int(i) for i in shown]
        figure.update_yaxes(
            type="category",
            tickvals=ticks,
            ticktext=[view.columns[i] for i in ticks],
            tickfont={"size": 9 if len(ticks) > 5 else 12},
            row=row,
        )
        return
    figure.update_yaxes(showgrid=True, gridcolor=GRID_COLOR, nticks=5, row=row)

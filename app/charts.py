"""Figures: data in, plotly figure out. They look right on light and dark pages."""

from __future__ import annotations

from typing import overload

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from songnet.inference.prediction import Timeline
from songnet.signal.views import Envelope

__all__ = [
    "GENRE_COLORS",
    "GRID_COLOR",
    "OTHER_COLOR",
    "clock_text",
    "finish_figure",
    "genre_colors",
    "probabilities_figure",
    "round_ticks",
    "seconds_to_axis",
    "song_figure",
    "step_traces",
    "style_time_axis",
]

# Mid tones: each has a contrast of at least 3 against both page backgrounds.
GENRE_COLORS = (
    "#3b82d6", "#b4851a", "#c8643c", "#8a6ee8", "#5a9440",
    "#868a1e", "#12968a", "#a8629c", "#d9568f", "#e0524a",
)  # fmt: skip
OTHER_COLOR = "#8a8f8e"
FloatArray = npt.NDArray[np.float64]
GRID_COLOR = "rgba(128, 140, 138, 0.25)"
_MAX_SHOWN_GENRES = 7
_SHOWN_FROM = 0.1
# Times are dates, so that the axis writes minutes and seconds at every zoom. They
# begin on 1970-01-02: plotly would read small numbers of milliseconds as years.
_MS = 1000.0
_START_MS = 86_400_000.0
_TICK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_MAX_TICKS = 8


def genre_colors(genres: tuple[str, ...]) -> dict[str, str]:
    """Give each genre its colour, the same on every page.

    Parameters
    ----------
    genres : tuple of str
        All genres of the model, in its order.

    Returns
    -------
    colors : dict of str to str
    """
    return {genre: GENRE_COLORS[i % len(GENRE_COLORS)] for i, genre in enumerate(genres)}


def probabilities_figure(genres: tuple[str, ...], probs: FloatArray) -> go.Figure:
    """Draw the probability of each genre, the most probable on top.

    Parameters
    ----------
    genres : tuple of str
    probs : np.ndarray [shape=(n_genres,), dtype=float64]

    Returns
    -------
    figure : go.Figure
    """
    order = np.argsort(probs, kind="stable")
    colors = genre_colors(genres)
    figure = go.Figure(
        go.Bar(
            x=probs[order],
            y=[genres[i] for i in order],
            orientation="h",
            marker={"color": [colors[genres[i]] for i in order], "cornerradius": 4},
            text=[f"{probs[i]:.0%}" if probs[i] >= 0.01 else "<1%" for i in order],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )
    widest = max(float(probs.max()) * 1.15, 0.1)
    figure.update_xaxes(visible=False, range=[0, widest], fixedrange=True)
    figure.update_yaxes(ticksuffix="  ", showgrid=False, tickfont={"size": 14}, fixedrange=True)
    figure.update_layout(dragmode=False)
    return finish_figure(figure, height=30 * len(genres) + 8)


def song_figure(
    envelope: Envelope, steps: Timeline, *, genres: tuple[str, ...], duration_seconds: float
) -> go.Figure:
    """Draw the waveform over the probabilities of the genres, one time axis for both.

    Parameters
    ----------
    envelope : Envelope
    steps : Timeline
        Without overlap.
    genres : tuple of str
    duration_seconds : float

    Returns
    -------
    figure : go.Figure
        Each bar's ``customdata`` begins with the second at which it starts.
    """
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.36, 0.64], vertical_spacing=0.12
    )
    for trace in _waveform_traces(envelope, steps, genres, duration_seconds):
        figure.add_trace(trace, row=1, col=1)
    for trace in step_traces(steps, genres):
        figure.add_trace(trace, row=2, col=1)
    loudest = max(float(np.abs(envelope.low).max()), float(np.abs(envelope.high).max()), 1e-3)
    style_time_axis(figure, 0.0, duration_seconds)
    # The ticks stand on the axis without bars: with bars they would mark their middles.
    figure.update_xaxes(showticklabels=True, row=1)
    figure.update_xaxes(showticklabels=False, row=2)
    figure.update_yaxes(fixedrange=True)
    figure.update_yaxes(range=[-loudest, loudest], visible=False, row=1)
    figure.update_yaxes(
        range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], gridcolor=GRID_COLOR, row=2
    )
    figure.update_layout(
        barmode="stack",
        bargap=0,
        dragmode="zoom",
        hovermode="closest",
        legend={"orientation": "h", "y": -0.04, "yanchor": "top", "x": 0, "traceorder": "normal"},
    )
    return finish_figure(figure, height=380)


def _waveform_traces(
    envelope: Envelope, steps: Timeline, genres: tuple[str, ...], duration_seconds: float
) -> list[go.Scatter]:
    """One outline a genre, over the stretches in which it is the most probable."""
    n_bins = envelope.low.size
    edges = np.linspace(0.0, duration_seconds, n_bins + 1)
    step_of_bin = np.searchsorted(steps.start_seconds, edges[:-1], side="right") - 1
    genre_of_bin = steps.probs.argmax(axis=1)[step_of_bin]
    cuts = np.flatnonzero(np.diff(genre_of_bin)) + 1
    colors = genre_colors(genres)
    outlines: dict[int, tuple[list[float | None], list[float | None]]] = {}
    for run in np.split(np.arange(n_bins), cuts):
        x, y = outlines.setdefault(int(genre_of_bin[run[0]]), ([], []))
        times = seconds_to_axis(np.append(edges[run], edges[run[-1] + 1]))
        low, high = (np.append(v[run], v[run[-1]]) for v in (envelope.low, envelope.high))
        x += [*times.tolist(), *times[::-1].tolist(), None]
        y += [*np.round(high, 3).tolist(), *np.round(low[::-1], 3).tolist(), None]
    return [
        go.Scatter(
            x=x,
            y=y,
            fill="toself",
            mode="lines",
            line={"width": 1, "color": colors[genres[i]]},
            fillcolor=colors[genres[i]],
            hoverinfo="skip",
            showlegend=False,
        )
        for i, (x, y) in outlines.items()
    ]


def step_traces(steps: Timeline, genres: tuple[str, ...]) -> list[go.Bar]:
    """Stack the probabilities: the strongest genres one by one, the others together.

    Parameters
    ----------
    steps : Timeline
        Without overlap.
    genres : tuple of str

    Returns
    -------
    traces : list of go.Bar
        Each bar's ``customdata`` begins with the second at which it starts.
    """
    peaks = steps.probs.max(axis=0)
    strongest = np.argsort(-peaks, kind="stable")[:_MAX_SHOWN_GENRES]
    strongest = strongest[peaks[strongest] >= _SHOWN_FROM]
    shown = strongest[np.argsort(-steps.probs[:, strongest].mean(axis=0), kind="stable")]
    others = 1.0 - steps.probs[:, shown].sum(axis=1)
    colors = genre_colors(genres)
    rows = [(genres[i], colors[genres[i]], steps.probs[:, i]) for i in shown]
    rows += [("Other genres", OTHER_COLOR, np.maximum(others, 0.0))]
    width = steps.end_seconds - steps.start_seconds
    moments = [
        [float(start), f"{clock_text(start)} to {clock_text(end)}"]
        for start, end in zip(steps.start_seconds, steps.end_seconds, strict=True)
    ]
    return [
        go.Bar(
            name=name,
            x=seconds_to_axis(steps.start_seconds + width / 2).tolist(),
            y=np.round(values, 4).tolist(),
            width=(width * _MS).tolist(),
            marker={"color": color, "line": {"width": 0}},
            customdata=moments,
            hovertemplate="%{customdata[1]}<br>%{fullData.name}: %{y:.0%}<extra></extra>",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
        for name, color, values in rows
    ]


def style_time_axis(figure: go.Figure, start_seconds: float, end_seconds: float) -> None:
    """Make the x axes of a figure write minutes and seconds, between two moments.

    Parameters
    ----------
    figure : go.Figure
    start_seconds, end_seconds : float
    """
    clock = "%-H:%M:%S" if end_seconds >= 3600 else "%-M:%S"
    if end_seconds - start_seconds < 6:
        clock += ".%1f"
    start, end = seconds_to_axis(start_seconds), seconds_to_axis(end_seconds)
    figure.update_xaxes(
        type="date",
        range=[start, end],
        minallowed=start,
        maxallowed=end,
        tickformat=clock,
        hoverformat=clock,
        showgrid=False,
        nticks=8,
    )


@overload
def seconds_to_axis(seconds: float) -> float: ...
@overload
def seconds_to_axis(seconds: FloatArray) -> FloatArray: ...
def seconds_to_axis(seconds: float | FloatArray) -> float | FloatArray:
    """Place seconds on a date axis that writes minutes and seconds."""
    return np.round(_START_MS + seconds * _MS, 1)


def round_ticks(duration_seconds: float) -> dict[str, float]:
    """Place at most eight ticks at round moments from the beginning, as settings of an axis."""
    fits = (step for step in _TICK_STEPS if duration_seconds / step <= _MAX_TICKS)
    return {"tick0": seconds_to_axis(0.0), "dtick": _MS * next(fits, _TICK_STEPS[-1])}


def clock_text(seconds: float) -> str:
    """Write seconds as a clock does: 1:05, 1:01:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def finish_figure(figure: go.Figure, *, height: int) -> go.Figure:
    """Give a figure its height, and no background: the page has one."""
    return figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": 14},
        hoverlabel={"bgcolor": "#ffffff", "font": {"color": "#0b1413"}},
    )

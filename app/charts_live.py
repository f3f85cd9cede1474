"""Figure of a live session: data in, plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from app.charts import (
    GRID_COLOR,
    OTHER_COLOR,
    clock_text,
    finish_figure,
    genre_colors,
    seconds_to_axis,
)

__all__ = ["live_figure"]

FloatArray = npt.NDArray[np.float64]
_MAX_SHOWN_GENRES = 5
_SHOWN_FROM = 0.1
_LABEL_Y = 1.09
_FIRST_SPAN_SECONDS = 30.0


def live_figure(
    seconds: FloatArray,
    probs: FloatArray,
    *,
    genres: tuple[str, ...],
    changes: Sequence[tuple[float, str]],
    span_seconds: float,
) -> go.Figure:
    """Draw the probabilities of the last minutes, and a marker where the genre changed.

    Parameters
    ----------
    seconds : np.ndarray [shape=(n,), dtype=float64]
        When each update was, rising.
    probs : np.ndarray [shape=(n, n_genres), dtype=float64]
        Zero where nothing could be named.
    genres : tuple of str
    changes : sequence of (seconds, genre)
    span_seconds : float
        Width of the chart once there is as much; before, it grows.

    Returns
    -------
    figure : go.Figure
    """
    end = max(float(seconds[-1]) if seconds.size else 0.0, _FIRST_SPAN_SECONDS)
    begin = max(end - span_seconds, 0.0)
    shown = [change for change in changes if change[0] >= begin]
    clock = "%-H:%M:%S" if end >= 3600 else "%-M:%S"
    traces = _area_traces(seconds, probs, genres, clock=clock)
    figure = go.Figure([*traces, _change_trace(shown, genres)])
    figure.update_xaxes(
        type="date",
        range=[seconds_to_axis(begin), seconds_to_axis(end)],
        tickformat=clock,
        showgrid=False,
        fixedrange=True,
        nticks=7,
    )
    figure.update_yaxes(
        range=[0, 1.16], tickvals=[0, 0.5, 1], tickformat=".0%", gridcolor=GRID_COLOR,
        fixedrange=True,
    )  # fmt: skip
    figure.update_layout(
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "traceorder": "normal"},
        hovermode="closest",
        shapes=[_change_line(moment) for moment, _ in shown],
    )
    return finish_figure(figure, height=280)


def _area_traces(
    seconds: FloatArray, probs: FloatArray, genres: tuple[str, ...], *, clock: str
) -> list[go.Scatter]:
    """Stacked areas: the strongest genres one by one, in the model's order, the others together."""
    peaks = probs.max(axis=0, initial=0.0)
    strongest = np.argsort(-peaks, kind="stable")[:_MAX_SHOWN_GENRES]
    shown = np.sort(strongest[peaks[strongest] >= _SHOWN_FROM])
    others = probs.sum(axis=1) - probs[:, shown].sum(axis=1)
    colors = genre_colors(genres)
    rows = [(genres[i], colors[genres[i]], probs[:, i]) for i in shown]
    rows += [("Other genres", OTHER_COLOR, np.maximum(others, 0.0))]
    x = seconds_to_axis(seconds)
    return [
        go.Scatter(
            name=name,
            x=x,
            y=values.astype(np.float32),
            stackgroup="probabilities",
            mode="lines",
            line={"width": 0},
            fillcolor=color,
            hovertemplate=f"%{{x|{clock}}} %{{fullData.name}}: %{{y:.0%}}<extra></extra>",
        )
        for name, color, values in rows
    ]


def _change_trace(changes: Sequence[tuple[float, str]], genres: tuple[str, ...]) -> go.Scatter:
    colors = genre_colors(genres)
    return go.Scatter(
        name="Change of genre",
        x=[seconds_to_axis(moment) for moment, _ in changes],
        y=[_LABEL_Y] * len(changes),
        mode="markers",
        marker={"symbol": "diamond", "size": 11, "color": [colors[genre] for _, genre in changes]},
        customdata=[f"{clock_text(moment)} {genre}" for moment, genre in changes],
        hovertemplate="From %{customdata}<extra></extra>",
        showlegend=False,
    )


def _change_line(moment: float) -> dict[str, object]:
    x = seconds_to_axis(moment)
    line = {"width": 1.5, "dash": "dot", "color": OTHER_COLOR}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "y domain", "line": line}

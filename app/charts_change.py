"""Figures of an explanation in time and frequency, and of two answers side by side."""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import (
    GRID_COLOR,
    finish_figure,
    genre_colors,
    round_ticks,
    step_traces,
    style_time_axis,
)
from app.charts_views import SCALE, even_columns
from songnet.inference.explain import Attribution
from songnet.inference.prediction import Timeline

__all__ = ["METHODS", "attribution_figure", "change_figure", "timelines_figure"]

FloatArray = npt.NDArray[np.float64]
_MAX_COLUMNS = 700
#: How an attribution is computed, and what it means.
METHODS = {
    "Integrated gradients": (
        "How the genre's logit grows from silence to this sound, cell by cell: red raised it, "
        "blue lowered it (Sundararajan et al. 2017)."
    ),
    "SmoothGrad": (
        "What a change would do, cell by cell: where the colour is red, a little more sound raises "
        "the genre's logit; where it is blue, it lowers it (Smilkov et al. 2017)."
    ),
    "Grad-CAM": (
        "Where the last 2-D convolution raised the genre's logit: coarse, and only what spoke "
        "for it (Selvaraju et al. 2017)."
    ),
}


def attribution_figure(attribution: Attribution, *, bands: list[str], start: float) -> go.Figure:
    """Draw a log-mel spectrogram over the importance of its cells.

    Parameters
    ----------
    attribution : Attribution
    bands : list of str
        Name of each mel band.
    start : float
        Second of the track at which it begins.

    Returns
    -------
    figure : go.Figure
    """
    S_db, values = _columns(attribution.S_db, np.mean), _columns(attribution.values, np.sum)
    seconds = _columns(attribution.seconds[None], np.mean)[0] + start
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.12,
        subplot_titles=["Log-mel spectrogram", f"What spoke for {attribution.genre}"],
    )
    # The strongest hundredth would leave the rest without colour.
    reach = float(np.quantile(np.abs(values), 0.99)) or 1.0
    share = np.clip(np.round(100 * values / reach), -100, 100).astype(np.int8)
    is_signed = bool((values < 0).any())
    common = {
        **even_columns(seconds),
        "y": bands,
        "showscale": False,
        "zsmooth": "fast",
    }
    spectrogram = go.Heatmap(
        **common,
        z=np.round(S_db).astype(np.int8),
        colorscale=SCALE,
        hovertemplate="%{x}<br>%{y}: %{z} dB<extra></extra>",
    )
    importance = go.Heatmap(
        **common,
        z=share,
        colorscale="RdBu_r" if is_signed else SCALE,
        zmin=-100 if is_signed else 0,
        zmax=100,
        hovertemplate="%{x}<br>%{y}: %{z} % of the strongest<extra></extra>",
    )
    figure.add_trace(spectrogram, row=1, col=1)
    figure.add_trace(importance, row=2, col=1)
    _name_bands(figure, bands)
    style_time_axis(figure, float(seconds[0]), float(seconds[-1]) + 1e-3)
    figure.update_annotations(font_size=14, x=0, xanchor="left")
    figure.update_layout(dragmode=False)
    finish_figure(figure, height=440)
    return figure.update_layout(
        paper_bgcolor=None, plot_bgcolor=None, margin={"l": 0, "r": 0, "t": 30, "b": 0}
    )


def _name_bands(figure: go.Figure, bands: list[str]) -> None:
    ticks = [int(i) for i in np.linspace(0, len(bands) - 1, 5)]
    figure.update_yaxes(
        type="category",
        tickvals=ticks,
        ticktext=[bands[i] for i in ticks],
        fixedrange=True,
        showgrid=False,
    )


def _columns(values: npt.NDArray[np.generic], gather: object) -> npt.NDArray[np.float64]:
    """Gather neighbouring frames where there are more than a screen shows."""
    starts = np.linspace(
        0, values.shape[1], min(values.shape[1], _MAX_COLUMNS), endpoint=False
    ).astype(int)
    sums = np.add.reduceat(values.astype(np.float64), starts, axis=1)
    if gather is np.mean:
        sums /= np.diff(np.append(starts, values.shape[1]))
    columns: npt.NDArray[np.float64] = sums
    return columns


def change_figure(
    genres: tuple[str, ...], first: FloatArray, second: FloatArray, *, names: tuple[str, str]
) -> go.Figure:
    """Draw two answers side by side, the genres in the order of the first.

    Parameters
    ----------
    genres : tuple of str
    first, second : np.ndarray [shape=(n_genres,), dtype=float64]
        Probabilities.
    names : tuple of str
        What the two are.

    Returns
    -------
    figure : go.Figure
    """
    order = np.argsort(first, kind="stable")
    labels = [genres[i] for i in order]
    colors = [genre_colors(genres)[label] for label in labels]
    figure = go.Figure()
    # The last trace stands on top in each group.
    for name, probs, opacity in ((names[1], second, 1.0), (names[0], first, 0.45)):
        figure.add_trace(
            go.Bar(
                x=probs[order].tolist(),
                y=labels,
                orientation="h",
                name=escape(name),
                marker={"color": colors, "opacity": opacity, "cornerradius": 3},
                text=[f"{p:.0%}" if p >= 0.01 else "<1%" for p in probs[order]],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{fullData.name}: %{y} %{x:.1%}<extra></extra>",
            )
        )
    top = max(float(first.max()), float(second.max()), 0.1)
    figure.update_xaxes(visible=False, range=[0, top * 1.2])
    figure.update_yaxes(ticksuffix="  ", showgrid=False)
    figure.update_layout(barmode="group", bargap=0.25, dragmode=False, showlegend=False)
    return finish_figure(figure, height=44 * len(genres) + 8)


def timelines_figure(
    genres: tuple[str, ...], first: Timeline, second: Timeline, *, names: tuple[str, str]
) -> go.Figure:
    """Draw how the genre moves in two answers, one over the other on the same time axis.

    Parameters
    ----------
    genres : tuple of str
    first, second : Timeline
        Without overlap.
    names : tuple of str
        What the two are.

    Returns
    -------
    figure : go.Figure
    """
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.2,
        subplot_titles=[escape(name) for name in names],
    )
    in_legend: set[str] = set()
    for row, steps in enumerate((first, second), start=1):
        for trace in step_traces(steps, genres):
            trace.update(legendgroup=trace.name, showlegend=trace.name not in in_legend)
            in_legend.add(trace.name)
            figure.add_trace(trace, row=row, col=1)
    end_seconds = float(max(first.end_seconds[-1], second.end_seconds[-1]))
    style_time_axis(figure, 0.0, end_seconds)
    # Those of its own choice plotly would put at the middles of the bars.
    figure.update_xaxes(showticklabels=True, **round_ticks(end_seconds))
    figure.update_yaxes(
        range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], gridcolor=GRID_COLOR, fixedrange=True
    )
    figure.update_annotations(font_size=14, x=0, xanchor="left")
    figure.update_layout(
        barmode="stack",
        bargap=0,
        dragmode=False,
        hovermode="closest",
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "traceorder": "normal"},
    )
    finish_figure(figure, height=420)
    return figure.update_layout(margin_t=30)

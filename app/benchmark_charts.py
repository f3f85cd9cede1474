"""Figures of the Benchmark and Model pages: data in, plotly figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from app.benchmark import KINDS
from app.charts import GENRE_COLORS, GRID_COLOR, OTHER_COLOR, finish_figure

__all__ = [
    "DIVERGING",
    "KIND_COLORS",
    "accuracy_figure",
    "confusion_figure",
    "differences_figure",
    "finish_chart",
    "heat_figure",
    "line_colors",
    "lines_figure",
    "put_legend_on_top",
    "short_title",
]

KIND_COLORS = dict(zip(KINDS, ("#12968a", "#3b82d6", "#8a6ee8", "#d9568f", "#b4851a", "#c8643c",
                               OTHER_COLOR), strict=True))  # fmt: skip
MORE, LESS = "#1a837c", "#c2553f"
# The page shines through, so that its text keeps its contrast on them, light and dark.
_SEQUENTIAL = [[0, "rgba(26,131,124,0.04)"], [1, "rgba(26,131,124,0.75)"]]
DIVERGING = [
    [0, "rgba(194,85,63,0.75)"],
    [0.5, "rgba(128,140,138,0.06)"],
    [1, "rgba(26,131,124,0.75)"],
]
_TOP = 40  # px for the buttons of a chart
_BAND_OPACITY = 0.12
_TOP_WITH_LEGEND = 72  # beside each other they overlap on a phone


def short_title(title: str) -> str:
    """Break a model's name into two lines, for the axis of a narrow chart."""
    for word in (" on ", " with ", " without ", " of "):
        head, found, tail = title.partition(word)
        if found:
            return f"{head}<br>{found.strip()} {tail}"
    return title


def finish_chart(figure: go.Figure, *, height: int) -> go.Figure:
    """Give a figure its grid, its height, and room for the button that keeps it."""
    figure.update_xaxes(gridcolor=GRID_COLOR, zerolinecolor=GRID_COLOR)
    figure.update_yaxes(gridcolor=GRID_COLOR, zerolinecolor=GRID_COLOR, automargin=True)
    finish_figure(figure, height=height)
    return figure.update_layout(
        margin={"l": 0, "r": 8, "t": _TOP, "b": 8},
        dragmode=False,
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": OTHER_COLOR, "activecolor": MORE},
    )


def put_legend_on_top(figure: go.Figure) -> go.Figure:
    """Put the legend of a finished figure between its buttons and its data."""
    return figure.update_layout(
        margin_t=_TOP_WITH_LEGEND,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )


def accuracy_figure(frame: pd.DataFrame, metric: str = "accuracy") -> go.Figure:
    """Draw a metric of each model with its interval, the best on top.

    Parameters
    ----------
    frame : pandas.DataFrame
        See `app.benchmark.leaderboard_frame`.
    metric : str
    """
    rows = frame.sort_values(metric)
    order = [short_title(title) for title in rows["title"]]
    figure = go.Figure()
    for kind in KINDS:
        part = rows[rows["kind"] == kind]
        if part.empty:
            continue
        values = 100 * part[metric]
        figure.add_scatter(
            x=values,
            y=[short_title(title) for title in part["title"]],
            mode="markers",
            name=KINDS[kind],
            marker={"size": 11, "color": KIND_COLORS[kind]},
            error_x={
                "array": 100 * part[f"{metric}_high"] - values,
                "arrayminus": values - 100 * part[f"{metric}_low"],
                "symmetric": False,
                "thickness": 1.5,
                "color": KIND_COLORS[kind],
            },
            hovertemplate="%{y}<br>%{x:.1f} %<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=order, showgrid=False)
    figure.update_xaxes(ticksuffix=" %", rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "y": -0.06, "yanchor": "top", "x": 0})
    return finish_chart(figure, height=40 * len(rows) + 150)


def differences_figure(frame: pd.DataFrame) -> go.Figure:
    """Draw the accuracy of each model minus that of one, with intervals.

    Parameters
    ----------
    frame : pandas.DataFrame
        See `app.benchmark_pairs.comparison_frame`.
    """
    rows = frame.iloc[::-1]
    figure = go.Figure()
    for is_significant, name in ((True, "significant"), (False, "not significant")):
        part = rows[rows["is_significant"] == is_significant]
        values = 100 * part["difference"]
        color = MORE if is_significant else OTHER_COLOR
        figure.add_scatter(
            x=values,
            y=[short_title(title) for title in part["title"]],
            mode="markers",
            name=name,
            marker={
                "size": 11,
                "color": color,
                "symbol": "circle" if is_significant else "circle-open",
                "line": {"width": 2},
            },
            error_x={
                "array": 100 * part["high"] - values,
                "arrayminus": values - 100 * part["low"],
                "symmetric": False,
                "thickness": 1.5,
                "color": color,
            },
            hovertemplate="%{y}<br>%{x:+.1f} points<extra></extra>",
        )
    order = [short_title(title) for title in rows["title"]]
    figure.update_yaxes(categoryorder="array", categoryarray=order, showgrid=False)
    low, high = 100 * min(rows["low"].min(), 0), 100 * max(rows["high"].max(), 0)
    room = 0.06 * (high - low)
    figure.update_xaxes(
        title="Points of accuracy",
        range=[low - room, high + room],
        zeroline=True,
        zerolinewidth=2,
    )
    put_legend_on_top(finish_chart(figure, height=40 * len(rows) + 130))
    return figure.update_xaxes(zerolinecolor=OTHER_COLOR)


def heat_figure(
    values: pd.DataFrame, *, texts: Sequence[Sequence[str]], is_signed: bool = False
) -> go.Figure:
    """Draw a table as colours, with the figures in the cells.

    Parameters
    ----------
    values : pandas.DataFrame
        Rows from the top.
    texts : sequence of sequence of str
        What stands in each cell.
    is_signed : bool
        Two colours, for less and for more than nothing.
    """
    peak = float(np.nanmax(np.abs(values.to_numpy(float)))) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values.to_numpy(float),
            x=list(values.columns),
            y=[short_title(str(name)) for name in values.index],
            text=texts,
            texttemplate="%{text}",
            textfont={"size": 12},
            colorscale=DIVERGING if is_signed else _SEQUENTIAL,
            zmin=-peak if is_signed else 0,
            zmax=peak,
            showscale=False,
            xgap=2,
            ygap=2,
            hoverongaps=False,
            hovertemplate="%{y}<br>%{x}: %{text}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"size": 12})
    figure.update_xaxes(type="category", showgrid=False, tickangle=-60, tickfont={"size": 12})
    return finish_chart(figure, height=36 * len(values) + 150)


def confusion_figure(
    matrix: npt.NDArray[np.int64], genres: Sequence[str], *, minus: npt.NDArray[np.int64] | None
) -> go.Figure:
    """Draw a confusion matrix as shares of each true genre, or the difference of two.

    Parameters
    ----------
    matrix : np.ndarray [shape=(n_genres, n_genres), dtype=int64]
        True genres in rows, said ones in columns.
    genres : sequence of str
    minus : np.ndarray, optional
        Matrix of another model, taken off.
    """
    share = _shares(matrix)
    if minus is not None:
        share = share - _shares(minus)
    spec = "+.0f" if minus is not None else ".0f"
    texts = [["" if abs(v) < 0.5 else f"{v:{spec}}" for v in row] for row in share]
    frame = pd.DataFrame(share, index=list(genres), columns=list(genres))
    figure = heat_figure(frame, texts=texts, is_signed=minus is not None)
    figure.update_xaxes(title="The model says")
    figure.update_yaxes(title="It is", title_standoff=12)
    figure.update_traces(hovertemplate="%{y} called %{x}: %{z:.1f} %<extra></extra>")
    return figure


def _shares(matrix: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    counts = np.asarray(matrix, float)
    shares: npt.NDArray[np.float64] = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares


def lines_figure(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    colors: Mapping[str, str],
    x_title: str,
    y_title: str,
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    is_diagonal: bool = False,
) -> go.Figure:
    """Draw lines: ROC, precision-recall, learning and seconds-heard curves.

    Parameters
    ----------
    lines : mapping of str to (x, y)
    colors : mapping of str to str
        As ``#rrggbb``.
    x_title, y_title : str
    bands : mapping of str to (low, high), optional
        Around the lines of these names.
    is_diagonal : bool
        Draw what chance or a perfect calibration gives.
    """
    figure = go.Figure()
    for name, (low, high) in (bands or {}).items():
        there = list(lines[name][0])
        figure.add_scatter(
            x=[*there, *reversed(there)],
            y=[*low, *reversed(high)],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=f"rgba{(*_rgb(colors[name]), _BAND_OPACITY)}",
            legendgroup=name,
            showlegend=False,
            hoverinfo="skip",
        )
    for name, (x, y) in lines.items():
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines+markers" if len(x) < 20 else "lines",
            name=name,
            legendgroup=name,
            line={"color": colors.get(name, OTHER_COLOR), "width": 2.5},
            hovertemplate="%{fullData.name}<br>%{x:.3g}: %{y:.3g}<extra></extra>",
        )
    if is_diagonal:
        figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", showlegend=False, hoverinfo="skip",
                           line={"color": OTHER_COLOR, "dash": "dot", "width": 1})  # fmt: skip
        figure.update_xaxes(range=[0, 1])
        figure.update_yaxes(range=[0, 1.01])
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title)
    # Of a single line too: it says whose it is.
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0}
    )
    return finish_chart(figure, height=480)


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def line_colors(kinds: Mapping[str, str]) -> dict[str, str]:
    """Give each line a colour of its own: that of its kind to the first of a kind.

    Parameters
    ----------
    kinds : mapping of str to str
        Kind of each model, by its name.
    """
    others = cycle(color for color in GENRE_COLORS if color not in KIND_COLORS.values())
    colors: dict[str, str] = {}
    for name, kind in kinds.items():
        of_kind = KIND_COLORS[kind]
        colors[name] = of_kind if of_kind not in colors.values() else next(others)
    return colors

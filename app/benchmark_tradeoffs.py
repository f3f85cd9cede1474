"""Figures that set two things against each other: accuracy and cost, two splits, two codecs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.benchmark import KINDS, pareto_front
from app.benchmark_charts import (
    KIND_COLORS,
    LESS,
    MORE,
    finish_chart,
    put_legend_on_top,
    short_title,
)
from app.charts import OTHER_COLOR

__all__ = ["cost_figure", "dumbbell_figure"]

_WIDE = 100


def dumbbell_figure(
    frame: pd.DataFrame, *, left: str, right: str, names: tuple[str, str], is_told: bool = False
) -> go.Figure:
    """Draw two accuracies of each model and the way between them.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``title``, ``about`` (a line for the hover) and two columns of fractions.
    left, right : str
        The columns.
    names : (str, str)
        What they are.
    is_told : bool
        Write ``about`` under each name.
    """
    rows = frame.sort_values(left)
    y = [short_title(title) for title in rows["title"]]
    if is_told:
        y = [f"{label}<br><i>{about}</i>" for label, about in zip(y, rows["about"], strict=True)]
    figure = go.Figure()
    for label, (_, row) in zip(y, rows.iterrows(), strict=True):
        figure.add_scatter(x=[100 * row[left], 100 * row[right]], y=[label, label], mode="lines",
                           line={"color": OTHER_COLOR, "width": 3}, showlegend=False,
                           hoverinfo="skip")  # fmt: skip
    for column, name, color in ((left, names[0], MORE), (right, names[1], LESS)):
        figure.add_scatter(
            x=100 * rows[column],
            y=y,
            mode="markers",
            name=name,
            marker={"size": 12, "color": color},
            customdata=rows["about"],
            hovertemplate="%{y}<br>%{fullData.name}: %{x:.1f} %<br>%{customdata}<extra></extra>",
        )
    figure.update_xaxes(ticksuffix=" %")
    figure.update_yaxes(showgrid=False, categoryorder="array", categoryarray=y)
    height = 40 if not is_told else 58
    return put_legend_on_top(finish_chart(figure, height=height * len(rows) + 120))


def cost_figure(frame: pd.DataFrame, *, cost: str, title: str) -> go.Figure:
    """Draw accuracy against a cost, with the models that nothing beats in both.

    Parameters
    ----------
    frame : pandas.DataFrame
        See `app.benchmark.cost_frame`.
    cost : str
        One of its columns.
    title : str
        Of the axis, with the unit.
    """
    rows = frame[frame[cost].notna()].reset_index(drop=True)
    figure = go.Figure()
    front = rows.iloc[pareto_front(rows[cost].to_numpy(float), rows["accuracy"].to_numpy(float))]
    figure.add_scatter(x=front[cost], y=100 * front["accuracy"], mode="lines",
                       line={"color": OTHER_COLOR, "dash": "dot", "shape": "hv"},
                       name="nothing beats these", hoverinfo="skip")  # fmt: skip
    for kind in KINDS:
        part = rows[rows["kind"] == kind]
        if part.empty:
            continue
        figure.add_scatter(
            x=part[cost],
            y=100 * part["accuracy"],
            mode="markers",
            name=KINDS[kind],
            customdata=_names(part),
            marker={"size": 18 if kind == "songnet" else 13, "color": KIND_COLORS[kind],
                    "symbol": ["diamond" if r == "litert" else "circle" for r in part["runtime"]]},
            hovertemplate="%{customdata}<br>%{y:.1f} %, %{x:,.3g}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title=title, type="log", dtick=1)
    # A tick a power of ten would leave less than two of them with one tick.
    if rows[cost].max() < _WIDE * rows[cost].min():
        tens = 10.0 ** np.arange(*np.floor(np.log10([rows[cost].min(), 10 * rows[cost].max()])))
        figure.update_xaxes(tickvals=np.outer(tens, (1, 2, 5)).ravel().tolist())
    figure.update_yaxes(title="Accuracy", ticksuffix=" %")
    figure.update_layout(legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0})
    return finish_chart(figure, height=480)


def _names(part: pd.DataFrame) -> list[str]:
    return [f"{t} ({r})" for t, r in zip(part["title"], part["runtime"], strict=True)]

"""Figures of the Model page: data in, plotly figure out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.benchmark_charts import DIVERGING, LESS, MORE, finish_chart, heat_figure, lines_figure
from app.charts import OTHER_COLOR, genre_colors
from app.views import ViewData

__all__ = [
    "history_figure",
    "mfcc_genres_figure",
    "mfcc_sample_figure",
    "precision_recall_figure",
    "reliability_figure",
    "roc_figure",
]

_COLUMNS = 150


def history_figure(history: dict[str, list[float]], *, kept_epoch: int) -> go.Figure:
    """Draw loss and accuracy over the epochs, with the one that was kept.

    Parameters
    ----------
    history : dict of str to list of float
        Columns of the training's history.
    kept_epoch : int
        From 1.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.09)
    for row, (name, scale) in enumerate((("loss", 1), ("accuracy", 100)), start=1):
        for column, label, color in (
            (name, "training", OTHER_COLOR),
            (f"val_{name}", "artists held out", MORE),
        ):
            figure.add_scatter(
                x=history["epoch"],
                y=[scale * value for value in history[column]],
                mode="lines",
                name=label,
                line={"color": color, "width": 2},
                showlegend=row == 1,
                row=row,
                col=1,
                hovertemplate="epoch %{x:.0f}: %{y:.3g}<extra>%{fullData.name}</extra>",
            )
        figure.add_vline(x=kept_epoch, line={"color": LESS, "dash": "dot"}, row=row, col=1)
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title="Loss", row=1)
    figure.update_yaxes(title="Accuracy (%)", row=2)
    figure.update_xaxes(title="Epoch", row=2)
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    return finish_chart(figure, height=520)


def roc_figure(report: dict[str, Any], genres: tuple[str, ...]) -> go.Figure:
    """Draw the ROC curve of each genre against the rest."""
    colors = genre_colors(genres)
    lines = {f"{g} {report['roc'][g]['auc'] or 0:.2f}": report["roc"][g] for g in genres}
    return lines_figure(
        {label: (curve["fpr"], curve["tpr"]) for label, curve in lines.items()},
        colors={label: colors[g] for label, g in zip(lines, genres, strict=True)},
        x_title="False positive rate",
        y_title="True positive rate",
        is_diagonal=True,
    )


def precision_recall_figure(report: dict[str, Any], genres: tuple[str, ...]) -> go.Figure:
    """Draw the precision-recall curve of each genre against the rest."""
    colors = genre_colors(genres)
    found = report["precision_recall"]
    lines = {f"{g} {found[g]['average_precision'] or 0:.2f}": found[g] for g in genres}
    return lines_figure(
        {label: (curve["recall"], curve["precision"]) for label, curve in lines.items()},
        colors={label: colors[g] for label, g in zip(lines, genres, strict=True)},
        x_title="Recall",
        y_title="Precision",
    )


def reliability_figure(reliability: dict[str, list[Any]]) -> go.Figure:
    """Draw accuracy against confidence; a bubble is larger the more tracks it holds.

    Parameters
    ----------
    reliability : dict
        See `songnet.evaluation.curves.Reliability`.
    """
    count = np.array(reliability["count"])
    filled = np.flatnonzero(count)
    figure = go.Figure()
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", name="as sure as right",
                       line={"color": OTHER_COLOR, "dash": "dot"}, hoverinfo="skip")  # fmt: skip
    figure.add_scatter(
        x=[100 * reliability["confidence"][i] for i in filled],
        y=[100 * reliability["accuracy"][i] for i in filled],
        mode="lines+markers",
        name="the model",
        line={"color": MORE},
        marker={"size": 8 + 24 * np.sqrt(count[filled] / count.max()), "opacity": 0.85},
        customdata=count[filled],
        hovertemplate="%{x:.0f} % sure, %{y:.0f} % right<br>%{customdata} tracks<extra></extra>",
    )
    figure.update_xaxes(title="Confidence (%)", range=[0, 102])
    figure.update_yaxes(title="Right (%)", range=[0, 102])
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    return finish_chart(figure, height=440)


def mfcc_genres_figure(mfcc: dict[str, Any], *, quantity: str) -> go.Figure:
    """Draw mean or variance of each coefficient by genre, standardised over the genres.

    Parameters
    ----------
    mfcc : dict
        ``by_genre`` of ``mfcc.json``.
    quantity : {"mean", "variance"}
    """
    values = pd.DataFrame({genre: row[quantity] for genre, row in mfcc.items()}).T
    values.columns = pd.Index([str(i) for i in range(values.shape[1])])
    texts = [[f"{value:.0f}" for value in row] for row in values.to_numpy(float)]
    spread = (values - values.mean()) / values.std(ddof=0).replace(0, 1)
    figure = heat_figure(spread, texts=texts, is_signed=True)
    figure.update_traces(texttemplate="", hovertemplate="%{y}, MFCC %{x}: %{text}<extra></extra>")
    return figure.update_xaxes(title="Coefficient", tickangle=0)


def mfcc_sample_figure(view: ViewData) -> go.Figure:
    """Draw the MFCC of a sample as a heat map, each coefficient on its own scale."""
    n_columns = min(_COLUMNS, view.seconds.size)
    starts = np.arange(n_columns) * view.seconds.size // n_columns
    sizes = np.diff(np.append(starts, view.seconds.size))
    values = np.add.reduceat(view.values, starts, axis=1) / sizes
    spread = (values - values.mean(1, keepdims=True)) / np.maximum(values.std(1), 1e-6)[:, None]
    figure = go.Figure(
        go.Heatmap(
            z=np.round(spread, 2),
            x=np.round(view.seconds[starts], 2),
            y=list(range(1, len(values) + 1)),
            customdata=np.round(values, 1),
            colorscale=DIVERGING,
            zmid=0,
            zmin=-3,
            zmax=3,
            showscale=False,
            hovertemplate="%{x:.1f} s, MFCC %{y}: %{customdata} dB<extra></extra>",
        )
    )
    figure.update_xaxes(title="Seconds")
    figure.update_yaxes(title="Coefficient")
    return finish_chart(figure, height=320)

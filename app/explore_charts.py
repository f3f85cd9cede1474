"""Figures of a collection: counts by genre and year, and its map."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts import GENRE_COLORS, GRID_COLOR, OTHER_COLOR, finish_figure
from app.explore import track_names

__all__ = ["MAP_POINTS", "collection_colors", "genre_counts_figure", "map_figure", "years_figure"]

MAP_POINTS = 4_000
_MOST_GENRES = 16


def collection_colors(genres: tuple[str, ...], names: list[str]) -> dict[str, str]:
    """Give each genre of a collection a colour.

    Parameters
    ----------
    genres : tuple of str
        Of the model; they keep the colours they have on every page.
    names : list of str
        Genres of the collection.

    Returns
    -------
    colors : dict of str to str
    """
    known = {
        genre.casefold(): GENRE_COLORS[i % len(GENRE_COLORS)] for i, genre in enumerate(genres)
    }
    return {name: known.get(name.casefold(), OTHER_COLOR) for name in names}


def genre_counts_figure(counts: pd.Series, *, colors: dict[str, str]) -> go.Figure:
    """Draw the number of tracks of each genre, the most frequent on top.

    Parameters
    ----------
    counts : pandas.Series
        Number of tracks by genre, descending.
    colors : dict of str to str
    """
    shown = counts.head(_MOST_GENRES)[::-1]
    names = [name or "unknown" for name in shown.index]
    figure = go.Figure(
        go.Bar(
            x=shown.tolist(),
            y=names,
            orientation="h",
            marker={
                "color": [colors.get(name, OTHER_COLOR) for name in shown.index],
                "cornerradius": 4,
            },
            text=[f"{n:,}" for n in shown],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:,} tracks<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, range=[0, max(shown.max() * 1.2, 1)])
    figure.update_yaxes(ticksuffix="  ", showgrid=False)
    return finish_figure(figure, height=max(120, 24 * len(shown) + 16))


def years_figure(years: pd.Series) -> go.Figure:
    """Draw the number of tracks of each year.

    Parameters
    ----------
    years : pandas.Series
        Of the tracks whose year is known.
    """
    counts = years.value_counts().sort_index()
    figure = go.Figure(
        go.Bar(
            x=counts.index.tolist(),
            y=counts.tolist(),
            marker={"color": GENRE_COLORS[6]},
            hovertemplate="%{x}: %{y:,} tracks<extra></extra>",
        )
    )
    figure.update_xaxes(tickformat="d", showgrid=False, nticks=6)
    figure.update_yaxes(gridcolor=GRID_COLOR, nticks=4, rangemode="tozero")
    figure.update_layout(bargap=0)  # a gap of less than a pixel comes and goes
    return finish_figure(figure, height=220)


def map_figure(
    frame: pd.DataFrame, *, colors: dict[str, str], selected: int | None = None
) -> go.Figure:
    """Draw tracks where their embeddings put them, coloured by genre.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tracks to draw, with ``x``, ``y`` and ``colour_genre``; see `MAP_POINTS`.
    colors : dict of str to str
    selected : int, optional
        Row number that gets a ring.

    Returns
    -------
    figure : go.Figure
        The first of each point's ``customdata`` is its row number.
    """
    figure = go.Figure()
    for genre, rows in frame.groupby("colour_genre", sort=True):
        words = rows["artist"].where(rows["artist"] != "", "Unknown artist")
        words = words + ": " + track_names(rows)
        figure.add_trace(
            go.Scattergl(
                name=escape(str(genre)) or "unknown",
                x=np.round(rows["x"].to_numpy(), 3).tolist(),
                y=np.round(rows["y"].to_numpy(), 3).tolist(),
                mode="markers",
                marker={"size": 6, "opacity": 0.75, "color": colors.get(str(genre), OTHER_COLOR)},
                customdata=rows.index.tolist(),
                text=[escape(text) for text in words.str.slice(0, 60)],
                hovertemplate="%{text}<extra>%{fullData.name}</extra>",
                unselected={"marker": {"opacity": 0.75}},
            )
        )
    if selected is not None and selected in frame.index:
        figure.add_trace(
            go.Scattergl(
                x=[float(frame.at[selected, "x"])],
                y=[float(frame.at[selected, "y"])],
                mode="markers",
                marker={"size": 16, "symbol": "circle-open", "color": "#e0524a", "line_width": 3},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(
        dragmode="pan",
        hovermode="closest",
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0},
    )
    return finish_figure(figure, height=480)

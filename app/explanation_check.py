"""Whether the evidence means something: what `benchmarks.explanation` measured, shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from app.charts import GRID_COLOR, OTHER_COLOR, finish_figure
from app.charts_views import SOUND_COLOR
from app.components import percent
from songnet.inference.bundle import Bundle

__all__ = ["check_figure", "check_text", "read_check", "show_check"]

RESULT = Path(__file__).parents[1] / "benchmarks" / "results" / "explanation.json"
_CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False}
_WAYS = {"deletion": "muted", "insertion": "brought back into silence"}


def read_check(bundle: Bundle, path: Path = RESULT) -> dict[str, Any] | None:
    """Read the measurement that was made with a bundle's network.

    Parameters
    ----------
    bundle : Bundle
    path : Path
        Written by ``python -m benchmarks.explanation``.

    Returns
    -------
    result : dict or None
        None where none was made, or with another network.
    """
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    is_of_this = result["model_sha256"] == bundle.files.get("model.tflite")
    return result if is_of_this else None


def show_check(bundle: Bundle) -> None:
    """Show how the evidence did against chance; nothing where that was not measured.

    Parameters
    ----------
    bundle : Bundle
    """
    result = read_check(bundle)
    if result is None:
        return
    with st.expander("Does this mean something?", icon=":material/fact_check:"):
        st.markdown(check_text(result))
        for way, done in _WAYS.items():
            st.plotly_chart(
                check_figure(result, way),
                key=f"check-{way}",
                config=_CONFIG,
                alt=f"Probability of the named genre while stretches are {done}",
            )


def check_text(result: dict[str, Any]) -> str:
    """Say in words what was measured.

    Parameters
    ----------
    result : dict
        See `read_check`.

    Returns
    -------
    text : str
    """
    gains = {way: result[way]["gain"] for way in _WAYS}
    said = {
        way: f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
        for way, gain in gains.items()
    }
    shares = {way: percent(result[way]["share_of_tracks_with_gain"]) for way in _WAYS}
    holds = all(gain["low"] > 0 for gain in gains.values())
    verdict = "It does" if holds else "Not for certain"
    return (
        f"{verdict}, by this test: {result['n_tracks']} tracks, each by another artist, were cut "
        f"into {result['n_stretches']} stretches. Muting first what the evidence says spoke most "
        "for the named genre lowers its probability faster than muting in random order: the area "
        f"between the curves is {said['deletion']}, above zero for {shares['deletion']} of the "
        "tracks. Bringing the same stretches back into silence raises it faster: "
        f"{said['insertion']}, above zero for {shares['insertion']}. "
        f"({result['intervals'].capitalize()}.)"
    )


def check_figure(result: dict[str, Any], way: str) -> go.Figure:
    """Draw the probability while stretches are muted, or brought back.

    Parameters
    ----------
    result : dict
        See `read_check`.
    way : {"deletion", "insertion"}

    Returns
    -------
    figure : go.Figure
    """
    figure = go.Figure()
    for name, curve, color, dash in (
        ("in the order of the evidence", "curve_evidence", SOUND_COLOR, "solid"),
        ("in random order", "curve_random", OTHER_COLOR, "dash"),
    ):
        figure.add_trace(
            go.Scatter(
                x=result["shares"],
                y=result[way][curve],
                mode="lines",
                name=name,
                line={"color": color, "width": 2.5, "dash": dash},
                hovertemplate=f"%{{x:.0%}} {_WAYS[way]}, {name}: %{{y:.0%}}<extra></extra>",
            )
        )
    figure.update_xaxes(
        title_text=f"Share of the track {_WAYS[way]}", tickformat=".0%", showgrid=False
    )
    figure.update_yaxes(
        title_text="Probability", range=[0, 1], tickformat=".0%", gridcolor=GRID_COLOR, nticks=5
    )
    figure.update_layout(
        dragmode=False, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"}
    )
    return finish_figure(figure, height=260).update_layout(margin={"t": 30})

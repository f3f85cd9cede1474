"""Charts under fingers: a drag there scrolls the page."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

__all__ = ["leave_drags_to_page"]


def leave_drags_to_page(figure: go.Figure) -> go.Figure:
    """On a phone let a drag over the figure scroll the page; taps still choose.

    A chart that takes drags holds the finger: a page of charts could not be
    scrolled any more.

    Parameters
    ----------
    figure : go.Figure

    Returns
    -------
    figure : go.Figure
        The same.
    """
    if "Mobi" in st.context.headers.get("User-Agent", ""):
        figure.update_layout(dragmode=False)
    return figure

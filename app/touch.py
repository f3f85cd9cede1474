"""What is other on a phone: a drag scrolls the page, columns lie under one another."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

__all__ = ["is_phone", "leave_drags_to_page"]


def is_phone() -> bool:
    """Whether the visitor's browser says that it is that of a phone."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


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
    if is_phone():
        figure.update_layout(dragmode=False)
    return figure

"""The benchmark as a presentation: one chart a screen, large, moved by the arrow keys."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from app.benchmark_view import plot_config
from app.report import ReportFigure

__all__ = ["is_presenting", "show_presentation", "start"]

_PLACE = "benchmark-slide"
_FONT = 22


def is_presenting() -> bool:
    """Whether the visitor presents."""
    return _PLACE in st.session_state


def start() -> None:
    """Begin with the first chart."""
    st.session_state[_PLACE] = 0


def _stop() -> None:
    del st.session_state[_PLACE]


def _move(steps: int, last: int) -> None:
    st.session_state[_PLACE] = min(max(st.session_state[_PLACE] + steps, 0), last)


def show_presentation(charts: list[ReportFigure]) -> None:
    """Show one chart and the ways to the others.

    Parameters
    ----------
    charts : list of ReportFigure
        At least one; see `app.benchmark_story.tell_story`.
    """
    last = len(charts) - 1
    place = min(st.session_state[_PLACE], last)
    chart = charts[place]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Back", icon=":material/arrow_back:", shortcut="Left", on_click=_move,
                  args=(-1, last), disabled=place == 0)  # fmt: skip
        st.button("Next", icon=":material/arrow_forward:", shortcut="Right", on_click=_move,
                  args=(1, last), disabled=place == last)  # fmt: skip
        st.markdown(f"{place + 1} of {len(charts)}")
        st.button("Leave", icon=":material/close:", shortcut="Escape", on_click=_stop)
    st.html(f'<h2 style="font-size:clamp(1.75rem,4vw,3rem);padding:0">{chart.title}</h2>')
    figure = go.Figure(chart.figure)
    figure.update_layout(font={"size": _FONT}, height=max(figure.layout.height, 620))
    figure.update_xaxes(tickfont={"size": _FONT}, title_font={"size": _FONT})
    figure.update_yaxes(tickfont={"size": _FONT}, title_font={"size": _FONT})
    figure.update_layout(legend={"font": {"size": _FONT}})
    figure.update_traces(textfont={"size": _FONT}, selector={"type": "heatmap"})
    st.plotly_chart(figure, key=f"slide-{place}", config=plot_config(chart.title), alt=chart.alt)
    st.html(f'<p style="font-size:1.4rem">{chart.note}</p>')

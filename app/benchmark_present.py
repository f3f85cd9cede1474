"""The benchmark as a presentation: one chart a screen, large, moved by the arrow keys."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from app.benchmark_view import plot_config
from app.report import ReportFigure

__all__ = ["enlarge", "is_presenting", "show_presentation", "start"]

_PLACE = "benchmark-slide"
_FONT, _HEIGHT = 22, 620  # px
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { max-width: none; padding: 4rem 3vw 1rem }
</style>"""


def is_presenting() -> bool:
    """Whether the visitor presents."""
    return _PLACE in st.session_state


def start() -> None:
    """Begin with the first chart."""
    st.session_state[_PLACE] = 0


def _stop() -> None:
    st.session_state.pop(_PLACE, None)


def _move(steps: int, last: int) -> None:
    if is_presenting():  # a key may be pressed again before the page knows that it has ended
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
    st.html(_STYLE)
    st.html(f'<h2 style="font-size:clamp(1.75rem,4vw,2.75rem);padding:0">{chart.title}</h2>')
    st.plotly_chart(
        enlarge(chart.figure), key=f"slide-{place}", config=plot_config(chart.title), alt=chart.alt
    )
    st.html(f'<p style="font-size:1.3rem">{chart.note}</p>')


def enlarge(figure: go.Figure) -> go.Figure:
    """Make a figure fill a screen in large type, its names in one line each.

    Parameters
    ----------
    figure : go.Figure
        Not changed.

    Returns
    -------
    figure : go.Figure
    """
    large = go.Figure(figure)
    names: set[str] = set()
    for trace in large.data:
        if trace.y is not None and any(isinstance(value, str) for value in trace.y):
            trace.y = [str(value).replace("<br>", " ") for value in trace.y]
            names |= set(trace.y)
    if large.layout.yaxis.categoryarray:
        order = [str(name).replace("<br>", " ") for name in large.layout.yaxis.categoryarray]
        large.update_yaxes(categoryarray=order)
    row_font = min(_FONT, round(0.62 * _HEIGHT / max(len(names) + 5, 1)))
    large.update_layout(height=_HEIGHT, font={"size": _FONT}, legend={"font": {"size": 18}})
    large.update_xaxes(tickfont={"size": 18}, title_font={"size": _FONT})
    large.update_yaxes(tickfont={"size": row_font}, title_font={"size": _FONT})
    large.update_traces(textfont={"size": row_font}, selector={"type": "heatmap"})
    return large

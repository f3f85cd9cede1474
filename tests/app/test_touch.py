"""On a phone a drag over a chart scrolls the page."""

from __future__ import annotations

from types import SimpleNamespace

import plotly.graph_objects as go
import pytest
import streamlit as st

from app.touch import leave_drags_to_page


@pytest.mark.parametrize(
    ("browser", "mode"),
    [
        ("Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36", False),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36", "select"),
    ],
)
def test_only_a_phone_leaves_drags_to_the_page(
    browser: str, mode: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(headers={"User-Agent": browser}))
    figure = go.Figure(layout={"dragmode": "select"})
    assert leave_drags_to_page(figure) is figure
    assert figure.layout.dragmode == mode

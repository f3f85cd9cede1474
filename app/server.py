"""Pages and API on one port: `streamlit run app/server.py`.

The services are imported when they are first asked for: before the server is
there, Streamlit's caches have no place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from starlette.routing import Mount

from app.settings import read_settings
from songnet.api import PREFIX, ApiLimits, build_api

if TYPE_CHECKING:
    from songnet.datasets.recognise import TrackInfo
    from songnet.inference.classifier import Classifier
    from songnet.inference.live_places import LivePlaces

_SETTINGS = read_settings()


def _open_classifier() -> Classifier:
    from app import services

    return services.load_classifier()


def _open_places() -> LivePlaces:
    from app import services

    return services.live_places(_SETTINGS.max_live_sessions)


def _recognise(data: bytes, name: str) -> TrackInfo:
    from app import services

    return services.load_recogniser().recognise(data, name=name)


app = st.App(
    "main.py",
    routes=[
        Mount(
            PREFIX,
            build_api(
                _open_classifier,
                open_places=_open_places,
                recognise=_recognise,
                limits=ApiLimits(decode=_SETTINGS.limits, origins=_SETTINGS.api_origins),
            ),
        )
    ],
)

"""What one visitor has given: the current clip, and where the visitor is.

The last thing given is the thing shown. Every source (upload, recording,
example) replaces the clip and empties the other widgets, so that a result can
never stand beside a file that it does not belong to.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

__all__ = [
    "Clip",
    "Visit",
    "current_clip",
    "enter_page",
    "start_over",
    "take_example",
    "take_live_recording",
    "take_live_upload",
    "take_recording",
    "take_upload",
    "visit",
    "watch_clip",
    "watch_presence",
    "widget_key",
]

Origin = Literal["upload", "recording", "example", "live"]
_WIDGETS: tuple[Origin, ...] = ("upload", "recording")
_GONE_SECONDS = 10.0


@dataclass(frozen=True)
class Clip:
    """One file that the visitor gave.

    Parameters
    ----------
    number : int
        Counts what was given in this session; no two clips share it.
    name : str
        As the client calls it: for display only, never part of a path.
    data : bytes
    digest : str
        SHA-256 of the data.
    origin : {"upload", "recording", "example", "live"}
    """

    number: int
    name: str
    data: bytes
    digest: str
    origin: Origin


@dataclass
class _State:
    clip: Clip | None = None
    n_given: int = 0
    n_recordings: int = 0
    generations: dict[Origin, int] = field(default_factory=dict)


@dataclass
class Visit:
    """Where a visitor is; other threads may read it.

    Parameters
    ----------
    page : str
        Path of the page in the address.
    number : int
        Counts the pages that were entered.
    """

    page: str = ""
    number: int = 0


def visit() -> Visit:
    """Return where the visitor is."""
    return cast("Visit", st.session_state.setdefault("songnet_visit", Visit()))


def enter_page(page: str) -> None:
    """Note the page that is shown."""
    here = visit()
    here.number += here.page != page
    here.page = page


def _state() -> _State:
    return cast("_State", st.session_state.setdefault("songnet_session", _State()))


def current_clip() -> Clip | None:
    """Return the clip whose result is on the page."""
    return _state().clip


def watch_presence() -> Callable[[], bool]:
    """Make the question whether this visitor is still there; any thread may ask it.

    A connection that breaks for some seconds is no leaving.
    """
    context = get_script_run_ctx()
    seen = time.monotonic()

    def is_present() -> bool:
        nonlocal seen
        if context is None or not exists() or get_instance().is_active_session(context.session_id):
            seen = time.monotonic()
        return time.monotonic() - seen < _GONE_SECONDS

    return is_present


def watch_clip(clip: Clip) -> Callable[[], bool]:
    """Make the question whether this visitor is there with this clip; any thread may ask it.

    Parameters
    ----------
    clip : Clip
    """
    state, is_present = _state(), watch_presence()
    return lambda: state.clip is clip and is_present()


def widget_key(origin: Origin) -> str:
    """Return the key of an input widget; it changes when the widget must be emptied."""
    return f"{origin}-{_state().generations.get(origin, 0)}"


def take_upload(key: str) -> None:
    """Make the uploaded file the current clip; without one, forget the clip."""
    _take_widget(key, "upload")


def take_recording(key: str) -> None:
    """Make the recording the current clip; without one, forget the clip."""
    _take_widget(key, "recording")


def take_example(name: str, data: bytes) -> None:
    """Make a fetched example the current clip."""
    _take(name, data, "example")


def take_live_recording(data: bytes) -> None:
    """Make what a live session kept the current clip."""
    state = _state()
    state.n_recordings += 1
    _take(f"Live recording {state.n_recordings}.wav", data, "live")


def take_live_upload(name: str, data: bytes) -> None:
    """Make a file that was chosen on the Live page the current clip."""
    _take(name, data, "live")


def start_over() -> None:
    """Forget the clip and empty all input widgets; the history stays."""
    _state().clip = None
    _empty_widgets(except_of=None)


def _take_widget(key: str, origin: Origin) -> None:
    state = _state()
    file = st.session_state.get(key)
    if file is None:
        if state.clip is not None and state.clip.origin == origin:
            state.clip = None
        return
    name = file.name
    if origin == "recording":
        state.n_recordings += 1
        name = f"Recording {state.n_recordings}"
    _take(name, file.getvalue(), origin)


def _take(name: str, data: bytes, origin: Origin) -> None:
    state = _state()
    state.n_given += 1
    _empty_widgets(except_of=origin)
    state.clip = Clip(
        number=state.n_given,
        name=name,
        data=data,
        digest=hashlib.sha256(data).hexdigest(),
        origin=origin,
    )


def _empty_widgets(*, except_of: Origin | None) -> None:
    generations = _state().generations
    for origin in _WIDGETS:
        if origin != except_of:
            generations[origin] = generations.get(origin, 0) + 1

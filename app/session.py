"""What one visitor has given: the current clip, and where the visitor is.

The last thing given is the thing shown. Every source (upload, recording,
example) replaces the clip and empties the other widgets, so that a result can
never stand beside a file that it does not belong to. Of several files given at
once none is the clip until one is opened.
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
from streamlit.runtime.uploaded_file_manager import UploadedFile

__all__ = [
    "MAX_FILES",
    "Clip",
    "Visit",
    "close_file",
    "current_clip",
    "enter_page",
    "files_left_out",
    "forget_second",
    "open_file",
    "second_clip",
    "several_files",
    "start_over",
    "take_example",
    "take_live_recording",
    "take_live_upload",
    "take_recording",
    "take_second",
    "take_upload",
    "visit",
    "watch_clip",
    "watch_presence",
    "widget_key",
]

Origin = Literal["upload", "recording", "example", "live"]
_WIDGETS: tuple[Origin, ...] = ("upload", "recording")
_GONE_SECONDS = 10.0
#: Files that are taken at once; their sound is in the server's memory.
MAX_FILES = 20


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
    second: Clip | None = None
    files: dict[str, Clip] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
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


def several_files() -> tuple[Clip, ...]:
    """Return the files that were given at once; none where it was one."""
    files = tuple(_state().files.values())
    return files if len(files) > 1 else ()


def files_left_out() -> tuple[str, ...]:
    """Return the names of the files beyond `MAX_FILES`."""
    return _state().left_out


def open_file(number: int) -> None:
    """Make one of several files the current clip."""
    state = _state()
    state.clip = next((clip for clip in state.files.values() if clip.number == number), None)


def close_file() -> None:
    """Go back from the opened file to all of them."""
    _state().clip = None


def second_clip() -> Clip | None:
    """Return the clip that the current one is compared with."""
    return _state().second


def take_second(key: str) -> None:
    """Compare the current clip with the uploaded file."""
    for file in _uploaded(key):
        _state().second = _new_clip(file.name, file.getvalue(), "upload")


def forget_second() -> None:
    """Compare the current clip with none."""
    _state().second = None


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
    """Take what the uploader holds: one more file is the current clip, of several none is yet."""
    state, uploaded = _state(), _uploaded(key)
    state.left_out = tuple(file.name for file in uploaded[MAX_FILES:])
    known, state.files = state.files, {}
    if not uploaded:
        _forget("upload")
        return
    _empty_widgets(except_of="upload")
    for file in uploaded[:MAX_FILES]:
        state.files[file.file_id] = known.get(file.file_id) or _new_clip(
            file.name, file.getvalue(), "upload"
        )
    is_list = len(known) > 1 and state.clip is None
    state.clip = _clip_to_show(known, is_list=is_list)


def _clip_to_show(known: dict[str, Clip], *, is_list: bool) -> Clip | None:
    """The only file, the only new one, or the one that was shown; else all of them."""
    state = _state()
    files = list(state.files.values())
    added = [clip for file_id, clip in state.files.items() if file_id not in known]
    if len(files) == 1:
        return files[0]
    if len(added) == 1 and not is_list:
        return added[0]
    return state.clip if not added and state.clip in files else None


def take_recording(key: str) -> None:
    """Make the recording the current clip; without one, forget the clip."""
    state, recorded = _state(), _uploaded(key)
    if not recorded:
        _forget("recording")
        return
    state.n_recordings += 1
    _take(f"Recording {state.n_recordings}", recorded[0].getvalue(), "recording")


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
    state = _state()
    state.clip, state.files, state.left_out = None, {}, ()
    _empty_widgets(except_of=None)


def _uploaded(key: str) -> list[UploadedFile]:
    """What an input widget holds."""
    held = st.session_state.get(key)
    if held is None:
        return []
    return held if isinstance(held, list) else [held]


def _forget(origin: Origin) -> None:
    state = _state()
    if state.clip is not None and state.clip.origin == origin:
        state.clip = None


def _take(name: str, data: bytes, origin: Origin) -> None:
    state = _state()
    _empty_widgets(except_of=origin)
    state.files, state.left_out = {}, ()
    state.clip = _new_clip(name, data, origin)


def _new_clip(name: str, data: bytes, origin: Origin) -> Clip:
    state = _state()
    state.n_given += 1
    return Clip(
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

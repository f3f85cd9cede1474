"""The history of a visitor: where it is kept, and what a click does to it.

Without a database it lives as long as the session. In a database every visitor
has records of their own: a random number in a cookie tells browsers apart, and
only its SHA-256 is stored, so that nobody who reads the database can pose as
another.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import streamlit as st

from app.services import open_history_database, read_model_facts
from app.session import Clip
from songnet.exceptions import HistoryError, ParameterError
from songnet.history.memory import MemoryHistory
from songnet.history.place import history_url
from songnet.history.records import History, HistoryQuery, HistoryRecord, new_record

if TYPE_CHECKING:
    from app.analysis import Analysis

__all__ = [
    "COOKIE",
    "TAKE_BACK",
    "correct",
    "current_history",
    "delete",
    "deleted_records",
    "genre_key",
    "is_kept",
    "missing_cookie",
    "record_of",
    "remember",
    "session_history",
    "take_complaint",
    "undo_delete",
]

COOKIE = "songnet_visitor"
TAKE_BACK = "Take this back"
_LOG = logging.getLogger(__name__)


@dataclass
class _State:
    visitor: str
    in_memory: MemoryHistory = field(default_factory=MemoryHistory)
    deleted: tuple[HistoryRecord, ...] = ()
    remembered: set[int] = field(default_factory=set)
    n_refused: int = 0
    complaint: ParameterError | HistoryError | None = None


def _state() -> _State:
    if "songnet_history" not in st.session_state:
        sent = str(st.context.cookies.get(COOKIE, ""))
        is_ours = re.fullmatch(r"[\w-]{43}", sent, re.ASCII)
        st.session_state["songnet_history"] = _State(sent if is_ours else secrets.token_urlsafe(32))
    return cast("_State", st.session_state["songnet_history"])


def is_kept() -> bool:
    """Whether the history outlives the session."""
    return history_url() is not None


def missing_cookie() -> str | None:
    """Return what the cookie of this browser must hold, if it has none."""
    visitor = _state().visitor
    is_set = st.context.cookies.get(COOKIE) == visitor
    return None if is_set or not is_kept() else visitor


def session_history() -> History:
    """Return what is kept for this session only."""
    return _state().in_memory


def current_history() -> History:
    """Return the history of this visitor.

    Raises
    ------
    HistoryError
        If it is kept in a database that cannot be opened.
    """
    url = history_url()
    if url is None:
        return session_history()
    from songnet.history.database import DatabaseHistory

    owner = hashlib.sha256(_state().visitor.encode()).hexdigest()
    return DatabaseHistory(open_history_database(url), owner=owner)


def remember(clip: Clip, analysis: Analysis) -> None:
    """Put a result on top of the history, once for each clip given.

    Where the database does not answer it goes into that of the session.
    """
    state = _state()
    if clip.number in state.remembered:
        return
    facts = read_model_facts()
    record = new_record(
        analysis.prediction,
        sha256=clip.digest,
        name=clip.name,
        tags=analysis.tags,
        model=f"{facts.name} {facts.version}",
    )
    try:
        current_history().add(record)
    except HistoryError as error:
        _LOG.warning("%s", error)
        session_history().add(record)
    state.remembered.add(clip.number)
    state.deleted = ()


def record_of(sha256: str) -> HistoryRecord | None:
    """Return the newest record of a file; None if it was deleted.

    Raises
    ------
    HistoryError
    """
    return next(iter(current_history().search(HistoryQuery(sha256=sha256), limit=1)), None)


def correct(sha256: str, widget_key: str) -> None:
    """Take the genre that a widget holds as that of a file."""
    chosen = st.session_state[widget_key]
    said = None if chosen == TAKE_BACK else chosen
    if not _try(lambda: current_history().correct(sha256, said)):
        _state().n_refused += 1


def genre_key(record: HistoryRecord) -> str:
    """Return the key of the widget with a record's genre.

    It changes with what is kept, so that the widget never shows what is not.
    """
    return f"genre-{record.record_id}-{record.corrected_genre}-{_state().n_refused}"


def delete(query: HistoryQuery) -> None:
    """Delete what a query means; `undo_delete` brings it back until the next result."""

    def run() -> None:
        # A second click of a double click finds nothing more to delete.
        if deleted := current_history().delete(query):
            _state().deleted = deleted

    _try(run)


def deleted_records() -> tuple[HistoryRecord, ...]:
    """Return what `undo_delete` would bring back."""
    return _state().deleted


def undo_delete() -> None:
    """Bring back what was deleted last."""

    def run() -> None:
        current_history().restore(_state().deleted)
        _state().deleted = ()

    _try(run)


def take_complaint() -> ParameterError | HistoryError | None:
    """Return why the last click did nothing, once."""
    state = _state()
    complaint, state.complaint = state.complaint, None
    return complaint


def _try(action: Callable[[], None]) -> bool:
    """Do what a click asks for. Callbacks cannot show anything: the page does it next."""
    try:
        action()
    except (ParameterError, HistoryError) as error:
        _LOG.warning("%s", error)
        _state().complaint = error
        return False
    return True

"""What a person sees of the history: its list, its search, corrections, undo.

Names and tags come out of files: they are escaped here before they reach the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app import history
from app.components import MUTED, percent, plain_markdown, show_error
from app.services import read_model_facts
from app.session import Clip
from songnet.exceptions import HistoryError, ParameterError
from songnet.history.export import records_to_csv, records_to_json
from songnet.history.records import History, HistoryQuery, HistoryRecord

__all__ = [
    "keep_cookie",
    "show_actions",
    "show_correction",
    "show_privacy",
    "show_recent",
    "show_records",
    "show_search",
    "show_undo",
]

_PAGES = Path(__file__).parents[1] / "pages"
_RECENT = 8
_PAGE = 20
_SEARCH_KEY = "history-search"
_PAGE_KEY = "history-page"


def show_recent() -> None:
    """Show what was classified last; nothing if nothing was."""
    try:
        records = history.current_history().search(HistoryQuery(), limit=_RECENT)
    except HistoryError as error:
        show_error(error)
        records = history.session_history().search(HistoryQuery(), limit=_RECENT)
    if records:
        st.subheader("Your history" if history.is_kept() else "This session", anchor=False)
        rows = "".join(_recent_html(record) for record in records)
        st.html(f'<ul data-testid="history" style="list-style:none;margin:0;padding:0">{rows}</ul>')
        st.page_link(_PAGES / "history.py", label="Search, correct, export or delete")
    show_undo()
    keep_cookie()


def show_correction(clip: Clip) -> None:
    """Ask for the right genre of the clip that is shown.

    Parameters
    ----------
    clip : Clip
    """
    try:
        record = history.record_of(clip.digest)
    except HistoryError:
        return
    if record is not None:
        with st.container(key="correction"):
            _show_genre_choice(record, label="Wrong? Choose the genre you hear")
            if record.corrected_genre is not None:
                said = plain_markdown(record.corrected_genre)
                st.caption(f"Saved: you say {said}. It is listed in History.")


def show_privacy() -> None:
    """Say what is kept, where, and for how long."""
    if history.is_kept():
        st.caption(
            "Kept in the database of this installation, for this browser alone: a cookie with a "
            "random number tells it from others, so clearing cookies hides your history for good. "
            "Each entry holds the file's name, checksum and tags, the genres, the model, the time "
            "and your correction; never the audio. Whoever runs the app can read it."
        )
    else:
        st.caption(
            "Kept until you close or reload the page, and nowhere else. To keep it in a database, "
            "start the app with SONGNET_HISTORY=on."
        )
    keep_cookie()


def show_search() -> HistoryQuery:
    """Show the search; returns what it asks for."""
    text = st.text_input(
        "Search in names, tags and genres",
        key=_SEARCH_KEY,
        icon=":material/search:",
        on_change=_go_to_page,
        args=(0,),
    )
    choices = {"All": None, "Corrected": True, "Not corrected": False}
    chosen = st.segmented_control(
        "Which",
        choices,
        default="All",
        required=True,
        on_change=_go_to_page,
        args=(0,),
        label_visibility="collapsed",
    )
    return HistoryQuery(text=text or "", is_corrected=choices[str(chosen)])


def show_records(query: HistoryQuery) -> None:
    """Show a page of the records that a query means, each with its genre to correct.

    Parameters
    ----------
    query : HistoryQuery

    Raises
    ------
    HistoryError
    """
    kept = history.current_history()
    n_found = kept.count(query)
    last_page = max(0, (n_found - 1) // _PAGE)
    page = min(int(st.session_state.get(_PAGE_KEY, 0)), last_page)
    if not n_found:
        _show_nothing(query)
        return
    for record in kept.search(query, limit=_PAGE, offset=page * _PAGE):
        with st.container(border=True, key=f"record-{record.record_id}"):
            what, genre, remove = st.columns([6, 4, 2], vertical_alignment="center")
            what.html(_record_html(record))
            with genre:
                _show_genre_choice(record, label="Right genre")
            remove.button(
                "Delete",
                help=f"Delete {plain_markdown(record.name)}",
                key=f"delete-{record.record_id}",
                icon=":material/delete:",
                type="tertiary",
                on_click=history.delete,
                args=(HistoryQuery(record_id=record.record_id),),
            )
    _show_pages(page, last_page, n_found)


def _export(
    write: Callable[[Iterable[HistoryRecord]], str], kept: History, query: HistoryQuery
) -> str:
    return write(kept.search(query))


def show_actions(query: HistoryQuery) -> None:
    """Offer the records that a query means for download, and to delete them.

    Parameters
    ----------
    query : HistoryQuery

    Raises
    ------
    HistoryError
    """
    kept = history.current_history()
    n_found = kept.count(query)
    if not n_found:
        return
    with st.container(horizontal=True):
        for name, write, mime in (
            ("CSV", records_to_csv, "text/csv"),
            ("JSON", records_to_json, "application/json"),
        ):
            st.download_button(
                f"Export {n_found} ({name})",
                partial(_export, write, kept, query),
                file_name=f"songnet-history.{name.lower()}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
            )
        st.button(
            "Delete all" if query == HistoryQuery() else f"Delete these {n_found}",
            icon=":material/delete_sweep:",
            on_click=history.delete,
            args=(query,),
        )


def show_undo() -> None:
    """Offer to bring back what was deleted last; say why a click did nothing."""
    _show_complaint()
    deleted = history.deleted_records()
    if deleted:
        what = "1 entry is" if len(deleted) == 1 else f"{len(deleted)} entries are"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{what} deleted.", width="content")
            st.button("Undo", icon=":material/undo:", type="tertiary", on_click=history.undo_delete)


def _show_complaint() -> None:
    complaint = history.take_complaint()
    if isinstance(complaint, ParameterError):
        st.error(str(complaint), title="This genre is not saved", icon=":material/edit_off:")
    elif complaint is not None:
        show_error(complaint)


def _show_genre_choice(record: HistoryRecord, *, label: str) -> None:
    said = record.corrected_genre
    genres = list(read_model_facts().genres)
    options = genres if said is None or said in genres else [*genres, said]
    if said is not None:
        options = [*options, history.TAKE_BACK]
    key = history.genre_key(record)
    st.selectbox(
        label,
        options,
        index=None if said is None else options.index(said),
        key=key,
        placeholder="Choose or type a genre",
        accept_new_options=True,
        on_change=history.correct,
        args=(record.sha256, key),
    )


def _show_nothing(query: HistoryQuery) -> None:
    if query == HistoryQuery():
        st.info("Nothing here yet: what you classify is listed here.", icon=":material/history:")
        st.page_link(_PAGES / "classify.py", label="Classify a song", icon=":material/graphic_eq:")
    else:
        st.info("Nothing matches this search.", icon=":material/search_off:")
        st.button("Clear the search", on_click=_clear_search)


def _show_pages(page: int, last_page: int, n_found: int) -> None:
    if last_page:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Newer", disabled=page == 0, on_click=_go_to_page, args=(page - 1,))
            st.button("Older", disabled=page == last_page, on_click=_go_to_page, args=(page + 1,))
            end = min((page + 1) * _PAGE, n_found)
            st.caption(f"{page * _PAGE + 1} to {end} of {n_found}", width="content")


def _go_to_page(page: int) -> None:
    st.session_state[_PAGE_KEY] = page


def _clear_search() -> None:
    st.session_state[_SEARCH_KEY] = ""
    _go_to_page(0)


def keep_cookie() -> None:
    """Let the browser keep the number that tells it from others."""
    visitor = history.missing_cookie()
    if visitor is not None:
        # Only where there is none: another tab may have set it since.
        st.html(
            "<script>if (!/(^|; )" + history.COOKIE + "=/.test(document.cookie)) document.cookie = "
            f'"{history.COOKIE}={visitor}; Max-Age=31536000; Path=/; SameSite=Strict"'
            ' + (location.protocol === "https:" ? "; Secure" : "")</script>',
            unsafe_allow_javascript=True,
        )


def _recent_html(record: HistoryRecord) -> str:
    return (
        '<li style="display:flex;gap:1rem;justify-content:space-between;padding:.2rem 0">'
        f'<span style="overflow-wrap:anywhere">{escape(record.name)}</span>'
        f'<span style="text-align:right">{_genre_html(record)}</span></li>'
    )


def _record_html(record: HistoryRecord) -> str:
    about = [record.name] if record.title != record.name else []
    about += [_when(record.classified_at), record.model]
    return (
        f'<div style="font-weight:600;overflow-wrap:anywhere">{escape(record.title)}</div>'
        f"<div>{_genre_html(record)}</div>"
        f'<div style="{MUTED};font-size:.875rem;overflow-wrap:anywhere">'
        f"{escape(' · '.join(about))}</div>"
    )


def _genre_html(record: HistoryRecord) -> str:
    said = record.corrected_genre
    verdict = ""
    if said is not None:
        verdict = " · you agree" if said == record.genre else f" · you say {said}"
    closest = f"{record.genre} {percent(record.confidence)}"
    if record.status == "ok":
        answer, beside = record.genre, percent(record.confidence)
    elif record.status == "not_music":
        answer, beside = "Not music", f"closest: {closest}"
    else:
        answer, beside = "Not sure", f"closest: {closest}"
    return f'{escape(answer)} <span style="{MUTED}">{escape(beside + verdict)}</span>'


def _when(moment: datetime) -> str:
    """Write a moment as a clock beside the visitor shows it."""
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
    return f"{moment.astimezone(zone):%-d %B %Y, %H:%M}"

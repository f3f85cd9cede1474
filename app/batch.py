"""Several files at once: a row each, that fills while they are classified.

Names come out of files: they are escaped here before they reach the page.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import cast

import streamlit as st

from app import history, services, session
from app.charts import clock_text
from app.components import MUTED, percent, plain_markdown
from app.session import Clip
from app.settings import Settings
from songnet.exceptions import AudioError
from songnet.inference.batch import FileResult, file_result
from songnet.json_text import readable_json
from songnet.spreadsheet import rows_csv

__all__ = ["batch_csv", "batch_json", "show_files", "show_way_back"]

# Files of all visitors that are classified at once, as the API has it.
_TURNS = threading.BoundedSemaphore(os.cpu_count() or 1)
_RESULTS = "songnet_batch"
_CELL = "padding:.35rem .75rem .35rem 0;vertical-align:top"


def show_files(files: Sequence[Clip], settings: Settings) -> None:
    """Classify files one after the other, and show what became of each.

    Parameters
    ----------
    files : sequence of Clip
        At least one.
    settings : Settings

    Raises
    ------
    BundleError
    """
    results = _kept_results(files)
    bar, table = st.empty(), st.empty()
    for i, clip in enumerate(files):
        if clip.number not in results:
            bar.progress(i / len(files), f"Listening to {i + 1} of {len(files)} …")
            table.html(_table_html(files, results))
            results[clip.number] = _classify(clip, settings)
    bar.empty()
    table.html(_table_html(files, results))
    _show_left_out(session.files_left_out())
    _show_choice(files)
    _show_downloads([results[clip.number] for clip in files])


def show_way_back(files: Sequence[Clip]) -> None:
    """Lead from the opened file back to all that were given with it.

    Parameters
    ----------
    files : sequence of Clip
    """
    st.button(f"All {len(files)} files", icon=":material/arrow_back:", on_click=session.close_file)


def batch_csv(results: Sequence[FileResult]) -> str:
    """Write results as CSV, a row a file.

    Parameters
    ----------
    results : sequence of FileResult

    Returns
    -------
    text : str
    """
    columns = ("file", "status", "genre", "confidence", "duration_seconds", "error")
    return rows_csv((result.to_dict() for result in results), columns=columns)


def batch_json(results: Sequence[FileResult]) -> str:
    """Write results as a JSON array, as ``songnet predict --json`` does.

    Parameters
    ----------
    results : sequence of FileResult

    Returns
    -------
    text : str
    """
    values = [result.to_dict() for result in results]
    return readable_json(values)


def _kept_results(files: Sequence[Clip]) -> dict[int, FileResult]:
    """What is known of these files by number; of others it is forgotten."""
    kept = cast("dict[int, FileResult]", st.session_state.setdefault(_RESULTS, {}))
    for number in kept.keys() - {clip.number for clip in files}:
        del kept[number]
    return kept


def _classify(clip: Clip, settings: Settings) -> FileResult:
    with _TURNS:
        analysis = services.analyse(clip, limits=settings.limits)
    if isinstance(analysis, AudioError):
        return file_result(Path(clip.name), analysis)
    history.remember(clip, analysis)
    return file_result(Path(clip.name), analysis.prediction)


def _table_html(files: Sequence[Clip], results: Mapping[int, FileResult]) -> str:
    rows = "".join(_row_html(clip, results.get(clip.number)) for clip in files)
    heads = "".join(
        f'<th scope="col" style="{style};font-weight:400;{MUTED};{_CELL}">{name}</th>'
        for name, style in (
            ("File", "text-align:left;width:40%"),
            ("Genre", "text-align:left"),
            ("Confidence", "text-align:right"),
            ("Length", "text-align:right"),
        )
    )
    return (
        '<table data-testid="batch" style="width:100%;border-collapse:collapse">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row_html(clip: Clip, result: FileResult | None) -> str:
    return (
        '<tr style="border-top:1px solid rgba(128,140,138,.25)">'
        f'<td style="overflow-wrap:anywhere;{_CELL}">{escape(clip.name)}</td>'
        f"{_answer_html(result)}</tr>"
    )


def _answer_html(result: FileResult | None) -> str:
    """The cells after the name: genre, confidence and length, or why there are none."""
    prediction = result.prediction if result else None
    if result is None or result.failed or prediction is None:
        reason = result.error or "" if result else "waiting"
        return f'<td colspan="3" style="{MUTED};{_CELL}">{escape(reason)}</td>'
    answer = escape(prediction.genre)
    if result.status == "not_sure":
        answer = f'Not sure <span style="{MUTED}">closest: {answer}</span>'
    numbers = "".join(
        f'<td style="text-align:right;white-space:nowrap;{_CELL}">{text}</td>'
        for text in (percent(prediction.confidence), clock_text(prediction.duration_seconds))
    )
    return f'<td style="{_CELL}">{answer}</td>{numbers}'


def _show_left_out(names: Sequence[str]) -> None:
    if names:
        st.warning(
            f"{session.MAX_FILES} files at once are the most. Left out: "
            f"{plain_markdown(', '.join(names))}. Remove others to have them classified.",
            icon=":material/info:",
        )


def _show_choice(files: Sequence[Clip]) -> None:
    names = {clip.number: clip.name for clip in files}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox(
            "Open one of them",
            list(names),
            format_func=names.__getitem__,
            key="batch-choice",
        )
        st.button(
            "Open this file",
            icon=":material/open_in_full:",
            on_click=session.open_file,
            args=(number,),
        )


def _show_downloads(results: Sequence[FileResult]) -> None:
    with st.container(horizontal=True):
        for kind, text, mime in (
            ("CSV", batch_csv(results), "text/csv"),
            ("JSON", batch_json(results), "application/json"),
        ):
            st.download_button(
                f"{len(results)} results ({kind})",
                text,
                file_name=f"songnet-results.{kind.lower()}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
            )
        st.button("Start over", icon=":material/restart_alt:", on_click=session.start_over)

"""The parts of a page around its result: inputs, messages, footer.

Whatever comes out of a file (its name, its tags) is escaped here before it
reaches the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st

from app import session
from app.examples import Example, ExampleError, fetch_example, load_examples
from app.messages import message_for
from app.services import read_model_facts
from app.settings import Settings
from songnet.exceptions import BundleError, SongNetError
from songnet.inference.prediction import Prediction
from songnet.signal.audio import AUDIO_EXTENSIONS

__all__ = [
    "MUTED",
    "answer_html",
    "answer_text",
    "choose_view",
    "facts_html",
    "not_sure_note",
    "percent",
    "plain_markdown",
    "show_error",
    "show_examples",
    "show_footer",
    "show_inputs",
    "show_understand_link",
    "upload_limit_mb",
]

MUTED = "opacity:.72"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def show_inputs(settings: Settings, *, max_files: int = 1) -> None:
    """Show the ways to give a clip: a file or a recording.

    Parameters
    ----------
    settings : Settings
    max_files : int
        Files that are taken at once.
    """
    several = f"; up to {max_files} at once" if max_files > 1 else ""
    upload, record = st.tabs([":material/upload_file: Upload", ":material/mic: Record"])
    with upload:
        key = session.widget_key("upload")
        st.file_uploader(
            f"Drop a song here or choose one, up to {settings.max_minutes} minutes{several}",
            type=AUDIO_EXTENSIONS,
            accept_multiple_files=max_files > 1,
            max_upload_size=upload_limit_mb(settings),
            key=key,
            on_change=session.take_upload,
            args=(key,),
        )
    with record:
        key = session.widget_key("recording")
        st.audio_input(
            "Hold the microphone near the music for ten seconds or more",
            sample_rate=None,
            key=key,
            on_change=session.take_recording,
            args=(key,),
        )


def upload_limit_mb(settings: Settings) -> int:
    """Return the largest upload that is taken: of the app's limit and Streamlit's the smaller."""
    return min(settings.max_upload_mb, int(st.get_option("server.maxUploadSize")))


def show_examples(settings: Settings) -> None:
    """Show example clips to try; a click fetches one.

    Parameters
    ----------
    settings : Settings
    """
    st.subheader("No file at hand? Try one of these", anchor=False)
    wanted = None
    columns = st.columns(2)
    for i, example in enumerate(load_examples()):
        with columns[i % 2]:
            if st.button(
                f"**{example.title}**  \n{example.style}",
                key=f"example-{example.sha256[:12]}",
                icon=":material/play_circle:",
                help=f"{example.artist}, {example.licence}",
                width="stretch",
            ):
                wanted = example
    st.markdown(
        ":small[Free recordings from the [example registry of librosa]"
        "(https://librosa.org/doc/latest/recordings.html), fetched when you choose one.]"
    )
    if wanted is not None:
        _fetch(wanted, settings)


def _fetch(example: Example, settings: Settings) -> None:
    try:
        with st.spinner(f"Fetching {example.title} …"):
            data = fetch_example(
                example, base_url=settings.examples_url, cache_folder=settings.cache_folder
            )
    except ExampleError as error:
        show_error(error)
        return
    session.take_example(f"{example.title} ({example.artist})", data)
    st.rerun()


def choose_view(views: Sequence[str], *, key: str) -> str:
    """Let the visitor choose which view of a page to see; the first at first.

    Parameters
    ----------
    views : sequence of str
    key : str
        Of the widget.

    Returns
    -------
    view : str
    """
    return st.segmented_control(
        "View",
        views,
        default=views[0],
        required=True,
        key=key,
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
    )


def show_error(error: SongNetError) -> None:
    """Say what went wrong and what to do about it.

    Parameters
    ----------
    error : SongNetError
    """
    message = message_for(error)
    st.error(message.text, title=message.title, icon=message.icon)


def show_understand_link(prediction: Prediction) -> None:
    """Lead to the page that explains the track.

    Parameters
    ----------
    prediction : Prediction
    """
    is_music = prediction.status != "not_music"
    st.page_link(
        Path(__file__).parents[1] / "pages" / "understand.py",
        label="See its sound" + ", its sections, and why this genre" * is_music,
        icon=":material/troubleshoot:",
    )


def show_footer() -> None:
    """Name the model and its measured accuracy."""
    try:
        facts = read_model_facts()
    except BundleError:
        st.caption("No model is installed.")
        return
    text = f"Model {facts.name} {facts.version}."
    accuracy, ece = facts.report.get("accuracy"), facts.report.get("ece")
    if accuracy is not None:
        text += (
            f" It named {accuracy['value']:.1%} of songs rightly, by artists it had not heard "
            f"before (95% interval {accuracy['low']:.1%} to {accuracy['high']:.1%})."
        )
    if ece is not None:
        text += f" Its confidence is off by {ece['value']:.1%} on average."
    st.space("medium")
    st.caption(text)


def answer_html(
    *, caption: str, headline: str, note: str, confidence: str = "", color: str = ""
) -> str:
    """Write an answer: small what it is about, large the genre, small the reason.

    Parameters
    ----------
    caption, headline, note, confidence : str
        Escaped here.
    color : str
        Of the genre; without one there is no swatch.

    Returns
    -------
    html : str
    """
    swatch = (
        '<span aria-hidden="true" style="display:inline-block;width:.7em;height:.7em;'
        f'border-radius:.2em;margin-right:.35em;background:{color}"></span>'
    )
    return (
        f'<div style="{MUTED};overflow-wrap:anywhere">{escape(caption)}</div>'
        '<div style="display:flex;flex-wrap:wrap;align-items:baseline;gap:0 1rem">'
        '<span data-testid="genre" style="font-size:2.75rem;font-weight:700;line-height:1.25">'
        f"{swatch if color else ''}{escape(headline)}</span>"
        '<span data-testid="confidence" style="font-size:1.25rem">'
        f"{escape(confidence)}</span></div>"
        f'<div style="{MUTED}">{escape(note)}</div>'
    )


def answer_text(prediction: Prediction) -> str:
    """Write the answer in one line, for pages that show it by the way.

    Parameters
    ----------
    prediction : Prediction

    Returns
    -------
    text : str
    """
    closest = f"{prediction.genre} {percent(prediction.confidence)}"
    if prediction.status == "ok":
        return closest
    what = "Not music" if prediction.status == "not_music" else "Not sure"
    return f"{what} (closest: {closest})"


def not_sure_note(prediction: Prediction, *, needed: float) -> str:
    """Say why no genre is named where the answer is "not sure".

    Parameters
    ----------
    prediction : Prediction
    needed : float
        Confidence under which no genre is named.

    Returns
    -------
    note : str
    """
    closest = ", ".join(f"{g.genre} {percent(g.probability)}" for g in prediction.top(3))
    reason = f"A genre is named from {percent(needed)} upwards."
    if prediction.confidence >= needed:
        reason = "But it may not be music at all."
    return f"Closest: {closest}. {reason}"


def facts_html(rows: dict[str, str], *, unknown: str) -> str:
    """Write names and values as a list in two columns.

    Parameters
    ----------
    rows : dict of str to str
        Escaped here.
    unknown : str
        Stands for an empty value.

    Returns
    -------
    html : str
    """
    empty = f'<span style="{MUTED};font-style:italic">{escape(unknown)}</span>'
    cells = "".join(
        f'<dt style="margin:0;padding:0;font-weight:400;overflow-wrap:anywhere;{MUTED}">'
        f"{escape(name)}</dt>"
        f'<dd style="margin:0;padding:0;overflow-wrap:anywhere">{escape(value) or empty}</dd>'
        for name, value in rows.items()
    )
    return (
        '<dl style="display:grid;grid-template-columns:fit-content(40%) 1fr;gap:.3rem 1.25rem;'
        f'margin:0;padding:0">{cells}</dl>'
    )


def plain_markdown(text: str) -> str:
    """Write a text so that Markdown shows it as it is: no image, no link, no formatting."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def percent(share: float) -> str:
    """Write a share as whole percent; what is more than nothing never reads 0%."""
    return f"{share:.0%}" if share >= 0.005 or share == 0 else "<1%"

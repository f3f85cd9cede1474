"""What a live session says: one headline and the next step for each state."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.charts import clock_text, genre_colors
from app.components import not_sure_note, percent
from app.live_listener import LiveView
from app.live_log import named_shares
from app.live_memory import LiveMoment
from app.live_session import LiveSession
from songnet.inference.live_places import LiveFullError
from songnet.inference.prediction import Prediction

__all__ = ["BROWSER_ERRORS", "Headline", "describe", "describe_link", "describe_trouble"]

_SLOW_SECONDS = 12.0
_HELP = "Below are other ways."
# What browsers call the reasons why they do not give a microphone.
BROWSER_ERRORS = {
    "NotAllowedError": "The browser does not let this page use the microphone. Choose the "
    "lock beside the address, allow the microphone, then press Start again.",
    "NotFoundError": "There is no microphone. Connect one, then press Start again.",
    "NotReadableError": "Another program holds the microphone. Close it, then press Start again.",
    "navigator.mediaDevices is undefined": "Browsers give the microphone only to pages over "
    "https, or on the same machine. Open this page under its https address.",
}
_TROUBLES = {
    "insecure": BROWSER_ERRORS["navigator.mediaDevices is undefined"],
    "denied": BROWSER_ERRORS["NotAllowedError"],
    "no_device": BROWSER_ERRORS["NotFoundError"],
}


@dataclass(frozen=True)
class Headline:
    """What the card says.

    Parameters
    ----------
    title : str
        A genre only where one is named.
    note : str
        The reason, or the next step.
    confidence : str
        Empty where no genre is named.
    color : str
        Of the genre; empty where none is named.
    """

    title: str
    note: str
    confidence: str = ""
    color: str = ""


def describe(
    live: LiveSession, view: LiveView, moments: Sequence[LiveMoment], *, not_sure_below: float
) -> Headline:
    """Say what is heard, or why nothing is.

    Parameters
    ----------
    live : LiveSession
    view : LiveView
    moments : sequence of LiveMoment
    not_sure_below : float
        Confidence under which no genre is named.

    Returns
    -------
    headline : Headline
    """
    is_live = live.link == "connected" if live.source == "microphone" else _reads(live)
    if view.error is not None:
        is_full = isinstance(view.error, LiveFullError)
        return Headline("No place is free" if is_full else "Listening ended", str(view.error))
    if not is_live:
        return _describe_unlinked(live, view, moments)
    if view.is_paused:
        return Headline("Paused", "What plays now is not heard. Choose Resume to go on.")
    if not view.is_hearing:
        return Headline("Waiting for sound …", "The connection stands, but no sound arrives.")
    if view.prediction is None:
        return Headline(
            "Listening …",
            f"The first answer takes a few seconds; it is best after {live.patch_seconds:.0f}.",
        )
    return _describe_prediction(view, view.prediction, not_sure_below=not_sure_below)


def _describe_prediction(
    view: LiveView, prediction: Prediction, *, not_sure_below: float
) -> Headline:
    if prediction.status == "ok":
        then = [f"{g.genre} {percent(g.probability)}" for g in prediction.top(3)[1:]]
        return Headline(
            prediction.genre,
            f"Then {' and '.join(then)}.",
            confidence=f"{percent(prediction.confidence)} confident",
            color=genre_colors(prediction.genres)[prediction.genre],
        )
    if prediction.status == "not_sure":
        return Headline("Not sure", not_sure_note(prediction, needed=not_sure_below))
    if prediction.status == "not_music":
        return Headline(
            "No music", "This sounds like speech or noise. Nothing is named until music plays."
        )
    if prediction.status == "no_signal":
        return Headline(
            "No signal",
            "Not even the noise of a microphone arrives. Is it the right one, is it switched on, "
            "and does no other program hold it?",
        )
    level = f" ({view.level.rms_dbfs:.0f} dBFS)" if view.level else ""
    return Headline("Silence", f"It is too quiet to name anything{level}. Turn the music up.")


def _reads(live: LiveSession) -> bool:
    return live.reader is not None and live.reader.state == "playing"


def _describe_unlinked(
    live: LiveSession, view: LiveView, moments: Sequence[LiveMoment]
) -> Headline:
    if live.source == "microphone" and live.link in ("connecting", "failed"):
        return describe_link(live)
    reader = live.reader
    if live.source == "address" and reader is not None:
        if reader.state == "connecting":
            return Headline("Connecting …", "Asking the server for its sound.")
        if reader.state == "failed":
            return Headline("Not playing", str(reader.error))
    if view.seconds:
        ended = reader is not None and reader.state == "ended" and live.source == "address"
        return Headline("The sound ended" if ended else "Stopped", _summary(view, moments))
    if live.source == "microphone":
        return Headline("Ready", "Press Start, allow the microphone, and let music play.")
    return Headline("Ready", "Give the address of a station or of a file, then choose Listen.")


def _summary(view: LiveView, moments: Sequence[LiveMoment]) -> str:
    heard = f"You listened for {clock_text(view.seconds)}."
    shares = named_shares(moments)[:3]
    if not shares:
        return f"{heard} No genre could be named."
    return f"{heard} Of the named time: {', '.join(f'{g} {percent(s)}' for g, s in shares)}."


def describe_link(live: LiveSession) -> Headline:
    """Say what happens while the microphone connects, or why it did not.

    Parameters
    ----------
    live : LiveSession

    Returns
    -------
    headline : Headline
    """
    if live.link == "failed":
        return Headline(
            "Not connected",
            "Browser and server found no way for the sound; the network probably blocks UDP, and "
            f"no TURN server helps. Try another network. {_HELP}",
        )
    if time.monotonic() - live.linking_since > _SLOW_SECONDS:
        return Headline(
            "Connecting …",
            "This takes long: the network probably blocks UDP, and a TURN server is needed. "
            + _HELP,
        )
    return Headline(
        "Connecting …",
        "The browser has the microphone; it and the server look for a way for the sound. "
        "That takes some seconds.",
    )


def describe_trouble(trouble: str) -> str:
    """Say in a sentence what keeps the browser from giving the microphone.

    Parameters
    ----------
    trouble : {"", "insecure", "denied", "no_device"}

    Returns
    -------
    text : str
        Empty if there is nothing to say.
    """
    return _TROUBLES.get(trouble, "")

"""The live session of one visitor: a listener, and where its sound comes from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast

import streamlit as st

from app import session
from app.live_listener import LiveListener
from app.live_stream import StreamReader
from songnet.inference.classifier import Classifier
from songnet.inference.live_places import LiveFullError, LivePlaces
from songnet.inference.streaming import Chunk, StreamingClassifier
from songnet.signal.remote import RemoteLimits

__all__ = ["Link", "LiveSession", "Source", "live_session"]

Source = Literal["microphone", "address"]
Link = Literal["idle", "connecting", "connected", "failed"]
_FAILED_AFTER_SECONDS = 5.0


@dataclass
class LiveSession:
    """What one visitor listens with.

    Parameters
    ----------
    listener : LiveListener
    genres : tuple of str
    patch_seconds : float
        Sound that the network hears at once.
    source : {"microphone", "address"}
    link : {"idle", "connecting", "connected", "failed"}
        State of the microphone's connection.
    linking_since : float
        When it began to connect, on the monotonic clock.
    reader : StreamReader or None
        The station or file, if one was asked for.
    stations : LivePlaces
        Each reader takes one.
    n_choices : int
        How often the source was changed.
    """

    listener: LiveListener
    genres: tuple[str, ...]
    patch_seconds: float
    source: Source = "microphone"
    link: Link = "idle"
    linking_since: float = 0.0
    reader: StreamReader | None = None
    stations: LivePlaces = field(default_factory=lambda: LivePlaces(1))
    n_choices: int = 0

    @property
    def is_live(self) -> bool:
        """Sound is on its way, or asked for."""
        if self.source == "microphone":
            return self.link == "connected"
        return self.reader is not None and self.reader.is_running

    @property
    def refusal(self) -> LiveFullError | None:
        """Why it cannot begin to listen now; None if it can, or does."""
        is_idle = not self.is_live and self.link != "connecting"
        return self.listener.refusal if is_idle else None

    def choose(self, source: Source) -> None:
        """Listen to another source from now on."""
        if source != self.source:
            self.leave()
            self.source = source
            self.n_choices += 1

    def hear_microphone(self, chunk: Chunk, sr: int) -> None:
        """Take sound of the microphone; called on the thread of the connections."""
        if self.source == "microphone":
            self.listener.push(chunk, sr)

    def end_microphone(self) -> None:
        """Note that no more sound of the microphone comes."""
        if self.source == "microphone":
            self.listener.stop()

    def note_link(self, *, playing: bool, signalling: bool) -> None:
        """Take the state of the connection from the component."""
        before, now = self.link, time.monotonic()
        if playing:
            self.link = "connected"
            self.listener.source = "Microphone"
        elif signalling:
            self.link = "connecting"
            if before != "connecting":
                self.linking_since = now
        elif before == "connecting" and now - self.linking_since > _FAILED_AFTER_SECONDS:
            self.link = "failed"
        elif before != "failed":
            self.link = "idle"
        if before == "connected" and not playing:
            self.listener.stop()

    def tune_in(self, url: str, *, limits: RemoteLimits) -> None:
        """Listen to a station or a file on the internet."""
        self.leave()
        self.listener.source = ""

        def hear(chunk: Chunk, sr: int) -> None:
            if self.reader is reader and reader.is_running:
                self.listener.source = reader.title or reader.station or reader.url
                self.listener.push(chunk, sr)

        reader = StreamReader(
            url, hear=hear, is_wanted=_presence(), limits=limits, places=self.stations
        )
        self.reader = reader
        reader.start()

    def leave(self) -> None:
        """End whatever plays; what was heard stays."""
        if self.reader is not None:
            self.reader.stop()
        self.link = "idle"
        self.listener.stop()


def live_session(
    load_classifier: Callable[[], Classifier], *, places: LivePlaces, stations: LivePlaces
) -> LiveSession:
    """Return the visitor's live session; the first call makes it.

    Parameters
    ----------
    load_classifier : callable
    places, stations : LivePlaces
        Of listeners and of what they tune in to; shared by all visitors.

    Returns
    -------
    live : LiveSession

    Raises
    ------
    BundleError
        If there is no model.
    """
    if "songnet_live" not in st.session_state:
        classifier = load_classifier()
        st.session_state["songnet_live"] = LiveSession(
            listener=LiveListener(StreamingClassifier(classifier), places=places),
            genres=classifier.genres,
            patch_seconds=classifier.bundle.features.patch_seconds,
            stations=stations,
        )
    return cast("LiveSession", st.session_state["songnet_live"])


def _presence() -> Callable[[], bool]:
    """Make the question whether the visitor is still there, on this page."""
    visit, is_present = session.visit(), session.watch_presence()
    page = visit.page
    return lambda: visit.page == page and is_present()

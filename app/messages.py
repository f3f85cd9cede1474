"""What the app says when something cannot be done: one sentence and the next step."""

from __future__ import annotations

from dataclasses import dataclass

from app.examples import ExampleError
from songnet.exceptions import (
    AudioDecodeError,
    AudioTooLongError,
    AudioTooShortError,
    BundleError,
    DatasetError,
    HistoryError,
    ParameterError,
    ResultsError,
    SilentAudioError,
    SongNetError,
)

__all__ = ["Message", "message_for"]


@dataclass(frozen=True)
class Message:
    """An error in words for a person.

    Parameters
    ----------
    title : str
        What happened.
    text : str
        The reason and the next step.
    icon : str
        A Material icon.
    """

    title: str
    text: str
    icon: str


_TITLES: tuple[tuple[type[SongNetError], str, str, str], ...] = (
    (AudioDecodeError, "This file cannot be read", "{error}", "music_off"),
    (AudioTooLongError, "This file is over the limit", "{error}", "hourglass_disabled"),
    (
        AudioTooShortError,
        "This is too short to name a genre",
        "{error} Try a longer file or recording.",
        "timer_off",
    ),
    (SilentAudioError, "There is nothing to hear", "{error}", "volume_off"),
    (
        BundleError,
        "The model is not installed",
        (
            "The folder models/songnet is missing or was changed. Restore it from the "
            "repository, or make it with “songnet train” and “songnet export”, then reload."
        ),
        "deployed_code_alert",
    ),
    (ExampleError, "The example could not be fetched", "{error}", "cloud_off"),
    (ResultsError, "The benchmark cannot be shown", "{error}", "leaderboard"),
    (DatasetError, "This collection cannot be opened", "{error}", "folder_off"),
    (
        HistoryError,
        "The history is not reachable",
        (
            "Results are shown all the same; what you classify now is kept until you close the "
            "page. Whoever runs the app finds the reason in its log."
        ),
        "history_toggle_off",
    ),
    (ParameterError, "A setting of the app is wrong", "{error}", "settings_alert"),
    (SongNetError, "This did not work", "{error}", "error"),
)


def message_for(error: SongNetError) -> Message:
    """Put an error into words.

    Parameters
    ----------
    error : SongNetError

    Returns
    -------
    message : Message
    """
    title, text, icon = next(
        (title, text, icon) for kind, title, text, icon in _TITLES if isinstance(error, kind)
    )
    return Message(title=title, text=text.format(error=error), icon=f":material/{icon}:")

"""One classified track in the history, and how to look for it.

A record never holds the audio, nor where the file lies on anybody's disk.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from songnet.datasets.tags import Tags
from songnet.exceptions import ParameterError
from songnet.inference.prediction import Prediction, Status

__all__ = ["History", "HistoryQuery", "HistoryRecord", "clean_genre", "clean_text", "new_record"]

MAX_TEXT = 300
MAX_MODEL = 100
MAX_GENRE = 40
_DIGITS = 4


@dataclass(frozen=True)
class HistoryRecord:
    """One file, named by one model.

    Parameters
    ----------
    record_id : str
    sha256 : str
        Of the file: what matches it with a file on disk again.
    name : str
        Its name without any folder.
    tags : Tags
    genre : str
        The most probable one.
    status : str
        The answer: ``ok``, ``not_sure`` or ``not_music``; see
        `songnet.inference.prediction.Prediction`.
    probabilities : dict of str to float
    duration_seconds : float
    model : str
        Name and version.
    classified_at : datetime
        With time zone, in UTC.
    corrected_genre : str, optional
        What a person says it is.
    corrected_at : datetime, optional
    """

    record_id: str
    sha256: str
    name: str
    tags: Tags
    genre: str
    status: Status
    probabilities: dict[str, float]
    duration_seconds: float
    model: str
    classified_at: datetime
    corrected_genre: str | None = None
    corrected_at: datetime | None = None

    @property
    def confidence(self) -> float:
        """Probability of the most probable genre."""
        return self.probabilities[self.genre]

    @property
    def title(self) -> str:
        """Artist and title where the tags know both, otherwise the name of the file."""
        known = self.tags.artist and self.tags.title
        return f"{self.tags.artist}: {self.tags.title}" if known else self.name

    @property
    def searched_text(self) -> str:
        """What a search looks through, without regard to case."""
        tags = self.tags
        words = (self.name, tags.artist, tags.title, tags.album, tags.genre, self.genre)
        return " ".join(words).casefold()

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON types; times in ISO 8601."""
        values = dataclasses.asdict(self) | {"confidence": self.confidence}
        for name in ("classified_at", "corrected_at"):
            values[name] = values[name] and values[name].isoformat(timespec="seconds")
        return values


@dataclass(frozen=True)
class HistoryQuery:
    """Which records are meant; an empty query means all of them.

    Parameters
    ----------
    text : str
        Words that all occur in name, tags or genre, whatever their case.
    genre : str, optional
        Corrected genre, or the model's where there is no correction.
    is_corrected : bool, optional
    record_id, sha256 : str, optional
        One record; all records of one file.
    """

    text: str = ""
    genre: str | None = None
    is_corrected: bool | None = None
    record_id: str | None = None
    sha256: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the text, as `HistoryRecord.searched_text` writes them."""
        return tuple(clean_text(self.text).casefold().split())


class History(Protocol):
    """Records of one person, newest first. A file and model stand in it once."""

    def add(self, record: HistoryRecord) -> None:
        """Put a record on top.

        The same file named by the same model again takes its old place away;
        what a person said about the file stays.
        """

    def search(
        self, query: HistoryQuery, *, limit: int | None = None, offset: int = 0
    ) -> tuple[HistoryRecord, ...]:
        """Return the records that a query means."""

    def count(self, query: HistoryQuery) -> int:
        """Count the records that a query means."""

    def correct(self, sha256: str, genre: str | None) -> None:
        """Say which genre a file has, in all its records; None takes that back.

        Raises
        ------
        ParameterError
            See `clean_genre`.
        """

    def delete(self, query: HistoryQuery) -> tuple[HistoryRecord, ...]:
        """Remove the records that a query means, and return them."""

    def restore(self, records: Iterable[HistoryRecord]) -> None:
        """Put removed records back in their old places; newer ones of the same file stay."""


def new_record(
    prediction: Prediction, *, sha256: str, name: str, tags: Tags, model: str
) -> HistoryRecord:
    """Make the record of a prediction, now.

    Parameters
    ----------
    prediction : Prediction
    sha256 : str
        Of the file.
    name : str
        As the client calls the file; folders in it are dropped.
    tags : Tags
    model : str
        Name and version.

    Returns
    -------
    record : HistoryRecord
        Its texts are cut to a length that every database takes.
    """
    probabilities = (round(p, _DIGITS) for p in prediction.probs.tolist())
    return HistoryRecord(
        record_id=uuid.uuid4().hex,
        sha256=sha256,
        name=clean_text(re.split(r"[\\/]", name)[-1]) or "Untitled",
        tags=Tags(
            artist=clean_text(tags.artist),
            title=clean_text(tags.title),
            album=clean_text(tags.album),
            genre=clean_text(tags.genre),
            year=tags.year,
        ),
        genre=prediction.genre,
        status=prediction.status,
        probabilities=dict(zip(prediction.genres, probabilities, strict=True)),
        duration_seconds=round(prediction.duration_seconds, 3),
        model=clean_text(model)[:MAX_MODEL],
        classified_at=datetime.now(UTC),
    )


def clean_text(text: str) -> str:
    """Return text without control characters and lone surrogates, at most 300 characters.

    Databases refuse some of them: PostgreSQL takes no NUL, SQLite no surrogate.
    """
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return " ".join(kept.split())[:MAX_TEXT]


def clean_genre(genre: str) -> str:
    """Return a genre that a person wrote, fit to be the name of a folder.

    Raises
    ------
    ParameterError
        If it is empty, longer than 40 characters, or holds anything but
        letters, digits, spaces and ``& ' + - .``, or does not begin with a
        letter or digit.
    """
    name = clean_text(genre)
    if len(name) > MAX_GENRE or not re.fullmatch(r"[^\W_][\w &'+.-]*(?<![ .])", name):
        raise ParameterError(
            f"{name[:MAX_GENRE]!r} cannot be a genre; expected up to {MAX_GENRE} letters, digits, "
            "spaces and & ' + - . with a letter or digit first, such as Hip-Hop or Drum & Bass."
        )
    return name

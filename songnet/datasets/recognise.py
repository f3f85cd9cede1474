"""Who made this? A file is recognised by what it holds, never by guesses from its name.

By its SHA-1 it is a track of an index for certain. By a name of exactly the
form that FMA gives its clips ("000002.mp3") it is one by that name only, and
that is said. Otherwise it is what its own tags say, or unknown.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet.datasets.tags import Tags, read_tags

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FoundBy", "Recogniser", "TrackInfo"]

_LOG = logging.getLogger(__name__)
_FMA_NAME = re.compile(r"([0-9]{6})\.mp3")
_COLUMNS = ["artist", "album", "title", "year", "genre", "licence", "source", "track_id", "sha1"]


class FoundBy(StrEnum):
    """How it is known who made a file; the value is a sentence for a person."""

    SHA1 = "Recognised: the file is, byte for byte, a track of the collection."
    FMA_ID = "Recognised by its name alone, which has the form of FMA's track ids."
    TAGS = "From the tags in the file."
    UNKNOWN = "Unknown: the file has no tags and is in no collection at hand."


@dataclass(frozen=True)
class TrackInfo:
    """Who made a track, and how that is known.

    Parameters
    ----------
    found_by : FoundBy
    artist, album, title, genre, licence, source, track_id : str
        Empty where unknown. ``genre`` is the collection's or the tags' word,
        not a prediction; ``source`` and ``track_id`` name the collection.
    year : int, optional
    """

    found_by: FoundBy
    artist: str = ""
    album: str = ""
    title: str = ""
    genre: str = ""
    year: int | None = None
    licence: str = ""
    source: str = ""
    track_id: str = ""


class Recogniser:
    """Recognises files of the collections whose indexes are at hand.

    Parameters
    ----------
    indexes : sequence of Path
        As `songnet.datasets.index.write_index` wrote them; without any, only
        tags are read. They are opened when first needed, once.
    """

    def __init__(self, indexes: Sequence[Path] = ()) -> None:
        self._indexes = tuple(indexes)

    def recognise(self, data: bytes, *, name: str = "") -> TrackInfo:
        """Say who made a file.

        Parameters
        ----------
        data : bytes
            The file.
        name : str
            What it is called; only a name of exactly FMA's form counts.

        Returns
        -------
        info : TrackInfo
            Without the help of the indexes where one is damaged; the log says so.
        """
        tags = read_tags(data)
        if self._indexes:
            try:
                if found := self._find(data, name, tags):
                    return found
            except (OSError, ValueError, KeyError) as error:
                _LOG.warning("An index in %s is damaged: %s", self._indexes[0].parent, error)
        if tags == Tags():
            return TrackInfo(FoundBy.UNKNOWN)
        return TrackInfo(FoundBy.TAGS, **vars(tags))

    def _find(self, data: bytes, name: str, tags: Tags) -> TrackInfo | None:
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        if row := self._read(self._row_of_sha1.get(sha1)):
            return _from_row(row, FoundBy.SHA1)
        match = _FMA_NAME.fullmatch(name)
        row = self._read(self._row_of_fma_id.get(match[1])) if match else None
        if row and not _contradicts(tags, row):
            return _from_row(row, FoundBy.FMA_ID)
        return None

    @cached_property
    def _table(self) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        return pa.concat_tables(pq.read_table(path, columns=_COLUMNS) for path in self._indexes)

    @cached_property
    def _row_of_sha1(self) -> dict[str, int]:
        values = self._table["sha1"].to_pylist()
        return {sha1: row for row, sha1 in enumerate(values) if sha1}

    @cached_property
    def _row_of_fma_id(self) -> dict[str, int]:
        ids, sources = self._table["track_id"].to_pylist(), self._table["source"].to_pylist()
        pairs = enumerate(zip(ids, sources, strict=True))
        return {track_id: row for row, (track_id, source) in pairs if source == "fma"}

    def _read(self, row: int | None) -> dict[str, Any] | None:
        return None if row is None else self._table.slice(row, 1).to_pylist()[0]


def _from_row(row: dict[str, Any], found_by: FoundBy) -> TrackInfo:
    return TrackInfo(found_by, **{key: value for key, value in row.items() if key != "sha1"})


def _contradicts(tags: Tags, row: dict[str, Any]) -> bool:
    """Whether the tags name another track: something, and nothing that is the same."""
    pairs = [(tags.artist, row["artist"]), (tags.title, row["title"]), (tags.album, row["album"])]
    said = [(_plain(one), _plain(other)) for one, other in pairs if one and other]
    return bool(said) and not any(one == other for one, other in said)


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())

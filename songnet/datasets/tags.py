"""Tags embedded in an audio file: artist, title, album, year."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

from tinytag import TinyTag, TinyTagException

__all__ = ["Tags", "read_tags"]

_LONGEST = 300  # characters of a tag that are worth showing


@dataclass(frozen=True)
class Tags:
    """What a file says about itself; empty where it says nothing."""

    artist: str = ""
    title: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None


def read_tags(source: bytes | Path) -> Tags:
    """Read the tags of a file.

    Parameters
    ----------
    source : bytes or Path

    Returns
    -------
    tags : Tags
        Empty if the file has none or they cannot be read: tags are never
        worth an error.
    """
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else None
        path = source if isinstance(source, Path) else None
        tag = TinyTag.get(path, file_obj=file, duration=False)
    except (TinyTagException, OSError, ValueError):
        return Tags()
    year = re.search(r"\d{4}", tag.year or "")
    return Tags(
        artist=_clean(tag.artist),
        title=_clean(tag.title),
        album=_clean(tag.album),
        genre=_clean(tag.genre),
        year=int(year[0]) if year else None,
    )


def _clean(text: str | None) -> str:
    return " ".join((text or "")[:_LONGEST].replace("\x00", " ").split())

"""Tags embedded in an audio file: artist, title, album, year."""

from __future__ import annotations

import contextlib
import io
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tinytag import TinyTag, TinyTagException

from songnet.exceptions import AudioDecodeError, DecoderStartError
from songnet.signal.decoding_process import in_decoding_process

__all__ = ["Tags", "read_tags"]

_LONGEST = 300  # characters of a tag that are worth showing
# Of a processor, so that a busy machine loses no tags; songs take some thousandths of it.
_MAX_SECONDS = 2.0


@dataclass(frozen=True)
class Tags:
    """What a file says about itself; empty where it says nothing."""

    artist: str = ""
    title: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None


def read_tags(source: bytes | Path) -> Tags:
    """Read the tags of a file, in a decoding process.

    Tags can be made that take the reader hours, and Python's lock with it.

    Parameters
    ----------
    source : bytes or Path

    Returns
    -------
    tags : Tags
        Empty if the file has none or they cannot be read: tags are never
        worth an error.

    Raises
    ------
    DecoderStartError
        If there is no process to read them.
    """
    try:  # the process may have started in another folder
        where = source.absolute() if isinstance(source, Path) else source
        return in_decoding_process(_read, where)
    except DecoderStartError:
        raise
    except AudioDecodeError:
        return Tags()


def _read(source: bytes | Path) -> Tags:
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else None
        path = source if isinstance(source, Path) else None
        with _bounded():
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


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Give reading up when its time is over; Windows has no such clock."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise TinyTagException(f"Reading the tags took more than {_MAX_SECONDS:g} s.")

    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, _MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _clean(text: str | None) -> str:
    return " ".join((text or "")[:_LONGEST].replace("\x00", " ").split())

"""Example clips to try, fetched on request and checked against their SHA-256.

They are recordings under free licences from the example registry of librosa;
none of them is part of this repository.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from songnet.exceptions import SongNetError

__all__ = ["Example", "ExampleError", "fetch_example", "load_examples"]

_REGISTRY = Path(__file__).parents[1] / "data" / "examples.json"
_TIMEOUT_SECONDS = 15


class ExampleError(SongNetError):
    """An example clip could not be fetched."""


@dataclass(frozen=True)
class Example:
    """One clip of the registry.

    Parameters
    ----------
    title, artist, style : str
        For a person; ``style`` says what it sounds like.
    licence, licence_url : str
    file : str
        Its name in the folder that examples are fetched from.
    sha256 : str
    """

    title: str
    artist: str
    style: str
    licence: str
    licence_url: str
    file: str
    sha256: str


def load_examples() -> tuple[Example, ...]:
    """Read the registry of example clips, ``data/examples.json``."""
    return tuple(Example(**row) for row in json.loads(_REGISTRY.read_text(encoding="utf-8")))


def fetch_example(example: Example, *, base_url: str, cache_folder: Path | None = None) -> bytes:
    """Fetch a clip, or take it from the cache, and check it.

    Parameters
    ----------
    example : Example
    base_url : str
        Folder that holds the file.
    cache_folder : Path, optional
        The user's cache folder if not given.

    Returns
    -------
    data : bytes

    Raises
    ------
    ExampleError
        If it cannot be reached, or is not the file it should be.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        path = pooch.retrieve(
            f"{base_url.rstrip('/')}/{quote(example.file)}",
            known_hash=f"sha256:{example.sha256}",
            fname=f"{example.sha256[:16]}{Path(example.file).suffix}",
            path=(cache_folder or Path(pooch.os_cache("songnet"))) / "examples",
            downloader=pooch.HTTPDownloader(timeout=_TIMEOUT_SECONDS),
        )
        return Path(path).read_bytes()
    except requests.RequestException as error:
        raise ExampleError(
            f"“{example.title}” is not reachable. Check the internet connection, or upload a "
            "file of your own."
        ) from error
    except ValueError as error:
        raise ExampleError(
            f"“{example.title}” arrived damaged: its checksum differs. Try again, or upload a "
            "file of your own."
        ) from error
    except OSError as error:
        raise ExampleError(
            f"“{example.title}” could not be stored ({error.strerror}). Make the cache folder "
            "writable, or upload a file of your own."
        ) from error

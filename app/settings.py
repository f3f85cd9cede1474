"""Settings of the app, from the environment.

Root-level entries of ``.streamlit/secrets.toml`` count as well: Streamlit puts
them into the environment when it starts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from songnet.exceptions import ParameterError
from songnet.signal.audio import DecodeLimits

if TYPE_CHECKING:
    from songnet.signal.remote import RemoteLimits

__all__ = ["LIBROSA_EXAMPLES_URL", "Settings", "read_settings"]

LIBROSA_EXAMPLES_URL = "https://librosa.org/data/audio/"


@dataclass(frozen=True)
class Settings:
    """What an operator can change without touching the code.

    Parameters
    ----------
    max_upload_mb : int
        Largest upload, SONGNET_MAX_UPLOAD_MB.
    max_minutes : int
        Longest track, SONGNET_MAX_MINUTES.
    examples_url : str
        Folder that the example clips are fetched from, SONGNET_EXAMPLES_URL.
    cache_folder : Path or None
        Where fetched examples are kept, SONGNET_CACHE; the user's cache
        folder if None.
    max_stream_minutes : int
        Longest listening to one address, SONGNET_MAX_STREAM_MINUTES.
    max_live_sessions : int
        Visitors that may listen live at once, SONGNET_MAX_LIVE_SESSIONS.
    allow_private_urls : bool
        The live page may open addresses of this machine and of private
        networks, SONGNET_ALLOW_PRIVATE_URLS.
    collection_folders : tuple of Path
        Folders of built collections that visitors may explore and hear,
        SONGNET_COLLECTIONS, separated as in PATH; if empty the one that
        ``songnet collection build`` writes into.
    api_origins : tuple of str
        Other sites whose pages may use the API from a browser,
        SONGNET_API_ORIGINS, separated by spaces.
    """

    max_upload_mb: int = 200
    max_minutes: int = 60
    examples_url: str = LIBROSA_EXAMPLES_URL
    cache_folder: Path | None = None
    max_stream_minutes: int = 120
    max_live_sessions: int = 16
    allow_private_urls: bool = False
    collection_folders: tuple[Path, ...] = ()
    api_origins: tuple[str, ...] = ()

    @property
    def remote_limits(self) -> RemoteLimits:
        """What one address on the internet may cost."""
        from songnet.signal.remote import RemoteLimits  # only the Live page needs urllib3

        return RemoteLimits(
            max_seconds=60.0 * self.max_stream_minutes, allow_private=self.allow_private_urls
        )

    @property
    def limits(self) -> DecodeLimits:
        """The same limits, as the decoder takes them."""
        return DecodeLimits(
            max_bytes=self.max_upload_mb * 2**20,
            max_seconds=60.0 * self.max_minutes,
            own_process=True,
        )


def read_settings() -> Settings:
    """Read the settings from the environment.

    Returns
    -------
    settings : Settings

    Raises
    ------
    ParameterError
        If a number is not a positive whole number, or a switch not 0 or 1.
    """
    cache = os.environ.get("SONGNET_CACHE")
    return Settings(
        max_upload_mb=_positive("SONGNET_MAX_UPLOAD_MB", Settings.max_upload_mb),
        max_minutes=_positive("SONGNET_MAX_MINUTES", Settings.max_minutes),
        examples_url=os.environ.get("SONGNET_EXAMPLES_URL", LIBROSA_EXAMPLES_URL),
        cache_folder=Path(cache) if cache else None,
        max_stream_minutes=_positive("SONGNET_MAX_STREAM_MINUTES", Settings.max_stream_minutes),
        max_live_sessions=_positive("SONGNET_MAX_LIVE_SESSIONS", Settings.max_live_sessions),
        allow_private_urls=_switch("SONGNET_ALLOW_PRIVATE_URLS"),
        collection_folders=tuple(
            Path(part)
            for part in os.environ.get("SONGNET_COLLECTIONS", "").split(os.pathsep)
            if part
        ),
        api_origins=tuple(os.environ.get("SONGNET_API_ORIGINS", "").split()),
    )


def _switch(variable: str) -> bool:
    text = os.environ.get(variable, "0")
    if text not in ("0", "1"):
        raise ParameterError(f"{variable} is {text!r}; expected 0 or 1.")
    return text == "1"


def _positive(variable: str, default: int) -> int:
    text = os.environ.get(variable, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ParameterError(f"{variable} is {text!r}; expected a whole number of at least 1.")
    return int(text)

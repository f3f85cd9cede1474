"""The tracks nearest to a song, by artist and title."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from app import services
from app.components import MUTED
from songnet.exceptions import DatasetError
from songnet.inference.bundle import find_bundle

if TYPE_CHECKING:
    import pandas as pd

    from songnet.inference.collection import Collection

__all__ = [
    "NEIGHBOURS_FILE",
    "NEIGHBOURS_NOTE",
    "find_neighbours",
    "is_known_track",
    "neighbour_name",
    "neighbours_html",
    "show_neighbours",
]

NEIGHBOURS_FILE = "neighbours.parquet"
NEIGHBOURS_NOTE = (
    "Of the tracks that the model learned from, those nearest in its embedding: what it hears as "
    "alike, not what a person would."
)
_N_SHOWN = 5
# Of 50 originals 94% are so near to their excerpt; of 1,349 tracks none to another recording
# of another artist (0.93 at most).
_SAME_RECORDING = 0.95


def show_neighbours(embedding: npt.NDArray[np.float32] | None, *, sha256: str = "") -> None:
    """Show the tracks that are nearest to a song; nothing where none are known.

    Parameters
    ----------
    embedding : np.ndarray [shape=(n_channels,), dtype=float32], optional
        `Prediction.embedding` of the song.
    sha256 : str
        Of the file, so that it is not its own neighbour.
    """
    near = find_neighbours(embedding, sha256=sha256)
    if near is None:
        return
    st.subheader("It sounds most like", anchor=False)
    st.html(neighbours_html(near))
    st.caption(NEIGHBOURS_NOTE)


def find_neighbours(
    embedding: npt.NDArray[np.float32] | None, *, sha256: str = ""
) -> pd.DataFrame | None:
    """Find the tracks that are nearest to a song.

    Parameters
    ----------
    embedding, sha256
        See `show_neighbours`.

    Returns
    -------
    near : pandas.DataFrame or None
        Rows of a collection with ``similarity``; None where none are known.
    """
    collection = _learned_tracks()
    if embedding is None or collection is None:
        return None
    return collection.neighbours(embedding, k=_N_SHOWN, sha256=sha256)


def is_known_track(embedding: npt.NDArray[np.float32] | None, *, sha256: str) -> bool:
    """Whether the model learned from this very recording, as far as its embedding tells.

    Parameters
    ----------
    embedding, sha256
        See `show_neighbours`.
    """
    collection = _learned_tracks()
    if embedding is None or collection is None:
        return False
    nearest = collection.neighbours(embedding, k=1)["similarity"].max()
    return bool((collection.frame["sha256"] == sha256).any() or nearest >= _SAME_RECORDING)


def _learned_tracks() -> Collection | None:
    """Open the tracks that the shipped model learned from; None where they are not known."""
    path = find_bundle() / NEIGHBOURS_FILE
    if not path.is_file():
        return None
    try:
        collection = services.load_collection(path)
    except DatasetError:
        return None
    made_with = collection.facts["model_sha256"]
    # Made with another model its distances would mean nothing.
    is_ours = made_with == services.load_classifier().bundle.files.get("model.tflite")
    return collection if is_ours else None


def neighbours_html(near: pd.DataFrame) -> str:
    """Write tracks and how alike they are as a list.

    Parameters
    ----------
    near : pandas.DataFrame
        Rows of a collection with ``similarity``; escaped here.

    Returns
    -------
    html : str
    """
    rows = "".join(_row(track) for track in near.to_dict("records"))
    return f'<ol data-testid="neighbours" style="list-style:none;margin:0;padding:0">{rows}</ol>'


def _row(track: dict[str, Any]) -> str:
    licence = (
        f'<div style="{MUTED};font-size:.8rem;overflow-wrap:anywhere">{escape(track["licence"])}'
        "</div>"
    )
    return (
        '<li style="display:flex;gap:1rem;justify-content:space-between;padding:.2rem 0">'
        f'<div style="overflow-wrap:anywhere">{escape(neighbour_name(track))}'
        f"{licence if track['licence'] else ''}</div>"
        f'<div style="white-space:nowrap">{escape(track["genre"] or track["predicted"])} '
        f'<span style="{MUTED}">{track["similarity"]:.2f}</span></div></li>'
    )


def neighbour_name(track: dict[str, Any]) -> str:
    """Name a track by artist, title and year, as far as they are known."""
    name = ": ".join(part for part in (track["artist"], track["title"]) if part)
    year = f" ({track['year']})" if isinstance(track["year"], int) else ""
    return f"{name or 'Title unknown'}{year}"

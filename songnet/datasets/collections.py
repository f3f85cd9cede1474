"""Collections opened by their index, which is made once and again when files change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from songnet.datasets.audio_files import files_fingerprint
from songnet.datasets.base import Dataset
from songnet.datasets.index import CollectionIndex, read_index, write_index
from songnet.datasets.places import index_root
from songnet.exceptions import DatasetError

__all__ = ["fma_indexes", "index_path", "open_indexed"]


def open_indexed(
    name: str,
    root: Path,
    *,
    build: Callable[[], Dataset],
    watched: tuple[Path, ...],
) -> CollectionIndex:
    """Open the index of a collection; make it if there is none or files changed.

    Parameters
    ----------
    name : str
        Of the collection.
    root : Path
        Its folder.
    build : callable
        Loads the collection from its files.
    watched : tuple of Path
        Files and folders that decide whether the index still holds.

    Returns
    -------
    index : CollectionIndex
    """
    path = index_path(name, root)
    fingerprint = files_fingerprint(*watched)
    try:
        index = read_index(path)
    except DatasetError:
        index = None
    if index is None or index.fingerprint != fingerprint:
        write_index(build(), path, root=root, fingerprint=fingerprint)
        index = read_index(path)
    return index


def index_path(name: str, root: Path) -> Path:
    """File that holds, or will hold, the index of the collection in a folder."""
    place = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
    return index_root() / f"{name}-{place}.parquet"


def fma_indexes() -> list[Path]:
    """Indexes of FMA that are there, to recognise its tracks by."""
    return sorted(index_root().glob("fma-*.parquet"))

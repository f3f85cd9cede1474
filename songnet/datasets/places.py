"""Where data sets, and what is computed from them, are kept."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["CACHE_VARIABLE", "DATA_VARIABLE", "cache_root", "data_root", "index_root"]

CACHE_VARIABLE = "SONGNET_CACHE"
DATA_VARIABLE = "SONGNET_DATA"


def cache_root() -> Path:
    """Folder for what can be made again: features, indexes and generated data.

    The variable SONGNET_CACHE names it; otherwise it is ``songnet`` in the
    cache folder of the user.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    import pooch

    return Path(pooch.os_cache("songnet"))


def data_root() -> Path:
    """Folder that data sets are downloaded into.

    The variable SONGNET_DATA names it; otherwise it is ``datasets`` in
    `cache_root`.
    """
    named = os.environ.get(DATA_VARIABLE)
    return Path(named) if named else cache_root() / "datasets"


def index_root() -> Path:
    """Folder of the indexes of collections, in `cache_root`."""
    return cache_root() / "index"

"""Data sets by name, and where what was computed from them is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from songnet.datasets.base import Dataset
from songnet.datasets.corpus import load_corpus
from songnet.datasets.folder import load_folder
from songnet.datasets.synthetic import generate_synthetic, load_synthetic
from songnet.exceptions import DatasetError

__all__ = ["CACHE_VARIABLE", "DATASET_NAMES", "cache_root", "load_dataset"]

CACHE_VARIABLE = "SONGNET_CACHE"


def cache_root() -> Path:
    """Folder for what can be made again: features and generated data.

    The variable SONGNET_CACHE names it; otherwise it is ``songnet`` in the
    cache folder of the user.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    import pooch

    return Path(pooch.os_cache("songnet"))


def load_dataset(name_or_path: str, *, root: Path | None = None) -> Dataset:
    """Load a data set by its name, or a folder of music by its path.

    Parameters
    ----------
    name_or_path : str
        One of `DATASET_NAMES`, or the path of a folder with one folder for
        each genre.
    root : Path, optional
        Folder of the data: where the corpus is (otherwise the variable
        SONGNET_CORPUS), what "folder" loads, where "synthetic" is kept
        (otherwise in `cache_root`).

    Returns
    -------
    dataset : Dataset

    Raises
    ------
    DatasetError
        If there is no such data set, or it cannot be read.
    """
    if name_or_path in _LOADERS:
        return _LOADERS[name_or_path](root)
    if Path(name_or_path).is_dir():
        return load_folder(Path(name_or_path))
    raise DatasetError(
        f"There is no data set {name_or_path!r}; expected one of {', '.join(DATASET_NAMES)}, "
        "or a folder with one folder for each genre."
    )


def _load_folder(root: Path | None) -> Dataset:
    if root is None:
        raise DatasetError(
            'The data set "folder" needs its folder; name one that has a folder for each genre.'
        )
    return load_folder(root)


def _load_synthetic(root: Path | None) -> Dataset:
    folder = root or cache_root() / "synthetic"
    try:
        return load_synthetic(folder)
    except DatasetError:
        return generate_synthetic(folder)


_LOADERS: dict[str, Callable[[Path | None], Dataset]] = {
    "corpus": load_corpus,
    "folder": _load_folder,
    "synthetic": _load_synthetic,
}
DATASET_NAMES = tuple(_LOADERS)

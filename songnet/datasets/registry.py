"""Data sets by name: their tracks, and the index of those that are indexed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from songnet.datasets.base import Dataset
from songnet.datasets.corpus import find_corpus, load_corpus
from songnet.datasets.folder import load_folder
from songnet.datasets.places import CACHE_VARIABLE, cache_root, data_root
from songnet.datasets.synthetic import generate_synthetic, load_synthetic
from songnet.datasets.verify import verify_indexed, verify_listed
from songnet.exceptions import DatasetError

if TYPE_CHECKING:
    from songnet.datasets.index import CollectionIndex

__all__ = [
    "CACHE_VARIABLE",
    "DATASET_NAMES",
    "cache_root",
    "load_dataset",
    "open_collection",
    "verify_dataset",
]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Source:
    """How a named data set is found and read.

    Parameters
    ----------
    find : callable
        Folder of the collection, from the root that the caller gave or not.
    load : callable
        Tracks of a folder.
    verify : callable
        Compares the files of a folder with checksums that were there before,
        and returns their number.
    watched : callable
        Files and folders whose change makes the index of a folder stale.
    indexed : bool
        Whether reading it takes so long that its tracks come from the index.
    """

    find: Callable[[Path | None], Path]
    load: Callable[[Path, Progress | None], Dataset]
    verify: Callable[[Path, Progress | None], int]
    watched: Callable[[Path], tuple[Path, ...]] = lambda folder: (folder,)
    indexed: bool = False


def load_dataset(
    name_or_path: str, *, root: Path | None = None, progress: Progress | None = None
) -> Dataset:
    """Load a data set by its name, or a folder of music by its path.

    Parameters
    ----------
    name_or_path : str
        One of `DATASET_NAMES`, or the path of a folder with one folder for
        each genre.
    root : Path, optional
        Folder of the data: where the corpus is (otherwise the variable
        SONGNET_CORPUS), what "folder" loads, where "synthetic" is kept
        (otherwise in `cache_root`), where FMA and GTZAN were downloaded
        (otherwise `data_root`).
    progress : callable, optional
        Called with (files read, files) where a new index is made.

    Returns
    -------
    dataset : Dataset
        Tracks with a genre and audio.

    Raises
    ------
    DatasetError
        If there is no such data set, or it cannot be read.
    """
    source, folder = _find(name_or_path, root)
    if name_or_path == "fma-metadata":
        raise DatasetError(
            "fma-metadata holds no audio, only who made the tracks; expected a data set with "
            "audio, such as fma-small."
        )
    if source.indexed:
        return open_collection(name_or_path, root=root, progress=progress).to_dataset()
    return source.load(folder, progress)


def open_collection(
    name_or_path: str, *, root: Path | None = None, progress: Progress | None = None
) -> CollectionIndex:
    """Open a data set as a table; the index is made where there is none or files changed.

    Parameters, errors: see `load_dataset`.

    Returns
    -------
    index : CollectionIndex
        Also with tracks that have no genre or no audio.
    """
    from songnet.datasets.collections import open_indexed

    source, folder = _find(name_or_path, root)
    return open_indexed(
        name_or_path if name_or_path in _SOURCES else "folder",
        folder,
        build=partial(source.load, folder, progress),
        watched=source.watched(folder),
    )


def verify_dataset(
    name_or_path: str, *, root: Path | None = None, progress: Progress | None = None
) -> int:
    """Compare the files of a data set with checksums that were written before.

    They are those that came with it (corpus, FMA, synthetic); elsewhere those
    of its index as it was last written, which is not made again here.

    Parameters
    ----------
    name_or_path, root
        See `load_dataset`.
    progress : callable, optional
        Called with (files compared, files).

    Returns
    -------
    n_files : int
        Files that match.

    Raises
    ------
    DatasetError
        Names the files that are missing or changed; or if there is nothing to
        compare with.
    """
    source, folder = _find(name_or_path, root)
    return source.verify(folder, progress)


def _find(name_or_path: str, root: Path | None) -> tuple[_Source, Path]:
    if name_or_path in _SOURCES:
        source = _SOURCES[name_or_path]
        return source, source.find(root)
    if Path(name_or_path).is_dir():
        return _SOURCES["folder"], Path(name_or_path)
    raise DatasetError(
        f"There is no data set {name_or_path!r}; expected one of {', '.join(DATASET_NAMES)}, "
        "or a folder with one folder for each genre."
    )


def _find_folder(root: Path | None) -> Path:
    if root is None:
        raise DatasetError(
            'The data set "folder" needs its folder; name one that has a folder for each genre.'
        )
    return root


def _load_or_generate(folder: Path, _: Progress | None) -> Dataset:
    try:
        return load_synthetic(folder)
    except DatasetError:
        return generate_synthetic(folder)


def _load_fma(folder: Path, progress: Progress | None, *, subset: str) -> Dataset:
    from songnet.datasets.fma import load_fma

    return load_fma(folder, subset=subset, progress=progress)


def _load_fma_metadata(folder: Path, _: Progress | None) -> Dataset:
    from songnet.datasets.fma import load_fma_metadata

    return load_fma_metadata(folder)


def _load_gtzan(folder: Path, progress: Progress | None) -> Dataset:
    from songnet.datasets.gtzan import load_gtzan

    return load_gtzan(folder, progress=progress)


def _verify_fma(folder: Path, progress: Progress | None, *, part: str) -> int:
    from songnet.datasets.fma import verify_fma

    return verify_fma(folder / f"fma_{part}", progress=progress)


def _fma_source(subset: str) -> _Source:
    return _Source(
        find=lambda root: root or data_root(),
        load=partial(_load_fma, subset=subset),
        verify=partial(_verify_fma, part=subset),
        watched=lambda folder: (folder / "fma_metadata", folder / f"fma_{subset}"),
        indexed=True,
    )


def _watched_of_metadata(folder: Path) -> tuple[Path, ...]:
    return (folder / "fma_metadata", *sorted(folder.glob("fma_*/checksums")))


def _find_gtzan(root: Path | None) -> Path:
    root = root or data_root()
    return root / "gtzan" if (root / "gtzan").is_dir() else root


_SOURCES: dict[str, _Source] = {
    "corpus": _Source(
        find=find_corpus,
        load=lambda folder, _: load_corpus(folder),
        verify=lambda folder, _: verify_listed(folder, load=load_corpus),
    ),
    "folder": _Source(
        find=_find_folder,
        load=lambda folder, _: load_folder(folder),
        verify=partial(verify_indexed, name="folder"),
    ),
    "synthetic": _Source(
        find=lambda root: root or cache_root() / "synthetic",
        load=_load_or_generate,
        verify=lambda folder, _: verify_listed(folder, load=load_synthetic),
    ),
    **{f"fma-{subset}": _fma_source(subset) for subset in ("small", "medium", "large", "full")},
    "fma-metadata": _Source(
        find=lambda root: root or data_root(),
        load=_load_fma_metadata,
        verify=partial(_verify_fma, part="metadata"),
        watched=_watched_of_metadata,
        indexed=True,
    ),
    "gtzan": _Source(
        find=_find_gtzan,
        load=_load_gtzan,
        verify=partial(verify_indexed, name="gtzan"),
        indexed=True,
    ),
}
DATASET_NAMES = tuple(_SOURCES)

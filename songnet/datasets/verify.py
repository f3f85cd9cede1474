"""Compare the files of a data set with checksums that were written before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from songnet.datasets.base import Dataset, Track, file_sha256
from songnet.exceptions import DatasetError

__all__ = ["verify_indexed", "verify_listed"]

Progress = Callable[[int, int], None]


def verify_listed(folder: Path, *, load: Callable[[Path], Dataset]) -> int:
    """Compare with the checksums in the data set's own list of its tracks.

    Parameters
    ----------
    folder : Path
    load : callable
        Tracks of a folder.

    Result, errors: see `songnet.datasets.registry.verify_dataset`.
    """
    dataset = load(folder)
    dataset.verify()
    n_files = sum(bool(track.sha256) for track in dataset)
    if not n_files:
        raise DatasetError(
            f"The list of tracks in {folder} has no checksums, so there is nothing to compare with."
        )
    return n_files


def verify_indexed(folder: Path, progress: Progress | None, *, name: str) -> int:
    """Compare with the index as it is; made again, it would agree with any damage.

    Parameters
    ----------
    folder : Path
    progress : callable, optional
        Called with (files compared, files).
    name : str
        That the data set is indexed under.

    Result, errors: see `songnet.datasets.registry.verify_dataset`.
    """
    from songnet.datasets.collections import index_path
    from songnet.datasets.index import read_index

    path = index_path(name, folder)
    if not path.is_file():
        raise DatasetError(
            f"{folder} has no index yet, so there is nothing to compare with. While its files are "
            "known to be good, write one with `songnet data index`."
        )
    tracks = read_index(path, root=folder).to_dataset().tracks
    bad = []
    for done, track in enumerate(tracks, start=1):
        if not _is_intact(track):
            bad.append(track.path.relative_to(folder).as_posix())
        if progress:
            progress(done, len(tracks))
    if bad:
        raise DatasetError(
            f"{len(bad)} of the {len(tracks)} files that the index of {folder} lists are missing "
            f"or changed ({', '.join(bad[:3])}). Bring them back from a copy; if the changes are "
            "yours, write the index again with `songnet data index`."
        )
    return len(tracks)


def _is_intact(track: Track) -> bool:
    try:
        return file_sha256(track.path) == track.sha256
    except OSError:
        return False

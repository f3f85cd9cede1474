"""A folder of anyone's music as an index: no genre is assumed, tags say the rest."""

from __future__ import annotations

from pathlib import Path

from songnet.datasets.base import Dataset, Track, artist_group, file_sha256
from songnet.datasets.collections import open_indexed
from songnet.datasets.index import CollectionIndex
from songnet.datasets.tags import read_tags
from songnet.exceptions import DatasetError
from songnet.inference.batch import FileResult, find_audio

__all__ = ["index_music"]


def index_music(folder: Path) -> CollectionIndex:
    """Index the audio files of a folder, at any depth, however it is ordered.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    index : CollectionIndex
        Without genres: those in the tags are anyone's words. It is named
        after the folder.

    Raises
    ------
    DatasetError
        If it is no folder or holds no audio.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; expected one with music.")
    root = folder.resolve()
    return open_indexed(root.name, root, build=lambda: _read(root), watched=(root,))


def _read(root: Path) -> Dataset:
    found = find_audio([root])
    files = [file for file in found if not isinstance(file, FileResult)]
    if not files:
        problem = next(file for file in found if isinstance(file, FileResult))
        raise DatasetError(f"{root}: {problem.error}")
    return Dataset(root.name, tuple(_track(path, root) for path in files))


def _track(path: Path, root: Path) -> Track:
    tags = read_tags(path)
    track_id = path.relative_to(root).as_posix()
    try:
        sha256 = file_sha256(path)
    except OSError:  # it will be reported when it is listened to
        sha256 = ""
    return Track(
        track_id=track_id,
        path=path,
        genre="",
        group=artist_group(tags.artist) or f"file:{sha256 or track_id}",
        artist=tags.artist,
        album=tags.album,
        title=tags.title or path.stem,
        year=tags.year,
        source="folder",
        sha256=sha256,
    )

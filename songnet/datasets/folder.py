"""Anyone's own music: one folder for each genre."""

from __future__ import annotations

from pathlib import Path

from songnet.datasets.base import Dataset, Track, artist_group, file_sha256
from songnet.datasets.tags import read_tags
from songnet.exceptions import DatasetError
from songnet.signal.audio import AUDIO_EXTENSIONS

__all__ = ["load_folder"]


def load_folder(root: Path) -> Dataset:
    """Load the audio files below a folder with one folder for each genre.

    Parameters
    ----------
    root : Path
        Its folders are the genres; each is searched at any depth. Hidden
        files and folders are left out.

    Returns
    -------
    dataset : Dataset
        Ids are paths below ``root``. The group is the artist in the tags of
        the file, or else its content, which copies share: tag the files, so
        that splits can keep an artist on one side.

    Raises
    ------
    DatasetError
        If ``root`` is no folder, or has fewer than two genres with audio.
    """
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; expected one with a folder for each genre.")
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not folders:
        raise DatasetError(
            f"{root} holds no folders; put the audio of each genre into a folder of its name."
        )
    tracks = tuple(
        _read_track(path, root, genre=folder.name)
        for folder in folders
        for path in _find_audio(folder)
    )
    genres = {track.genre for track in tracks}
    if len(genres) < 2:
        found = f"only {genres.pop()!r}" if genres else "none"
        raise DatasetError(
            f"{root} needs at least two genre folders with audio ({', '.join(AUDIO_EXTENSIONS)}); "
            f"of {[folder.name for folder in folders]}, {found} holds any."
        )
    return Dataset(root.resolve().name, tracks)


def _find_audio(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower().removeprefix(".") in AUDIO_EXTENSIONS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _read_track(path: Path, root: Path, *, genre: str) -> Track:
    track_id = path.relative_to(root).as_posix()
    tags = read_tags(path)
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read ({error.strerror}); check its permissions or move it away."
        ) from error
    return Track(
        track_id=track_id,
        path=path,
        genre=genre,
        group=artist_group(tags.artist) or f"file:{sha256}",
        artist=tags.artist,
        album=tags.album,
        title=tags.title,
        year=tags.year,
        source="folder",
        sha256=sha256,
    )

"""A training set out of what people said about files, with the files on this machine."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from songnet.datasets.base import file_sha256
from songnet.exceptions import DatasetError
from songnet.history.records import HistoryRecord, clean_genre
from songnet.inference.batch import FileResult, find_audio

__all__ = ["MANIFEST", "Feedback", "match_feedback", "write_feedback"]

MANIFEST = "feedback.csv"
_COLUMNS = ("path", "genre", "sha256", "artist", "title", "predicted_genre", "model", "said_at")


@dataclass(frozen=True)
class Feedback:
    """Corrections and the files that they are about.

    Parameters
    ----------
    matched : tuple of (HistoryRecord, Path)
        Each file once, with the latest correction.
    missing : tuple of HistoryRecord
        Their files are not in the folders.
    disputed : tuple of HistoryRecord
        Earlier corrections of another genre, which the latest overrules.
    """

    matched: tuple[tuple[HistoryRecord, Path], ...]
    missing: tuple[HistoryRecord, ...]
    disputed: tuple[HistoryRecord, ...]


def match_feedback(
    corrections: Iterable[HistoryRecord],
    music: Sequence[Path],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Feedback:
    """Find the files that corrections are about, by their SHA-256.

    Parameters
    ----------
    corrections : iterable of HistoryRecord
        The latest first, as `songnet.history.database.read_corrections` gives them.
    music : sequence of Path
        Files, and folders that are searched at any depth.
    progress : callable, optional
        Called with (done, total) after each file.

    Returns
    -------
    feedback : Feedback
    """
    latest: dict[str, HistoryRecord] = {}
    disputed: list[HistoryRecord] = []
    for record in corrections:
        kept = latest.setdefault(record.sha256, record)
        if kept.corrected_genre != record.corrected_genre:
            disputed.append(record)
    found = [path for path in find_audio(music) if not isinstance(path, FileResult)]
    files: dict[str, Path] = {}
    for done, path in enumerate(found, start=1):
        sha256 = _sha256_or_none(path)
        if sha256 in latest:
            files.setdefault(sha256, path)
        if progress:
            progress(done, len(found))
    return Feedback(
        matched=tuple((latest[sha256], path) for sha256, path in files.items()),
        missing=tuple(record for sha256, record in latest.items() if sha256 not in files),
        disputed=tuple(disputed),
    )


def write_feedback(feedback: Feedback, folder: Path) -> None:
    """Make a folder with one folder for each genre, as `songnet train --dataset` reads it.

    The audio is linked, so that it takes no space; it is copied where it lies
    on another disk. `MANIFEST` says where each file comes from.

    Parameters
    ----------
    feedback : Feedback
    folder : Path
        New or empty.

    Raises
    ------
    DatasetError
        If the folder holds something, or cannot be written.
    ParameterError
        If a corrected genre cannot be the name of a folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(f"{folder} is not empty; name a new folder for the training set.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, _COLUMNS)
            rows.writeheader()
            for record, path in feedback.matched:
                genre = clean_genre(record.corrected_genre or record.genre)
                target = folder / genre / f"{record.sha256[:16]}{path.suffix.lower()}"
                target.parent.mkdir(exist_ok=True)
                _link_or_copy(path, target)
                rows.writerow(_row(record, genre, target.relative_to(folder)))
    except OSError as error:
        raise DatasetError(
            f"{folder} cannot be filled ({error.strerror}); make room, or name another folder."
        ) from error


def _row(record: HistoryRecord, genre: str, path: Path) -> dict[str, str]:
    said_at = record.corrected_at
    return {
        "path": path.as_posix(),
        "genre": genre,
        "sha256": record.sha256,
        "artist": record.tags.artist,
        "title": record.tags.title,
        "predicted_genre": record.genre,
        "model": record.model,
        "said_at": said_at.isoformat(timespec="seconds") if said_at else "",
    }


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _sha256_or_none(path: Path) -> str | None:
    """Checksum of a file; None if it cannot be read, which is no match either."""
    try:
        return file_sha256(path)
    except OSError:
        return None

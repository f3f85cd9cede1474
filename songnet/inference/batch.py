"""Many files, one result each: a bad file never stops the others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from songnet.exceptions import (
    AudioError,
    AudioTooLongError,
    AudioTooShortError,
    SilentAudioError,
)
from songnet.inference.classifier import Classifier
from songnet.inference.prediction import Prediction
from songnet.inference.trust import NOT_MUSIC
from songnet.signal.audio import AUDIO_EXTENSIONS, DecodeLimits

__all__ = ["FileResult", "FileStatus", "file_result", "find_audio", "predict_files"]

FileStatus = Literal["ok", "not_sure", "rejected", "error"]
_REJECTING = (SilentAudioError, AudioTooShortError, AudioTooLongError)


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Parameters
    ----------
    file : Path
        As it was given, or as it was found in a folder.
    status : {"ok", "not_sure", "rejected", "error"}
        "rejected" where the audio can be read but holds nothing to name:
        silent, not music, too short or too long. "error" where it cannot be
        read.
    prediction : Prediction, optional
        Where the status is "ok" or "not_sure", and for what is not music.
    error : str, optional
        Why nothing is named, in a sentence for a person.
    """

    file: Path
    status: FileStatus
    prediction: Prediction | None = None
    error: str | None = None

    @property
    def failed(self) -> bool:
        """Nothing is named."""
        return self.status in ("rejected", "error")

    def to_dict(self, *, top_k: int = 3) -> dict[str, Any]:
        """Return the result as plain JSON types, with the same keys for every status.

        Parameters
        ----------
        top_k : int
            Number of genres in ``top``.

        Returns
        -------
        values : dict
            file, status, genre, confidence, top, duration_seconds, warnings, error.
        """
        values: dict[str, Any] = {
            "file": str(self.file),
            "status": self.status,
            "genre": None,
            "confidence": None,
            "top": [],
            "duration_seconds": None,
            "warnings": [],
            "error": self.error,
        }
        said = self.prediction.to_dict(top_k=top_k) if self.prediction else {}
        return values | said | {"status": self.status}


def find_audio(paths: Iterable[Path]) -> list[Path | FileResult]:
    """Replace folders by the audio files in them, at any depth.

    Parameters
    ----------
    paths : iterable of Path
        Files are kept whatever their name; in folders the extension decides,
        and names that begin with a dot are left out.

    Returns
    -------
    found : list of Path or FileResult
        In the order of ``paths``, each folder sorted by name; a result for
        each folder that holds no audio file or cannot be read.
    """
    found: list[Path | FileResult] = []
    for path in paths:
        found.extend(_audio_in_folder(path) if path.is_dir() else [path])
    return found


def _audio_in_folder(folder: Path) -> list[Path | FileResult]:
    unreadable: list[OSError] = []
    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files.extend(Path(parent, name) for name in names if _is_audio_name(name))
    problems = [
        FileResult(
            Path(error.filename), "error", error=f"The folder cannot be read ({error.strerror})."
        )
        for error in unreadable
    ]
    if not files and not problems:
        expected = ", ".join(AUDIO_EXTENSIONS)
        message = f"The folder holds no audio file; expected one of {expected}."
        problems = [FileResult(folder, "error", error=message)]
    return [*sorted(files), *problems]


def _is_audio_name(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(
        tuple(f".{extension}" for extension in AUDIO_EXTENSIONS)
    )


def predict_files(
    classifier: Classifier,
    files: Iterable[Path | FileResult],
    *,
    limits: DecodeLimits | None = None,
) -> Iterator[FileResult]:
    """Name the genre of each file, one after the other.

    Parameters
    ----------
    classifier : Classifier
    files : iterable of Path or FileResult
        As `find_audio` returns them; results pass through.
    limits : DecodeLimits, optional

    Yields
    ------
    result : FileResult
        In the order of ``files``.
    """
    for file in files:
        yield file if isinstance(file, FileResult) else _predict_file(classifier, file, limits)


def file_result(file: Path, outcome: Prediction | AudioError) -> FileResult:
    """Say what became of a file.

    Parameters
    ----------
    file : Path
    outcome : Prediction or AudioError

    Returns
    -------
    result : FileResult
    """
    if isinstance(outcome, AudioError):
        status: FileStatus = "rejected" if isinstance(outcome, _REJECTING) else "error"
        return FileResult(file, status, error=str(outcome))
    if outcome.status in ("ok", "not_sure"):
        return FileResult(file, outcome.status, outcome)
    return FileResult(file, "rejected", outcome, error=NOT_MUSIC)


def _predict_file(classifier: Classifier, file: Path, limits: DecodeLimits | None) -> FileResult:
    try:
        return file_result(file, classifier.predict(file, limits=limits))
    except AudioError as error:
        return file_result(file, error)
    except OSError as error:
        reason = error.strerror or str(error)
        return FileResult(file, "error", error=f"The file cannot be read ({reason}).")

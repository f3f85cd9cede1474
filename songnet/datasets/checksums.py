"""Lists of checksums as ``sha1sum`` writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from songnet.exceptions import DatasetError

__all__ = ["read_checksums", "verify_checksums"]


def read_checksums(path: Path) -> dict[str, str]:
    """Read lines of "SHA-1, two spaces, path".

    Parameters
    ----------
    path : Path

    Returns
    -------
    checksums : dict of str to str
        SHA-1 by relative path; empty if there is no such file.

    Raises
    ------
    DatasetError
        If a line is not of that form, or its path leaves the folder.
    """
    if not path.is_file():
        return {}
    checksums = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        sha1, _, name = line.partition(" ")
        name = name.strip().removeprefix("*").removeprefix("./")
        parts = PurePosixPath(name)
        if len(sha1) != 40 or not name or parts.is_absolute() or ".." in parts.parts:
            raise DatasetError(
                f"{path} has the line {line[:80]!r}; expected a SHA-1 and a path below the folder."
            )
        checksums[name] = sha1.lower()
    return checksums


def verify_checksums(folder: Path, *, progress: Callable[[int, int], None] | None = None) -> int:
    """Compare the files of a folder with its ``checksums``.

    Parameters
    ----------
    folder : Path
    progress : callable, optional
        Called with (done, total) after each file.

    Returns
    -------
    n_files : int
        Files compared; 0 where the folder has no list.

    Raises
    ------
    DatasetError
        Names the files that are missing or changed.
    """
    checksums = read_checksums(folder / "checksums")
    bad = []
    for done, (name, sha1) in enumerate(checksums.items(), start=1):
        path = folder / name
        if not path.is_file() or _file_sha1(path) != sha1:
            bad.append(name)
        if progress:
            progress(done, len(checksums))
    if bad:
        raise DatasetError(
            f"{len(bad)} of {len(checksums)} files in {folder} are missing or changed "
            f"({', '.join(bad[:3])}); delete the folder and fetch the data set again."
        )
    return len(checksums)


def _file_sha1(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()

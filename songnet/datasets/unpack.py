"""Unpack an archive without trusting it."""

from __future__ import annotations

import errno
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from songnet.exceptions import DatasetError

__all__ = ["UnpackLimits", "unpack"]

_BLOCK = 1 << 20
_CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)


@dataclass(frozen=True)
class UnpackLimits:
    """What an archive may unpack to, counted in written bytes: headers are not believed."""

    max_bytes: int
    max_files: int = 250_000


@dataclass(frozen=True)
class _Member:
    """One entry of an archive, of either kind."""

    name: str
    is_folder: bool
    is_file: bool
    open: Callable[[], IO[bytes]]


def unpack(
    archive: Path,
    folder: Path,
    *,
    limits: UnpackLimits,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Unpack a zip or tar archive into an empty folder.

    Parameters
    ----------
    archive : Path
    folder : Path
    limits : UnpackLimits
    progress : callable, optional
        Called with the bytes written so far, after each file.

    Returns
    -------
    n_files : int

    Raises
    ------
    DatasetError
        If it is no archive or damaged, is larger than the limits, or has an
        entry that is a link or device, leaves the folder or comes twice; or
        if the folder cannot be written to.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                return _write(_zip_members(file), folder, limits=limits, progress=progress)
        with tarfile.open(archive, "r:*") as tar:
            return _write(_tar_members(tar), folder, limits=limits, progress=progress)
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
            raise DatasetError(
                f"{archive.name} cannot be unpacked ({error.strerror}); make room or name another "
                "folder. The archive is kept."
            ) from error
        raise DatasetError(
            f"{archive.name} cannot be unpacked ({error}); delete it and fetch it again."
        ) from error


def _zip_members(file: zipfile.ZipFile) -> Iterator[_Member]:
    for info in file.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        is_folder = info.is_dir()
        is_file = not is_folder and kind in {0, stat.S_IFREG}
        yield _Member(info.orig_filename, is_folder, is_file, partial(file.open, info))


def _tar_members(tar: tarfile.TarFile) -> Iterator[_Member]:
    for info in tar:
        yield _Member(info.name, info.isdir(), info.isreg(), partial(_open_in_tar, tar, info))


def _open_in_tar(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(info)
    if file is None:
        raise tarfile.ExtractError(f"{info.name} cannot be read")
    return file


def _write(
    members: Iterator[_Member],
    folder: Path,
    *,
    limits: UnpackLimits,
    progress: Callable[[int], None] | None,
) -> int:
    n_bytes = n_files = 0
    for member in members:
        path = folder.joinpath(*_safe_parts(member.name))
        if member.is_folder:
            path.mkdir(parents=True, exist_ok=True)
            continue
        if not member.is_file:
            raise DatasetError(
                f"The archive holds {member.name[:80]!r}, a link or device; it is not trusted."
            )
        n_files += 1
        if n_files > limits.max_files:
            raise DatasetError(
                f"The archive holds more than {limits.max_files} files; it is not trusted."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, path.open("xb") as target:
            n_bytes += _copy(source, target, limits.max_bytes - n_bytes)
        if progress:
            progress(n_bytes)
    return n_files


def _copy(source: IO[bytes], target: IO[bytes], n_left: int) -> int:
    n_bytes = 0
    while block := source.read(_BLOCK):
        n_bytes += len(block)
        if n_bytes > n_left:
            raise DatasetError("The archive unpacks to more than its limit; it is not trusted.")
        target.write(block)
    return n_bytes


def _safe_parts(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or any(char in name for char in "\\:\0"):
        raise DatasetError(
            f"The archive holds {name[:80]!r}, which leaves its folder; it is not trusted."
        )
    return path.parts

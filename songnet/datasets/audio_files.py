"""What is known of audio files before they are decoded: checksums, length, damage."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import soundfile as sf

from songnet.exceptions import AudioDecodeError
from songnet.signal.decoders import PyAVStream

__all__ = ["FileFacts", "files_fingerprint", "inspect_file", "inspect_files"]

_BLOCK = 1 << 20


@dataclass(frozen=True)
class FileFacts:
    """One file, looked at once.

    Parameters
    ----------
    sha1, sha256 : str
    duration_seconds : float, optional
        As its header says; unknown where only FFmpeg opens it.
    problem : str
        Why it cannot be used; empty if it can be opened.
    """

    sha1: str = ""
    sha256: str = ""
    duration_seconds: float | None = None
    problem: str = ""


def inspect_file(path: Path) -> FileFacts:
    """Read the checksums of a file and try to open it as audio.

    Parameters
    ----------
    path : Path

    Returns
    -------
    facts : FileFacts
        A file that opens may still prove damaged when it is decoded as a whole.
    """
    sha1, sha256 = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                sha1.update(block)
                sha256.update(block)
            duration, problem = _open_audio(file)
    except OSError as error:
        return FileFacts(problem=f"The file cannot be read ({error.strerror}).")
    return FileFacts(sha1.hexdigest(), sha256.hexdigest(), duration, problem)


def inspect_files(
    paths: Iterable[Path], *, progress: Callable[[int, int], None] | None = None
) -> list[FileFacts]:
    """Inspect many files, a thread a core.

    Parameters
    ----------
    paths : iterable of Path
    progress : callable, optional
        Called with (done, total) after each file.

    Returns
    -------
    facts : list of FileFacts
        In the order of ``paths``.
    """
    paths = list(paths)
    facts = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, fact in enumerate(pool.map(inspect_file, paths), start=1):
            facts.append(fact)
            if progress:
                progress(done, len(paths))
    return facts


def files_fingerprint(*paths: Path) -> str:
    """Hash names, sizes and times of files, and of all files below folders.

    Returns
    -------
    fingerprint : str
        Changes when a file is added, removed or written.
    """
    digest = hashlib.sha256()
    for path in paths:
        for file in [path] if path.is_file() else _files(path):
            stat = file.stat()
            digest.update(repr((str(file), stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(parent, name)).is_file())


def _open_audio(file: BinaryIO) -> tuple[float | None, str]:
    """Return the duration that the header gives and why it cannot be opened."""
    file.seek(0)
    try:
        with sf.SoundFile(file) as sound:
            return sound.frames / sound.samplerate, "" if sound.frames else "It holds no sound."
    except sf.SoundFileError:
        file.seek(0)
    try:
        with PyAVStream(file):
            return None, ""
    except AudioDecodeError as error:
        return None, str(error)

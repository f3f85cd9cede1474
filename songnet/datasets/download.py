"""Fetch FMA and GTZAN: once, resumed where it broke, checked before it counts.

What there is stands in ``data/archives.json``. An archive is fetched with its
published checksum, unpacked beside its place, compared with the list of
checksums that it holds, and only then moved there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests

from songnet.datasets.checksums import verify_checksums
from songnet.datasets.gtzan import find_gtzan_audio
from songnet.datasets.resume import ResumingDownloader
from songnet.datasets.unpack import UnpackLimits, unpack
from songnet.exceptions import DatasetError

__all__ = ["Archive", "download", "load_archives"]

_REGISTRY = Path(__file__).parents[2] / "data" / "archives.json"
_GIB = 2**30
_DONE = ".songnet-complete"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Archive:
    """One archive of a data set.

    Parameters
    ----------
    name, file : str
        Of the data set and of its archive.
    urls : tuple of str
        Tried one after the other.
    known_hash : str or None
        "algorithm:digest" as its makers publish it; None where they do not.
    folder : str
        Where its content goes, below the root of all data.
    size_gib, unpacked_gib : float
        About; for the check of disk space and the limits of unpacking.
    """

    name: str
    file: str
    urls: tuple[str, ...]
    known_hash: str | None
    folder: str
    size_gib: float
    unpacked_gib: float


def load_archives(path: Path = _REGISTRY) -> dict[str, Archive]:
    """Read the registry of archives."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {n: Archive(name=n, **row | {"urls": tuple(row["urls"])}) for n, row in rows.items()}


def download(
    archive: Archive, root: Path, *, keep_archive: bool = False, progress: Progress | None = None
) -> bool:
    """Fetch, unpack and check a data set; does nothing where that was done.

    Parameters
    ----------
    archive : Archive
    root : Path
        Folder of all data sets.
    keep_archive : bool
        Whether the archive stays after it was unpacked.
    progress : callable, optional
        Called with (what is done, done, total); what is done names the unit.

    Returns
    -------
    fetched : bool
        False if it was there already.

    Raises
    ------
    DatasetError
        If there is no connection, not enough space, a wrong checksum, a folder
        that cannot be written, or an archive that is not safe to unpack. What
        was fetched of an archive is kept for the next call.
    """
    folder = root / archive.folder
    if (folder / _DONE).is_file():
        return False
    if folder.is_dir():  # unpacked by hand
        _verify(folder, archive, progress)
        return False
    _make_folder(root)
    _check_space(archive, root)
    path = _fetch(archive, root, progress)
    try:
        with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=root) as name:
            unpacked = _unpack(path, Path(name) / "content", archive, progress)
            _verify(unpacked, archive, progress)
            (unpacked / _DONE).write_text(f"{archive.file} {archive.known_hash or ''}\n", "utf-8")
            unpacked.rename(folder)
        if not keep_archive:
            path.unlink()
    except OSError as error:
        raise DatasetError(
            f"{archive.name} cannot be put into {folder} ({error.strerror}); make room for it or "
            f"name another folder than {root}. The archive is kept."
        ) from error
    return True


def _make_folder(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(
            f"The folder {root} cannot be made ({error.strerror}); name another."
        ) from error


def _check_space(archive: Archive, root: Path) -> None:
    there = sum(path.stat().st_size for path in root.glob(f"{archive.file}*")) / _GIB
    needed = max(0.0, archive.size_gib - there) + archive.unpacked_gib
    free = shutil.disk_usage(root).free / _GIB
    if free < needed:
        raise DatasetError(
            f"{archive.name} needs about {needed:.1f} GiB in {root}, archive and files together; "
            f"{free:.1f} GiB are free. Make room or name another folder."
        )


def _fetch(archive: Archive, root: Path, progress: Progress | None) -> Path:
    """Return the archive, fetched from the first address that gives it."""
    pooch.get_logger().setLevel("WARNING")
    problems = []
    for url in archive.urls:
        downloader = ResumingDownloader(
            root / f"{archive.file}.part",
            max_bytes=int(2 * archive.size_gib * _GIB),
            auth=_kaggle_token() if archive.name.endswith("-kaggle") else None,
            progress=_in_megabytes(progress, archive.file),
        )
        try:
            return Path(
                pooch.retrieve(
                    url, archive.known_hash, fname=archive.file, path=root, downloader=downloader
                )
            )
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else "an error"
            problems.append(f"{urlsplit(url).hostname} answers {status}")
        except requests.RequestException:
            problems.append(f"{urlsplit(url).hostname} cannot be reached")
        except OSError as error:
            raise DatasetError(
                f"{archive.file} cannot be written to {root} ({error.strerror}); make room or name "
                "another folder. What was fetched is kept."
            ) from error
        except ValueError as error:
            raise DatasetError(
                f"{archive.file} from {urlsplit(url).hostname} does not match the published "
                "checksum and was deleted; try again, and report it if it happens twice."
            ) from error
    raise DatasetError(
        f"{archive.file} could not be fetched: {', '.join(problems)}. Check the connection and "
        "try again; what was fetched is kept."
    )


def _kaggle_token() -> tuple[str, str]:
    """User name and key, from the variables or the file that Kaggle's own client reads."""
    name, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    if name and key:
        return name, key
    folder = os.environ.get("KAGGLE_CONFIG_DIR")
    path = (Path(folder) if folder else Path.home() / ".kaggle") / "kaggle.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return values["username"], values["key"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"Kaggle wants a token: make one in your Kaggle account and save it as {path}, or set "
            "KAGGLE_USERNAME and KAGGLE_KEY."
        ) from error


def _unpack(path: Path, place: Path, archive: Archive, progress: Progress | None) -> Path:
    """Unpack into ``place`` and return the folder that is to become the data set's."""
    total = int(archive.unpacked_gib * _GIB)
    show = _in_megabytes(progress, "Unpacking")
    unpack(
        path,
        place,
        limits=UnpackLimits(max_bytes=int(1.5 * total)),
        progress=lambda n: show(n, max(n, total)),
    )
    inner = place / archive.folder
    return inner if inner.is_dir() else place


def _verify(folder: Path, archive: Archive, progress: Progress | None) -> None:
    if archive.folder == "gtzan":
        find_gtzan_audio(folder)
        return
    n_files = verify_checksums(
        folder,
        progress=(lambda done, total: progress("Checking files", done, total))
        if progress
        else None,
    )
    if not n_files:
        raise DatasetError(
            f"{archive.name} has no list of checksums in its folder, so it is not whole; delete "
            f"{archive.folder} and fetch it again."
        )


def _in_megabytes(progress: Progress | None, what: str) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        if progress:
            progress(f"{what} (MB)", done // 10**6, total // 10**6)

    return show

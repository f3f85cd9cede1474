"""Sounds that are not music, to learn what must not be named."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from songnet.datasets.base import Dataset, Track, file_sha256
from songnet.exceptions import DatasetError
from songnet.signal.degrade import SOUNDS_VARIABLE

__all__ = ["find_sounds", "load_sounds"]

_KINDS = ("speech", "environment")


def find_sounds(root: Path | None = None) -> Path:
    """Return the folder of the sounds.

    Parameters
    ----------
    root : Path, optional
        Without it the environment variable SONGNET_SOUNDS.

    Raises
    ------
    DatasetError
        If neither names a folder with a manifest.csv.
    """
    named = root or Path(os.environ.get(SOUNDS_VARIABLE, ""))
    if not (named / "manifest.csv").is_file():
        raise DatasetError(
            f"There are no sounds in {str(named)!r}; name a folder with a manifest.csv "
            f"(file, kind, label, source, licence), or set {SOUNDS_VARIABLE}."
        )
    return named


def load_sounds(root: Path | None = None) -> Dataset:
    """Read speech and environmental sounds.

    Parameters
    ----------
    root : Path, optional
        See `find_sounds`.

    Returns
    -------
    dataset : Dataset
        ``genre`` is the kind, "speech" or "environment"; ``title`` the label,
        such as "rain"; ``group`` the recording that a clip was cut from.

    Raises
    ------
    DatasetError
        If there are none, or the manifest lacks a column.
    """
    folder = find_sounds(root)
    tracks = []
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"file", "kind", "label"} - set(reader.fieldnames or ())
        if missing:
            raise DatasetError(f"{file.name} has no column {sorted(missing)}.")
        tracks = [_to_track(folder, row) for row in reader if row["kind"] in _KINDS]
    return Dataset(name="sounds", tracks=tuple(tracks), licence="see the manifest, per file")


def _to_track(folder: Path, row: dict[str, str]) -> Track:
    path = folder / row["file"]
    if not path.is_file():
        raise DatasetError(f"{path} is in the manifest and missing; fetch the sounds again.")
    return Track(
        track_id=row["file"],
        path=path,
        genre=row["kind"],
        group=_recording(path.stem, row["kind"]),
        title=row["label"],
        source=row.get("source", ""),
        licence=row.get("licence", ""),
        sha256=file_sha256(path),
    )


def _recording(stem: str, kind: str) -> str:
    """Of ESC-10, ``fold-recording-take``: takes of a recording stay together."""
    parts = stem.split("-")
    return f"{kind}-{parts[1] if len(parts) == 3 else stem}"

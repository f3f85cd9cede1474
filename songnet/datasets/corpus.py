"""The corpus: a folder with ``manifest.csv`` and artist-disjoint folds."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from songnet.datasets.base import Dataset, Track
from songnet.exceptions import DatasetError

__all__ = ["CORPUS_VARIABLE", "find_corpus", "load_corpus", "load_originals"]

CORPUS_VARIABLE = "SONGNET_CORPUS"


def find_corpus(root: Path | None = None) -> Path:
    """Return the folder of the corpus.

    Parameters
    ----------
    root : Path, optional
        The folder; without it the environment variable SONGNET_CORPUS.

    Raises
    ------
    DatasetError
        If neither is given, or the folder has no ``manifest.csv``.
    """
    named = root or (Path(os.environ[CORPUS_VARIABLE]) if os.environ.get(CORPUS_VARIABLE) else None)
    if named is None:
        raise DatasetError(
            f"No corpus folder is given; pass one or set the variable {CORPUS_VARIABLE}."
        )
    if not (named / "manifest.csv").is_file():
        raise DatasetError(f"{named} has no manifest.csv; expected the folder of the corpus.")
    return named


def load_corpus(root: Path | None = None) -> Dataset:
    """Load the corpus with its folds.

    Parameters
    ----------
    root : Path, optional
        See `find_corpus`.

    Returns
    -------
    dataset : Dataset
        Clips (``evaluate=True``) and excerpts, in the order of the manifest.
    """
    folder = find_corpus(root)
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        tracks = tuple(_read_row(row, folder) for row in csv.DictReader(file))
    return Dataset(
        "corpus",
        tracks,
        citation="GTZAN, Emotify, 4Q audio emotion data set and FMA; see the source of each track.",
        licence="research use only; licence of each track in its row",
    )


def load_originals(root: Path | None = None) -> Dataset:
    """Load the clips that the corpus also holds in their own codec.

    Parameters
    ----------
    root : Path, optional
        See `find_corpus`.

    Returns
    -------
    dataset : Dataset
        Tracks with the ids, genres and folds of their Opus twins.
    """
    folder = find_corpus(root)
    twins = {track.track_id: track for track in load_corpus(folder)}
    with (folder / "originals.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    tracks = []
    for row in rows:
        twin = twins[row["clip_id"]]
        values = {**vars(twin), "path": folder / row["file"], "sha256": ""}
        tracks.append(Track(**values))
    return Dataset("corpus-originals", tuple(tracks))


def _read_row(row: dict[str, str], folder: Path) -> Track:
    try:
        return Track(
            track_id=row["clip_id"],
            path=folder / row["file"],
            genre=row["genre"],
            group=row["group"],
            fold=int(row["fold"]),
            evaluate=row["evaluate"] == "1",
            artist=row["artist"],
            album=row["album"],
            title=row["title"],
            year=int(row["year"]) if row["year"] else None,
            licence=row["licence"],
            source=row["source"],
            sha256=row["sha256"],
            duration_seconds=float(row["seconds"]),
        )
    except (KeyError, ValueError) as error:
        raise DatasetError(
            f"manifest.csv has a row that cannot be read ({error!r}): {dict(row)}."
        ) from error

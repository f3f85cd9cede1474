"""One table for every collection: who made a track, where it is, which genre it has.

An index is a Parquet file with the columns of `SCHEMA`, a row a track, and
the name, root, citation and licence of the collection in its metadata. Paths
are relative to the root, so a collection can be moved with its index.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from songnet.datasets.base import Dataset, Track
from songnet.exceptions import DatasetError

__all__ = [
    "SCHEMA",
    "CollectionIndex",
    "IndexFilter",
    "has_its_files",
    "read_index",
    "write_index",
]

SCHEMA = pa.schema(
    [
        ("track_id", pa.string()),
        ("path", pa.string()),  # relative to the root; empty where the audio is not there
        ("genre", pa.string()),
        ("artist", pa.string()),
        ("album", pa.string()),
        ("title", pa.string()),
        ("year", pa.int16()),
        ("licence", pa.string()),
        ("duration_seconds", pa.float32()),
        ("split", pa.string()),
        ("fold", pa.int16()),
        ("source", pa.string()),
        ("group", pa.string()),
        ("evaluate", pa.bool_()),
        ("sha1", pa.string()),
        ("sha256", pa.string()),
    ]
)
_SCHEMA_VERSION = "1"
_NULLABLE = {pa.int16(): pd.Int16Dtype()}


@dataclass(frozen=True)
class IndexFilter:
    """What a person is looking for; an empty field accepts everything.

    Parameters
    ----------
    genres, artists, licences, splits, folds : sequence
        Accepted values.
    years : tuple of int, optional
        First and last year. Tracks of unknown year are then left out.
    text : str
        Words that all occur in title, artist or album, whatever their case.
    """

    genres: Sequence[str] = ()
    artists: Sequence[str] = ()
    licences: Sequence[str] = ()
    splits: Sequence[str] = ()
    folds: Sequence[int] = ()
    years: tuple[int, int] | None = None
    text: str = ""


@dataclass(frozen=True)
class CollectionIndex:
    """The tracks of a collection as a table.

    Parameters
    ----------
    name : str
    root : Path
        Folder that paths are relative to.
    frame : pandas.DataFrame
        Columns of `SCHEMA`, index 0 to n-1. Unknown text is "", an unknown
        year or fold ``pd.NA``, an unknown duration NaN.
    citation, licence : str
    skipped : dict of str to str
        Id and reason of each track that is left out.
    fingerprint : str
        Changes with the files that it was made from; empty where not kept.
    file : Path
        Where the table is kept.
    """

    name: str
    root: Path
    frame: pd.DataFrame
    citation: str = ""
    licence: str = ""
    skipped: dict[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    file: Path = Path()

    def __len__(self) -> int:
        return len(self.frame)

    def select(self, wanted: IndexFilter) -> pd.DataFrame:
        """Return the rows that a filter accepts, with their row numbers as index."""
        frame = self.frame
        keep = pd.Series(data=True, index=frame.index)
        for column, values in (
            ("genre", wanted.genres),
            ("artist", wanted.artists),
            ("licence", wanted.licences),
            ("split", wanted.splits),
            ("fold", wanted.folds),
        ):
            if values:
                keep &= frame[column].isin(list(values))
        if wanted.years:
            keep &= frame["year"].between(*wanted.years).fillna(value=False).astype(bool)
        for word in wanted.text.split():
            keep &= _holds(frame, word)
        return frame[keep]

    def path_of(self, row: int) -> Path | None:
        """Return the audio file of a row number; None where it is not there.

        Raises
        ------
        DatasetError
            If the path leaves the folder of the collection.
        """
        relative = str(self.frame["path"].iat[row])
        return _inside(self.root, relative) if relative else None

    def to_dataset(self) -> Dataset:
        """Return the tracks that have audio and a genre, ready to learn from."""
        usable = self.frame[(self.frame["path"] != "") & (self.frame["genre"] != "")]
        tracks = (self._track(row) for row in usable.to_dict("records"))
        return Dataset(
            self.name,
            tuple(tracks),
            citation=self.citation,
            licence=self.licence,
            skipped=self.skipped,
        )

    def _track(self, row: dict[str, Any]) -> Track:
        known: dict[str, Any] = {k: None if pd.isna(v) else v for k, v in row.items()}
        known["path"] = _inside(self.root, row["path"])
        return Track(**known)


def write_index(dataset: Dataset, path: Path, *, root: Path, fingerprint: str = "") -> None:
    """Write the tracks of a data set as an index, all of it or nothing.

    Parameters
    ----------
    dataset : Dataset
    path : Path
        Parquet file to write.
    root : Path
        Folder of the collection. A track outside of it, or without a file, is
        listed without a path.
    fingerprint : str
        See `CollectionIndex`.
    """
    root = root.resolve()
    rows, skipped = [], dict(dataset.skipped)
    for track in dataset:
        if _is_utf8(track.track_id) and _is_utf8(str(track.path)):
            rows.append(_row(track, root))
        else:
            name = track.track_id.encode("utf-8", "backslashreplace").decode()
            skipped[name] = "its name is not UTF-8; rename it"
    metadata = {
        "songnet_index": _SCHEMA_VERSION,
        "name": dataset.name,
        "root": str(root),
        "citation": dataset.citation,
        "licence": dataset.licence,
        "skipped": json.dumps(skipped),
        "fingerprint": fingerprint,
    }
    table = pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata(metadata))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        pq.write_table(table, part, compression="zstd")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_index(path: Path, *, root: Path | None = None) -> CollectionIndex:
    """Read what `write_index` wrote.

    Parameters
    ----------
    path : Path
    root : Path, optional
        Where the collection is now, if it was moved.

    Returns
    -------
    index : CollectionIndex

    Raises
    ------
    DatasetError
        If the file is missing, damaged, or no index of this version.
    """
    try:
        table = pq.read_table(path)
        metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{path} cannot be read as an index ({error}); write it with `songnet data index`."
        ) from error
    is_ours = metadata.get("songnet_index") == _SCHEMA_VERSION
    if not is_ours or not table.schema.equals(SCHEMA, check_metadata=False):
        raise DatasetError(
            f"{path} is not an index of this version; write it again with `songnet data index`."
        )
    return CollectionIndex(
        name=metadata["name"],
        root=root or Path(metadata["root"]),
        frame=table.to_pandas(types_mapper=_NULLABLE.get),
        citation=metadata["citation"],
        licence=metadata["licence"],
        skipped=json.loads(metadata["skipped"]),
        fingerprint=metadata["fingerprint"],
        file=path,
    )


def has_its_files(path: Path) -> bool:
    """Whether the folder that an index is of is still there; its rows are not read."""
    try:
        root = (pq.read_schema(path).metadata or {})[b"root"].decode()
    except (OSError, KeyError, pa.ArrowException, UnicodeDecodeError):
        return False
    return Path(root).is_dir()


def _row(track: Track, root: Path) -> dict[str, Any]:
    row = {name: getattr(track, name) for name in SCHEMA.names if name != "path"}
    path = track.path.resolve() if track.path.name else root
    inside = path != root and path.is_relative_to(root)
    return row | {"path": path.relative_to(root).as_posix() if inside else ""}


def _is_utf8(text: str) -> bool:
    """Names of files may hold bytes that are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _inside(root: Path, relative: str) -> Path:
    parts = PurePosixPath(relative)
    if parts.is_absolute() or ".." in parts.parts:
        raise DatasetError(
            f"The index names the file {relative!r}, outside of the collection in {root}; "
            "write it again with `songnet data index`."
        )
    return root.joinpath(*parts.parts)


def _holds(frame: pd.DataFrame, word: str) -> pd.Series:
    """Whether title, artist or album of each row holds a word."""
    found = pd.Series(data=False, index=frame.index)
    for column in ("title", "artist", "album"):
        text = pa.array(frame[column], pa.string())
        match = pc.match_substring(text, word, ignore_case=True)
        found |= match.to_numpy(zero_copy_only=False)
    return found

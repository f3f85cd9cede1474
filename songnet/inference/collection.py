"""A collection that was listened to: its index, what the model said, embeddings, a map.

It is one Parquet file, a row a track: the columns of
`songnet.datasets.index.SCHEMA`, then those of `RESULTS`, the probabilities and
the embedding, each the bytes of 16-bit floats in little-endian order: as lists
of numbers 100,000 of them took ten times as long to read. It never holds audio.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from songnet.datasets.index import SCHEMA, CollectionIndex
from songnet.exceptions import DatasetError
from songnet.inference.embedding import EmbeddingSpace

__all__ = [
    "NO_AUDIO",
    "RESULTS",
    "Basis",
    "Collection",
    "not_heard_collection",
    "read_collection",
    "read_root",
    "write_collection",
]

NO_AUDIO = "Its audio is not on this machine, or only behind a link out of the collection's folder."
Basis = Literal["out-of-fold", "heard", "new", ""]
RESULTS = pa.schema(
    [
        ("status", pa.string()),  # of the prediction; without one "rejected", "error", "missing"
        ("error", pa.string()),
        ("predicted", pa.string()),  # most probable genre; empty where there is no prediction
        ("confidence", pa.float32()),
        ("basis", pa.string()),
        ("x", pa.float32()),  # place on the map
        ("y", pa.float32()),
        ("nearest", pa.int32()),  # row of the nearest other track; -1 where there is none
        ("similarity", pa.float32()),  # cosine to it
    ]
)
_VERSION = "2"
_NULLABLE = {pa.int16(): pd.Int16Dtype()}


@dataclass(frozen=True, eq=False)
class Collection:
    """The tracks of a collection and what the model said about each.

    Parameters
    ----------
    index : CollectionIndex
        Its frame has the columns of `RESULTS` as well. ``basis`` says what a
        prediction is worth: "out-of-fold" by a network that never heard the
        artist, "heard" where the model learned from this collection, "new"
        where it learned from another, which may share tracks with it; empty
        where there is no prediction.
    genres : tuple of str
        Of the model, in the order of ``probs``.
    probs : np.ndarray [shape=(n_tracks, n_genres), dtype=float16]
        Rows of zeros where there is no prediction.
    embeddings : np.ndarray [shape=(n_tracks, n_channels), dtype=float16]
        Rows of zeros where there is no prediction.
    facts : dict
        ``model``, ``model_version``, ``model_sha256``, ``map_method``,
        ``model_data_hash``, ``versions`` and ``commit``: where it comes from.
    """

    index: CollectionIndex
    genres: tuple[str, ...]
    probs: npt.NDArray[np.float16]
    embeddings: npt.NDArray[np.float16]
    facts: dict[str, Any]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def frame(self) -> pd.DataFrame:
        """A row a track, index 0 to n-1."""
        return self.index.frame

    @cached_property
    def predicted_rows(self) -> npt.NDArray[np.int64]:
        """Rows that have a prediction, and so an embedding."""
        return np.flatnonzero(self.frame["predicted"].to_numpy(dtype=object) != "")

    @cached_property
    def space(self) -> EmbeddingSpace:
        """Embeddings of `predicted_rows`, ready to compare."""
        return EmbeddingSpace.of(self.embeddings[self.predicted_rows])

    def neighbours(
        self, embedding: npt.NDArray[np.floating], *, k: int, sha256: str = ""
    ) -> pd.DataFrame:
        """Find the tracks nearest to an embedding.

        Parameters
        ----------
        embedding : np.ndarray [shape=(n_channels,)]
            Of the same model.
        k : int
        sha256 : str
            A track with this checksum is the same file, and left out.

        Returns
        -------
        frame : pandas.DataFrame
            Rows of `frame`, nearest first, with the cosine as ``similarity``.
        """
        n_same = int((self.frame["sha256"] == sha256).sum()) if sha256 else 0
        rows, similarity = self.space.nearest(embedding, k=k + n_same)
        found = self.frame.iloc[self.predicted_rows[rows]].assign(similarity=similarity)
        if sha256:
            found = found[found["sha256"] != sha256]
        return found.head(k)

    def near_duplicates(self, *, at_least: float) -> pd.DataFrame:
        """List tracks that are almost the same to the model as their nearest.

        Parameters
        ----------
        at_least : float
            Smallest cosine.

        Returns
        -------
        pairs : pandas.DataFrame
            ``first``, ``second`` (row numbers, the smaller first) and
            ``similarity``, most alike first; each pair once.
        """
        frame = self.frame[(self.frame["similarity"] >= at_least) & (self.frame["nearest"] >= 0)]
        one, other = frame.index.to_numpy(), frame["nearest"].to_numpy()
        pairs = pd.DataFrame(
            {
                "first": np.minimum(one, other),
                "second": np.maximum(one, other),
                "similarity": frame["similarity"].to_numpy(),
            }
        )
        pairs = pairs.drop_duplicates(["first", "second"])
        return pairs.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def not_heard_collection(index: CollectionIndex, *, genres: tuple[str, ...]) -> Collection:
    """Return the collection of an index that no model has listened to.

    Parameters
    ----------
    index : CollectionIndex
    genres : tuple of str
        Of the model that would listen.

    Returns
    -------
    collection : Collection
        Without predictions, embeddings and places on a map.
    """
    n_tracks = len(index)
    nothing = np.full(n_tracks, np.nan, np.float32)
    frame = index.frame.assign(
        **dict.fromkeys(("status", "error", "predicted", "basis"), ""),
        **dict.fromkeys(("confidence", "x", "y", "similarity"), nothing),
        nearest=np.full(n_tracks, -1, np.int32),
    )
    return Collection(
        replace(index, frame=frame),
        genres,
        np.zeros((n_tracks, len(genres)), np.float16),
        np.zeros((n_tracks, 0), np.float16),
        facts={},
    )


def write_collection(collection: Collection, path: Path, *, with_paths: bool = True) -> None:
    """Write a collection, all of it or nothing.

    Parameters
    ----------
    collection : Collection
    path : Path
        Parquet file to write.
    with_paths : bool
        False for a copy to give away: no path, no folder, and no error, which
        may hold one; tracks that are known by their path are numbered.
    """
    frame = collection.frame if with_paths else _without_paths(collection.frame)
    schema = pa.schema([*SCHEMA, *RESULTS])
    table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    for name, array in (("probs", collection.probs), ("embedding", collection.embeddings)):
        table = table.append_column(name, _to_bytes(array))
    index = collection.index
    metadata = {
        "songnet_collection": _VERSION,
        "name": index.name,
        "root": str(index.root) if with_paths else "",
        "citation": index.citation,
        "licence": index.licence,
        "genres": json.dumps(collection.genres),
        "facts": json.dumps(collection.facts),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            pq.write_table(
                table.replace_schema_metadata(metadata),
                file,
                compression="zstd",
                use_dictionary=[*SCHEMA.names, *RESULTS.names],  # no two embeddings are the same
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _without_paths(frame: pd.DataFrame) -> pd.DataFrame:
    number = pd.Series([f"track-{i}" for i in range(len(frame))], index=frame.index)
    return frame.assign(
        path="",
        error="",
        track_id=frame["track_id"].mask(frame["track_id"] == frame["path"], number),
        group=frame["group"].mask(frame["group"].str.startswith("file:"), number),
    )


def read_root(path: Path) -> Path | None:
    """Folder of the tracks of a collection file; None where it is no collection."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    return Path(os.fsdecode(metadata[b"root"])) if metadata.get(b"root") else None


def read_collection(path: Path) -> Collection:
    """Read what `write_collection` wrote.

    Raises
    ------
    DatasetError
        If the file is missing, damaged, or of another version.
    """
    remedy = "build it again with `songnet collection build`."
    try:
        table = pq.read_table(path)
        metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as a collection ({error}); {remedy}") from error
    expected = {*SCHEMA.names, *RESULTS.names, "probs", "embedding"}
    if metadata.get("songnet_collection") != _VERSION or set(table.column_names) != expected:
        raise DatasetError(f"{path} is not a collection of this version; {remedy}")
    probs, embeddings = (_matrix(table[name]) for name in ("probs", "embedding"))
    frame = table.drop_columns(["probs", "embedding"]).to_pandas(types_mapper=_NULLABLE.get)
    index = CollectionIndex(
        name=metadata["name"],
        root=Path(metadata["root"]),
        frame=frame,
        citation=metadata["citation"],
        licence=metadata["licence"],
    )
    return Collection(
        index,
        tuple(json.loads(metadata["genres"])),
        probs,
        embeddings,
        json.loads(metadata["facts"]),
    )


def _to_bytes(rows: npt.NDArray[np.float16]) -> pa.Array:
    """Return the rows of a matrix as fixed-size binary values."""
    n_rows, width = rows.shape
    data = pa.py_buffer(np.ascontiguousarray(rows, dtype="<f2"))
    return pa.Array.from_buffers(pa.binary(2 * width), n_rows, [None, data])


def _matrix(column: pa.ChunkedArray) -> npt.NDArray[np.float16]:
    width = column.type.byte_width
    parts = [
        np.frombuffer(chunk.buffers()[1], "<f2", len(chunk) * width // 2, chunk.offset * width)
        for chunk in column.chunks
    ]
    return np.concatenate(parts).reshape(-1, width // 2).astype(np.float16, copy=False)

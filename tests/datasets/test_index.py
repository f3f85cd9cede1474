"""The index: what is written is read, filtered and turned back into tracks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from songnet.datasets.base import Dataset, Track
from songnet.datasets.index import (
    SCHEMA,
    CollectionIndex,
    IndexFilter,
    read_index,
    write_index,
)
from songnet.exceptions import DatasetError


def make_tracks(root: Path) -> tuple[Track, ...]:
    common = {"group": "artist:1", "source": "test", "sha1": "a" * 40, "sha256": "b" * 64}
    return (
        Track(
            track_id="1",
            path=root / "jazz" / "so what.mp3",
            genre="Jazz",
            artist="Miles Davis",
            album="Kind of Blue",
            title="So What",
            year=1959,
            licence="none stated",
            duration_seconds=30.5,
            split="train",
            fold=2,
            **common,
        ),
        Track(
            track_id="2",
            path=root / "rock" / "ü.mp3",
            genre="Rock",
            artist="Björk (feat. [x])",
            title="Jóga",
            year=1997,
            split="test",
            evaluate=False,
            **common,
        ),
        Track(track_id="3", path=Path(), genre="Rock", title="No file, no year", **common),
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(
        "small", make_tracks(tmp_path), citation="c", licence="l", skipped={"9": "too short"}
    )


@pytest.fixture
def index(dataset: Dataset, tmp_path: Path) -> CollectionIndex:
    write_index(dataset, tmp_path / "index.parquet", root=tmp_path)
    return read_index(tmp_path / "index.parquet")


def ids(frame: pd.DataFrame) -> str:
    return "".join(frame["track_id"])


def test_what_is_written_is_read(index: CollectionIndex, dataset: Dataset, tmp_path: Path) -> None:
    assert (index.name, index.root, len(index)) == ("small", tmp_path, 3)
    assert list(index.frame.columns) == SCHEMA.names
    assert index.to_dataset() == dataset.with_tracks(dataset.tracks[:2])
    assert list(index.frame["path"]) == ["jazz/so what.mp3", "rock/ü.mp3", ""]
    assert index.frame["year"].isna().tolist() == [False, False, True]
    assert index.path_of(1) == tmp_path / "rock" / "ü.mp3"
    assert index.path_of(2) is None


def test_a_collection_moves_with_its_index(index: CollectionIndex, tmp_path: Path) -> None:
    moved = read_index(tmp_path / "index.parquet", root=tmp_path / "elsewhere")
    assert moved.path_of(0) == tmp_path / "elsewhere" / "jazz" / "so what.mp3"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (IndexFilter(), "123"),
        (IndexFilter(genres=["Rock"]), "23"),
        (IndexFilter(genres=["Rock", "Jazz"], splits=["test"]), "2"),
        (IndexFilter(artists=["Miles Davis"]), "1"),
        (IndexFilter(licences=["none stated"]), "1"),
        (IndexFilter(folds=[2, 3]), "1"),
        (IndexFilter(years=(1959, 1996)), "1"),
        (IndexFilter(years=(1900, 2100)), "12"),
        (IndexFilter(text="BJÖRK jóga"), "2"),
        (IndexFilter(text="(feat. [x])"), "2"),
        (IndexFilter(text="blue what"), "1"),
        (IndexFilter(text="%"), ""),
        (IndexFilter(genres=["Polka"]), ""),
    ],
)
def test_filters(index: CollectionIndex, wanted: IndexFilter, expected: str) -> None:
    assert ids(index.select(wanted)) == expected


def test_rows_keep_their_numbers(index: CollectionIndex) -> None:
    assert index.select(IndexFilter(genres=["Rock"])).index.tolist() == [1, 2]


@pytest.mark.parametrize("path", ["../secret.mp3", "/etc/passwd", "a/../../b"])
def test_a_path_that_leaves_the_collection_is_refused(index: CollectionIndex, path: str) -> None:
    frame = index.frame.copy()
    frame.loc[0, "path"] = path
    hostile = replace(index, frame=frame)
    with pytest.raises(DatasetError, match="outside of the collection"):
        hostile.path_of(0)
    with pytest.raises(DatasetError, match="outside of the collection"):
        hostile.to_dataset()


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with pytest.raises(DatasetError, match="cannot be read as an index"):
        read_index(path)
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(DatasetError, match="cannot be read as an index"):
        read_index(path)
    pq.write_table(pa.table({"track_id": ["1"]}), path)
    with pytest.raises(DatasetError, match="not an index of this version"):
        read_index(path)
    pq.write_table(pa.table({"a": [1]}, metadata={"songnet_index": "1"}), path)
    with pytest.raises(DatasetError, match="not an index of this version"):
        read_index(path)


def test_writing_leaves_no_parts(index: CollectionIndex, tmp_path: Path) -> None:
    assert [path.name for path in tmp_path.iterdir()] == ["index.parquet"]

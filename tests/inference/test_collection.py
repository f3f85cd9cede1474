from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from songnet.datasets.index import IndexFilter
from songnet.exceptions import DatasetError
from songnet.inference.bundle import Bundle, find_bundle
from songnet.inference.collection import Collection, read_collection, write_collection
from songnet.inference.collection_listen import model_digest
from songnet.inference.label_check import confident_mistakes, likely_label_errors
from tests.inference.collections_stub import generated_collection

N_TRACKS = 120


@pytest.fixture(scope="module")
def collection() -> Collection:
    return generated_collection(N_TRACKS)


def test_written_and_read_again(collection: Collection, tmp_path: Path) -> None:
    write_collection(collection, tmp_path / "c.parquet")
    again = read_collection(tmp_path / "c.parquet")
    np.testing.assert_array_equal(again.probs, collection.probs)
    np.testing.assert_array_equal(again.embeddings, collection.embeddings)
    assert again.genres == collection.genres
    assert again.facts == collection.facts
    assert again.frame["title"].tolist() == collection.frame["title"].tolist()
    assert again.index.select(IndexFilter(years=(1960, 1965)))["year"].max() <= 1965


def test_a_shared_copy_names_no_place(tmp_path: Path) -> None:
    mine = generated_collection(12, root=Path("/home/me/secret"))
    mine.frame["path"] = mine.frame["track_id"] = [f"private/{i}.wav" for i in range(12)]
    mine.frame["group"] = "file:" + mine.frame["path"]
    mine.frame["error"] = "/home/me/secret/private/1.wav is missing"
    write_collection(mine, tmp_path / "c.parquet", with_paths=False)
    content = (tmp_path / "c.parquet").read_bytes()
    assert b"secret" not in content
    assert b"private" not in content
    shared = read_collection(tmp_path / "c.parquet").frame
    assert set(shared["path"]) == {""}
    assert shared["track_id"].is_unique
    assert shared["group"].is_unique


def test_what_is_no_collection_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.parquet").write_bytes(b"PAR1 or not")
    with pytest.raises(DatasetError, match="collection build"):
        read_collection(tmp_path / "c.parquet")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_collection(tmp_path / "missing.parquet")


def test_neighbours_leave_out_the_same_file_and_the_failed(collection: Collection) -> None:
    near = collection.neighbours(collection.embeddings[7], k=5, sha256=f"{7:064x}")
    assert len(near) == 5
    assert 7 not in near.index
    assert N_TRACKS - 1 not in near.index
    assert near["similarity"].is_monotonic_decreasing
    assert collection.neighbours(collection.embeddings[7], k=5).index[0] == 7
    frame = collection.frame.assign(sha256="0" * 64)
    frame.loc[10:, "sha256"] = "1" * 64
    copies = replace(collection, index=replace(collection.index, frame=frame))
    assert len(copies.neighbours(copies.embeddings[7], k=5, sha256="0" * 64)) == 5


def test_near_duplicates_are_pairs_once(collection: Collection) -> None:
    frame = collection.frame.assign(nearest=-1, similarity=0.0)
    frame.loc[[3, 9, 20], "nearest"] = [9, 3, 21]
    frame.loc[[3, 9, 20], "similarity"] = [0.99, 0.99, 0.97]
    made = replace(collection, index=replace(collection.index, frame=frame))
    assert made.near_duplicates(at_least=0.95)[["first", "second"]].to_numpy().tolist() == [
        [3, 9],
        [20, 21],
    ]
    assert len(made.near_duplicates(at_least=0.98)) == 1


def test_mistakes_are_the_wrong_labels_most_confident_first(collection: Collection) -> None:
    found = confident_mistakes(collection)
    assert sorted(found.index) == list(range(0, N_TRACKS, 10))
    assert found["confidence"].is_monotonic_decreasing


def test_who_is_not_sure_makes_no_mistake(collection: Collection) -> None:
    status = collection.frame["status"].mask(collection.frame.index == 10, "not_sure")
    frame = collection.frame.assign(status=status)
    other = replace(collection, index=replace(collection.index, frame=frame))
    assert set(confident_mistakes(collection).index) - set(confident_mistakes(other).index) == {10}


def test_label_errors_suggest_the_true_genre(collection: Collection) -> None:
    found = likely_label_errors(collection)
    wrong = set(range(0, N_TRACKS, 10))
    assert set(found.index) <= wrong
    assert len(found) >= len(wrong) // 3
    assert (found["suggested"] == found["predicted"]).all()
    assert found["margin"].is_monotonic_decreasing


def test_labels_that_the_model_does_not_know_are_no_mistakes(collection: Collection) -> None:
    frame = collection.frame.assign(genre="Experimental")
    other = replace(collection, index=replace(collection.index, frame=frame))
    assert confident_mistakes(other).empty
    assert likely_label_errors(other).empty


def test_case_of_a_label_does_not_matter(collection: Collection) -> None:
    frame = collection.frame.assign(genre=collection.frame["genre"].str.upper())
    other = replace(collection, index=replace(collection.index, frame=frame))
    assert len(confident_mistakes(other)) == len(confident_mistakes(collection))


def test_shipped_neighbours_belong_to_the_shipped_network() -> None:
    path = find_bundle() / "neighbours.parquet"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    bundle, shipped = Bundle.load(find_bundle()), read_collection(path)
    assert shipped.facts["model_sha256"] == model_digest(bundle), "build it again with this model"
    assert shipped.facts["model_data_hash"] == bundle.training["data_hash"]
    assert shipped.genres == bundle.genres
    assert set(shipped.frame["path"]) == {""}
    assert str(shipped.index.root) == "."
    scored = shipped.frame[shipped.frame["evaluate"]]
    assert set(scored["basis"]) == {"out-of-fold"}
    sure = shipped.frame["confidence"] >= bundle.not_sure_below
    assert set(shipped.frame["status"][sure]) <= {"ok", "not_sure", "not_music"}
    assert set(shipped.frame["status"][~sure]) <= {"not_sure", "not_music"}
    assert path.stat().st_size < 1_000_000

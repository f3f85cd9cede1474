from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from songnet.datasets.index import IndexFilter
from songnet.evaluation.out_of_fold import FoldPredictions
from songnet.exceptions import BundleError, DatasetError
from songnet.inference import collection_build
from songnet.inference.bundle import Bundle, find_bundle
from songnet.inference.collection import Collection, read_collection, write_collection
from songnet.inference.collection_build import (
    COLLECTION_FILE,
    build_collection,
    model_digest,
    read_out_of_fold,
)
from songnet.inference.label_check import confident_mistakes, likely_label_errors
from songnet.inference.music_folder import index_music
from tests.app.stub import GENRES, clip, stub_classifier
from tests.inference.collections_stub import embedding_classifier, generated_collection

N_TRACKS = 120


@pytest.fixture(scope="module")
def collection() -> Collection:
    return generated_collection(N_TRACKS)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Three songs at any depth, two of them the same sound, and a file that is none."""
    folder = tmp_path / "music"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.wav").write_bytes(clip(2))
    (folder / "deep" / "b.flac").write_bytes(clip(2, kind="FLAC"))
    (folder / "deep" / "er" / "c.wav").write_bytes(clip(2, hz=1500))
    (folder / "broken.mp3").write_bytes(b"no audio at all")
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))


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


def test_build_reports_a_bad_file_and_goes_on(music: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    made = build_collection(
        index_music(music),
        embedding_classifier(),
        tmp_path / "made",
        progress=lambda _done, _total, note: notes.append(note),
    )
    by_id = made.frame.set_index("track_id")
    assert by_id.at["broken.mp3", "status"] == "error"
    assert by_id.at["broken.mp3", "error"]
    assert [note for note in notes if note] == [f"broken.mp3: {by_id.at['broken.mp3', 'error']}"]
    assert by_id.at["a.wav", "predicted"] in GENRES
    assert by_id.at["a.wav", "duration_seconds"] == pytest.approx(2, abs=0.01)
    twin = made.frame.loc[by_id.at["a.wav", "nearest"], "track_id"]
    assert twin == "deep/b.flac"
    assert read_collection(tmp_path / "made" / COLLECTION_FILE).index.root == music.resolve()


def test_the_prediction_is_that_of_the_classifier(music: Path, tmp_path: Path) -> None:
    classifier = embedding_classifier()
    made = build_collection(index_music(music), classifier, tmp_path / "made")
    row = made.frame.index[made.frame["track_id"] == "a.wav"][0]
    expected = classifier.predict(music / "a.wav")
    np.testing.assert_allclose(made.probs[row], expected.probs, atol=1e-3)
    assert expected.embedding is not None
    np.testing.assert_allclose(made.embeddings[row], expected.embedding, rtol=1e-3)


def test_an_interrupted_build_goes_on(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    listen = collection_build._listen_to

    def count(task: collection_build._Task, classifier: object) -> collection_build.Row:
        if len(heard) == 2:
            raise KeyboardInterrupt
        heard.append(task.track_id)
        return listen(task, classifier)  # type: ignore[arg-type]

    monkeypatch.setattr(collection_build, "_listen_to", count)
    index, classifier = index_music(music), embedding_classifier()
    with pytest.raises(KeyboardInterrupt):
        build_collection(index, classifier, tmp_path / "made")
    assert not (tmp_path / "made" / COLLECTION_FILE).exists()
    first, heard[:] = list(heard), []
    monkeypatch.setattr(
        collection_build, "_listen_to", lambda t, c: heard.append(t.track_id) or listen(t, c)
    )
    build_collection(index, classifier, tmp_path / "made")
    assert "a.wav" in first
    assert "a.wav" not in heard
    assert "broken.mp3" in heard  # what failed is tried again
    heard.clear()
    (music / "a.wav").write_bytes(clip(2, hz=500))
    build_collection(index_music(music), classifier, tmp_path / "made")
    assert sorted(heard) == ["a.wav", "broken.mp3"]


def test_another_model_listens_again(music: Path, tmp_path: Path) -> None:
    index = index_music(music)
    build_collection(index, embedding_classifier(), tmp_path / "made")
    made = build_collection(index, embedding_classifier("1" * 64), tmp_path / "made")
    assert made.facts["model_sha256"] == "1" * 64
    assert len(list((tmp_path / "made").glob("parts-*"))) == 1


def test_predictions_out_of_fold_replace_those_of_the_model(music: Path, tmp_path: Path) -> None:
    probs = np.eye(len(GENRES))[3]
    made = build_collection(
        index_music(music),
        embedding_classifier(),
        tmp_path / "made",
        out_of_fold={"a.wav": probs},
    )
    by_id = made.frame.set_index("track_id")
    assert by_id.at["a.wav", "basis"] == "out-of-fold"
    assert by_id.at["a.wav", "predicted"] == GENRES[3]
    assert by_id.at["deep/b.flac", "basis"] == "new"
    assert by_id.at["broken.mp3", "basis"] == ""


def test_a_model_without_embeddings_is_refused(music: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="export it again"):
        build_collection(index_music(music), stub_classifier_with_file(), tmp_path / "made")


def stub_classifier_with_file():  # type: ignore[no-untyped-def]
    classifier = stub_classifier(0.0)
    classifier.bundle.files["model.tflite"] = "2" * 64
    return classifier


def test_nothing_that_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "x.mp3").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="No track of 'bad' could be read"):
        build_collection(index_music(folder), embedding_classifier(), tmp_path / "made")


def test_a_folder_without_music(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no audio"):
        index_music(tmp_path / "empty")
    with pytest.raises(DatasetError, match="not a folder"):
        index_music(tmp_path / "nowhere")


def test_another_folder_of_the_same_name_is_not_written_over(music: Path, tmp_path: Path) -> None:
    build_collection(index_music(music), embedding_classifier(), tmp_path / "made")
    other = shutil.copytree(music, tmp_path / "elsewhere" / music.name)
    with pytest.raises(DatasetError, match="name another folder"):
        build_collection(index_music(other), embedding_classifier(), tmp_path / "made")
    build_collection(index_music(music), embedding_classifier(), tmp_path / "made")


def test_a_name_that_is_not_utf8_costs_its_file_alone(music: Path) -> None:
    shutil.copy(music / "a.wav", os.fsencode(music) + b"/caf\xe9.wav")
    index = index_music(music)
    assert "a.wav" in set(index.frame["track_id"])
    assert {"caf\\udce9.wav": "its name is not UTF-8; rename it"}.items() <= index.skipped.items()


def test_folds_of_other_genres_are_refused(tmp_path: Path) -> None:
    bundle = embedding_classifier().bundle
    logits = {"litert": np.zeros((1, len(bundle.genres)))}
    fold = FoldPredictions(
        fold=0,
        track_ids=np.array(["a"]),
        logits=logits,
        held_out_ids=np.array(["b"]),
        held_out_logits=logits["litert"],
        twin_ids=np.array([], dtype=np.str_),
        twin_logits=np.zeros((0, len(bundle.genres))),
    )
    (tmp_path / "fold-0").mkdir()
    fold.save(tmp_path / "fold-0" / "predictions.npz")
    run = tmp_path / "fold-0" / "run.json"
    run.write_text(json.dumps({"genres": list(bundle.genres)}))
    assert set(read_out_of_fold(tmp_path, bundle)) == {"a"}
    run.write_text(json.dumps({"genres": ["Disco", *bundle.genres[1:]]}))
    with pytest.raises(DatasetError, match="is of the genres Disco"):
        read_out_of_fold(tmp_path, bundle)


def test_folds_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="songnet evaluate"):
        read_out_of_fold(tmp_path, embedding_classifier().bundle)


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
    assert path.stat().st_size < 1_000_000

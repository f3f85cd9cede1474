"""Building a collection: what is heard, what is kept, how it is judged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from songnet.datasets.registry import open_collection
from songnet.evaluation.out_of_fold import FoldPredictions
from songnet.exceptions import BundleError, DatasetError
from songnet.inference import collection_listen
from songnet.inference.classifier import Classifier
from songnet.inference.collection import read_collection
from songnet.inference.collection_build import (
    COLLECTION_FILE,
    build_collection,
    read_out_of_fold,
)
from songnet.inference.collection_listen import Failed, Heard
from songnet.inference.music_folder import index_music
from tests.app.stub import GENRES, clip, stub_classifier
from tests.encoders import encode_soundfile, noise
from tests.inference.collections_stub import embedding_classifier


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
    listen = collection_listen._listen_to

    def count(task: collection_listen._Task, classifier: Classifier) -> Heard | Failed:
        if len(heard) == 2:
            raise KeyboardInterrupt
        heard.append(task.track_id)
        return listen(task, classifier)

    monkeypatch.setattr(collection_listen, "_listen_to", count)
    index, classifier = index_music(music), embedding_classifier()
    with pytest.raises(KeyboardInterrupt):
        build_collection(index, classifier, tmp_path / "made")
    assert not (tmp_path / "made" / COLLECTION_FILE).exists()
    first, heard[:] = list(heard), []
    monkeypatch.setattr(
        collection_listen, "_listen_to", lambda t, c: heard.append(t.track_id) or listen(t, c)
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


@pytest.mark.parametrize(("sure", "expected"), [(0.9, "ok"), (0.4, "not_sure")])
def test_predictions_out_of_fold_are_judged_themselves(
    music: Path, tmp_path: Path, sure: float, expected: str
) -> None:
    probs = np.array([sure, *[(1 - sure) / (len(GENRES) - 1)] * (len(GENRES) - 1)])
    classifier = embedding_classifier(not_sure_below=0.5)
    made = build_collection(
        index_music(music), classifier, tmp_path / "made", out_of_fold={"a.wav": probs}
    )
    by_id = made.frame.set_index("track_id")
    assert by_id.at["a.wav", "status"] == expected
    assert by_id.at["deep/b.flac", "status"] == classifier.predict(music / "deep/b.flac").status


def test_what_is_no_music_stays_so_whatever_the_folds_say(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    sr = 16_000
    for seed, name in enumerate(("known.wav", "new.wav")):
        sound = noise(seconds=6, sr=sr, seed=seed)
        (folder / name).write_bytes(encode_soundfile(sound, sr=sr, kind="WAV"))
    classifier = Classifier.load()
    assert classifier.predict(folder / "new.wav").status == "not_music"
    made = build_collection(
        index_music(folder),
        classifier,
        tmp_path / "made",
        out_of_fold={"known.wav": np.eye(len(classifier.genres))[0]},
    )
    assert made.frame["basis"].tolist() == ["out-of-fold", "new"]
    assert made.frame["status"].tolist() == ["not_music", "not_music"]
    assert made.frame["predicted"].tolist()[0] == classifier.genres[0]


@pytest.mark.parametrize(
    "changed", [{"temperature": 3.0}, {"not_sure_below": 0.999}, {"is_deaf": True}]
)
def test_what_was_heard_is_judged_as_the_model_judges_now(
    music: Path, tmp_path: Path, changed: dict[str, Any]
) -> None:
    index = index_music(music)
    build_collection(index, embedding_classifier(), tmp_path / "made")
    second = embedding_classifier(**changed)
    made = build_collection(index, second, tmp_path / "made")
    row = made.frame.index[made.frame["track_id"] == "a.wav"][0]
    expected = second.predict(music / "a.wav")
    assert made.frame["status"][row] == expected.status
    np.testing.assert_allclose(made.probs[row], expected.probs, atol=1e-3)


@pytest.mark.parametrize(("learned", "basis"), [(True, "heard"), (False, "new")])
def test_what_was_learned_is_known_by_its_tracks_not_by_its_name(
    tmp_path: Path, learned: bool, basis: str
) -> None:
    for genre, hz in (("Jazz", 300), ("Rock", 500)):
        (tmp_path / "corpus" / genre).mkdir(parents=True)
        (tmp_path / "corpus" / genre / "a.wav").write_bytes(clip(2, hz=hz))
    index = open_collection(str(tmp_path / "corpus"))
    name = "another name" if learned else index.name
    data_hash = index.to_dataset().hash if learned else "0" * 64
    classifier = embedding_classifier()
    classifier.bundle.training.update(dataset=name, data_hash=data_hash)
    made = build_collection(index, classifier, tmp_path / "made")
    assert set(made.frame["basis"]) == {basis}


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

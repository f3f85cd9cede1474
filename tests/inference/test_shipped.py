"""The bundle in this repository: whole, small enough, and as good as its report says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from songnet import Classifier
from songnet.datasets.corpus import load_corpus, load_originals
from songnet.evaluation.report import Report
from songnet.inference.bundle import (
    MUSIC_FILE,
    MUSIC_REPORT_FILE,
    RUNTIME_FILES,
    Bundle,
    find_bundle,
)
from songnet.inference.runtime import Outputs
from songnet.signal.features import frame_patches, log_mel
from tests.encoders import noise, sine


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(find_bundle())


@pytest.fixture(scope="module")
def report(bundle: Bundle) -> Report:
    return Report.load(bundle.file("report.json"))


@pytest.fixture(scope="module")
def outputs(bundle: Bundle) -> dict[str, Outputs]:
    """What each runtime says about silence, noise, a tone and a chord."""
    features = bundle.features
    sr, seconds = features.sr, features.patch_seconds
    chord = sum(sine(seconds=seconds, sr=sr, hz=hz) for hz in (220, 277, 330)) / 3
    sounds = [
        np.zeros(int(sr * seconds), np.float32),
        noise(seconds=seconds, sr=sr),
        sine(seconds=seconds, sr=sr, hz=440),
        chord,
    ]
    patches = np.concatenate(
        [
            frame_patches(log_mel(y.astype(np.float32), config=features), config=features)[:1]
            for y in sounds
        ]
    )
    return {name: bundle.open_runtime(name).predict(patches) for name in RUNTIME_FILES}


def test_every_file_is_as_it_was_exported(bundle: Bundle) -> None:
    shipped = {
        *RUNTIME_FILES.values(),
        "report.json",
        "network.json",
        MUSIC_FILE,
        MUSIC_REPORT_FILE,
    }
    assert set(bundle.files) == shipped
    for name in bundle.files:
        assert bundle.file(name).is_file()


def test_int8_is_small(bundle: Bundle) -> None:
    assert bundle.file(RUNTIME_FILES["litert-int8"]).stat().st_size <= 1_200_000


@pytest.mark.parametrize(
    ("name", "limit"), [("litert", 1e-4), ("litert-fp16", 0.05), ("litert-int8", 0.5)]
)
def test_tflite_says_what_keras_says(outputs: dict[str, Outputs], name: str, limit: float) -> None:
    for output in ("logits", "attention", "evidence"):
        expected, found = (getattr(outputs[runtime], output) for runtime in ("keras", name))
        np.testing.assert_allclose(found, expected, atol=limit)


def test_logits_are_the_sum_of_what_each_moment_says(outputs: dict[str, Outputs]) -> None:
    for said in outputs.values():
        summed = np.einsum("pt,ptg->pg", said.attention, said.evidence)
        np.testing.assert_allclose(said.logits, summed, atol=1e-4)


def test_the_report_is_of_this_recipe(bundle: Bundle, report: Report) -> None:
    assert report.genres == bundle.genres
    assert report.extra["settings"] == bundle.training["settings"]
    assert report.data_hash == bundle.training["data_hash"]
    assert report.extra["shipping"]["temperature"] == bundle.temperature
    assert report.extra["shipping"]["not_sure"]["threshold"] == bundle.not_sure_below
    assert not report.commit.endswith("-dirty")


def test_no_worse_model_ships_unnoticed(report: Report) -> None:
    """On the folds of the corpus."""
    assert report.accuracy.value >= 0.69
    assert report.balanced_accuracy.value >= 0.62
    assert report.ece.value <= 0.05
    accuracy = {name: said["accuracy"] for name, said in report.extra["runtimes"].items()}
    assert abs(accuracy["litert-int8"] - accuracy["keras"]) <= 0.005
    codec = report.extra["codec"]
    assert codec["accuracy_other_codec"] >= codec["accuracy"] - 0.03 - 1e-9


def test_what_is_not_music_is_refused(bundle: Bundle) -> None:
    """Measured on artists and recordings that the detector had not heard."""
    assert bundle.open_detector() is not None
    said = json.loads(bundle.file(MUSIC_REPORT_FILE).read_text(encoding="utf-8"))
    assert said["features"] == bundle.features.to_dict()
    for condition in ("clean", "microphone"):
        kinds = said[condition]["kind"]
        assert kinds["speech"]["refused_or_doubted"] >= 0.95
        assert kinds["environment"]["refused_or_doubted"] >= 0.95
        assert kinds["music"]["refused"] <= 0.03
        assert kinds["music"]["refused_or_doubted"] <= 0.05
    assert not said["commit"].endswith("-dirty")


def test_the_card_names_the_measured_accuracy(bundle: Bundle, report: Report) -> None:
    card = (bundle.folder / "README.md").read_text(encoding="utf-8")
    assert f"| accuracy | {report.accuracy.value:.1%} |" in card
    assert f"{bundle.genres[0]}, {bundle.genres[1]}" in card


@pytest.mark.corpus
def test_real_music_in_any_codec(corpus_root: Path) -> None:
    """The shipped network has seen these clips, as Opus: a check of the path, not a score."""
    classifier = Classifier.load()
    originals = load_originals(corpus_root)
    twins = {track.track_id: track for track in load_corpus(corpus_root)}
    tracks = originals.tracks[::5]
    found = [classifier.predict(track.path) for track in tracks]
    same = [classifier.predict(twins[track.track_id].path.read_bytes()) for track in tracks]
    assert np.mean([p.genre == t.genre for p, t in zip(found, tracks, strict=True)]) >= 0.6
    assert np.mean([p.genre == q.genre for p, q in zip(found, same, strict=True)]) >= 0.7


def test_bundle_json_is_readable_by_a_person(bundle: Bundle) -> None:
    values = json.loads((bundle.folder / "bundle.json").read_text(encoding="utf-8"))
    assert values["feature_hash"] == bundle.features.hash
    assert values["training"]["versions"]["tensorflow"]

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songnet.benchmark import cost
from songnet.benchmark.adopt import adopt_folds
from songnet.benchmark.deadline import Deadline
from songnet.benchmark.entries import Entry, find_entries
from songnet.benchmark.pieces import HONEST, STUDIES, Piece, list_pieces
from songnet.benchmark.run import BenchmarkRun
from songnet.benchmark.summary import summarise
from songnet.config import FeatureConfig
from songnet.datasets.base import Track
from songnet.evaluation.out_of_fold import FoldPredictions
from songnet.exceptions import ParameterError
from tests.benchmark.conftest import CHEAP, KNN, MAJORITY, NETWORK

pytestmark = pytest.mark.timeout(1800)  # numba, TensorFlow: slow on a busy machine


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def test_pieces_come_in_an_order_that_works():
    pieces = list_pieces((KNN, NETWORK), (0, 1))
    studies = [piece.study for piece in pieces]
    assert studies == sorted(studies, key=STUDIES.index)
    assert len({piece.name for piece in pieces}) == len(pieces)
    leaky = [(p.entry.name, p.fold) for p in pieces if p.study == "leaky"]
    assert leaky == [("knn", 0), ("knn", 1), ("songnet", 0)]
    assert {p.share for p in pieces if p.study == "learning-curve"} == {0.1, 0.25, 0.5}
    assert {p.fold for p in list_pieces((KNN,), (0, 1), only_folds=[1])} == {1}
    with pytest.raises(ParameterError, match="no fold"):
        list_pieces((KNN,), (0, 1), only_folds=[2])
    with pytest.raises(ParameterError, match="no study"):
        list_pieces((KNN,), (0, 1), studies=["speed"])


def test_each_track_is_predicted_once_by_a_model_of_the_other_artists(inputs, done):
    frames = [
        pd.read_parquet(Piece(KNN, "folds", fold).folder(done) / "predictions.parquet")
        for fold in (0, 1)
    ]
    rows = pd.concat(frames)
    assert sorted(rows["track_id"]) == sorted(t.track_id for t in inputs.dataset)
    folds = {track.track_id: track.fold for track in inputs.dataset}
    assert all(folds[i] == fold for i, fold in zip(rows["track_id"], rows["fold"], strict=True))
    np.testing.assert_allclose(rows[["p_High", "p_Low"]].sum(axis=1), 1, atol=1e-5)
    about = Piece(KNN, "folds", 0).read(done)
    assert about["n_train"] == sum(track.fold != 0 for track in inputs.dataset)
    assert about["data_hash"] == inputs.dataset.hash
    assert {"commit", "versions", "seed", "chosen", "train_seconds"} <= set(about)


def test_what_is_done_is_not_done_again(inputs, done, monkeypatch):
    monkeypatch.setattr(BenchmarkRun, "run_piece", None)
    report = BenchmarkRun(inputs, done).run(list_pieces((KNN,), (0, 1), studies=CHEAP))
    assert (report.done, report.reused) == (0, 10)


def test_other_data_or_settings_are_refused(inputs, done):
    with pytest.raises(ParameterError, match="other settings, data"):
        Piece(KNN, "folds", 0).is_done(done, data_hash="other", seed=0)
    with pytest.raises(ParameterError, match="seed"):
        Piece(KNN, "folds", 0).is_done(done, data_hash=inputs.dataset.hash, seed=1)


def test_no_piece_begins_after_the_time(inputs, tmp_path):
    pieces = list_pieces((MAJORITY,), (0, 1), studies=["folds"])
    report = BenchmarkRun(inputs, tmp_path).run(pieces, minutes=0)
    assert report.unfinished == pieces
    assert not list(tmp_path.iterdir())


def test_a_study_without_its_models_says_what_to_run(inputs, tmp_path):
    report = BenchmarkRun(inputs, tmp_path).run(list_pieces((KNN,), (0,), studies=["seconds"]))
    assert "run the study 'folds' of knn first" in report.failed["seconds/knn/fold-0"]


@pytest.mark.parametrize("study", ["codec", "seconds", "robustness", "cost"])
def test_a_model_of_another_seed_is_not_studied(inputs, done, tmp_path, study):
    run_dir = shutil.copytree(done / "folds", tmp_path / "folds").parent
    pieces = list_pieces((KNN,), (0,), studies=[study])
    with pytest.raises(ParameterError, match="other settings, data or seed"):
        BenchmarkRun(inputs, run_dir, seed=1).run_piece(pieces[0], Deadline.after(1))
    assert not (run_dir / study).exists()


class _InThisProcess:
    """Stands for a pool of one process: starting one imports TensorFlow again."""

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        pass

    def __enter__(self) -> _InThisProcess:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def submit(self, work: Callable[..., object], *args: object) -> Future:
        future: Future = Future()
        future.set_result(work(*args))
        return future


@pytest.fixture
def one_process(monkeypatch) -> None:
    monkeypatch.setattr(cost, "ProcessPoolExecutor", _InThisProcess)
    monkeypatch.setattr(cost, "_REPEATS", 5)
    monkeypatch.setattr(cost, "_TRACK_SECONDS", 4.0)


def _measure_and_look(entry: Entry, lite: Path, track: Path) -> dict:
    from threadpoolctl import threadpool_info

    measured = cost._measure_runtime("litert", entry, lite.parent, track)
    threads = {pool["num_threads"] for pool in threadpool_info()}
    return measured | {"threads": threads, "has_tensorflow": "tensorflow" in sys.modules}


def test_litert_is_measured_alone_and_on_one_thread(inputs, repo_root):
    entry = replace(NETWORK, features=FeatureConfig())
    lite = repo_root / "models" / "songnet" / "model.tflite"
    looked = cost._in_own_process(_measure_and_look, entry, lite, inputs.dataset.tracks[0].path)
    assert looked["threads"] == {1}
    assert not looked["has_tensorflow"]
    assert looked["peak_mib"] > 10


@pytest.mark.slow
def test_the_whole_network_is_measured_with_its_branch(tmp_path, repo_root):
    (entry,) = find_entries(["songnet"])
    sizes = cost._build_network(entry, tmp_path, 10)
    shipped = read(repo_root / "models" / "songnet" / "network.json")["layers"]
    assert sizes["macs"] == sum(layer["macs"] for layer in shipped)
    lite = repo_root / "models" / "songnet" / "model.tflite"
    assert sizes["weights_bytes"] == pytest.approx(lite.stat().st_size, rel=0.01)


def _peak() -> dict[str, float]:
    return {"peak_mib": cost._peak_mib()}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it begins with nothing")
def test_the_memory_of_a_process_is_its_own():
    before = cost._in_own_process(_peak)["peak_mib"]
    held = np.ones(2**27)  # 1 GiB in the process that starts the other
    assert cost._in_own_process(_peak)["peak_mib"] < before + 256
    assert held.all()


def test_the_cost_of_a_classifier_is_measured(inputs, done, one_process):
    (piece,) = list_pieces((KNN,), (0, 1), studies=["cost"], only_folds=[0])
    report = BenchmarkRun(inputs, done).run([piece])
    assert report.failed == {}
    about = piece.read(done)
    measured = about["runtimes"]["scikit-learn"]
    assert 0 < measured["track_ms"]["p50"] <= measured["track_ms"]["p95"]
    assert about["weights_bytes"] == (piece.model_of.folder(done) / "model.joblib").stat().st_size
    assert about["train_seconds"] > 0


@pytest.mark.slow
def test_a_network_is_interrupted_and_goes_on(inputs, tmp_path, one_process):
    pieces = list_pieces((NETWORK,), (0, 1), studies=["folds"], only_folds=[0])
    work = BenchmarkRun(inputs, tmp_path, piece_minutes=0)
    assert work.run(pieces).unfinished == pieces
    state = pieces[0].folder(tmp_path) / "run" / "history.csv"
    assert len(state.read_text().splitlines()) == 2  # the heading and one epoch
    report = BenchmarkRun(inputs, tmp_path).run(pieces)
    assert report.done == 1
    about = pieces[0].read(tmp_path)
    assert about["epochs"] == 4
    assert about["train_seconds"] > 0
    rows = pd.read_parquet(pieces[0].folder(tmp_path) / "predictions.parquet")
    assert np.mean((rows["p_High"] > 0.5) == (rows["genre"] == "High")) == 1
    studies = ["seconds", "codec", "leaky", "cost"]
    more = list_pieces((NETWORK,), (0, 1), studies=studies, only_folds=[0])
    report = BenchmarkRun(inputs, tmp_path).run(more)
    assert report.failed == {}
    assert report.done == 4
    leaky = pd.read_parquet(Piece(NETWORK, "leaky", 0).folder(tmp_path) / "predictions.parquet")
    honest = leaky[leaky["condition"] == HONEST]
    fold_of = {track.track_id: track.fold for track in inputs.dataset}
    assert {fold_of[i.partition("#")[0]] for i in honest["track_id"]} == {0}
    assert len(honest) > sum(fold == 0 for fold in fold_of.values())
    about = Piece(NETWORK, "cost", 0).read(tmp_path)
    assert set(about["runtimes"]) == {"keras", "litert"}
    for measured in about["runtimes"].values():
        assert 0 < measured["window_ms"]["p50"] <= measured["window_ms"]["p95"]
        assert measured["window_ms"]["p50"] < measured["track_ms"]["p50"]
        assert measured["peak_mib"] > 10
    assert about["parameters"] > 0
    assert about["weights_bytes"] > 4 * about["parameters"]


@pytest.mark.slow
def test_a_part_of_the_data_is_learned_from_without_early_stopping(inputs, tmp_path):
    entry = replace(NETWORK, training=NETWORK.settings.training.replace(epochs=2, patience=1))
    whole = Piece(entry, "folds", 0)
    part = Piece(entry, "learning-curve", 0, 0.8)
    assert BenchmarkRun(inputs, tmp_path).run([whole, part]).failed == {}
    for piece, patience in ((whole, 1), (part, 2)):
        run = read(piece.folder(tmp_path) / "run" / "run.json")
        assert run["settings"]["training"]["patience"] == patience
        assert piece.is_done(tmp_path, data_hash=inputs.dataset.hash, seed=0)
    assert part.read(tmp_path)["entry_hash"] != whole.read(tmp_path)["entry_hash"]


@pytest.fixture
def cross_validation(inputs, tmp_path) -> Path:
    """What `songnet evaluate` leaves: a network that is sure, and right in both folds."""
    genres = inputs.dataset.genres

    def say(tracks: Iterable[Track]) -> np.ndarray:
        return np.array([[4.0 * (t.genre == genre) for genre in genres] for t in tracks])

    for fold in (0, 1):
        folder = tmp_path / "cv" / f"fold-{fold}"
        folder.mkdir(parents=True)
        tested = [track for track in inputs.dataset if track.fold == fold]
        twins = [track for track in inputs.twins if track.fold == fold]
        learned = inputs.dataset.select(lambda track, fold=fold: track.fold != fold)
        run = {"settings": NETWORK.settings.to_dict(), "data_hash": learned.hash}
        (folder / "run.json").write_text(json.dumps(run))
        (folder / "result.json").write_text(json.dumps({"epochs": 4, "kept_epoch": 3}))
        FoldPredictions(
            fold=fold,
            track_ids=np.array([track.track_id for track in tested]),
            logits={"keras": say(tested)},
            held_out_ids=np.array([track.track_id for track in learned]),
            held_out_logits=say(learned),
            twin_ids=np.array([track.track_id for track in twins]),
            twin_logits=-say(twins),
        ).save(folder / "predictions.npz")
    return tmp_path / "cv"


@pytest.mark.slow
def test_a_cross_validation_is_taken_over(inputs, cross_validation, tmp_path):
    run_dir = tmp_path / "run"
    assert adopt_folds(NETWORK, cross_validation, inputs=inputs, run_dir=run_dir, seed=0) == [
        "folds/songnet/fold-0",
        "folds/songnet/fold-1",
    ]
    assert not adopt_folds(NETWORK, cross_validation, inputs=inputs, run_dir=run_dir, seed=0)
    linked = Piece(NETWORK, "folds", 1).folder(run_dir) / "run"
    assert linked.resolve() == (cross_validation / "fold-1").resolve()
    summarise((NETWORK,), inputs, run_dir=run_dir, results=tmp_path / "results", seed=0)
    (row,) = read(tmp_path / "results" / "leaderboard.json")["models"]
    assert row["accuracy"]["value"] == 1
    assert read(tmp_path / "results" / "codec.json")["models"]["songnet"]["original_accuracy"] == 0


@pytest.mark.slow
def test_another_cross_validation_is_refused(inputs, cross_validation, tmp_path):
    run = cross_validation / "fold-0" / "run.json"
    there = read(run)
    adopt = {"inputs": inputs, "run_dir": tmp_path / "run"}
    with pytest.raises(ParameterError, match="another recipe or seed"):
        adopt_folds(NETWORK, cross_validation, seed=1, **adopt)
    run.write_text(json.dumps(there | {"data_hash": "other"}))
    with pytest.raises(ParameterError, match="other data"):
        adopt_folds(NETWORK, cross_validation, seed=0, **adopt)
    (cross_validation / "fold-0" / "result.json").unlink()
    with pytest.raises(ParameterError, match="finish `songnet evaluate`"):
        adopt_folds(NETWORK, cross_validation, seed=0, **adopt)
    assert not (tmp_path / "run").exists()

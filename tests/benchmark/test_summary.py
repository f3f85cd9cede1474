from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songnet.benchmark.inputs import training_part
from songnet.benchmark.pieces import Piece, list_pieces
from songnet.benchmark.summary import summarise
from songnet.exceptions import DatasetError, ResultsError
from tests.benchmark.conftest import KNN, MAJORITY, NETWORK

pytestmark = pytest.mark.timeout(1800)  # numba is slow on a busy machine


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def test_results_say_what_was_measured(inputs, done, tmp_path):
    summary = summarise((MAJORITY, KNN, NETWORK), inputs, run_dir=done, results=tmp_path, seed=0)
    assert summary.incomplete == {"songnet": "0, 1"}
    assert all(path.is_file() for path in summary.files)
    board = read(tmp_path / "leaderboard.json")
    assert [(m["model"], m["missing_folds"]) for m in board["not_run"]] == [("songnet", "0, 1")]
    assert board["data_hash"] == inputs.dataset.hash
    assert [row["model"] for row in board["models"]] == ["knn", "majority"]
    knn, majority = board["models"]
    assert knn["accuracy"]["value"] > 0.9
    assert majority["accuracy"]["value"] == 0.5
    assert set(knn["by_source"]) == {"a", "b"}
    assert np.sum(knn["confusion"]) == len(inputs.dataset)
    (pair,) = read(tmp_path / "comparisons.json")["models"]["knn"]
    assert pair["model"] == "majority"
    assert pair["difference"]["high"] < 0
    assert pair["p_mcnemar_holm"] < 0.001
    degraded = read(tmp_path / "robustness.json")["models"]["knn"]
    listened = read(tmp_path / "seconds.json")["models"]["knn"]
    assert len(degraded) == 7
    assert {row["n_tracks"] for row in degraded} == {len(inputs.dataset) // 3}
    assert {row["n_tracks"] for row in listened} == {len(inputs.dataset) // 3}
    assert degraded[0]["accuracy"]["value"] < 0.75 < degraded[0]["clean_accuracy"]
    assert degraded[0]["lost"] == pytest.approx(
        degraded[0]["clean_accuracy"] - degraded[0]["accuracy"]["value"], abs=1e-5
    )
    assert [row["condition"] for row in listened] == [
        "1s", "3s", "5s", "10s", "20s", "30s"
    ]  # fmt: skip
    curve = read(tmp_path / "learning_curve.json")
    assert curve["models"] == {}
    assert curve["needed"] == {"accuracy": 0.75, "n_train": {}, "intervals": {}}
    assert read(tmp_path / "codec.json")["models"]["knn"]["n_tracks"] == 12
    leaky = read(tmp_path / "leaky.json")["models"]["knn"]
    assert (leaky["split"], leaky["n_honest"]) == ("tracks", leaky["n_scored"])
    mfcc = read(tmp_path / "mfcc.json")["by_genre"]
    assert mfcc["High"]["n_tracks"] == 24
    assert np.mean(mfcc["High"]["mean"]) == pytest.approx(2, abs=0.2)
    # Of a track's own deviation (2 squared and 1 of noise) and between the means of tracks (1).
    assert np.mean(mfcc["High"]["variance"]) == pytest.approx(6, abs=0.6)
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    assert len(table) == 2 * len(inputs.dataset)
    assert read(tmp_path / "predictions.json")["rows"] == len(table)


def test_the_learning_curve_ends_with_all_data(inputs, done, tmp_path):
    run_dir = shutil.copytree(done, tmp_path / "runs")
    learner = replace(KNN, has_learning_curve=True)
    for piece in list_pieces((learner,), (0, 1), studies=["learning-curve"]):
        rows = pd.read_parquet(
            Piece(KNN, "folds", piece.fold).folder(run_dir) / "predictions.parquet"
        )
        piece.finish(run_dir, data_hash=inputs.dataset.hash, seed=0, results={}, rows=rows)
    summarise((MAJORITY, learner), inputs, run_dir=run_dir, results=tmp_path, seed=0)
    points = read(tmp_path / "learning_curve.json")["models"]["knn"]
    assert [point["share"] for point in points] == [0.1, 0.25, 0.5, 1.0]
    parts = [training_part(inputs.dataset, fold=0, share=s, seed=0) for s in (0.1, 0.25, 0.5, 1)]
    assert [point["n_train"] for point in points] == [len(part) for part in parts]
    assert points[-1]["accuracy"] == read(tmp_path / "leaderboard.json")["models"][0]["accuracy"]


def test_a_study_without_all_folds_is_left_out(inputs, done, tmp_path):
    run_dir = shutil.copytree(done, tmp_path / "runs")
    shutil.rmtree(run_dir / "seconds" / "knn" / "fold-1")
    shutil.rmtree(run_dir / "codec" / "knn" / "fold-1")
    summarise((MAJORITY, KNN), inputs, run_dir=run_dir, results=tmp_path, seed=0)
    assert read(tmp_path / "seconds.json")["models"] == {}
    assert set(read(tmp_path / "robustness.json")["models"]) == {"knn"}
    assert set(read(tmp_path / "codec.json")["models"]) == {"majority"}


def test_nothing_finished_is_no_result(inputs, tmp_path):
    with pytest.raises(DatasetError, match="No model has all folds"):
        summarise((KNN,), inputs, run_dir=tmp_path, results=tmp_path, seed=0)


@pytest.fixture
def only_majority(done, tmp_path) -> Path:
    """The folder of a machine on which one model was run."""
    run_dir = shutil.copytree(done, tmp_path / "runs")
    for folder in run_dir.glob("*/knn"):
        shutil.rmtree(folder)
    return run_dir


@pytest.fixture
def results(inputs, done, tmp_path) -> Path:
    """Results of two models."""
    summarise((MAJORITY, KNN), inputs, run_dir=done, results=tmp_path / "results", seed=0)
    return tmp_path / "results"


def test_a_model_that_was_run_elsewhere_keeps_its_results(inputs, only_majority, results):
    before = {path: read(path) for path in results.glob("*.json")}
    table = pd.read_parquet(results / "predictions.parquet")
    summary = summarise((MAJORITY, KNN), inputs, run_dir=only_majority, results=results, seed=0)
    assert (summary.kept, summary.incomplete) == (("knn",), {})
    assert {path: read(path) for path in results.glob("*.json")} == before
    pd.testing.assert_frame_equal(pd.read_parquet(results / "predictions.parquet"), table)


def test_a_study_run_later_joins_what_was_kept(inputs, done, only_majority, results):
    learner = replace(KNN, has_learning_curve=True)
    for study, share in (("learning-curve", 0.5), ("leaky", 1.0)):
        for fold in (0, 1):
            rows = pd.read_parquet(
                Piece(KNN, "folds", fold).folder(done) / "predictions.parquet"
            ).assign(p_High=0.4, p_Low=0.6)
            Piece(learner, study, fold, share).finish(
                only_majority, data_hash=inputs.dataset.hash, seed=0, results={}, rows=rows
            )
    codec = read(results / "codec.json")["models"]
    assert read(results / "leaky.json")["models"]["knn"]["accuracy"]["value"] > 0.9
    summarise((MAJORITY, learner), inputs, run_dir=only_majority, results=results, seed=0)
    assert read(results / "leaky.json")["models"]["knn"]["accuracy"]["value"] == 0.5
    points = read(results / "learning_curve.json")["models"]["knn"]
    assert [point["share"] for point in points] == [0.5, 1.0]
    assert points[0]["accuracy"]["value"] == 0.5
    assert read(results / "codec.json")["models"] == codec
    (only_majority / "learning-curve-50").rename(only_majority / "learning-curve-25")
    summarise((MAJORITY, learner), inputs, run_dir=only_majority, results=results, seed=0)
    later = read(results / "learning_curve.json")["models"]["knn"]
    assert [point["share"] for point in later] == [0.25, 0.5, 1.0]
    assert later[1:] == points


def test_what_would_be_needed_has_an_interval_that_is_kept(inputs, done, only_majority, results):
    learner = replace(KNN, has_learning_curve=True)
    pieces = {0.1: 0.4, 0.25: 0.5, 0.5: 0.58, 1.0: 0.65}
    for share, accuracy in pieces.items():
        for fold in (0, 1):
            rows = pd.read_parquet(Piece(KNN, "folds", fold).folder(done) / "predictions.parquet")
            rows = rows.sample(frac=1, random_state=fold)
            is_high = (rows["genre"] == "High") == (np.arange(len(rows)) < accuracy * len(rows))
            Piece(learner, "folds" if share == 1 else "learning-curve", fold, share).finish(
                only_majority,
                data_hash=inputs.dataset.hash,
                seed=0,
                results={},
                rows=rows.assign(p_High=is_high.astype(float), p_Low=1.0 - is_high),
            )
    summarise((MAJORITY, learner), inputs, run_dir=only_majority, results=results, seed=0)
    needed = read(results / "learning_curve.json")["needed"]
    low, high = needed["intervals"]["knn"]
    assert low < needed["n_train"]["knn"]
    assert high is None or high > needed["n_train"]["knn"]
    for folder in only_majority.glob("*/knn"):
        shutil.rmtree(folder)
    summarise((MAJORITY, learner), inputs, run_dir=only_majority, results=results, seed=0)
    assert read(results / "learning_curve.json")["needed"] == needed


def test_of_a_model_run_again_nothing_is_kept(inputs, done, results, tmp_path):
    run_dir = shutil.copytree(done, tmp_path / "runs")
    shutil.rmtree(run_dir / "seconds")
    summary = summarise((MAJORITY, KNN), inputs, run_dir=run_dir, results=results, seed=0)
    assert summary.kept == ()
    assert read(results / "seconds.json")["models"] == {}


def test_no_model_is_lost_for_not_being_named(inputs, done, results):
    before = read(results / "leaderboard.json")
    with pytest.raises(ResultsError, match=r"holds \['majority'\].*--embedding"):
        summarise((KNN,), inputs, run_dir=done, results=results, seed=0)
    assert read(results / "leaderboard.json") == before


def test_results_of_other_settings_data_or_seed_are_not_kept(inputs, only_majority, results):
    other = replace(KNN, baseline="logistic_regression")
    summary = summarise((MAJORITY, other), inputs, run_dir=only_majority, results=results, seed=0)
    assert (summary.kept, summary.incomplete) == ((), {"knn": "0, 1"})
    assert [row["model"] for row in read(results / "leaderboard.json")["models"]] == ["majority"]
    for changed in ({"data_hash": "other"}, {"seed": 1}):
        board = read(results / "leaderboard.json") | changed
        (results / "leaderboard.json").write_text(json.dumps(board))
        with pytest.raises(DatasetError, match="No model has all folds"):
            summarise((MAJORITY,), inputs, run_dir=results, results=results, seed=0)


@pytest.mark.parametrize("name", ["leaderboard.json", "codec.json", "predictions.parquet"])
def test_damaged_results_are_not_written_over(inputs, only_majority, results, name):
    (results / name).write_text("{")
    with pytest.raises(ResultsError, match=f"{name} is damaged.*Restore it from git"):
        summarise((MAJORITY, KNN), inputs, run_dir=only_majority, results=results, seed=0)
    assert (results / name).read_text() == "{"

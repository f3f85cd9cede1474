from __future__ import annotations

import json

import pytest

from songnet.datasets.synthetic import generate_synthetic

pytestmark = pytest.mark.timeout(1800)  # spawns processes: slow on a busy machine


def test_list_shows_every_model(songnet):
    result = songnet("benchmark", "list")
    assert result.exit_code == 0
    assert {"rbf_svm", "vgg_mel", "songnet_lstm"} <= set(result.stdout.split())


def test_an_unknown_model_is_an_error_of_one_line(songnet, tmp_path):
    generate_synthetic(tmp_path, tracks_per_genre=5, seconds=1.0)
    result = songnet(
        "benchmark", "run", "--dataset", "synthetic", "--root", tmp_path, "--model", "svm"
    )
    assert result.exit_code == 1
    assert "The benchmark has no ['svm']" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_folder_named_corpus_is_not_the_corpus(songnet, tmp_path, monkeypatch):
    monkeypatch.delenv("SONGNET_CORPUS", raising=False)
    own = tmp_path / "corpus"
    generate_synthetic(own, tracks_per_genre=5, seconds=1.0)
    result = songnet("benchmark", "list", "--dataset", own, "--run-dir", tmp_path / "run")
    assert result.exit_code == 0, result.output


@pytest.mark.slow
def test_run_resumes_and_summarise_writes_what_was_measured(songnet, tmp_path):
    generate_synthetic(tmp_path / "data", tracks_per_genre=5, seconds=3.0)
    common = ("--dataset", "synthetic", "--root", tmp_path / "data", "--run-dir", tmp_path / "run")
    models = ("--model", "majority", "--model", "knn_mel_mean")
    work = ("benchmark", "run", *common, *models, "--store", tmp_path / "store", "--study", "folds")
    first = songnet(*work, "--fold", 0, "--jobs", 1)
    assert first.exit_code == 0, first.output
    assert "folds/majority/fold-0: done" in first.stderr
    second = songnet(*work, "--jobs", 1)
    assert second.stdout.splitlines()[-1].split() == ["8", "2", "0", "0"]
    result = songnet("benchmark", "summarise", *common, "--results", tmp_path / "results")
    assert result.exit_code == 0, result.output
    board = json.loads((tmp_path / "results" / "leaderboard.json").read_text())
    assert {row["model"] for row in board["models"]} == {"majority", "knn_mel_mean"}
    assert board["n_tracks"] == 20

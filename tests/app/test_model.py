"""The Model page over the shipped model and over one that says all there is to say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import model_facts
from app.model_charts import mfcc_genres_figure, mfcc_sample_figure, reliability_figure
from app.model_facts import file_frame, read_model_files
from app.model_view import VIEWS
from app.views import Span, draw_picture
from songnet.config import FeatureConfig
from songnet.inference.bundle import find_bundle
from tests.app.test_benchmark import said

pytestmark = pytest.mark.timeout(1800)
NETWORK = {
    "input_shape": [256, 64],
    "layers": [
        {"name": "conv", "kind": "Conv1D", "output_shape": [128, 8], "parameters": 1000,
         "macs": 2_000_000},
        {"name": "pool", "kind": "AttentionPooling", "output_shape": [10], "parameters": 234,
         "macs": 500_000},
    ],
    "history": {"epoch": [1, 2], "loss": [2, 1], "accuracy": [0.2, 0.5], "val_loss": [2, 1.5],
                "val_accuracy": [0.3, 0.4]},
    "kept_epoch": 2,
    "files": [{"name": "model.tflite", "n_bytes": 1, "max_difference": 2.5e-06}],
}  # fmt: skip


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped bundle with a description of its network, latency and MFCC."""
    if not (find_bundle() / "bundle.json").is_file():
        pytest.skip("there is no model in models/songnet")
    folder = tmp_path / "songnet"
    shutil.copytree(find_bundle(), folder)
    (folder / "network.json").write_text(json.dumps(NETWORK))
    files = json.loads((folder / "bundle.json").read_text())["files"]
    times = {"p50": 1.5, "p95": 2.5}
    machine = {"cores": 2, "cpu": "a processor", "load_average": 0.1}
    latency = {
        "files": {"model.tflite": {"window_ms": times, "track_ms": times}},
        "sha256": {"model.tflite": files["model.tflite"]},
        "machine": machine,
    }
    by_genre = {g: {"mean": [1.0, 2.0], "variance": [3.0, 4.0], "n_tracks": 5} for g in "AB"}
    for name, values in (("LATENCY", latency), ("MFCC", {"by_genre": by_genre})):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(values))
        monkeypatch.setattr(model_facts, name, path)
    monkeypatch.setenv("SONGNET_MODELS", str(tmp_path))
    return folder


def test_every_view_shows_its_figures(repo_root: Path, bundle: Path) -> None:
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    visit.switch_page(str(repo_root / "pages" / "model.py")).run()
    report = json.loads((bundle / "report.json").read_text())
    expected = {
        "Card": f"{report['accuracy']['value']:.1%}",
        "Architecture": "1,234",
        "Training": "The network of epoch 2 ships",
        "Results": "Classification report",
        "Calibration": f"{report['calibration']['ece_before']:.1%}",
        "MFCC": "Variance of each MFCC by genre",
        "Files": "a processor",
        "Data": "research use only",
    }
    assert tuple(expected) == VIEWS
    for view, text in expected.items():
        visit.session_state["model-view"] = view
        visit.run()
        assert not visit.exception, view
        assert text in said(visit) + " ".join(m.value for m in visit.metric), view
        assert "not measured yet" not in said(visit), view


def test_what_is_withheld_is_measured_on_tracks_the_threshold_did_not_see(
    repo_root: Path, bundle: Path
) -> None:
    path = bundle / "report.json"
    report = json.loads(path.read_text())
    report["not_sure"] |= {"refused_share": 0.07, "accuracy_kept": 0.72}
    report["shipping"]["not_sure"] |= {"refused_share": 0.1, "accuracy_kept": 0.73}
    path.write_text(json.dumps(report))
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    visit.session_state["model-view"] = "Calibration"
    visit.switch_page(str(repo_root / "pages" / "model.py")).run()
    assert "withholds 7% of the tracks and leaves 72% of the rest right" in said(visit)


def test_what_was_not_measured_says_the_command(
    repo_root: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bundle / "network.json").unlink()
    monkeypatch.setattr(model_facts, "LATENCY", bundle / "none.json")
    monkeypatch.setattr(model_facts, "MFCC", bundle / "none.json")
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    visit.switch_page(str(repo_root / "pages" / "model.py")).run()
    for view, text in {
        "Architecture": "songnet export",
        "Training": "songnet export",
        "MFCC": "songnet benchmark summarise",
        "Files": "benchmarks/tflite_variants.py",
    }.items():
        visit.session_state["model-view"] = view
        visit.run()
        assert not visit.exception, view
        assert "not measured yet" in said(visit), view
        assert text in said(visit), view


def test_a_track_that_cannot_be_read_leaves_the_genres(
    app: AppTest, repo_root: Path, bundle: Path
) -> None:
    app.file_uploader[0].set_value(("song.wav", b"no music" * 100, "audio/wav")).run()
    app.switch_page(str(repo_root / "pages" / "model.py")).run()
    app.session_state["model-view"] = "MFCC"
    app.run()
    assert not app.exception
    assert [error.proto.title for error in app.error] == ["This file cannot be read"]
    assert "Variance of each MFCC by genre" in said(app)


def test_files_have_size_parity_accuracy_and_latency(bundle: Path) -> None:
    row = file_frame(read_model_files(bundle)).set_index("File").loc["model.tflite"]
    assert row["MB"] == round((bundle / "model.tflite").stat().st_size / 1e6, 2)
    assert row["Difference from Keras"] == "2.5e-06"
    assert row["Window ms"] == 1.5
    report = json.loads((bundle / "report.json").read_text())
    assert row["Accuracy %"] == round(100 * report["runtimes"]["litert"]["accuracy"], 1)


def test_the_latency_of_other_files_is_not_shown(bundle: Path) -> None:
    latency = json.loads(model_facts.LATENCY.read_text())
    latency["sha256"]["model.tflite"] = "0" * 64
    model_facts.LATENCY.write_text(json.dumps(latency))
    assert read_model_files(bundle).latency == {}


def test_reliability_leaves_empty_bins_out() -> None:
    figure = reliability_figure(
        {"count": [0, 4, 16], "confidence": [None, 0.5, 0.9], "accuracy": [None, 0.25, 1.0]}
    )
    line = figure.data[1]
    assert list(line.x) == [50, 90]
    assert list(line.y) == [25, 100]
    assert line.marker.size[0] < line.marker.size[1]


def test_the_mfcc_of_a_sample_are_averaged_in_time() -> None:
    rng = np.random.default_rng(0)
    config = FeatureConfig()
    y = (0.1 * rng.standard_normal(20 * config.sr)).astype(np.float32)
    view = draw_picture("MFCC", y, config=config, span=Span(0.0, 20.0))
    heat = mfcc_sample_figure(view).data[0]
    assert len(heat.x) == heat.z.shape[1] == 150
    assert heat.x[-1] < 20
    np.testing.assert_allclose(heat.z.mean(axis=1), 0, atol=0.01)


def test_mfcc_are_compared_over_the_genres() -> None:
    mfcc = {"A": {"mean": [1.0, 5.0]}, "B": {"mean": [3.0, 5.0]}}
    heat = mfcc_genres_figure(mfcc, quantity="mean").data[0]
    np.testing.assert_allclose(heat.z, [[-1, 0], [1, 0]])
    assert [list(row) for row in heat.text] == [["1", "5"], ["3", "5"]]

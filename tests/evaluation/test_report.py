"""The report: its keys, its file, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from songnet.evaluation.metrics import HEADLINE_METRICS, evaluate
from songnet.evaluation.report import SCHEMA, Report, ReportError, build_report
from songnet.evaluation.slices import metrics_by_slice
from songnet.exceptions import ParameterError
from songnet.json_text import to_plain
from songnet.provenance import versions
from tests.evaluation.examples import Predictions


def make_report(predictions: Predictions, **changes) -> Report:
    y_true, probs, logits, groups, genres = predictions
    settings = {
        "protocol": {"name": "cross-validation", "folds": (0, 1, 2)},
        "data_hash": "abc",
        "seed": 7,
        "uncalibrated_probs": softmax(logits * 3, axis=1),
        "temperatures": [np.float32(2.5)],
        "n_resamples": 50,
    }
    return build_report(y_true, probs, groups, genres, **settings | changes)


@pytest.fixture
def report(predictions) -> Report:
    return make_report(predictions)


def test_headline_and_provenance_stand_at_the_top_level(report, predictions) -> None:
    values = report.to_dict()
    for name, expected in evaluate(predictions.y_true, predictions.probs).items():
        assert set(values[name]) == {"value", "low", "high"}
        assert values[name]["value"] == pytest.approx(expected, rel=1e-5)
        assert values[name]["low"] < values[name]["high"]
    assert values["accuracy"]["low"] < values["accuracy"]["value"] < values["accuracy"]["high"]
    assert values["protocol"] == {"name": "cross-validation", "folds": [0, 1, 2]}
    assert (values["data_hash"], values["seed"], values["schema"]) == ("abc", 7, SCHEMA)
    assert values["versions"] == versions()
    assert values["commit"] is None or len(values["commit"].removesuffix("-dirty")) == 40
    created = datetime.fromisoformat(values["created"])
    assert timedelta(0) <= datetime.now(UTC) - created < timedelta(minutes=5)
    assert values["interval"]["n_resamples"] == 50
    assert values["interval"]["confidence"] == 0.95


def test_sections_describe_the_predictions(report, predictions) -> None:
    n_tracks = predictions.y_true.size
    assert report.n_tracks == n_tracks
    assert report.n_groups == len(set(predictions.groups))
    assert report.genres == predictions.genres
    assert np.sum(report.confusion) == n_tracks
    assert np.trace(report.confusion) / n_tracks == pytest.approx(report.accuracy.value, rel=1e-5)
    for section in (report.per_genre, report.roc, report.precision_recall):
        assert tuple(section) == predictions.genres
    assert sum(scores["support"] for scores in report.per_genre.values()) == n_tracks
    assert sum(report.reliability["count"]) == n_tracks


def test_calibration_has_before_and_after(report, predictions) -> None:
    calibration = report.calibration
    assert calibration["temperatures"] == [2.5]
    assert calibration["ece_after"] == report.ece.value
    assert calibration["log_loss_after"] == report.log_loss.value
    sharp = evaluate(predictions.y_true, softmax(predictions.logits * 3, axis=1))
    assert calibration["ece_before"] == pytest.approx(sharp["ece"], rel=1e-5)
    assert calibration["log_loss_before"] == pytest.approx(sharp["log_loss"], rel=1e-5)
    plain = make_report(predictions, uncalibrated_probs=None, temperatures=None).calibration
    assert plain["ece_before"] is None
    assert plain["temperatures"] is None


def test_a_saved_report_loads_equal(report, predictions, tmp_path: Path) -> None:
    by_fold = metrics_by_slice(
        predictions.y_true,
        predictions.probs,
        predictions.groups,
        slices=np.arange(240) % 2,
        n_resamples=10,
    )
    full = make_report(predictions, extra={"by_fold": by_fold, "note": "Größe"})
    path = tmp_path / "new" / "report.json"
    full.save(path)
    assert Report.load(path) == full
    assert full.extra["note"] == "Größe"
    values = json.loads(path.read_text(encoding="utf-8"))
    assert values == full.to_dict()
    assert list(values["by_fold"]) == ["0", "1"]
    report.save(path)
    assert Report.load(path) == report
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]


def test_a_failed_save_leaves_the_old_file(report, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "report.json"
    report.save(path)
    before = path.read_bytes()

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        replace(report, data_hash="other").save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_genres_without_tracks_are_reported_without_nan(predictions, tmp_path: Path) -> None:
    keep = predictions.y_true != 2
    found = build_report(
        predictions.y_true[keep],
        predictions.probs[keep],
        predictions.groups[keep],
        predictions.genres,
        protocol={},
        data_hash="",
        seed=0,
        n_resamples=20,
    )
    assert found.per_genre["C"]["support"] == 0
    assert found.roc["C"]["auc"] is None
    found.save(tmp_path / "report.json")
    assert Report.load(tmp_path / "report.json") == found


def _without(values: dict, key: str) -> None:
    del values[key]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda v: v.update(schema=99), "schema 99"),
        (lambda v: _without(v, "schema"), "schema None"),
        (lambda v: _without(v, "accuracy"), r"no \['accuracy'\]"),
        (lambda v: _without(v, "commit"), r"no \['commit'\]"),
        (lambda v: v["accuracy"].update(value=65.0), "accuracy is"),
        (lambda v: v["log_loss"].update(value=float("nan")), "log_loss is"),
        (lambda v: v["ece"].update(low=0.5, high=0.4), "ece is"),
        (lambda v: _without(v["macro_f1"], "low"), "low"),
        (lambda v: v.update(accuracy=0.5), "not a report: .*float"),
        (lambda v: v["confusion"].pop(), "confusion matrix"),
        (lambda v: v["confusion"].append([0] * 5), "tracks of 5 genres"),
        (lambda v: v.update(n_tracks=3), "3 tracks"),
        (lambda v: v["per_genre"].pop("A"), "per_genre"),
        (lambda v: v["roc"].pop("B"), "roc does not list"),
        (lambda v: v.update(genres=None), "not a report: .*NoneType"),
    ],
)
def test_damaged_reports_are_refused(report, tmp_path: Path, damage, message: str) -> None:
    values = json.loads(json.dumps(report.to_dict()))
    damage(values)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ReportError, match=message) as raised:
        Report.load(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_files_that_are_no_object_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(ReportError, match=r"expected (the|a) JSON"):
        Report.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        Report.load(tmp_path / "none.json")


@pytest.mark.parametrize("name", ["accuracy", "schema", "genres", "extra"])
def test_extra_cannot_hide_a_section(predictions, name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        make_report(predictions, extra={name: 1})


def test_sections_must_be_json(predictions) -> None:
    with pytest.raises(ParameterError, match="holds nan"):
        make_report(predictions, extra={"by_source": {"a": float("nan")}})
    with pytest.raises(ParameterError, match=r"holds a \w+Path"):
        make_report(predictions, protocol={"folder": Path("data")})


def test_genres_must_fit(predictions) -> None:
    with pytest.raises(ParameterError, match="5 different names"):
        make_report(predictions._replace(genres=("A", "B")))


def test_to_plain_rounds_and_converts() -> None:
    value = {1: (np.float32(0.1), np.int64(3)), "b": np.array([[True]]), "c": 123456789.0}
    assert to_plain(value) == {"1": [0.1, 3], "b": [[True]], "c": 123457000.0}
    assert to_plain(2 / 3) == 0.666667
    assert to_plain(10**12 + 1) == 10**12 + 1


def test_headline_names_are_fields() -> None:
    assert set(HEADLINE_METRICS) <= set(Report.__dataclass_fields__)

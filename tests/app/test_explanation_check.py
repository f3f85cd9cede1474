"""What the page says of the test of the evidence: only what was measured, of this network."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from app.explanation_check import RESULT, check_figure, check_text, read_check
from songnet.inference.bundle import Bundle
from tests.app.stub import stub_bundle

NETWORK = "ab" * 32
GAIN = {"value": 0.123, "low": 0.1, "high": 0.146}
WAY = {
    "gain": GAIN,
    "share_of_tracks_with_gain": 0.9,
    "curve_evidence": [0.9, 0.2, 0.1],
    "curve_random": [0.9, 0.5, 0.1],
}
MEASURED: dict[str, Any] = {
    "model_sha256": NETWORK,
    "n_tracks": 60,
    "n_stretches": 20,
    "intervals": "95%, bootstrap over tracks",
    "shares": [0.0, 0.5, 1.0],
    "deletion": WAY,
    "insertion": WAY,
}


@pytest.fixture
def bundle() -> Bundle:
    return dataclasses.replace(stub_bundle(0.0), files={"model.tflite": NETWORK})


def test_only_a_measurement_of_this_network_is_read(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "explanation.json"
    assert read_check(bundle, path) is None
    path.write_text(json.dumps(MEASURED), encoding="utf-8")
    assert read_check(bundle, path) == MEASURED
    path.write_text(json.dumps(MEASURED | {"model_sha256": "cd" * 32}), encoding="utf-8")
    assert read_check(bundle, path) is None


def test_the_words_are_the_numbers() -> None:
    text = check_text(MEASURED)
    for said in ("It does", "60 tracks", "+0.123 (+0.100 to +0.146)", "90%", "95%, bootstrap"):
        assert said in text
    doubtful = MEASURED | {"insertion": WAY | {"gain": GAIN | {"low": -0.01}}}
    assert "Not for certain" in check_text(doubtful)


def test_the_curves_are_drawn_as_measured() -> None:
    figure = check_figure(MEASURED, "deletion")
    assert [list(trace.y) for trace in figure.data] == [WAY["curve_evidence"], WAY["curve_random"]]
    assert list(figure.data[0].x) == MEASURED["shares"]


@pytest.mark.skipif(not RESULT.is_file(), reason="benchmarks.explanation was not run")
def test_what_the_benchmark_wrote_can_be_shown() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    assert str(result["n_tracks"]) in check_text(result)
    for way in ("deletion", "insertion"):
        assert len(check_figure(result, way).data[0].y) == len(result["shares"])

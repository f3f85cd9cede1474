"""A bundle is refused as soon as anything about it is not as it was exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from songnet.config import FeatureConfig
from songnet.datasets.base import file_sha256
from songnet.exceptions import BundleError, ParameterError
from songnet.inference.bundle import MODELS_VARIABLE, Bundle, find_bundle


@pytest.fixture
def saved(tmp_path: Path) -> Bundle:
    (tmp_path / "model.tflite").write_bytes(b"network")
    bundle = Bundle(
        folder=tmp_path,
        name="test",
        version="1.2.3",
        features=FeatureConfig(n_mels=40),
        genres=("Folk", "Jazz"),
        temperature=1.5,
        not_sure_below=0.3,
        files={"model.tflite": file_sha256(tmp_path / "model.tflite")},
        training={"dataset": "none"},
    )
    bundle.save()
    return bundle


def test_a_saved_bundle_is_the_same(saved: Bundle) -> None:
    assert Bundle.load(saved.folder) == saved
    assert saved.file("model.tflite").read_bytes() == b"network"


def test_a_changed_file_is_refused(saved: Bundle) -> None:
    (saved.folder / "model.tflite").write_bytes(b"another")
    with pytest.raises(BundleError, match="has changed since it was exported"):
        saved.open_runtime("litert")


def test_a_file_that_is_not_part_of_the_bundle_is_refused(saved: Bundle) -> None:
    (saved.folder / "model.keras").write_bytes(b"smuggled in")
    with pytest.raises(BundleError, match=r"has no model\.keras; it holds \['model\.tflite'\]"):
        saved.open_runtime("keras")


def test_an_unknown_runtime_names_the_known_ones(saved: Bundle) -> None:
    with pytest.raises(ParameterError, match="'onnx'; expected"):
        saved.open_runtime("onnx")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values.update(schema=99), "has schema 99"),
        (lambda values: values["features"].update(hop_length=256), "other feature settings"),
        (lambda values: values["features"].update(n_fft_size=1), "cannot be read"),
        (lambda values: values.pop("genres"), "cannot be read"),
        (lambda values: values.update(temperature="hot"), "cannot be read"),
    ],
    ids=["schema", "feature settings", "unknown setting", "no genres", "temperature"],
)
def test_a_bundle_of_another_kind_is_refused(
    saved: Bundle, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    path = saved.folder / "bundle.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(BundleError, match=message):
        Bundle.load(saved.folder)


def test_broken_json_and_a_missing_folder(saved: Bundle, tmp_path: Path) -> None:
    (saved.folder / "bundle.json").write_text("{")
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.load(saved.folder)
    with pytest.raises(BundleError, match=r"has no bundle\.json"):
        Bundle.load(tmp_path / "nowhere")


def test_models_are_found_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repo_root: Path
) -> None:
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    assert find_bundle() == repo_root / "models" / "songnet"
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    assert find_bundle("other") == tmp_path / "other"

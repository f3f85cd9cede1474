"""An export replaces a bundle as a whole, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from songnet.evaluation.report import Report
from songnet.exceptions import BundleError
from songnet.export.bundle import export_bundle
from songnet.inference.bundle import Bundle


@pytest.fixture
def shipped(repo_root: Path) -> Path:
    return repo_root / "models" / "songnet"


@pytest.fixture
def run_dir(shipped: Path, tmp_path: Path) -> Path:
    """Folder of a training that gave the shipped network."""
    folder = tmp_path / "run"
    folder.mkdir()
    bundle = Bundle.load(shipped)
    run = {**bundle.training, "genres": list(bundle.genres)}
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "result.json").write_text('{"kept_epoch": 1}')
    (folder / "history.csv").write_text("epoch,loss\n1.0,2.0\n")
    shutil.copy(shipped / "model.keras", folder / "network.keras")
    return folder


@pytest.fixture
def target(shipped: Path, tmp_path: Path) -> Path:
    """A bundle that is there before the export."""
    folder = tmp_path / "models" / "mine"
    shutil.copytree(shipped, folder)
    return folder


@pytest.fixture(autouse=True)
def _no_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_network: object, path: Path, **_: object) -> None:
        path.write_bytes(b"converted")

    monkeypatch.setattr("songnet.export.bundle.export_tflite", write)
    differ(monkeypatch, 0.0)


def differ(monkeypatch: pytest.MonkeyPatch, worst: float) -> None:
    parity = SimpleNamespace(worst=worst)
    monkeypatch.setattr("songnet.export.bundle.check_parity", lambda *_: parity)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def export(run_dir: Path, target: Path, shipped: Path) -> None:
    report = Report.load(shipped / "report.json")
    export_bundle(run_dir, report, target, name="mine", version="9.9.9")


def test_a_bundle_is_replaced_and_the_file_that_names_the_others_comes_last(
    run_dir: Path, target: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[str] = []
    replace = Path.replace

    def recorded(path: Path, to: Path) -> Path:
        if to.parent == target:
            moved.append(to.name)
        return replace(path, to)

    monkeypatch.setattr(Path, "replace", recorded)
    export(run_dir, target, shipped)
    bundle = Bundle.load(target)
    assert (bundle.name, bundle.version) == ("mine", "9.9.9")
    assert bundle.files.keys() == Bundle.load(shipped).files.keys()
    assert all(bundle.file(name).is_file() for name in bundle.files)
    assert (target / "model.tflite").read_bytes() == b"converted"
    assert (target / "neighbours.parquet").is_file()
    assert moved[-1] == "bundle.json"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_network_that_differs_leaves_what_was_there(
    run_dir: Path, target: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    folder = target if is_there else target.with_name("new")
    differ(monkeypatch, 1.0)
    before = contents(target)
    with pytest.raises(BundleError, match=r"model\.tflite differs from Keras"):
        export(run_dir, folder, shipped)
    assert contents(target) == before
    assert list(target.parent.iterdir()) == [target]


def test_ctrl_c_leaves_what_was_there(
    run_dir: Path, target: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("songnet.export.bundle.model_card", interrupt)
    before = contents(target)
    with pytest.raises(KeyboardInterrupt):
        export(run_dir, target, shipped)
    assert contents(target) == before
    assert list(target.parent.iterdir()) == [target]

"""Which detector of music an export takes over from the bundle that it replaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from songnet.config import FeatureConfig
from songnet.export.bundle import _keep_detector, _move
from songnet.inference.bundle import MUSIC_FILE, MUSIC_REPORT_FILE
from tests.detectors import detector_of, linear_network

FEATURES = FeatureConfig()
NAMES = {MUSIC_FILE, MUSIC_REPORT_FILE}


def save(folder: Path, features: FeatureConfig) -> None:
    network = linear_network([0.0])
    folder.mkdir()
    detector_of(network, features.hash, refuse=0.2, doubt=0.5).save(folder / MUSIC_FILE)
    (folder / MUSIC_REPORT_FILE).write_text("{}")


def names_after_an_export(folder: Path) -> set[str]:
    made = folder.with_name("made")
    made.mkdir()
    _keep_detector(folder, made, FEATURES)
    _move(made, folder)
    assert not list(made.iterdir())
    return {path.name for path in folder.iterdir()}


def test_a_detector_of_the_same_features_stays(tmp_path: Path) -> None:
    save(tmp_path / "bundle", FEATURES)
    assert names_after_an_export(tmp_path / "bundle") == NAMES


@pytest.mark.parametrize("damage", ["other features", "not JSON"])
def test_any_other_goes(tmp_path: Path, damage: str) -> None:
    save(tmp_path / "bundle", FEATURES.replace(n_mels=32))
    if damage == "not JSON":
        (tmp_path / "bundle" / MUSIC_FILE).write_text("{")
    assert names_after_an_export(tmp_path / "bundle") == set()

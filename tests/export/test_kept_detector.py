"""Which detector of music an export leaves in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from songnet.config import FeatureConfig
from songnet.export.bundle import _kept_detector
from songnet.inference.bundle import MUSIC_FILE, MUSIC_REPORT_FILE
from tests.detectors import detector_of, linear_network

FEATURES = FeatureConfig()
NAMES = (MUSIC_FILE, MUSIC_REPORT_FILE)


def save(folder: Path, features: FeatureConfig) -> None:
    network = linear_network([0.0])
    detector_of(network, features.hash, refuse=0.2, doubt=0.5).save(folder / MUSIC_FILE)
    (folder / MUSIC_REPORT_FILE).write_text("{}")


def test_a_detector_of_the_same_features_stays(tmp_path: Path) -> None:
    save(tmp_path, FEATURES)
    assert _kept_detector(tmp_path, FEATURES) == NAMES
    assert {path.name for path in tmp_path.iterdir()} == set(NAMES)


@pytest.mark.parametrize("damage", ["other features", "not JSON"])
def test_any_other_goes(tmp_path: Path, damage: str) -> None:
    save(tmp_path, FEATURES.replace(n_mels=32))
    if damage == "not JSON":
        (tmp_path / MUSIC_FILE).write_text("{")
    assert _kept_detector(tmp_path, FEATURES) == ()
    assert not list(tmp_path.iterdir())

from __future__ import annotations

import json
import math

import pytest

from songnet.config import FeatureConfig, ModelConfig, TrainConfig
from songnet.exceptions import ParameterError


@pytest.mark.parametrize("config", [FeatureConfig(), ModelConfig(), TrainConfig(seed=4)])
def test_a_config_survives_json(config) -> None:
    again = type(config).from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert again.hash == config.hash


def test_any_change_changes_the_hash() -> None:
    assert FeatureConfig().hash != FeatureConfig(floor_db=-41.0).hash


def test_unknown_settings_are_named() -> None:
    with pytest.raises(ParameterError, match=r"no setting \['hop'\]"):
        FeatureConfig.from_dict({"hop": 3})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_mels": 0}, "n_mels is 0"),
        ({"fmin": 7500.0}, "fmin 7500"),
        ({"fmax": 9000.0}, "sr / 2 = 8000"),
        ({"hop_length": 4096}, "skips samples"),
        ({"patch_hop_frames": 257}, "skips frames"),
    ],
)
def test_impossible_features_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        FeatureConfig().replace(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs is 0; it must be at least 1"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"crops_per_track": 0}, "crops_per_track is 0"),
        ({"seed": -1}, "seed is -1; it must be at least 0"),
        ({"validation_share": 1.5}, "expected 0 to 1"),
        ({"learning_rate": 0.0}, "expected more than 0"),
    ],
)
def test_impossible_trainings_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        TrainConfig().replace(**change)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(number: float) -> None:
    for config, name in (
        (TrainConfig(), "learning_rate"),
        (ModelConfig(), "dropout"),
        (FeatureConfig(), "floor_db"),
    ):
        with pytest.raises(ParameterError, match=f"{name} is {number}; expected a finite number"):
            config.replace(**{name: number})
    with pytest.raises(ParameterError, match="restarts is"):
        TrainConfig().replace(restarts=(number,))


def test_at_most_four_convolutions_in_front() -> None:
    with pytest.raises(ParameterError, match="5 entries"):
        ModelConfig(front_end_filters=(8, 8, 8, 8, 8))

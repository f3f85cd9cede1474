"""Train, evaluate, export and predict on generated music, all through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from songnet.cli.main import app
from songnet.cli.settings import read_settings
from songnet.exceptions import ParameterError

# TensorFlow's converter warns of its own future on every export, as in tests/export.
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning"),
]
SMALL = [
    "features.patch_frames=32", "features.patch_hop_frames=32", "features.n_mels=16",
    "model.front_end_filters=[4]", "model.conv_filters=[4,4,4]", "model.gru_units=4",
    "model.attention_units=4", "training.validation_share=0.2",
]  # fmt: skip


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """A folder of generated music and a small network."""
    folder = tmp_path_factory.mktemp("data")
    run("data", "synthetic", folder / "synthetic", "--tracks-per-genre", 5, "--seconds", 2)
    data = ["--dataset", folder / "synthetic", "--store", folder / "store"]
    changes = [argument for change in SMALL for argument in ("--set", change)]
    return [*data, *changes, "--seed", 3, "--epochs", 2, "--batch-size", 8]


@pytest.fixture(scope="module")
def trained(recipe: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "train"
    result = run("train", *recipe, "--run-dir", run_dir)
    assert "Training 1/2: loss " in result.stderr
    assert result.stdout.splitlines()[1].startswith(str(run_dir))
    return run_dir


@pytest.fixture(scope="module")
def evaluated(recipe: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "folds"
    result = run("evaluate", *recipe, "--folds", 2, "--run-dir", run_dir)
    metrics = [line.split()[0] for line in result.stdout.splitlines()[1:]]
    assert metrics[:2] == ["accuracy", "balanced_accuracy"]
    return run_dir / "report.json"


@pytest.mark.slow
def test_a_run_keeps_its_settings(trained: Path) -> None:
    settings = json.loads((trained / "run.json").read_text())["settings"]
    assert settings["training"] | {"seed": 3, "epochs": 2, "batch_size": 8} == settings["training"]
    assert settings["model"]["conv_filters"] == [4, 4, 4]
    assert settings["features"]["n_mels"] == 16


@pytest.mark.slow
def test_a_finished_run_is_only_shown(recipe: list[object], trained: Path) -> None:
    before = (trained / "network.keras").stat().st_mtime_ns
    run("train", *recipe, "--run-dir", trained)
    assert (trained / "network.keras").stat().st_mtime_ns == before


@pytest.mark.slow
def test_export_gives_a_bundle_that_predicts(
    trained: Path, evaluated: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "small"
    run("export", trained, "--report", evaluated, "--to", bundle)
    track = next(iter(trained.parents[1].glob("data*/synthetic/Bells/*.flac")))
    (row,) = json.loads(run("predict", "--json", "--model", bundle, track).stdout)
    assert row["status"] in {"ok", "not_sure"}
    assert row["genre"] in {"Bells", "Drone", "March", "Techno"}


def test_settings_start_from_the_defaults_and_take_changes() -> None:
    settings = read_settings(["training.mixup_alpha=0", "model.pool_sizes=[2,2,1]"], epochs=7)
    assert settings.training.epochs == 7
    assert settings.training.mixup_alpha == 0.0
    assert settings.model.pool_sizes == (2, 2, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs=3", "expected SECTION.NAME=VALUE"),
        ("training.epochs", "expected SECTION.NAME=VALUE"),
        ("training.speed=3", "There is no setting 'training.speed'"),
        ("training.epochs=many", "expected a value such as"),
        ("training.epochs=1.5", "expected a value such as"),
        ("training.learning_rate=NaN", "learning_rate is nan; expected a finite number"),
        ("model.dropout=1e999", "dropout is inf; expected a finite number"),
    ],
)
def test_an_impossible_change_is_refused(change: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        read_settings([change])

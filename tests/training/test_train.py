from __future__ import annotations

import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from songnet.config import TrainConfig
from songnet.exceptions import DatasetError, ParameterError
from songnet.models.registry import load_network
from songnet.training.callbacks import ResumedEarlyStopping
from songnet.training.schedule import CosineCycles
from songnet.training.train import TrainSettings, train
from tests.training.training_settings import SETTINGS


class Interrupted(Exception):
    """Stands for a kill between two epochs."""


def stop_after(epoch: int):
    def progress(done: int, total: int, logs: dict[str, float]) -> None:
        if done == epoch:
            raise Interrupted

    return progress


def history(run_dir: Path) -> list[dict[str, float]]:
    with (run_dir / "history.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(easy, tmp_path_factory) -> Path:
    run_dir = tmp_path_factory.mktemp("run")
    dataset, store = easy
    train(dataset, store=store, run_dir=run_dir, settings=SETTINGS)
    return run_dir


def test_it_learns_what_is_easy(easy, finished):
    result = json.loads((finished / "result.json").read_text())
    assert result["val_accuracy"] == 1.0
    assert result["val_loss"] < 0.6


def test_the_run_folder_says_how_it_was_made(easy, finished):
    run = json.loads((finished / "run.json").read_text())
    assert TrainSettings.from_dict(run["settings"]) == SETTINGS
    assert run["data_hash"] == easy[0].hash
    assert run["versions"]["keras"] == keras.__version__
    assert "commit" in run
    held_out = {t.genre for t in easy[0] if t.track_id in run["held_out_ids"]}
    assert held_out == {"High", "Low"}
    assert any((finished / "tensorboard").rglob("events.*"))
    assert [row["epoch"] for row in history(finished)] == [1, 2, 3, 4]


def test_the_network_has_all_outputs(finished):
    outputs = load_network(finished / "network.keras")(np.zeros((1, 32, 16), np.float32))
    assert set(outputs) == {"logits", "attention", "evidence", "pooled"}


def test_a_finished_run_is_only_read(easy, finished):
    before = (finished / "network.keras").stat().st_mtime_ns
    dataset, store = easy
    result = train(dataset, store=store, run_dir=finished, settings=SETTINGS)
    assert result.epochs == 4
    assert (finished / "network.keras").stat().st_mtime_ns == before


def test_an_interrupted_run_goes_on_with_the_same_data(easy, finished, tmp_path):
    dataset, store = easy
    run = {"store": store, "run_dir": tmp_path, "settings": SETTINGS}
    with pytest.raises(Interrupted):
        train(dataset, **run, progress=stop_after(2))
    assert not (tmp_path / "result.json").exists()
    epochs: list[int] = []
    result = train(dataset, **run, progress=lambda done, total, logs: epochs.append(done))
    assert epochs == [3, 4]
    assert result.epochs == 4
    whole, resumed = history(finished), history(tmp_path)
    assert [row["epoch"] for row in resumed] == [1, 2, 3, 4]
    assert resumed[1]["loss"] == pytest.approx(whole[1]["loss"], rel=1e-3)
    assert result.val_accuracy == 1.0


def test_a_kill_between_history_and_state_repeats_that_epoch(easy, tmp_path):
    dataset, store = easy
    run = {"store": store, "run_dir": tmp_path, "settings": SETTINGS}
    with pytest.raises(Interrupted):
        train(dataset, **run, progress=stop_after(1))
    shutil.copy(tmp_path / "state.keras", tmp_path / "one.keras")
    with pytest.raises(Interrupted):
        train(dataset, **run, progress=stop_after(2))
    shutil.move(tmp_path / "one.keras", tmp_path / "state.keras")
    epochs: list[int] = []
    train(dataset, **run, progress=lambda done, total, logs: epochs.append(done))
    assert epochs == [2, 3, 4]
    assert [row["epoch"] for row in history(tmp_path)] == [1, 2, 3, 4]


def test_another_recipe_does_not_overwrite_a_run(easy, finished):
    dataset, store = easy
    other = TrainSettings(SETTINGS.features, SETTINGS.model, SETTINGS.training.replace(seed=9))
    with pytest.raises(ParameterError, match=r"other settings.*choose another folder"):
        train(dataset, store=store, run_dir=finished, settings=other)


def test_a_finished_run_goes_on_after_a_restart(easy, finished, tmp_path):
    dataset, store = easy
    run_dir = tmp_path / "longer"
    shutil.copytree(finished, run_dir)
    longer = TrainSettings(
        SETTINGS.features, SETTINGS.model, SETTINGS.training.replace(epochs=6, restarts=(4,))
    )
    epochs: list[int] = []
    result = train(
        dataset,
        store=store,
        run_dir=run_dir,
        settings=longer,
        progress=lambda done, total, logs: epochs.append(done),
    )
    assert epochs == [5, 6]
    assert result.kept_epoch == 6
    assert history(run_dir)[:4] == history(finished)
    assert TrainSettings.from_dict(json.loads((run_dir / "run.json").read_text())["settings"]) == (
        longer
    )
    rate = keras.saving.load_model(run_dir / "state.keras").optimizer.learning_rate
    assert float(rate) == pytest.approx(0, abs=1e-6)


def test_the_rate_rises_falls_and_restarts_at_half():
    config = TrainConfig(epochs=30, restarts=(20, 50), warmup_epochs=2, learning_rate=1.0)
    rates = np.array([float(CosineCycles.of(config, steps=10)(step)) for step in range(300)])
    assert rates[0] == pytest.approx(0.05)
    assert rates[[20, 220]] == pytest.approx([1.0, 0.5])
    assert rates[110] == pytest.approx(0.5)
    assert rates[[199, 299]] == pytest.approx(0, abs=1e-3)
    assert rates[200] == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("epochs", "restarts", "is_longer"),
    [(20, (10,), True), (20, (), False), (20, (5,), False), (30, (10, 20), True)],
)
def test_only_a_restart_at_its_end_goes_on_from_a_run(epochs, restarts, is_longer):
    earlier = TrainConfig(epochs=10, restarts=())
    assert earlier.replace(epochs=epochs, restarts=restarts).goes_on_from(earlier) is is_longer
    assert not TrainConfig(epochs=epochs, restarts=restarts, seed=1).goes_on_from(earlier)


def test_one_genre_is_nothing_to_learn(easy, tmp_path):
    dataset, store = easy
    alone = dataset.select(lambda track: track.genre == "Low")
    with pytest.raises(DatasetError, match="at least two"):
        train(alone, store=store, run_dir=tmp_path, settings=SETTINGS)


@pytest.mark.parametrize(
    ("losses", "is_over"), [([3, 2, 1], False), ([1, 2, 2], True), ([2, 1, 3], False), ([], False)]
)
def test_early_stopping_remembers_the_earlier_part(losses, is_over):
    callback = ResumedEarlyStopping([{"val_loss": float(loss)} for loss in losses], patience=2)
    assert callback.is_over is is_over


def test_early_stopping_begins_anew_after_a_restart():
    losses = [{"val_loss": loss} for loss in (1.0, 2.0, 2.0, 3.0)]
    assert ResumedEarlyStopping(losses, patience=2).is_over
    assert not ResumedEarlyStopping(losses, patience=2, restarts=(3, 9)).is_over
    callback = ResumedEarlyStopping(losses[:1], patience=2, restarts=(2,))
    callback.on_train_begin()
    callback.on_epoch_begin(1)
    assert callback.best == 1.0
    callback.on_epoch_begin(2)
    assert callback.best == math.inf


def test_the_second_branch_learns_after_the_first_and_is_joined_to_it(easy, finished, tmp_path):
    dataset, store = easy
    settings = replace(
        SETTINGS,
        model=SETTINGS.model.replace(statistics_units=8),
        training=SETTINGS.training.replace(statistics_epochs=3, time_masks=2),
    )
    said = []
    result = train(
        dataset,
        store=store,
        run_dir=tmp_path,
        settings=settings,
        progress=lambda done, total, logs: said.append((done, total)),
    )
    assert said == [(n, 4) for n in (1, 2, 3, 4)] + [(n, 3) for n in (1, 2, 3)]
    joined, alone = (load_network(run / "network.keras") for run in (result.run_dir, finished))
    X = np.random.default_rng(0).normal(-10, 5, (2, 32, 16)).astype(np.float32)
    assert joined(X)["pooled"].shape[1] == alone(X)["pooled"].shape[1] + 8
    np.testing.assert_allclose(joined(X)["attention"], alone(X)["attention"], atol=1e-5)
    moved = np.abs(np.asarray(joined(X)["logits"]) - np.asarray(alone(X)["logits"]))
    assert moved.max() > 1e-3

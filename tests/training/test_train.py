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
from songnet.training.callbacks import EpochSeeds, ResumedEarlyStopping, RunState
from songnet.training.run_folder import TrainSettings, claim, describe, write_result
from songnet.training.schedule import CosineCycles
from songnet.training.train import train
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


def weights(run_dir: Path) -> list[np.ndarray]:
    return load_network(run_dir / "network.keras").get_weights()


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


def test_an_interrupted_run_ends_with_the_network_of_one_in_one_go(easy, finished, tmp_path):
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
    for epoch, again in zip(whole, resumed, strict=True):
        assert again == pytest.approx(epoch, rel=1e-4)
    for weight, again in zip(weights(finished), weights(tmp_path), strict=True):
        np.testing.assert_allclose(again, weight, atol=1e-5)


def test_each_epoch_has_dropout_of_its_own(finished):
    network = load_network(finished / "network.keras")
    X = np.ones((2, 32, 16), np.float32)

    def logits(seed: int, epoch: int) -> list[float]:
        seeds = EpochSeeds(seed)
        seeds.set_model(network)
        seeds.on_epoch_begin(epoch)
        return np.asarray(network(X, training=True)["logits"]).ravel().tolist()

    first = logits(0, 0)
    assert logits(0, 0) == first
    assert logits(0, 1) != first
    assert logits(1, 0) != first


def saved_epochs(run_dir: Path, val_losses: list[float]) -> None:
    """Write the files of epochs whose networks have their number as their weight."""
    network = keras.Sequential([keras.layers.Dense(1)])
    network.build((1, 1))
    state = RunState(run_dir, [], total=len(val_losses))
    state.set_model(network)
    for index, val_loss in enumerate(val_losses):
        network.set_weights([np.full((1, 1), index + 1), np.zeros(1)])
        state.on_epoch_end(index, {"val_loss": val_loss})


@pytest.mark.parametrize(("val_losses", "kept"), [([1, 2, 2], 1), ([3, 2, 2], 2), ([3, 2, 1], 3)])
def test_the_best_network_is_the_first_of_the_least_loss(tmp_path, val_losses, kept):
    saved_epochs(tmp_path, val_losses)
    best, last = (load_network(tmp_path / f"{name}.keras") for name in ("best", "state"))
    assert best.get_weights()[0] == kept
    assert last.get_weights()[0] == 3


def test_a_kill_while_the_best_network_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    save = keras.Model.save

    def half(network: keras.Model, path: Path) -> None:
        save(network, path)
        if network.get_weights()[0] == 2:
            Path(path).write_bytes(b"half")
            raise Interrupted

    monkeypatch.setattr(keras.Model, "save", half)
    with pytest.raises(Interrupted):
        saved_epochs(tmp_path, [2, 1])
    for name in ("best", "state"):
        assert load_network(tmp_path / f"{name}.keras").get_weights()[0] == 1
    assert len(history(tmp_path)) == 2


def test_a_kill_while_a_run_is_claimed_or_ended_leaves_no_half_file(tmp_path, monkeypatch):
    def half(path: Path, text: str, **_: object) -> None:
        path.write_bytes(text[: len(text) // 2].encode())
        raise Interrupted

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(Interrupted):
        claim(tmp_path, {"dataset": "easy"})
    with pytest.raises(Interrupted):
        write_result(tmp_path, ("A", "B"), epochs=2, kept=2, val_loss=0.5, val_accuracy=1.0)
    assert list(tmp_path.iterdir()) == []


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


def test_a_mistyped_setting_does_not_keep_the_folder(easy, tmp_path):
    dataset, store = easy
    mistyped = replace(SETTINGS, model=SETTINGS.model.replace(architecture="sognet"))
    with pytest.raises(ParameterError, match="no architecture 'sognet'"):
        train(dataset, store=store, run_dir=tmp_path, settings=mistyped)
    claim(tmp_path, describe(dataset, SETTINGS, dataset.genres, [], None))
    (tmp_path / "state.keras").touch()
    with pytest.raises(ParameterError, match=r"other.* settings.*choose another folder"):
        train(dataset, store=store, run_dir=tmp_path, settings=mistyped)
    run = json.loads((tmp_path / "run.json").read_text())
    assert TrainSettings.from_dict(run["settings"]) == SETTINGS


def test_a_training_that_diverged_is_not_finished(tmp_path):
    with pytest.raises(ParameterError, match=r"diverged.*nan.*smaller training\.learning_rate"):
        write_result(tmp_path, ("A", "B"), epochs=2, kept=2, val_loss=math.nan, val_accuracy=0.5)
    assert not (tmp_path / "result.json").exists()


def test_one_artist_a_genre_leaves_none_to_hold_out(easy, tmp_path):
    dataset, store = easy
    alone = dataset.select(lambda track: track.group.startswith("artist 0"))
    with pytest.raises(DatasetError, match="No artist can be held out; expected two"):
        train(alone, store=store, run_dir=tmp_path / "run", settings=SETTINGS)
    assert not (tmp_path / "run").exists()


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

"""Train a network on a data set, in a folder that an interrupted run resumes.

The run folder holds ``run.json`` (all settings, data hash, versions, commit,
artists held out), ``history.csv``, ``state.keras`` (the last epoch with its
optimiser), ``best.keras`` (the best validation loss), TensorBoard logs and,
at the end, ``network.keras`` (the kept epoch, with all outputs) and
``result.json``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from songnet.config import FeatureConfig, ModelConfig, TrainConfig
from songnet.datasets.base import Dataset, Track
from songnet.datasets.splits import hold_out_groups
from songnet.datasets.store import FeatureStore
from songnet.exceptions import DatasetError, ParameterError
from songnet.models.registry import load_network, logits_network, network_builder, whole_network
from songnet.provenance import git_commit, versions
from songnet.training.batches import Batch, CropBatches, mel_statistics, track_patches
from songnet.training.callbacks import Progress, ResumedEarlyStopping, RunState, TrackValidation
from songnet.training.schedule import CosineCycles

__all__ = ["TrainResult", "TrainSettings", "train"]


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides what a run learns, apart from the data."""

    features: FeatureConfig = field(default_factory=FeatureConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainConfig = field(default_factory=TrainConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return the three configurations as plain JSON types."""
        return {
            "features": self.features.to_dict(),
            "model": self.model.to_dict(),
            "training": self.training.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainSettings:
        """Rebuild from `to_dict`."""
        return cls(
            FeatureConfig.from_dict(values["features"]),
            ModelConfig.from_dict(values["model"]),
            TrainConfig.from_dict(values["training"]),
        )


@dataclass(frozen=True)
class TrainResult:
    """What a finished run says about itself.

    Parameters
    ----------
    run_dir : Path
    epochs, kept_epoch : int
        Epochs trained, and the one that ``network.keras`` holds, from 1.
    val_loss, val_accuracy : float
        Of the kept epoch, on whole tracks of the artists held out.
    genres : tuple of str
    """

    run_dir: Path
    epochs: int
    kept_epoch: int
    val_loss: float
    val_accuracy: float
    genres: tuple[str, ...]

    @property
    def network(self) -> Path:
        """The network of the kept epoch, with all its outputs."""
        return self.run_dir / "network.keras"


def train(
    dataset: Dataset,
    *,
    store: FeatureStore,
    run_dir: Path,
    settings: TrainSettings,
    degraded: FeatureStore | None = None,
    genres: tuple[str, ...] | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Train, or go on with the training that ``run_dir`` holds.

    Parameters
    ----------
    dataset : Dataset
        Tracks to learn from; some artists are held out of it for early
        stopping. Tracks without features (see `FeatureStore.compute`) must
        have been removed.
    store : FeatureStore
        Features of all tracks, with the settings ``settings.features``.
    run_dir : Path
    settings : TrainSettings
    degraded : FeatureStore, optional
        The tracks as a microphone hears them, see `CropBatches`.
    genres : tuple of str, optional
        Outputs of the network; the genres of the data set if not given.
    progress : callable, optional
        Called with (epochs done, epochs at most, logs) after each epoch.

    Returns
    -------
    result : TrainResult

    Raises
    ------
    DatasetError
        If there are fewer than two genres.
    ParameterError
        If ``run_dir`` holds a run with other settings or data.
    """
    genres = genres or dataset.genres
    if len(dataset.genres) < 2:
        raise DatasetError(f"The data set has the genres {dataset.genres}; expected at least two.")
    config = settings.training
    learned, held_out = hold_out_groups(
        dataset.tracks, share=config.validation_share, seed=config.seed
    )
    run_dir.mkdir(parents=True, exist_ok=True)
    _claim(run_dir, _description(dataset, settings, genres, held_out, degraded))
    if (run_dir / "result.json").is_file():
        return _read_result(run_dir)

    keras.utils.set_random_seed(config.seed)
    batches = CropBatches(learned, genres, store=store, config=config, degraded=degraded)
    state = run_dir / "state.keras"
    if state.is_file():
        network, epochs_done = _resume(state, config, steps=batches.steps)
    else:
        epochs_done = 0
        network = _build(
            learned, store, settings=settings, n_genres=len(genres), steps=batches.steps
        )
    validation = TrackValidation(
        track_patches(held_out, store, hop_frames=settings.features.patch_frames),
        np.array([genres.index(track.genre) for track in held_out]),
    )
    history = _read_history(run_dir, epochs_done)
    _fit(network, batches, validation, history, run_dir=run_dir, progress=progress)
    kept = _kept_epoch(history, config)
    source = "state.keras" if kept == len(history) else "best.keras"
    whole_network(load_network(run_dir / source)).save(run_dir / "network.keras")
    _write_result(run_dir, history, genres, kept=kept)
    return _read_result(run_dir)


def _kept_epoch(history: list[dict[str, float]], config: TrainConfig) -> int:
    """Return the epoch whose network is kept, from 1.

    The last one, where the learning rate has come down to nothing; the best one where the
    training stopped before that. Among the last epochs the validation loss of some hundred
    tracks is noise: on all five folds the last epoch was better than the best.
    """
    if len(history) >= config.epochs:
        return len(history)
    return 1 + min(range(len(history)), key=lambda index: history[index]["val_loss"])


def _fit(
    network: keras.Model,
    batches: CropBatches,
    validation: TrackValidation,
    history: list[dict[str, float]],
    *,
    run_dir: Path,
    progress: Progress | None,
) -> None:
    """Train from the epoch after ``history`` on, and append to it."""
    config = batches.config
    early_stopping = ResumedEarlyStopping(
        history, patience=config.patience, restarts=config.restarts
    )
    if early_stopping.is_over or len(history) >= config.epochs:
        return
    best = keras.callbacks.ModelCheckpoint(
        run_dir / "best.keras",
        monitor="val_loss",
        save_best_only=True,
        initial_value_threshold=min((row["val_loss"] for row in history), default=None),
    )
    network.fit(
        _stream(batches, first_epoch=len(history)),
        initial_epoch=len(history),
        epochs=config.epochs,
        steps_per_epoch=batches.steps,
        verbose=0,
        shuffle=False,  # a stream: each epoch comes shuffled
        callbacks=[
            validation,
            early_stopping,
            best,
            keras.callbacks.TensorBoard(run_dir / "tensorboard"),
            RunState(run_dir, history, total=config.epochs, progress=progress),
        ],
    )


def _description(
    dataset: Dataset,
    settings: TrainSettings,
    genres: tuple[str, ...],
    held_out: Sequence[Track],
    degraded: FeatureStore | None,
) -> dict[str, Any]:
    degradation = degraded.degradation if degraded else None
    return {
        "dataset": dataset.name,
        "data_hash": dataset.hash,
        "genres": list(genres),
        "settings": settings.to_dict(),
        "degradation": degradation.describe() if degradation else None,
        "held_out_groups": sorted({track.group for track in held_out}),
    }


def _claim(run_dir: Path, description: dict[str, Any]) -> None:
    """Write ``run.json``, or check that the one there is of the same run or of its beginning."""
    path = run_dir / "run.json"
    if path.is_file():
        there = json.loads(path.read_text(encoding="utf-8"))
        other = sorted(key for key, value in description.items() if there.get(key) != value)
        if not other:
            return
        if other != ["settings"] or not _goes_on(there["settings"], description["settings"]):
            raise ParameterError(
                f"{run_dir} holds a run with other {', '.join(other)}; choose another folder."
            )
        (run_dir / "result.json").unlink(missing_ok=True)
    provenance = {"versions": versions(), "commit": git_commit()}
    path.write_text(json.dumps(description | provenance, indent=2) + "\n", encoding="utf-8")


def _goes_on(earlier: dict[str, Any], now: dict[str, Any]) -> bool:
    before, after = TrainSettings.from_dict(earlier), TrainSettings.from_dict(now)
    is_same = (before.features, before.model) == (after.features, after.model)
    return is_same and after.training.goes_on_from(before.training)


def _resume(state: Path, config: TrainConfig, *, steps: int) -> tuple[keras.Model, int]:
    """Return the network of the last epoch, and the number of epochs it has had."""
    network: keras.Model = keras.saving.load_model(state)
    network.optimizer.learning_rate = CosineCycles.of(config, steps=steps)
    return network, int(network.optimizer.iterations.numpy()) // steps


def _build(
    learned: Sequence[Track],
    store: FeatureStore,
    *,
    settings: TrainSettings,
    n_genres: int,
    steps: int,
) -> keras.Model:
    """Build and compile the network that gives logits."""
    mean, std = mel_statistics(learned, store)
    whole = network_builder(settings.model)(
        settings.model, n_mels=settings.features.n_mels, n_classes=n_genres, mean=mean, std=std
    )
    config = settings.training
    network = logits_network(whole)
    network.compile(
        optimizer=keras.optimizers.AdamW(
            CosineCycles.of(config, steps=steps),
            weight_decay=config.weight_decay,
            global_clipnorm=1.0,
        ),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing
        ),
        metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
        # XLA on a CPU took 2.4 times as long for a step of this network.
        jit_compile=False,
    )
    return network


def _stream(batches: CropBatches, *, first_epoch: int) -> tf.data.Dataset:
    """Batches of all epochs from ``first_epoch`` on, made while the network learns."""

    def generate() -> Iterator[Batch]:
        for number in count(first_epoch):
            yield from batches.epoch(number)

    features = batches.features
    return tf.data.Dataset.from_generator(
        generate,
        output_signature=(
            tf.TensorSpec((None, features.patch_frames, features.n_mels), tf.float32),
            tf.TensorSpec((None, batches.n_genres), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ),
    ).prefetch(4)


def _read_history(run_dir: Path, epochs_done: int) -> list[dict[str, float]]:
    path = run_dir / "history.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return rows[:epochs_done]


def _write_result(
    run_dir: Path, history: list[dict[str, float]], genres: tuple[str, ...], *, kept: int
) -> None:
    values = {
        "epochs": len(history),
        "kept_epoch": kept,
        "val_loss": history[kept - 1]["val_loss"],
        "val_accuracy": history[kept - 1]["val_accuracy"],
        "genres": list(genres),
    }
    (run_dir / "result.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _read_result(run_dir: Path) -> TrainResult:
    values = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
    return TrainResult(run_dir=run_dir, **values | {"genres": tuple(values["genres"])})

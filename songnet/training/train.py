"""Train a network on a data set, in a folder that an interrupted run resumes.

The run folder holds ``run.json`` (all settings, data hash, versions, commit,
artists held out), ``history.csv``, ``state.keras`` (the last epoch with its
optimiser), ``best.keras`` (the best validation loss), TensorBoard logs and,
at the end, ``network.keras`` (the kept epoch, with all outputs) and
``result.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from songnet.config import TrainConfig
from songnet.datasets.base import Dataset, Track
from songnet.datasets.splits import hold_out_groups
from songnet.datasets.store import FeatureStore
from songnet.exceptions import DatasetError
from songnet.models.registry import (
    has_statistics_branch,
    load_network,
    logits_network,
    network_builder,
    whole_network,
)
from songnet.models.statistics_branch import join_branches
from songnet.training.batches import CropBatches, mel_statistics, track_patches
from songnet.training.callbacks import (
    EpochSeeds,
    Progress,
    ResumedEarlyStopping,
    RunState,
    TrackValidation,
)
from songnet.training.fitting import compile_network, stream_epochs
from songnet.training.run_folder import (
    TrainResult,
    TrainSettings,
    claim,
    describe,
    read_history,
    read_result,
    write_result,
)
from songnet.training.schedule import CosineCycles
from songnet.training.statistics_branch import train_statistics_branch

__all__ = ["train"]


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
        If there are fewer than two genres, or no artist can be held out.
    ParameterError
        If ``run_dir`` holds a run with other settings or data, or the training diverged.
    """
    genres = genres or dataset.genres
    config = settings.training
    learned, held_out = _hold_out(dataset, config)
    run_dir.mkdir(parents=True, exist_ok=True)
    claim(run_dir, describe(dataset, settings, genres, held_out, degraded))
    if (run_dir / "result.json").is_file():
        return read_result(run_dir)

    keras.utils.set_random_seed(config.seed)
    batches = CropBatches(learned, genres, store=store, config=config, degraded=degraded)
    state = run_dir / "state.keras"
    if state.is_file():
        network, epochs_done = _resume(state, config, steps=batches.steps)
    else:
        network, epochs_done = _build(learned, batches, store, settings=settings), 0
    validation = TrackValidation(
        track_patches(held_out, store, hop_frames=settings.features.patch_frames),
        np.array([genres.index(track.genre) for track in held_out]),
    )
    history = read_history(run_dir, epochs_done)
    _fit(network, batches, validation, history, run_dir=run_dir, progress=progress)
    kept = _kept_epoch(history, config)
    source = "state.keras" if kept == len(history) else "best.keras"
    network = whole_network(load_network(run_dir / source))
    if has_statistics_branch(settings.model):
        branch = train_statistics_branch(
            learned,
            genres,
            store=store,
            settings=settings,
            degraded=degraded,
            validation=validation,
            progress=progress,
        )
        network = join_branches(network, branch)
    network.save(run_dir / "network.keras")
    measured = validation.measure(logits_network(network))
    write_result(run_dir, genres, epochs=len(history), kept=kept, **measured)
    return read_result(run_dir)


def _hold_out(dataset: Dataset, config: TrainConfig) -> tuple[tuple[Track, ...], tuple[Track, ...]]:
    """Return the tracks to learn from and those for early stopping."""
    if len(dataset.genres) < 2:
        raise DatasetError(f"The data set has the genres {dataset.genres}; expected at least two.")
    learned, held_out = hold_out_groups(
        dataset.tracks, share=config.validation_share, seed=config.seed
    )
    if not held_out:
        raise DatasetError(
            "No artist can be held out; expected two artists in at least one genre, for early "
            "stopping. Add artists."
        )
    return learned, held_out


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
    network.fit(
        stream_epochs(
            batches.epoch,
            first_epoch=len(history),
            patch_shape=(batches.features.patch_frames, batches.features.n_mels),
            n_genres=batches.n_genres,
        ),
        initial_epoch=len(history),
        epochs=config.epochs,
        steps_per_epoch=batches.steps,
        verbose=0,
        shuffle=False,  # a stream: each epoch comes shuffled
        callbacks=[
            EpochSeeds(config.seed),
            validation,
            early_stopping,
            keras.callbacks.TensorBoard(run_dir / "tensorboard"),
            RunState(run_dir, history, total=config.epochs, progress=progress),
        ],
    )


def _resume(state: Path, config: TrainConfig, *, steps: int) -> tuple[keras.Model, int]:
    """Return the network of the last epoch, and the number of epochs it has had."""
    network: keras.Model = keras.saving.load_model(state)
    network.optimizer.learning_rate = CosineCycles.of(config, steps=steps)
    return network, int(network.optimizer.iterations.numpy()) // steps


def _build(
    learned: Sequence[Track], batches: CropBatches, store: FeatureStore, *, settings: TrainSettings
) -> keras.Model:
    """Build and compile the network that gives logits."""
    mean, std = mel_statistics(learned, store)
    whole = network_builder(settings.model)(
        settings.model,
        n_mels=settings.features.n_mels,
        n_classes=batches.n_genres,
        mean=mean,
        std=std,
    )
    network = logits_network(whole)
    compile_network(network, settings.training, steps=batches.steps, global_clipnorm=1.0)
    return network

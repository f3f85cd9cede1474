"""Train the statistics branch of SongNet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import keras
import numpy as np
import numpy.typing as npt

from songnet.config import TrainConfig
from songnet.datasets.base import Track
from songnet.datasets.store import FeatureStore
from songnet.models.statistics_branch import build_statistics_branch, clip_statistics
from songnet.training.batches import Batch, CropBatches
from songnet.training.callbacks import EpochSeeds, Progress, TrackValidation
from songnet.training.fitting import compile_network, stream_epochs
from songnet.training.run_folder import TrainSettings

__all__ = ["branch_recipe", "train_statistics_branch"]

_BATCH_SIZE = 32
_LEARNING_RATE = 1e-3


def branch_recipe(training: TrainConfig) -> TrainConfig:
    """Return how the branch is trained, where the whole network is trained so."""
    return training.replace(
        epochs=training.statistics_epochs,
        restarts=(),
        batch_size=_BATCH_SIZE,
        learning_rate=_LEARNING_RATE,
        mixup_alpha=0.0,
        time_masks=0,
        mel_masks=0,
        short_share=0.0,
    )


def train_statistics_branch(
    tracks: Sequence[Track],
    genres: Sequence[str],
    *,
    store: FeatureStore,
    settings: TrainSettings,
    degraded: FeatureStore | None,
    validation: TrackValidation,
    progress: Progress | None = None,
) -> keras.Model:
    """Train the branch on its own: minutes, where the other takes hours.

    Without masks and mixup: what they hide or blend changes the statistics
    more than any other piece of music does.

    Parameters
    ----------
    tracks : sequence of Track
    genres : sequence of str
    store : FeatureStore
    settings : TrainSettings
    degraded : FeatureStore, optional
        The tracks as a microphone hears them.
    validation : TrackValidation
        For the logs; nothing is chosen by it.
    progress : callable, optional
        Called with (epochs done, epochs at most, logs) after each epoch.

    Returns
    -------
    branch : keras.Model
        As `build_statistics_branch` returns it.
    """
    config = branch_recipe(settings.training)
    batches = CropBatches(tracks, genres, store=store, config=config, degraded=degraded)
    keras.utils.set_random_seed(config.seed)
    mean, std = _mean_and_deviation(batches)
    branch = build_statistics_branch(
        settings.features,
        units=settings.model.statistics_units,
        n_classes=len(genres),
        mean=mean,
        std=std,
    )
    compile_network(branch, config, steps=batches.steps)
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: (
            progress(epoch + 1, config.epochs, logs or {}) if progress else None
        )
    )
    branch.fit(
        stream_epochs(
            partial(_cut_epoch, batches, share=settings.training.short_share),
            first_epoch=0,
            patch_shape=(None, settings.features.n_mels),
            n_genres=len(genres),
        ),
        epochs=config.epochs,
        steps_per_epoch=batches.steps,
        verbose=0,
        shuffle=False,
        callbacks=[EpochSeeds(config.seed), validation, report],
    )
    return branch


def _mean_and_deviation(
    batches: CropBatches,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Of each statistic, over the crops of an epoch."""
    network = clip_statistics(batches.features)
    rows = np.concatenate([np.asarray(network.predict_on_batch(X)) for X, *_ in batches.epoch(0)])
    return rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3)


def _cut_epoch(batches: CropBatches, number: int, *, share: float) -> Iterator[Batch]:
    """Batches of an epoch, a share of them cut short, as a short upload is."""
    n_frames = batches.features.patch_frames
    rng = np.random.default_rng([batches.config.seed, number, 1])
    for X, targets, weights in batches.epoch(number):
        is_cut = rng.random() < share
        until = int(rng.integers(n_frames // 6, n_frames)) if is_cut else n_frames
        yield X[:, :until], targets, weights

"""Train the statistics branch of SongNet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from songnet.datasets.base import Track
from songnet.datasets.store import FeatureStore
from songnet.models.statistics_branch import build_statistics_branch, clip_statistics
from songnet.training.batches import Batch, CropBatches
from songnet.training.callbacks import Progress, TrackValidation
from songnet.training.run_folder import TrainSettings
from songnet.training.schedule import CosineCycles

__all__ = ["train_statistics_branch"]

_BATCH_SIZE = 32
_LEARNING_RATE = 1e-3


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
    config = settings.training.replace(
        epochs=settings.training.statistics_epochs,
        restarts=(),
        batch_size=_BATCH_SIZE,
        learning_rate=_LEARNING_RATE,
        mixup_alpha=0.0,
        time_masks=0,
        mel_masks=0,
        short_share=0.0,
    )
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
    branch.compile(
        optimizer=keras.optimizers.AdamW(
            CosineCycles.of(config, steps=batches.steps), weight_decay=config.weight_decay
        ),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing
        ),
        metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
        jit_compile=False,
    )
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: (
            progress(epoch + 1, config.epochs, logs or {}) if progress else None
        )
    )
    branch.fit(
        _stream(batches, cut_share=settings.training.short_share),
        epochs=config.epochs,
        steps_per_epoch=batches.steps,
        verbose=0,
        shuffle=False,
        callbacks=[validation, report],
    )
    return branch


def _mean_and_deviation(
    batches: CropBatches,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Of each statistic, over the crops of an epoch."""
    network = clip_statistics(batches.features)
    rows = np.concatenate([np.asarray(network.predict_on_batch(X)) for X, *_ in batches.epoch(0)])
    return rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3)


def _stream(batches: CropBatches, *, cut_share: float) -> tf.data.Dataset:
    """Batches of all epochs; a share of them cut short, as a short upload is."""
    features = batches.features

    def generate() -> Iterator[Batch]:
        for number in count():
            rng = np.random.default_rng([batches.config.seed, number, 1])
            for X, targets, weights in batches.epoch(number):
                n_frames = features.patch_frames
                if rng.random() < cut_share:
                    n_frames = int(rng.integers(n_frames // 6, n_frames))
                yield X[:, :n_frames], targets, weights

    return tf.data.Dataset.from_generator(
        generate,
        output_signature=(
            tf.TensorSpec((None, None, features.n_mels), tf.float32),
            tf.TensorSpec((None, batches.n_genres), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ),
    ).prefetch(4)

"""What every training of a network needs: its loss and optimiser, and a stream of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import keras
import tensorflow as tf

from songnet.config import TrainConfig
from songnet.training.batches import Batch
from songnet.training.schedule import CosineCycles

__all__ = ["compile_network", "stream_epochs"]


def compile_network(
    network: keras.Model,
    config: TrainConfig,
    *,
    steps: int,
    global_clipnorm: float | None = None,
) -> None:
    """Give a network that returns logits the loss and the optimiser of a recipe.

    Parameters
    ----------
    network : keras.Model
    config : TrainConfig
    steps : int
        Batches in one epoch.
    global_clipnorm : float, optional
        Greatest norm of all gradients together.
    """
    network.compile(
        optimizer=keras.optimizers.AdamW(
            CosineCycles.of(config, steps=steps),
            weight_decay=config.weight_decay,
            global_clipnorm=global_clipnorm,
        ),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing
        ),
        metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
        # XLA on a CPU took 2.4 times as long for a step of SongNet.
        jit_compile=False,
    )


def stream_epochs(
    epoch: Callable[[int], Iterator[Batch]],
    *,
    first_epoch: int,
    patch_shape: tuple[int | None, int],
    n_genres: int,
) -> tf.data.Dataset:
    """Batches of all epochs, made while the network learns.

    Parameters
    ----------
    epoch : callable
        Returns the batches of the epoch of a number.
    first_epoch : int
    patch_shape : (int or None, int)
        Frames, None where batches differ, and mel bands.
    n_genres : int
    """

    def generate() -> Iterator[Batch]:
        for number in count(first_epoch):
            yield from epoch(number)

    return tf.data.Dataset.from_generator(
        generate,
        output_signature=(
            tf.TensorSpec((None, *patch_shape), tf.float32),
            tf.TensorSpec((None, n_genres), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ),
    ).prefetch(4)

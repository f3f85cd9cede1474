"""The second branch of SongNet: a small network on the statistics of a patch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from songnet.config import FeatureConfig
from songnet.models.clip_statistics import ClipStatistics
from songnet.models.layers import (
    AppendToSteps,
    AttentionPooling,
    ClippedNormalization,
    MeanPooling,
)

__all__ = ["build_statistics_branch", "clip_statistics", "join_branches"]

_Z_LIMIT = 4.0
_INPUT_DROPOUT = 0.1
_DROPOUT = 0.3


def clip_statistics(features: FeatureConfig) -> keras.Model:
    """Return the network of nothing but `ClipStatistics`."""
    inputs = keras.Input((None, features.n_mels), name="log_mel")
    layer = ClipStatistics(
        floor_db=features.floor_db, frame_seconds=features.frame_seconds, name="clip_statistics"
    )
    return keras.Model(inputs, layer(inputs), name="clip_statistics")


def build_statistics_branch(
    features: FeatureConfig,
    *,
    units: int,
    n_classes: int,
    mean: npt.NDArray[np.float32],
    std: npt.NDArray[np.float32],
) -> keras.Model:
    """Build a network with one hidden layer on `ClipStatistics`.

    Parameters
    ----------
    features : FeatureConfig
    units, n_classes : int
    mean, std : np.ndarray [shape=(n_statistics,), dtype=float32]
        Of each statistic over training crops.

    Returns
    -------
    branch : keras.Model
        ``(batch, n_frames, n_mels)`` to logits ``(batch, n_classes)``.
    """
    statistics = clip_statistics(features)
    x: Any = statistics.output
    x = ClippedNormalization(
        limit=_Z_LIMIT, mean=mean, variance=np.square(std), name="statistics_norm"
    )(x)
    x = layers.Rescaling(_group_scale(), name="statistics_scale")(x)
    x = layers.Dropout(_INPUT_DROPOUT, name="statistics_input_dropout")(x)
    x = layers.Dense(units, activation="relu", name="statistics_hidden")(x)
    x = layers.Dropout(_DROPOUT, name="statistics_dropout")(x)
    logits = layers.Dense(n_classes, name="statistics_head")(x)
    return keras.Model(statistics.input, logits, name="statistics_branch")


def join_branches(network: keras.Model, branch: keras.Model) -> keras.Model:
    """Join a network that pools a sequence with a statistics branch.

    The hidden units of the branch stand beside the channels of every step, so
    one pooling layer still decomposes the logits exactly over time; they are
    the mean of the logits of the two.

    Parameters
    ----------
    network : keras.Model
        With an `AttentionPooling` or `MeanPooling`.
    branch : keras.Model
        Of `build_statistics_branch`, for the same input.

    Returns
    -------
    joined : keras.Model
        Patches to the dictionary of `AttentionPooling`.
    """
    alone = next(x for x in network.layers if isinstance(x, (AttentionPooling, MeanPooling)))
    head = branch.get_layer("statistics_head")
    hidden = network.input
    for layer in branch.layers[1:-1]:  # between its input and its head
        hidden = layer(hidden)
    steps = AppendToSteps(name="append_statistics")([alone.input, hidden])
    pooling = alone.__class__.from_config(alone.get_config())
    outputs = pooling(steps)
    _copy_weights(alone, head, pooling)
    return keras.Model(network.input, outputs, name=network.name)


def _copy_weights(alone: Any, head: layers.Dense, pooling: Any) -> None:
    """Give the joined pooling the attention of one branch and the mean of both heads."""
    kernels = [np.asarray(dense.kernel) / 2 for dense in (alone.head, head)]
    biases = [np.asarray(dense.bias) / 2 for dense in (alone.head, head)]
    pooling.head.set_weights([np.concatenate(kernels), np.sum(biases, axis=0)])
    if isinstance(alone, AttentionPooling):
        kernel, bias = alone.hidden.get_weights()
        deaf = np.zeros((len(kernels[1]), kernel.shape[1]), kernel.dtype)
        pooling.hidden.set_weights([np.concatenate([kernel, deaf]), bias])
        pooling.score.set_weights(alone.score.get_weights())


def _group_scale() -> list[float]:
    """Factor of each statistic, so that large groups do not outweigh small ones."""
    sizes = np.array(ClipStatistics.group_sizes())
    scale: list[float] = (10 / np.sqrt(np.repeat(sizes, sizes))).tolist()
    return scale

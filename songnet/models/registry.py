"""Every architecture under its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras

from songnet.config import ModelConfig
from songnet.exceptions import BundleError, ParameterError
from songnet.models.clip_statistics import ClipStatistics
from songnet.models.crnn import build_crnn
from songnet.models.layers import AttentionPooling, MeanPooling
from songnet.models.mel_cnn import build_mel_cnn
from songnet.models.mfcc_cnn import build_mfcc_cnn
from songnet.models.mfcc_cnn_segments import build_mfcc_cnn_segments
from songnet.models.songnet import (
    build_songnet,
    build_songnet_lstm,
    build_songnet_no_attention,
)
from songnet.models.spectrogram_transformer import build_spectrogram_transformer
from songnet.models.vgg_mel import build_vgg_mel

__all__ = [
    "ARCHITECTURES",
    "has_statistics_branch",
    "load_network",
    "logits_network",
    "network_builder",
    "whole_network",
]

ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {
    "songnet": build_songnet,
    "songnet_lstm": build_songnet_lstm,
    "songnet_no_attention": build_songnet_no_attention,
    "crnn": build_crnn,
    "spectrogram_transformer": build_spectrogram_transformer,
    "mel_cnn": build_mel_cnn,
    "vgg_mel": build_vgg_mel,
    "mfcc_cnn": build_mfcc_cnn,
    "mfcc_cnn_segments": build_mfcc_cnn_segments,
}


def has_statistics_branch(config: ModelConfig) -> bool:
    """Whether the network has a second branch on the statistics of a patch."""
    return config.is_songnet and config.statistics_units > 0


def network_builder(config: ModelConfig) -> Callable[..., keras.Model]:
    """Return the function that builds ``config.architecture``."""
    if config.architecture not in ARCHITECTURES:
        raise ParameterError(
            f"There is no architecture {config.architecture!r}; expected {sorted(ARCHITECTURES)}."
        )
    return ARCHITECTURES[config.architecture]


def logits_network(network: keras.Model) -> keras.Model:
    """Return the part of a network that training needs: patches to logits."""
    return keras.Model(network.input, network.output["logits"], name=network.name)


def whole_network(trained: keras.Model) -> keras.Model:
    """Return the network with all outputs of its `AttentionPooling`, or what stands for it.

    Parameters
    ----------
    trained : keras.Model
        What `logits_network` returned, possibly saved and loaded since.
    """
    kinds = (AttentionPooling, MeanPooling)  # a GenreHead is one of these
    pooling = next(layer for layer in trained.layers if isinstance(layer, kinds))
    return keras.Model(trained.input, pooling(pooling.input), name=trained.name)


def load_network(path: Path) -> keras.Model:
    """Open a ``.keras`` file; raises BundleError if it cannot be read."""
    try:
        model: keras.Model = keras.saving.load_model(
            path, compile=False, custom_objects={"songnet>ClipStatistics": ClipStatistics}
        )
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} is not a Keras model of SongNet: {error}") from error
    return model

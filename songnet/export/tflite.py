"""Keras to TFLite: float32, float16 and int8, each checked in the runtime that ships.

The batch is fixed at 1: with a free batch the converter writes Flex
operations for the GRU, which LiteRT cannot run.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from songnet.config import FeatureConfig
from songnet.exceptions import BundleError, ParameterError
from songnet.inference.runtime import OUTPUT_NAMES, LiteRTRuntime, Outputs
from songnet.signal.features import Patches

__all__ = [
    "MAX_FLOAT32_DIFFERENCE",
    "RUNTIME_PRECISIONS",
    "Precision",
    "check_parity",
    "export_tflite",
]

Precision = Literal["fp32", "fp16", "int8"]
RUNTIME_PRECISIONS: dict[str, Precision] = {
    "litert": "fp32",
    "litert-fp16": "fp16",
    "litert-int8": "int8",
}
MAX_FLOAT32_DIFFERENCE = 1e-4


def export_tflite(
    network: keras.Model, path: Path, *, features: FeatureConfig, precision: Precision
) -> None:
    """Write a network as a TFLite file that needs builtin operations only.

    Parameters
    ----------
    network : keras.Model
        Patches to the dictionary of `songnet.models.layers.AttentionPooling`.
    path : Path
    features : FeatureConfig
        Fixes the input at (1, patch_frames, n_mels).
    precision : {"fp32", "fp16", "int8"}
        "int8" stores the weights in 8 bits and computes the rest in float
        (dynamic range quantisation), so no calibration data are needed.

    Raises
    ------
    ParameterError
        If the precision is none of the three.
    BundleError
        If the network needs operations that LiteRT has not.
    """
    if precision not in ("fp32", "fp16", "int8"):
        raise ParameterError(f"There is no precision {precision!r}; expected fp32, fp16 or int8.")
    inputs = keras.Input(batch_shape=(1, features.patch_frames, features.n_mels), name="log_mel")
    converter: Any = tf.lite.TFLiteConverter.from_keras_model(
        keras.Model(inputs, network(inputs), name=network.name)
    )
    if precision != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    with _quiet_tensorflow():
        content = converter.convert()
    if b"Flex" in content:
        raise BundleError(
            f"{network.name} needs TensorFlow operations that LiteRT cannot run; "
            "build it from layers with builtin TFLite operations."
        )
    path.write_bytes(content)


@contextmanager
def _quiet_tensorflow() -> Iterator[None]:
    """Hold back what the converter logs and prints about steps that succeed."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


@dataclass(frozen=True)
class Parity:
    """Greatest absolute difference of a TFLite file from Keras, by output."""

    logits: float
    attention: float
    evidence: float
    embedding: float

    @property
    def worst(self) -> float:
        """The greatest of the four."""
        return max(self.logits, self.attention, self.evidence, self.embedding)


def check_parity(network: keras.Model, path: Path, patches: Patches) -> Parity:
    """Compare a TFLite file, run by LiteRT, with its network in Keras.

    Parameters
    ----------
    network : keras.Model
    path : Path
    patches : np.ndarray [shape=(n_patches, patch_frames, n_mels), dtype=float32]

    Returns
    -------
    parity : Parity
    """
    lite: Outputs = LiteRTRuntime(path).predict(patches)
    expected = network(patches)
    return Parity(
        **{
            field: float(np.abs(getattr(lite, field) - np.asarray(expected[name])).max())
            for field, name in OUTPUT_NAMES.items()
        }
    )

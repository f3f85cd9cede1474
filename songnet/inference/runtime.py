"""Run a network: LiteRT for the app and CLI, Keras where gradients are needed.

Both give the same arrays for the same patches; importing this module
imports neither.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from songnet.exceptions import BundleError, ParameterError
from songnet.signal.features import Patches

__all__ = ["OUTPUT_NAMES", "KerasRuntime", "LiteRTRuntime", "Outputs", "Runtime"]

FloatArray = npt.NDArray[np.float32]
# Field of `Outputs` and output of the network.
OUTPUT_NAMES = {
    "logits": "logits",
    "attention": "attention",
    "evidence": "evidence",
    "embedding": "pooled",
}
_KERAS_BATCH = 32


@dataclass(frozen=True)
class Outputs:
    """What the network says about each patch.

    ``logits = Σ_t attention_t · evidence_t`` holds exactly, up to rounding.

    Parameters
    ----------
    logits : np.ndarray [shape=(n_patches, n_genres), dtype=float32]
    attention : np.ndarray [shape=(n_patches, n_steps), dtype=float32]
        Rows sum to 1.
    evidence : np.ndarray [shape=(n_patches, n_steps, n_genres), dtype=float32]
    embedding : np.ndarray [shape=(n_patches, n_channels), dtype=float32], optional
        What the linear head sees: the hidden sequence summed by attention.
        None for networks that were exported without it.
    """

    logits: FloatArray
    attention: FloatArray
    evidence: FloatArray
    embedding: FloatArray | None = None


class Runtime(Protocol):
    """What turns patches into `Outputs`."""

    def predict(self, patches: Patches) -> Outputs:
        """Run the network on patches of shape (n_patches, patch_frames, n_mels)."""
        ...


class LiteRTRuntime:
    """A ``.tflite`` file in ai-edge-litert, one patch at a time.

    Safe to share between threads, which take turns patch by patch.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=1)
            self._run = self._interpreter.get_signature_runner()
        except (ValueError, RuntimeError) as error:
            raise BundleError(
                f"{path} is not a TFLite model that LiteRT can run: {error}"
            ) from error
        (self._input_name, details), *_ = self._run.get_input_details().items()
        self._input_shape = tuple(int(n) for n in details["shape"])
        self._lock = threading.Lock()

    def predict(self, patches: Patches) -> Outputs:
        """See `Runtime.predict`."""
        if patches.shape[1:] != self._input_shape[1:]:
            raise ParameterError(
                f"The patches have shape {patches.shape}; the model reads "
                f"(n_patches, {self._input_shape[1]}, {self._input_shape[2]})."
            )
        results = []
        for patch in patches:
            with self._lock:  # not over all of a long file: others would wait for seconds
                results.append(self._run(**{self._input_name: patch[None]}))
        return _gather(results)


class KerasRuntime:
    """A ``.keras`` file in TensorFlow; imports TensorFlow when it is made.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        from songnet.models.registry import load_network

        self.model: Any = load_network(path)

    def predict(self, patches: Patches) -> Outputs:
        """See `Runtime.predict`."""
        starts = range(0, len(patches), _KERAS_BATCH)
        batches = [self.model.predict_on_batch(patches[i : i + _KERAS_BATCH]) for i in starts]
        return _gather(batches)


def _gather(parts: Sequence[Mapping[str, FloatArray]]) -> Outputs:
    """Join the outputs of several runs of the network."""
    return Outputs(
        **{
            field: np.concatenate([part[name] for part in parts])
            for field, name in OUTPUT_NAMES.items()
            if name in parts[0]
        }
    )

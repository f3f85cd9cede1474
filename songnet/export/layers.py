"""What a network is made of: its layers with their shapes, parameters and multiplications."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from songnet.models.clip_statistics import ClipStatistics

__all__ = ["count_macs", "layer_rows"]

Shape = tuple[int, ...]


def layer_rows(network: keras.Model, input_shape: tuple[int, int]) -> list[dict[str, Any]]:
    """Describe the layers of a network in their order.

    Parameters
    ----------
    network : keras.Model
    input_shape : (int, int)
        Frames and mel bands of a patch.

    Returns
    -------
    rows : list of dict
        ``name``, ``kind``, ``output_shape`` without the batch, ``parameters``
        and ``macs``: multiplications of one patch in convolutions, dense and
        recurrent layers, attention, the DCT and the clip statistics;
        normalisation, pooling and activations are not counted.
    """
    layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    inputs = [keras.tree.flatten(layer.input) for layer in layers]
    probe = keras.Model(network.input, [tensor for tensors in inputs for tensor in tensors])
    specs = probe.compute_output_spec(keras.KerasTensor((1, *input_shape)))
    found = iter(keras.tree.flatten(specs))
    rows = []
    for layer, tensors in zip(layers, inputs, strict=True):
        sources = [next(found) for _ in tensors]
        output = _output_shape(layer, sources)
        rows.append(
            {
                "name": layer.name,
                "kind": type(layer).__name__,
                "output_shape": list(output[1:]),
                "parameters": int(layer.count_params()),
                "macs": _layer_macs(layer, tuple(sources[0].shape), output),
            }
        )
    return rows


def count_macs(network: keras.Model, input_shape: tuple[int, int]) -> int:
    """Multiplications of one patch, see `layer_rows`."""
    return sum(row["macs"] for row in layer_rows(network, input_shape))


def _output_shape(layer: Any, sources: list[keras.KerasTensor]) -> Shape:
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return tuple(layer.compute_output_spec(*sources).shape)
    spec = layer.compute_output_spec(sources if len(sources) > 1 else sources[0])
    return tuple((spec["logits"] if isinstance(spec, dict) else spec).shape)


def _layer_macs(layer: Any, source: Shape, size: Shape) -> int:
    """Multiplications of a layer for a batch of one."""
    weights = [weight for weight in layer.trainable_weights if "bias" not in weight.name]
    matrices = sum(int(np.prod(weight.shape)) for weight in weights if len(weight.shape) > 1)
    kind = type(layer).__name__
    if isinstance(layer, ClipStatistics):
        return layer.count_macs(source[1], source[2])
    if kind == "Mfcc":
        return source[1] * source[2] * size[2]
    if kind in {"Conv1D", "Conv2D", "Dense"}:
        return matrices * int(np.prod(size[1:-1]))
    if kind in {"GRU", "LSTM", "Bidirectional", "AttentionPooling", "MeanPooling"}:
        return matrices * source[1]
    if kind == "MultiHeadAttention":  # the projections, then every step with every other, twice
        return matrices * source[1] + 2 * source[1] ** 2 * size[2]
    return matrices if kind == "GenreHead" else 0
